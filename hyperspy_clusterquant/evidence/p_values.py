"""p-values combined, and corrected for their number."""

from __future__ import annotations

import numpy as np

#: p-values closer to one than this say no more than this, so that one split outweighs no other.
HIGHEST_P = 0.99


def combine_p_values(p):
    r"""Combine p-values of the same hypothesis that are not independent.

    The mean of :math:`\tan((1/2 - p)\pi)` has the same (Cauchy) distribution whether the p-values
    are independent or all the same, and nearly so between, as in splits of the same counts.

    Parameters
    ----------
    p : array (n, ...)
        NaN where there is none.

    Returns
    -------
    array (...)
        NaN where there are none at all.

    References
    ----------
    Y. Liu and J. Xie, J. Am. Stat. Assoc. 115 (2020) 393.

    Examples
    --------
    >>> float(combine_p_values(np.array([0.01, 0.01, 0.01])).round(6))
    0.01
    """
    known = np.isfinite(p)
    p = np.where(known, np.minimum(p, HIGHEST_P), 0.5)
    # Far out the tangent is 1 / (pi p), of which rounding takes nothing.
    tiny = p < 1e-8
    values = np.where(tiny, 1 / (np.pi * np.maximum(p, 1e-300)), np.tan((0.5 - p) * np.pi))
    n_known = known.sum(axis=0)
    mean = np.where(known, values, 0).sum(axis=0) / np.maximum(n_known, 1)
    combined = np.where(
        mean > 1e7, 1 / (np.pi * np.maximum(mean, 1)), 0.5 - np.arctan(mean) / np.pi
    )
    return np.where(n_known > 0, combined, np.nan)[()]


def holm(p):
    """p-values corrected for their number, so that at most a share `level` of all tables errs.

    Parameters
    ----------
    p : array (n,)
        NaN where nothing was tested.

    Returns
    -------
    array (n,)

    References
    ----------
    S. Holm, Scand. J. Stat. 6 (1979) 65.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def holm_of_pairs(p):
    """A symmetric matrix of p-values corrected for the number of pairs."""
    pairs = np.triu_indices(len(p), 1)
    adjusted = np.full(p.shape, np.nan)
    adjusted[pairs] = holm(p[pairs])
    adjusted.T[pairs] = adjusted[pairs]
    return adjusted
