"""Edits of clusters, one after the other, that can be taken back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hyperspy_clusterquant.clusters.labels import MASKED, NOISE


@dataclass(frozen=True, eq=False)
class Edit:
    """One edit.

    Attributes
    ----------
    kind : {"new", "add", "split", "merge", "rename", "drop"}
    numbers : tuple of int
        Clusters that it is about: of a merger the first stays.
    name : str
        New name, where there is one.
    pixels : array of int or None
        Flat numbers of the pixels that get another cluster.
    told : dict
        What was known of the selection: pixels, verdict, p-value.
    """

    kind: str
    numbers: tuple
    name: str = ""
    pixels: np.ndarray | None = None
    told: dict = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Clusters:
    """Clusters that are edited. Numbers stay, so those of merged or dropped ones are missing.

    Attributes
    ----------
    labels : array of int (map shape)
        On all of the counts; -1 = noise, -2 = left out.
    drawn : array of int (map shape)
        On the half that is drawn, with the same numbers.
    names : dict of int: str
        Of the clusters that there are.
    """

    labels: np.ndarray
    drawn: np.ndarray
    names: dict

    def after(self, edit):
        """These clusters after an edit."""
        labels, drawn, names = self.labels.copy(), self.drawn.copy(), dict(self.names)
        first = edit.numbers[0]
        if edit.kind in ("new", "split", "add"):
            for image in (labels, drawn):
                image.flat[edit.pixels] = first
            if edit.kind != "add":
                names[first] = edit.name
            # All pixels of others may have been taken, in both.
            left = np.union1d(labels, drawn)
            names = {number: name for number, name in names.items() if number in left}
        elif edit.kind == "rename":
            names[first] = edit.name
        else:
            target = first if edit.kind == "merge" else NOISE
            gone = edit.numbers[1:] if edit.kind == "merge" else edit.numbers
            for image in (labels, drawn):
                image[np.isin(image, gone)] = target
            for number in gone:
                del names[number]
        return Clusters(labels, drawn, names)

    def memberships_after(self, memberships, edits):
        """Memberships (n_numbers, map shape) after edits: whole in what was drawn by hand."""
        memberships = memberships.copy()
        for edit in edits:
            flat = memberships.reshape(len(memberships), -1)
            if edit.pixels is not None:
                flat[:, edit.pixels] = 0.0
                flat[edit.numbers[0], edit.pixels] = 1.0
            elif edit.kind == "merge":
                flat[edit.numbers[0]] = np.minimum(flat[list(edit.numbers)].sum(axis=0), 1.0)
                flat[list(edit.numbers[1:])] = 0.0
            elif edit.kind == "drop":
                flat[list(edit.numbers)] = 0.0
        return memberships


class Editor:
    """Clusters, the edits that made them, and those that were taken back.

    Parameters
    ----------
    labels, drawn : array of int (map shape)
        See `Clusters`.
    names : sequence of str
        Of the clusters 0, 1, ...
    """

    def __init__(self, labels, drawn, names):
        self.start = Clusters(labels, drawn, dict(enumerate(names)))
        self.now = self.start
        self._n_numbers = len(names)
        self._done, self._undone = [], []

    @property
    def edits(self):
        """Edits made and not taken back, the oldest first."""
        return tuple(self._done)

    @property
    def n_numbers(self):
        """One more than the highest number a cluster ever had."""
        return self._n_numbers

    @property
    def can_undo(self):
        """Whether there is an edit to take back."""
        return bool(self._done)

    @property
    def can_redo(self):
        """Whether there is an edit that was taken back."""
        return bool(self._undone)

    def undo(self):
        """Take the last edit back."""
        if not self._done:
            raise ValueError("There is no edit to take back.")
        self._undone.append(self._done.pop())
        self.now = self.start
        for edit in self._done:
            self.now = self.now.after(edit)

    def redo(self):
        """Make the edit again that was taken back last."""
        if not self._undone:
            raise ValueError("No edit was taken back, or another was made since.")
        self._make(self._undone.pop())

    def new(self, mask, name=None, told=None):
        """Make a cluster of the pixels of a mask (map shape); its number is returned."""
        return self._separate("new", mask, name, told)

    def split(self, mask, number, name=None, told=None):
        """Make a cluster of the pixels of a mask that are in a cluster; its number is returned."""
        self._check(number)
        # Of what is drawn: labels of all counts know the half that tests it.
        drawn = self.now.drawn == number
        inside = mask & drawn
        if inside.sum() in (0, np.count_nonzero(drawn)):
            raise ValueError(f"All of {self.now.names[number]!r} is selected, or nothing of it.")
        return self._separate("split", inside, name, told)

    def add(self, mask, number, told=None):
        """Give the pixels of a mask to a cluster."""
        self._check(number)
        self._do(Edit("add", (number,), pixels=self._pixels(mask), told=told or {}))

    def merge(self, numbers):
        """Make one cluster of several; number and name are those of the first."""
        numbers = tuple(dict.fromkeys(numbers))
        if len(numbers) < 2:
            raise ValueError("Choose at least two clusters to merge.")
        self._check(*numbers)
        self._do(Edit("merge", numbers))

    def rename(self, number, name):
        """Give a cluster another name."""
        self._check(number)
        self._do(Edit("rename", (number,), self._free(name, besides=number)))

    def drop(self, numbers):
        """Turn clusters into noise."""
        self._check(*numbers)
        if not numbers:
            raise ValueError("Choose the clusters to drop.")
        self._do(Edit("drop", tuple(numbers)))

    # --- inside ---------------------------------------------------------------------------

    def _separate(self, kind, mask, name, told):
        number = self._n_numbers
        name = self._free(name or self._automatic_name())
        self._n_numbers += 1
        self._do(Edit(kind, (number,), name, self._pixels(mask), told or {}))
        return number

    def _automatic_name(self):
        names = self.now.names.values()
        tried = (f"selection {k}" for k in range(1, 2 + len(names)))
        return next(name for name in tried if name not in names)

    def _free(self, name, besides=None):
        name = str(name)
        others = [of for number, of in self.now.names.items() if number != besides]
        if not name or name in others:
            raise ValueError(f"There is a cluster {name!r} already." if name else "Give a name.")
        return name

    def _pixels(self, mask):
        pixels = np.flatnonzero(mask.ravel() & (self.now.labels.ravel() != MASKED))
        if not len(pixels):
            raise ValueError("No pixel is selected, or only such that are left out.")
        return pixels

    def _check(self, *numbers):
        missing = [number for number in numbers if number not in self.now.names]
        if missing:
            raise ValueError(
                f"There is no cluster {missing[0]!r}; there are "
                f"{', '.join(f'{k} ({name!r})' for k, name in self.now.names.items())}."
            )

    def _do(self, edit):
        self._make(edit)
        self._undone.clear()

    def _make(self, edit):
        self.now = self.now.after(edit)
        self._done.append(edit)
