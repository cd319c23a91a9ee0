import numpy as np
import pytest
from scipy import stats

from hyperspy_clusterquant.composition.uncertainty import (
    LIMIT,
    distance_in_std,
    quantile_above_zero,
    ratio,
    whitening,
)


@pytest.mark.parametrize("estimate", [-30.0, -2.0, 0.0, 1.5, 50.0])
def test_quantiles_of_a_cut_normal_distribution(estimate):
    """Against scipy's truncated normal distribution."""
    for p in (0.16, 0.5, 0.84, 0.95):
        expected = stats.truncnorm.ppf(p, -estimate / 3.0, np.inf, estimate, 3.0)
        found = quantile_above_zero(estimate, 3.0, p)
        assert found == pytest.approx(expected, rel=1e-4)
        assert found > 0


def test_upper_limits_hold_more_often_than_they_say(rng):
    """Of repeated measurements of a weak line, 95 % or more lie above the truth."""
    for truth in (0.0, 1.0, 5.0):
        estimates = truth + 2.0 * rng.standard_normal(4000)
        limits = quantile_above_zero(estimates, 2.0, LIMIT)
        assert np.mean(limits >= truth) > 0.94


def test_ratio_by_repetition(rng):
    values = np.array([30.0, 20.0, 50.0])
    root = rng.standard_normal((3, 3)) * 0.4
    covariance = root @ root.T
    draws = rng.multivariate_normal(values, covariance, 40_000)
    scatter = np.std((draws[:, 0] + draws[:, 1]) / draws[:, 2])
    found, std = ratio(values, covariance, [0, 1], [2])
    assert found == 1.0
    assert std == pytest.approx(scatter, rel=0.03)
    assert np.isnan(ratio(np.array([1.0, 0.0]), np.eye(2), [0], [1])).all()


def test_distance_of_what_the_uncertainty_explains_is_one(rng):
    jacobian = np.eye(4) - 0.25
    covariance = jacobian @ np.diag([1.0, 4.0, 0.25, 2.0]) @ jacobian.T
    draws = rng.multivariate_normal(np.zeros(4), covariance, 4000)
    squared = [distance_in_std(d, covariance) ** 2 for d in draws]
    assert np.mean(squared) == pytest.approx(1.0, abs=0.05)
    assert distance_in_std(np.array([1.0, -1.0]), np.zeros((2, 2))) == np.inf
    assert distance_in_std(np.zeros(2), np.zeros((2, 2))) == 0.0


def test_whitened_draws_are_independent_and_of_unit_variance():
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((4, 3))  # one direction of four has no variance
    root = whitening(mixing @ mixing.T)
    assert root.shape == (3, 4)
    draws = root @ mixing @ rng.standard_normal((3, 20_000))
    np.testing.assert_allclose(np.cov(draws), np.eye(3), atol=0.04)
