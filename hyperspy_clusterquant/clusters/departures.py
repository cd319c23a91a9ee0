"""Departures: places that the clusters found so far do not explain, and so what they miss.

A rare phase is plain at its own size and drowned in bins ten times as large; a common one may lie
between others in composition, without a gap. Both leave counts that their pixels' clusters do not
explain, at some place, scale and energy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import ndimage, optimize, stats

from hyperspy_clusterquant.clusters.borders import counts_along
from hyperspy_clusterquant.clusters.field import Explained, Field, box_sum
from hyperspy_clusterquant.clusters.likelihood import mixing_states
from hyperspy_clusterquant.clusters.nuisance import in_features, orthogonal
from hyperspy_clusterquant.counts.features import low_features
from hyperspy_clusterquant.counts.pixels import sum_members
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.profiles import FWHM_TO_SIGMA

#: Lowest energy (keV) of a band: below, some detectors count bursts of noise.
LOWEST_BAND = 0.25
#: Counts in the map from which a band of energies is looked at.
BAND_COUNTS = 200
#: Part of a direction that must be left without what is no chemistry.
LEAST_LEFT = 0.1
#: Length of the direction of an element's lines, of the longest, that is rounding.
NOTHING = 1e-6
#: Share of what differs from which lines of declared elements explain it.
DECLARED_SHARE = 0.5
#: Width (pixels) of places up to which the beam may mix phases all over, and how far it reaches.
SMALL, REACH = 4, 3
#: Probability that a place which holds a known phase is taken for another one.
UNLIKE = 1e-4
#: Share of the strongest departure from which other places hold the same, and its significance.
SAME_SHARE, SAME_SIGNIFICANCE = 0.5, 3.0


@dataclass(frozen=True, eq=False)
class Departure:
    """What the clusters do not explain at some places.

    Attributes
    ----------
    inside : array of bool (kept pixels,)
        The places.
    place : array of bool (kept pixels,)
        The strongest of them.
    direction : array (features,)
        What differs there, whitened, of unit length.
    strength : float
        Of the strongest place, in units of what chance reaches.
    scale : int
        Its width in pixels.
    is_mixed : bool
        Whether the strongest place may hold no more than the clusters within reach of its pixels.
        That does not say that it is no phase: one may lie between others in composition.
    """

    inside: np.ndarray
    place: np.ndarray
    direction: np.ndarray
    strength: float
    scale: int
    is_mixed: bool = False


@dataclass(frozen=True, eq=False)
class Directions:
    """Whitened directions in which departures are looked for.

    Attributes
    ----------
    columns : array (features, n)
        Of unit length. First the expected ones, components and lines; then every band of energies
        as wide as a peak, for elements that were not declared.
    n_components, n_expected : int
        How many of the first are components, and how many are expected.
    """

    columns: np.ndarray
    n_components: int
    n_expected: int

    @property
    def expected(self):
        """Those that are expected alone."""
        return replace(self, columns=self.columns[:, : self.n_expected])


def directions_of(learning, profiles, of_any=True):
    """Whitened directions in which departures are looked for.

    Parameters
    ----------
    learning : Learning
    profiles : array (n_elements, channels) or None
        Lines of the elements of the sample.
    of_any : bool
        Whether components are among the expected ones that lines of the elements do not explain,
        as of an element that was not declared, or film. Else the lines are taken as far as they do
        not vary with these.

    Returns
    -------
    Directions
    """
    reduction, pixels = learning.reduction, learning.pixels
    share, root = reduction.share, np.sqrt(reduction.share)
    components, fixed = reduction.components, reduction.fixed
    of_lines = np.zeros((len(share), 0))
    if profiles is not None:
        of_lines = line_directions(learning, profiles)
        declared = np.sum((of_lines.T @ components) ** 2, axis=0) >= DECLARED_SHARE
        if not of_any:
            fixed = np.hstack([fixed, components[:, ~declared]])
            components = components[:, declared]
        of_lines = (in_features(profiles, pixels.channels) / root).T
        fixed = _with_film(fixed, learning, np.linalg.norm(of_lines, axis=0).max(initial=0.0))
    bands = in_features(_bands(pixels.energy), pixels.channels)
    bands = bands[bands @ (share * learning.pixels.totals.sum()) > BAND_COUNTS * bands.max(axis=1)]
    columns = np.hstack([components, of_lines, (bands / root).T])
    # Below the lines of usual elements, some detectors count bursts in a few pixels.
    columns[low_features(pixels.energy, pixels.channels)] = 0
    lengths = np.linalg.norm(columns, axis=0)
    columns = orthogonal(columns, fixed)
    left = np.linalg.norm(columns, axis=0)
    kept = left > LEAST_LEFT * np.maximum(lengths, 1e-300)
    n_components = np.count_nonzero(kept[: components.shape[1]])
    n_expected = np.count_nonzero(kept[: components.shape[1] + of_lines.shape[1]])
    return Directions(columns[:, kept] / left[kept], n_components, n_expected)


def _with_film(fixed, learning, longest):
    """Directions that do not count, with those of lines of film, which overlap with soft ones."""
    film = (in_features(learning.film, learning.pixels.channels) / learning.reduction.share**0.5).T
    film = orthogonal(film, fixed)
    lengths = np.linalg.norm(film, axis=0)
    there = lengths > NOTHING * longest
    return np.hstack([fixed, film[:, there] / lengths[there]])


def line_directions(learning, profiles):
    """Orthonormal whitened directions of the lines of elements, (features, n_elements or fewer)."""
    reduction = learning.reduction
    root = np.sqrt(reduction.share)
    columns = (in_features(profiles, learning.pixels.channels) / root).T
    smallest = NOTHING * np.linalg.norm(columns, axis=0).max(initial=0.0)
    columns = orthogonal(columns, reduction.fixed)
    lengths = np.linalg.norm(columns, axis=0)
    # Of some elements, no line may be among the energies that are looked at.
    columns = columns[:, lengths > smallest] / lengths[lengths > smallest]
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, sizes > 1e-3]


def _bands(energy):
    """Peaks at all energies, a full width apart, (n_bands, channels)."""
    centres = [max(energy[0], LOWEST_BAND)]
    while centres[-1] < energy[-1]:
        centres.append(centres[-1] + float(fwhm_at_energy(centres[-1], 130.0)))
    sigma = fwhm_at_energy(np.array(centres), 130.0)[:, None] * FWHM_TO_SIGMA
    return np.exp(-0.5 * ((energy - np.array(centres)[:, None]) / sigma) ** 2)


def strongest_departure(learning, memberships, directions, ignored):
    """The strongest departure from what clusters explain, None if there is none.

    Parameters
    ----------
    learning : Learning
    memberships : array (kept pixels, n_clusters)
    directions : Directions
    ignored : array of bool (kept pixels,)
        Places not to look at any more.

    Returns
    -------
    Departure or None
    """
    explained = Explained.of(learning, memberships)
    field = Field.of(learning, explained, directions.columns, directions.n_expected)
    root = np.sqrt(learning.reduction.share)
    found, covered = [], ignored.copy()
    for each in field.strongest(~ignored):
        place = _box(learning.keep, each[2], each[1])
        if not covered[place].any():
            covered |= place
            found.append((place, *each))
    if not found:
        return None
    # The spectra of the places, in what differs there.
    places = np.stack([place for place, *_ in found], axis=1)
    spectra = learning.pixels.blocks.sum(sum_members, of_pixels=[places])
    reached = _reached(learning.keep, memberships)
    for counts, (place, strength, scale, centre, taking_part) in zip(spectra, found, strict=True):
        chosen = np.union1d(np.arange(directions.n_components), taking_part)
        subspace = np.linalg.qr(directions.columns[:, chosen])[0]
        known = partial(is_known, counts, explained.shares, subspace)
        may_be = reached[place]
        nobody = np.zeros(may_be.shape[1])
        if known(nobody, may_be.any(axis=0) if scale <= SMALL else nobody):
            continue
        sure = memberships[place].any(axis=1, keepdims=True)
        alone = may_be & sure & (may_be.sum(axis=1, keepdims=True) == 1)
        is_mixed = known(alone.mean(axis=0), may_be.mean(axis=0))
        differs = (counts - explained.doses[place].sum(axis=0) @ explained.shares) / root
        direction = subspace @ (subspace.T @ differs)
        direction /= np.linalg.norm(direction)
        inside = _same_places(learning, explained, direction, scale, centre)
        return Departure(inside, place, direction, strength, scale, is_mixed)
    return None


def _reached(keep, memberships):
    """Clusters that each pixel may be of, as they are within reach, (kept pixels, n_clusters).

    What is noise with none within reach may be of any.
    """
    reached = np.zeros(memberships.shape, dtype=bool)
    image = np.full(keep.shape, -1)
    image[keep] = np.where(memberships.any(axis=1), memberships.argmax(axis=1), -1)
    for k in range(memberships.shape[1]):
        around = ndimage.maximum_filter(image == k, 2 * REACH + 1, mode="constant")
        reached[:, k] = around[keep]
    reached[~reached.any(axis=1)] = True
    return reached


def is_known(counts, shares, subspace, least, most):
    """Whether counts are those of a known cluster, of two that overlap, or of those nearby mixed.

    Parameters
    ----------
    counts : array (features,)
        Of some pixels.
    shares : array (n_clusters, features)
        Of one count of each cluster.
    subspace : array (features, n)
        Orthonormal whitened directions in which the counts may differ.
    least, most : array (n_clusters,)
        Shares of the pixels that must be of a cluster, and that may be: near a border, beam and
        labels leave it open.

    Returns
    -------
    bool
    """
    if not len(shares):
        return False
    likely = np.maximum(shares, 0)
    mean = likely.mean(axis=0) + 1e-12
    basis = subspace / np.sqrt(mean)[:, None]
    noise = basis.T @ (basis * (counts.sum() * mean)[:, None])
    root = np.linalg.inv(np.linalg.cholesky(noise + 1e-9 * np.trace(noise) * np.eye(len(noise))))
    found, of_clusters = root @ (counts @ basis), counts.sum() * (likely @ basis) @ root.T
    rest = found - mixing_states(len(shares)) @ of_clusters
    distance = (rest**2).sum(axis=1).min()
    nearby = most > least
    if nearby.any():
        # Shares that sum to one, as what they miss weighs much.
        much = 1e3 * np.abs(of_clusters).max() + 1.0
        system = np.vstack([of_clusters[nearby].T, np.full(nearby.sum(), much)])
        left = np.append(found - least[~nearby] @ of_clusters[~nearby], 1 - least[~nearby].sum())
        left[-1] *= much
        bounds = least[nearby], most[nearby]
        mixed = optimize.lsq_linear(system, left, bounds, method="bvls", max_iter=1000)
        distance = min(distance, 2 * mixed.cost)
    return bool(distance < stats.chi2.isf(UNLIKE, subspace.shape[1]))


def _box(keep, centre, scale):
    """Kept pixels of the box of some width around a pixel, array of bool (kept pixels,)."""
    where = np.array(np.nonzero(keep))
    low = np.array(centre)[:, None] - scale // 2
    return ((where >= low) & (where < low + scale)).all(axis=0)


def _same_places(learning, explained, direction, scale, centre):
    """Pixels that depart as a place of some scale does, array of bool (kept pixels,)."""
    keep, totals = learning.keep, learning.pixels.totals
    weights = direction / np.sqrt(learning.reduction.share)
    along = np.concatenate(learning.pixels.blocks.map(counts_along, weights))
    means, variances = explained.moments(weights)
    images = np.zeros((3, *keep.shape))
    images[:, keep] = along - explained.doses @ means, totals, explained.doses @ variances
    rest, doses, variance = (box_sum(image, scale) for image in images)
    amount = rest / np.maximum(doses, 1e-9)
    strongest = amount[tuple(centre)]
    same = amount * np.sign(strongest) > SAME_SHARE * abs(strongest)
    same &= rest * np.sign(strongest) > SAME_SIGNIFICANCE * np.sqrt(np.maximum(variance, 1e-9))
    return same[keep]
