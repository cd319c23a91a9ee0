"""Sums of spectra keep what is known of them."""

import hyperspy.api as hs
import numpy as np
import pytest

LIVE_TIME = "Acquisition_instrument.TEM.Detector.EDS.live_time"


@pytest.mark.parametrize("weights", ["membership", "hard"])
def test_live_time_of_each_pixel(clustered, weights):
    each = np.random.default_rng(0).uniform(0.5, 1.5, (56, 64))
    clustered.metadata.set_item(LIVE_TIME, each)
    result = clustered.clusters["pca_gmm"]
    found = clustered.get_cluster_spectra(weights=weights).metadata.get_item(LIVE_TIME)
    of_pixels = result.memberships
    if weights == "hard":
        of_pixels = result.labels == np.arange(4)[:, None, None]
    np.testing.assert_allclose(found, (of_pixels * each).sum(axis=(1, 2)), rtol=1e-5)
    # Of a crop, the pixels' own.
    row = clustered.inav[:, 3:4]
    np.testing.assert_array_equal(row.metadata.get_item(LIVE_TIME), each[3:4])
    assert clustered.inav[2, 5].metadata.get_item(LIVE_TIME) == each[5, 2]
    assert clustered.sum().metadata.get_item(LIVE_TIME) == pytest.approx(each.sum())


def test_live_time_that_nobody_knows(clustered):
    clustered.metadata.set_item(LIVE_TIME, None)
    assert clustered.get_cluster_spectra().metadata.get_item(LIVE_TIME) is None
    assert clustered.inav[:, 3:4].metadata.get_item(LIVE_TIME) is None


@pytest.mark.parametrize("odd", [[1.0, 2.0, 3.0, 4.0], np.ones(4), np.ones((64, 56))])
def test_times_of_other_pixels_are_not_those_of_clusters(clustered, odd):
    """Four of them, as there are clusters."""
    clustered.metadata.set_item(LIVE_TIME, odd)
    assert clustered.get_cluster_spectra().metadata.get_item(LIVE_TIME) is None


VARIANCE = "Signal.Noise_properties.variance"

#: A spectrum of a cluster, however it was taken out of all, and the number of the cluster.
TAKEN = {
    "inav": (lambda spectra: spectra.inav[2], 2),
    "twice": (lambda spectra: spectra.inav[1:].inav[-1], 3),
    "transposed twice": (lambda spectra: spectra.T.T.inav[1], 1),
    "lazy": (lambda spectra: spectra.as_lazy().inav[1], 1),
}


@pytest.mark.parametrize("name", TAKEN)
def test_single_spectra_of_clusters_are_quantified_as_the_map_is(clustered, name):
    take, k = TAKEN[name]
    options = {"kfactors": clustered.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    spectra = clustered.get_cluster_spectra(weights="phase")
    one = take(spectra)
    variance = spectra.metadata.get_item(VARIANCE).data
    np.testing.assert_array_equal(one.metadata.get_item(VARIANCE).data, variance[k])
    assert one.metadata.get_item(LIVE_TIME) == spectra.metadata.get_item(LIVE_TIME)[k]
    table = one.cluster_quantification(**options)
    expected = clustered.cluster_quantification(**options)
    # The energy axis is calibrated on one spectrum, not on all.
    assert (np.abs(table.atomic_percent[0] - expected.atomic_percent[k])
            < 0.5 * expected.std[k] + 0.02).all()  # fmt: skip
    np.testing.assert_allclose(table.std_counting[0], expected.std_counting[k], rtol=0.2)


@pytest.mark.parametrize("lazy", [False, True])
def test_stacked_spectra_of_clusters(clustered, lazy):
    """HyperSpy stacks the variances along another axis than the spectra."""
    spectra = clustered.get_cluster_spectra()
    stack = hs.stack([spectra, spectra * 2], show_progressbar=False)
    stack = stack.as_lazy() if lazy else stack
    stored = stack.metadata.get_item(VARIANCE)
    for k, part in ((0, stack.inav[2, 0]), (1, stack.inav[2, 1]), (1, stack.inav[:, 1].inav[2])):
        np.testing.assert_allclose(np.asarray(part.data), (k + 1) * spectra.data[2])
        assert part.metadata.get_item(LIVE_TIME) is None
        with pytest.warns(UserWarning, match="not whole numbers"):
            table = part.cluster_quantification(
                kfactors=clustered.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"]
            )
        assert table.atomic_percent.sum() == pytest.approx(100)
    assert stack.metadata.get_item(VARIANCE) is stored
    assert stack.sum("stack_element").data.shape == (4, 512)
    assert stack.rebin(scale=(1, 2, 1)).data.shape == (1, 4, 512)
    assert stack.swap_axes(0, 1).data.shape == (4, 2, 512)
    with pytest.raises(ValueError, match=r"spectra\.inav\[0\]"):
        stack.cluster_quantification()


def test_transposed_spectra_say_what_to_do(clustered):
    transposed = clustered.get_cluster_spectra().T
    assert transposed.data.shape == (512, 4)
    for call in (transposed.cluster_quantification, transposed.get_cluster_spectra):
        with pytest.raises(ValueError, match="no clustering result on this signal"):
            call()
    with pytest.raises(ValueError, match="must have the units 'keV' or 'eV'"):
        transposed.cluster_pca_gmm()


def test_masked_pixels_that_became_nan_are_named(clustered):
    """HyperSpy's `as_lazy` makes NaN of them, which no comparison finds."""
    masked = np.zeros(clustered.data.shape, dtype=bool)
    masked[3:5] = True
    clustered.data = np.ma.MaskedArray(clustered.data, masked)
    lazy = clustered.as_lazy()
    for call in (lazy.cluster_pca_gmm, lazy.cluster_quantification):
        with pytest.raises(ValueError, match=r"NaN.*s\.as_lazy\(\).*s\.data\.filled\(0\)"):
            call()
    # What is advised:
    mask = clustered.data.mask.any(axis=-1)
    clustered.data = clustered.data.filled(0)
    result = clustered.as_lazy().cluster_pca_gmm(n_clusters=4, navigation_mask=mask)
    np.testing.assert_array_equal((result.labels == -2).all(axis=1), mask.all(axis=1))
