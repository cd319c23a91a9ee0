"""The same calls with the client of a dask.distributed cluster."""

import asyncio
import gc
import os
import signal
import time
import tracemalloc
import warnings

import dask
import dask.array as da
import distributed
import numpy as np
import pytest

from hyperspy_clusterquant.clusters.neighbours import mean_field
from hyperspy_clusterquant.counts.passes import collect_features, sum_weighted
from hyperspy_clusterquant.counts.runners import active_runner
from hyperspy_clusterquant.data import six_cation_sulfide


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


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


def remember(read_by):
    """Lets a function know which process reads a block."""

    def note(block):
        distributed.get_worker().log_event(read_by, os.getpid())
        return block

    return note


def same(one, other):
    assert np.array_equal(one.labels, other.labels)
    np.testing.assert_allclose(one.memberships, other.memberships, atol=1e-6)
    np.testing.assert_allclose(one.spectra, other.spectra)


def test_both_workflows_give_what_they_give_without(eager, lazy, client):
    lazy.data = lazy.data.map_blocks(remember("read"), dtype=lazy.data.dtype)
    for workflow in ("cluster_pca_gmm", "cluster_umap_hdbscan"):
        alone = getattr(eager, workflow)(show_progressbar=False)
        same(alone, getattr(lazy, workflow)(show_progressbar=False))
    processes = {pid for _, pid in client.get_events("read")}
    assert os.getpid() not in processes
    assert len(processes) == 2
    # Once for the clusters and once for their spectra, twice.
    assert len(client.get_events("read")) == 2 * 2 * lazy.data.npartitions
    gc.collect()
    time.sleep(0.5)
    assert not client.who_has(), "the workers still keep something"


def test_quantification_maps_and_assignment(eager, lazy, client):
    first = six_cation_sulfide(size=48, channels=512).cluster_pca_gmm(4, show_progressbar=False)
    same(
        eager.assign_clusters(first, show_progressbar=False),
        lazy.assign_clusters(first, show_progressbar=False),
    )
    k = eager.metadata.Ground_truth.kfactors
    tables = [
        s.cluster_quantification(kfactors=k, extra_elements=["C", "Au"], per_pixel=True)
        for s in (eager, lazy)
    ]
    difference = np.abs(tables[0].atomic_percent - tables[1].atomic_percent)
    assert (difference < 0.1 * tables[0].std_counting + 1e-9).all()
    for element, image in tables[0].maps.items():
        np.testing.assert_allclose(image.data, tables[1].maps[element].data, atol=1e-4)


def test_no_message_is_large(lazy, client, monkeypatch):
    monkeypatch.setattr("hyperspy_clusterquant.counts.runners.MESSAGE_BYTES", 20_000)
    lazy.data = da.from_delayed(
        dask.delayed(np.random.default_rng(0).poisson)(0.1, lazy.data.shape),
        lazy.data.shape,
        dtype=int,
    ).rechunk((16, 16, 512))
    with (
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "200kB"}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("error", "Sending large graph")
        result = lazy.cluster_pca_gmm(2, n_components=2, show_progressbar=False)
        lazy.get_cluster_spectra(result)


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


def kill_once(flag, pid=None):
    """Kills a worker, or the process that it is called in, the first time."""
    try:
        os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(pid or os.getpid(), signal.SIGKILL)


def test_a_worker_killed_while_it_reads(eager, lazy, client, tmp_path):
    def read(block, block_info=None):
        if block_info[0]["chunk-location"] == (1, 1, 0):
            kill_once(tmp_path / "killed")
        return block

    lazy.data = lazy.data.map_blocks(read, dtype=lazy.data.dtype)
    alone = eager.cluster_pca_gmm(show_progressbar=False)
    same(alone, lazy.cluster_pca_gmm(show_progressbar=False))
    assert (tmp_path / "killed").exists()


def test_a_worker_killed_with_the_counts_that_it_kept(eager, lazy, client, tmp_path, monkeypatch):
    alone = eager.cluster_umap_hdbscan(show_progressbar=False)
    posterior = mean_field

    def killing(*args, **kwargs):
        kill_once(tmp_path / "killed", next(iter(client.run(os.getpid).values())))
        return posterior(*args, **kwargs)

    monkeypatch.setattr("hyperspy_clusterquant.clusters.refine.mean_field", killing)
    same(alone, lazy.cluster_umap_hdbscan(show_progressbar=False))
    assert (tmp_path / "killed").exists()


class DiskError(Exception):
    """Something of the reader's own."""


def test_a_block_that_fails_gives_its_own_error(lazy, client):
    def fail(block, block_info=None):
        if block_info[0]["chunk-location"] == (1, 0, 1):
            raise DiskError("sector 17")
        return block

    good, before = lazy.data, lazy.clusters
    lazy.data = good.map_blocks(fail, dtype=good.dtype)
    with pytest.raises(DiskError, match="sector 17"):
        lazy.cluster_pca_gmm(show_progressbar=False)
    assert lazy.clusters.keys() == before.keys()
    lazy.data = good - 1.0
    with pytest.raises(ValueError, match="negative values"):
        lazy.cluster_pca_gmm(show_progressbar=False)


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


def test_threads_of_this_process_if_dask_is_told_so(lazy, client):
    lazy.data = lazy.data.map_blocks(lambda block: block * (os.getpid() == here), dtype=np.uint8)
    here = os.getpid()
    with dask.config.set(scheduler="threads"):
        assert lazy.cluster_pca_gmm(show_progressbar=False).n_clusters == 4


def test_tests_of_clusters_and_maps_give_what_they_give_without(eager, lazy, client):
    result = eager.cluster_pca_gmm(4, show_progressbar=False)
    calls = {
        "cluster_significance": lambda s: (
            s.cluster_significance(result, n_splits=2, show_progressbar=False).p_values
        ),
        "cluster_stability": lambda s: (
            s.cluster_stability(result, n_resamples=2, show_progressbar=False).agreement
        ),
        "map_significance": lambda s: s.map_significance(show_progressbar=False).p_values,
    }
    for call in calls.values():
        there = call(lazy)
        with dask.config.set(scheduler="threads"):
            np.testing.assert_allclose(there, call(eager))
