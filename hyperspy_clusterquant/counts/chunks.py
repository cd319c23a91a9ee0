"""Chunks of a map: kernels over their counts, and which pixels they hold."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import reduce

import numpy as np
from scipy import sparse

from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.counts.features import to_features
from hyperspy_clusterquant.counts.packed import PackedCounts

#: Pixels made float at a time: 512 x 4096 channels are 17 MB.
BLOCK_ROWS = 512


def sum_pixels(counts, weights):
    """Weighted sums of the spectra of a block of counts.

    Parameters
    ----------
    counts : array or scipy.sparse.csr_array (pixels, channels)
        Poisson counts n of any dtype.
    weights : array (n_sums, pixels)
        Weights w.

    Returns
    -------
    array (n_sums, channels)
        ``sum(w n)``. With the squares of the weights it is the variance of that.
    """
    # Sums of single bytes over a block are whole numbers that float32 holds as they are.
    single = counts.dtype.itemsize == 1 and weights.dtype == bool
    dtype = np.float32 if single else np.float64
    weights = weights.astype(dtype)
    sums = np.zeros((len(weights), counts.shape[1]))
    for start in range(0, counts.shape[0], BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        sums += weights[:, rows] @ counts[rows].astype(dtype)
    return sums


def combine_channels(counts, operator):
    """Linear combinations of the channels of each pixel.

    Parameters
    ----------
    counts : array or scipy.sparse.csr_array (pixels, channels)
        Of any dtype.
    operator : array (n_values, channels)

    Returns
    -------
    array (n_values, pixels)
    """
    values = np.zeros((len(operator), counts.shape[0]))
    for start in range(0, counts.shape[0], BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        values[:, rows] = operator @ counts[rows].T.astype(np.float64)
    return values


def read_chunk(chunk, features, n_features):
    """Packed sparse features of a chunk, see `features.to_features`."""
    pixels = _as_pixels(chunk)
    packed = PackedCounts.pack(to_features(pixels, features, n_features))
    if len(packed.values):
        return packed
    return replace(packed, is_blank=not (pixels.nnz if sparse.issparse(pixels) else pixels.any()))


def counts_of_piece(piece):
    """Counts in the features of a piece; some if what it was read from has others alone."""
    return float(max(piece.values.sum(dtype=float), not piece.is_blank))


def merge_pieces(pieces):
    """Counts of the same pixels from chunks of the energy axis."""
    return PackedCounts.pack(reduce(add_two, [piece.unpack() for piece in pieces]))


def assemble(pieces, places, shape, start, end):
    """The pixels from `start` to `end` of a map, out of the chunks that hold them."""
    parts, numbers = [], []
    for piece, place in zip(pieces, places, strict=True):
        inside = flat_numbers(shape, place)
        low, high = np.searchsorted(inside, [start, end])
        parts.append(piece.rows(low, high).unpack())
        numbers.append(inside[low:high])
    numbers = np.concatenate(numbers)
    counts = sparse.vstack(parts, format="csr")
    if np.any(numbers[1:] < numbers[:-1]):
        counts = counts[np.argsort(numbers)]
    return PackedCounts.pack(counts)


def sum_chunk(chunk, weights, squares):
    """Weighted sums of a chunk's spectra, and with `squares` those with the weights squared."""
    counts = _as_pixels(chunk)
    with one_blas_thread():
        if not squares:
            return sum_pixels(counts, weights)
        weights = weights.astype(float)
        sums = sum_pixels(counts, np.concatenate([weights, weights**2]))
        return sums.reshape(2, len(weights), -1)


def combine_chunk(chunk, operator):
    """Linear combinations of the channels of a chunk, see `combine_channels`."""
    with one_blas_thread():
        return combine_channels(_as_pixels(chunk), operator)


def _as_pixels(chunk):
    """A chunk as counts (pixels, channels); what is sparse stays sparse, what is masked is 0."""
    if hasattr(chunk, "to_scipy_sparse"):
        return sparse.csr_array(chunk.reshape((-1, chunk.shape[-1])).to_scipy_sparse())
    if isinstance(chunk, np.ma.MaskedArray):
        # Also in the channels that are not: such pixels are left out.
        chunk = np.where(masked_chunk(chunk)[..., None], chunk.dtype.type(0), chunk.data)
    return np.asarray(chunk).reshape(-1, chunk.shape[-1])


def masked_chunk(chunk):
    """Pixels of a chunk with a channel that is masked, array of bool (chunk's map shape)."""
    return np.ma.getmaskarray(chunk).any(axis=-1)


def join(parts):
    """Sums of the same pixels, from chunks of the energy axis one after the other."""
    return np.concatenate(parts, axis=-1)


def add_two(one, other):
    """Sum of two."""
    return one + other


def chunk_slices(chunks):
    """Places of chunks in an array, as tuples of slices, from their sizes along each axis."""
    ends = [np.cumsum(sizes) for sizes in chunks]
    per_axis = [
        [slice(int(e - s), int(e)) for e, s in zip(end, sizes, strict=True)]
        for end, sizes in zip(ends, chunks, strict=True)
    ]
    return list(itertools.product(*per_axis))


def even_slices(shape, n_pixels):
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


def first_and_last(shape, place):
    """Numbers of the first and the last pixel at a place of the map."""
    ends = zip(
        *[(s.indices(n)[0], s.indices(n)[1] - 1) for s, n in zip(place, shape, strict=True)],
        strict=True,
    )
    return [int(np.ravel_multi_index(end, shape)) for end in ends]


def flat_numbers(shape, place):
    """Ascending numbers of the pixels at a place of the map."""
    indices = [np.arange(*s.indices(size)) for s, size in zip(place, shape, strict=True)]
    return np.ravel_multi_index(np.ix_(*indices), shape).ravel()
