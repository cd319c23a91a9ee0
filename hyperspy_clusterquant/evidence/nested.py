"""One p-value from tests in tiles of all sizes, of which each is made of smaller ones."""

from __future__ import annotations

import numpy as np
from scipy import stats

#: Below it, p-values at different sizes are independent: to be so small at two of them by chance is
#: as good as impossible.
TINY = 1e-7
#: Sizes whose sums are so much correlated are one and the same test.
SAME = 0.98
#: Points of the integrals.
NODES, WEIGHTS = np.polynomial.legendre.leggauss(96)
LOWEST = -8.0


def of_nested(p, pairs):
    r"""p-value of the smallest of several that belong to sums over nested tiles.

    The sum over pairs of counts in the same tile contains that over pairs in the same smaller
    tile, and what it adds is independent of that. The sums at all sizes are then a Markov chain,
    neighbours of which have the correlation :math:`\sqrt{n / n'}`, n and n' their pairs. That the
    smallest p-value of such normal variables is as small is an integral over one after the other.

    Parameters
    ----------
    p : array (n_sizes,)
        From small to large tiles; NaN where there is none.
    pairs : array (n_sizes,)
        Pairs of counts in the same tile.

    Returns
    -------
    float
        NaN where there are none at all.

    Examples
    --------
    >>> round(of_nested(np.array([0.01, 0.4]), np.array([1.0, 1e6])), 4)  # 1 - 0.99**2
    0.0199
    >>> round(of_nested(np.array([0.01, 0.4]), np.array([1.0, 1.8])), 4)
    0.0169
    """
    known = np.isfinite(p) & (pairs > 0)
    if not known.any():
        return np.nan
    lowest = float(np.min(p[known]))
    correlations = np.sqrt(np.clip(pairs[known][:-1] / pairs[known][1:], 0, 1))
    correlations = correlations[correlations < SAME]
    if lowest < TINY:
        return min(lowest * (1 + len(correlations)), 1.0)
    limit = stats.norm.isf(min(lowest, 1 - 1e-15))
    below = _all_below(limit, correlations)
    return float(np.clip(1 - below, lowest, 1.0))


def _all_below(limit, correlations):
    """Probability that all of a chain of normal variables lie below a limit."""
    if limit <= LOWEST:
        return 0.0
    half = 0.5 * (limit - LOWEST)
    z, weights = LOWEST + half * (NODES + 1), half * WEIGHTS
    density = stats.norm.pdf(z)
    for correlation in correlations:
        spread = np.sqrt(1 - correlation**2)
        steps = stats.norm.pdf((z[:, None] - correlation * z) / spread) / spread
        density = steps @ (weights * density)
    return float(weights @ density)


def smallest_of(*p):
    """p-value of the smallest of independent ones, (n,) each; NaN of some are passed over."""
    p = np.array(np.broadcast_arrays(*p), dtype=float)
    n = np.isfinite(p).sum(axis=0)
    lowest = np.where(n > 0, np.min(np.where(np.isfinite(p), p, np.inf), axis=0), np.nan)
    return of_many(lowest, n)


def of_many(p, n):
    """Probability that the smallest of n independent p-values is as small as p; NaN of none."""
    p, n = np.asarray(p, dtype=float), np.asarray(n)
    with np.errstate(invalid="ignore"):
        found = -np.expm1(n * np.log1p(-np.minimum(p, 1 - 1e-15)))
    return np.where(n > 0, found, np.nan)[()]
