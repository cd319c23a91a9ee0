"""Measured intensities with what embedded phases hold of their hosts taken off."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.composition.compose import atomic_percent
from hyperspy_clusterquant.composition.fitting import fit_again
from hyperspy_clusterquant.composition.peaks import PeakFit, fit_peaks
from hyperspy_clusterquant.composition.phases import (
    LineAreas,
    amounts_until_absent,
    possible_compositions,
)


@dataclass(frozen=True, eq=False)
class Embedded(Frozen):
    """A phase that lies in others, and what it is taken to hold of them.

    Attributes
    ----------
    cluster : int
    hosts : tuple of int
        Clusters that it lies in.
    absent : tuple of str
        Elements that it is known not to hold.
    amounts, amounts_std : array (n_hosts,) or None
        Of the hosts' spectra in that of the cluster; None if it is not known.
    share, share_std : float
        Share of the cluster's counts that is of its hosts; NaN if it is not known.
    most : array (n_hosts,) or None
        Largest possible amounts; None if it is known.
    whole, subtracted : PeakFit or None
        Fits of the spectrum before, and of what was subtracted.
    """

    cluster: int
    hosts: tuple
    absent: tuple
    amounts: np.ndarray | None = None
    amounts_std: np.ndarray | None = None
    share: float = np.nan
    share_std: float = np.nan
    most: np.ndarray | None = None
    whole: PeakFit | None = None
    subtracted: PeakFit | None = None


@dataclass(frozen=True, eq=False)
class Remainders:
    """What is left when hosts are taken off.

    Attributes
    ----------
    measured : Intensities
        With the embedded phases as they are without their hosts.
    variances : array (n_clusters, channels)
        Of the spectra that are left.
    embedded : tuple of Embedded
    found : dict of int: HostAmounts
        By embedded clusters, and how uncertainties change with them.
    lines : LineAreas
        Of the clusters before.
    """

    measured: object
    variances: np.ndarray
    embedded: tuple
    found: dict
    lines: LineAreas

    def with_uncertain_amounts(self, measured):
        """Intensities in which the uncertainty of the amounts is contained, and absent is zero."""
        areas, unconstrained = measured.areas.copy(), measured.unconstrained.copy()
        covariances = np.array(measured.covariances)
        for each in self.embedded:
            if each.amounts is None:
                continue
            k, gone = each.cluster, [self.lines.elements.index(e) for e in each.absent]
            covariances[k] = self._through(k, gone, covariances[k]) + self._beyond(k, gone)
            areas[k, gone] = unconstrained[k, gone] = 0.0
        return replace(measured, areas=areas, unconstrained=unconstrained, covariances=covariances)

    def mixing(self, phases, weights):
        """Covariances (n_clusters, n_lines, n_lines) of the areas from blur and labels."""
        joint = phases.mixing_covariance(weights)
        covariances = np.einsum("kskt->kst", joint).copy()
        for each in self.embedded:
            if each.amounts is None:
                continue
            k, gone = each.cluster, [self.lines.elements.index(e) for e in each.absent]
            of = self.lines.without(k, each.hosts, each.amounts)
            left = np.einsum("k,ksjt,j->st", of, joint, of, optimize=True)
            covariances[k] = self._through(k, gone, left)
        return covariances

    def _through(self, cluster, gone, covariance):
        through = self.found[cluster].through
        covariance = through @ covariance @ through.T
        covariance[gone] = covariance[:, gone] = 0.0
        return covariance

    def _beyond(self, cluster, gone):
        covariance = np.array(self.found[cluster].beyond)
        covariance[gone] = covariance[:, gone] = 0.0
        return covariance

    def ranges(self, kfactors, factors):
        """At% that every possible amount of hosts leaves, and what is embedded with these amounts.

        Two arrays (n_clusters, n_lines), NaN where nothing is embedded or the amount is known.
        """
        lines = self.measured.lines
        lower, upper = np.full((2, len(factors), len(lines)), np.nan)
        embedded = []
        for each in self.embedded:
            if each.amounts is None:
                k = each.cluster
                of_cluster = {
                    line: kfactors[line] * f for line, f in zip(lines, factors[k], strict=True)
                }

                def fractions(areas, covariance, of_cluster=of_cluster):
                    areas = np.maximum(areas, 0.0)
                    percent, covariance = atomic_percent(areas, covariance, lines, of_cluster)
                    return percent, np.sqrt(np.maximum(np.diag(covariance), 0.0))

                lower[k], upper[k], most = possible_compositions(
                    self.lines, k, list(each.hosts), fractions
                )
                each = replace(each, most=most)
            embedded.append(each)
        return lower, upper, tuple(embedded)


def take_out_hosts(phases, measured, names, asked):
    """Take hosts off embedded phases until elements vanish that these do not hold.

    Parameters
    ----------
    phases : PhaseSpectra
        Whose spectra were measured.
    measured : Intensities
    names : tuple of str
        Of the clusters.
    asked : sequence of Embedded
        Without amounts.

    Returns
    -------
    Remainders
    """
    weights = measured.weights
    elements = tuple(line.partition("_")[0] for line in measured.lines)
    joint = phases.counting_covariance(weights)
    if phases.is_unmixed:  # else what blur mixed in is taken off with the hosts
        joint += phases.mixing_covariance(weights)
    for k, covariance in enumerate(measured.covariances):
        joint[k, :, k] += _beyond(covariance, phases, k, weights)
    lines = LineAreas(tuple(names), elements, phases.spectra @ weights.T, joint)
    variances, by_cluster, embedded = phases.variances.copy(), {}, []
    for each in asked:
        for k in (each.cluster, *each.hosts):
            if not phases.spectra[k].sum() > 0:
                raise ValueError(
                    f"`embedded` names {names[k]!r}, which holds no counts: there is nothing to "
                    "take off, or to take it off from."
                )
        if each.absent:
            k, hosts = each.cluster, list(each.hosts)
            absent = [elements.index(element) for element in each.absent]
            found = amounts_until_absent(lines, k, hosts, absent)
            of = lines.without(k, hosts, found.amounts)
            left = of @ phases.spectra
            variance = np.einsum("k,kjc,j->c", of, phases.covariances, of, optimize=True)
            each = _known(each, found, phases, measured)
            measured, variances[k] = _replaced(measured, k, left, variance), variance
            by_cluster[k] = found
        embedded.append(each)
    return Remainders(measured, variances, tuple(embedded), by_cluster, lines)


def _beyond(covariance, phases, cluster, weights):
    """What a covariance of areas holds beyond that of the counts, as what the scale leaves open."""
    counting = (weights * phases.covariances[cluster, cluster]) @ weights.T
    variances, vectors = np.linalg.eigh(np.nan_to_num(covariance - counting))
    return (vectors * np.maximum(variances, 0.0)) @ vectors.T


def _known(each, found, phases, measured):
    """What is embedded, with the amounts that were found."""
    k, hosts = each.cluster, list(each.hosts)
    of_hosts = phases.spectra[hosts].sum(axis=1) / phases.spectra[k].sum()
    fits = {}
    if measured.fits:
        variance = np.einsum(
            "k,kjc,j->c", found.amounts, phases.covariances[np.ix_(hosts, hosts)], found.amounts,
            optimize=True,
        )  # fmt: skip
        counts = found.amounts @ phases.spectra[hosts]
        used, design = measured.used, measured.fits[k].design
        fits = {
            "whole": measured.fits[k],
            "subtracted": fit_peaks(counts[used], variance[used], design),
        }
    return replace(
        each, amounts=found.amounts, amounts_std=found.std, share=float(found.amounts @ of_hosts),
        share_std=float(np.sqrt(max(of_hosts @ found.covariance @ of_hosts, 0.0))), **fits,
    )  # fmt: skip


def _replaced(measured, cluster, counts, variance):
    """Intensities with another spectrum of a cluster, measured in the same way."""
    if measured.windows is not None:
        unconstrained = measured.windows @ counts
        covariance = np.diag(measured.windows**2 @ variance)
        fits, area = measured.fits, np.maximum(unconstrained, 0.0)
    else:
        used, chosen = measured.used, measured.positions
        fit, covariance = fit_again(
            counts[used], variance[used], measured.fits[cluster], measured.calibration
        )
        fits = tuple(fit if n == cluster else of for n, of in enumerate(measured.fits))
        area, unconstrained = fit.areas[chosen], fit.unconstrained[chosen]
        covariance = covariance[np.ix_(chosen, chosen)]

    def with_row(values, row):
        values = np.array(values)
        values[cluster] = row
        return values

    return replace(
        measured,
        fits=fits,
        areas=with_row(measured.areas, area),
        unconstrained=with_row(measured.unconstrained, unconstrained),
        covariances=with_row(measured.covariances, covariance),
    )
