"""The main job on real files of three makers; skipped where the files are not at hand."""

import hyperspy.api as hs
import numpy as np
import pytest
from scipy import ndimage

TYPE = "EDS_TEM_clustered"


@pytest.fixture(scope="module", params=[False, True], ids=["eager", "lazy"])
def core_shell(request, real_file):
    path = real_file("core_shell.hdf5")
    s = hs.load(path, file_format="HSPY", lazy=request.param, signal_type=TYPE)
    s.set_elements(["Fe", "Pt", "O"])
    s.cluster_pca_gmm(n_clusters=3, exclude_lines=["C", "Cu"])
    s.cluster_umap_hdbscan(exclude_lines=["C", "Cu"])
    return s


def parts(s, result):
    """Film, shell and core by what they hold: iron per pixel, platinum per iron."""
    q = s.cluster_quantification(
        result,
        xray_lines=["Fe_Ka", "Pt_La"],
        kfactors={"Fe_Ka": 1.450226, "Pt_La": 5.075602},
        extra_elements=["C", "Cu", "Si", "O"],
    )
    core = int(q.atomic_percent[:, 1].argmax())
    iron = q.intensities[:, 0] / result.memberships.sum(axis=(1, 2))
    film = int(iron.argmin())
    (shell,) = set(range(3)) - {core, film}
    return q, film, shell, core


def test_rank_of_core_shell_particles(core_shell):
    for result in core_shell.clusters.values():
        assert result.parameters["n_significant"] == 2


@pytest.mark.parametrize("workflow", ["pca_gmm", "umap_hdbscan"])
def test_core_shell_and_film(core_shell, workflow):
    result = core_shell.clusters[workflow]
    assert result.n_clusters == 3
    q, film, shell, core = parts(core_shell, result)
    platinum = q.atomic_percent[:, 1]
    assert platinum[core] > 30
    # The beam sees some core through the shell beside it.
    assert platinum[shell] < platinum[core] / 8
    assert platinum[film] < 5
    labels = result.labels
    # Cores lie inside shells: hardly any core pixel touches the film.
    around_core = ndimage.binary_dilation(labels == core) & (labels != core)
    assert np.mean(labels[around_core] == shell) > 0.9
    # The particle at (45, 60) has no core.
    particle = labels[58:64, 40:50]
    assert np.mean(particle == shell) > 0.9
    assert result.sizes[core] < result.sizes[shell] < result.sizes[film]


@pytest.mark.parametrize("lazy", [False, True])
def test_jeol_particle_on_film(real_file, lazy):
    s = hs.load(real_file("View000_0000006.pts"), lazy=lazy)
    s.set_signal_type(TYPE)
    s = s.rebin(scale=(8, 8, 1))
    s.set_elements(["Fe", "S"])
    film = {"exclude_lines": ["C", "Cu"]}
    for result in (s.cluster_pca_gmm(n_clusters=2, **film), s.cluster_umap_hdbscan(**film)):
        assert result.n_clusters == 2
        iron = s.isig[6.2:6.6].sum(-1)
        if lazy:
            iron.compute(show_progressbar=False)
        kept = result.labels > -2
        means = [iron.data[result.labels == k].mean() for k in range(2)]
        particle = int(np.argmax(means))
        assert means[particle] > 4 * means[1 - particle]
        smooth = ndimage.gaussian_filter(iron.data.astype(float), 1.5)
        threshold = (smooth[kept].max() + smooth[kept].min()) / 4
        agree = (smooth > threshold) == (result.labels == particle)
        assert agree[kept].mean() > 0.9
        with pytest.warns(UserWarning, match="Theoretical k-factors"):
            q = s.deepcopy().cluster_quantification(result, extra_elements=["C", "O", "Cu"])
        assert q.intensities[particle].min() > 1000
        assert (q.intensities >= 0).all()


def test_jeol_map_as_it_lies_on_disk(real_file):
    """At full resolution, one count per pixel, spectra cut into eleven chunks."""
    s = hs.load(real_file("View000_0000006.pts"), lazy=True)
    assert s.data.numblocks == (2, 2, 11)
    s.set_signal_type(TYPE)
    result = s.cluster_pca_gmm(exclude_lines=["C", "Cu"])
    assert result.n_clusters == 2
    iron = ndimage.gaussian_filter(s.isig[6.2:6.6].data.sum(axis=-1).compute().astype(float), 3)
    means = [iron[result.labels == k].mean() for k in range(2)]
    particle = int(np.argmax(means))
    assert means[particle] > 4 * means[1 - particle]
    kept = result.labels >= 0
    threshold = (iron[kept].max() + iron[kept].min()) / 4
    assert np.mean((iron > threshold)[kept] == (result.labels == particle)[kept]) > 0.9


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("rebin", [1, 4])
def test_weak_bruker_map_invents_nothing(real_file, lazy, rebin):
    s = hs.load(real_file("test_TEM.bcf"), lazy=lazy)[-1]
    s.set_signal_type(TYPE)
    if rebin > 1:
        s = s.rebin(scale=(rebin, rebin, 1))
    assert s.cluster_pca_gmm().n_clusters <= 2
    assert s.cluster_umap_hdbscan().n_clusters <= 2
    with pytest.warns(UserWarning, match="Theoretical k-factors"):
        q = s.cluster_quantification("umap_hdbscan")
    np.testing.assert_allclose(q.atomic_percent.sum(axis=1), 100)


@pytest.mark.parametrize("lazy", [False, True])
def test_velox_map(real_file, lazy):
    s = hs.load(real_file("velox_16x16.emd"), lazy=lazy)[-1]
    s.set_signal_type(TYPE)
    for result in (s.cluster_pca_gmm(n_clusters=2), s.cluster_umap_hdbscan()):
        assert 1 <= result.n_clusters <= 2
        # A burst of noise below 0.2 keV in the first row is not the sample, which is everywhere.
        assert np.count_nonzero(result.labels == -2) < 128
        assert np.mean(result.labels[1:] >= 0) > 0.9
        with pytest.warns(UserWarning, match="Theoretical k-factors at 300 keV"):
            q = s.deepcopy().cluster_quantification(result, extra_elements=())
        np.testing.assert_allclose(q.atomic_percent.sum(axis=1), 100)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("detector", [None, "windowless"])
def test_strontium_titanate_has_one_strontium_for_one_titanium(real_file, detector):
    """With theory's k-factors, if the silicon of the detector is as thick as it is."""
    signals = hs.load(real_file("SrTiO3_spectra.emd"))
    s = next(x for x in signals if x.axes_manager.signal_dimension == 1)
    s.set_signal_type(TYPE)
    s.set_elements(["Sr", "Ti", "O"])
    ask = {"extra_elements": ["C", "Cu", "Si"]}
    ratio = s.cluster_quantification(detector=detector, **ask).ratio("Sr", "Ti")
    assert abs(ratio.values[0] - 1) < 3 * ratio.std[0]
    ideal = s.cluster_quantification(detector="ideal", **ask).ratio("Sr", "Ti")
    assert ideal.values[0] < 0.85
