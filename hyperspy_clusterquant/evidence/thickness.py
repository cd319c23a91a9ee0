"""Thickness or chemistry: what total counts alone explain of the separation of clusters."""

from __future__ import annotations

import numpy as np
from scipy import stats

from hyperspy_clusterquant.composition.fitting import weighted_areas
from hyperspy_clusterquant.composition.windows import window_weights
from hyperspy_clusterquant.evidence.pair_test import proportionality
from hyperspy_clusterquant.evidence.plausible import UNSEEN
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy

#: Share of the separation of two clusters that total counts explain, from which it is said.
MOSTLY_THICKNESS = 0.9
#: Windows of a line in units of its width: half of the peak's, and the ends of those beside it.
PEAK, BESIDE = 0.6, (1.2, 1.8)
#: p-value of "same composition" below which there is chemistry as well. It is found from the counts
#: that made the clusters, and so says too often that there is.
CHEMISTRY = 1e-4
#: Counts of the elements in a pixel of one cluster as a share of those of another, below which
#: the first is film or vacuum, unless clusters may differ in dose.
NEXT_TO_NOTHING = 0.1


def follow_counts(spectra, sizes, energy, positions, resolution, normalized, changes=None):
    """Clusters that total counts alone separate from another one, seen in windows of lines.

    Overlapping lines do not matter: of the same composition they are in the same ratio.

    Parameters
    ----------
    spectra : array (n_clusters, channels)
        Summed counts.
    sizes : array of int (n_clusters,)
        Pixels.
    energy : array (channels,)
        In keV.
    positions : array (n_lines,)
        Of the elements' lines in keV.
    resolution : float
        Full width at half maximum at Mn K-alpha in eV.
    normalized : bool
        Whether the dose was divided out when the clusters were found.
    changes : callable, optional
        Gives, from the counts of the lines in the whole map, how they change with thickness, as of
        `explained_by_counts`. Without it, what absorption does is taken for chemistry.

    Returns
    -------
    list of tuple (int, int, float)
        The cluster, the other one, and the share of their separation that counts explain.
    """
    width = fwhm_at_energy(positions, resolution)
    ends = positions[:, None] + width[:, None] * [-BESIDE[1], -BESIDE[0], *BESIDE]
    peaks = positions[:, None] + width[:, None] * [-PEAK, PEAK]
    weights = window_weights(energy, peaks, ends)
    areas, covariances = zip(*[weighted_areas(weights, own) for own in spectra], strict=True)
    areas = np.array(areas)
    changes = None if changes is None else changes(areas.sum(axis=0))
    shares, nearest, p_values = explained_by_counts(areas, np.array(covariances), sizes, changes)
    rates = areas.sum(axis=1) / np.maximum(sizes, 1)
    follow = []
    for k, (share, other) in enumerate(zip(shares, nearest, strict=True)):
        if not share > MOSTLY_THICKNESS or (other < k and nearest[other] == k):
            continue
        low, high = sorted(rates[[k, other]])
        film = normalized and low < NEXT_TO_NOTHING * high
        if not (film or p_values[k] < CHEMISTRY):
            follow.append((k, int(other), float(share)))
    return follow


def explained_by_counts(areas, covariances, sizes, changes=None):
    r"""How much of each cluster's separation total counts alone explain.

    The likelihood of Poisson counts is that of their total times that of their shares. So is
    the evidence that two clusters differ: a part G for different totals per pixel, and a part C
    for different compositions (less what noise brings). The share :math:`G / (G + C)` is
    1 where a cluster differs from another in thickness only, and near 0 where it does in
    chemistry.

    Parameters
    ----------
    areas : array (n_clusters, n_elements)
        Net counts of the elements' lines, each summed over the pixels of a cluster.
    covariances : array (n_clusters, n_elements, n_elements)
        Theirs.
    sizes : array (n_clusters,)
        Pixels.
    changes : array (n_directions, n_elements), optional
        Relative changes of the lines that absorption in the thickest foil brings. What it can
        bring, for the doses of two clusters, is no chemistry.

    Returns
    -------
    share : array (n_clusters,)
        Of the separation from the cluster that is nearest in composition; NaN for a single one.
    nearest : array of int (n_clusters,)
        That cluster, -1 if there is none.
    p_values : array (n_clusters,)
        Of "same composition" as that cluster; only of meaning if the clusters were not found from
        the same counts.
    """
    n = len(areas)
    share, nearest, p_values = np.full(n, np.nan), np.full(n, -1), np.full(n, np.nan)
    totals = np.maximum(areas.sum(axis=1), 0)
    for i in range(n):
        closest = np.inf
        for j in range(n):
            if i == j or totals[i] + totals[j] <= 0 or min(sizes[i], sizes[j]) == 0:
                continue
            directions = None
            if changes is not None:
                directions = changes * (areas[i] + areas[j]) * _thickness(totals, sizes, i, j)
            statistic, freedom = proportionality(
                areas[i], covariances[i], areas[j], covariances[j], directions
            )
            chemistry = max(statistic - freedom, 0)
            # Per count, because larger clusters differ from everything more clearly.
            distance = chemistry / max(min(totals[i], totals[j]), 1)
            if distance < closest:
                closest, nearest[i] = distance, j
                dose = _deviance_of_rates(totals[[i, j]], sizes[[i, j]])
                both = chemistry + dose
                share[i] = dose / both if both > 0 else np.nan
                p_values[i] = stats.chi2.sf(statistic, freedom) if freedom else np.nan
    return share, nearest, p_values


def _thickness(totals, sizes, i, j):
    """Largest difference of the thickness of two clusters, as a share of the thickest foil."""
    low, high = sorted((totals[i] / sizes[i], totals[j] / sizes[j]))
    return min(1 - low / high + UNSEEN, 1.0)


def _deviance_of_rates(totals, sizes):
    """Twice the log-likelihood ratio of two Poisson totals for different rates per pixel."""
    expected = totals.sum() * sizes / sizes.sum()
    return float(
        2 * np.sum(np.where(totals > 0, totals * np.log(np.maximum(totals, 1e-300) / expected), 0))
    )
