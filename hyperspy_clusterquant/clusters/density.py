"""Clusters of an embedding by density, with HDBSCAN."""

from __future__ import annotations

import tempfile

import numpy as np

from hyperspy_clusterquant.clusters.embedding import extend_from_landmarks
from hyperspy_clusterquant.clusters.gaps import join_without_gap

#: HDBSCAN proposes clusters down to this share of the landmarks, or to what is asked for.
PROPOSED_SHARE = 0.03
#: Size of HDBSCAN's coarser proposals, in units of the finer.
COARSER = 5 / 3


def density_clusters(
    embedding, scores, min_cluster_size, min_samples, method, epsilon, n_spectra=1
):
    """Clusters of an embedding by density that gaps in the scores separate.

    HDBSCAN's finest clusters, the leaves of its tree, are joined where no gap separates
    them (`join_without_gap`): which clumps the embedding makes, and which of them HDBSCAN takes
    together, depends on chance and settings, the gaps do not. A gap can still hide inside a
    clump, so that is done with leaves of two sizes, and what separates more clusters is
    taken. What is noise, the selection method decides: with ``"eom"`` points between leaves
    of one of its clusters go with the nearest.

    Parameters
    ----------
    embedding : array (points, dimensions)
        UMAP embedding.
    scores : array (points, n_components)
        Whitened scores of the same points.
    min_cluster_size : int
        Fewest points that make a cluster.
    min_samples, method, epsilon
        ``min_samples``, ``cluster_selection_method`` and ``cluster_selection_epsilon`` of
        `hdbscan.HDBSCAN`.
    n_spectra : int
        As in `choose_n_clusters`: no more clusters are joined when so many are left.

    Returns
    -------
    memberships : array (points, n_clusters)
        Rows of zeros are noise.
    n_proposed : int
        Number of clusters before they were joined.

    References
    ----------
    L. McInnes, J. Healy and S. Astels, J. Open Source Softw. 2 (2017) 205.
    """
    best = None
    with tempfile.TemporaryDirectory(prefix="clusterquant-") as folder:
        # Another way to select clusters takes no other tree: they are kept in a folder.
        for factor in COARSER, 1:
            settings = (round(factor * min_cluster_size), min_samples)
            leaves = hdbscan_memberships(embedding, *settings, "leaf", epsilon, folder)
            joined = join_without_gap(scores, leaves, n_spectra)
            if best is None or joined.shape[1] > best[0].shape[1]:
                best = joined, leaves.shape[1], settings
        joined, n_proposed, settings = best
        if method != "eom" or not joined.shape[1]:
            return joined, n_proposed
        selected = hdbscan_memberships(embedding, *settings, method, epsilon, folder).any(axis=1)
    in_leaf = joined.any(axis=1)
    between = selected & ~in_leaf
    joined[between], _ = extend_from_landmarks(scores[in_leaf], joined[in_leaf], scores[between])
    return joined, n_proposed


def hdbscan_memberships(embedding, min_cluster_size, min_samples, method, epsilon, folder):
    """Cluster an embedding with HDBSCAN.

    Parameters
    ----------
    embedding : array (points, dimensions)
        UMAP embedding.
    min_cluster_size : int
        Fewest points that make a cluster.
    min_samples, method, epsilon
        As in `density_clusters`.
    folder : str
        Where trees are kept for the next call.

    Returns
    -------
    array (points, n_clusters)
        Each point's membership strength in its own cluster; a row of zeros is noise.
    """
    from hdbscan import HDBSCAN

    clusterer = HDBSCAN(
        min_cluster_size=min_cluster_size,
        min_samples=min_samples,
        cluster_selection_method=method,
        cluster_selection_epsilon=float(epsilon),
        core_dist_n_jobs=1,
        memory=folder,
    ).fit(np.asarray(embedding, dtype=np.float64))
    memberships = np.zeros((len(embedding), clusterer.labels_.max() + 1))
    clustered = np.flatnonzero(clusterer.labels_ >= 0)
    memberships[clustered, clusterer.labels_[clustered]] = clusterer.probabilities_[clustered]
    return memberships
