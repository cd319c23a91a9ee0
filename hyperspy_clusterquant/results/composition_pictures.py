"""A table of compositions as pictures and images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import as_drawn_range, check_choice, cluster_number
from hyperspy_clusterquant.composition.design import is_lone
from hyperspy_clusterquant.composition.groups import shares_of_groups
from hyperspy_clusterquant.images import image
from hyperspy_clusterquant.plotting import (
    plot_composition,
    plot_composition_matrix,
    plot_peak_fit,
    plot_ternary,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from hyperspy.signals import BaseSignal
    from matplotlib.axes import Axes


class CompositionPictures:
    """What a `CompositionTable` draws, and its maps."""

    @property
    def maps(self) -> dict[str, BaseSignal] | None:
        """Composition of every pixel: a HyperSpy image by element, or None if not asked for."""
        if self.pixel_percent is None:
            return None
        titles = {element: f"{element} ({self.unit})" for element in self.elements}
        return {
            element: image(percent, self.axes, titles[element], quantity=titles[element])
            for element, percent in zip(self.elements, self.pixel_percent, strict=True)
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Composition bars with the interval of 68 % probability.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes
        """
        # Near zero and 100 an error bar of one std would leave what is possible.
        lower, upper = self.interval()
        lower, percent = (np.where(self.detected, x, 0.0) for x in (lower, self.percent))
        # Of what is hardly known, what is possible may lie above the value.
        lower, upper = np.fmin(lower, percent), np.fmax(upper, percent)
        return plot_composition(
            percent, lower, upper, self.cluster_names, self.elements, self.unit, ax=ax
        )

    def plot_heatmap(self, ax: Axes | None = None) -> Axes:
        """Compositions as a matrix of colours, each number with its standard deviation.

        What is not detected has its upper limit of 95 % probability instead.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes
        """
        rows = self._cells("{value}\n± {std}", "< {value}")[: len(self.elements)]
        texts = [[row[1 + k] for row in rows] for k in range(len(self.cluster_names))]
        return plot_composition_matrix(
            self.percent, texts, self.cluster_names, self.elements, self.unit, ax
        )

    def plot_ternary(self, corners: Sequence[str], ax: Axes | None = None) -> Axes:
        """Ternary diagram of three elements or sums of elements, with ellipses of 68 %.

        The ellipses hold the truth with a probability of 68 %, from counts, k-factors and mixing
        with all correlations; they are cut where a share would be negative.

        Parameters
        ----------
        corners : sequence of three str
            Elements, or sums of them such as ``"Cu+Fe"``: left, right and upper corner. Their
            shares of the three together are drawn, in at%.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ValueError
            If there are not three corners, or of elements that are not quantified.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> _ = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> table = s.cluster_quantification(extra_elements=["C", "O", "Au"])
        >>> ax = table.plot_ternary(["Ag+Cd", "Mn+Zn", "Cu+Fe"])
        """
        if isinstance(corners, str) or len(corners) != 3:
            raise ValueError(
                "A ternary diagram has three corners, each an element or a sum of elements, as in "
                f"['Ag', 'Cu+Fe', 'S']; got {corners!r}."
            )
        members = [[element.strip() for element in corner.split("+")] for corner in corners]
        groups = [self._positions("corners", of) for of in members]
        if len({n for group in groups for n in group}) < sum(map(len, groups)):
            raise ValueError(f"`corners` must name each element once, not {list(corners)}.")
        found = [
            shares_of_groups(x, covariance, groups)
            for x, covariance in zip(self.atomic_percent, self.covariance, strict=True)
        ]
        shares, covariances = (np.array(of) for of in zip(*found, strict=True))
        names = ["+".join(of) for of in members]
        return plot_ternary(shares, covariances, names, self.cluster_names, ax)

    def plot_fit(
        self,
        cluster: int | str = 0,
        axes: Sequence[Axes] | None = None,
        part: Literal["remaining", "subtracted", "whole"] = "remaining",
        *,
        energy_range: tuple[float, float] | None = None,
        unexplained: bool = True,
    ) -> np.ndarray:
        """Peak fit of a cluster: counts, model, families of lines, background, and residual.

        Parameters
        ----------
        cluster : int or str
            Number or name of the cluster.
        axes : sequence of two matplotlib.axes.Axes, optional
            Where to draw the spectrum and the residual in standard deviations; a new figure if
            not given.
        part : {"remaining", "subtracted", "whole"}
            Of an embedded phase: what is left of its spectrum without its hosts, what was
            subtracted, or the spectrum before.
        energy_range : tuple of float, optional
            In keV. Default: all that was fitted.
        unexplained : bool
            Whether peaks are named that belong to no declared element.

        Returns
        -------
        array of matplotlib.axes.Axes (2,)

        Raises
        ------
        ValueError
            If there is no such cluster, windows were integrated instead of a fit, or nothing was
            subtracted.
        """
        if not self.fits:
            raise ValueError(
                "There is no peak fit: the intensities are those of windows. Quantify with "
                "method='model'."
            )
        number = cluster_number(cluster, self.cluster_names, "the table")
        fit, name = self._fit_of(number, part), self.cluster_names[number]
        if part != "remaining":
            name = f"{name}, {part}"
        if not np.isfinite(fit.areas).all():
            raise ValueError(f"{name} holds no counts.")
        families = fit.design.families
        energy = fit.design.true_energy
        undeclared = {peak.line.partition("_")[0] for peak in self.unexplained if peak.line}
        named = [
            family.alpha
            for family in families
            if unexplained or not (is_lone(family) or family.element in undeclared)
        ]
        return plot_peak_fit(
            energy=energy,
            counts=fit.counts,
            model=fit.model,
            background=fit.background,
            artefacts=fit.artefacts,
            residual=fit.residual,
            alphas=[family.alpha for family in families],
            curves=fit.areas[:, None] * fit.design.profiles,
            title=f"{name}, chi² per channel {fit.reduced_chi_square:.2f}",
            axes=axes,
            energy_range=as_drawn_range(energy_range, energy),
            named=named,
        )

    def _fit_of(self, cluster, part):
        """Fit of the spectrum of a cluster, or of a part of it."""
        check_choice("part", part, ("remaining", "subtracted", "whole"))
        if part == "remaining":
            return self.fits[cluster]
        known = {of.cluster: of for of in self.embedded if of.amounts is not None}
        if cluster not in known:
            raise ValueError(
                f"Nothing was subtracted from {self.cluster_names[cluster]}: part={part!r} is of "
                "phases that are quantified with `embedded` and `absent`."
            )
        return getattr(known[cluster], part)
