from dataclasses import dataclass

import numpy as np
import pytest

from hyperspy_clusterquant.composition.fitting import LinearFit
from hyperspy_clusterquant.evidence.judgement import Compared, judge, not_negative
from hyperspy_clusterquant.evidence.matching import Halves, collect_halves
from hyperspy_clusterquant.evidence.p_values import holm_of_pairs


@dataclass
class Split:
    labels: np.ndarray
    first: np.ndarray
    second: np.ndarray


THREE = LinearFit(np.eye(3), np.eye(3), [0, 1, 2])


def percent(areas, covariance):
    """Composition with all k-factors alike."""
    total = areas.sum()
    jacobian = (np.eye(len(areas)) - np.outer(areas / total, np.ones(len(areas)))) / total
    return 100 * areas / total, 1e4 * jacobian @ covariance @ jacobian.T


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
    assert judged.element_p_values[0, 1, 0] > 0.05
    assert (judged.element_p_values[0, 1, 1:] < 1e-6).all()


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
    np.testing.assert_allclose(judged.adjusted_p_values, holm_of_pairs(judged.p_values))
    pairs = np.triu_indices(3, 1)
    assert judged.adjusted_p_values[pairs].max() > judged.p_values[pairs].max() * 0.99
    assert judged.adjusted_p_values[pairs].min() == pytest.approx(3 * judged.p_values[pairs].min())


def test_compositions_are_bounded_where_areas_are_not():
    """A line that is absent in one, with a fit that makes its area negative."""
    weights = np.array([[1.0, 0, -1], [0, 1, 0], [0, 0, 1]])
    lines = LinearFit(np.linalg.inv(weights).T, weights, [0, 1, 2])
    second = np.array([[[100.0, 60, 160], [400, 3, 100]]])
    assert lines.areas(second[0, 0])[0][0] < 0
    judged = judge(all_found(second), lines, percent, [0])
    assert np.abs(judged.difference[0, 1]).max() <= 100
    assert judged.difference[0, 1].sum() == pytest.approx(0, abs=1e-9)
    assert not judged.detected[0, 0]
    assert judged.detected[1, 0]


def test_covariance_of_differences_has_their_correlations(rng):
    """What one element has more the others have less: against draws."""
    expected = np.array([[4000, 4000, 2000.0], [4000, 3000, 3000.0]])
    found = []
    for _ in range(500):
        judged = judge(all_found(rng.poisson(expected)[None].astype(float)), THREE, percent, [0])
        found.append(judged.difference[0, 1])
    known = np.cov(np.transpose(found))
    np.testing.assert_allclose(judged.difference_covariance[0, 1], known, atol=0.15 * known.max())
    np.testing.assert_allclose(judged.difference_covariance[0, 1].sum(), 0, atol=1e-9)


def test_most_probable_areas_that_are_not_negative(rng):
    """Against a search over a grid, with areas that are correlated."""
    for _ in range(5):
        root = rng.normal(size=(2, 2))
        covariance = root @ root.T + 0.1 * np.eye(2)
        areas = rng.normal(size=2)
        grid = np.linspace(0, 6, 601)
        points = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1)
        off = points - areas
        cost = np.einsum("...i,ij,...j", off, np.linalg.inv(covariance), off)
        known = points.reshape(-1, 2)[cost.argmin()]
        np.testing.assert_allclose(not_negative(areas, covariance), known, atol=0.011)
    nothing = not_negative(np.array([-1.0, 0.0]), np.array([[1.0, 0], [0, 0]]))
    np.testing.assert_array_equal(nothing, 0)


class Bends:
    """Changes of the first of three lines, as large as the doses differ."""

    def of(self, spectrum, difference):
        self.asked = difference
        return difference * np.array([[spectrum[0], 0.0, 0.0]])


def test_what_the_doses_explain_is_no_difference():
    second = np.array([[[8000.0, 4000, 4000], [12000, 8000, 8000]]])  # 8 : 6, of twice the dose
    halves, bends = all_found(second), Bends()
    judged = judge(halves, THREE, percent, [0], Compared(THREE, bends))
    assert bends.asked == pytest.approx(12 / 28)
    assert judged.p_values_with_absorption[0, 1] < 1e-6
    assert judged.p_values[0, 1] > 0.2
    assert (judged.element_p_values[0, 1] > 0.2).all()
    alone = judge(halves, THREE, percent, [0])
    assert alone.p_values[0, 1] == judged.p_values_with_absorption[0, 1]
    np.testing.assert_array_equal(alone.p_values, alone.p_values_with_absorption)
    # Of the same dose, the same difference is one.
    second = np.array([[[8000.0, 4000, 4000], [6857, 4571, 4572]]])
    same = judge(all_found(second), THREE, percent, [0], Compared(THREE, Bends()))
    assert same.p_values[0, 1] < 1e-6
