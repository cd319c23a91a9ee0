import numpy as np
import pytest

from hyperspy_clusterquant import compare_clusterings


def test_permuted_labels_agree_fully(rng):
    a = rng.integers(0, 4, (20, 30))
    b = np.array([2, 0, 3, 1])[a]
    comparison = compare_clusterings(a, b)
    assert comparison.ari == 1.0
    assert comparison.ami == pytest.approx(1.0)
    assert comparison.matched == {0: 2, 1: 0, 2: 3, 3: 1}
    assert comparison.contingency.sum() == 600


def test_independent_labels_agree_by_chance(rng):
    comparison = compare_clusterings(rng.integers(0, 4, 20_000), rng.integers(0, 4, 20_000))
    assert abs(comparison.ari) < 0.005
    assert abs(comparison.ami) < 0.005


def test_masked_pixels_do_not_count_and_noise_is_a_group():
    comparison = compare_clusterings(np.array([0, 0, 1, 1, -1, -2]), np.array([0, 0, 1, 1, 1, 0]))
    assert comparison.contingency.tolist() == [[2, 0], [0, 2]]
    assert comparison.ari < 1


def test_results_that_cannot_be_compared():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        compare_clusterings(np.zeros(2, int), np.zeros(3, int))
    with pytest.raises(ValueError, match="No pixel is kept by both"):
        compare_clusterings(np.array([0, -2]), np.array([-2, 0]))
