import numpy as np

from hyperspy_clusterquant.composition.groups import shares_of_groups

PERCENT = np.array([12.0, 8.0, 30.0, 50.0])
COVARIANCE = np.array(
    [[4.0, 1.0, -2.0, -3.0], [1.0, 2.0, 0.0, -3.0], [-2.0, 0.0, 5.0, -3.0], [-3.0, -3.0, -3.0, 9.0]]
) / 40  # fmt: skip


def test_shares_and_their_errors_are_those_of_many_draws(rng):
    groups = [[0, 1], [2], [3]]
    shares, covariance = shares_of_groups(PERCENT, COVARIANCE, groups)
    np.testing.assert_allclose(shares, [20, 30, 50])
    drawn = rng.multivariate_normal(PERCENT, COVARIANCE, 200_000)
    sums = np.stack([drawn[:, group].sum(axis=1) for group in groups], axis=1)
    simulated = 100 * sums / sums.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(covariance, np.cov(simulated.T), atol=0.002)
    np.testing.assert_allclose(covariance.sum(axis=0), 0, atol=1e-12)


def test_elements_outside_of_the_groups_do_not_count(rng):
    shares, covariance = shares_of_groups(PERCENT, COVARIANCE, [[0], [1]])
    np.testing.assert_allclose(shares, [60, 40])
    drawn = rng.multivariate_normal(PERCENT, COVARIANCE, 200_000)
    simulated = 100 * drawn[:, 0] / drawn[:, :2].sum(axis=1)
    np.testing.assert_allclose(np.sqrt(covariance[0, 0]), simulated.std(), rtol=0.02)


def test_nothing_of_them_is_there():
    shares, covariance = shares_of_groups(np.array([0.0, 0.0, 100.0]), np.eye(3), [[0], [1]])
    assert np.isnan(shares).all()
    assert np.isnan(covariance).all()
