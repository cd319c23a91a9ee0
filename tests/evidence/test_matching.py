from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant.evidence.matching import collect_halves, match_labels


def test_matching_is_one_to_one_and_joins_what_is_left_over():
    reference = np.array([0] * 6 + [1] * 4)
    labels = np.array([2, 2, 2, 2, 0, 0, 1, 1, 1, 1])
    assert match_labels(reference, labels, 2).tolist() == [0, 1, 0]


def test_cluster_that_lies_in_noise_matches_none():
    reference = np.array([0, 0, 0, -1, -1, -1, -1])
    labels = np.array([0, 0, 1, 1, 1, 1, 1])
    assert match_labels(reference, labels, 1).tolist() == [0, -1]


@dataclass
class Split:
    labels: np.ndarray
    first: np.ndarray
    second: np.ndarray


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
