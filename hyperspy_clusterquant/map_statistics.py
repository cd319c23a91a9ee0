"""Statistics of the maps of lines, from the counts of pixels."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant import counts
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.diagnostics.variation import LineWeights, variation
from hyperspy_clusterquant.learning import BIN_PIXELS

#: Fewest bins of pixels that can be compared.
FEWEST_BINS = 8


@one_blas_thread()
def vary(pixels, net, total, factor):
    """Variation of lines between bins of pixels.

    Parameters
    ----------
    pixels : PixelCounts
        Each channel a feature of its own.
    net : array (n_lines, channels)
        Weights that turn counts into net counts of lines.
    total : array (channels,)
        Summed counts of the pixels.
    factor : int
        Pixels of a bin along each axis.

    Returns
    -------
    variation : Variation
    n_bins : int

    Raises
    ------
    ValueError
        If there are too few bins to compare.
    """
    used = pixels.channels >= 0
    weights = LineWeights.of_map(net[:, used], total[used])
    bin_of_pixel, n_bins = counts.bin_pixels(pixels.keep, factor)
    if n_bins < FEWEST_BINS:
        raise ValueError(
            f"There are only {n_bins} bins of {factor} pixels along each axis to compare; at least "
            f"{FEWEST_BINS} are needed. Choose a smaller `binning`, or mask less."
        )
    sums = pixels.blocks.map(
        _bin_sums, weights.operator,
        of_pixels=[bin_of_pixel], parts=counts.bin_parts(bin_of_pixel, BIN_PIXELS),
    )  # fmt: skip
    sizes = np.bincount(bin_of_pixel, minlength=n_bins)
    return variation(np.concatenate(sums), weights, sizes), n_bins


@one_blas_thread()
def line_images(pixels, net):
    """Net counts of lines on the map.

    Parameters
    ----------
    pixels, net
        As of `vary`.

    Returns
    -------
    array of float32 (n_lines, map shape)
        NaN where pixels are left out.
    """
    found = pixels.blocks.map(_project, net[:, pixels.channels >= 0])
    images = np.full((len(net), *pixels.keep.shape), np.nan, dtype=np.float32)
    images[:, pixels.keep] = np.concatenate(found).T
    return images


def _project(pixel_counts, net):
    return (pixel_counts @ net.T).astype(np.float32)


def _bin_sums(pixel_counts, bins, operator):
    """Linear combinations of the counts of consecutive bins, array (n_bins, n_values)."""
    first = bins.min()
    return counts.sum_rows(pixel_counts, bins - first, bins.max() - first + 1) @ operator.T
