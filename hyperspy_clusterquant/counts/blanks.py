"""Chunks of a map without a single count, as a file reads that lost them."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._warn import warn

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


def warn_of_blank_chunks(counted, shape, places, parts):
    """Warn of `blank_chunks`, and say where they are.

    Parameters
    ----------
    counted : array (n_places, n_parts)
    shape : tuple of int
        Of the map.
    places : sequence of tuples of slice
        Pixels of each place, in array order.
    parts : sequence of slice
        Channels of each part.
    """
    n_pixels = [
        np.prod([len(range(*s.indices(n))) for s, n in zip(place, shape, strict=True)], dtype=int)
        for place in places
    ]
    blank = blank_chunks(counted, n_pixels)
    if not blank.any():
        return
    where = []
    for place, of_parts in zip(places, blank, strict=True):
        pixels = f"s.inav[{', '.join(f'{s.start}:{s.stop}' for s in reversed(place))}]"
        if of_parts.all():
            where.append(pixels)
        else:
            where += [
                f"{pixels}.isig[{part.start}:{part.stop}]"
                for part, is_blank in zip(parts, of_parts, strict=True)
                if is_blank
            ]
    named = ", ".join(where[:MOST_NAMED])
    more = f" and {len(where) - MOST_NAMED} more" if len(where) > MOST_NAMED else ""
    chunks = "chunk of the map holds" if len(where) == 1 else "chunks of the map hold"
    warn(
        f"{len(where)} {chunks} not a single count, while vacuum counts a little everywhere: "
        f"{named}{more}. Perhaps the file is damaged: a chunk that is missing in a .zspy or .hspy "
        "file reads as zeros. Copy the file anew, or leave these pixels out with `navigation_mask`."
    )
