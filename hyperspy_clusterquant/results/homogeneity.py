"""Is every cluster one composition inside? What varies in it, where, and what would be seen."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hyperspy_clusterquant._checks import cluster_number
from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant._text import Coloured, Told, p_text
from hyperspy_clusterquant.evidence.homogeneity import FEWEST_PIXELS
from hyperspy_clusterquant.evidence.p_values import holm
from hyperspy_clusterquant.images import image
from hyperspy_clusterquant.plotting import plot_residuals
from hyperspy_clusterquant.plotting.thumbnails import hex_colours

#: Variations in % that could not be missed tell nothing from here on: all or nothing of the line.
ANYTHING = 100.0
#: Lines that are named in a sentence, at most.
MOST_NAMED = 3
#: From so many times as much on, that is said, and not the percentage.
MANIFOLD = 2.0


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
class ClusterHomogeneity(Told, Frozen):
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
    scales: np.ndarray
    detection_limits: np.ndarray
    limit_scales: np.ndarray
    told_from_absorption: np.ndarray
    images: np.ndarray
    regions: np.ndarray
    departures: tuple
    axes: tuple
    labels: np.ndarray
    spectra: object = field(default=None, compare=False)

    # --- verdicts -------------------------------------------------------------------------

    @property
    def n_clusters(self):
        """Number of clusters."""
        return len(self.cluster_names)

    @property
    def elements(self):
        """Elements of the lines, tuple of str."""
        return tuple(line.split("_")[0] for line in self.xray_lines)

    @property
    def adjusted_p_values(self):
        """`p_values` corrected for the number of clusters and lines (Holm)."""
        return _holm(self.p_values)

    @property
    def inhomogeneous(self):
        """Clusters in which something varies, at `level` corrected for their number (Holm)."""
        return holm(self.cluster_p_values) < self.level

    @property
    def varies(self):
        """Lines that vary in each cluster, at `level` corrected for their number (Holm)."""
        return (self.adjusted_p_values < self.level) & self.told_from_absorption

    @property
    def summary(self):
        """What was found in each cluster, a tuple of sentences."""
        return tuple(self._sentence(k) for k in range(self.n_clusters))

    def _sentence(self, k):
        name = f"'{self.cluster_names[k]}'"
        if self.n_pixels[k] < FEWEST_PIXELS:
            return (
                f"Whether {name} varies inside cannot be told: {self.n_pixels[k]} of its "
                f"{self.sizes[k]} pixels lie beyond the blur of its borders."
            )
        lines = np.flatnonzero(self.varies[k])
        if self.inhomogeneous[k] and not len(lines):
            lines = np.flatnonzero(self.told_from_absorption[k] & np.isfinite(self.p_values[k]))
            lines = lines[np.argsort(self.p_values[k, lines])][:1]
        if len(lines):
            return self._of_varying(k, name, lines[np.argsort(self._order(k)[lines])])
        lines = np.flatnonzero(_holm(self.dose_p_values)[k] < self.level)
        if len(lines):
            lines = lines[np.argsort(self.dose_p_values[k, lines])]
            which, vary = self._named(lines), "vary" if len(lines) > 1 else "varies"
            if np.isnan(self.p_values[k]).all():
                return (
                    f"Inside {name}, {which} {vary}, but of so few lines this cannot be told from "
                    "absorption where the thickness varies, or from a drift of the energies."
                )
            return (
                f"Inside {name}, {which} {vary} as absorption or a drift of the energies can make "
                "it, and nothing beyond that is seen."
            )
        return self._of_homogeneous(k, name)

    def _order(self, k):
        """Lines in the order in which they are told: that of the departure, then the clearest."""
        order = np.where(np.isfinite(self.p_values[k]), self.p_values[k], 2.0)
        excess = np.nan_to_num(self.variation[k] / self.detection_limits[k])
        return order - 1e-3 * excess / max(excess.max(), 1e-9) * (order < 1e-4)

    def _of_varying(self, k, name, lines):
        first = lines[0]
        departure = self.departures[k]
        significant = departure is not None and departure.p_value < self.level
        if significant and departure.xray_line in [self.xray_lines[n] for n in lines]:
            first = self.xray_lines.index(departure.xray_line)
        p = np.nanmin([self.p_values[k, first], self.cluster_p_values[k]])
        by = f" by {_percent(self.variation[k, first])}"
        by = by if np.isfinite(self.variation[k, first]) else ", of which it has none on the whole,"
        sentence = f"Inside {name}, {self.elements[first]} varies{by} (p {_p(p)})"
        if significant:
            what = f"{self._place(departure)}: {departure.n_pixels} pixel"
            what += "s" * (departure.n_pixels > 1)
            if departure.xray_line != self.xray_lines[first]:
                what += f" of another share of {departure.xray_line.split('_')[0]}"
            elif np.isfinite(departure.size):
                what += f" with {_more_or_less(departure.size)}"
            sentence += f", most at {what}"
        others = [n for n in lines if n != first]
        if not others:
            return f"{sentence}."
        return f"{sentence}; so do{'es' * (len(others) == 1)} {self._named(others)}."

    def _of_homogeneous(self, k, name):
        limits = self.detection_limits[k]
        known = np.flatnonzero(limits < ANYTHING)
        if not len(known):
            return f"Whether {name} varies inside cannot be told: it has too few counts."
        known = known[np.argsort(limits[known])][:MOST_NAMED]
        seen = ", ".join(f"{_percent(limits[n])} of {self.elements[n]}" for n in known)
        others = " (others lie in the blur of borders)" if self.n_pixels[k] < self.sizes[k] else ""
        return (
            f"{name} is homogeneous as far as {self.n_pixels[k]} of its {self.sizes[k]} pixels "
            f"tell{others}: in grains of {self.limit_scales[k]} pixels, a variation by {seen} "
            "would have been seen."
        )

    def _named(self, lines):
        names = [self.elements[n] for n in lines]
        if len(names) > MOST_NAMED:
            return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

    def _place(self, departure):
        """Centre of a departure in words, the first axis of the map last."""
        said = []
        for n, (value, axis) in enumerate(zip(departure.place, self.axes, strict=True)):
            name = axis["name"] or "yx"[-len(self.axes) :][n] if len(self.axes) < 3 else f"axis {n}"
            units = f" {axis['units']}" if axis["units"] else ""
            said.append(f"{name} = {value:.4g}{units}")
        return ", ".join(said[::-1])

    # --- as tables ------------------------------------------------------------------------

    def to_dataframe(self):
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
                    "scale (pixels)": self.scales[k, n],
                    "detection limit (%)": self.detection_limits[k, n],
                    "told from absorption": self.told_from_absorption[k, n],
                    "varies": varies[k, n],
                }
                for n, line in enumerate(self.xray_lines)
            ]
        return pd.DataFrame(rows)

    def _told(self):
        rows = [("cluster", "pixels", "p", *self.xray_lines)]
        names = map(Coloured, self.cluster_names, hex_colours(self.n_clusters))
        for k, name in enumerate(names):
            pixels = f"{self.n_pixels[k]} of {self.sizes[k]}"
            cells = [self._cell(k, n) for n in range(len(self.xray_lines))]
            rows.append((name, pixels, p_text(self.cluster_p_values[k]), *cells))
        grain = self.limit_scales.max(initial=0)
        legend = (
            f"variation in %; < a variation in grains of {grain} pixels would have been seen; "
            "(a) absorption or drift may be all of it"
        )
        return [rows, legend, *self.summary]

    def _cell(self, k, n):
        size, std, limit = (
            of[k, n] for of in (self.variation, self.variation_std, self.detection_limits)
        )
        if self.varies[k, n]:
            return f"{_number(size)} ± {_number(std)}" if np.isfinite(size) else "varies"
        if _holm(self.dose_p_values)[k, n] < self.level and not self.told_from_absorption[k, n]:
            return f"{_number(size)} (a)" if np.isfinite(size) else "(a)"
        return f"< {limit:.2g}" if limit < ANYTHING else "-"

    # --- as pictures and spectra ----------------------------------------------------------

    def residual_map(self, cluster, line):
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

    def departure_spectra(self):
        """Counts where each cluster departs most, and what was expected there.

        Returns
        -------
        ClusteredEDSSpectrum
            Dimensions (2, n_clusters | energy): first the counts, then those of the cluster's inner
            pixels scaled to as many. Zero where nothing departs.
        """
        return self.spectra.deepcopy()

    def plot(self, axes=None):
        """Draw where each cluster departs most, in the line in which it does so.

        Parameters
        ----------
        axes : sequence of matplotlib.axes.Axes, optional
            Where to draw, one for each cluster; a new figure if not given.

        Returns
        -------
        array of matplotlib.axes.Axes
        """
        lines, maps = [], []
        for k, departure in enumerate(self.departures):
            line = 0 if departure is None else self.xray_lines.index(departure.xray_line)
            lines.append(self.xray_lines[line])
            maps.append(np.where(self.labels == k, self.images[line], np.nan))
        return plot_residuals(
            maps, self.regions, self.axes, self.cluster_names, lines, self.cluster_p_values,
            self.inhomogeneous, axes,
        )  # fmt: skip


def _holm(p):
    """p-values (n_clusters, n_lines) corrected for their number."""
    return holm(np.ravel(p)).reshape(np.shape(p))


def _number(value):
    """A number with two digits, or all before the point."""
    return f"{value:.2g}" if value < 99.5 else f"{value:.0f}"


def _percent(value):
    return f"{_number(value)} %"


def _p(p):
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"


def _more_or_less(size):
    """A departure in % in words."""
    if size > 100 * (MANIFOLD - 1):
        return f"{_number(1 + size / 100)} times as much"
    if size < 0:
        return f"{_percent(-size)} less" if size > -ANYTHING else "next to none"
    return f"{_percent(size)} more"
