"""Counts x memberships: the spectra of clusters and their variances."""

from __future__ import annotations

import numpy as np

#: Pixels made float at a time: 512 x 4096 channels are 17 MB.
BLOCK_ROWS = 512


def weighted_sums(counts, weights):
    """Membership-weighted sums of a block of counts, and their variances.

    Parameters
    ----------
    counts : array (pixels, channels)
        Poisson counts n of any dtype.
    weights : array (n_clusters, pixels)
        Memberships w.

    Returns
    -------
    array (2, n_clusters, channels)
        Sums ``sum(w n)``, and ``sum(w^2 n)``, which estimates their variance.
    """
    weights = weights.astype(np.float64)
    stacked = np.concatenate([weights, weights**2])
    sums = np.zeros((len(stacked), counts.shape[1]))
    for start in range(0, len(counts), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        sums += stacked[:, rows] @ counts[rows].astype(np.float64)
    return sums.reshape(2, len(weights), -1)
