"""What clusters explain of a map, and how far places of all sizes depart from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, stats

from hyperspy_clusterquant.counts.bins import BIN_PIXELS, bin_parts, bin_pixels
from hyperspy_clusterquant.counts.packed import group_rows
from hyperspy_clusterquant.counts.pixels import sum_members

#: Probability that a map which the clusters explain shows any departure by chance. Half of it goes
#: to the few directions in which something is expected, the lines of the elements.
CHANCE = 0.01
#: Widths of the places that are looked at, in pixels, up to this share of the map's axes.
SCALES, WIDEST_SHARE = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64), 1 / 4
#: Values of bins times directions that are looked at together; larger maps are binned before.
MOST_VALUES = 2**20
#: Gaussian sigma (pixels) by which memberships are blurred, so that borders are no departures.
BORDER_BLUR = 1.0
#: Standard deviations from which a direction takes part in the spectrum of a departure.
TAKES_PART = 4.0
#: Strongest places that are looked at, each unless it is another of the clusters.
MOST_PLACES = 40
#: Typical size of departures, in units of noise, from which they are more than noise everywhere.
USUAL = 1.2


@dataclass(frozen=True, eq=False)
class Explained:
    """What clusters explain: counts of each in each pixel, as a beam sees them at borders.

    `doses` (kept pixels, n_clusters); `shares` (n_clusters, features) of one count of each are
    the least squares of the counts of all pixels.
    """

    doses: np.ndarray
    shares: np.ndarray

    @classmethod
    def of(cls, learning, memberships):
        """Of memberships (kept pixels, n_clusters)."""
        keep, totals = learning.keep, learning.pixels.totals
        blurred = np.empty_like(memberships, dtype=np.float32)
        image = np.zeros(keep.shape, dtype=np.float32)
        for k, column in enumerate(memberships.T):
            image[keep] = column
            blurred[:, k] = ndimage.gaussian_filter(image, BORDER_BLUR, mode="constant")[keep]
        total = blurred.sum(axis=1, keepdims=True)
        blurred = np.where(total > 1e-6, blurred / np.maximum(total, 1e-6), 1 / blurred.shape[1])
        doses = blurred * totals[:, None].astype(np.float32)
        normal = blurred.T.astype(float) @ doses
        normal += 1e-6 * np.trace(normal) / len(normal) * np.eye(len(normal))
        sums = learning.pixels.blocks.sum(sum_members, of_pixels=[blurred])
        return cls(doses, np.linalg.solve(normal, sums))

    def moments(self, weights):
        """Mean and variance of one count of each cluster along weights (features, ...)."""
        means = self.shares @ weights
        return means, np.maximum(np.maximum(self.shares, 0) @ weights**2 - means**2, 1e-12)


@dataclass(frozen=True, eq=False)
class Field:
    """Counts along directions on a grid of bins, and what explains them.

    `rests` (n_directions, grid) are what clusters do not explain, `doses` (n_clusters, grid)
    their counts, in bins of `factor` pixels; `variances` (n_clusters, n_directions) and `skewness`
    (n_directions,) are those of one count; `in_grid` tells which bin each kept pixel is in.
    """

    rests: np.ndarray
    doses: np.ndarray
    variances: np.ndarray
    skewness: np.ndarray
    shares: np.ndarray
    weights: np.ndarray
    in_grid: np.ndarray
    factor: int
    n_expected: int

    @classmethod
    def of(cls, learning, explained, directions, n_expected):
        """Of whitened directions (features, n)."""
        pixels, keep, share = learning.pixels, learning.keep, learning.reduction.share
        weights = directions / np.sqrt(share)[:, None]
        factor = 1
        while keep.sum() / factor**keep.ndim * weights.shape[1] > MOST_VALUES:
            factor += 1
        bin_of_pixel, n_bins = bin_pixels(keep, factor)
        sums = np.concatenate(
            pixels.blocks.map(
                _in_bins, weights.astype(np.float32),
                of_pixels=[bin_of_pixel], parts=bin_parts(bin_of_pixel, BIN_PIXELS),
            )
        )  # fmt: skip
        in_bins = np.stack(
            [np.bincount(bin_of_pixel, column, n_bins) for column in explained.doses.T], axis=1
        )
        means, variances = explained.moments(weights)
        shape = [-(-size // factor) for size in keep.shape]
        in_grid = np.ravel_multi_index([i // factor for i in np.nonzero(keep)], shape)
        grid = np.zeros((sums.shape[1] + in_bins.shape[1], np.prod(shape)), dtype=np.float32)
        grid[:, np.unique(in_grid)] = np.hstack([sums - in_bins @ means, in_bins]).T
        rests, doses = np.split(grid.reshape(-1, *shape), [sums.shape[1]])
        third = share @ weights**3 / np.maximum(share @ weights**2, 1e-12) ** 1.5
        return cls(
            rests, doses, variances, third, explained.shares, weights, in_grid, factor, n_expected
        )

    def strongest(self, looked_at):
        """The strongest places, with their strength, scale, centre and the directions they are in.

        The strength is in units of what chance reaches.
        """
        shape = self.rests.shape[1:]
        in_bins = np.zeros(np.prod(shape), dtype=bool)
        in_bins[self.in_grid[looked_at]] = True
        in_bins = in_bins.reshape(shape)
        scales = [s for s in SCALES if s == 1 or s <= WIDEST_SHARE * max(shape)]
        limits = self._limits(scales, in_bins.sum(), len(shape))
        found = []
        for scale in scales:
            step = max(scale // 2, 1)
            at = np.array(np.nonzero(in_bins[(slice(None, None, step),) * len(shape)])) * step
            if not at.size:
                continue
            raw, z, usual, doses = self._standardised(scale, tuple(at))
            strength = np.abs(z) / (usual * limits)[:, None]
            strongest = strength.max(axis=0)
            best = np.argsort(-strongest)[:MOST_PLACES]
            for place in best[strongest[best] > 1]:
                d = strength[:, place].argmax()
                exact = self._exactly(d, raw[d, place], doses[:, place]) * strength[d, place]
                if exact > 1:
                    taking_part = np.flatnonzero(np.abs(z[:, place]) > TAKES_PART)
                    centre = at[:, place] * self.factor + self.factor // 2
                    found.append((exact, scale * self.factor, centre, taking_part))
        return sorted(found, key=lambda each: -each[0])[:MOST_PLACES]

    def _limits(self, scales, n_places, n_dim):
        """Standard deviations that chance does not reach, of each direction."""
        n_places = sum(n_places * min(1, (2 / s) ** n_dim) for s in scales)
        n = np.array([self.n_expected, len(self.rests) - self.n_expected])
        chance = 0.5 * CHANCE / np.count_nonzero(n)
        limits = stats.norm.isf(chance / np.maximum(n * n_places, 1))
        return np.repeat(limits, n)

    def _standardised(self, scale, at):
        """Departures in standard deviations, raw and as if normal, (n_directions, places).

        How far places usually depart in each direction, as along a gradient, in units of noise,
        and doses of the places.
        """
        doses = box_sums(self.doses, scale, at).astype(float)
        n_counts = np.maximum(doses.sum(axis=0), 1e-3)
        # A pixel has few counts for so many bands.
        n = self.n_expected if scale == 1 else len(self.rests)
        raw = np.zeros((len(self.rests), len(at[0])), dtype=np.float32)
        raw[:n] = box_sums(self.rests[:n], scale, at)
        raw[:n] /= np.sqrt(np.maximum(self.variances[:, :n].T @ doses, 1e-9))
        z = np.zeros_like(raw)
        z[:n] = _normal(raw[:n], np.multiply.outer(self.skewness[:n], 1 / np.sqrt(n_counts)))
        some = slice(None, None, max(len(at[0]) // 4096, 1))
        typical = np.median(np.abs(z[:, some]), axis=1) / stats.norm.isf(0.25)
        usual = np.where(typical > USUAL, typical, 1.0)
        return raw, z, usual, doses

    def _exactly(self, d, raw, doses):
        """What the significance of a place is, in units of what it is roughly."""
        expected = np.maximum(doses @ self.shares, 0)
        weights = self.weights[:, d] - expected @ self.weights[:, d] / max(expected.sum(), 1e-9)
        value = raw * np.sqrt(expected @ weights**2)
        rough = _normal(raw, self.skewness[d] / np.sqrt(max(doses.sum(), 1e-3)))
        exact = saddlepoint(np.sign(value) * weights, expected, abs(value))
        return exact / max(abs(float(rough)), 1e-9)


def saddlepoint(weights, expected, value):
    r"""Significance of a weighted sum of Poisson counts that is larger than expected.

    Lugannani and Rice's formula, with the cumulants of
    :math:`\sum_j w_j (x_j - \lambda_j)`: right also where the sum rests on few counts.

    Parameters
    ----------
    weights, expected : array (n,)
        Weights w, and expected counts.
    value : float
        Of the sum, above 0.

    Returns
    -------
    float
        Standard deviations of a normal distribution with the same probability beyond.

    References
    ----------
    R. Lugannani and S. Rice, Adv. Appl. Probab. 12 (1980) 475.

    Examples
    --------
    >>> from scipy import stats
    >>> z = saddlepoint(np.ones(1), np.array([3.0]), 14.5 - 3)
    >>> bool(np.isclose(z, stats.norm.isf(stats.poisson.sf(14, 3)), atol=0.1))
    True
    """
    t = value / max(expected @ weights**2, 1e-300)
    largest = np.abs(weights).max(initial=1e-300)
    t = min(t, 5 / largest)
    for _ in range(50):
        tilted = expected * weights * np.exp(t * weights)
        step = (tilted.sum() - weights @ expected - value) / max(tilted @ weights, 1e-300)
        t = max(t - np.clip(step, -2 / largest, 2 / largest), 1e-9)
        if abs(step) < 1e-9 * t:
            break
    cumulant = expected @ (np.expm1(t * weights) - t * weights)
    curvature = expected @ (weights**2 * np.exp(t * weights))
    r = np.sqrt(max(2 * (t * value - cumulant), 0))
    u = t * np.sqrt(curvature)
    return float(r + np.log(u / r) / r) if r > 0.1 else float(r)


def _normal(z, skewness):
    """Standardised sums of counts, which are skewed, as standard deviations of a normal one.

    References
    ----------
    E. B. Wilson and M. M. Hilferty, Proc. Natl. Acad. Sci. 17 (1931) 684.
    """
    g = np.where(np.abs(skewness) < 1e-3, np.float32(1e-3), skewness)
    return (6 / g) * (np.cbrt(np.maximum(1 + g * z / 2, 0)) - 1) + g / 6


def box_sum(image, scale):
    """Sums of an image in boxes of some width around each point; nothing is outside of it."""
    if scale == 1:
        return image
    return ndimage.uniform_filter(image, scale, mode="constant") * np.float32(scale**image.ndim)


def box_sums(images, scale, at):
    """The same of several images, at some places, (n_images, n_places)."""
    found = np.empty((len(images), len(at[0])), dtype=np.float32)
    for row, image in zip(found, images, strict=True):
        row[:] = box_sum(image, scale)[at]
    return found


def _in_bins(counts, bins, weights):
    first = bins.min()
    return group_rows(counts, bins - first, bins.max() - first + 1) @ weights
