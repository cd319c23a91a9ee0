"""Compositions of measured intensities, of spectra and of every pixel of a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.composition.absorption import Absorption, consistent_factors
from hyperspy_clusterquant.composition.cliff_lorimer import (
    atomic_fractions,
    fraction_covariance,
    fraction_covariance_from_kfactors,
    weight_fractions,
)
from hyperspy_clusterquant.composition.entropy import configurational_entropy
from hyperspy_clusterquant.composition.uncertainty import DETECTED
from hyperspy_clusterquant.xrays.emission import atomic_weight, split_line

#: Standard deviations that the amount of all elements in a pixel must be above zero.
SURE = 3.0
#: Of stray X-rays there are fewer than this share of the sample's in a pixel, and they have less
#: than this part of its share of all counts.
STRAY_AMOUNT, STRAY_PART = 0.1, 0.5


@dataclass(frozen=True, eq=False)
class Composition(Frozen):
    """Compositions of spectra as in a `CompositionTable`; NaN where there are no counts of lines.

    Arrays (n_spectra, n_elements), and one more axis of elements for covariances.
    """

    atomic_percent: np.ndarray
    weight_percent: np.ndarray
    covariance_counting: np.ndarray
    covariance_kfactor: np.ndarray
    covariance_mixing: np.ndarray
    weight_percent_std: np.ndarray
    configurational_entropy: np.ndarray
    configurational_entropy_std: np.ndarray
    absorption: Absorption | None
    absorption_factors: np.ndarray


def compose(intensities, kfactors, foil=None, sublattices=(), mixing=None):
    """Compositions of measured intensities after Cliff and Lorimer, with uncertainties.

    Parameters
    ----------
    intensities : Intensities
    kfactors : KFactors
        By weight; of lines without a relative uncertainty it is zero.
    foil : Absorption, optional
        To correct for absorption in it.
    sublattices : sequence of sequence of str
        Elements that share sites, for the entropy.
    mixing : array (n_spectra, n_lines, n_lines), optional
        Covariances of the areas from what is uncertain about blur and labels.

    Returns
    -------
    Composition
    """
    lines, areas = intensities.lines, intensities.areas
    elements = [split_line(line)[0] for line in lines]
    k, masses = kfactor_array(lines, kfactors), _masses(lines)
    relative = np.array([kfactors.relative_uncertainty.get(line, 0.0) for line in lines])
    groups = [[elements.index(element) for element in group] for group in sublattices]
    factors = np.ones(areas.shape)
    if foil is not None:
        factors, foil = consistent_factors(areas, k, lines, foil)
    if mixing is None:
        mixing = np.zeros(intensities.covariances.shape)
    rows = [
        _composition(own, covariance, of_mixing, k * factor, relative, masses, groups)
        for own, covariance, of_mixing, factor in zip(
            areas, intensities.covariances, mixing, factors, strict=True
        )
    ]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    nothing = ~(intensities.unconstrained > DETECTED * intensities.std).any(axis=1)
    for name in ("configurational_entropy", "configurational_entropy_std"):
        columns[name][nothing] = np.nan
    return Composition(**columns, absorption=foil, absorption_factors=factors)


def _composition(areas, covariance, mixing, k, relative, masses, groups):
    """One spectrum: fractions, their uncertainties and the entropy."""
    atomic = atomic_fractions(areas, k, masses)
    weight = weight_fractions(areas, k)
    counting = fraction_covariance(atomic, k / masses, areas, covariance)
    from_mixing = fraction_covariance(atomic, k / masses, areas, mixing)
    of_weight = fraction_covariance(weight, k, areas, covariance + mixing)
    from_k = fraction_covariance_from_kfactors(atomic, relative)
    from_k_weight = fraction_covariance_from_kfactors(weight, relative)
    s, s_std = configurational_entropy(atomic, counting + from_k + from_mixing, groups)
    if np.isnan(atomic).any():
        s, s_std = np.nan, np.nan
    return {
        "atomic_percent": 100 * atomic,
        "weight_percent": 100 * weight,
        "covariance_counting": 1e4 * counting,
        "covariance_kfactor": 1e4 * from_k,
        "covariance_mixing": 1e4 * from_mixing,
        "weight_percent_std": 100 * np.sqrt(np.diag(of_weight + from_k_weight)),
        "configurational_entropy": s,
        "configurational_entropy_std": s_std,
    }


def only_stray(amounts, shares, sizes):
    """Clusters in which the elements are no more than stray X-rays of the sample.

    Stray X-rays are few, and beside others: of the film, the grid. In a thin part of the sample
    they are few alone, in a part with little of the elements beside others alone. The sample is
    where half of all that there is lies.

    Parameters
    ----------
    amounts : array (n_clusters,)
        Of the elements in a pixel, in any units; NaN where there are none.
    shares : array (n_clusters,)
        Of their lines in the counts.
    sizes : array (n_clusters,)
        Pixels.

    Returns
    -------
    array of bool (n_clusters,)

    Examples
    --------
    >>> only_stray(np.array([1.0, 0.9, 0.03]), np.array([0.5, 0.6, 0.1]), np.array([50, 50, 900]))
    array([False, False,  True])
    """
    amounts, shares = np.nan_to_num(amounts), np.nan_to_num(shares)
    if not (amounts * sizes).sum() > 0:
        return np.zeros(len(amounts), dtype=bool)
    order = np.argsort(amounts)
    collected = np.cumsum((amounts * sizes)[order])
    middle = order[np.searchsorted(collected, 0.5 * collected[-1])]
    few = amounts < STRAY_AMOUNT * amounts[middle]
    return few & (shares < STRAY_PART * shares[middle])


def atomic_percent(areas, covariance, lines, kfactors):
    """Composition (n_lines,) in at% of areas of lines, which may be negative, and its covariance.

    From the covariance of the areas, (n_lines, n_lines); k-factors by weight, a mapping.
    """
    k, masses = kfactor_array(lines, kfactors), _masses(lines)
    fractions = atomic_fractions(areas, k, masses)
    of_fractions = fraction_covariance(fractions, k / masses, areas, covariance)
    return 100 * fractions, 1e4 * of_fractions


def kfactor_array(lines, kfactors):
    """k-factors by weight of lines, array (n_lines,)."""
    return np.array([kfactors[line] for line in lines])


def amount_per_count(lines, kfactors, units):
    """Relative amount of each element for one count of its line; units "atomic" or "weight"."""
    k = kfactor_array(lines, kfactors)
    return k / _masses(lines) if units == "atomic" else k


def _masses(lines):
    """Atomic weights in g/mol of the elements of lines, array (n_lines,)."""
    return np.array([atomic_weight(split_line(line)[0]) for line in lines])


# --- every pixel ------------------------------------------------------------------------


def pixel_weights(linear, per_count):
    """Weights of channels in the areas of lines, and in the variance of the total amount.

    Array (n_lines + 1, channels), for a `LinearFit` and an `amount_per_count`.
    """
    return np.vstack([linear.weights, (per_count @ linear.weights) ** 2])


def pixel_percent(sums, per_count, labels, factors):
    """Composition of every pixel; NaN where too few counts say nothing.

    Areas may be negative: clipped, they would be too large on average, the more the fewer counts.

    Parameters
    ----------
    sums : array (n_lines + 1, pixels)
        Of the counts, weighted with `pixel_weights`.
    per_count : array (n_lines,)
    labels : array of int (map shape)
        Cluster of each pixel.
    factors : array (n_clusters, n_lines)
        Absorption factors of the clusters. Pixels in none of them get the mean.

    Returns
    -------
    array (n_lines, map shape)
        In the units of `per_count`.
    """
    *areas, variance = sums
    known = ~np.isnan(factors).any(axis=1)
    mean = factors[known].mean(axis=0) if known.any() else factors[0]
    factors = np.vstack([factors, mean])
    of_pixel = np.where(labels >= 0, labels, -1).ravel()
    amounts = np.array(areas) * per_count[:, None]
    sure = amounts.sum(axis=0) > SURE * np.sqrt(variance)
    amounts *= factors[of_pixel].T
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = 100 * amounts / amounts.sum(axis=0)
    percent = np.where(sure & (labels.ravel() != MASKED), percent, np.nan)
    return percent.reshape(len(percent), *labels.shape)
