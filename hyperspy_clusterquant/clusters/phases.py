"""Spectra of clusters and of phases: sums over pixels, and what the beam mixed taken out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.clusters.blur import FittedShares, PixelShares
from hyperspy_clusterquant.clusters.selection import (
    own_counts,
    projected_change,
    summed_change,
)
from hyperspy_clusterquant.clusters.shares import area_shares, rates_of, through_shares
from hyperspy_clusterquant.counts.features import merge_sparse_features
from hyperspy_clusterquant.counts.pixels import sum_members

#: Pixels in no cluster, as a share of all, that count as a phase of their own.
NOTICEABLE_REST = 1e-3
#: Directions weaker than this share of the strongest are none.
NO_DIRECTION = 1e-6
#: A phase is taken from the sum of its members if that differs by less than so many times the
#: variance that taking the rest out adds: without any mixing, half of it is noise.
NO_DIFFERENCE = 2.0
#: So is one of which less area than this share of its members' would be in the map: what makes its
#: pixels different, such as a burst of noise, is no phase that the beam mixes with others.
LEAST_AREA = 0.25

#: Part by which the width is not that of the beam: labels follow edges less sharply than the sample
#: does, or noise. On the same phantoms, and on layers, it came out 0 to 13 % too small.
WIDTH_ERROR = 0.1


@dataclass(frozen=True, eq=False)
class PhaseSpectra:
    """Spectra of clusters, as their pixels sum up and as their phases are.

    Attributes
    ----------
    members, member_variances : array (n_clusters, channels)
        Counts weighted with the memberships, less what they owe to selection.
    phases : array (n_phases, channels)
        Counts of each phase in the map, as far as blur and labels tell; there may be one more than
        clusters, of the pixels in none.
    spectra : array (n_clusters, channels)
        The same of the clusters, from `members` where `as_summed`.
    covariances : array (n_clusters, n_clusters, channels)
        Of these counts.
    modes : array (n_modes, n_clusters, channels)
        Change of `spectra` with one standard deviation of what is uncertain about blur and labels.
    directions : array (n_directions, channels)
        Spectra along which phases also scatter from place to place, each for itself ...
    scatter_std : array (n_clusters,)
        ... with these standard deviations.
    as_summed : array of bool (n_clusters,)
        Phases that are known better from the sum of their members than without what is mixed in.
    undecided : array of bool (n_clusters,)
        Of these, those of which more than shot noise may be mixed in.
    areas, member_areas : array (n_clusters,)
        Pixels whose counts `spectra` and `members` are.
    width, width_std : float
        Gaussian sigma of the blur in pixels of the finest axis; NaN if there is one phase only.
    totals : array (kept pixels,)
        Counts of each pixel.
    shares : array (n_phases, kept pixels)
        Of the phases in the counts of each pixel.
    area_shares : array (n_phases, kept pixels)
        The same in their areas.
    count_modes, area_modes : array (n_modes, n_phases)
        Change of the counts and pixels of phases with one standard deviation of what is uncertain
        about blur and labels.
    weights : array (n_clusters, kept pixels)
        Of each pixel in `spectra`.
    is_unmixed : bool
        Whether `spectra` are of phases, or of what the pixels hold.
    """

    members: np.ndarray
    member_variances: np.ndarray
    phases: np.ndarray
    spectra: np.ndarray
    covariances: np.ndarray
    modes: np.ndarray
    directions: np.ndarray
    scatter_std: np.ndarray
    as_summed: np.ndarray
    undecided: np.ndarray
    areas: np.ndarray
    member_areas: np.ndarray
    width: float
    width_std: float
    totals: np.ndarray
    shares: np.ndarray
    area_shares: np.ndarray
    count_modes: np.ndarray
    area_modes: np.ndarray
    weights: np.ndarray
    is_unmixed: bool = True

    @property
    def variances(self):
        """Of `spectra`, from the counts, array (n_clusters, channels)."""
        return np.einsum("kkc->kc", self.covariances)

    @classmethod
    def of_members(cls, phases, spectra=None, variances=None, areas=None):
        """What the members of clusters hold as spectra: those of phases are uncertain by mixing.

        Other sums over their pixels may be given, arrays (n_clusters, channels), and these pixels.
        """
        if spectra is None:
            spectra, variances = phases.members, phases.member_variances
            areas = phases.member_areas
        n_clusters = len(spectra)
        counts = spectra.sum(axis=1, keepdims=True)
        of_phases = phases.spectra.sum(axis=1, keepdims=True)
        mixed_in = spectra - phases.spectra * (counts / np.maximum(of_phases, 1e-9))
        same = np.eye(n_clusters)[:, :, None]
        return replace(
            phases,
            spectra=spectra,
            covariances=same * variances,
            modes=np.concatenate([phases.modes, same * mixed_in]),
            areas=areas,
            is_unmixed=False,
        )

    def without_background(self, cluster):
        """The same with the spectrum of one cluster taken off the others, pixel by pixel."""
        weights = np.eye(len(self.spectra))
        others = np.arange(len(weights)) != cluster
        weights[others, cluster] = -self.areas[others] / self.areas[cluster]
        # What scatters for each cluster by itself is that of the film in all of them.
        stds = np.diag(self.scatter_std)
        scatter = np.einsum("mk,dc->mdkc", stds, self.directions).reshape(-1, *self.spectra.shape)
        return replace(
            self,
            spectra=weights @ self.spectra,
            covariances=np.einsum(
                "ik,klc,jl->ijc", weights, self.covariances, weights, optimize=True
            ),
            modes=np.einsum("ik,mkc->mic", weights, np.concatenate([self.modes, scatter])),
            scatter_std=np.zeros_like(self.scatter_std),
        )

    def counting_covariance(self, weights):
        """Covariance of weighted sums of `spectra` from the counts.

        Weights (n_sums, channels); array (n_clusters, n_sums, n_clusters, n_sums).
        """
        return np.einsum("sc,klc,tc->kslt", weights, self.covariances, weights, optimize=True)

    def mixing_covariance(self, weights):
        """The same from what is uncertain about blur and labels."""
        of_modes = self.modes @ weights.T
        covariance = np.einsum("mks,mlt->kslt", of_modes, of_modes)
        scatter = weights @ self.directions.T
        for k, std in enumerate(self.scatter_std):
            covariance[k, :, k] += std**2 * (scatter @ scatter.T)
        return covariance


@one_blas_thread()
def phase_spectra(pixels, memberships, evidence, scales, progress):
    """Spectra of the phases that clusters stand for, the blur between them taken out.

    The counts of a pixel are those of the phases in the shares that `PixelShares` finds; the
    phases' spectra are the solution of weighted least squares. They are weighted sums of the
    counts of pixels, so that their covariances are known.

    Parameters
    ----------
    pixels : PixelCounts
        Each channel a feature.
    memberships : array (kept pixels, n_clusters)
    evidence : Evidence
        How the memberships follow from the counts.
    scales : sequence of float
        Pixels of each axis in the unit of the blur's width; 0 = not blurred along it.
    progress : callable

    Returns
    -------
    PhaseSpectra
    """
    progress("blur")
    with_rest = _with_rest(memberships)
    directions = _Directions.of(pixels.blocks.sum(sum_members, of_pixels=[with_rest]))
    decided_by = [evidence.memberships, evidence.favour, evidence.own]
    how = evidence.states, evidence.logs
    model = _model(
        pixels, with_rest, scales,
        pixels.blocks.map(_project, *how, directions.basis, of_pixels=decided_by),
        evidence.pooled,
    )  # fmt: skip
    estimate = _Estimate.of(model, memberships)
    progress("phase spectra")
    fitted = estimate.fitted
    sums = pixels.blocks.sum(
        _sum, *how, fitted.inverse * estimate.counts[:, None], rates_of(fitted.values),
        estimate.as_summed, of_pixels=[*decided_by, fitted.shares.T, fitted.own_factor[:, None]],
    )  # fmt: skip
    return estimate.spectra(sums, directions)


def _with_rest(memberships):
    """Memberships of pixels, in one phase more if there are pixels in none."""
    rest = np.maximum(1 - memberships.sum(axis=1, keepdims=True), 0)
    if rest.mean() < NOTICEABLE_REST:
        return memberships
    return np.hstack([memberships, rest])


@dataclass(frozen=True, eq=False)
class _Directions:
    """Directions in which spectra of phases differ, in units of shot noise.

    `basis` (channels, n) projects counts on them; `spectra` (n, channels) lie along them.
    """

    basis: np.ndarray
    spectra: np.ndarray

    @classmethod
    def of(cls, sums):
        """From summed counts (n_phases, channels)."""
        total = sums.sum(axis=0)
        groups = merge_sparse_features(total)
        in_groups = np.array([np.bincount(groups, row) for row in sums])
        share = np.maximum(in_groups.sum(axis=0) / in_groups.sum(), 1e-12)
        shares = in_groups / np.maximum(in_groups.sum(axis=1, keepdims=True), 1e-12)
        _, lengths, axes = np.linalg.svd(shares / np.sqrt(share), full_matrices=False)
        axes = axes[lengths > NO_DIRECTION * lengths[0]]
        basis = (axes / np.sqrt(share)).T[groups]
        part = total / np.maximum(np.bincount(groups, total), 1e-12)[groups]
        return cls(basis, (axes * np.sqrt(share))[:, groups] * part)


def _project(counts, memberships, favour, own, states, logs, basis):
    """Counts along directions, their noise, and what single counts change there."""
    squares = np.sum(basis**2, axis=1)
    pixels, changes = [np.zeros(0, dtype=int)], [np.zeros((0, states.shape[1], basis.shape[1]))]
    for found in own_counts(counts, memberships, favour, own, states, logs):
        pixels.append(found.pixels)
        changes.append(projected_change(found, basis))
    projected = (counts @ basis).astype(np.float32)
    return projected, counts @ squares, np.concatenate(pixels), np.concatenate(changes)


def _model(pixels, with_rest, scales, found, pooled):
    """Shares of the phases in pixels, from what `_project` returned of each block."""
    projected, spread, undecided, change = zip(*found, strict=True)
    starts = np.cumsum([0, *map(len, projected[:-1])])
    change = np.concatenate(change)
    more = np.zeros((len(change), with_rest.shape[1] - change.shape[1], change.shape[2]))
    return PixelShares(
        with_rest, pixels.keep, scales, pixels.totals, np.concatenate(projected),
        np.concatenate(spread),
        np.concatenate([start + of for start, of in zip(starts, undecided, strict=True)]),
        np.concatenate([change, more], axis=1),
        pooled,
    )  # fmt: skip


def _sum(
    counts, memberships, favour, own, shares, own_factor, states, logs, to_phases, rates, as_summed
):
    """Sums of the counts of some pixels, one below the other, (n_sums, channels).

    Those of members, of their variances, of phases, and of the products of the weights of each
    pair of clusters.
    """
    n_clusters, n_phases = memberships.shape[1], len(to_phases)
    members = memberships.astype(float)
    weights = shares @ to_phases.T
    of_clusters = np.where(as_summed, members, weights[:, :n_clusters])
    pairs = np.triu_indices(n_clusters)
    products = of_clusters[:, pairs[0]] * of_clusters[:, pairs[1]]
    sums = (counts.T @ np.hstack([members, members**2, weights, products])).T
    for found in own_counts(counts, memberships, favour, own, states, logs):
        sums[:n_clusters] -= summed_change(found.change, found, counts.shape[1])
        rows = found.pixels[found.pixel_of]
        change = np.zeros((n_phases, len(rows)))
        change[:n_clusters] = found.change
        change = through_shares(change, shares[rows].T, own_factor[rows, 0], rates)
        of_phases = slice(2 * n_clusters, 2 * n_clusters + n_phases)
        sums[of_phases] -= summed_change(to_phases @ change, found, counts.shape[1])
    return sums


@dataclass(frozen=True, eq=False)
class _Estimate:
    """Phases along the directions, and which of them are better taken from their members.

    `counts` (n_phases,) are those of each phase in the map; `member_counts` of the clusters.
    """

    fitted: FittedShares
    memberships: np.ndarray
    totals: np.ndarray
    counts: np.ndarray
    member_counts: np.ndarray
    as_summed: np.ndarray
    undecided: np.ndarray
    scatter_std: np.ndarray

    @classmethod
    def of(cls, model, memberships):
        """Fit the model and compare its phases with the sums of members."""
        fitted, n_clusters = model.fit(), memberships.shape[1]
        member_counts = memberships.T @ model.totals
        own = model.change[:, :n_clusters].sum(axis=0, dtype=float)
        known = np.maximum(member_counts, 1e-9)[:, None]
        members = (memberships.T @ model.projected - own) / known
        member_variance = (memberships.T**2 @ fitted.pixel_noise) / known[:, 0] ** 2
        counting = fitted.noise[:n_clusters]
        of_modes = np.sum((fitted.modes @ fitted.spectra) ** 2, axis=(0, 2))[:n_clusters]
        scatter = fitted.scatter[:n_clusters] * counting
        difference = np.sum((members - fitted.spectra[:n_clusters]) ** 2, axis=1)
        added = counting + scatter + of_modes - member_variance
        counts = fitted.shares @ model.totals
        areas = (fitted.inverse @ fitted.shares.sum(axis=1, dtype=float) * counts)[:n_clusters]
        is_odd = areas < LEAST_AREA * memberships.sum(axis=0, dtype=float)
        as_summed = is_odd | (difference <= NO_DIFFERENCE * added)
        n_directions = model.projected.shape[1]
        return cls(
            fitted=fitted,
            memberships=memberships,
            totals=model.totals,
            counts=counts,
            member_counts=member_counts,
            as_summed=as_summed,
            undecided=is_odd | (as_summed & (added > member_variance)),
            scatter_std=np.where(
                as_summed, 0, counts[:n_clusters] * np.sqrt(scatter / n_directions)
            ),
        )

    def spectra(self, sums, directions):
        """What `_sum` returned for all pixels as `PhaseSpectra`."""
        n_clusters, n_phases = len(self.as_summed), len(self.counts)
        ends = np.cumsum([n_clusters, n_clusters, n_phases])
        members, member_variances, phases, products = np.split(sums, ends)
        as_summed, fitted = self.as_summed, self.fitted
        covariances = np.empty((n_clusters, n_clusters, sums.shape[1]))
        one, other = np.triu_indices(n_clusters)
        covariances[one, other] = covariances[other, one] = products
        per_count = phases / np.maximum(self.counts, 1e-9)[:, None]
        modes = np.einsum("mkl,lc->mkc", fitted.modes[:, :n_clusters], per_count)
        modes *= self.counts[:n_clusters, None]
        modes[:, as_summed] = 0
        # What may be mixed into members is the one thing that is uncertain about them.
        mixed_in = members - per_count[:n_clusters] * self.member_counts[:, None]
        of_members = np.eye(n_clusters)[:, :, None] * mixed_in
        to_phases = (fitted.inverse * self.counts[:, None])[:n_clusters].astype(np.float32)
        weights = to_phases @ fitted.shares
        weights = np.where(as_summed[:, None], self.memberships.T, weights)
        more_than_one = n_phases > 1
        return PhaseSpectra(
            members=members,
            member_variances=member_variances,
            phases=phases,
            spectra=np.where(as_summed[:, None], members, phases[:n_clusters]),
            covariances=covariances,
            modes=np.concatenate([modes, of_members[as_summed]]),
            directions=directions.spectra,
            scatter_std=self.scatter_std,
            as_summed=as_summed,
            undecided=self.undecided,
            width=fitted.width if more_than_one else np.nan,
            width_std=float(np.hypot(fitted.width_std, WIDTH_ERROR * fitted.width))
            if more_than_one
            else np.nan,
            totals=self.totals,
            shares=fitted.shares,
            area_shares=area_shares(fitted.shares, fitted.dose_rates).astype(np.float32),
            count_modes=fitted.count_modes,
            area_modes=fitted.area_modes,
            weights=weights,
            areas=weights.sum(axis=1, dtype=float),
            member_areas=self.memberships.sum(axis=0, dtype=float),
        )
