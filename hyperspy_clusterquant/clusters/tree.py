"""HDBSCAN's condensed tree: how dense regions of an embedding split into denser ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant._frozen import Frozen


@dataclass(frozen=True, eq=False)
class Branch(Frozen):
    """A dense region, from where it appears until it splits or dissolves.

    Attributes
    ----------
    densities : array (n,)
        Ascending; density is the inverse of the mutual reachability distance.
    left, right : array (n,)
        Its ends from each density on, in points; what lies between are the points that it has.
    points : array of int (n_points,)
        All that fall out of a leaf; none of what splits.
    """

    densities: np.ndarray
    left: np.ndarray
    right: np.ndarray
    points: np.ndarray

    @property
    def is_leaf(self):
        """Whether it does not split."""
        return len(self.points) > 0


def condensed_tree(embedding, min_cluster_size, min_samples):
    """Branches of HDBSCAN's condensed tree, each as wide as it has points.

    Parameters
    ----------
    embedding : array (points, dimensions)
    min_cluster_size : int
        Fewest points of a branch.
    min_samples : int or None
        As in `hdbscan.HDBSCAN`.

    Returns
    -------
    list of Branch
        The root first. What a branch splits into lies side by side below it.

    References
    ----------
    R. J. G. B. Campello, D. Moulavi and J. Sander, PAKDD (2013) 160.
    """
    from hdbscan import HDBSCAN

    clusterer = HDBSCAN(
        min_cluster_size=min_cluster_size, min_samples=min_samples, core_dist_n_jobs=1
    ).fit(np.asarray(embedding, dtype=np.float64))
    table = clusterer.condensed_tree_.to_numpy()
    finite = table["lambda_val"][np.isfinite(table["lambda_val"])]
    # Points in one place are infinitely dense.
    table["lambda_val"] = np.minimum(table["lambda_val"], finite.max(initial=1.0))
    root = len(embedding)
    branches, todo = [], [(root, 0.0, 0.0, float(root))]
    while todo:
        number, born, left, right = todo.pop(0)
        rows = table[table["parent"] == number]
        branch = _branch(rows, born, left, right)
        branches.append(branch)
        middle = (branch.left[-1] + branch.right[-1]) / 2
        parts = rows[rows["child_size"] > 1]
        start = middle - parts["child_size"].sum() / 2
        for part in parts:
            size = float(part["child_size"])
            todo.append((int(part["child"]), float(part["lambda_val"]), start, start + size))
            start += size
    return branches


def _branch(rows, born, left, right):
    """A branch from the rows of the table in which points or other branches leave it."""
    is_point = rows["child_size"] == 1
    splits = not is_point.all()
    end = rows["lambda_val"][~is_point].min() if splits else rows["lambda_val"].max(initial=born)
    leaving = np.sort(rows["lambda_val"][is_point])
    densities = np.unique(np.concatenate([[born], leaving[leaving < end], [end]]))
    # From the density at which a point leaves, it is narrower; the last ones go at the end.
    gone = np.searchsorted(leaving, densities[:-1], side="right") if len(densities) > 1 else [0]
    gone = np.append(gone, np.count_nonzero(leaving) if splits else gone[-1])
    middle, half = (left + right) / 2, (right - left - np.asarray(gone)) / 2
    points = np.array([], dtype=int) if splits else rows["child"].astype(int)
    return Branch(densities, middle - half, middle + half, points)
