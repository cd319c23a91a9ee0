"""What uncertainties mean near zero, for ratios, and between compositions."""

from __future__ import annotations

import numpy as np
from scipy import special

#: An element is detected if its counts exceed zero by so many standard deviations, which noise
#: alone does in 5 % of the cases (Currie's critical level).
DETECTED = 1.645
#: Probability that the truth lies below an upper limit.
LIMIT = 0.95


def quantile_above_zero(estimate, std, probability):
    r"""Quantile of a normal distribution of which only what is not negative is possible.

    Parameters
    ----------
    estimate : float or array
        Measured value, which may be negative.
    std : float or array
        Its standard deviation.
    probability : float
        Probability to lie below.

    Returns
    -------
    float or array

    References
    ----------
    H. B. Prosper, Phys. Rev. D 37 (1988) 1153 (a flat prior above zero).

    Examples
    --------
    >>> round(float(quantile_above_zero(100.0, 1.0, 0.5)), 3)  # far from zero: the median
    100.0
    >>> round(float(quantile_above_zero(0.0, 1.0, 0.95)), 2)
    1.96
    """
    estimate, std = np.asarray(estimate, dtype=float), np.asarray(std, dtype=float)
    above = special.ndtr(estimate / std)
    return estimate - std * special.ndtri((1 - probability) * above)


def ratio(values, covariance, numerator, denominator):
    """Ratio of two sums of values at some positions, and its standard deviation.

    NaN where the denominator is zero. Values (n,) with their covariance (n, n).
    """
    top, bottom = values[numerator].sum(), values[denominator].sum()
    if not bottom > 0:
        return np.nan, np.nan
    gradient = np.zeros(len(values))
    gradient[numerator] += 1 / bottom
    gradient[denominator] -= top / bottom**2
    return top / bottom, float(np.sqrt(gradient @ covariance @ gradient))


def distance_in_std(difference, covariance):
    """Root mean square of a difference of compositions along its independent directions, in std.

    Mahalanobis' distance over the square root of the number of directions that have a
    variance: 1 where the difference is what the uncertainty explains.

    Parameters
    ----------
    difference : array (n,)
        Sums to zero.
    covariance : array (n, n)

    Returns
    -------
    float
        Infinite for a difference where there is no uncertainty.

    References
    ----------
    P. C. Mahalanobis, Proc. Natl. Inst. Sci. India 2 (1936) 49.
    """
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-9 * max(values.max(), 1e-300)
    along = vectors.T @ difference
    outside = np.abs(along[~kept]).max(initial=0.0)
    if not kept.any() or outside > 1e-6 * np.linalg.norm(difference) + 1e-9:
        return np.inf if np.linalg.norm(difference) > 0 else 0.0
    return float(np.sqrt((along[kept] ** 2 / values[kept]).mean()))


def whitening(covariance):
    """Matrix that makes what has a covariance (n, n) independent and of unit variance.

    Array (n_directions, n), without the directions that have no variance.
    """
    variances, vectors = np.linalg.eigh(covariance)
    kept = variances > 1e-12 * max(variances.max(), 1e-300)
    return vectors[:, kept].T / np.sqrt(variances[kept])[:, None]
