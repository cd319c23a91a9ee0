"""How many threads linear algebra uses."""

from __future__ import annotations

import contextlib
import threading

from threadpoolctl import ThreadpoolController


class one_blas_thread(contextlib.ContextDecorator):
    """Linear algebra on one thread, as long as anybody in the process wants it.

    The matrices are small. More threads would wait for those that work on the blocks, or for other
    processes, several times as long as they work; and with one the sums are the same everywhere.
    """

    _lock = threading.Lock()
    _users = 0
    _controller = None
    _limit = None

    def __enter__(self):
        cls = type(self)
        with cls._lock:
            if cls._users == 0:
                if cls._controller is None:
                    cls._controller = ThreadpoolController()
                cls._limit = cls._controller.limit(limits=1, user_api="blas")
                cls._limit.__enter__()
            cls._users += 1

    def __exit__(self, *_):
        cls = type(self)
        with cls._lock:
            cls._users -= 1
            if cls._users == 0:
                cls._limit.__exit__(None, None, None)
