"""Eager and lazy blocks: the same for any chunking, each chunk read once, memory bounded."""

import collections
import itertools

import dask
import dask.array as da
import numpy as np
import pytest
import sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.counts.bins import bin_parts, bin_pixels
from hyperspy_clusterquant.counts.chunks import weighted_sums
from hyperspy_clusterquant.counts.features import merge_channels, to_features
from hyperspy_clusterquant.counts.packed import PackedCounts
from hyperspy_clusterquant.counts.passes import collect_features, combine_map, sum_weighted

FEATURES = merge_channels(np.arange(12) * 0.01, np.arange(12) > 1, 0.02)


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


def dense(pixel_counts):
    return pixel_counts.toarray()


def features_of(data):
    return np.concatenate(collect_features(data, FEATURES).map(dense))


def expected_features(data):
    return to_features(data.reshape(-1, 12), FEATURES, 5).toarray()


@pytest.fixture(params=[1, 7, 2**14])
def block_pixels(request, monkeypatch):
    monkeypatch.setattr("hyperspy_clusterquant.counts.passes.BLOCK_PIXELS", request.param)


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


def test_pixels_groups_and_cuts_of_stored_counts(block_pixels, rng):
    data = make((5, 6))
    keep = rng.random(30) < 0.6
    groups = np.array([0, 0, -1, 1, 1])
    stored = collect_features(data, FEATURES).only(keep, groups)
    every = expected_features(data)[keep]
    expected = np.stack([every[:, :2].sum(axis=1), every[:, 3:].sum(axis=1)], axis=1)
    numbers = np.arange(len(expected))
    for parts in (None, [numbers], [numbers[1::3], numbers[::3], numbers[2::3]]):
        found = stored.map(lambda x, n: (x.toarray(), n), of_pixels=[numbers], parts=parts)
        order = np.concatenate(parts) if parts else numbers
        assert np.array_equal(np.concatenate([x for x, _ in found]), expected[order])
        assert np.array_equal(np.concatenate([n for _, n in found]), order)
        weighted = stored.sum(lambda x, n, s: s * n @ x, 2.0, of_pixels=[numbers], parts=parts)
        np.testing.assert_allclose(weighted, 2 * numbers @ expected)


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


def test_counts_beyond_the_memory_go_to_files_and_the_files_go_away(monkeypatch, tmp_path):
    data = make((40, 40))
    monkeypatch.setattr("hyperspy_clusterquant.counts.passes.BLOCK_PIXELS", 100)
    monkeypatch.setattr("hyperspy_clusterquant.counts.stores.MEMORY_BYTES", 5000)
    tmp_path = tmp_path / "not" / "there"
    with dask.config.set({"temporary-directory": str(tmp_path)}):
        stored = collect_features(data, FEATURES)
        values = stored.store(lambda x: x.toarray().astype(np.float16))
    assert len(list(tmp_path.glob("*/*.npz"))) > 15
    for _ in range(2):
        assert np.array_equal(np.concatenate(stored.map(dense)), expected_features(data))
        assert np.array_equal(np.concatenate(list(values)), expected_features(data))
    del stored, values
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("scheduler", ["threads", "synchronous", "processes"])
def test_the_scheduler_that_dask_is_told(scheduler):
    array = make((5, 6))
    with dask.config.set(scheduler=scheduler, num_workers=1):
        assert np.array_equal(
            features_of(da.from_array(array, chunks=(2, 4, 5))), expected_features(array)
        )


def test_packed_counts_are_the_counts(rng):
    for highest in (3, 300, 70000):
        x = to_features(rng.integers(0, highest, (6, 12)), np.arange(12), 12)
        packed = PackedCounts.pack(x)
        assert np.array_equal(packed.unpack().toarray(), x.toarray())
        assert np.array_equal(packed.rows(2, 5).unpack().toarray(), x[2:5].toarray())
        assert packed.values.dtype.itemsize == {3: 1, 300: 2, 70000: 4}[highest]


def test_a_view_that_is_not_contiguous():
    data = make((6, 8))[::2, ::-1]
    assert np.array_equal(features_of(data), expected_features(data))


def test_variance_of_weighted_sums_is_true(rng):
    """Repeat the experiment: the scatter of the sums is what sum(w^2 n) says."""
    mean = rng.uniform(0.5, 3, (50, 4))
    weights = rng.random((1, 50))
    both = np.concatenate([weights, weights**2])
    trials = [weighted_sums(rng.poisson(mean), both) for _ in range(4000)]
    sums, variances = np.array(trials).transpose(1, 0, 2)
    np.testing.assert_allclose(sums.var(axis=0), variances.mean(axis=0), rtol=0.1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_weighted_sums_of_bright_pixels_are_exact(dtype):
    """A block of the brightest bytes is more than half precision, or too few bits, would hold."""
    bright = np.full((3000, 2), 255, dtype=dtype)
    assert weighted_sums(bright, np.ones((1, 3000), bool)).tolist() == [[765000, 765000]]


def test_linear_algebra_gets_its_threads_back():
    """Also if one call ends while another one, begun later, is at work."""
    threads = [library["num_threads"] for library in threadpool_info()]
    first, second = one_blas_thread(), one_blas_thread()
    first.__enter__()
    second.__enter__()
    blas = [x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"]
    assert set(blas) == {1}
    first.__exit__()
    assert [x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"] == blas
    second.__exit__()
    assert [library["num_threads"] for library in threadpool_info()] == threads


@pytest.mark.parametrize("shape", [(40_000,), (200, 200), (4, 100, 100)])
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_parts_of_bins_are_small_whole_and_in_order(shape, factor, rng):
    bins, _ = bin_pixels(rng.random(shape) < 0.8, factor)
    parts = bin_parts(bins, 1000)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(bins)))
    assert max(map(len, parts)) <= 1000 + factor ** len(shape)
    ends = [(bins[part].min(), bins[part].max()) for part in parts]
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(ends))
    assert all((np.diff(part) > 0).all() for part in parts)


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


def test_half_of_the_counts_is_binomial_and_the_same_for_any_chunks():
    data = make((40, 30), seed=3)
    stored = collect_features(data, FEATURES)
    total = np.concatenate(stored.map(dense))
    half = np.concatenate(stored.thinned([0, 1]).map(dense))
    assert (half <= total).all()
    n = total.sum()
    assert abs(half.sum() - n / 2) < 4 * np.sqrt(n / 4)
    # The two halves of Poisson counts are not correlated.
    rest = total - half
    assert abs(np.corrcoef(half.ravel(), rest.ravel())[0, 1]) < 4 / np.sqrt(half.size)
    lazy = collect_features(da.from_array(data, chunks=(7, 11, 5)), FEATURES)
    np.testing.assert_array_equal(np.concatenate(lazy.thinned([0, 1]).map(dense)), half)
    other = np.concatenate(stored.thinned([0, 2]).map(dense))
    assert not np.array_equal(other, half)


def test_groups_of_groups():
    data = make((4, 5))
    stored = collect_features(data, np.arange(12))
    twice = stored.only(groups=np.arange(12) // 2).only(groups=np.array([0, -1, 0, 1, 1, -1]))
    total = data.reshape(20, 12).astype(int)
    np.testing.assert_array_equal(
        np.concatenate(twice.map(dense)),
        np.stack([total[:, [0, 1, 4, 5]].sum(axis=1), total[:, 6:10].sum(axis=1)], axis=1),
    )
