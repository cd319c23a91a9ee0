"""Pairs of clusters compared in the halves that they were not learned from."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import stats

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.evidence.p_values import combine_p_values, holm, holm_of_pairs
from hyperspy_clusterquant.evidence.pair_test import compare_spectra

#: A cluster holds some of the elements if their amount is so many standard deviations.
HELD = 3.0


@dataclass(frozen=True, eq=False)
class Judged(Frozen):
    """What the splits say together about each pair of clusters.

    The fields are described where users see them, in `SignificanceTable`.
    """

    p_values: np.ndarray
    adjusted_p_values: np.ndarray
    n_tested: np.ndarray
    difference: np.ndarray
    difference_std: np.ndarray
    element_p_values: np.ndarray
    holds: np.ndarray


def not_judged(n_clusters, n_elements):
    """Of clusters that were not compared."""
    pairs = np.full((n_clusters, n_clusters), np.nan)
    elements = np.full((n_clusters, n_clusters, n_elements), np.nan)
    n_tested = np.zeros(pairs.shape, dtype=int)
    holds = np.ones(n_clusters, dtype=bool)
    return Judged(pairs, pairs, n_tested, elements, elements, elements, holds)


def judge(halves, lines, composition, seed):
    """Compare the clusters of each pair in the second halves.

    Parameters
    ----------
    halves : Halves
    lines : LinearFit
        How counts become areas of the lines that are compared.
    composition : callable
        Gives the composition (n_elements,) in at% and its covariance from areas and theirs.
    seed : sequence of int
        Of draws where counts are few.

    Returns
    -------
    Judged
    """
    n_splits, n = halves.found.shape
    n_elements = len(lines.weights)
    held = holds_elements(halves, lines)
    difference, variance = np.full((2, n_splits, n, n, n_elements), np.nan)
    for m in range(n_splits):
        of = {k: composition(*lines.areas(halves.second[m, k])) for k in np.flatnonzero(held[m])}
        for i, j in itertools.permutations(of, 2):
            difference[m, i, j] = of[i][0] - of[j][0]
            variance[m, i, j] = np.diag(of[i][1] + of[j][1])
    p = split_p_values(halves, lines, seed)
    n_tested = np.isfinite(p).sum(axis=0)
    p_values = combine_p_values(p)
    with np.errstate(invalid="ignore", divide="ignore"):
        of_elements = combine_p_values(2 * stats.norm.sf(np.abs(difference) / np.sqrt(variance)))
    return Judged(
        p_values=p_values,
        adjusted_p_values=holm_of_pairs(p_values),
        n_tested=n_tested,
        difference=_mean_over_splits(difference),
        difference_std=_std_of_mean(variance),
        element_p_values=np.apply_along_axis(holm, -1, of_elements),
        holds=held.any(axis=0),
    )


def holds_elements(halves, lines):
    """Whether clusters hold any of the elements beyond noise, array of bool (splits, clusters)."""
    held = np.zeros(halves.found.shape, dtype=bool)
    for place in zip(*np.nonzero(halves.found), strict=True):
        areas, covariance = lines.areas(halves.second[place])
        held[place] = areas.sum() > HELD * np.sqrt(covariance.sum())
    return held


def split_p_values(halves, lines, seed, known=None, names=None):
    """p-values of "same composition" in each split, array (n_splits, n_clusters, n_clusters).

    Symmetric; NaN where nothing is compared. Those in `known`, by the split and the names of the
    pair, are taken from there, and new ones added.
    """
    n_splits, n = halves.found.shape
    known = {} if known is None else known
    names = list(range(n)) if names is None else names
    p = np.full((n_splits, n, n), np.nan)
    for m in range(n_splits):
        for i, j in itertools.combinations(np.flatnonzero(halves.found[m]), 2):
            key = m, names[i], names[j]
            if key not in known:
                rng = np.random.default_rng([*seed, m, i, j])
                known[key] = compare_spectra(
                    halves.second[m, i], halves.second[m, j], lines, rng
                ).p_value
            p[m, i, j] = p[m, j, i] = known[key]
    return p


def _mean_over_splits(values):
    """Mean over the splits that have a value, NaN if none has."""
    known = np.isfinite(values)
    n_known = known.sum(axis=0)
    total = np.where(known, values, 0).sum(axis=0)
    return np.where(n_known > 0, total / np.maximum(n_known, 1), np.nan)


def _std_of_mean(variance):
    """Standard deviation of a mean over splits, of which each has half of the counts.

    The second halves of two splits share half of their counts, so a mean over M of them has
    (1 + 1 / M) / 2 of the variance of one.
    """
    n_known = np.maximum(np.isfinite(variance).sum(axis=0), 1)
    share = (1 + 1 / n_known) / 2
    return np.sqrt(share * _mean_over_splits(variance))
