"""Tails of sums of weighted counts against distributions that are known."""

import numpy as np
import pytest
from scipy import stats

from hyperspy_clusterquant.evidence.tails import Tail


@pytest.mark.parametrize("n", [10.0, 60.0, 1000.0])
def test_difference_of_two_poisson_counts(n):
    tail = Tail(np.array([1.0, -1.0]), np.array([0.5, 0.5]))
    at = np.round(np.array([-4, -2, 1, 3, 5]) * np.sqrt(n))
    # Whole numbers: half of a step lies before each.
    shift = 0.5 * np.sign(at)
    z = tail.z(at - shift, np.full(5, n))
    exact = np.where(
        at > 0, stats.skellam.sf(at - 1, n / 2, n / 2), stats.skellam.cdf(at, n / 2, n / 2)
    )
    np.testing.assert_allclose(np.abs(z), stats.norm.isf(exact), atol=0.03)


def test_weak_line_is_skewed():
    """Of 2 counts expected, 9 are not as rare as a normal distribution has it."""
    share = np.array([0.02, 0.98])
    weights = np.array([0.98, -0.02])
    values = np.arange(2, 12) - 0.49  # between those that the sum can have
    z = Tail(weights, share).z(values, np.full(len(values), 100.0))
    others = np.arange(40, 180)
    needed = np.ceil((values[:, None] + 0.02 * others) / 0.98)
    exact = stats.poisson.sf(needed - 1, 2.0) @ stats.poisson.pmf(others, 98.0)
    np.testing.assert_allclose(z, stats.norm.isf(exact), atol=0.03)
    assert (values / np.sqrt(1.96) > z + 0.5)[5:].all()


def test_of_nothing_there_is_none():
    tail = Tail(np.zeros(3), np.full(3, 1 / 3))
    np.testing.assert_array_equal(tail.z(np.ones(2), np.ones(2)), 0)
