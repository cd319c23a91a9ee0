"""The only file that knows dask: the same kernels over the blocks of any array.

A map is an array (map shape, channels). A kernel takes one block of pixels as an array
(pixels, channels), as numpy; blocks of a numpy array are cut here, those of a dask
array are its own chunks, with the energy axis made whole. Every chunk is read once.
"""

from __future__ import annotations

import itertools

import dask
import dask.array as da
import numpy as np
from dask.callbacks import Callback
from scipy import sparse

from hyperspy_clusterquant.counts import to_features
from hyperspy_clusterquant.spectra import project as project_block
from hyperspy_clusterquant.spectra import weighted_sums

#: Size of the blocks that a numpy array is cut into.
BLOCK_BYTES = 2**25


def collect_features(data, features, advance=None):
    """Sparse features of every pixel of a map, in one pass.

    Parameters
    ----------
    data : numpy or dask array (map shape, channels)
        Counts.
    features : array of int (channels,)
        Feature of each channel, -1 = not used.
    advance : callable, optional
        Called with the share that is done.

    Returns
    -------
    scipy.sparse.csr_array (pixels, features)
        Pixels in the map's array order.
    """
    n_features = int(features.max()) + 1
    pixels, blocks = _map_blocks(
        data, lambda counts, _: to_features(counts, features, n_features), advance
    )
    stacked = sparse.vstack(blocks, format="csr")
    order = np.argsort(np.concatenate(pixels), kind="stable")
    return stacked if np.all(order[:-1] < order[1:]) else stacked[order]


def sum_weighted(data, weights, advance=None):
    """Weighted sums of the spectra of a map, in one pass.

    Parameters
    ----------
    data : numpy or dask array (map shape, channels)
        Counts.
    weights : array (n_sums, pixels)
        Such as memberships.
    advance : callable, optional
        Called with the share that is done.

    Returns
    -------
    array (n_sums, channels)
    """
    _, blocks = _map_blocks(
        data, lambda counts, pixels: weighted_sums(counts, weights[:, pixels]), advance
    )
    return sum(blocks)


def project(data, operator, advance=None):
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
    pixels, blocks = _map_blocks(data, lambda counts, _: project_block(counts, operator), advance)
    values = np.empty((len(operator), np.prod(data.shape[:-1], dtype=int)))
    for numbers, block in zip(pixels, blocks, strict=True):
        values[:, numbers] = block
    return values


def _map_blocks(data, kernel, advance):
    """Apply ``kernel(counts, pixels)`` to every block; flat pixel numbers and results."""
    if isinstance(data, da.Array):
        data = data.rechunk({data.ndim - 1: -1})
        slices = _chunk_slices(data.chunks[:-1])
        chunks = data.to_delayed().ravel()
    else:
        slices = _even_slices(data.shape[:-1], BLOCK_BYTES // (data.itemsize * data.shape[-1]))
        chunks = None
    numbers = np.arange(np.prod(data.shape[:-1], dtype=int)).reshape(data.shape[:-1])
    pixels = [numbers[s].ravel() for s in slices]

    def run(block, pixels):
        if hasattr(block, "todense"):
            block = block.todense()
        return kernel(np.asarray(block).reshape(len(pixels), -1), pixels)

    if chunks is None:
        results = []
        for block, block_pixels in zip(slices, pixels, strict=True):
            results.append(run(data[block], block_pixels))
            if advance is not None:
                advance(len(results) / len(slices))
        return pixels, results
    tasks = [dask.delayed(run)(c, p) for c, p in zip(chunks, pixels, strict=True)]
    with _Advance(advance, len(tasks)):
        return pixels, list(dask.compute(*tasks))


class _Advance(Callback):
    """Reports the share of the tasks that are done."""

    def __init__(self, advance, n_tasks):
        super().__init__(posttask=self._done if advance is not None else None)
        self._advance = advance
        self._n_tasks = n_tasks
        self._n_done = 0

    def _done(self, key, *_):
        if str(key).startswith("run-"):
            self._n_done += 1
            self._advance(self._n_done / self._n_tasks)


def _chunk_slices(chunks):
    ends = [np.cumsum(sizes) for sizes in chunks]
    per_axis = [
        [slice(int(e - s), int(e)) for e, s in zip(end, sizes, strict=True)]
        for end, sizes in zip(ends, chunks, strict=True)
    ]
    return list(itertools.product(*per_axis))


def _even_slices(shape, n_pixels):
    """Cut a map into blocks of about `n_pixels`, consecutive in array order."""
    sizes = []
    rest = max(int(n_pixels), 1)
    for size in reversed(shape):
        sizes.insert(0, max(min(size, rest), 1))
        rest //= max(size, 1)
        rest = max(rest, 1)
    per_axis = [
        [slice(i, min(i + step, size)) for i in range(0, size, step)]
        for size, step in zip(shape, sizes, strict=True)
    ]
    return list(itertools.product(*per_axis))
