"""How much of each phase there is: shares of counts, areas and atoms, in pixels and in the map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant.composition.cliff_lorimer import fraction_covariance_from_kfactors
from hyperspy_clusterquant.composition.compose import amount_per_count


@dataclass(frozen=True, eq=False)
class Amounts:
    """What phases are worth: of counts, of area, or of atoms.

    Attributes
    ----------
    pixels : array (n_phases, kept pixels)
        Share of each phase in each pixel.
    total, std : array (n_phases,)
        Share of each in the map, and its standard deviation.
    covariance : array (n_phases, n_phases)
        Of `total`.
    """

    pixels: np.ndarray
    total: np.ndarray
    covariance: np.ndarray

    @property
    def std(self):
        """Standard deviations of `total`."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


def counts_and_areas(phases, totals):
    """Shares of the phases in counts and in area, as two `Amounts`.

    Phases are those of `PhaseSpectra`; totals (kept pixels,) the counts of each pixel.
    """
    noise = phases.shares**2 @ totals
    counts = phases.shares @ totals
    areas = phases.area_shares.sum(axis=1)
    return (
        Amounts(phases.shares, *_shared(counts, _covariance(phases.count_modes, noise))),
        Amounts(phases.area_shares, *_shared(areas, _covariance(phases.area_modes, 0 * noise))),
    )


def atoms(phases, totals, table):
    """Shares of the clusters' phases in all atoms of the quantified elements, as `Amounts`.

    Those of hosts that embedded phases are quantified without are counted to the hosts. What is in
    no cluster is left out.

    Parameters
    ----------
    phases : PhaseSpectra
    totals : array (kept pixels,)
        Counts of each pixel.
    table : CompositionTable
        Of the phases.

    Returns
    -------
    Amounts
    """
    n = len(phases.spectra)
    to_atoms, variances = atoms_per_count(phases, table)
    shares = phases.shares[:n]
    in_pixels = to_atoms.T @ shares
    in_pixels = np.where(in_pixels.sum(axis=0) > 0, in_pixels, np.nan)
    counts = shares @ totals
    covariance = _covariance(phases.count_modes[:, :n], shares**2 @ totals)
    covariance = to_atoms.T @ covariance @ to_atoms + np.diag(counts**2 @ variances)
    return Amounts(in_pixels / in_pixels.sum(axis=0), *_shared(counts @ to_atoms, covariance))


def atoms_per_count(phases, table):
    """Atoms of each phase for one count of each cluster, (n_clusters, n_clusters), and variances.

    In relative units. A cluster holds atoms of others if it is embedded in them.
    """
    per_count = amount_per_count(table.xray_lines, table.kfactors, "atomic")
    per_count = per_count * table.absorption_factors
    counts = np.maximum(phases.spectra.sum(axis=1), 1e-9)
    whole = np.nan_to_num(table.intensities * per_count).sum(axis=1)
    std = np.sqrt(np.nan_to_num((table.intensities_std * per_count) ** 2).sum(axis=1))
    to_atoms, variances = np.diag(whole / counts), np.diag((std / counts) ** 2)
    known = {each.cluster: each for each in table.embedded if each.amounts is not None}

    def add_hosts(cluster):
        """Add what a cluster holds of its hosts, which may lie in others themselves."""
        each = known.pop(cluster, None)
        if each is None:
            return
        for host, amount, of in zip(each.hosts, each.amounts, each.amounts_std, strict=True):
            add_hosts(host)
            scale = counts[host] / counts[cluster]
            to_atoms[cluster] += amount * scale * to_atoms[host]
            variances[cluster] += (of * scale * to_atoms[host]) ** 2

    for cluster in list(known):
        add_hosts(cluster)
    return to_atoms, variances


def bulk(amounts, table):
    """Composition of the map in at% from shares of phases in its atoms, and its covariance."""
    known = np.isfinite(table.atomic_percent).all(axis=1)
    percent = np.where(known[:, None], table.atomic_percent, 0.0)
    total = amounts.total @ percent
    of_phases = table.covariance_counting + table.covariance_mixing
    of_phases = np.where(known[:, None, None], of_phases, 0.0)
    covariance = np.einsum("k,kst->st", amounts.total**2, of_phases)
    covariance += percent.T @ amounts.covariance @ percent
    relative = np.array(
        [table.kfactors.relative_uncertainty.get(line, 0.0) for line in table.xray_lines]
    )
    covariance += 1e4 * fraction_covariance_from_kfactors(total / 100, relative)
    return total, covariance


def _covariance(modes, noise):
    return modes.T @ modes + np.diag(noise)


def _shared(amounts, covariance):
    """Shares of all amounts, and their covariance."""
    total = max(amounts.sum(), 1e-300)
    shares = amounts / total
    jacobian = (np.eye(len(shares)) - shares[:, None]) / total
    return shares, jacobian @ covariance @ jacobian.T
