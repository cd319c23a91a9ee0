import numpy as np
import pytest
from planted import blobs, one_hot

from hyperspy_clusterquant.clusters.embedding import (
    draw_landmarks,
    draw_rare_landmarks,
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


@pytest.mark.parametrize("n_components", [1, 3, 8])
def test_a_rare_kind_keeps_its_chance_among_the_landmarks(n_components, rng):
    """Thirty points in 60000: at random, one of 2000 landmarks; here, enough for a cluster."""
    common = rng.standard_normal((60_000, n_components))
    common[:, 0] += 12.0 * rng.integers(0, 3, 60_000)
    rare = rng.standard_normal((30, n_components))
    rare[:, 0] -= 12.0
    scores = np.concatenate([common, rare]).astype(np.float32)
    landmarks = draw_rare_landmarks(scores, 2000, rng)
    assert len(np.unique(landmarks)) == len(landmarks)
    assert 1800 < len(landmarks) <= 2000
    assert np.sum(landmarks >= 60_000) >= 10
    shares = np.bincount(np.round(scores[landmarks[landmarks < 60_000], 0] / 12).astype(int) + 1)
    assert shares.max() < 0.5 * len(landmarks)
