"""Tests of clusters and maps, as a user calls them."""

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest
import samples
import xraylib

from hyperspy_clusterquant import data
from hyperspy_clusterquant.evidence.p_values import combine_p_values
from hyperspy_clusterquant.evidence.verdicts import Verdict


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


def test_workflow_2_and_clusters_from_another_map(sulfide):
    hdb = sulfide.cluster_umap_hdbscan()
    table = sulfide.cluster_significance(hdb, n_splits=1)
    assert table.n_clusters == hdb.n_clusters > 2
    assert table.is_distinct(0, 1)
    other = data.six_cation_sulfide(size=40, channels=512, counts_per_pixel=400, seed=5)
    assigned = other.assign_clusters(hdb)
    assert other.cluster_significance(assigned, n_splits=1).is_distinct(0, 1)


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
    named = result.rename({0: "thin", 1: "thick"})
    assert not s.cluster_significance(named).is_distinct(0, 1)
    table = s.cluster_significance(named, absorption="keep")
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
    assert single.map_significance(binning=1).images.shape == (7, 64)


@pytest.mark.parametrize(
    ("method", "given", "error", "message"),
    [
        ("cluster_significance", {"n_splits": 0}, ValueError, "at least 1"),
        ("cluster_significance", {"level": 5}, ValueError, "between 0 and 1"),
        ("cluster_significance", {"result": "none"}, ValueError, "no result 'none'"),
        ("cluster_significance", {"random_state": -1}, ValueError, "at least 0"),
        ("cluster_significance", {"xray_lines": ["Fe_Ka"]}, ValueError, "at least two elements"),
        ("cluster_significance", {"absorption": "no"}, ValueError, "'ignore'"),
        ("map_significance", {"absorption": None}, ValueError, "'ignore'"),
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


@pytest.fixture(scope="module")
def wedge():
    """One composition, Ni50 Al50, of which a half is ten times as thick, with absorption.

    Each line is absorbed with the coefficient at its energy (xraylib), written down here.
    """
    thickness = np.where(np.arange(64) < 32, 25.0, 250.0) * np.ones((48, 1))
    phases = {"thin": {"Al": 50.0, "Ni": 50.0}}
    s = samples.phantom(phases, [np.ones((48, 64))], np.zeros((48, 64), int), 300.0, 1, thickness)
    energy = s.axes_manager[2].axis
    by_weight = {13: 0.315, 28: 0.685}
    mu = np.zeros(len(energy))
    for low, high, line in ((0.7, 1.0, 0.851), (1.3, 1.7, 1.487), (7.0, 9.0, 7.48)):
        mu[(energy > low) & (energy < high)] = sum(
            w * xraylib.CS_Total(z, line) for z, w in by_weight.items()
        )
    depth = np.multiply.outer(thickness, mu) * 5.9e-7 / np.sin(np.deg2rad(22))
    kept = np.where(depth > 0, -np.expm1(-depth) / np.maximum(depth, 1e-12), 1.0)
    s.data = np.random.default_rng(0).binomial(s.data, kept).astype(s.data.dtype)
    s.metadata.Acquisition_instrument.TEM.Detector.EDS.elevation_angle = 22.0
    s.metadata.Acquisition_instrument.TEM.Detector.EDS.azimuth_angle = 90.0
    s.metadata.set_item("Sample.density", 5.9)
    return s


def test_absorption_is_no_chemistry(wedge):
    result = wedge.cluster_pca_gmm(2, exclude_lines=["C"], absorption="keep")
    assert result.n_clusters == 2
    table = wedge.cluster_significance(result, n_splits=2)
    assert table.kinds[0, 1] is Verdict.ABSORBED
    assert table.verdicts[0, 1] == "cannot be told from absorption or drift"
    assert table.p_values_with_absorption[0, 1] < 1e-6
    assert not table.is_distinct(0, 1)
    assert table.consolidated.n_clusters == 1
    assert table.mergers[0].kind == "absorbed"
    kept = wedge.cluster_significance(result, n_splits=2, absorption="keep")
    assert kept.verdicts[0, 1].startswith("distinct")
    assert kept.effect_size[0, 1] > 3


def test_maps_with_absorption_do_not_vary(wedge):
    maps = wedge.map_significance()
    assert not maps.significant.any()
    assert maps.absorbed.all()
    assert wedge.map_significance(absorption="keep").significant.all()


def test_composition_differs_beside_absorption(wedge):
    """The thick half with 5 at% less aluminium."""
    s = wedge.deepcopy()
    energy = s.axes_manager[2].axis
    aluminium = (energy > 1.3) & (energy < 1.7)
    less = s.data[:, 32:, aluminium]
    s.data[:, 32:, aluminium] = np.random.default_rng(2).binomial(less, 45 / 55)
    result = s.cluster_pca_gmm(2, exclude_lines=["C"], absorption="keep")
    assert s.cluster_significance(result, n_splits=2).is_distinct(0, 1)


def test_maps_are_looked_at_in_all_sizes(sulfide):
    maps = sulfide.map_significance()
    assert maps.scales == (1, 2, 4, 8, 16)
    assert maps.p_values_of_scales.shape == (5, 7)
    assert set(maps.binning) <= set(maps.scales)
    np.testing.assert_allclose(maps.p_values, combine_p_values(maps.p_values_of_scales))
    single = sulfide.map_significance(binning=4)
    assert single.scales == (4,)
    assert single.binning == (4,) * 7
    np.testing.assert_array_equal(single.p_values, single.p_values_of_scales[0])
    np.testing.assert_allclose(single.p_values, maps.p_values_of_scales[2], rtol=1e-6)


def test_even_loss_of_one_element_is_seen():
    """A tenth of the sulfur, lost from left to right: in no bin of the size for learning."""
    share = np.linspace(0, 1, 128) * np.ones((128, 1))
    fresh = {"Cu": 30.0, "Fe": 20.0, "S": 50.0}
    phases = {"fresh": fresh, "lost": fresh | {"S": 45.0}}
    s = samples.phantom(phases, [1 - share, share], np.zeros((128, 128), int), 30.0, 0)
    assert s.map_significance(binning=4).p_values[2] > 0.001
    maps = s.map_significance()
    assert maps.p_values[2] < 1e-4
    assert maps.binning[2] >= 16


@pytest.mark.parametrize("sign", [-1, 1])
def test_correlations_have_the_sign_of_ratios_of_compositions(sign):
    """Three phases mixed at random; known correlation of two elements' ratios to the other two."""
    rng = np.random.default_rng(5)
    mixed = np.array([data._smooth_noise(rng, (96, 96), 4) for _ in range(3)])
    mixed = np.exp(mixed) / np.exp(mixed).sum(axis=0)
    more = 12.0 * sign
    base = {"Cu": 20.0, "Fe": 20.0, "S": 40.0, "Zn": 20.0}
    phases = {
        "one": base,
        "two": base | {"Cu": 32.0, "Fe": 20.0 + more, "Zn": 8.0 - (more if sign > 0 else 0) / 2},
        "three": base | {"S": 44.0, "Zn": 16.0},
    }
    phases = {k: {e: 100 * v / sum(of.values()) for e, v in of.items()} for k, of in phases.items()}
    s = samples.phantom(phases, mixed, np.zeros((96, 96), int), 150.0, 5)
    truth = np.einsum("pe,pyx->eyx", [list(of.values()) for of in phases.values()], mixed)
    rest = truth[2] + truth[3]
    known = np.corrcoef((truth[0] / rest).ravel(), (truth[1] / rest).ravel())[0, 1]
    maps = s.map_significance(absorption="keep")
    assert maps.xray_lines[:2] == ("Cu_Ka", "Fe_Ka")
    assert np.sign(known) == sign
    assert abs(known) > 0.8
    assert np.sign(maps.correlation[0, 1]) == sign
    low, high = maps.correlation_interval[:, 0, 1]
    assert low - 0.1 <= known <= high + 0.1
    assert maps.reference("Cu_Ka", "Fe_Ka") == "ratios to S_Ka + Zn_Ka"
