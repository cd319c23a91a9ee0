import re
import warnings

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


@pytest.mark.parametrize("mask", ["none", "vacuum", ""])
def test_words_that_are_no_mask(counts, mask):
    with pytest.raises(ValueError, match=r"'auto' .*None .*array or a signal.*True \(left out\)"):
        read_pixels(counts, ENERGY, every_channel(ENERGY), mask, quiet)


def test_counts_below_all_lines_do_not_say_where_the_sample_is(counts):
    """A burst of noise at 0.1 to 0.2 keV, in a fifth of the map."""
    below = (ENERGY >= 0.1) & (ENERGY < 0.2)
    counts = counts.astype(int)
    counts[2:4, :, below] += 10**6
    pixels = read_pixels(counts, ENERGY, every_channel(ENERGY), "auto", quiet)
    assert np.array_equal(pixels.keep, np.arange(12)[:, None] + np.zeros(10) >= 2)
    assert np.array_equal(pixels.totals, counts[pixels.keep][:, ENERGY >= 0.1].sum(axis=1))
    # If nothing else is looked at, it is what there is.
    only = np.where(below, 0, -1)
    pixels = read_pixels(counts, ENERGY, only, "auto", quiet)
    assert np.array_equal(pixels.totals, counts[pixels.keep][:, below].sum(axis=1))
    counts[..., ~below] = 0
    pixels = read_pixels(counts, ENERGY, every_channel(ENERGY), "auto", quiet)
    assert pixels.keep[2:4].all()


@pytest.mark.parametrize("rows", [2, 5, 7, 11])
def test_much_vacuum_is_told_once(rows, rng):
    mean = np.full((12, 10, 40), 8.0)
    mean[:rows] = 0
    counts = rng.poisson(mean)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_pixels(counts, ENERGY, every_channel(ENERGY), "auto", quiet)
        told = [str(w.message) for w in caught]
        mask = np.arange(12)[:, None] + np.zeros(10) < rows
        for given in (None, mask):
            read_pixels(counts, ENERGY, every_channel(ENERGY), given, quiet)
    assert len(caught) == (rows > 6)
    for message in told:
        assert message.startswith(f"{rows / 12:.0%} of the map are left out as vacuum")
        assert "navigation_mask=None" in message
        # All pixels of the sample have the same counts, but for noise.
        half = int(re.search(r"half of all counts are in (\d+) of 120 pixels", message)[1])
        assert half == pytest.approx(5 * (12 - rows), abs=1)


@pytest.mark.parametrize("given", ["auto", None, "array"])
@pytest.mark.parametrize("lazy", [False, True])
def test_masked_pixels_are_left_out(counts, lazy, given):
    values = counts.astype(float)
    masked = np.zeros(values.shape, dtype=bool)
    masked[5, 3], masked[7, 1, 20], masked[8, 2, 0] = True, True, True
    values[masked] = np.nan  # what is masked is not looked at
    data = np.ma.MaskedArray(values, masked)
    data = da.from_array(data, chunks=(5, 4, 9)) if lazy else data
    left_out = masked.any(axis=-1)
    if given == "array":
        given = np.arange(10) + np.zeros((12, 1)) > 7
        left_out |= given
    pixels = read_pixels(data, ENERGY, every_channel(ENERGY), given, quiet)
    left_out[:2] |= isinstance(given, str)
    assert np.array_equal(pixels.keep, ~left_out)
    expected = counts[pixels.keep][:, ENERGY >= 0.1]
    assert np.array_equal(pixels.totals, expected.sum(axis=1))
    sums = sum_labels(pixels, np.zeros(len(expected), dtype=int), 1)
    np.testing.assert_array_equal(sums[0, ENERGY >= 0.1], expected.sum(axis=0))


def test_everything_is_masked(counts):
    data = np.ma.MaskedArray(counts, np.broadcast_to(np.arange(40) == 3, counts.shape))
    with pytest.raises(ValueError, match=r"masked array, and a pixel with a masked channel"):
        read_pixels(data, ENERGY, every_channel(ENERGY), "auto", quiet)


def test_a_chunk_that_is_missing_is_told_until_it_is_left_out(rng):
    counts = rng.poisson(8.0, (12, 10, 40)).astype(np.uint8)
    counts[6:, :5] = 0
    lazy = da.from_array(counts, chunks=(6, 5, 40))
    mask = np.zeros((12, 10), dtype=bool)
    with pytest.warns(UserWarning, match=r"1 chunk of the map.*s\.inav\[0:5, 6:12\]"):
        read_pixels(lazy, ENERGY, every_channel(ENERGY), mask, quiet)
    mask[6:, :5] = True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels = read_pixels(lazy, ENERGY, every_channel(ENERGY), mask, quiet)
    np.testing.assert_array_equal(pixels.keep, ~mask)
