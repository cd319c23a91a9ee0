"""Spectra that pixels are told by: without noise, and without what is no chemistry."""

from __future__ import annotations

import numpy as np

#: Largest factor by which a nuisance is taken to change the counts of a feature.
LARGEST_CHANGE = 2.0


def denoised(spectra, reduction, subspace=None):
    """Summed spectra with only those differences from the mean that the components hold.

    Parameters
    ----------
    spectra : array (n, features)
        Counts.
    reduction : Reduction
    subspace : array (features, n), optional
        Orthonormal directions that differences may have. Default: the components.

    Returns
    -------
    array (n, features)
        With the same sums.
    """
    subspace = reduction.components if subspace is None else subspace
    root = np.sqrt(reduction.share)
    totals = spectra.sum(axis=1, keepdims=True)
    shares = spectra / np.maximum(totals, 1e-9)
    scores = ((shares - reduction.share) / root) @ subspace
    shares = np.maximum(reduction.share + root * (scores @ subspace.T), 0)
    return totals * shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)


def without_nuisance(spectra, reduction, inside, dose):
    """Summed spectra with less difference in what is no chemistry, as pixels are not told by it.

    Where it hardly varies inside of clusters, pixels are told by it all the same: the difference is
    divided by one more than the variance inside in units of a pixel's shot noise.

    Parameters
    ----------
    spectra : array (n, features)
        Counts.
    reduction : Reduction
    inside : array (n_nuisance, n_nuisance)
        Covariance inside of clusters, per count, from `Learning.nuisance_inside`.
    dose : float
        Counts of a pixel.

    Returns
    -------
    array (n, features)
        With the same sums. No count changes by more than `LARGEST_CHANGE`: spectra that are very
        different differ in chemistry.
    """
    root = np.sqrt(reduction.share)
    totals = spectra.sum(axis=1, keepdims=True)
    shares = spectra / np.maximum(totals, 1e-9)
    basis = reduction.nuisance
    along = ((shares - reduction.share) / root) @ basis
    along -= np.linalg.solve(np.eye(len(inside)) + dose * inside, along.T).T
    changed = shares - root * (along @ basis.T)
    shares = np.clip(changed, shares / LARGEST_CHANGE, shares * LARGEST_CHANGE)
    return totals * shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
