"""Regions drawn by hand, as a user calls it, in everything that takes a result."""

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant import compare_clusterings, data


@pytest.fixture(scope="module")
def truth_map():
    s = data.six_cation_sulfide(size=(40, 48), channels=512, counts_per_pixel=300)
    truth = s.metadata.Ground_truth
    s.clusters_from_labels(truth.labels, names=list(truth.phase_names), name="truth")
    return s


@pytest.fixture
def drawn(truth_map):
    return truth_map.deepcopy()


def test_the_result_is_what_was_given(drawn):
    result, truth = drawn.clusters["truth"], drawn.metadata.Ground_truth
    assert (result.workflow, result.name) == ("by hand", "truth")
    assert sorted(result.cluster_names) == sorted(truth.phase_names)
    for name, size in zip(result.cluster_names, result.sizes, strict=True):
        number = list(truth.phase_names).index(name)
        np.testing.assert_array_equal(
            result.labels == result.cluster_names.index(name), truth.labels == number
        )
        assert size == np.count_nonzero(truth.labels == number)
    assert (np.diff(result.sizes) <= 0).all()
    np.testing.assert_array_equal(result.labels == -2, truth.labels == -2)
    np.testing.assert_array_equal(result.memberships.sum(axis=0), truth.labels >= 0)
    np.testing.assert_array_equal(
        result.spectra[0], drawn.data[result.labels == 0].sum(axis=0, dtype=float)
    )
    assert "4 clusters from regions" in repr(result)
    assert result.recipe.repeat(1).labels is not None


def test_spectra_with_all_weights(drawn):
    hard = drawn.get_cluster_spectra(weights="hard")
    np.testing.assert_array_equal(hard.data, drawn.clusters["truth"].spectra)
    np.testing.assert_allclose(drawn.get_cluster_spectra(weights="membership").data, hard.data)
    assert drawn.get_cluster_spectra(weights="phase").data.shape == hard.data.shape


def test_compositions_are_those_of_the_phases(drawn):
    truth = drawn.metadata.Ground_truth
    table = drawn.cluster_quantification(kfactors=truth.kfactors, extra_elements=["C", "Au"])
    known = dict(zip(truth.phase_names, truth.compositions, strict=True))
    known = np.array([known[name] for name in table.cluster_names])
    pull = (table.atomic_percent - known) / table.std
    assert np.abs(pull).max() < 4.5
    assert np.mean(np.abs(pull) < 2) > 0.85
    # They do not follow from the counts, so nothing is owed to a selection by these.
    assert not any("selection" in remark for remark in table.remarks)


def test_significance_draws_nothing_again_and_says_so(drawn):
    table = drawn.cluster_significance(n_splits=2)
    assert (table.overlap == 1).all()
    assert table.is_distinct("wurtzite", "remnant")
    assert "drawn without looking at the counts of this map" in repr(table)
    assert "drawn without" not in repr(_found(drawn).cluster_significance(n_splits=1))


def _found(s):
    s.cluster_pca_gmm(n_clusters=2)
    return s


def test_regions_of_one_composition_are_not_told_apart():
    """Of drawn regions in the same phase, 5 % are called distinct, and not more."""
    s = data.seven_cation_nanoparticles(size=(30, 40), channels=512, counts_per_pixel=40, seed=4)
    halves = np.zeros((30, 40), dtype=int)
    halves[:, 20:] = 1
    s.clusters_from_labels(halves)
    assert not s.cluster_significance(n_splits=2).is_distinct(0, 1)


def test_homogeneity_sees_two_phases_in_one_region(drawn):
    result = drawn.clusters["truth"].merge(["wurtzite", "jalpaite"])
    found = drawn.cluster_homogeneity(drawn.keep_clusters(result, "merged"))
    assert found.inhomogeneous[0]
    assert not found.inhomogeneous[1:].any()


def test_stability_says_what_cannot_be_repeated():
    drawn = data.six_cation_sulfide(size=28, channels=512, counts_per_pixel=300)
    drawn.clusters_from_labels(drawn.metadata.Ground_truth.labels, name="truth")
    found = drawn.cluster_stability()
    assert found.repeats == ("pca_gmm", "umap_hdbscan")
    assert "counts, seed, binning cannot be varied" in repr(found)
    assert "The workflows (pca_gmm, umap_hdbscan)" in repr(found)
    assert "given by hand" in repr(drawn.clusters["truth"])
    with pytest.raises(ValueError, match="cannot be varied"):
        drawn.cluster_stability(vary=("counts", "seed"))


def test_everything_else_that_takes_a_result(drawn, tmp_path):
    result = drawn.clusters["truth"]
    fractions = drawn.phase_fractions(result)
    np.testing.assert_allclose(
        fractions.area_fraction, result.sizes / result.sizes.sum(), atol=0.02
    )
    assert drawn.plot_clusters(result).get_legend() is not None
    assert len(drawn.plot_cluster_spectra(result).lines) >= 4
    with pytest.raises(ValueError, match="no scree plot"):
        drawn.plot_cluster_scree(result)
    found = drawn.cluster_pca_gmm(n_clusters=4)
    assert compare_clusterings(result, found).ari > 0.9
    other = data.six_cation_sulfide(size=32, channels=512, counts_per_pixel=300, seed=3)
    assert other.assign_clusters(result).cluster_names == result.cluster_names
    changed = result.rename({0: "matrix"}).merge([1, 2]).drop([2])
    assert changed.n_clusters == 2
    assert drawn.cluster_significance(changed, n_splits=1).is_distinct(0, 1)


def test_kept_cropped_binned_saved_and_loaded(drawn, tmp_path):
    result = drawn.clusters["truth"]
    cropped = drawn.inav[5:30, 8:]
    np.testing.assert_array_equal(cropped.clusters["truth"].labels, result.labels[8:, 5:30])
    assert cropped.cluster_significance(n_splits=1).is_distinct("wurtzite", "jalpaite")
    binned = drawn.rebin(scale=(2, 2, 1))
    assert binned.clusters["truth"].labels.shape == (20, 24)
    assert binned.cluster_significance(n_splits=1).is_distinct("wurtzite", "jalpaite")
    drawn.save(tmp_path / "map.hspy")
    loaded = hs.load(tmp_path / "map.hspy", lazy=True)
    assert loaded.clusters["truth"] == result
    assert loaded.clusters["truth"].recipe.workflow == "by hand"
    assert loaded.clusters["truth"].recipe.labels.shape == (40, 48)


def test_lazy_maps_and_other_shapes(truth_map):
    lazy = truth_map.as_lazy()
    lazy.data = da.from_array(truth_map.data, chunks=(13, 48, 200))
    given = truth_map.metadata.Ground_truth.labels
    result = lazy.clusters_from_labels(
        given, names=list(truth_map.metadata.Ground_truth.phase_names)
    )
    expected = truth_map.clusters["truth"]
    np.testing.assert_array_equal(result.labels, expected.labels)
    np.testing.assert_allclose(result.scores, expected.scores, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(result.spectra, expected.spectra)
    assert lazy._lazy
    line = truth_map.inav[:, 7]
    spans = {"left": hs.roi.SpanROI(0, 500), "right": hs.roi.SpanROI(700, 1200)}
    assert set(line.clusters_from_labels(spans).cluster_names) == {"left", "right"}
    # Pixels of other shapes, and a single region.
    narrow = truth_map.inav[:40, :4]
    one = narrow.clusters_from_labels(np.ones((4, 40), dtype=bool))
    assert one.n_clusters == 1
    assert narrow.cluster_significance(one).consolidated.n_clusters == 1
    stack = hs.stack([truth_map.inav[:12, :10], truth_map.inav[12:24, :10]])
    stack.set_signal_type("EDS_TEM_clustered")
    both = stack.clusters_from_labels(hs.roi.RectangularROI(0, 0, 100, 100))
    assert both.labels.shape == (2, 10, 12)


def test_without_elements(rng):
    s = data.six_cation_sulfide(size=24, channels=512)
    s.set_elements([])
    many = s.clusters_from_labels(rng.integers(0, 13, (24, 24)))
    assert many.n_clusters == 13
    assert s.get_cluster_spectra().data.shape == (13, 512)


def test_a_single_spectrum_has_no_regions(truth_map):
    with pytest.raises(ValueError, match="needs a map"):
        truth_map.inav[0, 0].clusters_from_labels(np.zeros((1, 1), dtype=int))


def test_many_regions_have_few_scores():
    s = data.six_cation_sulfide(size=(20, 30), channels=256)
    result = s.clusters_from_labels(np.arange(600).reshape(20, 30) // 12)  # 50 regions
    assert result.n_clusters == 50
    assert result.scores.shape == (600, 20)
