r"""Is a cluster one composition inside? Residuals of its pixels beyond all that is no chemistry.

The net counts y of the lines of a pixel are weighted sums of its counts. If the composition is the
same everywhere, they are a multiple of those of the cluster, changed along known directions
where absorption varies, with a little of other phases where the beam blurs borders. What is left,

.. math:: r = M (y - N \sum_l a_l b_l), \qquad M = 1 - D (D' V^{-1} D)^{-1} D' V^{-1},

with the net counts of the cluster and of the directions in the columns of D, their covariance
V, and the shares a of other phases with the net counts b in the N counts, has the mean zero.
It is itself a weighted sum of single counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.counts.pixels import sum_labels
from hyperspy_clusterquant.evidence.beyond import THERE, beyond
from hyperspy_clusterquant.evidence.local import (
    Departure,
    around,
    range_of,
    shares_of,
    strongest_departure,
)
from hyperspy_clusterquant.evidence.nested import smallest_of
from hyperspy_clusterquant.evidence.p_values import combine_p_values
from hyperspy_clusterquant.evidence.tiles import (
    Residuals,
    p_value_together,
    peaks,
    variations,
)

#: Pixels take part if what the beam brought into them from other phases is less than this many
#: standard deviations of their counts: the model of the blur errs by a fifth of that, which then
#: is noticed in no tile.
NOTICEABLE_BLUR = 0.1
#: Fewest pixels of a cluster that can be compared.
FEWEST_PIXELS = 16
#: Part of a line's own change that must be left of it, or it is not told from the rest.
LEFT_OVER = 0.05
#: Scale in pixels for which it is said what would have been seen.
LIMIT_SCALE = 8
#: Share of its phase in a pixel above which the pixel belongs to it.
PURE = 0.5


@dataclass(frozen=True, eq=False)
class Inside:
    """What varies inside of one cluster; arrays (n_lines,), NaN where it cannot be told.

    Attributes
    ----------
    n_pixels : int
        Inner pixels that were compared.
    p_values : array
        Of "nothing varies beyond shot noise, dose, directions, and blur".
    dose_p_values : array
        Of "nothing varies beyond shot noise, dose, and blur": absorption and drift may.
    p_value : float
        Over all lines.
    variation, variation_std : array
        Of the share of the line, relative, at the scale where it is clearest.
    scales : array of int
        That, in pixels; 0 = none.
    limits : array
        Relative variation, in grains of `limit_scale` pixels, that would be seen nine times in ten.
    limit_scale : int
    told : array of bool
        Whether the variation could not be what was left out of the directions.
    images : array (n_lines, n_pixels)
        Departure of the line around each pixel at its scale, relative.
    lowest, highest : array
        Departures between which nine in ten pixels lie, relative, without noise.
    shares, noise : arrays (n_lines, n_pixels), (n_lines,)
        Departures of all lines at one scale, absorption and drift in them, and the standard
        deviations of what is noise of these, relative.
    pixels : array of int (n_pixels,)
        Flat numbers of the pixels on the map.
    departure : Departure or None
    """

    n_pixels: int
    p_values: np.ndarray
    dose_p_values: np.ndarray
    p_value: float
    variation: np.ndarray
    variation_std: np.ndarray
    scales: np.ndarray
    limits: np.ndarray
    limit_scale: int
    told: np.ndarray
    images: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    shares: np.ndarray
    noise: np.ndarray
    pixels: np.ndarray
    departure: Departure | None = None

    @classmethod
    def unknown(cls, pixels, n_lines):
        """Of a cluster that is too small."""
        nothing = np.full(n_lines, np.nan)
        nowhere = np.full((n_lines, len(pixels)), np.nan)
        return cls(
            len(pixels), nothing, nothing, np.nan, nothing, nothing, np.zeros(n_lines, int),
            nothing, 0, np.ones(n_lines, bool), nowhere, nothing, nothing, nowhere, nothing, pixels,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of the clusters of a map.

    Attributes
    ----------
    net : array (n_rows, channels)
        Weights that turn counts into net counts of families of lines ...
    tested : list of int
        ... of which these are the lines of interest.
    directions_of : callable
        Directions (n_directions, channels) of a spectrum (channels,) that are no chemistry.
    bends : bool
        Whether the first of them is absorption.
    level : float
    """

    net: np.ndarray
    tested: list
    directions_of: object
    bends: bool
    level: float

    def beyond(self, spectrum):
        """What the net counts have beyond what is no chemistry in a spectrum (channels,)."""
        return beyond(self.net, spectrum, self.directions_of(spectrum), self.bends)


@one_blas_thread()
def look_inside(pixels, labels, phases, question):
    """Look for variation inside of each cluster.

    Parameters
    ----------
    pixels : PixelCounts
        Each channel a feature.
    labels : array of int (kept pixels,)
    phases : PhaseSpectra
        Of the clusters, for the shares of pixels in them.
    question : Question

    Returns
    -------
    list of Inside
    spectra : array (n_clusters, channels)
        Summed counts of the inner pixels of each cluster.
    """
    mixed = _MixedIn(phases, question.net)
    n_clusters = len(phases.spectra)
    inner = np.where(mixed.own(labels) > PURE, labels, -1)
    sums = sum_labels(pixels, inner, n_clusters)
    for k in range(n_clusters):
        members = np.flatnonzero(labels == k)
        units = beyond(question.net, sums[k], np.zeros((0, len(sums[k])))).units
        inner[members] = np.where(mixed.strength(k, members, units) < NOTICEABLE_BLUR, k, -1)
    sums = sum_labels(pixels, inner, n_clusters)
    models = [_Model(question, of, k) for k, of in enumerate(sums)]
    used = pixels.channels >= 0
    operators = [np.concatenate([m.weights, m.weights**2])[:, used] for m in models]
    values = np.concatenate(pixels.blocks.map(_values, operators, of_pixels=[inner]))
    return [_inside(pixels, inner, values, mixed, model, question.level) for model in models], sums


def _values(counts, inner, operators):
    """Weighted sums of the counts of pixels, those of their clusters, (n_pixels, n_sums)."""
    found = np.zeros((counts.shape[0], max(map(len, operators))), dtype=np.float32)
    for k, weights in enumerate(operators):
        rows = np.flatnonzero(inner == k)
        if len(rows):
            found[rows, : len(weights)] = counts[rows] @ weights.T
    return found


class _MixedIn:
    """What other phases bring into the pixels of clusters."""

    def __init__(self, phases, net):
        totals = np.maximum(phases.phases.sum(axis=1, keepdims=True), 1e-9)
        self.lines = (phases.phases / totals) @ net.T
        self.shares, self.totals = phases.shares, phases.totals

    def own(self, labels):
        """Share of the phase of its cluster in each pixel, 0 where there is none."""
        own = self.shares[np.maximum(labels, 0), np.arange(len(labels))]
        return np.where(labels >= 0, own, 0.0)

    def per_count(self, cluster, members, matrix):
        """Residuals per count of pixels from other phases, (n_members, n_rows of matrix)."""
        others = np.arange(len(self.shares)) != cluster
        return self.shares[others][:, members].T @ (self.lines[others] @ matrix.T)

    def strength(self, cluster, members, units):
        """The same in units of the pixels' shot noise, (n_members,)."""
        mixed = self.per_count(cluster, members, units)
        return np.sqrt(self.totals[members] * np.sum(mixed**2, axis=1))


class _Model:
    """What is asked of the inner pixels of one cluster.

    Residuals of the lines beyond all, of these beyond dose only, and of unit variance beyond all.
    Lines of which the directions leave nothing are `confounded`: in the first, they are compared
    beyond dose only. `most` is the relative change of each line that the directions which are
    left in can make.
    """

    def __init__(self, question, spectrum, cluster):
        net, tested = question.net, question.tested
        each = np.arange(len(tested))
        self.cluster = cluster
        self.share = np.maximum(spectrum, 0) / max(np.maximum(spectrum, 0).sum(), 1e-300)
        found = question.beyond(spectrum)
        dose_only = beyond(net, spectrum, np.zeros((0, len(spectrum)))).matrix[tested]
        beyond_all = found.matrix[tested]
        self.all_confounded = found.noticeable and found.n_taken == 0
        self.confounded = (beyond_all[each, tested] < LEFT_OVER) | self.all_confounded
        self.n_free = max(len(found.units), 1)
        beyond_all = np.where(self.confounded[:, None], dose_only, beyond_all)
        self.rows = beyond_all, dose_only, found.units
        self.matrix = np.concatenate(self.rows)
        self.weights = self.matrix @ net
        left = np.array([rows[each, tested] for rows in self.rows[:2]])
        areas = net[tested] @ self.share
        std = np.sqrt(net[tested] ** 2 @ self.share / max(spectrum.sum(), 1e-300))
        areas = np.where(areas > THERE * std, areas, 0.0)
        # Residuals beyond dose are own changes less a mean of all; of shares only ratios count.
        self.own = left[1]
        self.gains = [*np.where(left > LEFT_OVER, left * areas, 0.0), np.zeros(len(found.units))]
        whole = question.directions_of(spectrum) @ net.T / max(spectrum.sum(), 1e-300)
        made = np.abs(found.left @ beyond_all.T).sum(axis=0) if found.noticeable else 0.0
        made = np.where(self.confounded, np.abs(whole @ beyond_all.T).sum(axis=0), made)
        known = self.gains[0] > 0
        self.most = np.where(known, made / np.where(known, self.gains[0], 1.0), np.inf)

    def residuals(self, pixels, members, values, mixed):
        """`Residuals` beyond all, beyond dose, and of unit variance, of the cluster's pixels."""
        values, squares = values[:, : 2 * len(self.weights)].astype(float).reshape(
            len(members), 2, -1
        ).transpose(1, 0, 2)  # fmt: skip
        totals = pixels.totals[members].astype(float)
        off = mixed.per_count(self.cluster, members, self.matrix)
        off -= (totals @ off) / totals.sum()  # as much is in the mean of the pixels
        squares = np.maximum(squares - 2 * off * values + totals[:, None] * off**2, 0.0)
        values = values - totals[:, None] * off
        where = np.array(np.nonzero(pixels.keep))[:, members]
        ends = np.cumsum([len(rows) for rows in self.rows])[:-1]
        parts = (np.split(array, ends, axis=1) for array in (values, squares, self.weights.T))
        return [
            Residuals(where, totals, own, of_own, weights.T, self.share, gains)
            for own, of_own, weights, gains in zip(*parts, self.gains, strict=True)
        ]


def _inside(pixels, inner, values, mixed, model, level):
    """What varies among the inner pixels of one cluster."""
    members = np.flatnonzero(inner == model.cluster)
    flat = np.flatnonzero(pixels.keep)[members]
    n_lines = len(model.confounded)
    if len(members) < FEWEST_PIXELS or not pixels.totals[members].sum() > 0:
        return Inside.unknown(flat, n_lines)
    beyond_all, beyond_dose, units = model.residuals(pixels, members, values[members], mixed)
    varies, of_dose = (variations(of, level / n_lines) for of in (beyond_all, beyond_dose))
    strongest = peaks(beyond_all)
    p = combine_p_values(np.array([varies.combined, [peak.p for peak in strongest]]))
    p_dose = combine_p_values(np.array([of_dose.combined, [peak.p for peak in peaks(beyond_dose)]]))
    clearest, each, scales = _clearest(varies), np.arange(n_lines), np.array(varies.scales)
    relative = varies.relative[clearest, each]
    limit = np.flatnonzero(scales <= LIMIT_SCALE)[-1]
    departure = strongest_departure(beyond_all, beyond_dose, strongest, flat, model)
    # Where half of the map has all of a change and the other half none, it varies by half of it.
    told = relative - varies.std[clearest, each] > 0.5 * model.most
    if departure is not None and departure.p_value < level:
        told[departure.line] |= abs(departure.size) > model.most[departure.line]
    told |= model.most == 0
    p = np.where(told | ~model.confounded, p, np.nan)
    of_peaks = (
        np.nan if departure is None or not np.isfinite(p[departure.line]) else departure.p_value
    )
    together = combine_p_values(p) if model.all_confounded else p_value_together(units)
    together = float(smallest_of(together, of_peaks))
    lowest, highest = range_of(beyond_dose, of_dose)
    shares, noise = shares_of(beyond_dose, of_dose)
    return Inside(
        n_pixels=len(members),
        p_values=p,
        dose_p_values=p_dose,
        p_value=together,
        variation=of_dose.relative[clearest, each],
        variation_std=of_dose.std[clearest, each],
        scales=np.where(np.isfinite(p), scales[clearest], 0),
        limits=varies.limits[limit, each],
        limit_scale=int(scales[limit]),
        told=told,
        images=np.array(
            [around(beyond_all, line, scales[clearest[line]]) for line in each], dtype=np.float32
        ),
        lowest=lowest,
        highest=highest,
        shares=(shares * model.own[:, None]).astype(np.float32),
        noise=noise * model.own,
        pixels=flat,
        departure=departure,
    )


def _clearest(varies):
    """Number of the scale at which each line varies most, in units of what would be seen."""
    ratio = np.nan_to_num(varies.relative / varies.limits, nan=-1.0)
    return ratio.argmax(axis=0)
