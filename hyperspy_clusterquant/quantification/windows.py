"""Net counts in windows around lines, with the background from windows beside them."""

from __future__ import annotations

import numpy as np


def integrate_windows(energy, spectrum, variance, peak_windows, background_windows):
    """Net counts in windows, less the mean of the channels in a window on either side.

    The same as eXSpy's ``get_lines_intensity``, with the variance. On a sloping background the
    windows on either side should lie at the same distance.

    Parameters
    ----------
    energy : array (channels,)
        Energy of each channel.
    spectrum, variance : array (channels,)
        Summed counts and their variance.
    peak_windows : array (n_lines, 2)
        Low and high end, in the energy's units.
    background_windows : array (n_lines, 4)
        Low and high end of the window below and of the one above.

    Returns
    -------
    areas : array (n_lines,)
    variances : array (n_lines,)
    """
    half = (energy[1] - energy[0]) / 2

    def within(low, high):
        # The channels between those nearest to the ends, as HyperSpy slices.
        return (energy >= low - half) & (energy < high - half)

    areas, variances = [], []
    for peak, sides in zip(peak_windows, background_windows, strict=True):
        inside = within(*peak)
        outside = within(*sides[:2]) | within(*sides[2:])
        share = inside.sum() / max(outside.sum(), 1)
        areas.append(spectrum[inside].sum() - share * spectrum[outside].sum())
        variances.append(variance[inside].sum() + share**2 * variance[outside].sum())
    return np.array(areas), np.array(variances)
