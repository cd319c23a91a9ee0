"""A disk that has no room: what users are told, and what is left."""

import contextlib
import errno
import os
import re
import tempfile
import weakref

import hyperspy.api as hs
import joblib
import numpy as np
import pytest
from planted import blobs

from hyperspy_clusterquant.clusters.density import density_clusters

resource = pytest.importorskip("resource", reason="files are not limited on Windows")
QUICK = {"quantification": False, "homogeneity": False, "line_maps": False}
FULL = rf"\({os.strerror(errno.EFBIG)}\)\. .*Free space there, or give a place on another disk\."


@contextlib.contextmanager
def room_for(n_bytes):
    """No file may grow beyond this: the system refuses the rest, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.filterwarnings("ignore:Unable to")  # of joblib, which has no room either
def test_trees_of_hdbscan(rng, tmp_path, monkeypatch):
    # Where joblib has written the code of a function before, it only warns, and keeps nothing.
    monkeypatch.setattr(joblib.memory, "_FUNCTION_HASHES", weakref.WeakKeyDictionary())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    points, _ = blobs(rng, [[0, 0], [20, 0]])
    told = rf"trees .*in {re.escape(str(tmp_path))} \(.*Free space there.*TMPDIR"
    with room_for(0), pytest.raises(OSError, match=told) as raised:
        density_clusters(points, points, 50, None, "eom", 0.0)
    assert raised.value.errno == errno.EFBIG
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("old", [True, False])
def test_a_report(clustered, tmp_path, old):
    path = tmp_path / "a.html"
    if old:
        path.write_text("old")
    before = files_in(tmp_path)
    with (
        room_for(10_000),
        pytest.raises(OSError, match=rf"The report .*a\.html' {FULL}") as raised,
    ):
        clustered.cluster_report(path, overwrite=True, **QUICK)
    assert raised.value.errno == raised.value.__cause__.errno == errno.EFBIG
    assert "Nothing of it is left" in str(raised.value)
    assert files_in(tmp_path) == before
    clustered.cluster_report(path, overwrite=True, **QUICK)
    assert len(path.read_bytes()) > 10_000


def test_an_export(clustered, tmp_path):
    """Wherever in it the disk is full: from the first file on, or before the largest one's end."""
    folder = tmp_path / "clusters"
    clustered.export_clusters(None, folder, **QUICK)
    before = files_in(tmp_path)
    largest = max(map(len, before.values()))
    for n_bytes in (0, largest - 1):
        for name in ("clusters", "new"):
            with (
                room_for(n_bytes),
                pytest.raises(OSError, match=rf"The export .*{name}' {FULL}") as raised,
            ):
                clustered.export_clusters(None, tmp_path / name, overwrite=True, **QUICK)
            assert raised.value.errno == errno.EFBIG
            assert files_in(tmp_path) == before
            assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("name", ["map.zspy", "map.msa"])
def test_a_map_that_is_saved(clustered, tmp_path, name, lazy):
    """Not .hspy: on a full disk, HDF5 may end the process, or say what it says on its own."""
    signal = clustered.as_lazy() if lazy else clustered
    saved = signal.sum() if name == "map.msa" else signal
    meta = saved.metadata.as_dictionary()
    with (
        room_for(1000),
        pytest.raises(OSError, match=rf"The map .*{name}' {FULL}") as raised,
    ):
        saved.save(tmp_path / name, overwrite=True)
    assert raised.value.errno == errno.EFBIG
    assert "incomplete: delete it" in str(raised.value)
    assert saved.metadata.as_dictionary().keys() == meta.keys()
    assert not saved.tmp_parameters.has_item("filename")
    if name == "map.zspy":
        signal.save(tmp_path / name, overwrite=True)
        found = hs.load(tmp_path / name)
        assert np.array_equal(found.data, clustered.data)
        assert np.array_equal(
            found.clusters["pca_gmm"].labels, clustered.clusters["pca_gmm"].labels
        )
