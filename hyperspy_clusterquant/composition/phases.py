"""Phases that share all their pixels with others: how much of its hosts is in an embedded phase.

No pixel of a precipitate in a foil, or of a core in its shell, is pure, and counts alone do not
tell how much of the host is in them. What the phase is known not to hold decides; without such
knowledge there is a range, from nothing of the host to the most that leaves no line negative (the
feasible band of O. S. Borgen and B. R. Kowalski, Anal. Chim. Acta 174 (1985) 1).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from hyperspy_clusterquant.composition.uncertainty import whitening

#: Standard deviations from which a line is there, or is negative, for sure.
SURE = 3.0
#: Part by which a host's composition beside an embedded phase may differ from its mean.
HOST_VARIES = 0.05
#: Probability of the chi-square of lines that are negative up to which an amount is possible.
POSSIBLE = 0.99
#: Amounts along each host that a range is looked up at, and steps in which its end is found.
N_AMOUNTS, N_HALVINGS = 33, 40
#: Probability that what is left of all elements lies inside a range, as far as counts tell.
INSIDE = 0.95
#: Rounds of an amount and the covariance that it is found with.
N_ROUNDS = 5


@dataclass(frozen=True, eq=False)
class LineAreas:
    """Areas of the lines of clusters, as they may be negative, and their joint covariance.

    Attributes
    ----------
    names : tuple of str
        Of the clusters.
    elements : tuple of str
        Of the lines.
    areas : array (n_clusters, n_lines)
    covariance : array (n_clusters, n_lines, n_clusters, n_lines)
    """

    names: tuple
    elements: tuple
    areas: np.ndarray
    covariance: np.ndarray

    def combined(self, weights):
        """Weighted sum over the clusters, weights (n_clusters,): (n_lines,) and its covariance."""
        covariance = np.einsum("k,ksjt,j->st", weights, self.covariance, weights, optimize=True)
        return weights @ self.areas, covariance

    def without(self, cluster, hosts, amounts):
        """Weights of the clusters with some amounts of the hosts of one of them taken off it."""
        weights = np.zeros(len(self.names))
        weights[cluster] = 1.0
        for host, amount in zip(hosts, np.atleast_1d(amounts), strict=True):
            weights[host] -= amount
        return weights


@dataclass(frozen=True, eq=False)
class HostAmounts:
    """Hosts that are taken off a cluster until elements vanish that its phase does not hold.

    Attributes
    ----------
    amounts : array (n_hosts,)
        Of the hosts' spectra.
    covariance : array (n_hosts, n_hosts)
        Of the amounts.
    absent : list of int
        Lines that vanish.
    through : array (n_lines, n_lines)
        Turns what is uncertain about the lines with fixed amounts into what is uncertain with
        amounts that follow from the absent ones.
    beyond : array (n_lines, n_lines)
        Covariance of what is left from what the absent lines do not say of the amounts.
    """

    amounts: np.ndarray
    covariance: np.ndarray
    absent: list
    through: np.ndarray
    beyond: np.ndarray

    @property
    def std(self):
        """Standard deviations of the amounts, (n_hosts,)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


def amounts_until_absent(lines, cluster, hosts, absent):
    """Amounts of hosts in a cluster with which all lines vanish that its phase does not hold.

    Weighted least squares over all absent lines, with the noise of the cluster and of the hosts.
    Where these do not tell the hosts apart, each has an equal part in what vanishes, or as well any
    other.

    Parameters
    ----------
    lines : LineAreas
    cluster : int
    hosts : list of int
    absent : list of int
        Lines.

    Returns
    -------
    HostAmounts

    Raises
    ------
    ValueError
        If the hosts do not hold the absent elements, or the difference leaves a line negative.
    """
    of_hosts = lines.areas[np.ix_(hosts, absent)].T
    _check_hosts(lines, cluster, hosts, absent)
    of_cluster = lines.areas[cluster, absent]
    amounts = np.zeros(len(hosts))
    for _ in range(N_ROUNDS):
        _, covariance = lines.combined(lines.without(cluster, hosts, amounts))
        inverse = np.linalg.pinv(covariance[np.ix_(absent, absent)], hermitian=True)
        # What each host would be alone, and an equal part of that with as large an uncertainty.
        alone = np.maximum(of_hosts.T @ inverse @ of_cluster, 0.0) / np.maximum(
            np.einsum("ah,ab,bh->h", of_hosts, inverse, of_hosts), 1e-300
        )
        part = np.maximum(alone / len(hosts), 1e-12)
        known = of_hosts.T @ inverse @ of_hosts * np.outer(part, part)
        before = part**-2.0 if np.linalg.eigvalsh(known)[0] < 1 < len(hosts) else 0.0 * part
        precisions, vectors = np.linalg.eigh(inverse)
        root = np.sqrt(np.maximum(precisions, 0.0))[:, None] * vectors.T
        amounts, _ = optimize.nnls(
            np.vstack([root @ of_hosts, np.diag(np.sqrt(before))]),
            np.concatenate([root @ of_cluster, np.sqrt(before) * part]),
        )
    there = amounts > 0
    covariance = np.linalg.pinv(of_hosts.T @ inverse @ of_hosts + np.diag(before))
    solution = np.zeros((len(hosts), len(absent)))
    solution[there] = (covariance @ of_hosts.T @ inverse)[there]
    if not there.all():
        kept = of_hosts[:, there]
        information = kept.T @ inverse @ kept + np.diag(before[there])
        solution[there] = np.linalg.pinv(information) @ kept.T @ inverse
    unsaid = np.eye(len(hosts)) - solution @ of_hosts
    unsaid = unsaid * np.where(before > 0, part, 0.0)
    of_lines = lines.areas[hosts].T
    through = np.eye(len(lines.elements))
    through[:, absent] -= of_lines @ solution
    found = HostAmounts(
        amounts, covariance, list(absent), through, of_lines @ unsaid @ unsaid.T @ of_lines.T
    )
    _check_nothing_negative(lines, cluster, hosts, found)
    return found


def _check_hosts(lines, cluster, hosts, absent):
    """Raise a ValueError unless each host holds an element that vanishes with it."""
    for host in hosts:
        std = np.sqrt(np.diag(lines.covariance[host, :, host]))[absent]
        if not (lines.areas[host, absent] > SURE * std).any():
            named = " and ".join(lines.elements[n] for n in absent)
            raise ValueError(
                f"`absent` cannot tell how much of {lines.names[host]} is in "
                f"{lines.names[cluster]}: {lines.names[host]} itself holds no {named} beyond its "
                "noise. Name an element that it holds and the embedded phase does not, or leave "
                "`absent` out for the range that the counts allow."
            )


def _check_nothing_negative(lines, cluster, hosts, found):
    """Raise a ValueError if a difference holds significantly less than nothing of an element."""
    areas, covariance = lines.combined(lines.without(cluster, hosts, found.amounts))
    variance = np.diag(found.through @ covariance @ found.through.T + found.beyond).copy()
    variance[found.absent] = np.diag(covariance)[found.absent]
    std = np.sqrt(variance + (HOST_VARIES * (found.amounts @ lines.areas[hosts])) ** 2)
    negative = [n for n in range(len(areas)) if areas[n] < -SURE * std[n]]
    if negative:
        absent = " and ".join(lines.elements[n] for n in found.absent)
        amounts = ", ".join(
            f"{lines.elements[n]} {areas[n]:.0f} ± {std[n]:.0f} counts" for n in negative
        )
        hosts = " and ".join(lines.names[host] for host in hosts)
        raise ValueError(
            f"{lines.names[cluster]} cannot be free of {absent}: without as much of {hosts} as "
            f"that takes, it would hold less than nothing ({amounts}). Name other elements in "
            "`absent`, or leave it out for the range that the counts allow."
        )


# --- without knowledge --------------------------------------------------------------------


def negativity(lines, cluster, hosts, amounts):
    """How much less than nothing is left of lines if some amounts of hosts are taken off.

    Chi-square over all lines of the nearest areas that are not negative.
    """
    areas, covariance = lines.combined(lines.without(cluster, hosts, amounts))
    covariance += np.diag((HOST_VARIES * (amounts @ lines.areas[hosts])) ** 2)
    root = whitening(covariance)
    _, distance = optimize.nnls(root, root @ areas)
    return distance**2


def largest_amount(lines, cluster, hosts, shares):
    """Most of a mixture of hosts, in the proportion of some shares, that a cluster can hold."""
    shares = np.asarray(shares, dtype=float)

    limit = negativity(lines, cluster, hosts, 0.0 * shares) + stats.chi2.ppf(POSSIBLE, 1)

    def possible(amount):
        return negativity(lines, cluster, hosts, amount * shares) <= limit

    mixture = shares @ lines.areas[hosts]
    there = mixture > 0
    if not there.any():
        return 0.0
    low, high = 0.0, float(np.max(np.maximum(lines.areas[cluster, there], 0) / mixture[there]))
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if possible(middle) else (low, middle)
    return low


def possible_compositions(lines, cluster, hosts, fractions):
    """Compositions that are left with all amounts of hosts that the counts allow.

    Parameters
    ----------
    lines : LineAreas
    cluster : int
    hosts : list of int
    fractions : callable
        Gives at% and their standard deviations of areas (n_lines,) and their covariance.

    Returns
    -------
    lower, upper : array (n_lines,)
        In at%, wider than what is left by what is uncertain about all elements together.
    most : array (n_hosts,)
        Largest amount of each host.
    """
    # Each as if alone: what two hosts of other elements leave together is among the proportions.
    alone = np.array([largest_amount(lines, cluster, [host], [1.0]) for host in hosts])
    alone = np.maximum(alone, 1e-9 * max(alone.max(), 1e-300))
    widened = stats.norm.isf((1 - INSIDE) / 2 / len(lines.elements))
    lower, upper = np.full(len(lines.elements), np.inf), np.full(len(lines.elements), -np.inf)
    most = np.zeros(len(hosts))
    for shares in _proportions(len(hosts)):
        shares = shares * alone
        end = largest_amount(lines, cluster, hosts, shares)
        most = np.maximum(most, end * shares)
        for amount in np.linspace(0.0, end, N_AMOUNTS):
            percent, std = fractions(
                *lines.combined(lines.without(cluster, hosts, amount * shares))
            )
            lower = np.fmin(lower, percent - widened * std)
            upper = np.fmax(upper, percent + widened * std)
    return np.clip(lower, 0, 100), np.clip(upper, 0, 100), most


def _proportions(n_hosts):
    """Proportions of hosts, arrays (n_hosts,) of sum one; the coarser the more there are."""
    n_steps = {1: 1, 2: 12, 3: 8}.get(n_hosts, 4)
    for parts in itertools.product(range(n_steps + 1), repeat=n_hosts):
        if sum(parts) == n_steps:
            yield np.array(parts) / n_steps
