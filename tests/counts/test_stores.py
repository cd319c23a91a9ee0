import _thread
import errno
import gc
import os
import signal
import time

import dask
import dask.array as da
import numpy as np
import pytest
from planted import FEATURES, dense, expected_features, make

from hyperspy_clusterquant.counts import stores
from hyperspy_clusterquant.counts.packed import PackedCounts
from hyperspy_clusterquant.counts.passes import collect_features
from hyperspy_clusterquant.counts.stores import Store, StoredArrays, files_gone_if_left


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Where the files are made, many and small ones."""
    monkeypatch.setattr("hyperspy_clusterquant.counts.passes.BLOCK_PIXELS", 100)
    monkeypatch.setattr(stores, "MEMORY_BYTES", 5000)
    folder = tmp_path / "not" / "there"
    with dask.config.set({"temporary-directory": str(folder)}):
        yield folder


def test_counts_beyond_the_memory_go_to_files_and_the_files_go_away(folder):
    data = make((40, 40))
    stored = collect_features(data, FEATURES)
    values = stored.store(lambda x: x.toarray().astype(np.float16))
    assert len(list(folder.glob("*/*.npz"))) > 15
    for _ in range(2):
        assert np.array_equal(np.concatenate(stored.map(dense)), expected_features(data))
        assert np.array_equal(np.concatenate(list(values)), expected_features(data))
    del stored, values
    assert not list(folder.iterdir())


def test_lengths_are_known_without_loading(folder, monkeypatch):
    keep = np.ones(1600, dtype=bool)
    keep[:150] = False
    stored = collect_features(make((40, 40)), FEATURES).only(keep)
    values = stored.store(lambda x: x.toarray())
    lengths = [len(array) for array in values]
    monkeypatch.setattr(np, "load", None)
    monkeypatch.setattr(stores.Stored, "load", None)
    assert values.lengths.tolist() == lengths
    assert sum(lengths) == 1450
    assert values.lengths.dtype == int
    assert StoredArrays([]).lengths.dtype == int
    counts = PackedCounts(3, np.array([0, 1, 1]), np.array([2]), np.array([5]))
    assert len(Store().put(counts)) == 2


def full_disk(monkeypatch, n_files):
    """A disk that holds so many files, and of the next one only a part."""
    save, left = np.savez, iter(range(n_files))

    def savez(path, *arrays):
        if next(left, None) is None:
            path.write_bytes(b"part")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(path, *arrays)

    monkeypatch.setattr(np, "savez", savez)


@pytest.mark.parametrize("n_files", [0, 5])
@pytest.mark.parametrize("chunks", [None, (7, 11, 5)])
@pytest.mark.parametrize("stage", ["counts", "halves", "values"])
def test_a_full_disk(folder, monkeypatch, n_files, chunks, stage):
    """The message names folder and cure; all files are removed while the error is still raised."""
    data = make((40, 40)) if chunks is None else da.from_array(make((40, 40)), chunks=chunks)
    kept = []
    if stage != "counts":
        kept.append(collect_features(data, FEATURES))
        assert list(folder.glob("*/*.npz"))
    if stage == "values":
        kept.append(kept[0].thinned([0]))
    full_disk(monkeypatch, n_files)
    cure = r"not/there \(No space left on device\)\. Free space there, or .*temporary-directory"
    use = {
        "counts": lambda: collect_features(data, FEATURES),
        "halves": lambda: kept[0].thinned([0]),
        "values": lambda: kept[1].store(lambda x: x.toarray()),
    }
    with pytest.raises(OSError, match=cure) as raised:
        use[stage]()
    assert not list(folder.iterdir())
    assert raised.value.errno == errno.ENOSPC
    assert str(raised.value.__cause__) == "[Errno 28] No space left on device"


def test_a_full_disk_takes_no_files_but_those_of_the_same_counts(folder, monkeypatch):
    data = make((40, 40))
    others, counts = collect_features(data, FEATURES), collect_features(data, FEATURES)
    full_disk(monkeypatch, 0)
    with pytest.raises(OSError, match="Free space"):
        counts.thinned([0])
    assert np.array_equal(np.concatenate(others.map(dense)), expected_features(data))
    del others
    gc.collect()
    assert not list(folder.iterdir())


@pytest.mark.parametrize("left_by", [KeyboardInterrupt, ValueError])
def test_files_are_gone_when_a_call_is_left(folder, left_by):
    """Although the error holds them; those of another call stay, and those that are handed on."""
    data = make((40, 40))
    others = collect_features(data, FEATURES)
    n_folders = len(list(folder.iterdir()))
    kept = []

    def call():
        with files_gone_if_left():
            with files_gone_if_left():
                kept.append(collect_features(data, FEATURES))
            kept.append(kept[0].thinned([0]))
            kept.append(others.thinned([0]))
            assert len(list(folder.iterdir())) > n_folders
            raise left_by

    with pytest.raises(left_by) as raised:
        call()
    assert raised.value.__traceback__
    assert len(list(folder.iterdir())) == n_folders
    assert np.array_equal(np.concatenate(others.map(dense)), expected_features(data))
    with files_gone_if_left():
        kept = collect_features(data, FEATURES)
    assert np.array_equal(np.concatenate(kept.map(dense)), expected_features(data))
    with pytest.raises(left_by), files_gone_if_left():
        raise left_by
    assert np.array_equal(np.concatenate(kept.map(dense)), expected_features(data))


@pytest.fixture
def _interruptible():
    """Ctrl-C raises, also where tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_ctrl_c_while_threads_fill_the_files(folder, monkeypatch):
    """Those that are still at work make no new ones."""
    monkeypatch.setattr(stores, "MEMORY_BYTES", 0)
    data = da.from_array(make((40, 40)), chunks=(4, 40, 12))
    written = []

    def read(block):
        if not written and (found := list(folder.glob("*/*.npz"))):
            written.extend(found)
            _thread.interrupt_main()
        time.sleep(0.05)
        return block

    data = data.map_blocks(read, dtype=data.dtype, meta=data._meta)
    with (
        dask.config.set(num_workers=2),
        pytest.raises(KeyboardInterrupt) as raised,
        files_gone_if_left(),
    ):
        collect_features(data, FEATURES)
    assert written
    for _ in range(2):
        assert not list(folder.iterdir())
        time.sleep(0.2)
    assert raised.value.__traceback__


def test_ctrl_c_while_the_files_are_removed(folder, monkeypatch):
    """Nobody would remove the rest later."""
    store = Store(folder)
    for _ in range(5):
        store.put(np.zeros(1000))
    assert len(list(folder.glob("*/*.npz"))) == 5
    unlink, calls = os.unlink, iter(range(10))

    def interrupted(*args, **kwargs):
        if next(calls) == 2:
            raise KeyboardInterrupt
        unlink(*args, **kwargs)

    monkeypatch.setattr(os, "unlink", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.close()
    assert not list(folder.iterdir())


def test_a_full_disk_for_what_comes_from_a_cluster(client, folder, monkeypatch):
    counts = collect_features(da.from_array(make((40, 40)), chunks=(7, 11, 5)), FEATURES)
    full_disk(monkeypatch, 5)
    with pytest.raises(OSError, match="Free space"):
        counts.store(lambda x: x.toarray())
    assert not list(folder.glob("clusterquant-*"))
