"""Eager and lazy passes: the same for any chunking, each chunk read once."""

import collections

import dask.array as da
import numpy as np
import pytest
import sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import FEATURES, dense, expected_features, features_of, make

from hyperspy_clusterquant.counts.passes import collect_features, combine_map, sum_weighted


def chunked(data, draw):
    chunks = []
    for size in data.shape:
        sizes, left = [], size
        while left:
            sizes.append(draw(st.integers(1, left)))
            left -= sizes[-1]
        chunks.append(tuple(sizes))
    return da.from_array(data, chunks=tuple(chunks))


@pytest.mark.parametrize("shape", [(9,), (5, 6), (2, 3, 4)])
def test_features_and_sums_of_an_array(shape, block_pixels):
    data = make(shape)
    weights = np.random.default_rng(1).random((3, int(np.prod(shape))))
    flat = data.reshape(-1, 12)
    assert np.array_equal(features_of(data), expected_features(data))
    sums, variances = sum_weighted(data, weights, squares=True)
    for k in range(3):
        expected = sum(w * x.astype(float) for w, x in zip(weights[k], flat, strict=True))
        np.testing.assert_allclose(sums[k], expected)
        expected = sum(w**2 * x.astype(float) for w, x in zip(weights[k], flat, strict=True))
        np.testing.assert_allclose(variances[k], expected)


@pytest.mark.parametrize("shape", [(9,), (5, 6), (2, 3, 4)])
def test_linear_combinations_of_channels_stay_with_their_pixel(shape, block_pixels):
    data = make(shape)
    operator = np.random.default_rng(1).standard_normal((3, 12))
    found = combine_map(data, operator)
    for pixel, counts_of_pixel in enumerate(data.reshape(-1, 12)):
        np.testing.assert_allclose(found[:, pixel], operator @ counts_of_pixel.astype(float))


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_any_chunking_gives_the_same(data):
    array = make((5, 6))
    lazy = chunked(array, data.draw)
    weights = np.random.default_rng(1).random((2, 30))
    operator = np.random.default_rng(2).random((2, 12))
    np.testing.assert_allclose(combine_map(lazy, operator), combine_map(array, operator))
    assert np.array_equal(features_of(lazy), expected_features(array))
    np.testing.assert_allclose(sum_weighted(lazy, weights), sum_weighted(array, weights))


def counting(array, chunks, read):
    """Lazy array that counts how often each of its chunks is read."""

    def load(block_info=None):
        where = block_info[None]
        read[tuple(where["chunk-location"])] += 1
        return array[tuple(slice(a, b) for a, b in where["array-location"])]

    meta = np.empty((0, 0, 0), array.dtype)
    return da.map_blocks(load, chunks=chunks, dtype=array.dtype, meta=meta)


@pytest.mark.parametrize("chunks", [((3, 3, 2), (6,), (5, 7)), ((1,) * 8, (1,) * 6, (12,))])
def test_every_chunk_is_read_once(chunks):
    read = collections.Counter()
    lazy = counting(make((8, 6)), chunks, read)
    n_chunks = int(np.prod(lazy.numblocks))
    weights = np.ones((2, 48))
    for use in (
        lambda: collect_features(lazy, FEATURES),
        lambda: sum_weighted(lazy, weights, squares=True),
        lambda: combine_map(lazy, np.ones((2, 12))),
    ):
        read.clear()
        use()
        assert len(read) == n_chunks
        assert set(read.values()) == {1}


def test_chunks_without_a_channel_that_is_used_are_not_read():
    read = collections.Counter()
    array = make((4, 6))
    lazy = counting(array, ((4,), (3, 3), (4, 4, 4)), read)
    features = np.where(np.arange(12) < 4, np.arange(12) // 2, -1)
    stored = collect_features(lazy, features)
    assert set(read) == {(0, 0, 0), (0, 1, 0)}
    pairs = array.reshape(24, 6, 2).sum(axis=2)
    assert np.array_equal(np.concatenate(stored.map(dense)), pairs[:, :2])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_sparse_chunks_stay_sparse(dtype, monkeypatch):
    array = make((5, 6)).astype(dtype)
    lazy = da.from_array(array, chunks=(2, 4, 5)).map_blocks(sparse.COO.from_numpy)
    monkeypatch.setattr(sparse.COO, "todense", None)
    assert np.array_equal(features_of(lazy), expected_features(array))
    weights = np.random.default_rng(1).random((2, 30))
    np.testing.assert_allclose(sum_weighted(lazy, weights), sum_weighted(array, weights))
    np.testing.assert_allclose(
        combine_map(lazy, np.eye(12)[:3]), combine_map(array, np.eye(12)[:3])
    )


def test_a_view_that_is_not_contiguous():
    data = make((6, 8))[::2, ::-1]
    assert np.array_equal(features_of(data), expected_features(data))


@pytest.mark.parametrize("lazy", [False, True])
def test_progress_is_reported_to_the_end(lazy, monkeypatch):
    monkeypatch.setattr("hyperspy_clusterquant.counts.passes.BLOCK_PIXELS", 3)
    data = make((5, 6))
    if lazy:
        data = da.from_array(data, chunks=(2, 3, 6))
    for use in (
        lambda advance: sum_weighted(data, np.ones((1, 30)), advance),
        lambda advance: collect_features(data, FEATURES, advance),
        lambda advance: combine_map(data, np.ones((1, 12)), advance),
    ):
        reported = []
        use(reported.append)
        assert len(reported) > 3
        assert reported == sorted(reported)
        assert reported[-1] == 1
