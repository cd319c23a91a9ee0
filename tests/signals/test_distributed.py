"""The same calls with the client of a dask.distributed cluster."""

import functools
import gc
import os
import signal
import time
import warnings

import dask
import dask.array as da
import distributed
import numpy as np
import pytest

from hyperspy_clusterquant.clusters.neighbours import mean_field
from hyperspy_clusterquant.data import six_cation_sulfide


@pytest.fixture(scope="module")
def eager():
    return six_cation_sulfide(size=64, channels=512, seed=3)


@pytest.fixture(scope="module")
def alone(eager):
    """What each workflow finds without a cluster, found once."""

    @functools.cache
    def found(workflow):
        return getattr(eager.deepcopy(), workflow)(show_progressbar=False)

    return found


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


def test_both_workflows_give_what_they_give_without(alone, lazy, client):
    lazy.data = lazy.data.map_blocks(remember("read"), dtype=lazy.data.dtype)
    for workflow in ("cluster_pca_gmm", "cluster_umap_hdbscan"):
        same(alone(workflow), getattr(lazy, workflow)(show_progressbar=False))
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


def kill_once(flag, pid=None):
    """Kills a worker, or the process that it is called in, the first time."""
    try:
        os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    # Windows has no SIGKILL: there, any signal kills
    os.kill(pid or os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def test_a_worker_killed_while_it_reads(alone, lazy, client, tmp_path):
    def read(block, block_info=None):
        if block_info[0]["chunk-location"] == (1, 1, 0):
            kill_once(tmp_path / "killed")
        return block

    lazy.data = lazy.data.map_blocks(read, dtype=lazy.data.dtype)
    same(alone("cluster_pca_gmm"), lazy.cluster_pca_gmm(show_progressbar=False))
    assert (tmp_path / "killed").exists()


def test_a_worker_killed_with_the_counts_that_it_kept(alone, lazy, client, tmp_path, monkeypatch):
    expected = alone("cluster_umap_hdbscan")
    posterior = mean_field

    def killing(*args, **kwargs):
        kill_once(tmp_path / "killed", next(iter(client.run(os.getpid).values())))
        return posterior(*args, **kwargs)

    monkeypatch.setattr("hyperspy_clusterquant.clusters.labelling.mean_field", killing)
    same(expected, lazy.cluster_umap_hdbscan(show_progressbar=False))
    assert (tmp_path / "killed").exists()


class DiskError(Exception):
    """Something of the reader's own."""


def test_a_chunk_that_cannot_be_read_is_named_with_its_own_error(lazy, client):
    def fail(block, block_info=None):
        if block_info[0]["chunk-location"] == (1, 0, 1):
            raise DiskError("sector 17")
        return block

    good, before = lazy.data, lazy.clusters
    lazy.data = good.map_blocks(fail, dtype=good.dtype)
    chunk = r"s\.inav\[0:40, 30:60\] from .* to .* keV cannot be read \(DiskError: sector 17\)"
    with pytest.raises(OSError, match=chunk) as raised:
        lazy.cluster_pca_gmm(show_progressbar=False)
    assert isinstance(raised.value.__cause__, DiskError)
    assert lazy.clusters.keys() == before.keys()
    lazy.data = good - 1.0
    with pytest.raises(ValueError, match="negative values"):
        lazy.cluster_pca_gmm(show_progressbar=False)


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
            s.cluster_stability(
                result, n_resamples=2, vary="counts", show_progressbar=False
            ).agreement
        ),
        "map_significance": lambda s: s.map_significance(show_progressbar=False).p_values,
    }
    for call in calls.values():
        there = call(lazy)
        with dask.config.set(scheduler="threads"):
            np.testing.assert_allclose(there, call(eager))
