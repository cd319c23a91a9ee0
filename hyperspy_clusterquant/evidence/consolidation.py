"""Which clusters of a result are one: not distinguishable, or the interface of two others."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant.clusters.borders import Bands
from hyperspy_clusterquant.clusters.nuisance import in_features
from hyperspy_clusterquant.evidence.judgement import PairTests, holds_elements
from hyperspy_clusterquant.evidence.p_values import combine_p_values, holm_of_pairs
from hyperspy_clusterquant.evidence.verdicts import DOUBTFUL, MergerKind

#: Root mean square of the relative difference between the spectra of an interface and of a mixture.
MISFIT = 0.05
#: Shares of the first of two clusters in a mixture that are tried.
TRIED_SHARES = np.linspace(0, 1, 41)


@dataclass(frozen=True)
class Merger:
    """One cluster joined to another.

    Attributes
    ----------
    clusters : tuple of tuple of int
        Numbers, in the result that was tested, of what was joined, and of what it was joined to.
    kind : MergerKind
        Equal to "lost" (half of the counts put it there), "same" (not distinguishable),
        "absorbed" (not distinguishable from absorption or drift), or "interface" (of two others).
    reason : str
        In words.
    """

    clusters: tuple
    kind: MergerKind
    reason: str


def consolidate(halves, compared, features, labels, names, level, seed):
    """Join clusters that are not real, one after the other.

    First the one that the splits find again with the least overlap, if it is less than half and
    they put more of its pixels into another one than they leave to it, be it that they do not find
    it at all: it is joined to that one. (Whether half of the counts are too few for it or it is not
    there cannot be told, and what is kept must come back. One that keeps its pixels is
    there; counts that it was not learned from tell whether it differs from others.) Then the least
    distinguishable pair, whose counts are compared with the others together from then on,
    until all pairs are distinct at `level`. Then a cluster that is the interface of two others is
    joined to the one it holds more of, see `interface`.

    Parameters
    ----------
    halves, compared, seed
        As of `judge`.
    features : array of int (channels,)
        Feature that each channel is counted to where spectra are compared, -1 = none.
    labels : array of int (map shape)
        Labels of the result.
    names : sequence of str
        Names of its clusters.
    level : float
        Of the p-values, corrected for the number of pairs.

    Returns
    -------
    groups : list of list of int
        Clusters that belong together.
    mergers : list of Merger
        What was joined and why, in that order.
    """
    groups = [[k] for k in range(halves.n_clusters)]
    mergers, known = [], {}
    while len(groups) > 1:
        merged = halves.merged(groups)
        kind, (pair, reason) = MergerKind.LOST, _lost(merged)
        if pair is None:
            pair, reason, kind = _least_distinct(merged, groups, compared, level, seed, known)
        if pair is None:
            kind = MergerKind.INTERFACE
            group_of = np.zeros(halves.n_clusters + 2, dtype=int)
            for number, group in enumerate(groups):
                group_of[group] = number
            group_of[-2:] = -2, -1  # labels of what is left out, and of noise
            pair, reason = interface(merged, features, group_of[labels], _names(groups, names))
        if pair is None:
            break
        joined, to = pair
        mergers.append(Merger((tuple(groups[joined]), tuple(groups[to])), kind, reason))
        groups[to] = groups[to] + groups[joined]
        del groups[joined]
    return [sorted(group) for group in groups], mergers


def _names(groups, names):
    return [" + ".join(names[k] for k in sorted(group)) for group in groups]


def _least_distinct(halves, groups, compared, level, seed, known):
    """The smaller and the larger of two clusters to be joined, why, and of which kind, or None."""
    holds = holds_elements(halves, compared.lines).any(axis=0)
    names = [tuple(sorted(group)) for group in groups]
    found = PairTests(halves, compared, seed, known, names).p_values()
    p, with_absorption = (combine_p_values(of) for of in found)
    adjusted = holm_of_pairs(p)
    # What holds none of the elements is not compared by them.
    alike = np.where((adjusted > level) & np.outer(holds, holds), p, -1.0)
    if not alike.max() > 0:
        return None, None, None
    # Several may have a corrected p-value of 1; those before correction tell which is most alike.
    pair = np.unravel_index(np.argmax(alike), p.shape)
    counts = halves.second.sum(axis=(0, 2))
    joined, to = sorted(map(int, pair), key=lambda k: counts[k])
    kind, words = MergerKind.SAME, "not distinguishable"
    if holm_of_pairs(with_absorption)[pair] < level:
        kind, words = MergerKind.ABSORBED, "cannot be told from absorption or drift"
    return (joined, to), f"{words}: p = {adjusted[pair]:.2g}", kind


def _lost(halves):
    """The cluster that the splits find least again, and the one that gets its pixels, or None."""
    overlap = halves.jaccard.mean(axis=0)
    given = halves.pixels.sum(axis=0)
    own = np.diag(given).copy()
    np.fill_diagonal(given, 0)
    lost = (overlap < DOUBTFUL) & (given.max(axis=1) > own)
    if not lost.any():
        return None, None
    joined = int(np.argmin(np.where(lost, overlap, np.inf)))
    reason = (
        f"found again with an overlap of only {overlap[joined]:.2f} in half of the counts, which "
        "put most of its pixels there"
    )
    return (joined, int(np.argmax(given[joined]))), reason


def interface(halves, features, labels, names):
    """A cluster that is the interface of two larger ones.

    It is nearly a mixture of them in its spectrum: what the second halves hold is predicted by a
    mixture of the two spectra of the first halves as well as by its own one, or so nearly that the
    difference, in each count, is that of spectra which differ by less than `MISFIT`. (No model is
    exact: with enough counts, absorption or a misfit of the blur is worth a spectrum of its own.)
    And it lies between them on the map as a band that is less than half as wide as they are.

    Parameters
    ----------
    halves : Halves
    features : array of int (channels,)
        Feature that each channel is counted to, -1 = none.
    labels : array of int (map shape)
        Labels with the numbers of these clusters.
    names : sequence of str

    Returns
    -------
    pair : tuple of int or None
        The cluster, and the one of the two that it holds more of.
    reason : str or None
    """
    sizes = np.bincount(labels[labels >= 0], minlength=halves.n_clusters)
    bands = Bands(labels)
    spectra = [in_features(values, features) for values in (halves.first, halves.second)]
    for cluster in np.argsort(sizes, kind="stable"):
        larger = np.flatnonzero(sizes > sizes[cluster])
        if len(larger) < 2 or sizes[cluster] == 0:
            continue
        gain, parents, share = _held_out_gain(*spectra, halves.found, cluster, larger)
        # Of two spectra that differ by a share d in each channel, one count tells d^2 / 2.
        misfit = np.sqrt(max(2 * gain, 0.0))
        if not misfit < MISFIT:
            continue
        if not bands.lies_between(cluster, *parents):
            continue
        one, other = (names[k] for k in parents)
        reason = (
            f"interface: a mixture of {one} ({share:.0%}) and {other} between them, from which its "
            f"spectrum differs by {misfit:.1%}"
        )
        return (int(cluster), int(parents[0] if share >= 0.5 else parents[1])), reason
    return None, None


def _held_out_gain(first, second, found, cluster, others):
    """What a spectrum of its own is worth for each count of a cluster that it was not learned from.

    That is the log-likelihood of the second halves (n_splits, n_clusters, features) under its own
    spectrum in the first halves, less that under the best mixture of two of the others, over all
    splits together. Also these two, and the share of the first of them in the mixture.
    """
    best = (np.inf, (-1, -1), 0.0)
    for one, other in itertools.combinations(others, 2):
        splits = found[:, [cluster, one, other]].all(axis=1)
        if not splits.any():
            continue
        shares = first[splits][:, [cluster, one, other]]
        mean = first[splits].sum(axis=1, keepdims=True) + 1e-9
        shares = shares + mean / mean.sum(axis=2, keepdims=True)
        shares /= shares.sum(axis=2, keepdims=True)
        counts = second[splits, cluster]
        own = (counts * np.log(shares[:, 0])).sum()
        mixed = [
            (counts * np.log(w * shares[:, 1] + (1 - w) * shares[:, 2])).sum() for w in TRIED_SHARES
        ]
        gain = (own - max(mixed)) / max(counts.sum(), 1)
        if gain < best[0]:
            best = (gain, (int(one), int(other)), float(TRIED_SHARES[int(np.argmax(mixed))]))
    return best
