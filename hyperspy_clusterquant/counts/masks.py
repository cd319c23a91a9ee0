"""Pixels with nothing in them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def vacuum_mask(totals, fraction=0.05):
    """Find the pixels with nothing in them from the total counts.

    The totals are averaged over just as many neighbours as it takes to tell a pixel
    at twice the threshold from one below it, but over a Gaussian of at most 2
    pixels, so that the mask works at 1 count per pixel. Pixels with less than `fraction`
    of the level of the sample are vacuum. That level is where half of all counts are:
    it depends neither on how much of the map the sample covers, nor on a few hot pixels.
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
    regions, n_regions = ndimage.label(undecided)
    mostly_below = ndimage.mean(below, regions, np.arange(n_regions + 1)) > 0.5
    return np.where(undecided, mostly_below[regions], below)


def _areas(chosen, n_pixels, certain=False):
    """Of the chosen pixels, those in connected areas that are large or hold a certain one."""
    areas, n_areas = ndimage.label(chosen)
    sizes = np.bincount(areas.ravel(), minlength=n_areas + 1)
    real = sizes > n_pixels
    real[np.unique(areas[chosen & certain])] = True
    return chosen & real[areas]
