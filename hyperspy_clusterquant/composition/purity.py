"""Is a cluster pure? Which look like mixtures of two others, or like a host and something in it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from hyperspy_clusterquant.clusters.labels import borders
from hyperspy_clusterquant.composition.phases import HOST_VARIES, largest_amount
from hyperspy_clusterquant.composition.uncertainty import whitening

#: Probability of the residual from which a cluster may be a mixture of two others, and below which
#: it is none of them alone.
MAY_BE, IS_NOT = 0.05, 1e-3
#: Share of each of two others in a cluster, in atoms, from which it looks like their mixture.
LEAST_SHARE = 0.1
#: Share of a host that a cluster may hold, in atoms, and of its border that is with that host, from
#: which it looks like lying in it: phases that share elements may hold something of each other,
#: wherever they are.
MAY_HOLD, ENCLOSED = 0.25, 0.8


@dataclass(frozen=True)
class Impurity:
    """What a cluster looks like.

    Attributes
    ----------
    cluster : int
    others : tuple of int
        Two clusters that it looks like a mixture of, or one that it may lie in.
    shares : tuple of float
        Theirs in the atoms of the cluster; of a host the largest possible one.
    border : float
        Share of the cluster's border that is with its host.
    """

    cluster: int
    others: tuple
    shares: tuple
    border: float = np.nan

    def in_words(self, names):
        """A sentence, with the names of the clusters."""
        name, others = names[self.cluster], [names[other] for other in self.others]
        if len(others) == 2:
            shares = [
                f"{share:.0%} of {other}" for share, other in zip(self.shares, others, strict=True)
            ]
            return (
                f"{name} looks like a mixture of {' and '.join(shares)} (in atoms): pixels at "
                "interfaces, or finer than the pixels"
            )
        return (
            f"{name} may lie in {others[0]}, with which it has {self.border:.0%} of its border: up "
            f"to {self.shares[0]:.0%} of its atoms may be of it, and nothing is negative without. "
            f"If so, quantify with embedded={{{name!r}: {others[0]!r}}}"
        )


def impurities(lines, per_count, labels, of):
    """Clusters that look impure.

    Parameters
    ----------
    lines : LineAreas
    per_count : array (n_lines,)
        Relative number of atoms for one count of each line.
    labels : array of int (map shape)
        Clusters of the pixels, negative = none.
    of : sequence of int
        Clusters to look at.

    Returns
    -------
    list of Impurity
    """
    atoms = np.maximum(lines.areas, 0.0) @ per_count
    there = [k for k in of if atoms[k] > 0]
    mixtures = {k: _mixture(lines, atoms, k, [j for j in there if j != k]) for k in there}
    found = [mixture for mixture in mixtures.values() if mixture is not None]
    pure = [k for k in there if mixtures[k] is None]
    n_clusters = len(lines.names)
    touching = borders(labels, n_clusters)[:, pure]
    touching /= np.maximum(touching.sum(axis=1, keepdims=True), 1e-12)
    sizes = np.bincount(labels[labels >= 0], minlength=n_clusters)
    for k in pure:
        for border, host in zip(touching[k], pure, strict=True):
            if border < ENCLOSED or sizes[host] < sizes[k]:
                continue
            alike, _ = _chi_square(lines, k, [host])
            if alike < stats.chi2.isf(IS_NOT, len(lines.elements) - 1):
                continue
            share = largest_amount(lines, k, [host], [1.0]) * atoms[host] / atoms[k]
            if share >= MAY_HOLD:
                share = min(float(share), 1.0)
                found.append(Impurity(k, (host,), (share,), float(border)))
    return found


def _mixture(lines, atoms, cluster, others):
    """The pair of others that a cluster looks like a mixture of, or None."""
    n_lines = len(lines.elements)
    if any(
        _chi_square(lines, cluster, [j])[0] < stats.chi2.isf(IS_NOT, n_lines - 1) for j in others
    ):
        return None
    best = None
    for pair in itertools.combinations(others, 2):
        chi_square, amounts = _chi_square(lines, cluster, list(pair))
        shares = amounts * atoms[list(pair)] / atoms[cluster]
        possible = n_lines > 2 and chi_square < stats.chi2.isf(MAY_BE, n_lines - 2)
        if possible and min(shares) > LEAST_SHARE and (best is None or chi_square < best[0]):
            best = chi_square, Impurity(cluster, pair, tuple(map(float, shares)))
    return best and best[1]


def _chi_square(lines, cluster, others):
    """Chi-square of a cluster as a sum of others, and their amounts."""
    amounts = np.zeros(len(others))
    for _ in range(3):
        _, covariance = lines.combined(lines.without(cluster, others, amounts))
        covariance += np.diag((HOST_VARIES * (amounts @ lines.areas[others])) ** 2)
        root = whitening(covariance)
        amounts, distance = optimize.nnls(root @ lines.areas[others].T, root @ lines.areas[cluster])
    return distance**2, amounts
