"""Passes over a map, whatever its chunks: each is read once; and a map made while it is read."""

from __future__ import annotations

import itertools

import dask
import dask.array as da
import numpy as np

from hyperspy_clusterquant.counts.blanks import warn_of_blank_chunks
from hyperspy_clusterquant.counts.blocked import BlockedCounts
from hyperspy_clusterquant.counts.chunks import (
    assemble,
    chunk_slices,
    combine_chunk,
    counts_of_piece,
    even_slices,
    first_and_last,
    flat_numbers,
    join,
    masked_chunk,
    merge_pieces,
    read_chunk,
    sum_chunk,
)
from hyperspy_clusterquant.counts.packed import row_sums
from hyperspy_clusterquant.counts.runners import Local, active_runner, tree
from hyperspy_clusterquant.counts.stores import Stored
from hyperspy_clusterquant.counts.unread import chunk_names, unread_chunk_named

#: Pixels that are worked on together.
BLOCK_PIXELS = 2**13


def collect_features(data, features, advance=None, keep=None, energy=None):
    """Sparse features of every pixel of a map, in one pass.

    A warning says which chunks of a dask array hold not a single count although others do.

    Parameters
    ----------
    data : numpy or dask array (map shape, channels)
        Counts.
    features : array of int (channels,)
        Feature of each channel, -1 = not used. Chunks without any are not read.
    advance : callable, optional
        Called with the share that is done.
    keep : array of bool (map shape), optional
        Pixels that take part. All are read, but of the others no warning is given.
    energy : array (channels,), optional
        In keV, for the warning.

    Returns
    -------
    BlockedCounts
        Pixels in the map's array order.
    """
    shape, n_features = data.shape[:-1], int(features.max()) + 1
    slices = even_slices(shape, BLOCK_PIXELS)
    bounds = np.append(0, np.cumsum([len(flat_numbers(shape, place)) for place in slices]))
    if not isinstance(data, da.Array):
        read = [dask.delayed(read_chunk)(data[place], features, n_features) for place in slices]
        return BlockedCounts(*Local().persist(read, read, advance), bounds)
    runner = active_runner()
    places, channels, rows = _chunks_of(data)
    used = [c for c, part in enumerate(channels) if (features[part] >= 0).any()]
    sent = runner.send([features[channels[c]].astype(np.int32) for c in used])
    read = [
        [
            dask.delayed(read_chunk)(row[c], of_channels, n_features)
            for c, of_channels in zip(used, sent, strict=True)
        ]
        for row in rows
    ]
    pieces = [row[0] if len(row) == 1 else dask.delayed(merge_pieces)(row) for row in read]
    of_block = [[] for _ in bounds[1:]]
    for piece, place in zip(pieces, places, strict=True):
        ends = first_and_last(shape, place)
        first, last = np.searchsorted(bounds, ends, side="right") - 1
        for block in range(first, last + 1):
            of_block[block].append((piece, place))
    assembled = [
        dask.delayed(assemble)(*map(list, zip(*inside, strict=True)), shape, *ends)
        for inside, ends in zip(of_block, itertools.pairwise(bounds.tolist()), strict=True)
    ]
    watched = list(itertools.chain(*read))
    counted = dask.delayed(np.array)([dask.delayed(counts_of_piece)(piece) for piece in watched])
    parts = [_energies(energy, channels[c]) for c in used]
    chunks = [row[c] for row in rows for c in used]
    with unread_chunk_named(runner, chunks, watched, chunk_names(places, parts), data.dask):
        (*blocks, counted), runner = runner.persist([*assembled, counted], watched, advance)
    (counted,) = runner.run([dask.delayed(_loaded)(counted)])
    collected = BlockedCounts(blocks, runner, bounds)

    def totals():
        return np.concatenate(collected.map(row_sums)).reshape(shape)

    keep = np.ones(shape, dtype=bool) if keep is None else keep
    warn_of_blank_chunks(counted.reshape(len(rows), -1), places, parts, keep, totals)
    return collected


def _energies(energy, channels):
    """Energies of a slice of channels in words."""
    if energy is None:
        return f" in channels {channels.start} to {channels.stop - 1}"
    first, last = energy[channels.start], energy[channels.stop - 1]
    return f" from {first:.3g} to {last:.3g} keV"


def _loaded(stored):
    return stored.load() if isinstance(stored, Stored) else stored


def masked_pixels(data):
    """Pixels of a map that a masked array leaves out, in one of their channels or all.

    Parameters
    ----------
    data : numpy or dask array (map shape, channels)
        Of dask arrays of masked arrays, one pass over the data.

    Returns
    -------
    array of bool (map shape) or None
        None if it is no masked array.
    """
    if not isinstance(data, da.Array):
        return masked_chunk(data) if isinstance(data, np.ma.MaskedArray) else None
    if not isinstance(data._meta, np.ma.MaskedArray):
        return None
    runner = active_runner()
    places, _, rows = _chunks_of(data)
    leaves = [[dask.delayed(masked_chunk)(chunk) for chunk in row] for row in rows]
    found = _read(data, runner, [tree(row) for row in leaves], leaves)
    masked = np.zeros(data.shape[:-1], dtype=bool)
    for place, block in zip(places, found, strict=True):
        masked[place] = block
    return masked


def sum_weighted(data, weights, advance=None, squares=False):
    """Weighted sums of the spectra of a map, in one pass.

    Parameters
    ----------
    data : numpy or dask array (map shape, channels)
        Counts.
    weights : array (n_sums, pixels)
        Such as memberships.
    advance : callable, optional
        Called with the share that is done.
    squares : bool
        Also the sums weighted with the squares of the weights, which are the variances.

    Returns
    -------
    array (n_sums, channels), or (2, n_sums, channels) with squares
    """
    runner = active_runner() if isinstance(data, da.Array) else Local()
    places, _, rows = _chunks_of(data)
    numbers = (flat_numbers(data.shape[:-1], place) for place in places)
    sent = runner.send(weights[:, pixels] for pixels in numbers)
    kernel = dask.delayed(sum_chunk)
    leaves = [
        [kernel(chunk, of_pixels, squares) for chunk in row]
        for row, of_pixels in zip(rows, sent, strict=True)
    ]
    joined = [row[0] if len(row) == 1 else dask.delayed(join)(row) for row in leaves]
    return _read(data, runner, [tree(joined)], leaves, advance)[0]


def combine_map(data, operator, advance=None):
    """Linear combinations of the channels of each pixel of a map, in one pass.

    Parameters
    ----------
    data : numpy or dask array (map shape, channels)
        Counts.
    operator : array (n_values, channels)
    advance : callable, optional
        Called with the share that is done.

    Returns
    -------
    array (n_values, pixels)
        Pixels in the map's array order.
    """
    runner = active_runner() if isinstance(data, da.Array) else Local()
    places, channels, rows = _chunks_of(data)
    sent = runner.send(operator[:, part] for part in channels)
    kernel = dask.delayed(combine_chunk)
    leaves = [[kernel(chunk, of) for chunk, of in zip(row, sent, strict=True)] for row in rows]
    found = _read(data, runner, [tree(row) for row in leaves], leaves, advance)
    image = np.empty((len(operator), np.prod(data.shape[:-1], dtype=int)))
    for place, block in zip(places, found, strict=True):
        image[:, flat_numbers(data.shape[:-1], place)] = block
    return image


def _chunks_of(data):
    """Places of the pixels, slices of the channels, and chunks (places, channels) of a map."""
    if isinstance(data, da.Array):
        places, channels = chunk_slices(data.chunks[:-1]), chunk_slices(data.chunks[-1:])
        rows = data.to_delayed().reshape(len(places), -1).tolist()
    else:
        places, channels = even_slices(data.shape[:-1], BLOCK_PIXELS), [(slice(None),)]
        rows = [[data[place]] for place in places]
    return places, [part for (part,) in channels], rows


def _read(data, runner, tasks, leaves, advance=None):
    """What tasks give that rest on leaves, the first work on each chunk (places, channels)."""
    watched = list(itertools.chain(*leaves))
    if not isinstance(data, da.Array):
        return runner.run(tasks, advance, watched)
    places, channels, rows = _chunks_of(data)
    names = chunk_names(places, [_energies(None, part) for part in channels])
    with unread_chunk_named(runner, list(itertools.chain(*rows)), watched, names, data.dask):
        return runner.run(tasks, advance, watched)


def lazy_map(draw, shape, dtype):
    """Dask array whose blocks are made when they are read.

    Parameters
    ----------
    draw : callable
        Gives the values at a place, a tuple of slices of the pixels.
    shape : tuple of int
        Map shape and number of channels.
    dtype : dtype

    Returns
    -------
    dask.array.Array
    """

    def make(block_info=None):
        place = tuple(slice(*ends) for ends in block_info[None]["array-location"][:-1])
        return draw(place).astype(dtype)

    # What is drawn takes 8 bytes a value.
    sizes = (*("auto",) * (len(shape) - 1), -1)
    sizes = da.core.normalize_chunks(sizes, shape, limit="32 MiB", dtype=float)
    return da.map_blocks(make, chunks=sizes, dtype=dtype, meta=np.empty((0,) * len(shape), dtype))
