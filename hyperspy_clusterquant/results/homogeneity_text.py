"""What was found inside of clusters in words: sentences and a table."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._text import Coloured, Told, p_text
from hyperspy_clusterquant.evidence.homogeneity import FEWEST_PIXELS
from hyperspy_clusterquant.evidence.p_values import holm
from hyperspy_clusterquant.plotting.style import cluster_colours

#: Variations in % that could not be missed tell nothing from here on: all or nothing of the line.
ANYTHING = 100.0
#: Lines that are named in a sentence, at most.
MOST_NAMED = 3
#: From so many times as much on, that is said, and not the percentage.
MANIFOLD = 2.0


class HomogeneityText(Told):
    """What a `ClusterHomogeneity` says and prints."""

    @property
    def summary(self) -> tuple[str, ...]:
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
        lines = np.flatnonzero(holm_of_lines(self.dose_p_values)[k] < self.level)
        if len(lines):
            lines = lines[np.argsort(self.dose_p_values[k, lines])]
            which, vary = self._named(lines), "vary" if len(lines) > 1 else "varies"
            if np.isnan(self.p_values[k]).all():
                return (
                    f"Inside {name}, {which} {vary}, but of so few lines this cannot be told from "
                    "absorption where the thickness varies, or from a drift of the energies."
                )
            cause = "absorption or a drift of the energies"
            said = f"Inside {name}, {which} {vary} as {cause} can make it"
            if self.inhomogeneous[k]:
                return (
                    f"{said}; all lines together vary by more than that "
                    f"(p {_p(self.cluster_p_values[k])}), though none by itself does."
                )
            return f"{said}, and nothing beyond that is seen."
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
        low, high = 100 + self.lowest[k, first], 100 + self.highest[k, first]
        if np.isfinite(low):
            by += f", from {low:.0f} to {high:.0f} % of its mean"
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

    def _told(self):
        rows = [("cluster", "pixels", "p", *self.xray_lines)]
        names = map(Coloured, self.cluster_names, cluster_colours(self.n_clusters))
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
        if (
            holm_of_lines(self.dose_p_values)[k, n] < self.level
            and not self.told_from_absorption[k, n]
        ):
            return f"{_number(size)} (a)" if np.isfinite(size) else "(a)"
        return f"< {limit:.2g}" if limit < ANYTHING else "-"


def holm_of_lines(p):
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
