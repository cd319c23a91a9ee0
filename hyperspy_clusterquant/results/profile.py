"""Composition along a line, as users hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant._text import Told
from hyperspy_clusterquant.plotting import plot_profile
from hyperspy_clusterquant.results.composition_text import number_with_std
from hyperspy_clusterquant.xrays.kfactors import KFactors

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Interface(Frozen):
    """An interface that a line crosses, with its widths from 10 to 90 % of the change.

    Attributes
    ----------
    position, position_std : float
        Along the line.
    width, width_std : float
        Of an error function fitted to the composition; NaN where that could not be fitted.
    blur_width : float
        That of a sharp interface, from the blur of the beam; NaN if that is not known.
    intrinsic_width, intrinsic_std : float
        What is left of the width without the blur; 0 if the blur explains it all, and then the
        standard deviation says how wide it may be all the same.
    element : str
        Element it was fitted to, which differs most significantly.
    from_name, to_name : str
        Clusters before and after it.
    """

    position: float
    position_std: float
    width: float
    width_std: float
    blur_width: float
    intrinsic_width: float
    intrinsic_std: float
    element: str
    from_name: str
    to_name: str


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CompositionProfile(Told, Frozen):
    """Composition along a line, with standard deviations from the counts.

    Attributes
    ----------
    distance : array (n,)
        From the beginning of the line, in `unit`: the mean of the pixels of each step. Steps
        without pixels are left out.
    elements, xray_lines : tuple of str
    atomic_percent, std : array (n, n_elements)
        What the pixels of each step hold, in at%. It may lie a little below 0, as counts scatter;
        NaN where there is too little of all elements.
    pixels : array of int (n,)
        Pixels of each step.
    counts : array (n,)
        All counts of each step.
    deblurred, deblurred_std : array (n, n_elements) or None
        The same with the blur of the beam taken out as far as the counts allow it. The standard
        deviation is that of the counts: sharp corners stay rounded, or are overshot, by more.
        None if the blur is not known.
    blur, blur_std : float
        Gaussian sigma of the beam in `unit`, as the labels of the whole map tell it: where all
        interfaces are graded, their widths are in it. NaN if it is not known.
    unit : str
    interfaces : tuple of Interface
        Where the cluster of most pixels of a step changes, and both last for at least three steps.
    kfactors : KFactors
        By weight. Their uncertainties are not in the standard deviations: they change the whole
        profile alike.
    line : tuple of float
        Ends of the line: (x1, y1, x2, y2), or (start, end) on a line scan.
    width, step : float
        Across the line (NaN on a line scan) and along it, in `unit`.
    """

    distance: np.ndarray
    elements: tuple
    xray_lines: tuple
    atomic_percent: np.ndarray
    std: np.ndarray
    pixels: np.ndarray
    counts: np.ndarray
    deblurred: np.ndarray | None = None
    deblurred_std: np.ndarray | None = None
    blur: float = np.nan
    blur_std: float = np.nan
    unit: str = ""
    interfaces: tuple = ()
    kfactors: KFactors
    line: tuple = ()
    width: float = np.nan
    step: float = np.nan

    def to_dataframe(self) -> pd.DataFrame:
        """One row for each step, as a `pandas.DataFrame` with the distance as its index."""
        import pandas as pd

        columns = {"pixels": self.pixels, "counts": self.counts}
        for n, element in enumerate(self.elements):
            columns[f"{element} (at%)"] = self.atomic_percent[:, n]
            columns[f"{element} std"] = self.std[:, n]
        if self.deblurred is not None and self.deblurred_std is not None:
            for n, element in enumerate(self.elements):
                columns[f"{element} deblurred (at%)"] = self.deblurred[:, n]
                columns[f"{element} deblurred std"] = self.deblurred_std[:, n]
        index = pd.Index(self.distance, name=f"distance ({self.unit})")
        return pd.DataFrame(columns, index=index)

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write one row for each step.

        Parameters
        ----------
        path : str or path
            File with the columns of `to_dataframe`, the distance first.
        """
        self.to_dataframe().to_csv(path)

    def _told(self):
        first, last = self.distance[[0, -1]]
        head = (
            f"{len(self.distance)} steps from {first:.4g} to {last:.4g} {self.unit} along the line,"
            f" with {_range(self.pixels)} pixels and {_range(self.counts)} counts each"
        )
        rows = [("element", "line", "lowest at%", "highest at%", "std of a step")]
        for n, element in enumerate(self.elements):
            known = self.atomic_percent[np.isfinite(self.atomic_percent[:, n]), n]
            std = np.nanmedian(self.std[:, n]) if len(known) else np.nan
            ends = [f"{x:.2f}" for x in (known.min(), known.max())] if len(known) else ["-", "-"]
            rows.append((element, self.xray_lines[n], *ends, f"{std:.2g}" if len(known) else "-"))
        parts = [head, rows]
        if self.interfaces:
            parts.append(self._rows_of_interfaces())
        if np.isfinite(self.blur):
            parts.append(
                f"Blur of the beam: sigma {number_with_std(self.blur, self.blur_std)} {self.unit}, "
                "from the labels of the whole map: where all interfaces are graded, an upper limit"
            )
        return parts

    def _rows_of_interfaces(self):
        """Interfaces as rows of a table, widths from 10 to 90 %."""
        at, width = f"at ({self.unit})", f"10-90 % ({self.unit})"
        rows = [("interface", at, "of", width, "of the blur", "without it")]
        for each in self.interfaces:
            rows.append(
                (
                    f"{each.from_name} | {each.to_name}",
                    number_with_std(each.position, each.position_std),
                    each.element,
                    number_with_std(each.width, each.width_std),
                    f"{each.blur_width:.3g}" if np.isfinite(each.blur_width) else "-",
                    number_with_std(each.intrinsic_width, each.intrinsic_std),
                )
            )
        return rows

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the composition along the line with bands of one standard deviation.

        Dots are what the pixels hold, lines what is left without the blur; interfaces are marked
        over their widths.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot_profile(
            self.distance, self.atomic_percent, self.std, self.elements, self.unit,
            self.deblurred, self.deblurred_std,
            [(each.position, each.width) for each in self.interfaces], ax,
        )  # fmt: skip


def _range(values):
    """Lowest and highest of some numbers as text."""
    low, high = (f"{value:.0f}" for value in (np.min(values), np.max(values)))
    return low if low == high else f"{low} to {high}"
