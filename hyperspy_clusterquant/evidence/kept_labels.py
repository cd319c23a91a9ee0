"""Labels that were found in halves of the counts, kept as long as the session lasts.

Significance and stability learn the same clusters again on the same halves; who asks for both, or
for more halves, does not wait twice.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections import OrderedDict

import numpy as np

from hyperspy_clusterquant.counts.packed import column_sums, row_sums

#: Bytes of labels that are kept: twenty halves of a million pixels.
MOST_BYTES = 80_000_000


class KeptLabels:
    """Labels by what they were found from, the least recently used ones given up first.

    Parameters
    ----------
    most_bytes : int
        Of all of them together.
    """

    def __init__(self, most_bytes=MOST_BYTES):
        self._most_bytes = most_bytes
        self._labels = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key, make):
        """The labels of a key, which are made if they are not there; never those that are kept.

        Parameters
        ----------
        key : hashable
        make : callable
            Gives them, array of int.
        """
        with self._lock:
            known = self._labels.get(key)
            if known is not None:
                self._labels.move_to_end(key)
                return known.astype(np.int64)
        labels = make()
        kept = labels.astype(np.int32)
        if kept.nbytes <= self._most_bytes:
            with self._lock:
                self._labels[key] = kept
                while sum(each.nbytes for each in self._labels.values()) > self._most_bytes:
                    self._labels.popitem(last=False)
        return labels


def key_of(counts, recipe):
    """What labels depend on, as a digest.

    Of the counts, it takes the sums of pixels and those of channels: halves that agree in all of
    them are the same, for all that chance can do.

    Parameters
    ----------
    counts : PixelCounts
    recipe : Recipe

    Returns
    -------
    bytes
    """
    digest = hashlib.blake2b(pickle.dumps((type(recipe).__name__, recipe)))
    sums = np.concatenate(counts.blocks.map(row_sums)), counts.blocks.sum(column_sums)
    for array in (counts.keep, counts.channels, counts.energy, *sums):
        digest.update(np.array(array.shape).tobytes() + np.ascontiguousarray(array).tobytes())
    return digest.digest()
