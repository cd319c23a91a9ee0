"""The plane in which clusters lie apart best."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from hyperspy_clusterquant.explore.plane import best_plane


def groups(centres, n, rng, spread=1.0):
    labels = np.repeat(np.arange(len(centres)), n)
    return np.asarray(centres)[labels] + rng.normal(0, spread, (len(labels), len(centres[0]))), (
        labels
    )


def test_it_is_that_of_a_linear_discriminant(rng):
    centres = [[0, 0, 0, 0, 0], [0, 9, 0, 0, 0], [0, 4, 6, 0, 0], [0, 4, 3, 0.5, 0]]
    scores, labels = groups(centres, 400, rng, spread=[5.0, 1.0, 1.0, 1.0, 3.0])
    plane = best_plane(scores, labels, 4)
    known = LinearDiscriminantAnalysis(n_components=2, solver="eigen").fit_transform(scores, labels)
    # The same plane: each is a linear function of the other.
    fit = np.linalg.lstsq(known - known.mean(0), plane - plane.mean(0), rcond=None)[0]
    residual = plane - plane.mean(0) - (known - known.mean(0)) @ fit
    assert residual.std() < 0.02 * plane.std()


def test_noise_and_small_clusters(rng):
    scores, labels = groups([[0, 0, 0], [30, 0, 0], [0, 8, 0]], 300, rng)
    labels[:200], labels[610:] = -1, -1  # ten pixels are left of the third
    plane = best_plane(scores, labels, 3)
    means = np.array([plane[labels == k].mean(axis=0) for k in range(3)])
    apart = np.linalg.norm(means[:, None] - means, axis=-1)
    assert apart[np.triu_indices(3, 1)].min() > 5


@pytest.mark.parametrize("n_clusters", [0, 1, 2])
def test_few_clusters_have_a_plane_too(rng, n_clusters):
    scores = rng.normal(0, [1.0, 4.0, 2.0], (500, 3))
    labels = np.full(500, -1) if n_clusters == 0 else rng.integers(0, n_clusters, 500)
    scores[labels == 1] += (20, 0, 0)
    plane = best_plane(scores, labels, n_clusters)
    assert plane.shape == (500, 2)
    assert np.isfinite(plane).all()
    if n_clusters == 2:
        assert abs(np.corrcoef(plane[:, 0], scores[:, 0])[0, 1]) > 0.99
        assert abs(np.corrcoef(plane[:, 1], scores[:, 1])[0, 1]) > 0.95
    if n_clusters == 1:
        assert abs(np.corrcoef(plane[:, 0], scores[:, 1])[0, 1]) > 0.99


def test_one_score_and_none(rng):
    assert best_plane(rng.normal(size=(9, 1)), np.zeros(9, int), 1).shape == (9, 2)
    assert not best_plane(np.zeros((9, 0)), np.zeros(9, int), 1).any()
