import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from hyperspy_clusterquant.counts.features import (
    channel_mask,
    check_counts,
    merge_channels,
    merge_sparse_features,
    to_features,
)


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
    "dtype", ["uint8", "int8", "uint16", "int32", "uint64", "float32", "float64"]
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


@pytest.mark.parametrize("as_sparse", [False, True])
def test_true_and_false_are_no_counts(as_sparse):
    counts = np.array([[True, False, True]])
    counts = sparse.csr_array(counts) if as_sparse else counts
    with pytest.raises(ValueError, match=r"True and False.*change_dtype\(\"uint8\"\)"):
        to_features(counts, np.zeros(3, int), 1)


def test_not_a_number_names_where_it_may_come_from():
    counts = np.array([[1.0, np.nan, 0.0]])
    with pytest.raises(ValueError, match=r"NaN.*masked before s\.as_lazy.*navigation_mask=mask"):
        to_features(counts, np.zeros(3, int), 1)
