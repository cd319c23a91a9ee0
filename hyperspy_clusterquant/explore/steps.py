"""Spectra as they are drawn: few counts in wide steps, none far below the picture."""

from __future__ import annotations

import numpy as np

#: Spectra are drawn in so many steps at most; of few counts, in wider ones, until a step holds so
#: many on average, or is so wide (keV): peaks are hardly wider.
MOST_STEPS, MANY_COUNTS, WIDEST = 700, 20.0, 0.085
#: What is drawn of no counts on a logarithmic scale, far below the picture.
NOTHING = 1e-12


def steps_of(energy, lowest, highest):
    """First channels of the steps that a spectrum is drawn in, between two energies.

    Parameters
    ----------
    energy : array (channels,)
        In keV, ascending.
    lowest, highest : float

    Returns
    -------
    array of int (steps + 1,)
        The last is the end of the last step.
    """
    low, high = np.searchsorted(energy, [lowest, highest])
    low = min(low, len(energy) - 1)
    factor = max(-(-(high - low) // MOST_STEPS), 1)
    starts = np.arange(low, high, factor)
    return np.append(starts, high) if len(starts) else np.array([0, len(energy)])


def in_steps(counts, energy, steps):
    """A spectrum as it is drawn: of few counts, in wider steps.

    Parameters
    ----------
    counts : array (channels,)
    energy : array (channels,)
        In keV.
    steps : array of int (steps + 1,)
        From `steps_of`.

    Returns
    -------
    energy : array (fewer steps,)
        In the middle of each step.
    share : array (fewer steps,)
        Of the counts, in a channel there; never zero, for logarithms.
    """
    width = (energy[-1] - energy[0]) / max(len(energy) - 1, 1) * (steps[1] - steps[0])
    per_step = counts.sum() / (len(steps) - 1)
    wider = 1
    while per_step * wider < MANY_COUNTS and 2 * wider * width < WIDEST:
        wider *= 2
    steps = np.unique([*steps[::wider], steps[-1]])
    summed = np.add.reduceat(counts[: steps[-1]], steps[:-1])
    middle = (energy[steps[:-1]] + energy[steps[1:] - 1]) / 2
    return middle, np.maximum(summed / np.diff(steps) / max(counts.sum(), 1), NOTHING)
