import dask.array as da
import numpy as np
import pytest

from hyperspy_clusterquant.counts.features import every_channel
from hyperspy_clusterquant.counts.pixels import read_pixels, sum_labels

ENERGY = 0.03 * np.arange(40)


@pytest.fixture
def counts(rng):
    """A map whose first two rows are a hole."""
    mean = np.full((12, 10, 40), 8.0)
    mean[:2] = 0
    return rng.poisson(mean).astype(np.uint8)


def quiet(*_):
    return None


def test_vacuum_and_masks_are_left_out(counts):
    channels = every_channel(ENERGY)
    mask = np.zeros((12, 10), dtype=bool)
    mask[:, 7:] = True
    for given, left_out in (("auto", np.arange(12)[:, None] < 2), (mask, mask), (None, False)):
        pixels = read_pixels(counts, ENERGY, channels, given, quiet)
        keep = ~np.broadcast_to(left_out, (12, 10))
        assert np.array_equal(pixels.keep, keep)
        assert np.array_equal(pixels.totals, counts[keep][:, channels >= 0].sum(axis=1))
        assert pixels.per_pixel == pytest.approx(pixels.totals.mean())


@pytest.mark.parametrize("lazy", [False, True])
def test_counts_of_clusters_are_on_the_channels_of_the_map(counts, lazy, rng):
    """The channels that no feature counts hold nothing."""
    channels = every_channel(ENERGY)
    data = da.from_array(counts, chunks=(5, 4, 9)) if lazy else counts
    pixels = read_pixels(data, ENERGY, channels, "auto", quiet)
    labels = rng.integers(-1, 3, pixels.keep.sum())
    sums = sum_labels(pixels, labels, 3)
    kept = counts[pixels.keep] * (ENERGY >= 0.1)
    for k in range(3):
        np.testing.assert_array_equal(sums[k], kept[labels == k].sum(axis=0))


def test_progress_is_reported(counts):
    stages = []
    read_pixels(counts, ENERGY, every_channel(ENERGY), None, lambda *stage: stages.append(stage))
    assert stages[0] == ("counts",)
    assert stages[-1] == ("counts", 1)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("vacuum", "navigation_mask"),
        (np.zeros((3, 3), dtype=bool), "navigation_mask"),
        (np.ones((12, 10), dtype=bool), "navigation_mask"),
    ],
)
def test_masks_that_leave_nothing_or_do_not_fit(counts, mask, message):
    with pytest.raises(ValueError, match=message):
        read_pixels(counts, ENERGY, every_channel(ENERGY), mask, quiet)


def test_pixels_without_counts(counts):
    counts[..., ENERGY >= 0.1] = 0
    with pytest.raises(ValueError, match="hold no counts in the chosen energies"):
        read_pixels(counts, ENERGY, every_channel(ENERGY), None, quiet)
