"""Bins of pixels of all sizes at once: which, and what they say together."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._checks import as_int
from hyperspy_clusterquant.counts.bins import bin_pixels
from hyperspy_clusterquant.evidence.p_values import combine_p_values
from hyperspy_clusterquant.evidence.variation import (
    FEWEST_BINS,
    Correlations,
    LineVariation,
)

#: Counts of all channels that the smallest bins hold on average: with fewer, they say nothing that
#: larger ones do not.
LEAST_COUNTS = 30.0
#: Bins from which two lines are compared: of 16, "no correlation" is refused at the level of 0.05
#: in 8 of 100 maps, because the mean of the map is among what is compared; of 64 it is in 5.
FEWEST_FOR_PAIRS = 50
#: Numbers that are kept of the smallest bins: 256 MB.
MOST_VALUES = 2**25


def choose_scales(binning, counts_per_pixel, keep, n_values):
    """Pixels of a bin along each axis, in powers of two, or the one that the user says.

    Parameters
    ----------
    binning : {"auto"} or int
    counts_per_pixel : float
    keep : array of bool (map shape)
        Pixels that take part.
    n_values : int
        Numbers that are kept of each bin.

    Returns
    -------
    list of int

    Examples
    --------
    >>> choose_scales("auto", 10.0, np.ones((64, 64), dtype=bool), 100)
    [2, 4, 8, 16]
    """
    if binning != "auto":
        return [as_int("binning", binning, minimum=1)]
    factor, factors = 1, []
    while factor == 1 or bin_pixels(keep, factor)[1] >= FEWEST_BINS:
        n_bins = bin_pixels(keep, factor)[1]
        counts = counts_per_pixel * keep.sum() / n_bins
        if counts >= LEAST_COUNTS and n_bins * n_values <= MOST_VALUES:
            factors.append(factor)
        last, factor = factor, 2 * factor
    return factors or [last]


def combine_scales(variations, n_bins):
    """What bins of several sizes say together of each line.

    p-values are combined; of pairs of lines, of the sizes with enough bins. All else is taken from
    the size where the line's variation beyond thickness is clearest, and for two lines from where
    the less clear one is.

    Parameters
    ----------
    variations : list of LineVariation
        One for each size, the smallest first.
    n_bins : sequence of int
        Bins of each size.

    Returns
    -------
    variation : LineVariation
    clearest : array of int (n_lines,)
        Number of the size for each line.
    """
    if len(variations) == 1:
        return variations[0], np.zeros(len(variations[0].p_values), dtype=int)
    together = {
        name: np.array([getattr(of, name) for of in variations]) for name in vars(variations[0])
        if not name.startswith("correlations")
    }  # fmt: skip
    p = np.nan_to_num(together["p_values"], nan=1.0)
    # The statistic decides between p-values that are too small to differ.
    order = np.lexsort((-together["variation"], p), axis=0)
    clearest = order[0]
    lines = np.arange(p.shape[1])
    found = {name: values[clearest, lines] for name, values in together.items()}
    for name in found:
        if name.startswith("p_values"):
            found[name] = combine_p_values(together[name])
    enough = max(np.count_nonzero(np.array(n_bins) >= FEWEST_FOR_PAIRS), 1)
    best = np.maximum(p[:enough, :, None], p[:enough, None, :]).argmin(axis=0)
    for name in ("correlations_beyond_noise", "correlations_beyond_thickness"):
        of_scales = [getattr(of, name) for of in variations[:enough]]
        values, std = (
            np.take_along_axis(np.array([getattr(c, of) for c in of_scales]), best[None], axis=0)[0]
            for of in ("values", "std")
        )
        p_values = combine_p_values(np.array([c.p_values for c in of_scales]))
        found[name] = Correlations(values, std, p_values)
    return LineVariation(**found), clearest
