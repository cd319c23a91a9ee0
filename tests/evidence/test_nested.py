"""p-values of nested tests against draws of the sums that they come from."""

import numpy as np
import pytest
from scipy import stats

from hyperspy_clusterquant.evidence.nested import of_many, of_nested, smallest_of


def test_of_one_test_it_is_its_own():
    assert of_nested(np.array([0.03]), np.array([5.0])) == pytest.approx(0.03, rel=1e-3)
    assert of_nested(np.array([np.nan, 0.4]), np.array([0.0, 5.0])) == pytest.approx(0.4, rel=1e-3)
    assert np.isnan(of_nested(np.array([np.nan]), np.array([1.0])))


@pytest.mark.parametrize("growth", [1.001, 1.5, 2.0, 4.0])
def test_uniform_for_sums_that_grow(rng, growth):
    """Each sum contains the one before."""
    pairs = growth ** np.arange(6)
    steps = np.sqrt(np.diff(pairs, prepend=0))
    sums = np.cumsum(steps * rng.standard_normal((600, 6)), axis=1) / np.sqrt(pairs)
    p = [of_nested(row, pairs) for row in stats.norm.sf(sums)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert 0.025 < np.mean(np.array(p) < 0.05) < 0.08


def test_tiny_ones_are_independent():
    p = of_nested(np.array([1e-30, 0.5, 0.5]), np.array([1.0, 4.0, 16.0]))
    assert p == pytest.approx(3e-30)
    either_side = [of_nested(np.array([t, 0.5]), np.array([1.0, 4.0])) for t in (0.9e-7, 1.1e-7)]
    assert either_side[0] == pytest.approx(either_side[1] * 0.9 / 1.1, rel=0.01)


def test_smallest_of_independent_ones(rng):
    p = rng.uniform(size=(2, 4000))
    p[1, :2000] = np.nan
    found = smallest_of(*p)
    np.testing.assert_allclose(found[:2000], p[0, :2000])
    assert stats.kstest(found[2000:], "uniform").pvalue > 0.01
    assert np.isnan(smallest_of(np.nan, np.nan))
    assert of_many(1e-20, 1000) == pytest.approx(1e-17)
    assert np.isnan(of_many(0.5, 0))
