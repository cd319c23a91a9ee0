"""A table of compositions as text, LaTeX, HTML, data frame and CSV file."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._text import Coloured, in_columns, in_html
from hyperspy_clusterquant.clusters.blur import WIDEST
from hyperspy_clusterquant.plotting.style import cluster_colours

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd

#: Row of the entropy.
ENTROPY = "S_conf/R"
#: What stands for the composition of a cluster that has none.
BACKGROUND = "background"
#: Part of the widest blur that is looked for, from which what was found is that.
NEARLY = 0.99
#: Mixing in at% that is worth a remark.
SMALLEST_MIXING = 0.005
#: Factor of an absorption correction that is worth a remark.
NOTICEABLE = 1.0005


class CompositionText:
    """What a `CompositionTable` prints and writes."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was decided on the way, one text each, tuple of str."""
        found = self._notes()
        theory = [line for line in self.xray_lines if self._is_theory(line)]
        if theory and self.detector:
            found.append(f"k-factors from theory are for {self.detector}")
        if self.calibration is not None:
            energies = self.calibration.fit.design.energy[[0, -1]]
            shifts = self.calibration.shift(energies)
            found.append(
                f"Energy axis moved by {shifts[0]:+.1f} eV at {energies[0]:.1f} keV and "
                f"{shifts[1]:+.1f} eV at {energies[1]:.1f} keV, resolution at Mn Ka "
                f"{self.calibration.scale.resolution:.1f} eV"
            )
        if self.blur:
            width, std = self.blur
            found.append(
                f"Blur of the beam, found from the map: Gaussian sigma of "
                f"{number_with_std(width, std)} pixels"
            )
            if width > NEARLY * WIDEST:
                found[-1] += (
                    ". That is the widest that is looked for: the composition changes gradually, "
                    "and phases are what is farthest from each other"
                )
        quality = [fit.reduced_chi_square for fit in self.fits if fit.counts.sum() > 0]
        if quality:
            found.append(
                f"Squared residual per channel of the fits: {min(quality):.1f} to "
                f"{max(quality):.1f} (1 = noise)"
            )
        if self.unexplained:
            peaks = ", ".join(map(str, self.unexplained))
            found.append(f"Peaks that no declared element explains: {peaks}")
        return tuple(found)

    def __str__(self) -> str:
        """Plain text like the paper's table."""
        cells = self._cells("{value} ± {std}", "< {value}")
        head, rule, *rows, _ = in_columns([[self.unit, *self.cluster_names], *cells])
        return "\n".join([head, rule, *rows[:-1], rule, rows[-1], *self._notes()])

    def __repr__(self) -> str:
        return (
            f"<CompositionTable: {len(self.cluster_names)} clusters x {len(self.elements)} "
            f"elements>\n{self}"
        )

    def _repr_html_(self):
        return self.to_html()

    def to_html(self) -> str:
        """Table as HTML, with the remarks below."""
        rows = self._cells("{value} ± {std}", "< {value}")
        names = map(Coloured, self.cluster_names, cluster_colours(len(self.cluster_names)))
        return in_html([[(self.unit, *names), *map(tuple, rows)], *self.remarks])

    def to_latex(self) -> str:
        r"""Table as a LaTeX ``tabular`` (needs no package)."""
        rows = self._cells("${value} \\pm {std}$", "$< {value}$")
        rows[-1][0] = r"$S_\mathrm{conf}/R$"
        special = str.maketrans(
            {sign: rf"\{sign}" for sign in "_%&#${}"}
            | {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}
        )
        escaped = [cell.translate(special) for cell in (self.unit, *self.cluster_names)]
        return "\n".join(
            [
                rf"\begin{{tabular}}{{l{'c' * len(self.cluster_names)}}}",
                r"\hline",
                " & ".join(escaped) + r" \\",
                r"\hline",
                *(" & ".join(row) + r" \\" for row in rows),
                r"\hline",
                r"\end{tabular}",
                *(rf"\par{{\footnotesize {note.translate(special)}}}" for note in self._notes()),
            ]
        )

    def to_dataframe(self, text: bool = False) -> pd.DataFrame:
        """Table as a pandas DataFrame, elements down, clusters across.

        Parameters
        ----------
        text : bool
            One text column such as "25.4 ± 1.3" for each cluster instead of two of numbers;
            "< 0.4" is the 95 % upper limit of an element that was not detected.

        Returns
        -------
        pandas.DataFrame
            Columns (cluster, at% or wt%) and (cluster, "std"); the last row is the entropy.
        """
        import pandas as pd

        if text:
            rows = self._cells("{value} ± {std}", "< {value}")
            columns = pd.Index(self.cluster_names, name=self.unit)
            return pd.DataFrame([r[1:] for r in rows], index=[r[0] for r in rows], columns=columns)
        values = np.vstack([self.percent.T, self.configurational_entropy])
        stds = np.vstack([self.percent_std.T, self.configurational_entropy_std])
        return pd.DataFrame(
            np.stack([values, stds], axis=-1).reshape(len(values), -1),
            index=pd.Index([*self.elements, ENTROPY], name="element"),
            columns=pd.MultiIndex.from_product([self.cluster_names, [self.unit, "std"]]),
        )

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write one row for each cluster and element, with everything a plot needs.

        Parameters
        ----------
        path : str or path
            File with the columns cluster, element, line, atomic_percent, std_counting,
            std_kfactor, std_mixing, std, mixing, upper_limit (at%), weight_percent,
            weight_percent_std, counts, counts_std, kfactor.
        """
        import pandas as pd

        n_clusters, n_elements = self.atomic_percent.shape
        in_atomic_percent = replace(self, composition_units="atomic")
        columns = {
            "cluster": np.repeat(self.cluster_names, n_elements),
            "element": np.tile(self.elements, n_clusters),
            "line": np.tile(self.xray_lines, n_clusters),
            "kfactor": np.tile([self.kfactors[line] for line in self.xray_lines], n_clusters),
        }
        for name, values in {
            "atomic_percent": self.atomic_percent,
            "std_counting": self.std_counting,
            "std_kfactor": self.std_kfactor,
            "std_mixing": self.std_mixing,
            "std": self.std,
            "mixing": self.mixing,
            "upper_limit": in_atomic_percent.upper_limit,
            "weight_percent": self.weight_percent,
            "weight_percent_std": self.weight_percent_std,
            "counts": self.intensities,
            "counts_std": self.intensities_std,
        }.items():
            columns[name] = values.ravel()
        pd.DataFrame(columns).to_csv(path, index=False)

    def _absorption_remark(self):
        thickness = sorted(set(self.absorption.thickness))
        shown = " to ".join(f"{t:g}" for t in dict.fromkeys((thickness[0], thickness[-1])))
        known = ~np.isnan(self.absorption_factors).any(axis=1)
        if not known.any():
            return f"Absorption not corrected for {shown} nm: there are no counts of the lines"
        densities = np.array(self.absorption.density)[known]
        density = " to ".join(dict.fromkeys(f"{d:.2f}" for d in (densities.min(), densities.max())))
        largest = self.absorption_factors[known].max(axis=0)
        factors = ", ".join(
            f"{line} x{factor:.3f}"
            for line, factor in zip(self.xray_lines, largest, strict=True)
            if factor > NOTICEABLE
        )
        return (
            f"Absorption corrected for {shown} nm, {density} g/cm3, take-off angle "
            f"{self.absorption.take_off_angle:.1f} degrees: up to {factors or 'less than 0.05 %'}"
        )

    def _notes(self):
        """Remarks on what changed the numbers, which stand below them, list of str."""
        found = []
        theory = [line for line in self.xray_lines if self._is_theory(line)]
        if theory and len(theory) < len(self.xray_lines):
            found.append(f"* k-factor from theory: {', '.join(theory)}")
        if self.absorption is not None:
            found.append(self._absorption_remark())
        found += self._mixing_remarks()
        found += self._inside_remarks()
        found += [self._pair_remark(*pair) for pair in self.inseparable]
        names = [n for n, of in zip(self.cluster_names, self.background, strict=True) if of]
        if names:
            found.append(
                f"Background: {', '.join(names)}. What there is of the elements is no more than "
                "stray X-rays of the sample"
            )
        return found

    def _mixing_remarks(self):
        """What the table shows of the clusters, and what mixing does to it."""
        is_pure = np.abs(self.mixing).max(initial=0.0) < SMALLEST_MIXING
        embedded = [*map(self._embedded_remark, self.embedded)]
        if not self.weights or (is_pure and len(self.cluster_names) == 1):
            return [*self.phase_remarks, *embedded]
        shown = {
            "phase": "Phases: what blur had mixed in from neighbours is taken out",
            "membership": "Members: what the pixels of each cluster hold, blur not taken out",
            "hard": "Labels: what the pixels with each label hold, blur not taken out",
        }[self.weights]
        if is_pure and self.weights == "phase":
            shown = "Phases: nothing is taken out that neighbours had mixed in"
        known = np.where(self.background[:, None], 0.0, np.abs(self.mixing))
        cluster, element = np.unravel_index(np.argmax(known), known.shape)
        most = self.mixing[cluster, element]
        if abs(most) >= SMALLEST_MIXING:
            name = f"{self.elements[element]} in {self.cluster_names[cluster]}"
            changes = "had moved" if self.weights == "phase" else "moves"
            shown += f"; it {changes} {name} most, by {most:+.2g} at%"
        return [shown, *self.phase_remarks, *embedded]

    def _embedded_remark(self, embedded):
        """What an embedded phase holds of its hosts."""
        name = self.cluster_names[embedded.cluster]
        hosts = " and ".join(self.cluster_names[host] for host in embedded.hosts)
        if embedded.amounts is not None:
            return (
                f"{name} without {hosts}: {number_with_std(embedded.share, embedded.share_std)} of "
                f"its counts are taken off, with which {' and '.join(embedded.absent)} "
                f"vanish{'es' if len(embedded.absent) == 1 else ''}"
            )
        lower, upper = (ends[embedded.cluster] for ends in self.embedded_range)
        ranges = ", ".join(
            f"{element} {low:.1f} to {high:.1f}"
            for element, low, high in zip(self.elements, lower, upper, strict=True)
        )
        return (
            f"{name} in {hosts}: the counts alone cannot decide how much of {hosts} is in it. From "
            f"nothing to all that may be, it holds {ranges} at%. Name in `absent` an element that "
            "it does not hold"
        )

    def _inside_remarks(self):
        """What the pixels of clusters hold that vary inside."""
        if self.inside_range is None:
            return []
        found = []
        for name, *ends in zip(self.cluster_names, *self.inside_range, strict=True):
            ranges = [
                f"{element} {low:.1f} to {high:.1f}"
                for element, low, high in zip(self.elements, *ends, strict=True)
                if np.isfinite(low)
            ]
            if ranges:
                found.append(
                    f"{name} is no single composition: nine in ten of its pixels hold "
                    f"{', '.join(ranges)} at%"
                )
        return found

    def _pair_remark(self, line, other):
        element = self.xray_lines.index(line)
        known = ~self.background & np.isfinite(self.percent[:, element])
        limits = ", ".join(
            f"{most:.2g} {self.unit} in {name}"
            for name, most in zip(
                np.array(self.cluster_names)[known], self.upper_limit[known, element], strict=True
            )
        )
        return (
            f"The counts do not tell {line} from {other}: there is less {self.elements[element]} "
            f"than {limits or 'nothing known'} (95 %)"
        )

    def _range(self, cluster, element):
        """What an embedded phase may hold of an element; in at%, as nothing else is known."""
        if self.composition_units == "weight":
            return "range below"
        lower, upper = (ends[cluster, element] for ends in self.embedded_range)
        return f"{lower:.1f} to {upper:.1f}"

    def _is_theory(self, line):
        return self.kfactors.sources.get(line) == "theory"

    def _cells(self, template, limit):
        """Rows of text: elements, then the entropy, one column for each cluster."""
        theory = [self._is_theory(line) for line in self.xray_lines]
        rows = []
        absent = {(of.cluster, element) for of in self.embedded for element in of.absent}
        open_ranges = {of.cluster for of in self.embedded if of.amounts is None}
        for n, element in enumerate(self.elements):
            cells = [
                (BACKGROUND if n == 0 else "-")
                if background
                else self._range(k, n)
                if k in open_ranges
                else "absent"
                if (k, element) in absent
                else number_with_std(value, std, template)
                if detected or not np.isfinite(value)
                else limit.format(value=number_with_std(most, 0.1 * most, "{value}"))
                for k, value, std, detected, most, background in zip(
                    itertools.count(), self.percent[:, n], self.percent_std[:, n],
                    self.detected[:, n], self.upper_limit[:, n], self.background, strict=False,
                )
            ]  # fmt: skip
            rows.append([element + ("*" if theory[n] and not all(theory) else ""), *cells])
        entropy = zip(self.configurational_entropy, self.configurational_entropy_std, strict=True)
        rows.append([ENTROPY, *(number_with_std(v, s, template) for v, s in entropy)])
        return rows


def number_with_std(value, std, template="{value} ± {std}"):
    """A number and its standard deviation, rounded to two digits of the latter.

    Examples
    --------
    >>> number_with_std(25.412, 1.345)
    '25.4 ± 1.3'
    >>> number_with_std(0.0123, 0.0004)
    '0.01230 ± 0.00040'
    """
    if not np.isfinite(value):
        return "-"
    if not np.isfinite(std) or std <= 0:
        return f"{value:.3g}"
    decimals = int(np.clip(1 - np.floor(np.log10(std)), 1, 6))
    return template.format(value=f"{value:.{decimals}f}", std=f"{std:.{decimals}f}")
