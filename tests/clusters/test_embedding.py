import numpy as np
from planted import blobs, one_hot

from hyperspy_clusterquant.clusters.embedding import (
    draw_landmarks,
    extend_from_landmarks,
    umap_embedding,
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
    memberships, is_noise = extend_from_landmarks(scores[landmarks], known, scores)
    assert np.array_equal(is_noise, truth == 2)
    assert np.array_equal(memberships[truth < 2].argmax(axis=1), truth[truth < 2])
