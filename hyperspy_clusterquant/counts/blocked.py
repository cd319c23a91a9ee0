"""Sparse counts of all pixels in blocks, and kernels over them."""

from __future__ import annotations

import itertools

import dask
import numpy as np
from scipy import sparse

from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.counts.packed import PackedCounts, thin
from hyperspy_clusterquant.counts.runners import new_store, tree
from hyperspy_clusterquant.counts.stores import Stored, StoredArrays

#: Sums of pixels that are made side by side, however many blocks there are.
MOST_SUMS = 32


class BlockedCounts:
    """Sparse counts of the pixels of a map, in blocks of consecutive pixels.

    Parameters
    ----------
    blocks : list
        `PackedCounts` of each block, wherever they are.
    runner : Local or Cluster
        Where the blocks are, the work is done.
    bounds : array of int (n_blocks + 1,)
        Pixels of the map where blocks begin and end.
    keep : array of bool (pixels of the map,), optional
        Pixels that take part.
    groups : array of int (features,), optional
        What the features are summed to, -1 = left out.
    """

    def __init__(self, blocks, runner, bounds, keep=None, groups=None):
        self._blocks = blocks
        self._bounds = bounds
        self._runner = runner
        self._keep = np.ones(bounds[-1], dtype=bool) if keep is None else keep
        self._groups = groups

    def only(self, keep=None, groups=None):
        """The same counts with some pixels only, or features, as they are now, in groups."""
        keep = self._keep if keep is None else keep
        if groups is None:
            groups = self._groups
        elif self._groups is not None:
            groups = np.where(self._groups >= 0, groups[self._groups], -1)
        return BlockedCounts(self._blocks, self._runner, self._bounds, keep, groups)

    def thinned(self, seed):
        """One of two independent halves of the counts, see `packed.thin`.

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
        blocks, runner = self._runner.persist(halves, made_from=self._blocks)
        return BlockedCounts(blocks, runner, self._bounds, self._keep, self._groups)

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
        return self._runner.run([tree(tasks)])[0]

    def store(self, kernel, *shared):
        """As `map`, for arrays with a row for each pixel: a sequence of them, perhaps in files."""
        tasks = self._tasks(kernel, shared, (), None)
        return StoredArrays(self._runner.run(tasks, store=new_store(self._blocks)))

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
