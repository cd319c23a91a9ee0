"""Whether clusters vary inside, as a user asks it."""

import dask.array as da
import numpy as np
import pytest
import samples
from hyperspy.api import load

from hyperspy_clusterquant import data

BASE = {"Al": 4.0, "Ca": 0.0, "Fe": 16.0, "Mg": 20.0, "Si": 20.0, "S": 30.0, "Ti": 10.0}


def with_grain(counts=100.0, seed=0):
    """One composition, but for a grain of 6 x 6 pixels that holds Ca."""
    labels = np.zeros((48, 48), dtype=int)
    labels[20:26, 30:36] = 1
    phases = {"host": BASE, "grain": {**BASE, "Ca": 15.0, "Mg": 5.0}}
    return samples.phantom(phases, samples.blurred(labels, 2, 0.7), labels, counts, seed), labels


@pytest.fixture(scope="module")
def grain():
    s, labels = with_grain()
    result = s.cluster_pca_gmm(1, exclude_lines=["C"])
    return s, labels, result, s.cluster_homogeneity(result)


def test_missed_grain_is_found(grain):
    s, labels, _, found = grain
    assert found.inhomogeneous.tolist() == [True]
    departure = found.departures[0]
    assert departure.xray_line == "Ca_Ka"
    assert departure.p_value < 1e-6
    assert departure.size > 300
    rows, columns = np.nonzero(labels)
    scale = s.axes_manager[0].scale
    np.testing.assert_allclose(
        departure.place, [scale * rows.mean(), scale * columns.mean()], atol=1.5 * scale
    )
    assert np.mean(labels[found.regions == 0] == 1) > 0.7
    assert 15 < departure.n_pixels < 50
    assert "Ca varies" in found.summary[0]
    calcium = found.residual_map(0, "Ca")
    assert np.nanmean(calcium.data[labels == 1]) > 10 * np.nanmean(calcium.data[labels == 0])


def test_spectra_of_the_departure(grain):
    s, _, result, found = grain
    spectra = found.departure_spectra()
    assert type(spectra) is type(s)
    there, expected = spectra.data[0]
    np.testing.assert_allclose(there, s.data[found.regions == 0].sum(axis=0))
    assert there.sum() == pytest.approx(expected.sum())
    np.testing.assert_allclose(expected / expected.sum(), result.spectra[0] / s.data.sum())
    energy = spectra.axes_manager.signal_axes[0].axis
    assert abs(energy[np.argmax(there - expected)] - 3.69) < 0.05  # Ca Ka
    spectra.data[:] = 0
    assert found.departure_spectra().data.any()


def test_result_says_what_was_found(grain, tmp_path):
    s, _, result, found = grain
    sentence = found.summary[0]
    assert sentence in repr(result)
    assert sentence in repr(s.clusters["pca_gmm"])
    assert sentence in repr(s.cluster_significance(result))
    s.save(tmp_path / "map.hspy")
    assert sentence in repr(load(tmp_path / "map.hspy").clusters["pca_gmm"])
    renamed = s.clusters["pca_gmm"].rename({0: "host"})
    assert sentence.replace("cluster 0", "host") in repr(renamed)
    assert "varies" not in repr(s.inav[:20].clusters["pca_gmm"])
    assert "varies" not in repr(s.rebin(scale=(2, 2, 1)).clusters["pca_gmm"])
    other = s.deepcopy()
    other.axes_manager[0].scale = 7.0
    assert "varies" not in repr(other.clusters["pca_gmm"]), "places were those of other axes"


def test_newest_stays_the_newest(grain):
    s = grain[0].deepcopy()
    first = s.clusters["pca_gmm"]
    s.keep_clusters(first, name="later")
    s.cluster_homogeneity("pca_gmm")
    assert list(s.clusters) == ["pca_gmm", "later"]


def test_eager_and_lazy_are_the_same(grain):
    s, _, result, found = grain
    lazy = s.as_lazy()
    lazy.data = da.from_array(s.data, chunks=(13, 48, 200))
    other = lazy.cluster_homogeneity(result)
    np.testing.assert_allclose(other.p_values, found.p_values, rtol=1e-6)
    np.testing.assert_allclose(other.variation, found.variation, rtol=1e-6)
    np.testing.assert_allclose(other.images, found.images, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(other.regions, found.regions)


def test_counts_are_not_changed(grain):
    s = grain[0]
    before = s.data.copy()
    s.cluster_homogeneity()
    np.testing.assert_array_equal(s.data, before)


def test_phases_with_blurred_borders_are_homogeneous():
    """Four phases at 180 counts: none of them is said to vary."""
    s = data.six_cation_sulfide(size=64, counts_per_pixel=180, seed=3)
    result = s.cluster_pca_gmm(4, exclude_lines=["C"])
    found = s.cluster_homogeneity(result)
    assert not found.inhomogeneous.any()
    assert (found.n_pixels < result.sizes).all()
    two = s.cluster_homogeneity(s.cluster_pca_gmm(2, exclude_lines=["C"], name="two"))
    assert two.inhomogeneous.any()


@pytest.fixture(scope="module")
def wedge():
    """One composition; its wedge of 20 to 300 nm absorbs the soft line."""
    size, thickness = 48, np.linspace(20, 300, 48)[None, :, None] * np.ones((48, 1, 1))
    s = samples.two_phases(0, 40, size=size)
    energy = s.axes_manager[2].axis
    mu = np.where(energy < 3, 1100.0, 100.0)  # cm2/g, about that of S and of Cu Ka
    depth = 4.5 * 1e-7 * thickness * mu / np.sin(np.radians(22))
    spectrum = s.data.sum(axis=(0, 1)) / s.data.sum()
    expected = 0.7 * thickness * spectrum * -np.expm1(-depth) / depth
    s.data = np.random.default_rng(0).poisson(expected).astype(np.uint8)
    return s


def test_absorption_is_not_chemistry(wedge):
    result = wedge.cluster_pca_gmm(1, exclude_lines=["C"])
    found = wedge.cluster_homogeneity(result)
    assert not found.inhomogeneous.any()
    assert not found.varies.any()
    assert (found.dose_p_values < 1e-3).any()
    assert "absorption" in found.summary[0]
    kept = wedge.cluster_homogeneity(result, absorption="keep")
    assert kept.inhomogeneous.all()
    two = wedge.cluster_homogeneity(result, xray_lines=["Cu_Ka", "S_Ka"])
    assert np.isnan(two.cluster_p_values).all()
    assert "cannot be told from absorption" in two.summary[0]


def test_line_scan(grain):
    line = grain[0].inav[:, 22]
    result = line.cluster_pca_gmm(1, binning=1)
    found = line.cluster_homogeneity(result)
    assert found.images.shape == (7, 48)
    assert found.p_values.shape == (1, 7)
    found.plot()
    assert found.residual_map(0, "Ca").data.shape == (48,)


def test_pictures_and_tables(grain):
    found = grain[3]
    (ax,) = found.plot()
    assert ax.get_title(loc="left") == "cluster 0: varies inside, p < 1e-4"
    assert found.to_dataframe().loc[1, "varies"]
    assert found == found
    assert "<table" in found._repr_html_()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"level": 5}, ValueError, "between 0 and 1"),
        ({"absorption": "maybe"}, ValueError, "'ignore', 'keep'"),
        ({"result": "none"}, ValueError, "no result 'none'"),
        ({"xray_lines": ["Fe_Ka"]}, ValueError, "at least two elements"),
    ],
)
def test_bad_input(grain, given, error, message):
    with pytest.raises(error, match=message):
        grain[0].cluster_homogeneity(**given)


def test_range_of_a_gradient():
    """No border, 0 to 14 at% of Sb across the map: one cluster, and what its pixels hold."""
    across = np.linspace(0, 1, 64)[None] * np.ones((64, 1))
    phases = {"a": {"As": 50.0, "Ga": 50.0, "Sb": 0.0}, "b": {"As": 36.0, "Ga": 50.0, "Sb": 14.0}}
    fractions = np.array([1 - across, across])
    s = samples.phantom(phases, fractions, np.zeros((64, 64), int), 100.0, 0)
    result = s.cluster_pca_gmm(1, exclude_lines=["C"])
    found = s.cluster_homogeneity(result)
    kfactors = s.metadata.Ground_truth.kfactors
    table = s.cluster_quantification(result, kfactors=kfactors, homogeneity=found)
    lower, upper = (ends[0] for ends in table.inside_range)
    antimony, gallium = table.elements.index("Sb"), table.elements.index("Ga")
    true = np.quantile(14 * across, [0.05, 0.95])
    np.testing.assert_allclose([lower[antimony], upper[antimony]], true, atol=1.5)
    assert np.isnan(lower[gallium])
    assert "cluster 0 is no single composition: nine in ten of its pixels hold Sb" in str(table)
    other = s.cluster_pca_gmm(2, exclude_lines=["C"], name="other")
    with pytest.raises(ValueError, match="`homogeneity` is of other clusters"):
        s.cluster_quantification(other, kfactors=kfactors, homogeneity=found)
    with pytest.raises(TypeError, match=r"what s.cluster_homogeneity\(\) returned, got bool"):
        s.cluster_quantification(result, kfactors=kfactors, homogeneity=True)
