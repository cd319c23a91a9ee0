"""The half of a map's counts that was looked at, and what was tested in the other one.

A map has one such half for good, whatever the result that is explored and its pixels: of any other
half, some counts were seen. It is kept with the map, ``metadata.Clusters.half``, and in its files.
"""

from __future__ import annotations

import json
from dataclasses import replace

from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.counts.packed import column_sums
from hyperspy_clusterquant.evidence.selections import Asked
from hyperspy_clusterquant.signals.storage import HALF, NODE

#: Tag of the random numbers that split counts, so that they are no others' numbers.
STREAM = 7


class HalfOfMap(Asked):
    """What is remembered of the half of a map's counts that was looked at.

    Parameters
    ----------
    signal : ClusteredEDSSpectrum
        The map.
    """

    def __init__(self, signal):
        self._signal = signal

    @property
    def known(self):
        """Seed, sum of its counts, and what was tested, as a dictionary; None if there is none."""
        told = self._signal.metadata.get_item(f"{NODE}.{HALF}", None)
        return None if told is None else json.loads(told)

    def read(self):
        """See `Asked.read`."""
        return [] if self.known is None else self.known["asked"]

    def write(self, known):
        """See `Asked.write`."""
        self._write({**self.known, "asked": known})

    def _write(self, told):
        self._signal.metadata.set_item(f"{NODE}.{HALF}", json.dumps(told))

    def seed(self, recipe, random_state):
        """Seed of the half: that of the map, of what was drawn on one, or of `random_state`.

        Raises
        ------
        ValueError
            If another half was looked at.
        """
        drawn_on, known = getattr(recipe, "half_seed", None), self.known
        before = drawn_on if known is None else known["seed"]
        if before is None:
            return [random_state or 0, STREAM, 0]
        if known is not None and drawn_on is not None and list(drawn_on) != known["seed"]:
            raise ValueError(
                "The regions were drawn on another half of the counts than the one that was "
                "explored on this map, so that no counts are left that nobody has looked at. Draw "
                "them again, s.explore_clusters() of a result that was not drawn in the explorer."
            )
        if random_state not in (None, before[0]):
            raise ValueError(
                f"This map was explored with random_state={before[0]}: you have seen the half of "
                f"the counts that random_state={random_state} would test with. Leave out "
                "`random_state`, and the same half is drawn again. Counts that you have not seen "
                "are only in another map."
            )
        return list(before)

    def look(self, seed, half, recipe):
        """Remember that a half of the counts is looked at.

        Parameters
        ----------
        seed : sequence of int
        half : PixelCounts
            Of all pixels of the map.
        recipe : Recipe
            Of what is explored.
        """
        check_half(half, recipe)
        known, counts = self.known, counts_in(half)
        if known is not None and known["counts"] != counts:
            warn(
                "Part of these counts, or of those they were made from, was explored before, in "
                "another half: the verdicts hold only for what you did not see then."
            )
        self._write({"seed": list(seed), "counts": counts, "asked": self.read()})
        self.at_least(recipe.chosen.get("selections_tested", 0))


def half_of(pixels, seed):
    """One half of counts, PixelCounts; of a whole map, that which is explored."""
    return replace(pixels, blocks=pixels.blocks.thinned(seed))


def without(pixels, mask):
    """Counts of the pixels that a mask (map shape, True = left out) leaves."""
    keep = pixels.keep & ~mask
    totals = pixels.totals[keep[pixels.keep]]
    return replace(pixels, keep=keep, blocks=pixels.blocks.only(keep=keep.ravel()), totals=totals)


def counts_in(pixels):
    """Sum of all counts, int."""
    return int(pixels.blocks.sum(column_sums).sum())


def check_half(half, recipe):
    """Raise a ValueError if the half that regions were drawn on is none of these counts.

    `half` is the half of the whole map with the seed of the regions.
    """
    known = recipe.chosen.get("half_counts")
    if known is None or getattr(recipe, "half_seed", None) is None:
        return
    found = counts_in(half)
    if found != known:
        raise ValueError(
            "The regions were drawn on one half of the counts of a map, and are tested in the "
            f"other; but these are other counts (half of them are {found}, it were {known}). Use "
            "them with the map as it was, before energies were cropped or counts changed."
        )
