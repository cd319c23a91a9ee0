"""Sparse counts of pixels in the least memory, thinned and summed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(frozen=True, eq=False)
class PackedCounts:
    """Sparse counts of some pixels in the least memory: mostly 3 bytes for each that is not zero.

    scipy's sparse arrays need 8; they are made from this where they are worked on.

    Attributes
    ----------
    n_features : int
        Number of features.
    ends : array of int (pixels + 1,)
        Where the entries of each pixel begin and end.
    features : array of unsigned int (entries,)
        Feature of each entry.
    values : array of unsigned int (entries,)
        Its counts.
    is_blank : bool
        Whether what it was read from holds not a single count, whatever the feature.
    """

    n_features: int
    ends: np.ndarray
    features: np.ndarray
    values: np.ndarray
    is_blank: bool = False

    @classmethod
    def pack(cls, counts):
        """From a `scipy.sparse.csr_array` of whole numbers."""
        return cls(
            counts.shape[1],
            counts.indptr.astype(np.int64 if counts.nnz >= 2**31 else np.int32),
            counts.indices.astype(np.min_scalar_type(max(counts.shape[1] - 1, 0))),
            counts.data.astype(np.min_scalar_type(counts.data.max() if counts.nnz else 0)),
        )

    def unpack(self):
        """As a `scipy.sparse.csr_array` (pixels, features) of int32."""
        return sparse.csr_array(
            (self.values.astype(np.int32), self.features.astype(np.int32), self.ends),
            shape=(len(self), self.n_features),
        )

    def rows(self, start, end):
        """The pixels from `start` to `end`."""
        ends = self.ends[start : end + 1]
        entries = slice(ends[0], ends[-1])
        return PackedCounts(
            self.n_features, ends - ends[0], self.features[entries], self.values[entries]
        )

    def __len__(self):
        return len(self.ends) - 1

    @property
    def arrays(self):
        """What is to be stored."""
        return self.ends, self.features, self.values

    def __sizeof__(self):
        return sum(array.nbytes for array in self.arrays)


def thin(counts, rng):
    """Split counts into two independent halves by binomial thinning.

    Parameters
    ----------
    counts : scipy.sparse.csr_array of int (pixels, features)
        Poisson counts X.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    tuple of scipy.sparse.csr_array
        A ~ Binomial(X, 1/2) and X - A: independent if X is Poisson.

    References
    ----------
    A. Neufeld, A. Dharamshi, L. L. Gao and D. Witten, Biostatistics 25 (2022) 270.
    """
    first = counts.copy()
    first.data = rng.binomial(counts.data, 0.5).astype(counts.dtype)
    second = counts.copy()
    second.data = counts.data - first.data
    return first, second


def group_rows(counts, group_of_row, n_groups):
    """Sum the rows of sparse counts that belong to the same group, (n_groups, columns)."""
    n_rows = counts.shape[0]
    indicator = sparse.csr_array(
        (np.ones(n_rows, dtype=counts.dtype), (group_of_row, np.arange(n_rows))),
        shape=(n_groups, n_rows),
    )
    return sparse.csr_array(indicator @ counts)


def group_columns(counts, group_of_column, n_groups):
    """Sum the columns of sparse counts that belong to the same group, (rows, n_groups)."""
    merged = sparse.csr_array(
        (counts.data, group_of_column[counts.indices].astype(np.int32), counts.indptr),
        shape=(counts.shape[0], n_groups),
        copy=True,
    )
    merged.sum_duplicates()
    return merged


def row_sums(counts):
    """Sum over the features of each pixel."""
    return np.asarray(counts.sum(axis=1), dtype=float).ravel()


def column_sums(counts):
    """Sum over the pixels of each feature."""
    return np.asarray(counts.sum(axis=0), dtype=float).ravel()
