import numpy as np
import pytest
from planted import blobs, one_hot

from hyperspy_clusterquant.clusters.embedding import (
    draw_landmarks,
    nearest_landmarks,
    umap_embedding,
    voted,
)


def test_embedding_is_reproducible_and_fits_few_points(rng):
    scores = rng.standard_normal((12, 2)).astype(np.float32)
    first, second = (umap_embedding(scores, 4, 30, 0.0, "euclidean", 0) for _ in range(2))
    assert first.shape == (12, 4)
    assert np.array_equal(first, second)


def test_other_points_follow_their_nearest_landmarks(rng):
    scores, truth = blobs(rng, [[0, 0], [15, 0], [0, 15]])
    landmarks = draw_landmarks(len(scores), 300, rng)
    assert len(np.unique(landmarks)) == 300
    known = one_hot(truth)[landmarks]
    known[truth[landmarks] == 2] = 0  # noise
    memberships = voted(known, nearest_landmarks(scores[landmarks], scores))
    assert np.array_equal(memberships.any(axis=1), truth < 2)
    assert np.array_equal(memberships[truth < 2].argmax(axis=1), truth[truth < 2])


def test_votes_are_averaged_and_most_decide_on_noise():
    memberships = np.array([[1.0, 0.0], [0.0, 0.5], [0.0, 0.0], [0.0, 0.0]])
    nearest = np.array([[0, 1, 2], [1, 2, 3], [0, 2, 0]])
    assert voted(memberships, nearest) == pytest.approx(
        np.array([[1 / 3, 0.5 / 3], [0, 0], [2 / 3, 0]])
    )
