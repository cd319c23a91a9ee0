"""Does the map of an X-ray line show more than shot noise and thickness?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant._text import in_columns, p_text
from hyperspy_clusterquant.evidence.p_values import holm, holm_of_pairs
from hyperspy_clusterquant.evidence.variation import Variation

#: Fewest lines of which two can be compared with the others.
FEWEST_LINES = 4
#: Significant correlations are printed from here on.
WORTH_A_LINE = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class MapSignificance:
    """Whether the maps of X-ray lines show more than shot noise and thickness.

    Attributes
    ----------
    xray_lines : tuple of str
    counts_per_pixel : array (n_lines,)
        Net counts, background taken off.
    variation : Variation
        Dispersions, p-values, and correlations.
    images : array of float32 (n_lines, map shape)
        Net counts of every pixel, NaN where left out.
    binning : int
        Factor by which pixels were binned for the tests.
    n_bins : int
        Bins compared.
    level : float
        Of what is called significant.
    axes : tuple of dict
        Navigation axes of the map.
    """

    xray_lines: tuple
    counts_per_pixel: np.ndarray
    variation: Variation
    images: np.ndarray
    binning: int
    n_bins: int
    level: float
    axes: tuple

    @property
    def dispersion(self):
        """Variance of the net counts of a bin over shot noise: 1 = nothing but noise."""
        return self.variation.dispersion

    @property
    def dispersion_beyond_thickness(self):
        """The same of what a line has beyond its share of all lines together."""
        return self.variation.dispersion_beyond

    @property
    def p_values_no_variation(self):
        """Of "no variation at all"."""
        return self.variation.p_values

    @property
    def p_values(self):
        """Of "no variation beyond dose and thickness", not corrected for the number of lines."""
        return self.variation.p_values_beyond

    @property
    def correlation(self):
        """Correlation of two lines, corrected for shot noise and thickness, (n_lines, n_lines).

        NaN where one of them varies no more than noise and thickness explain. It is that of what
        they have beyond the other lines together: what these do in common, the two do
        in opposite. Of less than four lines, it is corrected for shot noise only.
        """
        return self._of_pairs("correlation")

    @property
    def correlation_std(self):
        """Standard uncertainty of `correlation`."""
        return self._of_pairs("correlation_std")

    @property
    def correlation_p_values(self):
        """Of "no correlation", not corrected for the number of pairs."""
        return self._pairs("correlation_p")

    @property
    def thickness_removed(self):
        """Whether there are lines enough to correct correlations for thickness."""
        return len(self.xray_lines) >= FEWEST_LINES

    def _pairs(self, name):
        return getattr(self.variation, name if self.thickness_removed else f"total_{name}")

    def _of_pairs(self, name):
        vary = self.significant
        return np.where(np.outer(vary, vary), self._pairs(name), np.nan)

    @property
    def significant(self):
        """Lines that vary beyond thickness, at `level` corrected for their number (Holm)."""
        return holm(self.p_values) < self.level

    @property
    def correlated(self):
        """Pairs of lines that are correlated, at `level` corrected for their number (Holm)."""
        return holm_of_pairs(self.correlation_p_values) < self.level

    def to_dataframe(self):
        """One row for each line, as a `pandas.DataFrame`."""
        import pandas as pd

        return pd.DataFrame(
            {
                "counts per pixel": self.counts_per_pixel,
                "dispersion": self.dispersion,
                "p (no variation)": self.p_values_no_variation,
                "dispersion beyond thickness": self.dispersion_beyond_thickness,
                "p (thickness only)": self.p_values,
                "variation": self.variation.relative,
                "variation std": self.variation.relative_std,
                "significant": self.significant,
            },
            index=list(self.xray_lines),
        )

    def __repr__(self):
        head = ("line", "counts/px", "disp.", "p(none)", "disp./thick.", "p(thick.)", "variation")
        rows = [(*head, "")]
        v = self.variation
        for k, line in enumerate(self.xray_lines):
            known = v.relative[k] > 2 * v.relative_std[k]
            varies = f"{v.relative[k]:.1%} ± {v.relative_std[k]:.1%}" if known else "-"
            rows.append(
                (
                    line,
                    f"{self.counts_per_pixel[k]:.3g}",
                    f"{v.dispersion[k]:.3g}",
                    p_text(v.p_values[k]),
                    f"{v.dispersion_beyond[k]:.3g}",
                    p_text(v.p_values_beyond[k]),
                    varies,
                    "varies" if self.significant[k] else "thickness and noise",
                )
            )
        lines = in_columns(rows)
        correlation, std, correlated = self.correlation, self.correlation_std, self.correlated
        for i, j in zip(*np.triu_indices(len(self.xray_lines), 1), strict=True):
            if abs(correlation[i, j]) >= WORTH_A_LINE and correlated[i, j]:
                lines.append(
                    f"{self.xray_lines[i]} - {self.xray_lines[j]}: correlation "
                    f"{correlation[i, j]:+.2f} ± {std[i, j]:.2f}, "
                    f"p {p_text(self.correlation_p_values[i, j])}"
                )
        if not self.thickness_removed:
            lines.append("fewer than four lines: correlation not corrected for thickness")
        lines.append("thickness: ratio of a line to all of these lines together")
        lines.append(f"{self.n_bins} bins, pixels along each axis of one: {self.binning}")
        return "\n".join(lines)

    def maps(self):
        """Net counts of each line as HyperSpy images, a dictionary by line."""
        from hyperspy_clusterquant.signals.maps import line_maps

        return line_maps(self)

    def plot(self, axes=None):
        """Draw the classic maps side by side, each with its significance.

        Parameters
        ----------
        axes : sequence of matplotlib.axes.Axes, optional
            Where to draw, one for each line; a new figure if not given.

        Returns
        -------
        array of matplotlib.axes.Axes
        """
        from hyperspy_clusterquant.plotting import plot_line_maps

        return plot_line_maps(self, axes)

    def plot_correlations(self, ax=None):
        """Draw the correlations of the lines beyond shot noise and thickness.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes
        """
        from hyperspy_clusterquant.plotting import plot_correlations

        return plot_correlations(self, ax)
