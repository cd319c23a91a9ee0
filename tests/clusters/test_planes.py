import numpy as np
import pytest

from hyperspy_clusterquant.clusters.planes import density_on, separating_plane

#: Within clusters, the third direction is the noisiest, and two are correlated.
WITHIN = np.array([[1.0, 0.6, 0.0], [0.6, 2.0, 0.0], [0.0, 0.0, 25.0]])


def clouds(rng, means, sizes):
    labels = np.repeat(np.arange(len(means)), sizes)
    points = rng.multivariate_normal(np.zeros(3), WITHIN, len(labels)) + np.array(means)[labels]
    return points, labels


def parallel(one, other):
    return abs(one @ other) / np.linalg.norm(one) / np.linalg.norm(other)


def test_two_clusters_are_separated_along_fishers_direction(rng):
    """W^-1 (m1 - m2), R. A. Fisher, Ann. Eugen. 7 (1936) 179."""
    difference = np.array([3.0, -2.0, 1.0])
    points, labels = clouds(rng, [[0, 0, 0], difference], [20_000, 20_000])
    directions = separating_plane(points, labels, 2)
    assert directions.shape == (3, 2)
    assert parallel(directions[:, 0], np.linalg.solve(WITHIN, difference)) > 0.999
    for along in (points @ directions).T:
        within = np.concatenate([along[labels == k] - along[labels == k].mean() for k in (0, 1)])
        assert within.std() == pytest.approx(1.0, rel=1e-3)
    # The other one is free: where most varies.
    assert parallel(directions[:, 1], np.array([0, 0, 1.0])) > 0.9


def test_three_clusters_span_the_plane_however_small_one_is(rng):
    means = np.array([[0, 0, 0], [6, 0, 0], [0, 9.0, 0]])
    points, labels = clouds(rng, means, [20_000, 20_000, 300])
    directions = separating_plane(points, labels, 3)
    truth = np.linalg.solve(WITHIN, (means[1:] - means[0]).T)
    left = directions - truth @ np.linalg.lstsq(truth, directions, rcond=None)[0]
    assert np.linalg.norm(left) < 0.1 * np.linalg.norm(directions)
    along = points @ directions
    middles = [along[labels == k].mean(axis=0) for k in range(3)]
    assert min(np.linalg.norm(middles[i] - middles[j]) for i, j in ((0, 1), (0, 2), (1, 2))) > 4


def test_noise_does_not_turn_the_plane(rng):
    points, labels = clouds(rng, [[0, 0, 0], [5, 0, 0]], [2000, 2000])
    stray = rng.uniform(-300, 300, (500, 3))
    with_noise = np.concatenate([points, stray]), np.concatenate([labels, np.full(500, -1)])
    expected = separating_plane(points, labels, 2)[:, 0]
    np.testing.assert_allclose(separating_plane(*with_noise, 2)[:, 0], expected)


@pytest.mark.parametrize("dimensions", [1, 2, 5])
@pytest.mark.parametrize("n_clusters", [0, 1, 3])
def test_any_number_of_dimensions_and_clusters(rng, dimensions, n_clusters):
    points = rng.standard_normal((300, dimensions))
    labels = np.arange(300) % n_clusters if n_clusters else np.full(300, -1)
    directions = separating_plane(points, labels, n_clusters)
    assert directions.shape == (dimensions, min(dimensions, 2))
    assert np.isfinite(directions).all()
    assert np.linalg.matrix_rank(directions) == min(dimensions, 2)


def test_points_that_do_not_vary_within_clusters():
    points, labels = np.repeat([[0.0, 0.0], [1.0, 0.0]], 5, axis=0), np.repeat([0, 1], 5)
    directions = separating_plane(points, labels, 2)
    assert parallel(directions[:, 0], np.array([1.0, 0.0])) == pytest.approx(1)


def test_outlines_hold_nine_tenths(rng):
    points = np.concatenate([rng.normal(0, 1, (20_000, 2)), rng.normal(12, 1, (20_000, 2))])
    labels = np.repeat([0, 1], 20_000)
    density = density_on(points, labels, 3)
    x, y = density.edges
    assert density.counts.sum() == np.sum(
        (points >= [x[0], y[0]]).all(axis=1) & (points <= [x[-1], y[-1]]).all(axis=1)
    )
    step = x[1] - x[0]
    middle = (x[1:] + x[:-1]) / 2
    for k, centre in ((0, 0.0), (1, 12.0)):
        inside = density.of_clusters[k] > density.levels[k]
        # Of a normal distribution, 90 % lie within sqrt(-2 ln 0.1) standard deviations.
        radius = np.sqrt(inside.sum() / np.pi) * step
        assert radius == pytest.approx(np.sqrt(-2 * np.log(0.1)), rel=0.06)
        assert middle[inside.any(axis=0)].mean() == pytest.approx(centre, abs=2 * step)
    assert np.isnan(density.levels[2])


def test_stray_points_do_not_shrink_the_picture(rng):
    points = np.concatenate([rng.normal(0, 1, (5000, 2)), [[1e4, 1e4]]])
    density = density_on(points, np.append(np.zeros(5000, int), -1), 1)
    assert density.edges[0][-1] < 20


def test_one_dimension(rng):
    points = np.concatenate([rng.normal(0, 1, 500), rng.normal(9, 1, 500)])[:, None]
    density = density_on(points, np.repeat([0, 1], 500), 2)
    assert density.counts.shape == density.of_clusters[0].shape == (len(density.edges[0]) - 1,)
    np.testing.assert_array_equal(density.of_clusters.sum(axis=0), density.counts)
    peaks = density.edges[0][density.of_clusters.argmax(axis=1)]
    np.testing.assert_allclose(peaks, [0, 9], atol=1.5)
