"""Pairs of clusters compared in the halves that they were not learned from."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.composition.fitting import LinearFit
from hyperspy_clusterquant.composition.uncertainty import DETECTED
from hyperspy_clusterquant.evidence.p_values import combine_p_values, holm, holm_of_pairs
from hyperspy_clusterquant.evidence.pair_test import compare_spectra
from hyperspy_clusterquant.evidence.plausible import PlausibleChanges

#: A cluster holds some of the elements if their amount is so many standard deviations.
HELD = 3.0


@dataclass(frozen=True, eq=False)
class Judged(Frozen):
    """What the splits say together about each pair of clusters.

    The fields are described where users see them, in `SignificanceTable`.
    """

    p_values: np.ndarray
    adjusted_p_values: np.ndarray
    p_values_with_absorption: np.ndarray
    n_tested: np.ndarray
    difference: np.ndarray
    difference_covariance: np.ndarray
    element_p_values: np.ndarray
    detected: np.ndarray
    holds: np.ndarray

    @property
    def difference_std(self) -> np.ndarray:
        """Standard uncertainty of `difference` in at%, (n_clusters, n_clusters, n_elements)."""
        return np.sqrt(np.diagonal(self.difference_covariance, axis1=-2, axis2=-1))


@dataclass(frozen=True, eq=False)
class Compared:
    """What of spectra is compared, and with what besides chemistry they may differ in.

    Attributes
    ----------
    lines : LinearFit
        How counts become areas of the lines that are tested; there may be several of an element.
    changes : PlausibleChanges or None
        None: any difference of the ratios of lines is one of composition.
    """

    lines: LinearFit
    changes: PlausibleChanges | None = None


def not_judged(n_clusters, n_elements):
    """Of clusters that were not compared."""
    pairs = np.full((n_clusters, n_clusters), np.nan)
    elements = np.full((n_clusters, n_clusters, n_elements), np.nan)
    n_tested = np.zeros(pairs.shape, dtype=int)
    holds = np.ones(n_clusters, dtype=bool)
    detected = np.ones((n_clusters, n_elements), dtype=bool)
    covariance = np.full((*elements.shape, n_elements), np.nan)
    return Judged(pairs, pairs, pairs, n_tested, elements, covariance, elements, detected, holds)


def judge(halves, lines, composition, seed, compared=None):
    """Compare the clusters of each pair in the second halves.

    Parameters
    ----------
    halves : Halves
    lines : LinearFit
        How counts become areas of the lines that compositions are made of.
    composition : callable
        Gives the composition (n_elements,) in at% and its covariance from areas, of which none is
        negative, and theirs.
    seed : sequence of int
        Of draws where counts are few.
    compared : Compared, optional
        What is tested; default: the same lines.

    Returns
    -------
    Judged
    """
    compared = Compared(lines) if compared is None else compared
    held = holds_elements(halves, lines)
    pairs = PairTests(halves, compared, seed)
    p, with_absorption = pairs.p_values()
    difference, covariance, doubt = _differences(halves, lines, composition, pairs, held)
    p_values = combine_p_values(p)
    variance = np.diagonal(doubt, axis1=-2, axis2=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        of_elements = combine_p_values(2 * stats.norm.sf(np.abs(difference) / np.sqrt(variance)))
    return Judged(
        p_values=p_values,
        adjusted_p_values=holm_of_pairs(p_values),
        p_values_with_absorption=combine_p_values(with_absorption),
        n_tested=np.isfinite(p).sum(axis=0),
        difference=_mean_over_splits(difference),
        difference_covariance=_covariance_of_mean(covariance),
        element_p_values=np.apply_along_axis(holm, -1, of_elements),
        detected=_detected(halves, lines),
        holds=held.any(axis=0),
    )


def _differences(halves, lines, composition, pairs, held):
    """Differences of composition in each split, and their covariances.

    Arrays (n_splits, n_clusters, n_clusters, n_elements) and one more axis for covariances: from
    the counts, and also with what changes that are no chemistry may bring.
    """
    n_splits, n = halves.found.shape
    difference = np.full((n_splits, n, n, len(lines.weights)), np.nan)
    covariance, doubt = np.full((2, *difference.shape, len(lines.weights)), np.nan)
    for m in range(n_splits):
        counts = halves.second[m]
        areas = {}
        for k in np.flatnonzero(held[m]):
            found, own = lines.areas(counts[k])
            areas[k] = not_negative(found, own), own
        of = {k: composition(*known) for k, known in areas.items()}
        for i, j in itertools.combinations(of, 2):
            along = pairs.directions(m, i, j) @ lines.weights.T / (counts[i] + counts[j]).sum()
            # Both may be changed, each by half of the variance that is plausible.
            more = [
                composition(areas[k][0], along.T @ along * counts[k].sum() ** 2 / 2)[1]
                for k in (i, j)
            ]
            difference[m, i, j] = of[i][0] - of[j][0]
            covariance[m, i, j] = covariance[m, j, i] = of[i][1] + of[j][1]
            doubt[m, i, j] = doubt[m, j, i] = covariance[m, i, j] + more[0] + more[1]
            difference[m, j, i] = -difference[m, i, j]
    return difference, covariance, doubt


def not_negative(areas, covariance):
    """The most probable areas (n_lines,) of which none is negative.

    Examples
    --------
    >>> not_negative(np.array([100.0, -3.0]), np.diag([100.0, 9.0]))
    array([100.,   0.])
    """
    if (areas >= 0).all():
        return areas
    known = np.diag(covariance) > 0
    root = np.linalg.cholesky(np.linalg.pinv(covariance[np.ix_(known, known)], hermitian=True)).T
    found = np.maximum(areas, 0.0)
    found[known] = optimize.nnls(root, root @ areas[known])[0]
    return found


def _detected(halves, lines):
    """Lines that the clusters hold beyond noise in all the halves, (n_clusters, n_lines) of bool.

    Each split has its own second half; what is tested is their mean.
    """
    above = np.zeros((halves.n_clusters, len(lines.weights)), dtype=bool)
    for k, counts in enumerate(halves.second.mean(axis=0)):
        areas, covariance = lines.areas(counts)
        above[k] = areas > DETECTED * np.sqrt(np.diag(covariance))
    return above


def holds_elements(halves, lines):
    """Whether clusters hold any of the elements beyond noise, array of bool (splits, clusters)."""
    held = np.zeros(halves.found.shape, dtype=bool)
    for place in zip(*np.nonzero(halves.found), strict=True):
        areas, covariance = lines.areas(halves.second[place])
        held[place] = areas.sum() > HELD * np.sqrt(covariance.sum())
    return held


class PairTests:
    """Tests of "same composition" of pairs of clusters in each split.

    Those in `known`, by the split and the names of the pair, are taken from there, and new ones
    added.
    """

    def __init__(self, halves, compared, seed, known=None, names=None):
        self.halves, self.compared, self.seed = halves, compared, seed
        self.known = {} if known is None else known
        self.names = list(range(halves.n_clusters)) if names is None else names

    def p_values(self):
        """p-values beyond and with absorption, arrays (n_splits, n_clusters, n_clusters).

        Symmetric; NaN where nothing is compared.
        """
        n_splits, n = self.halves.found.shape
        p = np.full((2, n_splits, n, n), np.nan)
        for m in range(n_splits):
            for i, j in itertools.combinations(np.flatnonzero(self.halves.found[m]), 2):
                key = m, self.names[i], self.names[j]
                if key not in self.known:
                    self.known[key] = self._test(m, i, j)
                p[:, m, i, j] = p[:, m, j, i] = self.known[key]
        return p

    def _test(self, m, i, j):
        of_pair = self.halves.second[m, i], self.halves.second[m, j], self.compared.lines
        rng = np.random.default_rng([*self.seed, m, i, j])
        alone = compare_spectra(*of_pair, rng).p_value
        directions = self.directions(m, i, j)
        if not len(directions) or np.isnan(alone):
            return alone, alone
        return compare_spectra(*of_pair, rng, directions).p_value, alone

    def directions(self, m, i, j):
        """Changes of the counts of two clusters in a split that are no chemistry."""
        if self.compared.changes is None:
            return np.zeros((0, self.halves.second.shape[-1]))
        key = self.names[i], self.names[j]
        both = self.halves.second[:, [i, j]].sum(axis=1)
        if key not in self.known:
            self.known[key] = self.compared.changes.of(both.sum(axis=0), self._difference(i, j))
        return self.known[key] * (both[m].sum() / max(both.sum(), 1))

    def _difference(self, i, j):
        """Difference of the doses of two clusters per pixel, as a share of the larger one."""
        weights = self.compared.lines.weights
        doses = [
            max((weights @ self.halves.second[:, k].sum(axis=0)).sum(), 0)
            / max(self.halves.split_sizes[:, k].sum(), 1)
            for k in (i, j)
        ]
        return abs(doses[0] - doses[1]) / max(*doses, 1e-300)


def _mean_over_splits(values):
    """Mean over the splits that have a value, NaN if none has."""
    known = np.isfinite(values)
    n_known = known.sum(axis=0)
    total = np.where(known, values, 0).sum(axis=0)
    return np.where(n_known > 0, total / np.maximum(n_known, 1), np.nan)


def _covariance_of_mean(covariance):
    """Covariance of a mean over splits, of which each has half of the counts.

    The second halves of two splits share half of their counts, so a mean over M of them has
    (1 + 1 / M) / 2 of the variance of one.
    """
    n_known = np.maximum(np.isfinite(covariance).sum(axis=0), 1)
    return (1 + 1 / n_known) / 2 * _mean_over_splits(covariance)
