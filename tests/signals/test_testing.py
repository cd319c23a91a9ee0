"""Tests of clusters and maps, as a user calls them."""

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant import data


@pytest.fixture(scope="module")
def table(_clustered):
    return _clustered.cluster_significance(n_splits=3)


def test_phases_are_distinct(table):
    assert table.cluster_names == ("cluster 0", "cluster 1", "cluster 2", "cluster 3")
    assert table.elements == ("Ag", "Cd", "Cu", "Fe", "Mn", "S", "Zn")
    assert table.p_values.shape == (4, 4)
    assert np.isnan(np.diag(table.p_values)).all()
    np.testing.assert_array_equal(table.p_values, table.p_values.T)
    pairs = np.triu_indices(4, 1)
    assert (table.adjusted_p_values[pairs] < 1e-6).all()
    assert (table.adjusted_p_values[pairs] >= table.p_values[pairs]).all()
    assert all(word.startswith("distinct") for word in table.verdicts[pairs])
    assert table.consolidated.n_clusters == 4
    assert table.mergers == ()
    assert (table.overlap > 0.7).all()


def test_differences_are_those_of_the_quantification(clustered, table):
    composition = clustered.cluster_quantification(
        weights="hard", kfactor_uncertainty=0.0, extra_elements=["C", "O"]
    )
    known = composition.atomic_percent[:, None] - composition.atomic_percent[None]
    error = (table.difference - known)[np.triu_indices(4, 1)]
    std = table.difference_std[np.triu_indices(4, 1)]
    # The halves' clusters are not quite the same pixels.
    assert np.abs(error).max() < 2.0
    assert np.mean(np.abs(error) < 3 * std) > 0.8
    np.testing.assert_allclose(table.effect_size, 0.5 * np.abs(table.difference).sum(axis=2))


def test_table_reads_as_text_and_dataframe(table):
    text = repr(table)
    assert "cluster 0 - cluster 3" in text
    assert "4 of 4 clusters remain" in text
    frame = table.to_dataframe()
    assert len(frame) == 6
    assert {"verdict", "p", "adjusted p", "z", "Cu (at%)", "Cu std"} <= set(frame.columns)


def test_the_signal_is_not_changed(sulfide):
    result = sulfide.cluster_pca_gmm(4)
    before, stored = sulfide.data.copy(), list(sulfide.clusters)
    sulfide.cluster_significance(n_splits=1)
    sulfide.cluster_stability(n_resamples=1)
    sulfide.map_significance()
    np.testing.assert_array_equal(sulfide.data, before)
    assert list(sulfide.clusters) == stored
    np.testing.assert_array_equal(sulfide.clusters["pca_gmm"].labels, result.labels)


def test_eager_lazy_and_repeated_are_the_same(clustered):
    first = clustered.cluster_significance(n_splits=2)
    lazy = clustered.as_lazy()
    lazy.data = da.from_array(clustered.data, chunks=(13, 64, 200))
    for other in (
        clustered.cluster_significance(n_splits=2),
        lazy.cluster_significance(n_splits=2),
    ):
        np.testing.assert_array_equal(first.p_values, other.p_values)
        np.testing.assert_allclose(first.difference, other.difference)
    other_seed = clustered.cluster_significance(n_splits=2, random_state=1)
    assert not np.array_equal(first.difference, other_seed.difference)
    eager_maps, lazy_maps = clustered.map_significance(), lazy.map_significance()
    np.testing.assert_allclose(eager_maps.p_values, lazy_maps.p_values)
    np.testing.assert_array_equal(eager_maps.images, lazy_maps.images)
    np.testing.assert_array_equal(
        clustered.cluster_stability(n_resamples=2).agreement,
        lazy.cluster_stability(n_resamples=2).agreement,
    )


def test_workflow_2_and_clusters_from_another_map(sulfide):
    hdb = sulfide.cluster_umap_hdbscan()
    table = sulfide.cluster_significance(hdb, n_splits=1)
    assert table.n_clusters == hdb.n_clusters > 2
    assert table.is_distinct(0, 1)
    other = data.six_cation_sulfide(size=40, channels=512, counts_per_pixel=400, seed=5)
    assigned = other.assign_clusters(hdb)
    assert other.cluster_significance(assigned, n_splits=1).is_distinct(0, 1)
    assert (other.cluster_stability(assigned, 2).per_cluster > 0.5).any()


def test_merged_dropped_and_renamed_clusters(clustered):
    result = clustered.clusters["pca_gmm"].merge([0, 3]).rename({1: "second"}).drop([2])
    table = clustered.cluster_significance(result, n_splits=2)
    assert table.cluster_names == result.cluster_names
    assert table.p_values.shape == (2, 2)
    assert table.is_distinct(0, 1)
    assert (table.overlap > 0.7).all()


def test_one_composition_split_in_two_is_merged():
    s = data.seven_cation_nanoparticles(64, 1024, 60, seed=3)
    with pytest.warns(UserWarning, match="Total counts alone explain"):
        result = s.cluster_pca_gmm(2, normalize=False, exclude_lines=["C"])
    assert result.n_clusters == 2
    table = s.cluster_significance(result.rename({0: "thin", 1: "thick"}))
    assert table.verdicts[0, 1] == "not distinguishable: merge"
    assert table.explained_by_counts[0] > 0.9
    assert table.consolidated.n_clusters == 1
    assert table.consolidated.sizes[0] == result.sizes.sum()
    (merger,) = table.mergers
    assert sorted(merger.clusters) == [(0,), (1,)]
    assert "p = " in merger.reason
    assert "merged: thick with thin" in repr(table) or "merged: thin with thick" in repr(table)
    s.keep_clusters(table.consolidated, name="consolidated")


def test_one_cluster_is_nothing_to_compare():
    s = data.seven_cation_nanoparticles(48, 512, 60)
    s.cluster_pca_gmm(exclude_lines=["C"])
    table = s.cluster_significance()
    assert table.p_values.shape == (1, 1)
    assert "nothing to compare" in repr(table)
    assert table.consolidated.n_clusters == 1


def test_line_scan_and_stack(sulfide):
    line = hs.stack([sulfide.inav[:, k] for k in range(20, 24)])
    line.set_signal_type("EDS_TEM_clustered")
    result = line.cluster_pca_gmm(3, binning=1)
    assert line.cluster_significance(result, n_splits=1).p_values.shape == (3, 3)
    single = sulfide.inav[:, 20]
    result = single.cluster_pca_gmm(2, binning=1)
    assert single.cluster_stability(result, 1).agreement.shape == (64,)
    assert single.map_significance(binning=1).images.shape == (7, 64)


@pytest.mark.parametrize(
    ("method", "given", "error", "message"),
    [
        ("cluster_significance", {"n_splits": 0}, ValueError, "at least 1"),
        ("cluster_significance", {"level": 5}, ValueError, "between 0 and 1"),
        ("cluster_significance", {"result": "none"}, ValueError, "no result 'none'"),
        ("cluster_significance", {"random_state": -1}, ValueError, "at least 0"),
        ("cluster_significance", {"xray_lines": ["Fe_Ka"]}, ValueError, "at least two elements"),
        ("cluster_stability", {"n_resamples": 1.5}, TypeError, "whole number"),
        ("map_significance", {"level": True}, ValueError, "between 0 and 1"),
        ("map_significance", {"binning": 0}, ValueError, "at least 1"),
        ("map_significance", {"navigation_mask": np.zeros(3)}, ValueError, "array shape"),
        ("map_significance", {"xray_lines": ["Fe_Kb", "S_Ka"]}, ValueError, "alpha lines"),
    ],
)
def test_bad_input(clustered, method, given, error, message):
    with pytest.raises(error, match=message):
        getattr(clustered, method)(**given)


def test_what_is_missing_is_named(sulfide):
    with pytest.raises(ValueError, match="no clustering result"):
        sulfide.cluster_significance()
    sulfide.cluster_pca_gmm(2)
    del sulfide.metadata.Acquisition_instrument.TEM.beam_energy
    with pytest.raises(ValueError, match="beam energy"):
        sulfide.cluster_significance()
    with pytest.raises(ValueError, match="beam energy"):
        sulfide.map_significance()
    everything_noise = sulfide.clusters["pca_gmm"].drop([0, 1])
    with pytest.raises(ValueError, match="no cluster"):
        sulfide.cluster_stability(everything_noise)


def test_maps_of_phases_vary_and_are_correlated():
    s = data.six_cation_sulfide(96, 1024, 60, seed=2)
    table = s.map_significance()
    assert table.significant.all()
    position = {line.split("_")[0]: k for k, line in enumerate(table.xray_lines)}
    for one, other in (("Fe", "Cu"), ("Ag", "Cd"), ("Mn", "Zn")):
        pair = position[one], position[other]
        assert table.correlation[pair] > 0.8
        assert table.correlated[pair]
        assert 0 < table.correlation_std[pair] < 0.1
    net = table.maps()["Fe_Ka"]
    assert net.axes_manager.signal_shape == (96, 96)
    assert net.axes_manager[0].units == "nm"
    counts = np.nanmean(table.images, axis=(1, 2))
    np.testing.assert_allclose(counts, table.counts_per_pixel, rtol=1e-3)
    assert "Fe_Ka" in repr(table)
    assert table.to_dataframe().loc["Fe_Ka", "significant"]


def test_maps_of_particles_show_thickness_only():
    s = data.seven_cation_nanoparticles(96, 1024, 60, seed=2)
    table = s.map_significance()
    assert (table.p_values_no_variation < 1e-6).all()
    assert not table.significant.any()
    assert not table.correlated.any()
    assert np.isnan(table.correlation).all()


def test_two_lines_are_said_not_to_be_corrected_for_thickness(sulfide):
    table = sulfide.map_significance(["Fe_Ka", "S_Ka"])
    assert not table.thickness_removed
    assert "not corrected for thickness" in repr(table)
    assert np.isfinite(table.correlation[0, 1])
