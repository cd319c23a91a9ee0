"""Clusters of an embedding by density, with HDBSCAN."""

from __future__ import annotations

import contextlib
import tempfile

import numpy as np

from hyperspy_clusterquant.clusters.embedding import nearest_landmarks, voted
from hyperspy_clusterquant.clusters.gaps import join_without_gap
from hyperspy_clusterquant.counts.stores import FilesError

#: HDBSCAN proposes clusters down to this share of the landmarks, or to what is asked for.
PROPOSED_SHARE = 0.03
#: Size of HDBSCAN's coarser proposals, in units of the finer.
COARSER = 5 / 3


def density_clusters(
    embedding, scores, min_cluster_size, min_samples, method, epsilon, n_spectra=1, halves=None,
    landmarks=None,
):  # fmt: skip
    """Clusters of an embedding by density that gaps in the scores separate, or borders on the map.

    HDBSCAN's finest clusters, the leaves of its tree, are joined where nothing separates
    them (`join_without_gap`): which clumps the embedding makes, and which of them HDBSCAN takes
    together, depends on chance and settings, the gaps do not. A gap can still hide inside a
    clump, so that is done with leaves of two sizes, and what separates more clusters is
    taken. What is noise, the selection method decides: with ``"eom"`` points between leaves
    of one of its clusters go with the nearest. Of a part of the points, an embedding proposes as
    well; gaps and borders are looked for among all that are given.

    Parameters
    ----------
    embedding : array (landmarks, dimensions)
        UMAP embedding.
    scores : array (points, n_components)
        Whitened scores.
    min_cluster_size : int
        Fewest landmarks that make a cluster.
    min_samples, method, epsilon
        ``min_samples``, ``cluster_selection_method`` and ``cluster_selection_epsilon`` of
        `hdbscan.HDBSCAN`.
    n_spectra : int
        As in `separated_groups`.
    halves : Halves, optional
        Of the points, for borders between clusters.
    landmarks : array of int (landmarks,), optional
        Which of the points were embedded; default: all.

    Returns
    -------
    starts : list of array (points, n_clusters)
        Memberships in the clusters that are separated, and if these are fewer than `n_spectra`, in
        as many as that. Rows of zeros are noise.
    n_proposed : int
        Number of clusters before they were joined.
    smallest : int
        Fewest landmarks of a cluster of the tree that they are leaves of.

    References
    ----------
    L. McInnes, J. Healy and S. Astels, J. Open Source Softw. 2 (2017) 205.
    """
    of_all = _Extension(scores, landmarks)
    found = []
    with _folder_for_trees() as folder:
        # Another way to select clusters takes no other tree: they are kept in a folder.
        for factor in COARSER, 1:
            settings = (round(factor * min_cluster_size), min_samples)
            leaves = of_all(hdbscan_memberships(embedding, *settings, "leaf", epsilon, folder))
            found.append((join_without_gap(scores, leaves, 1, halves), leaves, settings))
        joined, leaves, settings = max(found, key=lambda each: each[0].shape[1])
        starts = [joined]
        if joined.shape[1] < n_spectra:
            # Those that separate most may be too few leaves for as many.
            leaves, settings = max((each[1:] for each in found), key=lambda each: each[0].shape[1])
            starts.append(join_without_gap(scores, leaves, n_spectra, halves))
        if method == "eom" and joined.shape[1]:
            selected = of_all(hdbscan_memberships(embedding, *settings, method, epsilon, folder))
            starts = [_with_between(start, scores, selected.any(axis=1)) for start in starts]
    return starts, leaves.shape[1], settings[0]


class _Extension:
    """Memberships of all points from those of landmarks, which keep their own.

    `landmarks` are numbers of points; None = they are all of them.
    """

    def __init__(self, scores, landmarks):
        self._landmarks = landmarks
        if landmarks is not None:
            self._others = np.setdiff1d(np.arange(len(scores)), landmarks)
            self._nearest = nearest_landmarks(scores[landmarks], scores[self._others])

    def __call__(self, memberships):
        if self._landmarks is None:
            return memberships
        extended = np.zeros((len(self._landmarks) + len(self._others), memberships.shape[1]))
        extended[self._landmarks] = memberships
        extended[self._others] = voted(memberships, self._nearest)
        return extended


@contextlib.contextmanager
def _folder_for_trees():
    """A folder for HDBSCAN's trees, which is removed; an error of the system names its place."""
    try:
        with tempfile.TemporaryDirectory(prefix="clusterquant-") as folder:
            yield folder
    except OSError as error:
        raise FilesError(
            error.errno,
            f"HDBSCAN could not keep its trees in temporary files in {tempfile.gettempdir()} "
            f"({error.strerror or error}). Free space there, or set the environment variable "
            "TMPDIR to another folder before Python is started.",
        ) from error


def _with_between(joined, scores, selected):
    """Clusters with the selected points between their leaves, which go with the nearest."""
    in_leaf = joined.any(axis=1)
    between = selected & ~in_leaf
    joined[between] = voted(joined[in_leaf], nearest_landmarks(scores[in_leaf], scores[between]))
    return joined


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
