"""Clusters of several clusterings under the numbers of one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

#: Jaccard's index beyond which the best match of a cluster may be called the same.
SAME = 0.1


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


@dataclass(frozen=True, eq=False)
class Halves:
    """Clusters that were learned on first halves of the counts, numbered like those of a result.

    Attributes
    ----------
    first, second : array (n_splits, n_clusters, channels)
        Their summed counts in both halves; zero where a cluster was not found.
    found : array of bool (n_splits, n_clusters)
        Whether the cluster was found in the first half.
    pixels : array of int (n_splits, n_clusters, n_clusters)
        Pixels of each cluster of the result, in rows, that a split gives to each.
    sizes : array of int (n_clusters,)
        Pixels of the clusters of the result.
    split_sizes : array of int (n_splits, n_clusters)
        Pixels of the clusters in each split.
    """

    first: np.ndarray
    second: np.ndarray
    found: np.ndarray
    pixels: np.ndarray
    sizes: np.ndarray
    split_sizes: np.ndarray

    @property
    def n_clusters(self):
        """Number of clusters of the result."""
        return self.found.shape[1]

    @property
    def jaccard(self):
        """Pixels that a cluster and that of the split share, of all that either has.

        Array (n_splits, n_clusters).
        """
        shared = np.einsum("mkk->mk", self.pixels)
        return shared / np.maximum(self.sizes + self.split_sizes - shared, 1)

    def merged(self, groups):
        """The same with clusters in groups, a list of lists of their numbers."""
        member = np.zeros((len(groups), self.n_clusters), dtype=int)
        for number, group in enumerate(groups):
            member[number, group] = 1
        return Halves(
            first=np.einsum("gk,mkc->mgc", member, self.first),
            second=np.einsum("gk,mkc->mgc", member, self.second),
            found=self.found @ member.T > 0,
            pixels=member @ self.pixels @ member.T,
            sizes=member @ self.sizes,
            split_sizes=self.split_sizes @ member.T,
        )


def collect_halves(splits, reference, n_clusters):
    """Clusters of several splits under the numbers of a result's clusters.

    Parameters
    ----------
    splits : iterable of Split
        With `labels`, `first` and `second`; taken one after the other.
    reference : array of int (kept pixels,)
        Labels of the result.
    n_clusters : int
        Number of its clusters.

    Returns
    -------
    Halves
    """
    collected = []
    for split in splits:
        number = match_labels(reference, split.labels, n_clusters)
        indicator = (number == np.arange(n_clusters)[:, None]).astype(float)
        labels = np.append(number, -1)[split.labels]
        collected.append(
            (
                indicator @ split.first,
                indicator @ split.second,
                indicator.any(axis=1),
                contingency_table(reference, labels, n_clusters, n_clusters),
                np.bincount(labels[labels >= 0], minlength=n_clusters),
            )
        )
    first, second, found, pixels, sizes = (np.array(x) for x in zip(*collected, strict=True))
    reference_sizes = np.bincount(reference[reference >= 0], minlength=n_clusters)
    return Halves(first, second, found, pixels, reference_sizes, sizes)
