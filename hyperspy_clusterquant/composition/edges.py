"""Edges in the composition along a line: where they are, and how wide without the beam's blur."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.optimize import OptimizeWarning, curve_fit

from hyperspy_clusterquant.composition.profile import NARROWEST, averaged
from hyperspy_clusterquant.composition.uncertainty import quantile_above_zero

#: Distance from 10 to 90 % of an error function, in standard deviations of its Gaussian.
WIDTH_10_90 = 2 * float(special.ndtri(0.9))
#: Probability to be within one standard deviation.
ONE_STD = float(special.ndtr(1) - special.ndtr(-1))
#: Steps that a phase must last on both sides of an interface, and that a fit of one needs.
FEWEST_STEPS, FEWEST_FITTED = 3, 5


@dataclass(frozen=True, eq=False)
class Edge:
    """An error function fitted to the composition across an interface.

    Attributes
    ----------
    position, position_std : float
        Along the line.
    sigma, sigma_std : float
        Of its Gaussian; NaN where there are too few steps, or no edge in them.
    element : int
        Number of the element it was fitted to.
    sides : tuple of int
        Labels before and after it.
    """

    position: float
    position_std: float
    sigma: float
    sigma_std: float
    element: int
    sides: tuple


def find_edges(steps, labels, percent, std, amounts, blur):
    """Edges between the phases along a line.

    Parameters
    ----------
    steps : Steps
    labels : array of int (n_steps,)
        Phase of each step, below 0 = none.
    percent, std : array (n_steps, n_elements)
    amounts : array (n_steps,)
        Of all elements in a pixel. Where two phases with different ones are mixed, the composition
        is that of the mixture.
    blur : float
        Gaussian sigma that the fits begin with.

    Returns
    -------
    list of Edge
    """
    distance = steps.distance
    changes = _changes(labels)
    if not changes:
        return []
    places = np.array([(distance[a] + distance[b]) / 2 for a, b in changes])
    middles = [-np.inf, *(places[1:] + places[:-1]) / 2, np.inf]
    # By their own variances, steps with too few counts would weigh more.
    known = np.isfinite(std).all(axis=1) & np.isfinite(percent).all(axis=1)
    smooth = np.full(std.shape, np.nan)
    if known.any():
        smooth[known] = np.sqrt(averaged(std[known] ** 2))
    edges = []
    for (a, b), place, low, high in zip(changes, places, middles[:-1], middles[1:], strict=True):
        inside = known & (distance > low) & (distance < high)
        one, other = inside & (distance < place), inside & (distance > place)
        sides = int(labels[a]), int(labels[b])
        at, at_std = float(place), float((distance[b] - distance[a]) / np.sqrt(12))
        element = _most_different(percent, smooth, one, other)
        found = None
        if min(one.sum(), other.sum()) > 1 and inside.sum() >= FEWEST_FITTED:
            # What is known of the composition is above zero in amount.
            ratio = np.median(amounts[other]) / np.median(amounts[one])
            found = _fit_edge(
                steps, inside, percent[:, element], smooth[:, element], ratio, at, blur
            )
        edges.append(Edge(*(found or (at, at_std, np.nan, np.nan)), element, sides))
    return edges


def _changes(labels):
    """Last step of one phase and first of the next, where both last long enough."""
    starts = np.flatnonzero(np.append(True, labels[1:] != labels[:-1]))
    ends = np.append(starts[1:], len(labels)) - 1
    runs = [
        (a, b) for a, b in zip(starts, ends, strict=True)
        if labels[a] >= 0 and b - a + 1 >= FEWEST_STEPS
    ]  # fmt: skip
    pairs = itertools.pairwise(runs)
    return [(int(b), int(a)) for (_, b), (a, _) in pairs if labels[b] != labels[a]]


def _most_different(percent, std, one, other):
    """Number of the element whose difference of two groups of steps is the most significant."""
    if not one.any() or not other.any():
        return 0
    means, variances = [], []
    for side in (one, other):
        weights = std[side] ** -2.0
        means.append((weights * percent[side]).sum(axis=0) / weights.sum(axis=0))
        variances.append(1 / weights.sum(axis=0))
    return int(np.argmax(np.abs(means[1] - means[0]) / np.sqrt(variances[0] + variances[1])))


def _fit_edge(steps, inside, percent, std, ratio, place, blur):
    """Position and Gaussian sigma of an edge with their standard deviations, or None."""
    of_pixel = inside[steps.number]
    along, number = steps.along[of_pixel], np.cumsum(inside)[steps.number[of_pixel]] - 1
    sizes = np.bincount(number)

    def model(_, before, after, position, sigma):
        part = np.bincount(number, special.ndtr((along - position) / sigma)) / sizes
        part = ratio * part / (1 - part + ratio * part)
        return before + (after - before) * part

    values, low, high = percent[inside], along.min(), along.max()
    narrowest = NARROWEST * steps.spacing
    ends = [values[:2].mean(), values[-2:].mean(), place, max(blur, 2 * narrowest)]
    bounds = [-np.inf, -np.inf, low, narrowest], [np.inf, np.inf, high, high - low]
    try:
        with warnings.catch_warnings():
            # Of a covariance that cannot be known, which is infinite then.
            warnings.simplefilter("ignore", OptimizeWarning)
            found, covariance = curve_fit(
                model, None, values, np.clip(ends, *bounds), std[inside], True, bounds=bounds
            )
    except RuntimeError:  # no convergence
        return None
    stds = np.sqrt(np.diag(covariance))
    if not np.isfinite(stds).all():
        return None
    return float(found[2]), float(stds[2]), float(found[3]), float(stds[3])


def without_blur(width, width_std, blur, blur_std):
    """What is left of a width without that of the blur, as squares, and its standard deviation.

    That is to the farther end of the interval that one of the square gives, and of no width, up to
    where the truth lies with 68 % probability.

    Examples
    --------
    >>> without_blur(5.0, 0.1, 3.0, 0.0)
    (4.0, 0.127...)
    """
    square = width**2 - blur**2
    spread = 2 * float(np.hypot(width * width_std, blur * blur_std))
    if square > 0:
        left = float(np.sqrt(square))
        ends = np.sqrt([max(square - spread, 0.0), square + spread])
        return left, float(np.abs(ends - left).max())
    if not np.isfinite(square):
        return np.nan, np.nan
    return 0.0, float(np.sqrt(quantile_above_zero(square, spread, ONE_STD)))
