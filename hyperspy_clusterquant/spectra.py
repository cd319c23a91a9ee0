"""Counts x memberships: the spectra of clusters and their variances."""

from __future__ import annotations

import numpy as np

#: Pixels made float at a time: 512 x 4096 channels are 17 MB.
BLOCK_ROWS = 512


def weighted_sums(counts, weights):
    """Weighted sums of the spectra of a block of counts.

    Parameters
    ----------
    counts : array or scipy.sparse.csr_array (pixels, channels)
        Poisson counts n of any dtype.
    weights : array (n_sums, pixels)
        Weights w.

    Returns
    -------
    array (n_sums, channels)
        ``sum(w n)``. With the squares of the weights it is the variance of that.
    """
    # Sums of single bytes over a block are whole numbers that float32 holds as they are.
    single = counts.dtype.itemsize == 1 and weights.dtype == bool
    dtype = np.float32 if single else np.float64
    weights = weights.astype(dtype)
    sums = np.zeros((len(weights), counts.shape[1]))
    for start in range(0, counts.shape[0], BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        sums += weights[:, rows] @ counts[rows].astype(dtype)
    return sums


def project(counts, operator):
    """Linear combinations of the channels of each pixel.

    Parameters
    ----------
    counts : array or scipy.sparse.csr_array (pixels, channels)
        Of any dtype.
    operator : array (n_values, channels)

    Returns
    -------
    array (n_values, pixels)
    """
    values = np.zeros((len(operator), counts.shape[0]))
    for start in range(0, counts.shape[0], BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        values[:, rows] = operator @ counts[rows].T.astype(np.float64)
    return values
