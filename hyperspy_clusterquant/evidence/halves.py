"""Clusters of several count splits under the numbers of a result's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant.evidence.matching import contingency_table, match_labels

#: Overlap (Jaccard's index) from which a cluster that is found again is called stable, and below
#: which it is another one each time.
STABLE, DOUBTFUL = 0.75, 0.5


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
