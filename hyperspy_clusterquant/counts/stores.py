"""What is known of all pixels, kept in memory or in temporary files."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import numpy as np

from hyperspy_clusterquant.counts.packed import PackedCounts

#: Arrays beyond this are kept in files.
MEMORY_BYTES = 2**28


class Store:
    """Arrays in memory up to `MEMORY_BYTES`, and then in files that live as long as they do.

    Parameters
    ----------
    folder : str, optional
        Where to make the files; made if it does not exist. Default: where the system has its
        temporary files.
    """

    def __init__(self, folder=None):
        self._lock = threading.Lock()
        self._in_memory = 0
        self._parent = folder
        if folder is not None:  # at once, and not when the work is half done
            Path(folder).mkdir(parents=True, exist_ok=True)
        self._folder = None
        self._n_files = 0

    def put(self, kept):
        """Keep an array or `PackedCounts`."""
        arrays = kept.arrays if isinstance(kept, PackedCounts) else (kept,)
        n_bytes = sum(array.nbytes for array in arrays)
        n_features = kept.n_features if isinstance(kept, PackedCounts) else None
        with self._lock:
            if self._in_memory + n_bytes <= MEMORY_BYTES:
                self._in_memory += n_bytes
                return Stored(self, arrays, n_features)
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="clusterquant-", dir=self._parent)
            self._n_files += 1
            path = Path(self._folder.name, f"{self._n_files}.npz")
        np.savez(path, *arrays)
        return Stored(self, path, n_features)


class Stored:
    """Handle of what a `Store` keeps."""

    def __init__(self, store, where, n_features):
        self._store = store  # its files are deleted with it
        self._where = where
        self._n_features = n_features

    def load(self):
        """What was kept."""
        arrays = self._where
        if isinstance(arrays, Path):
            with np.load(arrays) as file:
                arrays = [file[name] for name in file.files]
        return arrays[0] if self._n_features is None else PackedCounts(self._n_features, *arrays)


class StoredArrays:
    """Sequence of stored arrays, loaded when they are asked for."""

    def __init__(self, stored):
        self._stored = stored

    def __len__(self):
        return len(self._stored)

    def __getitem__(self, number):
        return self._stored[number].load()
