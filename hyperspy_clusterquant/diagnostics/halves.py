"""Clusters of several count splits: pairs compared, and what the splits say together."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import linear_sum_assignment

from hyperspy_clusterquant.diagnostics.agreement import contingency_table, jaccard_indices
from hyperspy_clusterquant.diagnostics.pair_test import compare_spectra

#: Overlap (Jaccard's index) from which a cluster that is found again is called stable, and below
#: which it is another one each time.
STABLE, DOUBTFUL = 0.75, 0.5
#: Jaccard's index beyond which the best match of a cluster may be called the same.
SAME = 0.1
#: p-values closer to one than this say no more than this, so that one split outweighs no other.
HIGHEST_P = 0.99
#: A cluster holds some of the elements if their amount is so many standard deviations.
HELD = 3.0


@dataclass(frozen=True, eq=False)
class Halves:
    """Clusters that were learned on first halves of the counts, numbered like those of a result.

    Attributes
    ----------
    first, second : array (n_splits, n_clusters, channels)
        Their summed counts in both halves; zero where a cluster was not found.
    found : array of bool (n_splits, n_clusters)
        Whether the cluster was found in the first half.
    pixels : array of int (n_splits, n_clusters, n_clusters)
        Pixels of each cluster of the result, in rows, that a split gives to each.
    sizes : array of int (n_clusters,)
        Pixels of the clusters of the result.
    split_sizes : array of int (n_splits, n_clusters)
        Pixels of the clusters in each split.
    """

    first: np.ndarray
    second: np.ndarray
    found: np.ndarray
    pixels: np.ndarray
    sizes: np.ndarray
    split_sizes: np.ndarray

    @property
    def n_clusters(self):
        """Number of clusters of the result."""
        return self.found.shape[1]

    @property
    def jaccard(self):
        """Pixels that a cluster and that of the split share, of all that either has.

        Array (n_splits, n_clusters).
        """
        shared = np.einsum("mkk->mk", self.pixels)
        return shared / np.maximum(self.sizes + self.split_sizes - shared, 1)

    def merged(self, groups):
        """The same with clusters in groups, a list of lists of their numbers."""
        member = np.zeros((len(groups), self.n_clusters), dtype=int)
        for number, group in enumerate(groups):
            member[number, group] = 1
        return Halves(
            first=np.einsum("gk,mkc->mgc", member, self.first),
            second=np.einsum("gk,mkc->mgc", member, self.second),
            found=self.found @ member.T > 0,
            pixels=member @ self.pixels @ member.T,
            sizes=member @ self.sizes,
            split_sizes=self.split_sizes @ member.T,
        )


def match_labels(reference, labels, n_reference):
    """Give clusters the numbers of those of a reference that they share most pixels with.

    One to one as far as there are enough; each that is left over joins the cluster of the
    reference that holds most of its pixels.

    Parameters
    ----------
    reference, labels : array of int (pixels,)
        Labels, negative = none.
    n_reference : int
        Number of clusters of the reference.

    Returns
    -------
    array of int (n_clusters,)
        New number of each cluster in `labels`, -1 if it shares no pixel with any.

    Examples
    --------
    >>> match_labels(np.array([0, 0, 0, 1, 1]), np.array([2, 2, 0, 1, 1]), 2)
    array([0, 1, 0])
    """
    table = contingency_table(reference, labels, n_reference)
    jaccard = jaccard_indices(table, reference, labels)
    rows, columns = linear_sum_assignment(-jaccard)
    in_none = np.bincount(labels[(labels >= 0) & (reference < 0)], minlength=table.shape[1])
    number = np.where(table.max(axis=0, initial=0) > in_none, table.argmax(axis=0), -1)
    matched = jaccard[rows, columns] > SAME
    number[columns[matched]] = rows[matched]
    return number


def collect_halves(splits, reference, n_clusters):
    """Clusters of several splits under the numbers of a result's clusters.

    Parameters
    ----------
    splits : iterable of Split
        With `labels`, `first` and `second`; taken one after the other.
    reference : array of int (kept pixels,)
        Labels of the result.
    n_clusters : int
        Number of its clusters.

    Returns
    -------
    Halves
    """
    collected = []
    for split in splits:
        number = match_labels(reference, split.labels, n_clusters)
        indicator = (number == np.arange(n_clusters)[:, None]).astype(float)
        labels = np.append(number, -1)[split.labels]
        collected.append(
            (
                indicator @ split.first,
                indicator @ split.second,
                indicator.any(axis=1),
                contingency_table(reference, labels, n_clusters, n_clusters),
                np.bincount(labels[labels >= 0], minlength=n_clusters),
            )
        )
    first, second, found, pixels, sizes = (np.array(x) for x in zip(*collected, strict=True))
    reference_sizes = np.bincount(reference[reference >= 0], minlength=n_clusters)
    return Halves(first, second, found, pixels, reference_sizes, sizes)


@dataclass(frozen=True, eq=False)
class Judged:
    """What the splits say together about each pair of clusters.

    Attributes
    ----------
    p_values : array (n_clusters, n_clusters)
        Of "same composition", combined over the splits; NaN where there is nothing to compare.
    adjusted : array (n_clusters, n_clusters)
        The same, corrected for the number of pairs.
    n_tested : array of int (n_clusters, n_clusters)
        Splits in which both clusters were found and compared.
    difference, difference_std, element_p : array (n_clusters, n_clusters, n_elements)
        Composition of the first minus that of the second in at%, and p-values of
        "no difference" for each element, corrected for the number of elements.
    holds : array of bool (n_clusters,)
        Whether the cluster holds any of the elements beyond noise.
    """

    p_values: np.ndarray
    adjusted: np.ndarray
    n_tested: np.ndarray
    difference: np.ndarray
    difference_std: np.ndarray
    element_p: np.ndarray
    holds: np.ndarray

    @classmethod
    def unknown(cls, n_clusters, n_elements):
        """Of clusters that were not compared."""
        pairs = np.full((n_clusters, n_clusters), np.nan)
        elements = np.full((n_clusters, n_clusters, n_elements), np.nan)
        n_tested = np.zeros(pairs.shape, dtype=int)
        holds = np.ones(n_clusters, dtype=bool)
        return cls(pairs, pairs, n_tested, elements, elements, elements, holds)


def judge(halves, lines, composition, seed):
    """Compare the clusters of each pair in the second halves.

    Parameters
    ----------
    halves : Halves
    lines : pair_test.Lines
    composition : callable
        Gives the composition (n_elements,) in at% and its covariance from areas and theirs.
    seed : sequence of int
        Of draws where counts are few.

    Returns
    -------
    Judged
    """
    n_splits, n = halves.found.shape
    n_elements = len(lines.tested)
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
        element_p = combine_p_values(2 * stats.norm.sf(np.abs(difference) / np.sqrt(variance)))
    return Judged(
        p_values=p_values,
        adjusted=holm_of_pairs(p_values),
        n_tested=n_tested,
        difference=mean_over_splits(difference),
        difference_std=_std_of_mean(variance),
        element_p=np.apply_along_axis(holm, -1, element_p),
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
    """p-values of "same composition" of each pair in each split.

    Parameters
    ----------
    halves, lines, seed
        As of `judge`.
    known : dict, optional
        p-values found before, by the split and the names of the pair; new ones are added.
    names : list of hashable, optional
        Names of the clusters.

    Returns
    -------
    array (n_splits, n_clusters, n_clusters)
        Symmetric; NaN where nothing is compared.
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
    >>> combine_p_values(np.array([0.01, 0.01, 0.01])).round(6)
    np.float64(0.01)
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


def mean_over_splits(values):
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
    return np.sqrt(share * mean_over_splits(variance))
