"""Where tasks run: on threads of this process, or on the workers of a cluster."""

from __future__ import annotations

import contextlib
import sys
from concurrent.futures import CancelledError

import dask
from dask.callbacks import Callback
from dask.sizeof import sizeof

from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.counts.chunks import add_two
from hyperspy_clusterquant.counts.stores import FilesError, Store, Stored

#: Arrays of pixels that go to a cluster in one message.
MESSAGE_BYTES = 2**22


def active_runner():
    """The cluster whose client is active, or this process."""
    chosen = dask.config.get("scheduler", None)
    if "distributed" not in sys.modules or chosen not in (None, "dask.distributed", "distributed"):
        return Local(chosen)
    from distributed import default_client

    try:
        client = default_client()
    except ValueError:  # there is none
        return Local()
    if client.asynchronous:  # to wait for it would be to wait forever
        return Local("threads")
    if not client.nthreads():
        warn(
            "The active dask client has no workers, and the work waits for some. If they are "
            "gone, as after Ctrl-C in a terminal, make a new client or use "
            "dask.config.set(scheduler='threads')."
        )
    return Cluster(client)


def new_store(made_from=()):
    """Store of what is made from blocks, whose files go where dask has its temporary ones."""
    stored = [block for block in made_from if isinstance(block, Stored)]
    return Store(dask.config.get("temporary-directory", None), stored)


@contextlib.contextmanager
def _closed_if_full(store):
    """Remove the files of a store that cannot be filled; the error that is raised holds them."""
    try:
        yield
    except OSError:
        if store is not None:
            store.close()
        raise


#: Errors that say nothing of a chunk: no room for it, or work that is called off.
_NOT_OF_READING = (FilesError, MemoryError, CancelledError)
#: Schedulers of dask whose tasks share the memory of this process.
_IN_PROCESS = (None, "threads", "threading", "sync", "synchronous", "single-threaded")


class Local:
    """Tasks in this process, on threads unless dask is told otherwise."""

    def __init__(self, scheduler=None):
        self._scheduler = scheduler
        self._done = set()

    def send(self, values):
        """Values as arguments of tasks."""
        return [dask.delayed(value, traverse=False, pure=False) for value in values]

    def persist(self, tasks, watched=(), advance=None, made_from=()):
        """Do tasks and keep what they give; who works on that later."""
        kept = self.run(tasks, advance, watched, store=new_store(made_from))
        return kept, self if self._scheduler in _IN_PROCESS else Local()

    def run(self, tasks, advance=None, watched=(), store=None):
        """What tasks give, and the share of the watched ones that is done on the way."""
        in_process = self._scheduler in _IN_PROCESS
        if store is not None and in_process:
            tasks = [dask.delayed(store.put)(task) for task in tasks]
        advances = _Advance(advance, watched)
        self._done = advances.done
        with _closed_if_full(store), advances, one_blas_thread():
            found = dask.compute(*tasks, scheduler=self._scheduler or "threads")
            return list(found if store is None or in_process else map(store.put, found))

    def first_unread(self, chunks, leaves, error):
        """Number of the first chunk that cannot be read, and its error; None if all can.

        After an error of the leaves, the first work on each chunk, of which those that were done
        are not done again.
        """
        if isinstance(error, _NOT_OF_READING):
            return None
        done = self._done
        for number, leaf in enumerate(leaves):
            if leaf.key not in done and self._error_of(leaf) is not None:
                unread = self._error_of(chunks[number])
                return None if unread is None else (number, unread)
        return None

    def _error_of(self, task):
        try:
            dask.compute(task, scheduler=self._scheduler or "threads")
        except Exception as error:
            return error


class Cluster:
    """Tasks on the workers of dask.distributed."""

    def __init__(self, client):
        self._client = client

    def send(self, values):
        """Values as tasks of their own, in messages of a bearable size.

        A worker that is lost takes them along; the scheduler can make them once more.
        """
        sent, message, n_bytes = [], [], 0
        for value in values:
            message.append(dask.delayed(_itself)(dask.delayed(value, traverse=False, pure=False)))
            n_bytes += sizeof(value)
            if n_bytes > MESSAGE_BYTES:
                sent += self._client.persist(message)
                message, n_bytes = [], 0
        return sent + (self._client.persist(message) if message else [])

    def persist(self, tasks, watched=(), advance=None, made_from=()):
        """Do tasks and keep on the workers what they give; who works on that later."""
        from distributed import futures_of

        markers = _markers(watched, advance)
        kept = self._client.persist([*tasks, *markers])
        self._wait(futures_of(kept), {marker.key for marker in markers}, advance)
        return kept[: len(tasks)], self

    def run(self, tasks, advance=None, watched=(), store=None):
        """What tasks give, and the share of the watched ones that is done on the way."""
        markers = _markers(watched, advance)
        futures = self._client.compute([*tasks, *markers])
        numbers = {task.key: number for number, task in enumerate(tasks)}
        found = [None] * len(tasks)

        def take(future):
            value = future.result()
            found[numbers[future.key]] = value if store is None else store.put(value)

        with _closed_if_full(store):
            self._wait(futures, {marker.key for marker in markers}, advance, take)
        return found

    def first_unread(self, chunks, leaves, error):
        """Number of the first chunk that cannot be read, and its error; None if all can.

        After an error of the leaves, the first work on each chunk; one by one would take too long.
        """
        from distributed import as_completed

        lost = type(error).__module__.partition(".")[0] == "distributed"  # a worker, or all
        if lost or isinstance(error, _NOT_OF_READING):
            return None
        futures = self._client.compute([dask.delayed(_nothing)(leaf) for leaf in leaves])
        waiting = as_completed(futures)
        failed = next((future for future in waiting if future.status == "error"), None)
        waiting.clear()
        number = None if failed is None else futures.index(failed)
        for future in futures:  # the scheduler gives up what nobody wants
            future.release()
        if failed is None:
            return None
        unread = self._client.compute(chunks[number]).exception()
        return None if unread is None else (number, unread)

    def _wait(self, futures, markers, advance, take=None):
        """Wait for futures; the first error is raised, and what is left is called off."""
        from distributed import as_completed

        pending = {future.key: future for future in futures}
        waiting = as_completed(futures)
        futures.clear()  # what was taken need not stay on the workers
        n_done = 0
        try:
            for future in waiting:
                pending.pop(future.key)
                if future.status != "finished":
                    future.result()  # raises its error, or waits if it has been lost
                if future.key in markers:
                    n_done += 1
                    advance(n_done / len(markers))
                elif take is not None:
                    take(future)
        except BaseException:
            # The traceback may live on; what nobody wants, the scheduler gives up.
            for future in pending.values():
                future.release()
            waiting.clear()
            raise


def _markers(watched, advance):
    """Small tasks that are done when others are, whose results need not be kept for that."""
    return [dask.delayed(_nothing)(task) for task in watched] if advance is not None else []


def _itself(value):
    return value


def _nothing(_):
    return None


def tree(tasks):
    """Sum by halves, the same whatever is done first."""
    add = dask.delayed(add_two)
    while len(tasks) > 1:
        pairs = zip(tasks[::2], tasks[1::2], strict=False)
        tasks = [add(*pair) for pair in pairs] + tasks[len(tasks) // 2 * 2 :]
    return tasks[0]


class _Advance(Callback):
    """Reports the share of some tasks that are done.

    Attributes
    ----------
    done : set
        Their keys.
    """

    def __init__(self, advance, watched):
        super().__init__(posttask=self._take)
        self._advance = advance
        self._keys = {task.key for task in watched}
        self.done = set()

    def _take(self, key, *_):
        if key in self._keys:
            self.done.add(key)
            if self._advance is not None:
                self._advance(len(self.done) / len(self._keys))
