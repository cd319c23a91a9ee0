"""Which clusters of two clusterings are the same."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def contingency_table(a, b, n_a=None, n_b=None):
    """Pixels in each cluster of a and each of b, array of int (n_a, n_b).

    Parameters
    ----------
    a, b : array of int (pixels,)
        Labels, negative = none.
    n_a, n_b : int, optional
        Number of clusters. Default: one more than the highest label.
    """
    n_a, n_b = (
        int(labels.max(initial=-1)) + 1 if n is None else n for labels, n in ((a, n_a), (b, n_b))
    )
    clustered = (a >= 0) & (b >= 0)
    pairs = a[clustered].astype(np.int64) * n_b + b[clustered]
    return np.bincount(pairs, minlength=n_a * n_b).reshape(n_a, n_b)


def jaccard_indices(table, a, b):
    """Jaccard's index of each cluster of a and each of b, array (n_a, n_b).

    Parameters
    ----------
    table : array of int (n_a, n_b)
        From `contingency_table`.
    a, b : array of int (pixels,)
        Labels, negative = none.
    """
    sizes = [
        np.bincount(labels[labels >= 0], minlength=n)
        for labels, n in zip((a, b), table.shape, strict=True)
    ]
    union = sizes[0][:, None] + sizes[1] - table
    return table / np.maximum(union, 1)


#: Jaccard's index beyond which the best match of a cluster may be called the same.
SAME = 0.1


def match_labels(reference, labels, n_reference):
    """Give clusters the numbers of those of a reference that they share most pixels with.

    One to one as far as there are enough; each that is left over joins the cluster of the
    reference that holds most of its pixels.

    Parameters
    ----------
    reference, labels : array of int (pixels,)
        Labels, negative = none.
    n_reference : int
        Number of clusters of the reference.

    Returns
    -------
    array of int (n_clusters,)
        New number of each cluster in `labels`, -1 if it shares no pixel with any.

    Examples
    --------
    >>> match_labels(np.array([0, 0, 0, 1, 1]), np.array([2, 2, 0, 1, 1]), 2)
    array([0, 1, 0])
    """
    table = contingency_table(reference, labels, n_reference)
    jaccard = jaccard_indices(table, reference, labels)
    rows, columns = linear_sum_assignment(-jaccard)
    in_none = np.bincount(labels[(labels >= 0) & (reference < 0)], minlength=table.shape[1])
    number = np.where(table.max(axis=0, initial=0) > in_none, table.argmax(axis=0), -1)
    matched = jaccard[rows, columns] > SAME
    number[columns[matched]] = rows[matched]
    return number
