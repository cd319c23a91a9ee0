import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from hyperspy_clusterquant.counts.bins import bin_pixels
from hyperspy_clusterquant.counts.features import (
    channel_mask,
    check_counts,
    merge_channels,
    merge_sparse_features,
    to_features,
)
from hyperspy_clusterquant.counts.masks import vacuum_mask
from hyperspy_clusterquant.counts.packed import sum_columns, sum_rows, thin


def test_channels_below_a_tenth_of_a_kev_are_left_out():
    energy = np.arange(-20, 100) * 0.01
    used = channel_mask(energy)
    assert energy[used].min() == pytest.approx(0.1)
    assert used[energy > 0.105].all()


def test_energy_range_and_excluded_windows():
    energy = np.arange(100) * 0.1
    used = channel_mask(energy, (2.0, 8.0), [(3.95, 5.05)])
    np.testing.assert_allclose(energy[used], [*np.arange(20, 40) / 10, *np.arange(51, 81) / 10])


def test_no_channel_left_says_what_was_asked():
    with pytest.raises(ValueError, match=r"No energy channel is left.*30 to 40 keV"):
        channel_mask(np.arange(100) * 0.1, (30.0, 40.0))


@given(st.lists(st.booleans(), min_size=2, max_size=60), st.integers(1, 5))
def test_features_are_dense_and_never_span_a_gap(used, factor):
    used = np.array(used)
    energy = np.arange(len(used)) * 0.01
    features = merge_channels(energy, used, width=0.01 * factor)
    assert np.array_equal(features >= 0, used)
    if not used.any():
        return
    assert np.array_equal(np.unique(features[used]), np.arange(features.max() + 1))
    for feature in range(features.max() + 1):
        channels = np.flatnonzero(features == feature)
        assert len(channels) <= factor
        assert np.array_equal(channels, np.arange(channels[0], channels[-1] + 1))


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "uint16", "int32", "uint64", "float32", "float64"]
)
def test_features_of_any_dtype_are_the_dense_sums(dtype, rng):
    dense = rng.poisson(0.3, (40, 30)).astype(dtype)
    features = merge_channels(np.arange(30) * 0.01, np.arange(30) % 7 > 0, 0.03)
    sparse = to_features(dense, features, features.max() + 1)
    expected = np.array(
        [dense[:, features == f].sum(axis=1, dtype=int) for f in range(features.max() + 1)]
    ).T
    assert np.array_equal(sparse.toarray(), expected)


def test_merged_channels_do_not_overflow():
    dense = np.full((2, 3), 255, dtype=np.uint8)
    assert to_features(dense, np.zeros(3, int), 1).toarray().tolist() == [[765], [765]]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-1, r"negative values \(lowest: -1\)"),
        (np.nan, "NaN or infinite"),
        (np.inf, "NaN or infinite"),
        (0.37, r"not whole numbers \(such as 0.37\).*s.data.round\(\)"),
    ],
)
def test_what_is_not_counts_is_refused(value, message):
    data = np.ones((3, 4))
    data[1, 2] = value
    with pytest.raises(ValueError, match=message):
        check_counts(data)
    with pytest.raises(ValueError, match="not complex128"):
        check_counts(data.astype(complex))


@pytest.mark.parametrize("per_pixel", [1, 5, 200])
def test_vacuum_is_found_at_any_dose(per_pixel, rng):
    truth = np.zeros((128, 128), dtype=bool)
    truth[30:70, 20:90] = True
    mean = np.where(truth, 0.005 * per_pixel, per_pixel)
    mask = vacuum_mask(rng.poisson(mean))
    # Smoothing at low dose blurs the edge; away from it nothing may be wrong.
    inner = ndimage.binary_erosion(truth, iterations=5) | ~ndimage.binary_dilation(
        truth, iterations=5
    )
    assert np.array_equal(mask[inner], truth[inner])
    assert np.mean(mask != truth) < (0.05 if per_pixel < 10 else 0.001)


def test_a_hole_just_below_the_threshold_has_no_speckles(rng):
    """Counts of the JEOL map: hole, film and particle."""
    mean = np.full((256, 256), 0.65)
    mean[:, :80] = 0.072
    mean[100:, 150:] = 3.1
    mask = vacuum_mask(rng.poisson(mean))
    assert mask[:, :75].mean() > 0.99
    assert not mask[:, 85:].any()


@pytest.mark.parametrize("level", [2, 20, 40])
@pytest.mark.parametrize("hole_rows", [24, 60])
def test_thin_sample_beside_a_hole_is_kept_and_the_hole_is_not(level, hole_rows, rng):
    """The thin half holds 8 % of the counts of the thick one, the hole in it 0.1 %."""
    mean = np.full((96, 96), float(level))
    mean[:, 48:] = 0.08 * level
    mean[:hole_rows, 48:] = 0.001 * level
    mask = vacuum_mask(rng.poisson(mean))
    assert mask[: hole_rows - 3, 53:].mean() > 0.98
    assert mask[hole_rows + 4 :, 48:].mean() < 0.2
    assert not mask[:, :48].any()


@pytest.mark.parametrize("background", [0.1, 1.0])
def test_small_particles_in_much_vacuum(background, rng):
    truth = np.ones((128, 128), dtype=bool)
    truth[40:70, 40:70] = False
    mask = vacuum_mask(rng.poisson(np.where(truth, background, 100)))
    assert np.mean(mask != truth) < 0.01


def test_a_map_without_vacuum_keeps_every_pixel(rng):
    thickness = np.linspace(0.2, 2.0, 64) * np.ones((64, 1))
    assert not vacuum_mask(rng.poisson(20 * thickness)).any()


def test_an_empty_map_is_all_vacuum():
    assert vacuum_mask(np.zeros((4, 4))).all()


def test_thinned_halves_are_independent_and_add_up(rng):
    x = to_features(rng.poisson(5.0, (20_000, 3)), np.arange(3), 3)
    a, b = thin(x, rng)
    assert np.array_equal((a + b).toarray(), x.toarray())
    a, b = a.toarray(), b.toarray()
    assert np.allclose(a.mean(axis=0), 2.5, atol=0.05)
    correlation = [np.corrcoef(a[:, j], b[:, j])[0, 1] for j in range(3)]
    assert np.abs(correlation).max() < 4 / np.sqrt(20_000)


@pytest.mark.parametrize(("shape", "factor"), [((7,), 3), ((5, 8), 2), ((3, 4, 5), 2)])
def test_binning_sums_neighbours_of_kept_pixels(shape, factor, rng):
    keep = rng.random(shape) > 0.2
    x = rng.poisson(1.0, (keep.sum(), 2))
    bins, n_bins = bin_pixels(keep, factor)
    binned = sum_rows(to_features(x, np.arange(2), 2), bins, n_bins).toarray()
    where = np.array(np.nonzero(keep)).T // factor
    cells = sorted({tuple(cell) for cell in where})
    assert n_bins == len(cells)
    for row, cell in zip(binned, cells, strict=True):
        assert np.array_equal(row, x[(where == cell).all(axis=1)].sum(axis=0))


@given(st.lists(st.integers(0, 300), min_size=1, max_size=50))
def test_merged_sparse_features_hold_enough_counts(totals):
    totals = np.array(totals)
    groups = merge_sparse_features(totals, 100)
    assert groups[0] == 0
    assert set(np.diff(groups)) <= {0, 1}
    summed = np.bincount(groups, totals)
    assert summed.sum() == totals.sum()
    if totals.sum() >= 100:
        assert summed.min() >= 100


def test_summed_columns(rng):
    dense = rng.poisson(1.0, (10, 6))
    groups = np.array([0, 0, 1, 2, 2, 2])
    merged = sum_columns(to_features(dense, np.arange(6), 6), groups, 3)
    assert np.array_equal(
        merged.toarray(), np.array([dense[:, groups == g].sum(1) for g in range(3)]).T
    )
