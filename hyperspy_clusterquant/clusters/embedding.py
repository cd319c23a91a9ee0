"""Scores to a UMAP embedding, landmarks, and from landmarks back to all points."""

from __future__ import annotations

import warnings

import numpy as np
from scipy import spatial

#: Epochs of UMAP's descent, as many as it takes by itself for large data. With its 500 for small
#: data, the same clusters are found, in two and a half times the time.
N_EPOCHS = 200
#: Whether UMAP was compiled in this process, which takes some ten seconds.
_compiled = False


def embedding_stage():
    """What UMAP is about to do, in words that say beforehand if it takes long."""
    return "UMAP embedding" if _compiled else "compiling UMAP, once per session"


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
            n_epochs=N_EPOCHS,
            # The spectral initialisation needs more points than dimensions.
            init="spectral" if len(scores) > 5 * n_dimensions else "random",
            random_state=seed,
            n_jobs=1,
            **given,
        )
        embedding = reducer.fit_transform(scores)
    global _compiled
    _compiled = True
    return embedding


#: Landmarks that vote on the membership of another pixel.
N_VOTES = 15


def draw_landmarks(n_points, n_landmarks, rng):
    """Sorted numbers of the points to learn from, all of them if there are few enough."""
    if n_points <= n_landmarks:
        return np.arange(n_points)
    return np.sort(rng.choice(n_points, n_landmarks, replace=False))


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
