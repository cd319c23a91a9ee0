"""Chunks of a map without a single count, as a file reads that lost them."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.counts.masks import vacuum_mask

#: Vacuum counts at least this share of what the rest of the map does: what the microscope
#: scatters on its way, and the noise of the detector.
STRAY = 0.005
#: If so many counts are expected, none at all is no chance (a probability of 5e-5).
EXPECTED = 10.0
#: Chunks that a warning names.
MOST_NAMED = 3


def blank_chunks(counted, n_pixels):
    """Chunks without a count in which counts are to be expected even of vacuum.

    Parameters
    ----------
    counted : array (n_places, n_parts)
        Counts of each chunk, at a place of the map and in a part of the energies.
    n_pixels : array of int (n_places,)
        Pixels at each place.

    Returns
    -------
    array of bool (n_places, n_parts)

    Examples
    --------
    >>> blank_chunks(np.array([[9000.0], [0.0], [400.0]]), np.array([100, 100, 100])).ravel()
    array([False,  True, False])
    >>> blank_chunks(np.array([[9000.0], [0.0], [4.0]]), np.array([100, 100, 100])).ravel()
    array([False, False, False])
    """
    n_pixels = np.asarray(n_pixels)[:, None]
    rates = np.where(counted > 0, counted / n_pixels, np.nan)
    expected = np.zeros(counted.shape[1])
    some = np.isfinite(rates).any(axis=0)
    of_vacuum = STRAY * np.nanmean(rates[:, some], axis=0)
    expected[some] = np.minimum(of_vacuum, np.nanmin(rates[:, some], axis=0))
    return (counted == 0) & (expected * n_pixels >= EXPECTED)


def pixels_in_words(place):
    """Pixels at a place of the map, slices in array order, as HyperSpy's user cuts them out.

    Examples
    --------
    >>> pixels_in_words((slice(0, 8), slice(9, 18)))
    's.inav[9:18, 0:8]'
    """
    return f"s.inav[{', '.join(f'{s.start}:{s.stop}' for s in reversed(place))}]"


def is_empty_elsewhere(totals, known, rate):
    """Whether the vacuum of a map counts nothing, as it is simulated or has had a threshold.

    Then empty chunks are no wonder.

    Parameters
    ----------
    totals : array (map shape)
        Counts of each pixel.
    known : array of bool (map shape)
        Pixels to look at.
    rate : float
        Counts of a pixel of vacuum that are to be expected, at least.

    Returns
    -------
    bool

    Examples
    --------
    >>> totals = np.full((20, 20), 50)
    >>> totals[:, 12:] = 0
    >>> known = np.arange(20) < 16 + np.zeros((20, 1))
    >>> is_empty_elsewhere(totals, known, rate=0.2)
    True
    >>> is_empty_elsewhere(totals, known, rate=0.1)
    False
    """
    vacuum = totals[vacuum_mask(totals) & known]
    expected = rate * len(vacuum)
    return bool(expected >= EXPECTED and vacuum.sum() < 0.1 * expected)


def warn_of_blank_chunks(counted, places, parts, keep, totals):
    """Warn of `blank_chunks`, and say where they are, unless vacuum is empty elsewhere as well.

    Parameters
    ----------
    counted : array (n_places, n_parts)
    places : sequence of tuples of slice
        Pixels of each place, in array order.
    parts : sequence of str
        Energies of each part, in words.
    keep : array of bool (map shape)
        Pixels that take part. Nothing is said of places without one.
    totals : callable
        Gives the counts of each pixel, array (map shape); called only if there are such chunks.
    """
    n_pixels = np.array([keep[place].size for place in places])
    blank = blank_chunks(counted, n_pixels)
    blank &= np.array([keep[place].any() for place in places])[:, None]
    if not blank.any():
        return
    totals, known, rates = totals(), keep.copy(), []
    for place, of_parts in zip(places, blank, strict=True):
        if of_parts.any():
            known[place] = False
        elif totals[place].any():
            rates.append(totals[place].mean())
    if rates and is_empty_elsewhere(totals, known, min(STRAY * np.mean(rates), *rates)):
        return
    where = []
    for place, of_parts in zip(places, blank, strict=True):
        pixels = pixels_in_words(place)
        if of_parts.all():
            where.append(pixels)
        else:
            where += [
                f"{pixels}{part}"
                for part, is_blank in zip(parts, of_parts, strict=True)
                if is_blank
            ]
    named = ", ".join(where[:MOST_NAMED])
    more = f" and {len(where) - MOST_NAMED} more" if len(where) > MOST_NAMED else ""
    chunks = "chunk of the map holds" if len(where) == 1 else "chunks of the map hold"
    warn(
        f"{len(where)} {chunks} not a single count, while the rest has counts everywhere, also in "
        f"vacuum: {named}{more}. Perhaps the file is damaged: a chunk that is missing in a .zspy "
        "or .hspy file reads as zeros. Copy the file anew, or leave these pixels out with "
        "`navigation_mask`."
    )
