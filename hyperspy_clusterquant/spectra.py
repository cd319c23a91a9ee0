"""Counts x memberships: the spectra of clusters and their variances."""

from __future__ import annotations

import numpy as np


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
    n_clusters = len(weights)
    weights = weights.astype(np.float64)
    stacked = np.concatenate([weights, weights**2])
    return (stacked @ counts.astype(np.float64)).reshape(2, n_clusters, -1)
