"""Scores to a UMAP embedding, landmarks, and from landmarks back to all points."""

from __future__ import annotations

import warnings

import numpy as np
from scipy import spatial

#: Epochs of UMAP's descent, which takes most of the time. Of 33 kinds of samples, 5 maps each, the
#: same clusters are found with 50, 100 and 200, its own number for large data (500 for small): the
#: embedding only proposes, and gaps and borders decide. With 50, the labels of two of seven real
#: maps depend a little more on the seed.
N_EPOCHS = 100
#: Whether UMAP was compiled in this process, which takes some seconds.
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


def nearest_landmarks(landmark_scores, scores):
    """Numbers of the landmarks that are nearest to points in the score space, (points, n_votes)."""
    k = min(N_VOTES, len(landmark_scores))
    _, nearest = spatial.cKDTree(landmark_scores).query(scores, k=k, workers=-1)
    return nearest.reshape(len(scores), k)


def voted(memberships, nearest):
    """Memberships of points from their nearest landmarks.

    Parameters
    ----------
    memberships : array (landmarks, n_clusters)
        Of the landmarks; rows of zeros are noise.
    nearest : array of int (points, n_votes)
        From `nearest_landmarks`.

    Returns
    -------
    array (points, n_clusters)
        Mean over the nearest landmarks, zeros where most of these are noise.
    """
    noise = ~memberships.any(axis=1)
    mean, n_noise = np.zeros((len(nearest), memberships.shape[1])), np.zeros(len(nearest))
    for votes in nearest.T:  # not all at once, which takes fifteen times the memory
        mean += memberships[votes]
        n_noise += noise[votes]
    mean /= nearest.shape[1]
    mean[n_noise > nearest.shape[1] / 2] = 0
    return mean
