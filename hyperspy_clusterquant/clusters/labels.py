"""What labels mean, and their order."""

from __future__ import annotations

import numpy as np

NOISE = -1
MASKED = -2


def drop_empty_and_sort(labels, memberships):
    """Renumber clusters densely, largest first.

    Parameters
    ----------
    labels : array of int (pixels,)
        0 .. n-1, -1 = noise.
    memberships : array (pixels, n_clusters)
        In the order of the labels.

    Returns
    -------
    labels : array of int (pixels,)
    memberships : array (pixels, n_clusters)
    order : array of int
        Old number of each new cluster.
    """
    sizes = np.bincount(labels[labels >= 0], minlength=memberships.shape[1])
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] > 0]
    new_number = np.full(len(sizes) + 1, -1)
    new_number[order] = np.arange(len(order))
    return new_number[labels], memberships[:, order], order


def borders(labels, n_clusters):
    """Share of each cluster's border that it has with each other cluster.

    Parameters
    ----------
    labels : array of int (map shape)
    n_clusters : int

    Returns
    -------
    array (n_clusters, n_clusters)
        Rows sum to one, or to zero for clusters that border on none.

    Examples
    --------
    >>> borders(np.array([0, 0, 1, 1, 2]), 3)
    array([[0. , 1. , 0. ],
           [0.5, 0. , 0.5],
           [0. , 1. , 0. ]])
    """
    shared = np.zeros((n_clusters, n_clusters))
    for axis in range(labels.ndim):
        along = np.moveaxis(labels, axis, 0)
        one, other = along[:-1].ravel(), along[1:].ravel()
        differ = (one != other) & (one >= 0) & (other >= 0)
        np.add.at(shared, (one[differ], other[differ]), 1)
    shared += shared.T
    return shared / np.maximum(shared.sum(axis=1, keepdims=True), 1)
