"""Is every cluster one composition inside? What varies in it, where, and what would be seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_clusterquant._checks import cluster_number
from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.evidence.local import composition_ranges
from hyperspy_clusterquant.evidence.p_values import holm
from hyperspy_clusterquant.images import image
from hyperspy_clusterquant.plotting import map_of, plot_residuals
from hyperspy_clusterquant.results.homogeneity_text import HomogeneityText, holm_of_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from hyperspy.signals import BaseSignal
    from matplotlib.axes import Axes

    from hyperspy_clusterquant.signals.clustered_eds import ClusteredEDSSpectrum


@dataclass(frozen=True, eq=False)
class Departure(Frozen):
    """Where a cluster departs most from its mean composition.

    Attributes
    ----------
    cluster_name, xray_line : str
    place : tuple of float
        Centre, along the axes of the map in array order, in their units.
    n_pixels : int
    size : float
        More of the line there than its cluster has, in %; as the largest of many, a little more
        than it is. NaN if there is none in the cluster as a whole.
    p_value : float
        That chance departs as much anywhere, at any scale, in any line.
    """

    cluster_name: str
    xray_line: str
    place: tuple
    n_pixels: int
    size: float
    p_value: float


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ClusterHomogeneity(HomogeneityText, Frozen):
    """Whether the composition varies inside of clusters, beyond noise, dose, absorption and blur.

    Everything of lines is for the cluster in the row and the line in the column; NaN where it
    cannot be told.

    Attributes
    ----------
    name : str
        Of the result that was tested.
    cluster_names, xray_lines : tuple of str
    level : float
        Of the verdicts.
    sizes, n_pixels : array of int (n_clusters,)
        Pixels of each cluster, and those of them that were compared: so far inside that blur brings
        next to nothing from others.
    cluster_p_values : array (n_clusters,)
        Of "one composition", over all lines, scales and places.
    p_values : array (n_clusters, n_lines)
        The same of each line. NaN also where absorption could make all of what is seen.
    dose_p_values : array (n_clusters, n_lines)
        Of "one composition, without absorption and drift of the energies".
    variation, variation_std : array (n_clusters, n_lines)
        Relative standard deviation of the line's share in %, and its uncertainty, at the scale
        where it is clearest.
    lowest, highest : array (n_clusters, n_lines)
        Departures from the mean in % between which nine in ten pixels lie, without what noise adds
        to them; NaN where noise is more of it than variation.
    scales : array of int (n_clusters, n_lines)
        That scale in pixels, 0 = none.
    detection_limits : array (n_clusters, n_lines)
        Variation in %, in grains of `limit_scales` pixels, that would be seen nine times in ten.
    limit_scales : array of int (n_clusters,)
    told_from_absorption : array of bool (n_clusters, n_lines)
        Whether absorption and drift were taken out, or could not make so large a variation.
    images : array of float32 (n_lines, map shape)
        What each pixel has more of a line than its cluster, in %, averaged over a square of
        `scales` pixels; NaN where nothing was compared.
    shares, shares_noise : arrays of float32 (n_lines, map shape), (n_clusters, n_lines)
        The same of all lines averaged over one square, absorption in it, from which the range of
        compositions is read, and the standard deviation that is noise.
    regions : array of int (map shape)
        Number of the cluster whose strongest departure lies there, -1 = none.
    departures : tuple of Departure or None
        The strongest of each cluster, whether significant or not.
    labels : array of int (map shape)
        Of the result.
    axes : tuple of dict
        Navigation axes of the map.
    """

    name: str
    cluster_names: tuple
    xray_lines: tuple
    level: float
    sizes: np.ndarray
    n_pixels: np.ndarray
    cluster_p_values: np.ndarray
    p_values: np.ndarray
    dose_p_values: np.ndarray
    variation: np.ndarray
    variation_std: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    scales: np.ndarray
    detection_limits: np.ndarray
    limit_scales: np.ndarray
    told_from_absorption: np.ndarray
    images: np.ndarray
    shares: np.ndarray
    shares_noise: np.ndarray
    regions: np.ndarray
    departures: tuple
    axes: tuple
    labels: np.ndarray
    spectra: Any = field(default=None, compare=False)

    # --- verdicts -------------------------------------------------------------------------

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return len(self.cluster_names)

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements of the lines, tuple of str."""
        return tuple(line.split("_")[0] for line in self.xray_lines)

    @property
    def adjusted_p_values(self) -> np.ndarray:
        """`p_values` corrected for the number of clusters and lines (Holm)."""
        return holm_of_lines(self.p_values)

    @property
    def inhomogeneous(self) -> np.ndarray:
        """Clusters in which something varies, at `level` corrected for their number (Holm)."""
        return holm(self.cluster_p_values) < self.level

    @property
    def varies(self) -> np.ndarray:
        """Lines that vary in each cluster, at `level` corrected for their number (Holm)."""
        return (self.adjusted_p_values < self.level) & self.told_from_absorption

    def ranges_of(
        self, percent: np.ndarray, elements: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Between which amounts of elements the pixels of each cluster lie.

        Parameters
        ----------
        percent : array (n_clusters, n_elements)
            Mean composition of each cluster.
        elements : sequence of str

        Returns
        -------
        lower, upper : arrays (n_clusters, n_elements)
            Of nine in ten pixels; NaN in clusters in which nothing varies, where an element was not
            tested, and where noise is more than its variation.
        """
        lines = [self.elements.index(e) if e in self.elements else None for e in elements]
        ends = np.full((2, *np.shape(percent)), np.nan)
        for k, of in enumerate(percent):
            inside = self.labels == k
            shares = np.zeros((len(elements), np.count_nonzero(inside)))
            noise, tested = np.zeros(len(elements)), np.zeros(len(elements), dtype=bool)
            for n, line in enumerate(lines):
                if line is not None:
                    shares[n] = self.shares[line][inside] / 100
                    noise[n], tested[n] = self.shares_noise[k, line] / 100, True
            if self.varies[k].any():  # what one has more, others have less
                ends[:, k] = np.where(tested, composition_ranges(of, shares, noise), np.nan)
        return ends[0], ends[1]

    # --- as tables ------------------------------------------------------------------------

    def to_dataframe(self) -> pd.DataFrame:
        """One row for each cluster and line, as a `pandas.DataFrame`."""
        import pandas as pd

        rows = []
        adjusted, varies = self.adjusted_p_values, self.varies
        for k, name in enumerate(self.cluster_names):
            rows += [
                {
                    "cluster": name,
                    "line": line,
                    "p": self.p_values[k, n],
                    "adjusted p": adjusted[k, n],
                    "p (dose only)": self.dose_p_values[k, n],
                    "variation (%)": self.variation[k, n],
                    "variation std": self.variation_std[k, n],
                    "lowest (%)": self.lowest[k, n],
                    "highest (%)": self.highest[k, n],
                    "scale (pixels)": self.scales[k, n],
                    "detection limit (%)": self.detection_limits[k, n],
                    "told from absorption": self.told_from_absorption[k, n],
                    "varies": varies[k, n],
                }
                for n, line in enumerate(self.xray_lines)
            ]
        return pd.DataFrame(rows)

    # --- as pictures and spectra ----------------------------------------------------------

    def residual_map(self, cluster: int | str, line: str) -> BaseSignal:
        """What the pixels of a cluster have more of a line than the cluster, as an image in %.

        Parameters
        ----------
        cluster : int or str
            Number or name.
        line : str
            X-ray line, or its element.

        Returns
        -------
        hyperspy.api.signals.BaseSignal
            Averaged over squares of the scale where the variation is clearest; NaN outside of the
            inner pixels.
        """
        k = cluster_number(cluster, self.cluster_names, f"the result {self.name!r}")
        known = {**dict(zip(self.elements, range(len(self.elements)), strict=True)),
                 **dict(zip(self.xray_lines, range(len(self.elements)), strict=True))}  # fmt: skip
        if line not in known:
            raise ValueError(f"{line!r} was not tested; there are {', '.join(self.xray_lines)}.")
        values = np.where(self.labels == k, self.images[known[line]], np.float32(np.nan))
        title = f"{line} in {self.cluster_names[k]}"
        return image(values, self.axes, title, quantity="Departure (%)")

    def departure_spectra(self) -> ClusteredEDSSpectrum:
        """Counts where each cluster departs most, and what was expected there.

        Returns
        -------
        ClusteredEDSSpectrum
            Dimensions (2, n_clusters | energy): first the counts, then those of the cluster's inner
            pixels scaled to as many. Zero where nothing departs.
        """
        return self.spectra.deepcopy()

    def _line_to_draw(self, k):
        """Number of the line that the sentence on a cluster is about, if there is a map of it."""
        departure = self.departures[k]
        if departure is not None and departure.p_value < self.level:
            return self.xray_lines.index(departure.xray_line)
        there = [np.isfinite(image[self.labels == k]).any() for image in self.images]
        p = np.where(self.varies[k], self.p_values[k], 1 + self.dose_p_values[k])
        return int(np.argmin(np.where(there, np.nan_to_num(p, nan=3.0), 4.0)))

    def plot(self, axes: Sequence[Axes] | None = None, *, index: int = 0) -> np.ndarray:
        """Draw where each cluster departs most, in the line in which it does so.

        Parameters
        ----------
        axes : sequence of matplotlib.axes.Axes, optional
            Where to draw, one for each cluster; a new figure if not given.
        index : int
            Number of the map that is drawn of a stack.

        Returns
        -------
        array of matplotlib.axes.Axes
        """
        lines, maps = [], []
        for k in range(self.n_clusters):
            line = self._line_to_draw(k)
            lines.append(self.xray_lines[line])
            maps.append(map_of(np.where(self.labels == k, self.images[line], np.nan), index))
        return plot_residuals(
            maps, map_of(self.regions, index), self.axes, self.cluster_names, lines,
            self.cluster_p_values, self.inhomogeneous, axes,
        )  # fmt: skip
