"""Eager and lazy blocks: the same sums for any chunking, each chunk read once."""

import collections

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperspy_clusterquant import blocks, counts
from hyperspy_clusterquant.spectra import weighted_sums

FEATURES = counts.merge_channels(np.arange(12) * 0.01, np.arange(12) > 1, 0.02)


def make(shape, seed=0):
    return np.random.default_rng(seed).poisson(0.8, (*shape, 12)).astype(np.uint8)


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
def test_features_and_sums_of_an_array(shape, monkeypatch):
    data = make(shape)
    weights = np.random.default_rng(1).random((3, int(np.prod(shape))))
    flat = data.reshape(-1, 12)
    for block_bytes in (1, 100, 2**25):
        monkeypatch.setattr(blocks, "BLOCK_BYTES", block_bytes)
        features = blocks.collect_features(data, FEATURES).toarray()
        assert np.array_equal(features, counts.to_features(flat, FEATURES, 5).toarray())
        sums = blocks.sum_weighted(data, weights)
        for k in range(3):
            expected = sum(w * x.astype(float) for w, x in zip(weights[k], flat, strict=True))
            np.testing.assert_allclose(sums[k], expected)


@pytest.mark.parametrize("shape", [(9,), (5, 6), (2, 3, 4)])
def test_linear_combinations_of_channels_stay_with_their_pixel(shape):
    data = make(shape)
    operator = np.random.default_rng(1).standard_normal((3, 12))
    found = blocks.project(data, operator)
    for pixel, counts_of_pixel in enumerate(data.reshape(-1, 12)):
        np.testing.assert_allclose(found[:, pixel], operator @ counts_of_pixel.astype(float))


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_any_chunking_gives_the_same(data):
    array = make((5, 6))
    lazy = chunked(array, data.draw)
    weights = np.random.default_rng(1).random((2, 30))
    operator = np.random.default_rng(2).random((2, 12))
    np.testing.assert_allclose(blocks.project(lazy, operator), blocks.project(array, operator))
    assert np.array_equal(
        blocks.collect_features(lazy, FEATURES).toarray(),
        blocks.collect_features(array, FEATURES).toarray(),
    )
    np.testing.assert_allclose(
        blocks.sum_weighted(lazy, weights), blocks.sum_weighted(array, weights)
    )


def test_every_chunk_is_read_once():
    array = make((8, 6))
    read = collections.Counter()

    def load(block_info=None):
        location = tuple(block_info[None]["chunk-location"])
        read[location] += 1
        where = tuple(slice(a, b) for a, b in block_info[None]["array-location"])
        return array[where]

    # The energy axis is cut as well, as JEOL and Velox files arrive.
    lazy = da.map_blocks(load, chunks=((3, 3, 2), (6,), (5, 7)), dtype=array.dtype)
    read.clear()
    blocks.collect_features(lazy, FEATURES)
    assert len(read) == 6
    assert set(read.values()) == {1}


def test_a_view_that_is_not_contiguous():
    data = make((6, 8))[::2, ::-1]
    expected = counts.to_features(data.reshape(-1, 12), FEATURES, 5).toarray()
    assert np.array_equal(blocks.collect_features(data, FEATURES).toarray(), expected)


def test_variance_of_weighted_sums_is_true(rng):
    """Repeat the experiment: the scatter of the sums is what sum(w^2 n) says."""
    mean = rng.uniform(0.5, 3, (50, 4))
    weights = rng.random((1, 50))
    both = np.concatenate([weights, weights**2])
    trials = [weighted_sums(rng.poisson(mean), both) for _ in range(4000)]
    sums, variances = np.array(trials).transpose(1, 0, 2)
    np.testing.assert_allclose(sums.var(axis=0), variances.mean(axis=0), rtol=0.1)


@pytest.mark.parametrize("lazy", [False, True])
def test_progress_is_reported_to_the_end(lazy, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 100)
    data = make((5, 6))
    if lazy:
        data = da.from_array(data, chunks=(2, 3, 12))
    reported = []
    blocks.sum_weighted(data, np.ones((1, 30)), reported.append)
    assert len(reported) > 3
    assert reported == sorted(reported)
    assert reported[-1] == 1
