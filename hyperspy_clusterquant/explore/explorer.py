"""The explorer as users hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import check_choice, cluster_number
from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.explore.geometry import rectangle_of
from hyperspy_clusterquant.explore.session import AGAINST
from hyperspy_clusterquant.explore.view import View
from hyperspy_clusterquant.images import region_of_interest
from hyperspy_clusterquant.results.selection import SelectionVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from hyperspy_clusterquant.results.clusters import ClusterResult


@dataclass(frozen=True, eq=False)
class Selection(Frozen):
    """Pixels that were selected in the explorer.

    Attributes
    ----------
    mask : array of bool (map shape)
        True = selected.
    verdict : SelectionVerdict or None
        Whether they differ in composition from ``verdict.against``; None if nothing is selected.
    spectra : array (2, channels)
        Counts of the selection, and of what it is compared with, in the half of the counts that is
        drawn; the verdict is of the other one.
    energy : array (channels,)
        In keV.
    axes : tuple of dict
        Navigation axes of the map in array order.
    has_rois : bool
        Whether HyperSpy's ROIs cut pixels out of the map.
    """

    mask: np.ndarray
    verdict: SelectionVerdict | None
    spectra: np.ndarray
    energy: np.ndarray
    axes: tuple
    has_rois: bool = True

    def __repr__(self):
        if self.verdict is None:
            return "<Selection: no pixel>"
        return f"<Selection: {self.verdict!r}>"

    @property
    def n_pixels(self):
        """Number of selected pixels."""
        return int(np.count_nonzero(self.mask))

    @property
    def navigation_mask(self):
        """Mask that leaves out all but the selection: True = left out, array of bool."""
        return ~self.mask

    @property
    def roi(self):
        """The selection as a HyperSpy ROI; None where it is no full rectangle of the map.

        A ``RectangularROI``, or a ``SpanROI`` on a line scan, in the units of the map's axes. None
        also where these run downwards, of which HyperSpy's ROIs cut out nothing, or in unequal
        steps.
        """
        ends = rectangle_of(self.mask)
        if ends is None or not self.has_rois:
            return None
        pages, own = ends[:-2], ends[-2:]
        if pages != tuple((0, size) for size in self.mask.shape[:-2]):
            return None
        return region_of_interest(own, self.axes[-2:])


class ClusterExplorer:
    """A window in which clusters are looked at, edited and tested by eye, see
    `ClusteredEDSSpectrum.explore_clusters`.

    On the left is the map, beside it the plane among the scores in which the clusters lie apart
    best, below them spectra, on the right the clusters and the verdict. Everything that the mouse
    does can be called as well.

    - Move the mouse over map or scores: the pixel is marked in both, and its spectrum is drawn.
    - Draw a rectangle, a polygon (click its corners, the first one again or a double click closes
      it) or a lasso on the map or among the scores: the pixels light up in both, their spectrum is
      drawn beside that of the rest of their cluster, or of the map, with composition and verdict.
    - Tick clusters in the table; "new" makes a cluster of the selection, "add" gives it to the
      ticked cluster, "split" takes it out of the ticked cluster, "merge" and "drop" are of the
      ticked ones, "rename" gives the ticked one the name in the field above. The wheel of the mouse
      moves a long table.
    - Escape gives a drawing up. In a stack of maps, the keys , and . turn the pages.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        The window.
    """

    def __init__(self, session, lines, has_rois=True):
        self._session, self._has_rois = session, has_rois
        self._view = View(session, lines, self._act)
        self.figure = self._view.panels.figure
        # matplotlib forgets who listens to a window, if nobody else remembers.
        self.figure.explorer = self

    def __repr__(self):
        state = "" if self._view.is_open else ", closed"
        n_edits = len(self._session.editor.edits)
        n_pixels = int(np.count_nonzero(self._session.mask))
        return (
            f"<ClusterExplorer of {self._session.source.name!r}: {len(self._session.names)} "
            f"clusters, {n_edits} edits, {n_pixels} pixels selected{state}>"
        )

    # --- what comes out -------------------------------------------------------------------

    @property
    def result(self) -> ClusterResult:
        """The clusters as they are now, a `ClusterResult`.

        Its workflow is ``"by hand"`` if there were edits, which ``parameters`` lists in
        ``"history"``. Keep it with ``s.keep_clusters(explorer.result)``.
        """
        return self._session.result

    @property
    def selection(self) -> Selection:
        """What is selected, a `Selection` with mask, verdict, spectra and ROI."""
        session = self._session
        is_there = session.mask.any()
        n_channels = len(session.counts.pixels.energy)
        return Selection(
            session.mask.copy(),
            session.verdict(),
            session.spectra if is_there else np.zeros((2, n_channels)),
            session.counts.pixels.energy,
            session.source.axes,
            self._has_rois,
        )

    @property
    def history(self) -> list[dict]:
        """The edits so far, a list of dictionaries."""
        return self._session.history

    @property
    def cluster_names(self) -> tuple[str, ...]:
        """Names of the clusters as they are now, tuple of str, in the order of the table."""
        return tuple(self._session.names.values())

    def close(self) -> None:
        """Close the window. `result` and `selection` stay."""
        if self._view.is_open:
            self._view.close()

    # --- what goes in ---------------------------------------------------------------------

    def select(
        self, mask: np.ndarray, against: Literal["cluster", "rest"] | None = None
    ) -> Selection:
        """Select pixels, as drawing around them does.

        A mask that was made of all of the counts, such as from another result, has seen the half
        that tests it: its p-value is too small. One from a HAADF image has not.

        Parameters
        ----------
        mask : array of bool (map shape)
            True = selected. Pixels that are left out are not.
        against : {"cluster", "rest"}, optional
            What they are compared with: the rest of the cluster that most of them are in, or of the
            map. Default: as before.

        Returns
        -------
        Selection
        """
        if against is not None:
            check_choice("against", against, AGAINST)
        self._session.select(mask)
        if against is not None:
            self._view.choose(against)
        if self._view.is_open:
            self._view.show_selection()
        return self.selection

    def new_cluster(self, name: str | None = None) -> None:
        """Make a cluster of the selected pixels."""
        session = self._session
        self._edit(session.editor.new, session.mask, name, session.told())

    def add_to(self, cluster: int | str) -> None:
        """Give the selected pixels to a cluster, by its name or number in the table."""
        session = self._session
        self._edit(session.editor.add, session.mask, self._number(cluster), session.told())

    def split(self, cluster: int | str, name: str | None = None) -> None:
        """Make a cluster of those selected pixels that are in a cluster."""
        session = self._session
        number = self._number(cluster)
        self._edit(session.editor.split, session.mask, number, name, session.told())

    def merge(self, clusters: Iterable[int | str]) -> None:
        """Make one cluster of several; the name of the first stays."""
        self._edit(self._session.editor.merge, [self._number(cluster) for cluster in clusters])

    def rename(self, cluster: int | str, name: str) -> None:
        """Give a cluster another name."""
        self._edit(self._session.editor.rename, self._number(cluster), name)

    def drop(self, clusters: int | str | Iterable[int | str]) -> None:
        """Turn clusters into noise: their pixels are in none."""
        several = [clusters] if isinstance(clusters, int | str | np.integer) else clusters
        self._edit(self._session.editor.drop, [self._number(cluster) for cluster in several])

    def undo(self) -> None:
        """Take the last edit back."""
        self._edit(self._session.editor.undo)

    def redo(self) -> None:
        """Make the edit again that was taken back last."""
        self._edit(self._session.editor.redo)

    # --- inside ---------------------------------------------------------------------------

    def _number(self, cluster):
        """Number of a cluster that is given by its name or its place in the table."""
        names = self._session.names
        return list(names)[cluster_number(cluster, list(names.values()), "the explorer")]

    def _edit(self, edit, *told):
        edit(*told)
        if self._view.is_open:
            self._view.show_clusters()

    def _act(self, name, ticked):
        """Do what a button says with the ticked clusters."""
        editor, session = self._session.editor, self._session
        written = self._view.panels.name or None
        if name in ("undo", "redo"):
            self._edit(getattr(editor, name))
        elif name == "new":
            self._edit(editor.new, session.mask, written, session.told())
        elif name in ("merge", "drop"):
            self._edit(getattr(editor, name), tuple(ticked))
        elif len(ticked) != 1:
            raise ValueError(f"Tick one cluster in the table to {name}.")
        elif name == "rename":
            self._edit(editor.rename, ticked[0], written or "")
        elif name == "add":
            self._edit(editor.add, session.mask, ticked[0], session.told())
        else:
            self._edit(editor.split, session.mask, ticked[0], written, session.told())
        if name in ("new", "split", "rename"):
            self._view.panels.clear_name()
