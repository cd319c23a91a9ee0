import numpy as np
import pytest
from scipy import stats

from hyperspy_clusterquant.evidence.p_values import combine_p_values, holm, holm_of_pairs


@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_combined_p_values_keep_their_level(rng, correlation):
    """Independent, half of the counts in common, all the same."""
    common = np.sqrt(correlation) * rng.standard_normal((1, 20_000, 3))
    own = np.sqrt(1 - correlation) * rng.standard_normal((5, 20_000, 3))
    p = stats.chi2.sf(((common + own) ** 2).sum(axis=2), 3)
    combined = combine_p_values(p)
    assert 0.045 < np.mean(combined < 0.05) < 0.065
    assert 0.008 < np.mean(combined < 0.01) < 0.014


def test_combining_leaves_out_what_is_not_known():
    p = np.array([[0.02, np.nan], [np.nan, np.nan]])
    combined = combine_p_values(p)
    assert combined[0] == pytest.approx(0.02)
    assert np.isnan(combined[1])
    assert combine_p_values(np.array([1e-200, 1e-200])) == pytest.approx(1e-200)
    # One p-value of 1 does not outweigh the others.
    assert combine_p_values(np.array([1.0, 1e-6, 1e-6])) < 1e-5


def test_holm_against_its_definition(rng):
    p = rng.random(6)
    order = np.argsort(p)
    by_hand = np.empty(6)
    largest = 0.0
    for rank, k in enumerate(order):
        largest = max(largest, min(1.0, (6 - rank) * p[k]))
        by_hand[k] = largest
    np.testing.assert_allclose(holm(p), by_hand)
    with_unknown = holm(np.array([0.01, np.nan, 0.04]))
    np.testing.assert_allclose(with_unknown, [0.02, np.nan, 0.04])
    matrix = np.full((3, 3), np.nan)
    matrix[[0, 0, 1], [1, 2, 2]] = matrix[[1, 2, 2], [0, 0, 1]] = [0.01, 0.2, 0.03]
    np.testing.assert_allclose(holm_of_pairs(matrix)[0], [np.nan, 0.03, 0.2])
