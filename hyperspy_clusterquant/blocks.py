"""The only file that knows dask: the same kernels over the blocks of any array.

A map is an array (map shape, channels), of numpy or dask. Its chunks are read as they are, also
where they cut the energy axis, each of them once. What is read becomes sparse counts in blocks of
consecutive pixels, the same for any chunking. They stay in memory, beyond a limit in temporary
files, or on the workers of a dask.distributed cluster if there is one.
"""

from __future__ import annotations

import itertools
import sys
import warnings

import dask
import dask.array as da
import numpy as np
from dask.callbacks import Callback
from dask.sizeof import sizeof
from scipy import sparse

from hyperspy_clusterquant import chunks
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.counts import PackedCounts, thin
from hyperspy_clusterquant.stores import Store, Stored, StoredArrays

#: Pixels that are worked on together.
BLOCK_PIXELS = 2**13
#: Sums of pixels that are made side by side, however many blocks there are.
MOST_SUMS = 32
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
        return BlockedCounts(*_Local().persist(read, read, advance), bounds, n_features)
    runner = _runner()
    places, channels, rows = _chunks_of(data)
    used = [c for c, part in enumerate(channels) if (features[part] >= 0).any()]
    sent = runner.send([features[channels[c]].astype(np.int32) for c in used])
    read = [
        [
            dask.delayed(chunks.read)(row[c], of_channels, n_features)
            for c, of_channels in zip(used, sent, strict=True)
        ]
        for row in rows
    ]
    pieces = [row[0] if len(row) == 1 else dask.delayed(chunks.merge)(row) for row in read]
    of_block = [[] for _ in bounds[1:]]
    for piece, place in zip(pieces, places, strict=True):
        ends = chunks.first_and_last(shape, place)
        first, last = np.searchsorted(bounds, ends, side="right") - 1
        for block in range(first, last + 1):
            of_block[block].append((piece, place))
    assembled = [
        dask.delayed(chunks.assemble)(*map(list, zip(*inside, strict=True)), shape, *ends)
        for inside, ends in zip(of_block, itertools.pairwise(bounds.tolist()), strict=True)
    ]
    watched = list(itertools.chain(*read))
    return BlockedCounts(*runner.persist(assembled, watched, advance), bounds, n_features)


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
    runner = _runner() if isinstance(data, da.Array) else _Local()
    places, _, rows = _chunks_of(data)
    numbers = (chunks.flat_numbers(data.shape[:-1], place) for place in places)
    sent = runner.send(weights[:, pixels] for pixels in numbers)
    kernel = dask.delayed(chunks.sum_chunk)
    leaves = [
        [kernel(chunk, of_pixels, squares) for chunk in row]
        for row, of_pixels in zip(rows, sent, strict=True)
    ]
    joined = [row[0] if len(row) == 1 else dask.delayed(chunks.join)(row) for row in leaves]
    return runner.run([_tree(joined)], advance, list(itertools.chain(*leaves)))[0]


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
    runner = _runner() if isinstance(data, da.Array) else _Local()
    places, channels, rows = _chunks_of(data)
    sent = runner.send(operator[:, part] for part in channels)
    kernel = dask.delayed(chunks.project_chunk)
    leaves = [[kernel(chunk, of) for chunk, of in zip(row, sent, strict=True)] for row in rows]
    found = runner.run([_tree(row) for row in leaves], advance, list(itertools.chain(*leaves)))
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
    runner : _Local or _Cluster
        Where the blocks are, the work is done.
    bounds : array of int (n_blocks + 1,)
        Pixels of the map where blocks begin and end.
    n_features : int
        Number of features.
    keep : array of bool (pixels of the map,), optional
        Pixels that take part.
    groups : array of int (features,), optional
        What the features are summed to, -1 = left out.
    """

    def __init__(self, blocks, runner, bounds, n_features, keep=None, groups=None):
        self._blocks = blocks
        self._bounds = bounds
        self._n_features = n_features
        self._runner = runner
        self._keep = np.ones(bounds[-1], dtype=bool) if keep is None else keep
        self._groups = groups

    @property
    def n_features(self):
        """Number of features that were read."""
        return self._n_features

    def only(self, keep=None, groups=None):
        """The same counts with some pixels only, or features, as they are now, in groups."""
        keep = self._keep if keep is None else keep
        if groups is None:
            groups = self._groups
        elif self._groups is not None:
            groups = np.where(self._groups >= 0, groups[self._groups], -1)
        return BlockedCounts(
            self._blocks, self._runner, self._bounds, self._n_features, keep, groups
        )

    def thinned(self, seed):
        """One of two independent halves of the counts, see `counts.thin`.

        Parameters
        ----------
        seed : sequence of int
            The same half for the same seed, whatever the chunks of the map.

        Returns
        -------
        BlockedCounts
            Kept where these are.
        """
        half_of = dask.delayed(_thinned)
        halves = [half_of(block, [*seed, number]) for number, block in enumerate(self._blocks)]
        blocks, runner = self._runner.persist(halves, (), None)
        return BlockedCounts(
            blocks, runner, self._bounds, self._n_features, self._keep, self._groups
        )

    def map(self, kernel, *shared, of_pixels=(), parts=None):
        """Apply a kernel to the counts of some pixels after the other.

        Parameters
        ----------
        kernel : callable
            Takes the counts as a `scipy.sparse.csr_array`, those rows of each array in
            `of_pixels` that belong to them, and what is shared.
        *shared
            The same for all.
        of_pixels : sequence of arrays (kept pixels, ...)
        parts : sequence of arrays of int, optional
            Ascending numbers of the kept pixels that belong together. Default: those of each block.

        Returns
        -------
        list
            What the kernel returned.
        """
        return self._runner.run(self._tasks(kernel, shared, of_pixels, parts))

    def sum(self, kernel, *shared, of_pixels=(), parts=None):
        """Sum of what a kernel returns for some pixels after the other, see `map`."""
        tasks = self._tasks(kernel, shared, of_pixels, parts, MOST_SUMS)
        return self._runner.run([_tree(tasks)])[0]

    def store(self, kernel, *shared):
        """As `map`, for arrays with a row for each pixel: a sequence of them, perhaps in files."""
        tasks = self._tasks(kernel, shared, (), None)
        return StoredArrays(self._runner.run(tasks, store=_new_store()))

    def _tasks(self, kernel, shared, of_pixels, parts, n_sums=None):
        """Tasks that apply a kernel; for no more than `n_sums` sums, each adds to one before."""
        (shared,) = self._runner.send([(*shared, self._groups)])
        pixels = np.flatnonzero(self._keep)
        if parts is None:
            cuts = np.searchsorted(pixels, self._bounds)
            parts = [slice(*ends) for ends in itertools.pairwise(cuts) if ends[0] < ends[1]]
        rows = self._runner.send([array[part] for array in of_pixels] for part in parts)
        tasks = []
        for part, own in zip(parts, rows, strict=True):
            blocks, masks = self._holding(pixels[part])
            before = tasks.pop(0) if len(tasks) == n_sums else None
            tasks.append(dask.delayed(_on_pixels)(kernel, blocks, masks, own, shared, before))
        return tasks

    def _holding(self, pixels):
        """Blocks that hold some pixels of the map, and masks of them, None = all."""
        numbers = np.unique(np.searchsorted(self._bounds, pixels, side="right") - 1)
        masks = []
        for block in numbers:
            low, high = self._bounds[block : block + 2]
            mask = np.zeros(high - low, dtype=bool)
            mask[pixels[slice(*np.searchsorted(pixels, [low, high]))] - low] = True
            masks.append(None if mask.all() else mask)
        return [self._blocks[block] for block in numbers], masks


def _loaded(block):
    """Counts of a block, wherever it is kept."""
    return (block.load() if isinstance(block, Stored) else block).unpack()


def _thinned(block, seed):
    half, _ = thin(_loaded(block), np.random.default_rng(seed))
    half.eliminate_zeros()
    return PackedCounts.pack(half)


def _on_pixels(kernel, blocks, masks, rows, shared, before=None):
    """Counts of the chosen pixels of some blocks given to a kernel; added to what was before."""
    *shared, groups = shared
    parts = []
    for block, mask in zip(blocks, masks, strict=True):
        counts = _loaded(block)
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
    with one_blas_thread():
        found = kernel(counts, *rows, *shared)
    return found if before is None else before + found


# --- running ----------------------------------------------------------------------------------


def _runner():
    """The cluster whose client is active, or this process."""
    chosen = dask.config.get("scheduler", None)
    if "distributed" not in sys.modules or chosen not in (None, "dask.distributed", "distributed"):
        return _Local(chosen)
    from distributed import default_client

    try:
        client = default_client()
    except ValueError:  # there is none
        return _Local()
    if client.asynchronous:  # to wait for it would be to wait forever
        return _Local("threads")
    if not client.nthreads():
        warnings.warn(
            "The active dask client has no workers, and the work waits for some. If they are "
            "gone, as after Ctrl-C in a terminal, make a new client or use "
            "dask.config.set(scheduler='threads').",
            UserWarning,
            stacklevel=2,
        )
    return _Cluster(client)


def _new_store():
    return Store(dask.config.get("temporary-directory", None))


#: Schedulers of dask whose tasks share the memory of this process.
_IN_PROCESS = (None, "threads", "threading", "sync", "synchronous", "single-threaded")


class _Local:
    """Tasks in this process, on threads unless dask is told otherwise."""

    def __init__(self, scheduler=None):
        self._scheduler = scheduler

    def send(self, values):
        """Values as arguments of tasks."""
        return [dask.delayed(value, traverse=False, pure=False) for value in values]

    def persist(self, tasks, watched, advance):
        """Do tasks and keep what they give; who works on that later."""
        kept = self.run(tasks, advance, watched, store=_new_store())
        return kept, self if self._scheduler in _IN_PROCESS else _Local()

    def run(self, tasks, advance=None, watched=(), store=None):
        """What tasks give, and the share of the watched ones that is done on the way."""
        in_process = self._scheduler in _IN_PROCESS
        if store is not None and in_process:
            tasks = [dask.delayed(store.put)(task) for task in tasks]
        with _Advance(advance, watched), one_blas_thread():
            found = dask.compute(*tasks, scheduler=self._scheduler or "threads")
        if store is not None and not in_process:
            found = map(store.put, found)
        return list(found)


class _Cluster:
    """Tasks on the workers of dask.distributed."""

    def __init__(self, client):
        self._client = client

    def send(self, values):
        """Values as tasks of their own, in messages of a bearable size.

        A worker that is lost takes them along; the scheduler can make them once more.
        """
        sent, message, n_bytes = [], [], 0
        for value in values:
            message.append(dask.delayed(_itself)(dask.delayed(value, traverse=False, pure=False)))
            n_bytes += sizeof(value)
            if n_bytes > MESSAGE_BYTES:
                sent += self._client.persist(message)
                message, n_bytes = [], 0
        return sent + (self._client.persist(message) if message else [])

    def persist(self, tasks, watched, advance):
        """Do tasks and keep on the workers what they give; who works on that later."""
        from distributed import futures_of

        markers = _markers(watched, advance)
        kept = self._client.persist([*tasks, *markers])
        self._wait(futures_of(kept), {marker.key for marker in markers}, advance)
        return kept[: len(tasks)], self

    def run(self, tasks, advance=None, watched=(), store=None):
        """What tasks give, and the share of the watched ones that is done on the way."""
        markers = _markers(watched, advance)
        futures = self._client.compute([*tasks, *markers])
        numbers = {task.key: number for number, task in enumerate(tasks)}
        found = [None] * len(tasks)

        def take(future):
            value = future.result()
            found[numbers[future.key]] = value if store is None else store.put(value)

        self._wait(futures, {marker.key for marker in markers}, advance, take)
        return found

    def _wait(self, futures, markers, advance, take=None):
        """Wait for futures; the first error is raised, and what is left is called off."""
        from distributed import as_completed

        pending = {future.key: future for future in futures}
        waiting = as_completed(futures)
        futures.clear()  # what was taken need not stay on the workers
        n_done = 0
        try:
            for future in waiting:
                pending.pop(future.key)
                if future.status != "finished":
                    future.result()  # raises its error, or waits if it has been lost
                if future.key in markers:
                    n_done += 1
                    advance(n_done / len(markers))
                elif take is not None:
                    take(future)
        except BaseException:
            # The traceback may live on; what nobody wants, the scheduler gives up.
            for future in pending.values():
                future.release()
            waiting.clear()
            raise


def _markers(watched, advance):
    """Small tasks that are done when others are, whose results need not be kept for that."""
    return [dask.delayed(_nothing)(task) for task in watched] if advance is not None else []


def _itself(value):
    return value


def _nothing(_):
    return None


def _tree(tasks):
    """Sum by halves, the same whatever is done first."""
    add = dask.delayed(chunks.add)
    while len(tasks) > 1:
        pairs = zip(tasks[::2], tasks[1::2], strict=False)
        tasks = [add(*pair) for pair in pairs] + tasks[len(tasks) // 2 * 2 :]
    return tasks[0]


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
