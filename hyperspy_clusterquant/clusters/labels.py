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
