"""The composition of clusters as users hold it: frozen, with everything it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np

from hyperspy_clusterquant.composition.uncertainty import (
    DETECTED,
    LIMIT,
    distance_in_std,
    parse_formula,
    quantile_above_zero,
    ratio,
)
from hyperspy_clusterquant.xrays.emission import atomic_weight


class ValuesWithStd(NamedTuple):
    """A value for each cluster and its standard deviation."""

    values: np.ndarray
    std: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class CompositionTable:
    """Composition of each cluster, with uncertainties of one standard deviation.

    Attributes
    ----------
    cluster_names, elements, xray_lines : tuple of str
        Rows and columns of the arrays below.
    atomic_percent, weight_percent : array (n_clusters, n_elements)
        Sum to 100 for each cluster; NaN where a cluster holds no counts.
    covariance_counting, covariance_kfactor : array (n_clusters, n_elements, n_elements)
        Of the at%, from the counts and from the k-factors.
    weight_percent_std : array (n_clusters, n_elements)
        Like `std`, in wt%.
    intensities, intensities_std : array (n_clusters, n_elements)
        Counts of each element's line, never negative.
    unconstrained_intensities : array (n_clusters, n_elements)
        The same, but negative where the fit would be better so.
    kfactors : KFactors
        By weight; a dictionary with ``relative_uncertainty`` and ``sources``.
    configurational_entropy, configurational_entropy_std : array (n_clusters,)
        In units of R per mole of atoms, over the sublattices.
    sublattices : tuple of tuple of str
        Elements that share sites.
    composition_units : {"atomic", "weight"}
        What the printed table shows.
    absorption : Absorption or None
        Thickness, density and take-off angle, if absorption was corrected.
    absorption_factors : array (n_clusters, n_elements)
        What the intensities were multiplied with; 1 if absorption was not corrected.
    fits : tuple of PeakFit
        Peak fit of each cluster; empty for windows.
    calibration : Calibration or None
        Energy axis and resolution that the peaks were fitted with; None for windows.
    unexplained : tuple of UnexplainedPeak
        Peaks that no declared element explains. They were fitted along.
    maps : dict of str: BaseSignal, or None
        Composition of every pixel by element, if it was asked for with ``per_pixel=True``; NaN
        where a pixel is left out or its counts are too few to say anything. Values scatter as
        the counts do, also below zero.
    """

    cluster_names: tuple
    elements: tuple
    xray_lines: tuple
    atomic_percent: np.ndarray
    weight_percent: np.ndarray
    covariance_counting: np.ndarray
    covariance_kfactor: np.ndarray
    weight_percent_std: np.ndarray
    intensities: np.ndarray
    intensities_std: np.ndarray
    unconstrained_intensities: np.ndarray
    kfactors: Mapping
    configurational_entropy: np.ndarray
    configurational_entropy_std: np.ndarray
    absorption_factors: np.ndarray
    sublattices: tuple = ()
    composition_units: str = "atomic"
    absorption: object = None
    fits: tuple = ()
    calibration: object = None
    unexplained: tuple = ()
    maps: dict | None = None

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):  # nobody else's array, and not to be changed
                value = value.copy()
                value.setflags(write=False)
                object.__setattr__(self, field.name, value)

    # --- uncertainties --------------------------------------------------------------------

    @property
    def std_counting(self):
        """Standard deviation in at% from the counts, array (n_clusters, n_elements)."""
        return _roots(self.covariance_counting)

    @property
    def std_kfactor(self):
        """Standard deviation in at% from the k-factors, array (n_clusters, n_elements)."""
        return _roots(self.covariance_kfactor)

    @property
    def std(self):
        """Standard deviation in at%, from counts and k-factors."""
        return np.hypot(self.std_counting, self.std_kfactor)

    @property
    def percent(self):
        """What the table shows: `atomic_percent` or `weight_percent`."""
        return self.weight_percent if self.composition_units == "weight" else self.atomic_percent

    @property
    def percent_std(self):
        """Standard deviation of `percent`."""
        return self.weight_percent_std if self.composition_units == "weight" else self.std

    @property
    def unit(self):
        """``"at%"`` or ``"wt%"``."""
        return "wt%" if self.composition_units == "weight" else "at%"

    @property
    def detected(self):
        """Where the counts of a line are more than noise, array of bool (n_clusters, n_elements).

        That is, more than 1.645 standard deviations: noise alone exceeds them in 5 % of the cases
        (L. A. Currie, Anal. Chem. 40 (1968) 586).
        """
        with np.errstate(invalid="ignore"):
            return self.unconstrained_intensities > DETECTED * self.intensities_std

    @property
    def upper_limit(self):
        """Percentage that the truth is below with 95 % probability, given that it is not negative.

        In the units of `percent`, array (n_clusters, n_elements).
        """
        return self._quantile(LIMIT)

    def interval(self, probability=0.683):
        """Interval of the true percentages: symmetric far from zero, and never negative.

        Parameters
        ----------
        probability : float
            Probability that the truth lies inside; half of the rest on either side.

        Returns
        -------
        lower, upper : array (n_clusters, n_elements)
            In the units of `percent`, from the counts and the k-factors.

        Examples
        --------
        >>> from hyperspy_clusterquant import data
        >>> s = data.seven_cation_nanoparticles(size=24, channels=512)
        >>> _ = s.cluster_pca_gmm(n_clusters=1, show_progressbar=False)
        >>> table = s.cluster_quantification(
        ...     kfactors=s.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"])
        >>> lower, upper = table.interval()
        >>> bool((lower >= 0).all() and (lower < upper).all())
        True
        """
        if not 0 < probability < 1:
            raise ValueError(f"`probability` must lie between 0 and 1, not {probability!r}.")
        return self._quantile((1 - probability) / 2), self._quantile((1 + probability) / 2)

    def _quantile(self, probability):
        """Percentages that the truth is below with some probability."""
        factors = np.array([self.kfactors[line] for line in self.xray_lines])
        if self.composition_units == "atomic":
            factors = factors / np.array([atomic_weight(element) for element in self.elements])
        factors = factors * self.absorption_factors
        with np.errstate(invalid="ignore"):
            total = (factors * self.intensities).sum(axis=1, keepdims=True)
            estimate = 100 * factors * self.unconstrained_intensities / total
            quantile = quantile_above_zero(estimate, self.percent_std, probability)
        return np.minimum(quantile, 100.0)

    # --- chemistry ------------------------------------------------------------------------

    def ratio(self, numerator, denominator):
        """Ratio of atomic fractions, such as metal to sulfur, with all correlations.

        Parameters
        ----------
        numerator, denominator : str or list of str
            Elements whose atomic fractions are added.

        Returns
        -------
        ValuesWithStd
            ``values`` and ``std``, arrays (n_clusters,); NaN where the denominator is zero.

        Examples
        --------
        >>> from hyperspy_clusterquant import data
        >>> s = data.seven_cation_nanoparticles(size=48, channels=512, counts_per_pixel=300)
        >>> _ = s.cluster_pca_gmm(n_clusters=1, show_progressbar=False)
        >>> table = s.cluster_quantification(
        ...     kfactors=s.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"])
        >>> ratio = table.ratio("S", ["Ag", "Co", "Cu", "Ga", "In", "Mn", "Zn"])
        >>> bool(abs(ratio.values[0] - 1.08) < 4 * ratio.std[0])
        True
        """
        top = self._positions("numerator", numerator)
        bottom = self._positions("denominator", denominator)
        covariance = self.covariance_counting + self.covariance_kfactor
        pairs = [
            ratio(x, c, top, bottom) for x, c in zip(self.atomic_percent, covariance, strict=True)
        ]
        return ValuesWithStd(*np.array(pairs).reshape(-1, 2).T)

    def _positions(self, name, elements):
        elements = [elements] if isinstance(elements, str) else list(elements)
        for element in elements:
            if element not in self.elements:
                raise ValueError(
                    f"{element!r} in `{name}` is not among the quantified elements "
                    f"({', '.join(self.elements)})."
                )
        if not elements or len(set(elements)) < len(elements):
            raise ValueError(f"`{name}` must name one or more elements once each, not {elements}.")
        return [self.elements.index(element) for element in elements]

    def nearest_compounds(self, compounds):
        """Reference compounds in the order of their distance from each cluster.

        Parameters
        ----------
        compounds : dict of str: str
            Chemical formula of each compound, such as ``{"jalpaite": "Ag3CuS2"}``.

        Returns
        -------
        pandas.DataFrame
            A row for each cluster and compound, the nearest first: ``distance`` is the root mean
            square of the difference in standard deviations, along all independent directions and
            with all correlations (1 = what the uncertainty explains), ``difference`` that of
            the largest difference in at%.

        Raises
        ------
        ValueError
            If a compound holds an element that is not quantified.

        Examples
        --------
        >>> from hyperspy_clusterquant import data
        >>> s = data.six_cation_sulfide(size=48, channels=512)
        >>> _ = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> table = s.cluster_quantification(
        ...     kfactors=s.metadata.Ground_truth.kfactors, kfactor_uncertainty=0.04,
        ...     extra_elements=["C", "Au"])
        >>> near = table.nearest_compounds({"chalcopyrite": "CuFeS2", "jalpaite": "Ag3CuS2"})
        >>> near.loc["cluster 1"].compound.iloc[0]
        'chalcopyrite'
        """
        import pandas as pd

        if not hasattr(compounds, "items"):
            raise TypeError(
                "`compounds` must be a dictionary of names and formulas, such as "
                f"{{'jalpaite': 'Ag3CuS2'}}; got {compounds!r}."
            )
        references = {name: self._reference(name, f) for name, f in compounds.items()}
        covariance = self.covariance_counting + self.covariance_kfactor
        rows = []
        for cluster, x, c in zip(self.cluster_names, self.atomic_percent, covariance, strict=True):
            if np.isnan(x).any():
                continue
            of_cluster = []
            for name, reference in references.items():
                distance = distance_in_std(x - reference, c)
                largest = np.abs(x - reference).max()
                of_cluster.append((cluster, name, compounds[name], distance, largest))
            rows += sorted(of_cluster, key=lambda row: row[3:])
        columns = ["cluster", "compound", "formula", "distance", "difference"]
        return pd.DataFrame(rows, columns=columns).set_index("cluster")

    def _reference(self, name, formula):
        """Composition of a compound in at%, array (n_elements,)."""
        atoms = parse_formula(formula)
        missing = [element for element in atoms if element not in self.elements]
        if missing:
            raise ValueError(
                f"{name} ({formula}) holds {', '.join(missing)}, which is not among the quantified "
                f"elements ({', '.join(self.elements)}). Leave the compound out, or declare the "
                "element with s.add_elements([...]) and quantify again."
            )
        composition = np.array([atoms.get(element, 0.0) for element in self.elements])
        return 100 * composition / composition.sum()

    # --- output ---------------------------------------------------------------------------

    @property
    def remarks(self):
        """What was decided on the way, one text each, tuple of str."""
        remarks = []
        theory = [line for line in self.xray_lines if self._is_theory(line)]
        if theory and len(theory) < len(self.xray_lines):
            remarks.append(f"* k-factor from theory: {', '.join(theory)}")
        if self.absorption is not None:
            remarks.append(self._absorption_remark())
        if self.calibration is not None:
            energies = self.calibration.fit.design.energy[[0, -1]]
            shifts = self.calibration.shift(energies)
            remarks.append(
                f"Energy axis moved by {shifts[0]:+.1f} eV at {energies[0]:.1f} keV and "
                f"{shifts[1]:+.1f} eV at {energies[1]:.1f} keV, resolution at Mn Ka "
                f"{self.calibration.scale.resolution:.1f} eV"
            )
            quality = [fit.reduced_chi_square for fit in self.fits if fit.counts.sum() > 0]
            remarks.append(
                f"Squared residual per channel of the fits: {min(quality):.1f} to "
                f"{max(quality):.1f} (1 = noise)"
            )
        if self.unexplained:
            peaks = ", ".join(map(str, self.unexplained))
            remarks.append(f"Peaks that no declared element explains: {peaks}")
        return tuple(remarks)

    def _is_theory(self, line):
        return getattr(self.kfactors, "sources", {}).get(line) == "theory"

    def _absorption_remark(self):
        thickness = sorted(set(self.absorption.thickness))
        shown = " to ".join(f"{t:g}" for t in dict.fromkeys((thickness[0], thickness[-1])))
        densities = [d for d in self.absorption.density if np.isfinite(d)]
        density = " to ".join(dict.fromkeys(f"{d:.2f}" for d in (min(densities), max(densities))))
        largest = np.nanmax(self.absorption_factors, axis=0)
        factors = ", ".join(
            f"{line} x{factor:.3f}"
            for line, factor in zip(self.xray_lines, largest, strict=True)
            if factor > 1.0005
        )
        return (
            f"Absorption corrected for {shown} nm, {density} g/cm3, take-off angle "
            f"{self.absorption.take_off_angle:.1f} degrees: up to {factors or 'less than 0.05 %'}"
        )

    def _cells(self, template, limit):
        """Rows of text: elements, then the entropy, one column for each cluster."""
        marks = [
            "*" if self._is_theory(line) and not all(map(self._is_theory, self.xray_lines)) else ""
            for line in self.xray_lines
        ]
        rows = []
        for n, (element, mark) in enumerate(zip(self.elements, marks, strict=True)):
            cells = [
                number_with_std(value, std, template)
                if detected or not np.isfinite(value)
                else limit.format(value=number_with_std(most, 0.1 * most, "{value}"))
                for value, std, detected, most in zip(
                    self.percent[:, n], self.percent_std[:, n], self.detected[:, n],
                    self.upper_limit[:, n], strict=True,
                )
            ]  # fmt: skip
            rows.append([element + mark, *cells])
        entropy = zip(self.configurational_entropy, self.configurational_entropy_std, strict=True)
        rows.append(["S_conf/R", *(number_with_std(v, s, template) for v, s in entropy)])
        return rows

    def __str__(self):
        cells = self._cells("{value} ± {std}", "< {value}")
        rows = [[self.unit, *self.cluster_names], *cells]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [
            "  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows
        ]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        # What changed the numbers stands below them; the rest is in `remarks`.
        notes = [r for r in self.remarks if r.startswith(("*", "Absorption"))]
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], *notes])

    def __repr__(self):
        return (
            f"<CompositionTable: {len(self.cluster_names)} clusters x {len(self.elements)} "
            f"elements>\n{self}"
        )

    def _repr_html_(self):
        return self.to_html()

    def to_html(self):
        """Table as HTML, with the remarks below."""
        import html

        remarks = "".join(f"<p>{html.escape(remark)}</p>" for remark in self.remarks)
        return self.to_dataframe(text=True).to_html() + remarks

    def to_dataframe(self, text=False):
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
            index=pd.Index([*self.elements, "S_conf/R"], name="element"),
            columns=pd.MultiIndex.from_product([self.cluster_names, [self.unit, "std"]]),
        )

    def to_csv(self, path):
        """Write one row for each cluster and element, with everything a plot needs.

        Parameters
        ----------
        path : str or path
            File with the columns cluster, element, line, atomic_percent, std_counting,
            std_kfactor, std, upper_limit (at%), weight_percent, weight_percent_std, counts,
            counts_std, kfactor.
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
            "std": self.std,
            "upper_limit": in_atomic_percent.upper_limit,
            "weight_percent": self.weight_percent,
            "weight_percent_std": self.weight_percent_std,
            "counts": self.intensities,
            "counts_std": self.intensities_std,
        }.items():
            columns[name] = values.ravel()
        pd.DataFrame(columns).to_csv(path, index=False)

    def to_latex(self):
        r"""Table as a LaTeX ``tabular`` (needs no package)."""
        rows = self._cells("${value} \\pm {std}$", "$< {value}$")
        rows[-1][0] = r"$S_\mathrm{conf}/R$"
        special = str.maketrans(
            {sign: rf"\{sign}" for sign in "_%&#${}"}
            | {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}
        )
        escaped = [cell.translate(special) for cell in (self.unit, *self.cluster_names)]
        body = [" & ".join(row) + r" \\" for row in rows]
        notes = [remark for remark in self.remarks if remark.startswith(("*", "Absorption"))]
        return "\n".join(
            [
                rf"\begin{{tabular}}{{l{'c' * len(self.cluster_names)}}}",
                r"\hline",
                " & ".join(escaped) + r" \\",
                r"\hline",
                *body,
                r"\hline",
                r"\end{tabular}",
                *(rf"\par{{\footnotesize {note.translate(special)}}}" for note in notes),
            ]
        )

    def plot(self, ax=None):
        """Composition bars with error bars.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes
        """
        from hyperspy_clusterquant.plotting import plot_composition

        return plot_composition(self, ax=ax)

    def plot_fit(self, cluster=0, axes=None):
        """Peak fit of a cluster: counts, model, families of lines, background, and residual.

        Parameters
        ----------
        cluster : int or str
            Number or name of the cluster.
        axes : sequence of two matplotlib.axes.Axes, optional
            Where to draw the spectrum and the residual in standard deviations; a new figure if
            not given.

        Returns
        -------
        array of matplotlib.axes.Axes (2,)

        Raises
        ------
        ValueError
            If there is no such cluster, or windows were integrated instead of a fit.
        """
        from hyperspy_clusterquant.plotting import plot_peak_fit

        if not self.fits:
            raise ValueError(
                "There is no peak fit: the intensities are those of windows. Quantify with "
                "method='model'."
            )
        if cluster in self.cluster_names:
            cluster = self.cluster_names.index(cluster)
        if cluster not in range(len(self.cluster_names)):
            raise ValueError(
                f"There is no cluster {cluster!r}; there are 0 to {len(self.cluster_names) - 1}: "
                f"{', '.join(self.cluster_names)}."
            )
        fit = self.fits[cluster]
        if not np.isfinite(fit.areas).all():
            raise ValueError(f"{self.cluster_names[cluster]} holds no counts.")
        return plot_peak_fit(fit, self.cluster_names[cluster], axes=axes)


def _roots(covariance):
    return np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0))


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
