"""Where the work is done: threads, processes, and the workers of a dask.distributed cluster."""

import asyncio
import gc
import time
import tracemalloc
import warnings

import dask
import dask.array as da
import distributed
import numpy as np
import pytest
from planted import expected_features, features_of, make

from hyperspy_clusterquant.counts.passes import collect_features, sum_weighted
from hyperspy_clusterquant.counts.runners import active_runner
from hyperspy_clusterquant.data import six_cation_sulfide


@pytest.fixture(scope="module")
def eager():
    return six_cation_sulfide(size=64, channels=512, seed=3)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr("hyperspy_clusterquant.counts.passes.BLOCK_PIXELS", 512)


@pytest.fixture
def lazy(eager):
    s = eager.as_lazy()
    s.data = s.data.rechunk((30, 40, 200))
    return s


@pytest.mark.parametrize("scheduler", ["threads", "synchronous", "processes"])
def test_the_scheduler_that_dask_is_told(scheduler):
    array = make((5, 6))
    with dask.config.set(scheduler=scheduler, num_workers=1):
        assert np.array_equal(
            features_of(da.from_array(array, chunks=(2, 4, 5))), expected_features(array)
        )


def test_many_chunks_of_many_channels_are_no_large_graph(client):
    zeros = da.zeros((128, 128, 4096), chunks=(4, 4, 4096), dtype=np.uint8)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Sending large graph")
        stored = collect_features(zeros, np.arange(4096) // 2)
        assert stored.sum(lambda x: x.sum()) == 0


def test_sums_are_made_on_the_way(client, monkeypatch):
    """Of 64 results no more are kept at once than there are sums side by side."""
    monkeypatch.setattr("hyperspy_clusterquant.counts.blocked.MOST_SUMS", 4)
    stored = collect_features(da.zeros((128, 256, 2), chunks=(16, 16, 2)), np.arange(2))

    def large(counts):
        worker = distributed.get_worker()
        worker.log_event("kept", sum(key.startswith(("_on_pixels", "add")) for key in worker.data))
        return np.ones((100, 100))

    total = stored.sum(large)
    assert np.array_equal(total, np.full((100, 100), 64.0))
    kept = [n for _, n in client.get_events("kept")]
    assert len(kept) == 64
    assert max(kept) <= 8


def test_results_go_to_files_one_after_the_other(client, monkeypatch):
    """What is known of all pixels never waits in this process as a whole."""
    stored = collect_features(da.zeros((128, 256, 2), chunks=(16, 16, 2)), np.arange(2))
    monkeypatch.setattr("hyperspy_clusterquant.counts.stores.MEMORY_BYTES", 0)
    tracemalloc.start()
    kept = stored.store(lambda counts: np.ones((counts.shape[0], 1000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(array.nbytes for array in kept) == 128 * 256 * 8000
    assert peak < 128 * 256 * 8000 / 4


def test_a_client_that_is_closed_or_asynchronous_is_not_waited_for(lazy):
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        stored = collect_features(lazy.data, np.arange(512))
    with pytest.raises(Exception, match="closed"):
        stored.sum(lambda x: x.sum())

    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        pytest.warns(UserWarning, match="The active dask client has no workers"),
    ):
        active_runner()

    async def within():
        async with distributed.Client(processes=False, asynchronous=True, dashboard_address=None):
            return lazy.cluster_pca_gmm(show_progressbar=False).n_clusters

    assert asyncio.run(within()) == 4


def test_progress_and_calling_off(lazy, client):
    weights = np.ones((2, 64 * 64), dtype=np.float32)
    reported = []
    sum_weighted(lazy.data, weights, reported.append)
    assert reported == sorted(reported)
    assert len(reported) > 3
    assert reported[-1] == 1

    def interrupt(share):
        raise KeyboardInterrupt

    slow = lazy.data.map_blocks(lambda block: time.sleep(0.3) or block, dtype=lazy.data.dtype)
    for use in (
        lambda: sum_weighted(slow, weights, interrupt),
        lambda: collect_features(slow, np.arange(512), interrupt),
    ):
        with pytest.raises(KeyboardInterrupt):
            use()
        gc.collect()
        time.sleep(1.0)
        assert not any(client.processing().values()), "the cluster works on for nobody"
