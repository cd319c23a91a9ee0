"""The only file that knows dask: the same kernels over the blocks of any array.

A map is an array (map shape, channels), of numpy or dask. Its chunks are read as they are, also
where they cut the energy axis, each of them once. What is read becomes sparse counts in blocks of
consecutive pixels, the same for any chunking. They stay in memory, beyond a limit in temporary
files, or on the workers of a dask.distributed cluster if there is one.
"""

from __future__ import annotations

import itertools
import sys
from functools import reduce

import dask
import dask.array as da
import numpy as np
from dask.callbacks import Callback
from scipy import sparse
from threadpoolctl import ThreadpoolController

from hyperspy_clusterquant import chunks
from hyperspy_clusterquant.stores import Store, Stored, StoredArrays

#: Pixels that are worked on together.
BLOCK_PIXELS = 2**13
#: Arrays of pixels that go to a cluster in one message.
MESSAGE_BYTES = 2**22


# --- passes over the data ---------------------------------------------------------------------


def collect_features(data, features, advance=None):
    """Sparse features of every pixel of a map, in one pass.

    Parameters
    ----------
    data : numpy or dask array (map shape, channels)
        Counts.
    features : array of int (channels,)
        Feature of each channel, -1 = not used. Chunks without any are not read.
    advance : callable, optional
        Called with the share that is done.

    Returns
    -------
    BlockedCounts
        Pixels in the map's array order.
    """
    shape, n_features = data.shape[:-1], int(features.max()) + 1
    slices = chunks.even_slices(shape, BLOCK_PIXELS)
    bounds = np.append(0, np.cumsum([len(chunks.flat_numbers(shape, place)) for place in slices]))
    if not isinstance(data, da.Array):
        read = [dask.delayed(chunks.read)(data[place], features, n_features) for place in slices]
        return BlockedCounts(_Local().persist(read, read, advance), bounds, n_features)
    places, channels, rows = _chunks_of(data)
    used = [c for c, part in enumerate(channels) if (features[part] >= 0).any()]
    read = [
        [dask.delayed(chunks.read)(row[c], features[channels[c]], n_features) for c in used]
        for row in rows
    ]
    pieces = [row[0] if len(row) == 1 else dask.delayed(chunks.merge)(row) for row in read]
    ends = [chunks.flat_numbers(shape, place)[[0, -1]] for place in places]
    assembled = []
    for start, end in itertools.pairwise(bounds.tolist()):
        inside = [i for i, (first, last) in enumerate(ends) if first < end and last >= start]
        given = ([values[i] for i in inside] for values in (pieces, places))
        assembled.append(dask.delayed(chunks.assemble)(*given, shape, start, end))
    watched = list(itertools.chain(*read))
    return BlockedCounts(_runner().persist(assembled, watched, advance), bounds, n_features)


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
    kernel = dask.delayed(chunks.sum_chunk)
    leaves, joined = [], []
    places, _, rows = _chunks_of(data)
    for place, row in zip(places, rows, strict=True):
        of_pixels = weights[:, chunks.flat_numbers(data.shape[:-1], place)]
        leaves.append([kernel(chunk, of_pixels, squares) for chunk in row])
        joined.append(leaves[-1][0] if len(row) == 1 else dask.delayed(chunks.join)(leaves[-1]))
    runner = _runner() if isinstance(data, da.Array) else _Local()
    return runner.sum(joined, advance, list(itertools.chain(*leaves)), weights.nbytes)


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
    leaves, values = [], []
    places, channels, rows = _chunks_of(data)
    operators = [dask.delayed(operator[:, part], traverse=False, pure=False) for part in channels]
    for row in rows:
        leaves.append(
            [dask.delayed(chunks.project_chunk)(c, o) for c, o in zip(row, operators, strict=True)]
        )
        values.append(reduce(dask.delayed(chunks.add), leaves[-1]))
    runner = _runner() if isinstance(data, da.Array) else _Local()
    found = runner.run(values, advance, list(itertools.chain(*leaves)))
    image = np.empty((len(operator), np.prod(data.shape[:-1], dtype=int)))
    for place, block in zip(places, found, strict=True):
        image[:, chunks.flat_numbers(data.shape[:-1], place)] = block
    return image


def _chunks_of(data):
    """Places of the pixels, slices of the channels, and chunks (places, channels) of a map."""
    if isinstance(data, da.Array):
        places, channels = (
            chunks.chunk_slices(data.chunks[:-1]),
            chunks.chunk_slices(data.chunks[-1:]),
        )
        rows = data.to_delayed().reshape(len(places), -1).tolist()
    else:
        places, channels = chunks.even_slices(data.shape[:-1], BLOCK_PIXELS), [(slice(None),)]
        rows = [[data[place]] for place in places]
    return places, [part for (part,) in channels], rows


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


# --- sparse counts of all pixels --------------------------------------------------------------


class BlockedCounts:
    """Sparse counts of the pixels of a map, in blocks of consecutive pixels.

    Parameters
    ----------
    blocks : list
        `PackedCounts` of each block, wherever they are.
    bounds : array of int (n_blocks + 1,)
        Pixels of the map where blocks begin and end.
    n_features : int
        Number of features.
    keep : array of bool (pixels of the map,), optional
        Pixels that take part.
    groups : array of int (features,), optional
        What the features are summed to, -1 = left out.
    """

    def __init__(self, blocks, bounds, n_features, keep=None, groups=None):
        self._blocks = blocks
        self._bounds = bounds
        self._n_features = n_features
        self._keep = np.ones(bounds[-1], dtype=bool) if keep is None else keep
        self._groups = groups
        kept = np.append(0, np.cumsum(self._keep))
        #: Kept pixels where the blocks begin and end.
        self.bounds = kept[bounds]

    def only(self, keep=None, groups=None):
        """The same counts with some pixels only, or features summed in groups."""
        keep = self._keep if keep is None else keep
        groups = self._groups if groups is None else groups
        return BlockedCounts(self._blocks, self._bounds, self._n_features, keep, groups)

    def map(self, kernel, *shared, of_pixels=(), bounds=None):
        """Apply a kernel to the counts of some pixels after the other.

        Parameters
        ----------
        kernel : callable
            Takes the counts as a `scipy.sparse.csr_array`, those rows of each array in
            `of_pixels` that belong to them, and what is shared.
        *shared
            The same for all.
        of_pixels : sequence of arrays (kept pixels, ...)
        bounds : array of int, optional
            Kept pixels where to cut. Default: the blocks.

        Returns
        -------
        list
            What the kernel returned.
        """
        tasks, n_bytes = self._tasks(kernel, shared, of_pixels, bounds)
        return self._runner().run(tasks, n_bytes=n_bytes)

    def sum(self, kernel, *shared, of_pixels=(), bounds=None):
        """Sum of what a kernel returns for some pixels after the other, see `map`."""
        tasks, n_bytes = self._tasks(kernel, shared, of_pixels, bounds)
        return self._runner().sum(tasks, n_bytes=n_bytes)

    def store(self, kernel, *shared):
        """As `map`, for arrays with a row for each pixel: a sequence of them, perhaps in files."""
        tasks, n_bytes = self._tasks(kernel, shared, (), None)
        return StoredArrays(self._runner().run(tasks, n_bytes=n_bytes, store=_new_store()))

    def _runner(self):
        """Where the blocks are, the work is done."""
        return _Local() if isinstance(self._blocks[0], Stored) else _runner()

    def _tasks(self, kernel, shared, of_pixels, bounds):
        bounds = self.bounds if bounds is None else bounds
        shared = dask.delayed((*shared, self._groups), traverse=False, pure=False)
        pixels = np.flatnonzero(self._keep)
        tasks = []
        for start, end in itertools.pairwise(np.unique(bounds).tolist()):
            first = int(np.searchsorted(self.bounds, start, side="right")) - 1
            last = int(np.searchsorted(self.bounds, end, side="left"))
            chosen = []
            for block in range(first, last):
                low, high = self._bounds[block], self._bounds[block + 1]
                mask = self._keep[low:high].copy()
                mask[: max(pixels[start] - low, 0)] = False
                mask[max(pixels[end - 1] + 1 - low, 0) :] = False
                if mask.any():
                    chosen.append((self._blocks[block], None if mask.all() else mask))
            blocks, masks = map(list, zip(*chosen, strict=True))
            rows = [array[start:end] for array in of_pixels]
            tasks.append(dask.delayed(_on_pixels)(kernel, blocks, masks, rows, shared))
        return tasks, sum(array.nbytes for array in of_pixels) + len(self._keep)


def _on_pixels(kernel, blocks, masks, rows, shared):
    """Counts of the chosen pixels of some blocks given to a kernel."""
    *shared, groups = shared
    parts = []
    for block, mask in zip(blocks, masks, strict=True):
        counts = (block.load() if isinstance(block, Stored) else block).unpack()
        parts.append(counts if mask is None else counts[mask])
    counts = parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")
    if groups is not None:
        group = groups[counts.indices]
        counts = sparse.csr_array(
            (
                np.where(group >= 0, counts.data, 0).astype(np.int32),
                np.maximum(group, 0).astype(np.int32),
                counts.indptr,
            ),
            shape=(counts.shape[0], groups.max() + 1),
        )
    return kernel(counts, *rows, *shared)


# --- running ----------------------------------------------------------------------------------


def _runner():
    """The cluster whose client is active, or this process."""
    chosen = dask.config.get("scheduler", None)
    if "distributed" not in sys.modules or chosen not in (None, "dask.distributed", "distributed"):
        return _Local(chosen)
    from distributed import default_client

    try:
        return _Cluster(default_client())
    except ValueError:  # there is none
        return _Local()


def _new_store():
    return Store(dask.config.get("temporary-directory", None))


class _Local:
    """Tasks in this process, on threads unless dask is told otherwise."""

    def __init__(self, scheduler=None):
        self._scheduler = scheduler
        self._in_process = scheduler in (
            None,
            "threads",
            "threading",
            "sync",
            "synchronous",
            "single-threaded",
        )

    def persist(self, tasks, watched, advance):
        return self.run(tasks, advance, watched, store=_new_store())

    def run(self, tasks, advance=None, watched=None, n_bytes=0, store=None):
        watched = tasks if watched is None else watched
        if store is not None and self._in_process:
            tasks = [dask.delayed(store.put)(task) for task in tasks]
        # Threads of the linear algebra would wait for the threads of dask.
        with _Advance(advance, watched), _blas_threads(1):
            found = dask.compute(*tasks, scheduler=self._scheduler or "threads")
        if store is not None and not self._in_process:
            found = map(store.put, found)
        return list(found)

    def sum(self, tasks, advance=None, watched=None, n_bytes=0):
        return self.run([_tree(tasks, dask.delayed(chunks.add))], advance, watched or tasks)[0]


class _Cluster:
    """Tasks on the workers of dask.distributed."""

    def __init__(self, client):
        self._client = client

    def persist(self, tasks, watched, advance):
        from distributed import futures_of

        persisted = self._client.persist(tasks)
        self._wait(futures_of(persisted), advance)
        return persisted

    def run(self, tasks, advance=None, watched=None, n_bytes=0, store=None):
        from distributed import as_completed

        futures = self._submit(tasks, n_bytes)
        self._wait(futures, advance)
        if store is None:
            return self._client.gather(futures)
        found = dict(as_completed(futures, with_results=True))
        return [store.put(found[future]) for future in futures]

    def sum(self, tasks, advance=None, watched=None, n_bytes=0):
        futures = self._submit(tasks, n_bytes)
        total = _tree(futures, lambda a, b: self._client.submit(chunks.add, a, b, pure=False))
        self._wait(futures, advance)
        return total.result()

    def _submit(self, tasks, n_bytes):
        """Futures of tasks, in messages of a bearable size."""
        n_messages = min(-(-n_bytes // MESSAGE_BYTES) or 1, len(tasks))
        step = -(-len(tasks) // n_messages)
        futures = []
        for start in range(0, len(tasks), step):
            futures += self._client.compute(tasks[start : start + step])
        return futures

    def _wait(self, futures, advance):
        """Wait for futures; the first error is raised, and what is left is called off."""
        from distributed import as_completed

        try:
            for n_done, future in enumerate(as_completed(futures), 1):
                if future.status != "finished":
                    future.result()
                if advance is not None:
                    advance(n_done / len(futures))
        except BaseException:
            self._client.cancel(futures)
            raise


def _tree(values, add):
    """Sum by halves, the same whatever is done first."""
    values = list(values)
    while len(values) > 1:
        pairs = zip(values[::2], values[1::2], strict=False)
        values = [add(*pair) for pair in pairs] + values[len(values) // 2 * 2 :]
    return values[0]


def _blas_threads(limit):
    global _controller
    if _controller is None:
        _controller = ThreadpoolController()
    return _controller.limit(limits=limit, user_api="blas")


_controller = None


class _Advance(Callback):
    """Reports the share of some tasks that are done."""

    def __init__(self, advance, watched):
        super().__init__(posttask=self._done if advance is not None else None)
        self._advance = advance
        self._keys = {task.key for task in watched}
        self._n_done = 0

    def _done(self, key, *_):
        if key in self._keys:
            self._n_done += 1
            self._advance(self._n_done / len(self._keys))
