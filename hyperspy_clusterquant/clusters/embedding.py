"""Scores to a UMAP embedding, landmarks, and from landmarks back to all points."""

from __future__ import annotations

import warnings

import numpy as np
from scipy import spatial


def umap_embedding(scores, n_dimensions, n_neighbors, min_dist, metric, seed):
    """UMAP embedding of scores.

    Parameters
    ----------
    scores : array (pixels, n_components)
        Whitened scores.
    n_dimensions, n_neighbors, min_dist, metric
        As in `umap.UMAP`; `n_neighbors` is lowered where there are fewer pixels.
    seed : int
        Seed; UMAP runs on one thread to be reproducible.

    Returns
    -------
    array of float32 (pixels, n_dimensions)

    References
    ----------
    L. McInnes, J. Healy and J. Melville, arXiv:1802.03426 (2018).
    """
    from umap import UMAP

    n_neighbors = min(n_neighbors, len(scores) - 1)
    given = {}
    if metric == "euclidean":
        # In few dimensions a tree finds the neighbours exactly, in a quarter of the time.
        distances, nearest = spatial.cKDTree(scores).query(scores, k=n_neighbors, workers=-1)
        given["precomputed_knn"] = nearest, distances.astype(np.float32)
    with warnings.catch_warnings():
        # It warns that other points cannot be embedded later; nobody asks for that.
        warnings.filterwarnings("ignore", "precomputed_knn")
        reducer = UMAP(
            n_components=n_dimensions,
            n_neighbors=n_neighbors,
            min_dist=min_dist,
            metric=metric,
            # The spectral initialisation needs more points than dimensions.
            init="spectral" if len(scores) > 5 * n_dimensions else "random",
            random_state=seed,
            n_jobs=1,
            **given,
        )
        return reducer.fit_transform(scores)


#: Points from which the density is estimated where rare landmarks are drawn, how many of them are
#: near, and the most dimensions that a volume has: in more, all is empty.
DENSITY_PIXELS, DENSITY_NEAREST, MOST_DIMENSIONS = 2000, 5, 3
#: Landmarks that vote on the membership of another pixel.
N_VOTES = 15


def draw_landmarks(n_points, n_landmarks, rng):
    """Sorted numbers of the points to learn from, all of them if there are few enough."""
    if n_points <= n_landmarks:
        return np.arange(n_points)
    return np.sort(rng.choice(n_points, n_landmarks, replace=False))


def draw_rare_landmarks(scores, n_landmarks, rng):
    """Sorted numbers of points to learn from, of which rare kinds are a larger share.

    Half are drawn at random. The others are drawn evenly over the space that the scores fill:
    with the volume that a point has for itself, known from its distance to the nearest of
    some points, as probability.

    Parameters
    ----------
    scores : array (points, n_components)
        Whitened scores.
    n_landmarks : int
        Number of landmarks, fewer than points; a few less are drawn.
    rng : numpy.random.Generator

    Returns
    -------
    array of int
    """
    at_random = draw_landmarks(len(scores), n_landmarks // 2, rng)
    some = scores[draw_landmarks(len(scores), DENSITY_PIXELS, rng)]
    n_nearest = min(DENSITY_NEAREST, len(some))
    distance = spatial.cKDTree(some).query(scores, k=[n_nearest], workers=-1)[0][:, 0]
    volume = np.maximum(distance, 1e-6) ** min(scores.shape[1], MOST_DIMENSIONS)
    evenly = rng.choice(
        len(scores), n_landmarks - len(at_random), replace=False, p=volume / volume.sum()
    )
    return np.union1d(at_random, evenly)


def extend_from_landmarks(landmark_scores, landmark_memberships, scores):
    """Memberships of all points from their nearest landmarks in the score space.

    Parameters
    ----------
    landmark_scores : array (landmarks, n_components)
        Scores of the landmarks.
    landmark_memberships : array (landmarks, n_clusters)
        Their memberships.
    scores : array (points, n_components)
        Scores of the points to label.

    Returns
    -------
    memberships : array (points, n_clusters)
        Mean over the nearest landmarks.
    is_noise : array of bool (points,)
        True where most of the nearest landmarks are noise.
    """
    tree = spatial.cKDTree(landmark_scores)
    k = min(N_VOTES, len(landmark_scores))
    _, nearest = tree.query(scores, k=k, workers=-1)
    nearest = nearest.reshape(len(scores), k)
    noise = ~landmark_memberships.any(axis=1)
    return landmark_memberships[nearest].mean(axis=1), noise[nearest].mean(axis=1) > 0.5
