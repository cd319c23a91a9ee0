"""What is known of all pixels, kept in memory or in temporary files."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import weakref
from contextvars import ContextVar
from pathlib import Path

import numpy as np

from hyperspy_clusterquant.counts.packed import PackedCounts

#: Arrays beyond this are kept in files.
MEMORY_BYTES = 2**28


#: Stores that were made in the call that is at work.
_MADE = ContextVar("made", default=None)


@contextlib.contextmanager
def files_gone_if_left():
    """Remove the files of what is made within, if that is left by an error or by Ctrl-C.

    They would go with their arrays, but a traceback holds these, and a notebook holds the
    traceback until the next error.
    """
    made, around = weakref.WeakSet(), _MADE.get()
    token = _MADE.set(made)
    try:
        yield
    except BaseException:  # Ctrl-C as well; it is raised again
        for store in made:
            store.remove_files()
        raise
    finally:
        _MADE.reset(token)
        if around is not None:  # what a call returns to another one is of that as well
            around.update(made)


class FilesError(OSError):
    """What does not fit into memory cannot be kept in files."""


class Store:
    """Arrays in memory up to `MEMORY_BYTES`, and then in files that live as long as they do.

    Parameters
    ----------
    folder : str, optional
        Where to make the files; made if it does not exist. Default: where the system has its
        temporary files.
    made_from : iterable of Stored
        What the arrays are made from.
    """

    def __init__(self, folder=None, made_from=()):
        self._lock = threading.Lock()
        self._sources = weakref.WeakSet(stored.store for stored in made_from)
        self._in_memory = 0
        self._parent = folder
        if folder is not None:  # at once, and not when the work is half done
            Path(folder).mkdir(parents=True, exist_ok=True)
        self._folder = None
        self._n_files = 0
        self._is_closed = False
        if (made := _MADE.get()) is not None:
            made.add(self)

    def put(self, kept):
        """Keep an array or `PackedCounts`."""
        arrays = kept.arrays if isinstance(kept, PackedCounts) else (kept,)
        n_bytes = sum(array.nbytes for array in arrays)
        n_features = kept.n_features if isinstance(kept, PackedCounts) else None
        with self._lock:
            if self._in_memory + n_bytes <= MEMORY_BYTES:
                self._in_memory += n_bytes
                return Stored(self, arrays, n_features, len(kept))
            return Stored(self, self._write(arrays), n_features, len(kept))

    def _write(self, arrays):
        """Path of a new file with some arrays."""
        if self._is_closed:
            raise FilesError("The files are removed already.")
        try:
            if self._folder is None:
                self._folder = tempfile.mkdtemp(prefix="clusterquant-", dir=self._parent)
                self._remove = weakref.finalize(self, _remove_folder, self._folder)
            self._n_files += 1
            path = Path(self._folder, f"{self._n_files}.npz")
            np.savez(path, *arrays)
        except OSError as error:
            raise FilesError(
                error.errno,
                "What does not fit into memory could not be kept in temporary files in "
                f"{self._parent or tempfile.gettempdir()} ({error.strerror or error}). Free space "
                'there, or choose another folder: dask.config.set({"temporary-directory": ...})',
            ) from error
        return path

    def close(self):
        """Remove the files at once, also those of what the arrays are made from."""
        self.remove_files()
        for store in self._sources:
            store.close()

    def remove_files(self):
        """Remove the files at once; none are written any more."""
        with self._lock:  # and not while somebody writes
            self._is_closed = True
            if self._folder is not None:
                self._remove()


def _remove_folder(folder):
    """Remove a folder, all of it, also if Ctrl-C comes meanwhile."""
    try:
        # What cannot be removed hides no error, as that of a full disk.
        shutil.rmtree(folder, ignore_errors=True)
    except BaseException:  # it is raised again
        shutil.rmtree(folder, ignore_errors=True)
        raise


class Stored:
    """Handle of what a `Store` keeps."""

    def __init__(self, store, where, n_features, length):
        self.store = store  # its files are deleted with it
        self._where = where
        self._n_features = n_features
        self._length = length

    def __len__(self):
        return self._length

    def load(self):
        """What was kept."""
        arrays = self._where
        if isinstance(arrays, Path):
            with np.load(arrays) as file:
                arrays = [file[name] for name in file.files]
        return arrays[0] if self._n_features is None else PackedCounts(self._n_features, *arrays)


class StoredArrays:
    """Sequence of stored arrays, loaded when they are asked for.

    Attributes
    ----------
    lengths : array of int
        Of the arrays, none of which is loaded for that.
    """

    def __init__(self, stored):
        self._stored = stored
        self.lengths = np.array([len(array) for array in stored], dtype=int)

    def __len__(self):
        return len(self._stored)

    def __getitem__(self, number):
        return self._stored[number].load()
