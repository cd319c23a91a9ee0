"""The signal class as a member of HyperSpy's family, and its results as companions of the map."""

import subprocess
import sys

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant import ClusteredEDSSpectrum, LazyClusteredEDSSpectrum, data

TYPE = "EDS_TEM_clustered"


def is_ours(s, lazy=False):
    assert type(s) is (LazyClusteredEDSSpectrum if lazy else ClusteredEDSSpectrum)
    assert s.metadata.Signal.signal_type == TYPE
    return True


def test_known_to_hyperspy():
    code = "import hyperspy.api as hs; hs.print_known_signal_types()"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    row = next(line for line in printed.splitlines() if TYPE in line)
    assert "ClusteredEDSSpectrum" in row
    assert "hyperspy_cluster" in row


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("origin", ["", "EDS_TEM", "EDS_SEM"])
def test_there_and_back(origin, lazy):
    s = hs.signals.Signal1D(np.ones((3, 4, 100)))
    if lazy:
        s = s.as_lazy()
    if origin:
        s.set_signal_type(origin)
        s.set_microscope_parameters(beam_energy=30, energy_resolution_MnKa=125)
    s.set_signal_type(TYPE)
    assert is_ours(s, lazy)
    if origin:
        assert s.metadata.Acquisition_instrument.TEM.beam_energy == 30
        assert s.metadata.Acquisition_instrument.TEM.Detector.EDS.energy_resolution_MnKa == 125
        assert "SEM" not in s.metadata.Acquisition_instrument
    s.set_signal_type(origin)
    assert not isinstance(s, ClusteredEDSSpectrum)
    assert s.metadata.Signal.signal_type == origin
    if origin == "EDS_SEM":
        assert s.metadata.Acquisition_instrument.SEM.Detector.EDS.energy_resolution_MnKa == 125


def test_beam_energy_set_as_exspy_sets_it_is_found(sulfide):
    sulfide.set_microscope_parameters(beam_energy=300)
    assert sulfide.metadata.Acquisition_instrument.TEM.beam_energy == 300


def test_loading_as_clustered(tmp_path, sulfide):
    sulfide.set_signal_type("EDS_TEM")
    sulfide.save(tmp_path / "map.hspy")
    for lazy in (False, True):
        assert is_ours(hs.load(tmp_path / "map.hspy", signal_type=TYPE, lazy=lazy), lazy)


def test_class_survives(sulfide):
    for s, lazy in ((sulfide, False), (sulfide.as_lazy(), True)):
        assert is_ours(s, lazy)
        assert is_ours(s.inav[3:, 1], lazy)
        assert is_ours(s.isig[1.0:5.0], lazy)
        assert is_ours(s.rebin(scale=(2, 2, 1)), lazy)
        assert is_ours(s.deepcopy(), lazy)
        assert is_ours(s.sum(), lazy)
        assert is_ours(s.sum(0), lazy)
        assert is_ours(s * 2, lazy)
    s.compute(show_progressbar=False)
    assert is_ours(s)


def same(a, b):
    assert list(a) == list(b)
    for name in a:
        assert np.array_equal(a[name].labels, b[name].labels)
        assert np.array_equal(a[name].memberships, b[name].memberships)
        assert np.array_equal(a[name].scores, b[name].scores)
        assert a[name].parameters == b[name].parameters
        assert a[name].cluster_names == b[name].cluster_names
        assert a[name].axes == b[name].axes


def test_results_are_kept_in_order_and_read_only(clustered):
    names = ["copy", "two parts/1", "Über 2"]
    for name in names:
        clustered.cluster_pca_gmm(n_clusters=2, name=name)
    assert list(clustered.clusters) == ["pca_gmm", *names]
    clustered.cluster_pca_gmm(n_clusters=3)
    assert list(clustered.clusters) == [*names, "pca_gmm"]
    assert clustered.get_cluster_spectra().axes_manager.navigation_size == 3
    assert clustered.get_cluster_spectra("copy").axes_manager.navigation_size == 2
    with pytest.raises(TypeError):
        clustered.clusters["mine"] = None


def test_results_survive_copies_and_the_energy_axis(clustered):
    results = clustered.clusters
    same(clustered.deepcopy().clusters, results)
    same(clustered.isig[1.0:5.0].clusters, results)
    same(clustered.rebin(scale=(1, 1, 2)).clusters, results)
    lazy = clustered.as_lazy()
    same(lazy.clusters, results)
    lazy.compute(show_progressbar=False)
    same(lazy.clusters, results)
    same((clustered + 0).clusters, results)


@pytest.mark.parametrize("extension", ["hspy", "zspy"])
@pytest.mark.parametrize("lazy", [False, True])
def test_results_survive_files(tmp_path, clustered, extension, lazy):
    clustered.save(tmp_path / f"map.{extension}")
    loaded = hs.load(tmp_path / f"map.{extension}", lazy=lazy)
    assert is_ours(loaded, lazy)
    same(loaded.clusters, clustered.clusters)


def test_a_result_adds_no_more_to_a_file_than_its_arrays(tmp_path, sulfide, clustered):
    result = clustered.clusters["pca_gmm"]
    arrays = (
        result.labels, result.memberships, result.scores, result.spectra, result.energy,
        result.eigenvalues,
    )  # fmt: skip
    learned = vars(clustered.learning_results)
    mirrored = (value for value in learned.values() if isinstance(value, np.ndarray))
    sizes = []
    for name, s in {"before": sulfide, "after": clustered}.items():
        s.save(tmp_path / f"{name}.hspy", compression=None)
        sizes.append((tmp_path / f"{name}.hspy").stat().st_size)
    added = sum(array.nbytes for array in (*arrays, *mirrored))
    assert sizes[1] - sizes[0] < added + 100_000  # HDF5's own


def test_embedding_survives_files(tmp_path, sulfide):
    result = sulfide.cluster_umap_hdbscan(n_landmarks=150, n_neighbors=10, binning=1)
    sulfide.save(tmp_path / "map.hspy")
    loaded = hs.load(tmp_path / "map.hspy").clusters["umap_hdbscan"]
    assert result.embedding.shape == (150, 4)
    assert np.array_equal(loaded.embedding, result.embedding)
    assert np.array_equal(loaded.landmarks, result.landmarks)
    assert (result.labels.ravel()[result.landmarks] > -2).all()


@pytest.mark.parametrize("lazy", [False, True])
def test_cropping_a_map_crops_the_results(clustered, lazy):
    full = clustered.clusters["pca_gmm"]
    if lazy:
        clustered = clustered.as_lazy()
    cropped = clustered.inav[10:40, 5:].clusters["pca_gmm"]
    assert np.array_equal(cropped.labels, full.labels[5:, 10:40])
    assert np.array_equal(cropped.memberships, full.memberships[:, 5:, 10:40])
    assert len(cropped.scores) == np.count_nonzero(cropped.labels > -2)
    stepped = clustered.inav[::3, ::-1].clusters["pca_gmm"]
    assert np.array_equal(stepped.labels, full.labels[::-1, ::3])
    profile = clustered.inav[7, :].clusters["pca_gmm"]
    assert np.array_equal(profile.labels, full.labels[:, 7])
    scale = clustered.axes_manager[0].scale
    by_length = clustered.inav[10 * scale : 40 * scale, :].clusters["pca_gmm"]
    assert np.array_equal(by_length.labels, full.labels[:, 10:40])
    assert not clustered.inav[3, 4].clusters
    assert not clustered.inav[3, 4].metadata.has_item("Clusters")
    # Recalibrated axes do not matter, nor does cropping twice.
    clustered.axes_manager[0].scale = 3.3
    twice = clustered.inav[10:40, 5:].inav[1:, 2:].clusters["pca_gmm"]
    assert np.array_equal(twice.labels, full.labels[7:, 11:40])


def test_regions_of_interest_and_cropping_in_place(clustered):
    full = clustered.clusters["pca_gmm"]
    scale = clustered.axes_manager[0].scale
    roi = hs.roi.RectangularROI(10 * scale, 5 * scale, 30 * scale, 25 * scale)
    assert np.array_equal(roi(clustered).clusters["pca_gmm"].labels, full.labels[5:25, 10:30])
    clustered.crop("x", 10, 30)
    clustered.crop(1, 5)
    assert np.array_equal(clustered.clusters["pca_gmm"].labels, full.labels[5:, 10:30])
    clustered.crop("Energy", 1.0, 5.0)
    assert np.array_equal(clustered.clusters["pca_gmm"].labels, full.labels[5:, 10:30])


def test_swapped_axes_swap_the_results(clustered):
    full = clustered.clusters["pca_gmm"]
    swapped = clustered.swap_axes(0, 1)
    assert np.array_equal(swapped.clusters["pca_gmm"].labels, full.labels.T)
    np.testing.assert_array_equal(
        swapped.clusters["pca_gmm"].memberships, full.memberships.swapaxes(1, 2)
    )


def test_swapped_axes_without_names_swap_the_results():
    s = hs.signals.Signal1D(np.random.default_rng(0).poisson(2, (12, 12, 60)))
    s.set_signal_type(TYPE)
    s.axes_manager.signal_axes[0].units, s.axes_manager.signal_axes[0].scale = "keV", 0.1
    s.cluster_pca_gmm(2, n_components=2)
    expected = s.clusters["pca_gmm"].labels.T
    first, second = s.axes_manager.navigation_axes
    for moved in (
        s.swap_axes(0, 1),
        s.swap_axes(first, second),
        s.transpose(navigation_axes=[1, 0]),
        s.transpose(signal_axes=[2], navigation_axes=(1, 0)),
        s.rollaxis(1, 0),
    ):
        assert np.array_equal(moved.data, s.data.swapaxes(0, 1))
        assert np.array_equal(moved.clusters["pca_gmm"].labels, expected)
    assert not s.T.metadata.has_item("Clusters")


def test_live_time_follows_the_spectra_of_clusters(clustered):
    spectra = clustered.get_cluster_spectra()
    key = "Acquisition_instrument.TEM.Detector.EDS.live_time"
    each = spectra.metadata.get_item(key)
    assert spectra.inav[1].metadata.get_item(key) == each[1]
    assert np.array_equal(spectra.inav[1:3].metadata.get_item(key), each[1:3])
    assert spectra.sum().metadata.get_item(key) == pytest.approx(each.sum())


def test_rebinned_maps_have_rebinned_results(clustered):
    full = clustered.clusters["pca_gmm"]
    small = clustered.rebin(scale=(2, 4, 1))
    result = small.clusters["pca_gmm"]
    assert result.labels.shape == (14, 32)
    kept = (full.labels > -2).reshape(14, 4, 32, 2).sum(axis=(1, 3))
    mean = full.memberships.reshape(4, 14, 4, 32, 2).sum(axis=(2, 4)) / np.maximum(kept, 1)
    np.testing.assert_allclose(result.memberships, mean, atol=1e-6)
    assert not clustered.rebin(scale=(1.5, 1, 1)).clusters


def test_a_result_without_components_is_rebinned_as_well():
    s = data.seven_cation_nanoparticles(size=24, channels=512)
    s.cluster_pca_gmm(n_components=0)
    result = s.rebin(scale=(2, 2, 1)).clusters["pca_gmm"]
    assert result.scores.shape == (np.count_nonzero(result.labels > -2), 0)
    assert result.n_clusters == 1


def test_sums_over_the_map_have_no_results(clustered):
    for s in (clustered.sum(), clustered.sum(0)):
        assert not s.clusters
        assert not s.metadata.has_item("Clusters")
    assert clustered.clusters


@pytest.mark.parametrize("method", ["sum", "mean", "max", "min", "std", "var"])
def test_a_stack_has_no_results_of_its_first_map(clustered, method):
    stack = hs.stack([clustered, clustered], show_progressbar=False)
    assert not stack.clusters
    reduced = getattr(stack, method)("stack_element")
    assert reduced.data.shape == clustered.data.shape
    assert not reduced.clusters
    assert not getattr(clustered, method)("x").metadata.has_item("Clusters")


def test_maps_are_hyperspy_signals_with_the_axes(clustered):
    result = clustered.clusters["pca_gmm"]
    labels = result.label_map()
    assert isinstance(labels, hs.signals.Signal2D)
    assert np.array_equal(labels.data, result.labels)
    stack = result.membership_maps()
    assert stack.axes_manager.navigation_shape == (4,)
    assert np.array_equal(stack.data, result.memberships)
    for image in (labels, stack):
        x, y = image.axes_manager.signal_axes
        assert (x.name, x.units, x.size) == ("x", "nm", 64)
        assert (y.name, y.units, y.size) == ("y", "nm", 56)
        assert x.scale == clustered.axes_manager["x"].scale
    line = clustered.inav[:, 3].clusters["pca_gmm"].label_map()
    assert line.axes_manager.signal_shape == (64,)


def test_a_file_opens_without_the_plugin(tmp_path, clustered):
    clustered.save(tmp_path / "map.hspy")
    code = f"""
import importlib.metadata, sys
found = importlib.metadata.entry_points
def without(**selection):
    if selection.get("group") != "hyperspy.extensions":
        return found(**selection)
    return [e for e in found(**selection) if e.name != "hyperspy_clusterquant"]
class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("hyperspy_clusterquant"):
            raise ModuleNotFoundError(name)
importlib.metadata.entry_points = without
sys.meta_path.insert(0, NotInstalled())
import hyperspy.api as hs
s = hs.load({str(tmp_path / "map.hspy")!r})
assert s.data.shape == (56, 64, 512), s
assert s.metadata.Clusters.result_0.labels.shape == (56, 64)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_signal_is_not_changed(sulfide):
    before = sulfide.data.copy()
    axes = sulfide.axes_manager.as_dictionary()
    metadata = sulfide.metadata.deepcopy().as_dictionary()
    sulfide.cluster_pca_gmm(n_clusters=3)
    sulfide.cluster_quantification(kfactors=sulfide.metadata.Ground_truth.kfactors)
    assert np.array_equal(sulfide.data, before)
    assert sulfide.axes_manager.as_dictionary() == axes
    after = sulfide.metadata.as_dictionary()
    del after["Clusters"]
    np.testing.assert_equal(after, metadata)


def test_a_lazy_signal_stays_lazy(sulfide):
    lazy = sulfide.as_lazy()
    lazy.data = lazy.data.rechunk((20, 30, 100))
    array = lazy.data
    lazy.cluster_pca_gmm(n_clusters=3)
    lazy.get_cluster_spectra()
    assert lazy.data is array
    assert isinstance(lazy.data, da.Array)
