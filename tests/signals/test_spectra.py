"""Sums of spectra keep what is known of them."""

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
