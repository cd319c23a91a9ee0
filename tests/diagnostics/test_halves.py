from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from hyperspy_clusterquant.evidence.halves import Halves, collect_halves
from hyperspy_clusterquant.evidence.judgement import judge
from hyperspy_clusterquant.evidence.matching import match_labels
from hyperspy_clusterquant.evidence.p_values import combine_p_values, holm, holm_of_pairs
from hyperspy_clusterquant.evidence.pair_test import Lines


@dataclass
class Split:
    labels: np.ndarray
    first: np.ndarray
    second: np.ndarray


THREE = Lines(np.eye(3), np.eye(3), [0, 1, 2])


def percent(areas, covariance):
    """Composition with all k-factors alike."""
    total = areas.sum()
    jacobian = (np.eye(len(areas)) - np.outer(areas / total, np.ones(len(areas)))) / total
    return 100 * areas / total, 1e4 * jacobian @ covariance @ jacobian.T


def test_matching_is_one_to_one_and_joins_what_is_left_over():
    reference = np.array([0] * 6 + [1] * 4)
    labels = np.array([2, 2, 2, 2, 0, 0, 1, 1, 1, 1])
    assert match_labels(reference, labels, 2).tolist() == [0, 1, 0]


def test_cluster_that_lies_in_noise_matches_none():
    reference = np.array([0, 0, 0, -1, -1, -1, -1])
    labels = np.array([0, 0, 1, 1, 1, 1, 1])
    assert match_labels(reference, labels, 1).tolist() == [0, -1]


def test_splits_are_collected_under_the_numbers_of_the_result():
    reference = np.array([0, 0, 0, 1, 1])
    one = Split(np.array([1, 1, 1, 0, 0]), np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]]))
    other = Split(np.array([0, 0, 0, 0, 0]), np.array([[5.0]]), np.array([[6.0]]))
    halves = collect_halves([one, other], reference, 2)
    assert halves.second[0].tolist() == [[4.0], [3.0]]
    assert halves.found.tolist() == [[True, True], [True, False]]
    assert halves.pixels.tolist() == [[[3, 0], [0, 2]], [[3, 0], [2, 0]]]
    np.testing.assert_allclose(halves.jaccard, [[1, 1], [0.6, 0]])
    merged = halves.merged([[0, 1]])
    np.testing.assert_allclose(merged.jaccard, 1)
    assert merged.second.tolist() == [[[7.0]], [[6.0]]]


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


def split_counts(counts, labels, n_splits, rng):
    """Halves of pixel counts whose clusters are the same in every split."""
    n = labels.max() + 1
    members = (labels == np.arange(n)[:, None]).astype(float)
    for _ in range(n_splits):
        second = rng.binomial(counts, 0.5)
        yield Split(labels, members @ (counts - second), members @ second)


def test_difference_and_its_uncertainty(rng):
    """Two clusters of known compositions: unbiased, and as far off as the uncertainty says."""
    labels = np.repeat([0, 1], 40)
    expected = np.where(labels[:, None] == 0, [50, 30, 20], [80, 60, 60.0])
    truth = 100 * (expected[0] / 100 - expected[-1] / 200)
    found, stds = [], []
    for _ in range(400):
        counts = rng.poisson(expected)
        halves = collect_halves(split_counts(counts, labels, 5, rng), labels, 2)
        judged = judge(halves, THREE, percent, [0])
        found.append(judged.difference[0, 1])
        stds.append(judged.difference_std[0, 1])
    error = np.array(found) - truth
    np.testing.assert_allclose(error.mean(axis=0), 0, atol=4 * np.mean(stds, axis=0).max() / 20)
    np.testing.assert_allclose(error.std(axis=0), np.mean(stds, axis=0), rtol=0.12)
    assert judged.p_values[0, 1] == judged.p_values[1, 0] < 1e-3
    np.testing.assert_allclose(judged.difference[1, 0], -judged.difference[0, 1])
    assert np.isnan(judged.p_values[0, 0])


def all_found(second):
    n_splits, n, _ = second.shape
    sizes = np.full(n, 10)
    pixels = np.tile(np.diag(sizes), (n_splits, 1, 1))
    return Halves(
        second, second, np.ones((n_splits, n), bool), pixels, sizes, np.tile(sizes, (n_splits, 1))
    )


def test_only_the_elements_that_differ_are_named(rng):
    second = np.array([[[4000, 4000, 2000.0], [4000, 3000, 3000.0]]])
    halves = all_found(second)
    judged = judge(halves, THREE, percent, [0])
    assert judged.element_p[0, 1, 0] > 0.05
    assert (judged.element_p[0, 1, 1:] < 1e-6).all()


def test_cluster_without_elements_has_no_composition():
    second = np.array([[[400.0, 400, 200], [0, 0, 0], [1, 0, 0]]])
    halves = all_found(second)
    judged = judge(halves, THREE, percent, [0])
    assert judged.holds.tolist() == [True, False, False]
    assert np.isnan(judged.difference).all()
    assert np.isnan(judged.p_values[0, 1])
    assert judged.p_values[0, 2] > 0.3


def test_p_values_are_corrected_for_the_number_of_pairs():
    second = np.array([[[400.0, 400, 200], [430, 370, 210], [380, 400, 230]]])
    judged = judge(all_found(second), THREE, percent, [0])
    np.testing.assert_allclose(judged.adjusted, holm_of_pairs(judged.p_values))
    pairs = np.triu_indices(3, 1)
    assert judged.adjusted[pairs].max() > judged.p_values[pairs].max() * 0.99
    assert judged.adjusted[pairs].min() == pytest.approx(3 * judged.p_values[pairs].min())
