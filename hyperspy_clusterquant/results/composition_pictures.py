"""A table of compositions as pictures and images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import check_choice, cluster_number
from hyperspy_clusterquant.images import image
from hyperspy_clusterquant.plotting import plot_composition, plot_peak_fit

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

    def plot_fit(
        self,
        cluster: int | str = 0,
        axes: Sequence[Axes] | None = None,
        part: Literal["remaining", "subtracted", "whole"] = "remaining",
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
        return plot_peak_fit(
            energy=fit.design.true_energy,
            counts=fit.counts,
            model=fit.model,
            background=fit.background,
            artefacts=fit.artefacts,
            residual=fit.residual,
            alphas=[family.alpha for family in fit.design.families],
            curves=fit.areas[:, None] * fit.design.profiles,
            title=f"{name}, chi² per channel {fit.reduced_chi_square:.2f}",
            axes=axes,
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
