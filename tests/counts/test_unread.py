"""Chunks that cannot be read, of the files that HyperSpy writes and of others."""

import errno
import os
import time
from pathlib import Path

import dask.array as da
import h5py
import numpy as np
import pytest
import zarr
from planted import FEATURES, expected_features, features_of, make

from hyperspy_clusterquant.counts.passes import (
    collect_features,
    combine_map,
    masked_pixels,
    sum_weighted,
)
from hyperspy_clusterquant.counts.unread import chunk_names, files_of

#: In each of four chunks of the map 24 x 20, and three of the energies.
CHUNKS = (12, 10, 5)


class DiskError(Exception):
    """Something of the reader's own."""


def use(data):
    """Every way to read a map, by name."""
    shape, channels = data.shape[:-1], data.shape[-1]
    return {
        "features": lambda: collect_features(data, FEATURES),
        "sums": lambda: sum_weighted(data, np.ones((2, np.prod(shape)))),
        "maps": lambda: combine_map(data, np.ones((2, channels))),
    }


def written(path, data):
    """A map in a file, as a lazy signal has it."""
    if path.suffix == ".hdf5":
        with h5py.File(path, "w") as file:
            file.create_dataset("data", data=data, chunks=CHUNKS, compression="gzip")
        return da.from_array(h5py.File(path)["data"], chunks=CHUNKS)
    group = zarr.open_group(str(path), mode="w")
    made = group.create_dataset("data", shape=data.shape, chunks=CHUNKS, dtype=data.dtype)
    made[:] = data
    return da.from_array(zarr.open_group(str(path), mode="r")["data"], chunks=CHUNKS)


@pytest.mark.parametrize("way", ["features", "sums", "maps"])
def test_a_damaged_chunk_of_a_zarr_file_is_named(tmp_path, way):
    path = tmp_path / "map.zspy"
    data = written(path, make((24, 20)))
    (chunk,) = path.glob("data/**/1.0.1")
    chunk.write_bytes(b"not what was written")
    with pytest.raises(OSError, match="cannot be read") as raised:
        use(data)[way]()
    said = str(raised.value)
    assert f"chunk s.inav[0:10, 12:24] in channels 5 to 9 of {path} cannot be read" in said
    assert f"({type(raised.value.__cause__).__name__}: " in said
    assert str(raised.value.__cause__) in said
    assert "copy it anew" in said


def test_what_is_left_of_the_map_can_be_read(tmp_path):
    """As the message advises."""
    counts = make((24, 20))
    data = written(tmp_path / "map.zspy", counts)
    (chunk,) = tmp_path.glob("map.zspy/data/**/1.0.1")
    chunk.write_bytes(b"")
    assert np.array_equal(features_of(data[:12]), expected_features(counts[:12]))
    assert np.array_equal(features_of(data[:, 10:]), expected_features(counts[:, 10:]))


def test_a_file_that_was_cut_short_is_named(tmp_path):
    path = tmp_path / "map.hdf5"
    data = written(path, make((24, 20)))
    os.truncate(path, path.stat().st_size * 2 // 3)
    with pytest.raises(OSError, match=r"chunk s\.inav\[.*map\.hdf5 cannot be read \(OSError: "):
        collect_features(data, FEATURES)


def failing(place, error):
    """A map whose chunk at a place fails."""

    def fail(block, block_info=None):
        if block_info[0]["chunk-location"] == place:
            raise error
        return block

    data = da.from_array(make((24, 20)), chunks=(12, 10, 12))
    return data.map_blocks(fail, dtype=data.dtype, meta=np.empty((0, 0, 0), data.dtype))


@pytest.mark.parametrize("way", ["features", "sums", "maps"])
def test_an_error_of_any_reader_is_named_and_chained(way):
    """Of a map that is in one piece along the energies, the pixels are said alone."""
    with pytest.raises(OSError, match=r"chunk s\.inav\[10:20, 0:12\] cannot") as raised:
        use(failing((0, 1, 0), DiskError("sector 17")))[way]()
    assert "(DiskError: sector 17)" in str(raised.value)
    assert isinstance(raised.value.__cause__, DiskError)


def test_an_error_without_words():
    with pytest.raises(OSError, match=r"cannot be read \(DiskError\)\."):
        collect_features(failing((0, 0, 0), DiskError()), FEATURES)


def test_an_unread_chunk_of_a_masked_array_is_named():
    data = failing((1, 1, 0), DiskError("sector 17"))
    data = data.map_blocks(np.ma.masked_less, 0, meta=np.ma.empty((0, 0, 0), data.dtype))
    with pytest.raises(OSError, match=r"chunk s\.inav\[10:20, 12:24\] cannot"):
        masked_pixels(data)


def negative(read):
    """A map that holds no counts, and what to call with each of its chunks that is read."""
    values = da.zeros((64, 64, 12), chunks=(8, 8, 12)) - 1.0
    return values.map_blocks(read, dtype=float, meta=values._meta)


def test_other_errors_stay_what_they_are():
    """Counts that are none were read; and of a lack of memory no chunk is guilty."""
    read = []
    with pytest.raises(ValueError, match="negative values"):
        collect_features(negative(lambda block: read.append(1) or block), FEATURES)
    assert 0 < len(read) < 32  # the first one tells: not all are read for that
    with pytest.raises(MemoryError, match="8 GB"):
        collect_features(failing((0, 1, 0), MemoryError("8 GB")), FEATURES)


def test_ctrl_c_while_a_chunk_is_read_is_no_fault_of_the_chunk():
    with pytest.raises(KeyboardInterrupt):
        collect_features(failing((0, 1, 0), KeyboardInterrupt()), FEATURES)


def test_a_full_disk_is_no_fault_of_the_chunks(monkeypatch):
    """None is read once more for that."""
    monkeypatch.setattr("hyperspy_clusterquant.counts.stores.MEMORY_BYTES", 0)
    read = []

    def full(path, *arrays):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    data = da.from_array(make((24, 20)), chunks=CHUNKS)
    data = data.map_blocks(lambda b: read.append(1) or b, dtype=data.dtype, meta=data._meta)
    with pytest.raises(OSError, match=r"could not be kept in temporary files"):
        collect_features(data, FEATURES)
    assert len(read) <= data.npartitions


def test_names_and_files():
    places = [(slice(3, 8),)]
    assert chunk_names(places, [" a", " b"]) == ["s.inav[3:8] a", "s.inav[3:8] b"]
    assert files_of(da.zeros((4, 4), chunks=2).dask) == []

    class Held:
        def __init__(self, **known):
            self.__dict__.update(known)

    graph = {
        "zarr 3": Held(store=Held(root=Path("a.zspy"))),
        "wrapped": Held(value=Held(store=Held(path="b.zspy"))),
        "twice": Held(file=Held(filename="c.hspy")),
        "again": Held(file=Held(filename="c.hspy")),
        "in memory": np.zeros(3),
    }
    assert files_of(graph) == ["a.zspy", "b.zspy", "c.hspy"]


def test_on_a_cluster(client):
    with pytest.raises(OSError, match=r"chunk s\.inav\[10:20, 0:12\] cannot.*sector 17"):
        collect_features(failing((0, 1, 0), DiskError("sector 17")), FEATURES)
    with pytest.raises(ValueError, match="negative values"):
        collect_features(negative(lambda block: block), FEATURES)
    until = time.monotonic() + 5
    while any(client.processing().values()):
        assert time.monotonic() < until, "the cluster works on for nobody"
        time.sleep(0.05)
