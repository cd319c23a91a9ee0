"""Chunks of a map that cannot be read: which, of which file, and what to do."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hyperspy_clusterquant.counts.blanks import pixels_in_words


@contextlib.contextmanager
def unread_chunk_named(runner, chunks, leaves, names, graph):
    """Raise an OSError that names the chunk if one cannot be read.

    Other errors of the work on chunks, as of counts that are none, are raised as they are.

    Parameters
    ----------
    runner : Local or Cluster
        Where the work is done.
    chunks, leaves : sequence of tasks
        Chunks of the map, and the first work on each.
    names : sequence of str
        Pixels, and perhaps energies, of each chunk in words.
    graph : mapping
        Of the map, which knows its files.
    """
    try:
        yield
    except Exception as error:
        found = runner.first_unread(chunks, leaves, error)
        if found is None:
            raise
        number, cause = found
        raise OSError(_message(names[number], files_of(graph), cause)) from cause


def _message(name, files, cause):
    """What was needed, what came, and what to do."""
    file = f" of {', '.join(files)}" if files else ""
    said = f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
    return (
        f"The map is needed as a whole, but its chunk {name}{file} cannot be read ({said}). If the "
        "file lies on another computer, see whether that is reached, and call again. Otherwise the "
        "file is damaged: copy it anew and load it, or cut the map with s.inav to pixels that can "
        "be read."
    )


def chunk_names(places, parts):
    """Pixels of each chunk in words, and its energies if there are others.

    Parameters
    ----------
    places : sequence of tuples of slice
        Pixels, in array order.
    parts : sequence of str
        Energies in words.

    Returns
    -------
    list of str
        Parts of the first place, of the second, and so on.

    Examples
    --------
    >>> places = [(slice(0, 8), slice(0, 9)), (slice(0, 8), slice(9, 18))]
    >>> chunk_names(places, [" in channels 0 to 511"])
    ['s.inav[0:9, 0:8]', 's.inav[9:18, 0:8]']
    >>> chunk_names(places[1:], [" below 5 keV", " from 5 keV on"])
    ['s.inav[9:18, 0:8] below 5 keV', 's.inav[9:18, 0:8] from 5 keV on']
    """
    parts = parts if len(parts) > 1 else [""]
    return [f"{pixels_in_words(place)}{part}" for place in places for part in parts]


def files_of(graph):
    """Paths of the .zspy and HDF5 files that the arrays of a dask graph are read from.

    Parameters
    ----------
    graph : mapping
        Tasks and data by their keys.

    Returns
    -------
    list of str
    """
    found = {}
    for held in graph.values():
        array = getattr(held, "value", held)  # newer versions of dask wrap what is no task
        if hasattr(array, "store"):  # of zarr, which calls its folder root since version 3
            path = getattr(array.store, "root", None) or getattr(array.store, "path", None)
        else:  # of h5py
            path = getattr(getattr(array, "file", None), "filename", None)
        if isinstance(path, str | Path):
            found[str(path)] = None
    return list(found)
