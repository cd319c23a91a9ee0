"""Does the map of an X-ray line show more than shot noise and thickness?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._text import Told, in_html, p_text, tag
from hyperspy_clusterquant.evidence.p_values import holm, holm_of_pairs
from hyperspy_clusterquant.evidence.variation import LineVariation
from hyperspy_clusterquant.images import image
from hyperspy_clusterquant.plotting import map_of, plot_correlations, plot_line_maps
from hyperspy_clusterquant.plotting.style import line_label
from hyperspy_clusterquant.plotting.thumbnails import grey_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from hyperspy.signals import BaseSignal
    from matplotlib.axes import Axes

#: Fewest lines of which two can be compared with the others.
FEWEST_LINES = 4
#: Significant correlations are printed from here on.
WORTH_A_LINE = 0.5


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class MapSignificance(Told, LineVariation):
    """Whether the maps of X-ray lines show more than shot noise and thickness.

    Attributes
    ----------
    xray_lines : tuple of str
    counts_per_pixel : array (n_lines,)
        Net counts, background taken off.
    dispersion : array (n_lines,)
        Variance of the net counts of a bin over shot noise: 1 = nothing but noise.
    dispersion_beyond_thickness : array (n_lines,)
        The same of what a line has beyond its share of all lines together.
    p_values_no_variation : array (n_lines,)
        Of "no variation at all".
    p_values : array (n_lines,)
        Of "no variation beyond dose, thickness, absorption and drift", at any scale; not corrected
        for the number of lines.
    p_values_with_absorption : array (n_lines,)
        The same if what absorption and drift bring is variation.
    variation, variation_std : array (n_lines,)
        Variation beyond shot noise and thickness, as a share of the counts expected, and its
        standard uncertainty; 0 where there is less than noise.
    correlations_beyond_noise, correlations_beyond_thickness : Correlations
        Of all lines, each with ``values``, ``std`` and ``p_values``: corrected for shot noise, and
        also for thickness. `correlation` chooses between them.
    images : array of float32 (n_lines, map shape)
        Net counts of every pixel, NaN where left out.
    scales : tuple of int
        Pixels along each axis of the bins that were compared.
    p_values_of_scales : array (n_scales, n_lines)
        p-values at each of them, which `p_values` combines.
    binning : tuple of int
        Scale for each line at which its variation beyond thickness is clearest. `dispersion` and
        `variation` are of this scale.
    n_bins : tuple of int
        Bins at that scale.
    level : float
        Of what is called significant.
    axes : tuple of dict
        Navigation axes of the map.
    """

    xray_lines: tuple
    counts_per_pixel: np.ndarray
    images: np.ndarray
    scales: tuple
    p_values_of_scales: np.ndarray
    binning: tuple
    n_bins: tuple
    level: float
    axes: tuple

    @property
    def correlation(self) -> np.ndarray:
        """Correlation of two lines, corrected for shot noise and thickness, (n_lines, n_lines).

        NaN where one of them varies no more than noise and thickness explain. It is that of their
        ratios to the other lines together (`reference`): what these do in common, the two
        do in opposite. Of less than four lines, it is corrected for shot noise only.
        """
        return self._of_varying(self._correlations.values)

    @property
    def correlation_std(self) -> np.ndarray:
        """Standard uncertainty of `correlation`."""
        return self._of_varying(self._correlations.std)

    @property
    def correlation_interval(self) -> np.ndarray:
        """Lowest and highest `correlation` that is likely (two standard uncertainties).

        Array (2, n_lines, n_lines), never beyond -1 and 1.
        """
        return np.array([self._of_varying(of) for of in self._correlations.interval])

    def reference(self, *lines: str) -> str:
        """What lines are compared with in their `correlation`, in words."""
        if not self.thickness_removed:
            return "counts, thickness included"
        others = " + ".join(line for line in self.xray_lines if line not in lines)
        return f"ratios to {others}"

    @property
    def correlation_p_values(self) -> np.ndarray:
        """Of "no correlation", not corrected for the number of pairs."""
        return self._correlations.p_values

    @property
    def thickness_removed(self) -> bool:
        """Whether there are lines enough to correct correlations for thickness."""
        return len(self.xray_lines) >= FEWEST_LINES

    @property
    def _correlations(self):
        if self.thickness_removed:
            return self.correlations_beyond_thickness
        return self.correlations_beyond_noise

    def _of_varying(self, pairs):
        vary = self.significant
        return np.where(np.outer(vary, vary), pairs, np.nan)

    @property
    def significant(self) -> np.ndarray:
        """Lines that vary beyond thickness, at `level` corrected for their number (Holm)."""
        return holm(self.p_values) < self.level

    @property
    def correlated(self) -> np.ndarray:
        """Pairs of lines that are correlated, at `level` corrected for their number (Holm)."""
        return holm_of_pairs(self.correlation_p_values) < self.level

    def to_dataframe(self) -> pd.DataFrame:
        """One row for each line, as a `pandas.DataFrame`."""
        import pandas as pd

        return pd.DataFrame(
            {
                "counts per pixel": self.counts_per_pixel,
                "dispersion": self.dispersion,
                "p (no variation)": self.p_values_no_variation,
                "dispersion beyond thickness": self.dispersion_beyond_thickness,
                "p (thickness only)": self.p_values,
                "variation": self.variation,
                "variation std": self.variation_std,
                "significant": self.significant,
            },
            index=list(self.xray_lines),
        )

    @property
    def absorbed(self) -> np.ndarray:
        """Lines whose variation cannot be told from absorption or drift, array of bool."""
        return (holm(self.p_values_with_absorption) < self.level) & ~self.significant

    def _told(self):
        head = ("line", "counts/px", "disp.", "p(none)", "disp./thick.", "p(thick.)", "variation",
                "bins")  # fmt: skip
        rows = [(*head, "")]
        for k, line in enumerate(self.xray_lines):
            size, std = self.variation[k], self.variation_std[k]
            verdict = "varies" if self.significant[k] else "thickness and noise"
            # Of what does not vary, the size that it seems to have is noise.
            is_there = self.significant[k] and size > 2 * std
            if self.absorbed[k]:
                verdict = "cannot be told from absorption or drift"
            rows.append(
                (
                    line,
                    f"{self.counts_per_pixel[k]:.3g}",
                    f"{self.dispersion[k]:.3g}",
                    p_text(self.p_values_no_variation[k]),
                    f"{self.dispersion_beyond_thickness[k]:.3g}",
                    p_text(self.p_values[k]),
                    f"{size:.1%} ± {std:.1%}" if is_there else "-",
                    str(self.binning[k]),
                    verdict,
                )
            )
        parts = [rows, *self._correlations_told()]
        parts.append("thickness: ratio of a line to all of these lines together")
        sizes = ", ".join(map(str, self.scales))
        parts.append(
            f"p: bins of {sizes} pixels along each axis together; the rest: those where the line "
            "varies most clearly"
            if len(self.scales) > 1
            else f"{self.n_bins[0]} bins, pixels along each axis of one: {sizes}"
        )
        return parts

    def _repr_html_(self):
        pictures = [
            grey_picture(counts, self.axes, line_label(line))
            for line, counts in zip(self.xray_lines, self.images, strict=True)
        ]
        style = "display:flex;flex-wrap:wrap;gap:0.6em"
        return in_html([tag("div", *pictures, style=style), *self._told()])

    def _correlations_told(self):
        parts = []
        correlation, correlated = self.correlation, self.correlated
        low, high = self.correlation_interval
        for i, j in zip(*np.triu_indices(len(self.xray_lines), 1), strict=True):
            if abs(correlation[i, j]) >= WORTH_A_LINE and correlated[i, j]:
                pair = self.xray_lines[i], self.xray_lines[j]
                parts.append(
                    f"{' - '.join(pair)}: correlation {correlation[i, j]:+.2f} "
                    f"({low[i, j]:+.2f} .. {high[i, j]:+.2f}), "
                    f"p {p_text(self.correlation_p_values[i, j])}, "
                    f"of the {self.reference(*pair)}"
                )
        if not self.thickness_removed:
            parts.append("fewer than four lines: correlation not corrected for thickness")
        return parts

    def maps(self) -> dict[str, BaseSignal]:
        """Net counts of each line as HyperSpy images, a dictionary by line."""
        return {
            line: image(counts, self.axes, line, quantity="X-rays (Counts)")
            for line, counts in zip(self.xray_lines, self.images, strict=True)
        }

    def plot(self, axes: Sequence[Axes] | None = None, *, index: int = 0) -> np.ndarray:
        """Draw the classic maps side by side, each with its significance.

        Parameters
        ----------
        axes : sequence of matplotlib.axes.Axes, optional
            Where to draw, one for each line; a new figure if not given.
        index : int
            Number of the map that is drawn of a stack.

        Returns
        -------
        array of matplotlib.axes.Axes
        """
        return plot_line_maps(
            [map_of(counts, index) for counts in self.images], self.axes, self.xray_lines,
            self.p_values, self.significant, axes,
        )  # fmt: skip

    def plot_correlations(self, ax: Axes | None = None) -> Axes:
        """Draw the correlations of the lines beyond shot noise and thickness.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes
        """
        what = "shot noise and thickness" if self.thickness_removed else "shot noise"
        return plot_correlations(
            self.correlation, self.correlation_interval, self.correlated, self.xray_lines,
            f"Correlation, {what} taken off", ax,
        )  # fmt: skip
