"""Results follow the map through whatever HyperSpy does with it."""

import dataclasses
import inspect

import hyperspy.api as hs
import numpy as np
import pytest
from companions import TYPE, same
from exspy.signals import EDSTEMSpectrum

from hyperspy_clusterquant import data


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


REDUCTIONS = ["sum", "mean", "max", "min", "std", "var", "nansum", "nanmean", "nanmax", "nanvar"]


@pytest.mark.parametrize("method", REDUCTIONS)
@pytest.mark.parametrize("lazy", [False, True])
def test_what_is_reduced_into_another_signal_clears_its_results(clustered, method, lazy):
    if lazy:
        clustered = clustered.as_lazy()
    line = clustered.inav[0, :]
    line.data = line.data.astype(float)
    line.keep_clusters(line.clusters["pca_gmm"])
    assert getattr(clustered, method)("x", out=line) is None
    expected = getattr(np, method)(np.asarray(clustered.data), axis=1)
    np.testing.assert_allclose(np.asarray(line.data), expected)
    assert not line.clusters
    assert not line.metadata.has_item("Clusters")
    assert line.learning_results.cluster_labels is None
    assert list(clustered.clusters) == ["pca_gmm"]


@pytest.mark.parametrize("method", REDUCTIONS)
def test_options_of_hyperspy_are_passed_on(clustered, method):
    lazy = clustered.as_lazy()
    lazy.data = lazy.data.rechunk((10, 10, 100))
    reduced = getattr(lazy, method)("x", rechunk=True)
    assert reduced.data.shape == (56, 512)
    described = getattr(type(clustered), method)
    assert described.__doc__ == getattr(EDSTEMSpectrum, method).__doc__
    assert list(inspect.signature(described).parameters)[:3] == ["self", "axis", "out"]


@pytest.mark.parametrize("lazy", [False, True])
def test_parts_of_a_map_claim_no_spectra_of_the_whole(clustered, lazy):
    full = clustered.clusters["pca_gmm"]
    s = clustered.as_lazy() if lazy else clustered
    in_place = s.deepcopy()
    in_place.crop("y", 5, 50)
    for part in (s.inav[:20], s.inav[::2, 3], s.rebin(scale=(2, 2, 1)), in_place):
        result = part.clusters["pca_gmm"]
        assert result.spectra is None
        np.testing.assert_array_equal(result.reference[0], full.spectra)
    for whole in (s.inav[::-1], s.swap_axes(0, 1), s.isig[1.0:4.0], s.rebin(scale=(1, 1, 2))):
        np.testing.assert_array_equal(whole.clusters["pca_gmm"].spectra, full.spectra)


def test_results_of_a_part_are_tested_and_quantified(clustered):
    part = clustered.inav[4:50, 3:]
    part.data = part.data.copy()
    result = part.clusters["pca_gmm"]
    options = {"kfactors": part.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    hard = part.get_cluster_spectra(weights="hard").data
    for spectrum, k in zip(hard, range(result.n_clusters), strict=True):
        np.testing.assert_allclose(spectrum, part.data[result.labels == k].sum(axis=0))
    assert part.cluster_quantification(**options).atomic_percent.shape == (4, 7)
    assert part.cluster_significance(n_splits=2).p_values.shape == (4, 4)
    assert (
        part.cluster_stability(n_resamples=2, vary="counts").agreement.shape == result.labels.shape
    )


def test_maps_are_assigned_by_a_part_as_by_the_whole(clustered):
    second = data.six_cation_sulfide(size=40, channels=512, seed=1)
    whole = second.assign_clusters(clustered.clusters["pca_gmm"], name="whole")
    part = second.assign_clusters(clustered.inav[:20].clusters["pca_gmm"], name="part")
    assert whole == dataclasses.replace(part, name="whole")


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("kind", ["data", "functional"])
def test_results_follow_maps_with_uneven_positions(clustered, kind, lazy, tmp_path):
    full = clustered.clusters["pca_gmm"]
    spectra = clustered.get_cluster_spectra().data
    s = clustered.as_lazy() if lazy else clustered
    if kind == "data":
        s.axes_manager["x"].convert_to_non_uniform_axis()
    else:
        s.axes_manager["x"].convert_to_functional_data_axis(expression="x**2")
    for part, labels in (
        (s.inav[10:40, 5:], full.labels[5:, 10:40]),
        (s.inav[:, 3], full.labels[3]),
        (s.swap_axes(0, 1), full.labels.T),
        (s.isig[1.0:5.0], full.labels),
        (s.rebin(scale=(1, 1, 2)), full.labels),
        (s.deepcopy(), full.labels),
    ):
        result = part.clusters["pca_gmm"]
        np.testing.assert_array_equal(result.labels, labels)
        part.plot_clusters()
        if labels.ndim == 2:
            assert result.label_map().data.shape == labels.shape
    np.testing.assert_allclose(s.get_cluster_spectra().data, spectra)
    s.save(tmp_path / "map.hspy")
    same(hs.load(tmp_path / "map.hspy", lazy=lazy).clusters, s.clusters)
    assert s.cluster_pca_gmm(4).labels.shape == (56, 64)


@pytest.mark.parametrize("how", [{"scale": (2, 4, 1)}, {"new_shape": (32, 14, 512)}])
@pytest.mark.parametrize("scale", [0.0, np.inf, np.nan, -2.0])
def test_binning_does_not_ask_for_the_size_of_pixels(clustered, scale, how):
    expected = clustered.rebin(**how).clusters["pca_gmm"]
    for axis in clustered.axes_manager.navigation_axes:
        axis.scale = scale
    binned = clustered.rebin(**how)
    np.testing.assert_array_equal(binned.clusters["pca_gmm"].labels, expected.labels)
    live_time = "Acquisition_instrument.TEM.Detector.EDS.live_time"
    before = clustered.metadata.get_item(live_time)
    assert binned.metadata.get_item(live_time) == pytest.approx(8 * before)
