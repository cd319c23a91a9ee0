r"""Residuals of pixels in tiles of all sizes: do they vary more than shot noise, and where most?

A residual is a weighted sum of single counts whose mean is zero if the composition is the same
everywhere, so that its square less the squares of the single weights has no noise, see `variation`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import stats

from hyperspy_clusterquant.evidence.nested import of_many, of_nested
from hyperspy_clusterquant.evidence.tails import Tail
from hyperspy_clusterquant.evidence.variation import LEAST_SKEWNESS

#: Counts from which a tile is looked at by itself: of fewer, none stands out.
LEAST_COUNTS = 50
#: Share of all counts that a tile holds at most if it is to stand out from the others.
LARGEST_SHARE = 0.5
#: Part of the tiles that are as good as independent, of all sizes and shifted by half of one, as
#: fields of noise have it on lines and on maps (0.7 to 1).
INDEPENDENT = 0.8
#: Pairs of counts in one tile that say something of a line, from which its variation is tested.
FEWEST_CHANCES = 3
#: Channels whose products with all others are looked at together.
TOGETHER = 256
#: Probability that a variation at the limit is missed.
MISSED = 0.1


@dataclass(frozen=True, eq=False)
class Residuals:
    """What the pixels of one cluster have beyond its composition.

    Attributes
    ----------
    where : array of int (n_axes, n_pixels)
        Places of the pixels on the map.
    totals : array (n_pixels,)
        Their counts.
    values : array (n_pixels, n_lines)
        Residuals.
    squares : array (n_pixels, n_lines)
        Squares of the weights, summed over the counts of each pixel.
    weights : array (n_lines, channels)
        Of the counts in the residuals ...
    share : array (channels,)
        ... which are distributed like this.
    gains : array (n_lines,)
        Residual per count where there is twice as much of the line.
    """

    where: np.ndarray
    totals: np.ndarray
    values: np.ndarray
    squares: np.ndarray
    weights: np.ndarray
    share: np.ndarray
    gains: np.ndarray

    @property
    def scales(self):
        """Sizes of tiles in pixels: powers of two, of which the largest divides the pixels."""
        extent = int(np.ptp(self.where, axis=1).max()) + 1
        return tuple(2**n for n in range(max(int(np.ceil(np.log2(max(extent, 2)))), 1)))

    def tiles(self, scale, shift=0):
        """Number of the tile that each pixel lies in; the tiles begin `shift` pixels before 0."""
        of_axes = (self.where + np.reshape(shift, (-1, 1))) // scale
        flat = np.ravel_multi_index(of_axes, of_axes.max(axis=1) + 1)
        return np.unique(flat, return_inverse=True)[1]

    def sums(self, tile, of):
        """Sums of values (n_pixels, n) or (n_pixels,) over tiles."""
        if of.ndim == 1:
            return np.bincount(tile, of)
        return np.column_stack([np.bincount(tile, column) for column in of.T])


@dataclass(frozen=True, eq=False)
class Variations:
    """How much each line varies between tiles of each size; arrays (n_scales, n_lines).

    `p_values` of "no more than shot noise", from `pairs` (n_scales,) of counts in the same tile,
    `relative` variation of the line with `std`, and `limits`, above which a variation would be seen
    nine times in ten.
    """

    scales: tuple
    pairs: np.ndarray
    p_values: np.ndarray
    relative: np.ndarray
    std: np.ndarray
    limits: np.ndarray

    @property
    def combined(self):
        """One p-value of each line from all scales, (n_lines,)."""
        return np.array([of_nested(p, self.pairs) for p in self.p_values.T])


def variations(pixels, level):
    """Variation of the lines at all scales.

    The mean composition is that of the pixels, so that their residuals add up to nothing: the
    residuals of tiles are no more independent, which matters where they are few.

    Parameters
    ----------
    pixels : Residuals
    level : float
        For `limits`: of the test of one line at one scale.

    Returns
    -------
    Variations
    """
    second, third, fourth = (pixels.weights**n @ pixels.share for n in (2, 3, 4))
    powers = second**2, third**2, fourth**2, second**3
    found = [_variation(pixels, scale, level, powers) for scale in pixels.scales]
    return Variations(pixels.scales, *map(np.array, zip(*found, strict=True)))


def _variation(pixels, scale, level, powers):
    """Pairs, p-values, relative variation, its std and limit at one scale."""
    totals, q = _without_noise(pixels, scale)
    pairs, p, spread, freedom = _tested(q.sum(axis=0), totals, powers)
    expected = _different(totals)[2] * pixels.gains**2
    expected = np.where(np.isfinite(p) & (expected > 0), expected, np.nan)
    relative = np.sqrt(np.maximum(q.sum(axis=0), 0) / expected)
    error = np.sqrt(np.maximum(np.sum(q**2, axis=0), spread**2)) / expected
    needed = _chi_square_limit(level, freedom) + stats.norm.isf(MISSED)
    std = error / np.maximum(2 * relative, np.sqrt(error))
    return pairs, p, relative, std, np.sqrt(needed * spread / expected)


def p_value_together(pixels):
    """p-value of "nothing varies more than shot noise" of all lines and scales together.

    The residuals are to be of unit variance per count, and of no correlation.
    """
    n_rows = len(pixels.weights)
    if n_rows == 0:
        return np.nan
    second, third, fourth = _powers_of_products(pixels.weights, pixels.share)
    powers = tuple(np.array([value]) for value in (second, third, fourth, float(n_rows)))
    found = []
    for scale in pixels.scales:
        totals, q = _without_noise(pixels, scale)
        found.append(_tested(q.sum(keepdims=True).ravel(), totals, powers)[:2])
    pairs, p = zip(*found, strict=True)
    return of_nested(np.ravel(p), np.array(pairs))


def _powers_of_products(weights, share):
    """Mean second, third and fourth power of the products of the weights of two counts."""
    used = share > 0
    weights, share = weights[:, used], share[used]
    means = np.zeros(3)
    for start in range(0, len(share), TOGETHER):
        part = slice(start, start + TOGETHER)
        products = weights[:, part].T @ weights
        power = products
        for n in range(3):
            power = power * products
            means[n] += share[part] @ power @ share
    return means


def _without_noise(pixels, scale):
    """Counts of tiles, and the squares of their residuals without noise, (n_tiles, n_lines)."""
    tile = pixels.tiles(scale)
    totals, values, noise = (
        pixels.sums(tile, of) for of in (pixels.totals, pixels.values, pixels.squares)
    )
    share = (totals / totals.sum())[:, None]
    # As in `variation`: what the mean took of the noise.
    return totals, values**2 - noise * (1 - 2 * share) - share**2 * noise.sum(axis=0)


def _tested(statistics, totals, powers):
    """Pairs of counts in the same tile, p-values, standard deviations and degrees of freedom.

    For sums of products of the weights of different counts in the same tile, whose mean second,
    third and fourth powers are known, and the mean product of three around a triangle.
    """
    second, third, fourth, triangle = powers
    pairs, triples, _ = _different(totals)
    variance = np.maximum(2 * pairs * second, 1e-300)
    skewness = (8 * triples * triangle + 4 * pairs * third) / np.maximum(variance**1.5, 1e-300)
    freedom = 8 / np.maximum(skewness, LEAST_SKEWNESS) ** 2
    spread = np.sqrt(variance)
    p = stats.chi2.sf(freedom + statistics / spread * np.sqrt(2 * freedom), freedom)
    say_something = 0.5 * pairs * second**2 / np.maximum(fourth, 1e-300)
    return pairs, np.where(say_something >= FEWEST_CHANCES, p, np.nan), spread, freedom


def _different(totals):
    """Pairs and triples of different counts in the same tile, and what variation is measured by.

    Residuals that add up to nothing have the covariance diag(N) - N N' / sum(N) in units of a
    count's: the pairs and triples are the traces of its powers.
    """
    n, squares, cubes, fourths = (np.sum(totals**k) for k in (1, 2, 3, 4))
    two = squares - 2 * cubes / n + (squares / n) ** 2
    three = cubes - 3 * fourths / n + 3 * squares * cubes / n**2 - (squares / n) ** 3
    return max(two - n, 0.0), max(three - 3 * squares + 2 * n, 0.0), two


def _chi_square_limit(level, freedom):
    """Standard deviations that are exceeded by chance with the probability `level`."""
    return (stats.chi2.isf(level, freedom) - freedom) / np.sqrt(2 * freedom)


@dataclass(frozen=True)
class Peak:
    """The tile where one line departs most.

    `z` in standard deviations with its sign, `p` with all the places and scales that were looked
    at, `scale` in pixels, and the numbers of its `pixels` among those of the cluster.
    """

    z: float
    p: float
    scale: int
    pixels: np.ndarray


def peaks(pixels):
    """The strongest departure of each line, over tiles of all sizes, also shifted by half of one.

    Parameters
    ----------
    pixels : Residuals

    Returns
    -------
    list of Peak
    """
    tails = [Tail(row, pixels.share) for row in pixels.weights]
    best = [(0.0, 1, None, None)] * len(tails)
    n_tiles = 0
    for scale in pixels.scales:
        for shift in _shifts(pixels.where, scale):
            tile = pixels.tiles(scale, shift)
            totals = pixels.sums(tile, pixels.totals)
            share = totals / totals.sum()
            tried = np.flatnonzero((totals >= LEAST_COUNTS) & (share <= LARGEST_SHARE))
            n_tiles += len(tried)
            if not len(tried):
                continue
            values = pixels.sums(tile, pixels.values)[tried]
            values /= np.sqrt(1 - share[tried])[:, None]
            for line, tail in enumerate(tails):
                z = tail.z(values[:, line], totals[tried])
                top = int(np.abs(z).argmax())
                if abs(z[top]) > abs(best[line][0]):
                    best[line] = (float(z[top]), scale, shift, int(tried[top]))
    found = []
    for z, scale, shift, number in best:
        members = np.zeros(0, int)
        if number is not None:
            members = np.flatnonzero(pixels.tiles(scale, shift) == number)
        p = of_many(2 * stats.norm.sf(abs(z)), INDEPENDENT * n_tiles)
        found.append(Peak(z, float(p), scale, members))
    return found


def _shifts(where, scale):
    """Places where tiles may begin."""
    halves = [(0,) if np.ptp(axis) == 0 or scale < 2 else (0, scale // 2) for axis in where]
    return itertools.product(*halves)
