"""Counts of selections in two halves, of which one is looked at."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from hyperspy_clusterquant.counts.packed import column_sums

#: Sums of so many selections and clusters are kept.
MOST_KNOWN = 64


class Halves:
    """Counts of selections in the half that is looked at, and in the other one.

    Parameters
    ----------
    pixels : PixelCounts
        All counts.
    half : PixelCounts or None
        Those that are looked at; None: all, which leaves none to test.
    """

    def __init__(self, pixels, half):
        self.pixels, self.half = pixels, half
        self._known = {}

    @property
    def looked_at(self):
        """Counts that are looked at, PixelCounts."""
        return self.pixels if self.half is None else self.half

    @cached_property
    def _totals(self):
        return self._summed(np.ones(self.pixels.keep.shape, dtype=bool))

    def sums(self, mask):
        """Counts of the pixels of a mask (map shape) in both halves, array (2, channels).

        Without halves, all counts twice.
        """
        kept = mask & self.pixels.keep
        key = kept.tobytes()
        if key not in self._known:
            while len(self._known) >= MOST_KNOWN:
                self._known.pop(next(iter(self._known)))
            # Of many pixels, it is faster to sum the others.
            if 2 * kept.sum() > self.pixels.keep.sum():
                self._known[key] = self._totals - self._summed(~mask)
            else:
                self._known[key] = self._summed(kept)
        return self._known[key]

    def pixel(self, flat):
        """Counts of one pixel that are looked at, array (channels,)."""
        own = np.zeros(self.pixels.keep.size, dtype=bool)
        own[flat] = self.pixels.keep.flat[flat]
        return _sum(self.looked_at, own)

    def _summed(self, mask):
        own = (mask & self.pixels.keep).ravel()
        looked_at = _sum(self.looked_at, own)
        if self.half is None:
            return np.array([looked_at, looked_at])
        return np.array([looked_at, _sum(self.pixels, own) - looked_at])


def _sum(pixels, own):
    """Counts (channels,) of some pixels, array of bool (pixels of the map,)."""
    if not own.any():
        return np.zeros(len(pixels.energy))
    return pixels.on_channels(pixels.blocks.only(keep=own).sum(column_sums))
