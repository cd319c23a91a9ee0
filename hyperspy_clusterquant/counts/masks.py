"""Pixels with nothing in them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

#: Share of the sample's counts below which a pixel is vacuum.
VACUUM = 0.05
#: Largest share of a map that hot pixels may have: what is more is the sample.
MOST_HOT = 0.1
#: How far a hot pixel stands above those around it: times and counts, so that none of many pixels
#: with shot noise is called hot, also where there is less than a count in each.
HOT, HOT_COUNTS = 5.0, 20
#: Groups of up to 2 x 2 pixels that lie at random make up areas by chance: of the bright pixels,
#: not more than this share is in such areas, ...
BY_CHANCE = 0.4
#: ... and each has not more than so many pixels, or this share of all bright ones.
LARGEST_CLUMP, LARGEST_SHARE = 12, 0.05
#: One such area alone is no sample either if it has a smaller share of the map.
SMALLEST_SAMPLE = 0.003
#: Each round divides the brightest by up to 20: these reach from any counter's largest number to 1.
MOST_ROUNDS = 64


def vacuum_mask(totals, fraction=VACUUM):
    """Find the pixels with nothing in them from the total counts.

    The totals are averaged over just as many neighbours as it takes to tell a pixel
    at twice the threshold from one below it, but over a Gaussian of at most 2
    pixels, so that the mask works at 1 count per pixel. Pixels with less than `fraction`
    of the level of the sample are vacuum. That level is where half of all counts are, hot
    pixels taken as those around them: it depends neither on how much of the map the sample
    covers, nor on pixels that are bright alone, see `without_hot_pixels`; these are kept.
    Pixels that differ from the threshold by no more than noise are judged together with their
    neighbours of that kind, so that an area near the threshold has no speckles.

    Parameters
    ----------
    totals : array (map shape)
        Counts per pixel.
    fraction : float
        Share of the sample's counts below which a pixel is vacuum.

    Returns
    -------
    array of bool (map shape)
        True = vacuum (left out). Pixels without a single count in their
        neighbourhood are always left out.
    """
    totals = np.asarray(totals, dtype=float)
    if not totals.any():
        return np.ones(totals.shape, dtype=bool)
    cool = without_hot_pixels(totals, fraction)
    if not cool.any():  # then the pixels that are bright alone are all there is
        cool = totals
    return _below(cool, fraction) & (cool == totals)


def without_hot_pixels(totals, fraction=VACUUM):
    """The totals with pixels that are bright alone as bright as those around them.

    Hot pixels, saturated ones and bursts of noise along a scanned line may hold more counts than
    the whole sample. They are not told by their brightness, which a small particle has, too, but by
    their shape: what is brighter than `fraction` of the brightest pixel must be an area, with most
    pixels of a square of 3 x 3 in it (or 3 of 5 in a line scan). What is not is taken off, from the
    brightest on, as long as it covers no more than a tenth of the map.

    Parameters
    ----------
    totals : array (map shape)
        Counts per pixel. In stacks each map is looked at alone.
    fraction : float
        Of the brightest pixel.

    Returns
    -------
    array (map shape)
        The same array if there is no such pixel.

    Examples
    --------
    >>> totals = np.full((16, 16), 10.0)
    >>> totals[4, 4] = 90_000
    >>> float(without_hot_pixels(totals).max())
    10.0
    """
    window, needed = ((5,), 3) if totals.ndim == 1 else ((*(1,) * (totals.ndim - 2), 3, 3), 5)
    square = np.ones(window)
    # Each round takes off what is within a factor 1 / fraction of the brightest.
    for _ in range(MOST_ROUNDS):
        highest = totals.max()
        # Above the square root of the counts, so that noise does not tear areas to pieces.
        bright = totals > max(fraction * highest, np.sqrt(highest))
        n_bright = np.count_nonzero(bright)
        if n_bright > MOST_HOT * totals.size:
            break
        n_near = ndimage.convolve(bright.astype(float), square, mode="constant")
        areas = bright & ndimage.binary_dilation(bright & (n_near > needed - 0.5), square)
        no_sample = min(LARGEST_CLUMP, SMALLEST_SAMPLE * totals.size)
        if np.count_nonzero(areas) <= max(BY_CHANCE * n_bright, no_sample):
            areas = _areas(areas, max(LARGEST_CLUMP, LARGEST_SHARE * n_bright))
        around = _around(totals, bright, [n if n == 1 else 5 for n in window])
        hot = bright & ~areas & (totals > HOT * around + HOT_COUNTS)
        if not hot.any():
            break
        totals = np.where(hot, around, totals)
    return totals


def _around(totals, bright, window):
    """Mean of the pixels in a window that are not bright; of all of these if there is none."""
    share = ndimage.uniform_filter((~bright).astype(float), window, mode="constant")
    mean = ndimage.uniform_filter(np.where(bright, 0.0, totals), window, mode="constant")
    overall = totals[~bright].mean()
    return np.divide(mean, share, out=np.full(totals.shape, overall), where=share > 1e-6)


def _below(totals, fraction):
    """Pixels below a fraction of the level of the sample, see `vacuum_mask`."""
    ascending = np.sort(totals, axis=None)
    collected = np.cumsum(ascending)
    middle = ascending[np.searchsorted(collected, 0.5 * collected[-1])]
    # Less one: a count is found more often in a pixel that happens to have one more.
    level = max(middle - 1, totals.mean())
    # Ten counts at the threshold; a Gaussian averages (4 pi sigma^2)^(n/2) pixels.
    n_pixels = 10.0 / (fraction * level)
    sigma = min(n_pixels ** (1 / totals.ndim) / np.sqrt(4 * np.pi), 2.0)
    smooth = ndimage.gaussian_filter(totals, sigma, mode="nearest") if n_pixels > 1 else totals
    threshold = fraction * level
    below = (smooth < threshold) | (smooth <= 0)
    averaged = max((4 * np.pi * sigma**2) ** (totals.ndim / 2), 1.0)
    clearly_below = smooth + 3 * np.sqrt(np.maximum(smooth, 1 / averaged) / averaged) < threshold
    above = (smooth - threshold) / np.sqrt(threshold / averaged)
    # In a large map chance alone takes a few pixels that far; an area of them is no chance,
    # nor are twice as many standard deviations.
    clearly_below = _areas(clearly_below, 4 * averaged)
    clearly_above = _areas(above > 3, 4 * averaged, certain=above > 6)
    undecided = ~clearly_below & ~clearly_above & (smooth > 0)
    regions, _ = ndimage.label(undecided)
    sizes = np.bincount(regions.ravel())
    mostly_below = np.bincount(regions.ravel(), below.ravel()) > 0.5 * sizes
    return np.where(undecided, mostly_below[regions], below)


def _areas(chosen, n_pixels, certain=False):
    """Of the chosen pixels, those in connected areas that are large or hold a certain one."""
    areas, n_areas = ndimage.label(chosen)
    sizes = np.bincount(areas.ravel(), minlength=n_areas + 1)
    real = sizes > n_pixels
    real[np.unique(areas[chosen & certain])] = True
    return chosen & real[areas]
