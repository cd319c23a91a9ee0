"""Net counts in windows around lines, with the background from windows beside them."""

from __future__ import annotations

import numpy as np


def window_weights(energy, peak_windows, background_windows):
    """Weights of channels in the counts in windows, less the mean of those on either side.

    The same as eXSpy's ``get_lines_intensity``. On a sloping background the windows on either
    side should lie at the same distance.

    Parameters
    ----------
    energy : array (channels,)
        Energy of each channel.
    peak_windows : array (n_lines, 2)
        Low and high end, in the energy's units.
    background_windows : array (n_lines, 4)
        Low and high end of the window below and of the one above.

    Returns
    -------
    array (n_lines, channels)
    """
    half = (energy[1] - energy[0]) / 2

    def within(low, high):
        # The channels between those nearest to the ends, as HyperSpy slices.
        return (energy >= low - half) & (energy < high - half)

    weights = np.zeros((len(peak_windows), len(energy)))
    for row, peak, sides in zip(weights, peak_windows, background_windows, strict=True):
        inside = within(*peak)
        outside = within(*sides[:2]) | within(*sides[2:])
        row += inside
        row -= inside.sum() / max(outside.sum(), 1) * outside
    return weights
