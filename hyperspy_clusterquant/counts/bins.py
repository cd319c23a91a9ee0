"""Bins of pixels: how large, and which pixels belong together."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._checks import as_int

#: "auto" bins until a learning pixel holds this many counts ...
LEARNING_COUNTS = 400
#: ... but leaves this many pixels to learn from.
LEARNING_PIXELS = 1000
#: Pixels whose bins are thinned and multiplied together.
BIN_PIXELS = 2**13


def choose_binning(binning, counts_per_pixel, keep):
    """Smallest factor with a learnable number of counts per pixel, or the user's."""
    if binning != "auto":
        return as_int("binning", binning, minimum=1)
    wanted = (LEARNING_COUNTS / counts_per_pixel) ** (1 / keep.ndim)
    allowed = (keep.sum() / LEARNING_PIXELS) ** (1 / keep.ndim)
    return max(int(min(np.ceil(wanted), np.floor(allowed))), 1)


def bin_pixels(keep, factor):
    """Numbers of the learning pixels that the kept pixels are binned into.

    Parameters
    ----------
    keep : array of bool (map shape)
        Pixels that take part.
    factor : int
        Binning factor along every navigation axis; the last bin of an axis
        may hold fewer pixels.

    Returns
    -------
    bin_of_pixel : array of int (kept pixels,)
        Dense numbers 0 .. n_bins - 1 in the order of the map.
    n_bins : int
    """
    shape = [-(-size // factor) for size in keep.shape]
    coarse = np.ravel_multi_index([index // factor for index in np.nonzero(keep)], shape)
    occupied, bin_of_pixel = np.unique(coarse, return_inverse=True)
    return bin_of_pixel, len(occupied)


def bin_parts(bin_of_pixel, n_pixels):
    """Divide pixels so that no bin is.

    Parameters
    ----------
    bin_of_pixel : array of int (kept pixels,)
        From `bin_pixels`.
    n_pixels : int
        Pixels of a part, or less than a bin more.

    Returns
    -------
    list of array of int
        Ascending numbers of the pixels of each part, which are those of consecutive bins.

    Examples
    --------
    >>> bin_parts(np.array([0, 0, 1, 1, 0, 0, 1, 1, 2, 2]), 4)
    [array([0, 1, 4, 5]), array([2, 3, 6, 7]), array([8, 9])]
    """
    before = np.cumsum(np.bincount(bin_of_pixel))
    part_of_bin = np.unique((before - 1) // n_pixels, return_inverse=True)[1]
    part = part_of_bin[bin_of_pixel]
    order = np.argsort(part, kind="stable")
    return np.split(order, np.cumsum(np.bincount(part))[:-1])
