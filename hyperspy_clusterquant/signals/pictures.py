"""Pictures of clusters: the methods of the signal classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.plotting import (
    plot_criterion,
    plot_label_map,
    plot_scree,
    plot_spectra,
)
from hyperspy_clusterquant.signals.axes import counts_of, energy_in_kev
from hyperspy_clusterquant.signals.metadata import elements_of
from hyperspy_clusterquant.xrays.lines import alpha_lines, line_energy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hyperspy_clusterquant._types import Weights
    from hyperspy_clusterquant.results.clusters import ClusterResult

#: Spectra are drawn from here on, in keV: below is the noise of the detector.
LOWEST_ENERGY = 0.1
#: Eigenvalues that a scree plot shows.
N_EIGENVALUES = 20


class ClusterPictures:
    """Maps, spectra and diagnostics of clusters as matplotlib axes."""

    def plot_clusters(
        self, result: ClusterResult | str | None = None, ax: Axes | None = None
    ) -> Axes:
        """Map of the clusters, with legend and scale bar.

        Of a stack the first map is drawn; the shares in the legend are those of the stack.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes
        """
        result = self._get_cluster_result(result)
        shares = result.sizes / max(np.count_nonzero(result.labels != MASKED), 1)
        return plot_label_map(
            result.labels, result.axes, result.cluster_names, shares, result.name, ax
        )

    def plot_cluster_spectra(
        self,
        result: ClusterResult | str | None = None,
        weights: Weights = "phase",
        ax: Axes | None = None,
    ) -> Axes:
        """Spectrum of each phase in the colours of its cluster on the map, with the X-ray lines.

        Each is scaled to the share of its channels in its counts.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        weights : {"phase", "membership", "hard"}
            See `get_cluster_spectra`.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes
        """
        result = self._get_cluster_result(result)
        spectra = self.get_cluster_spectra(result, weights)
        energy = energy_in_kev(self)
        lines = alpha_lines(elements_of(self), energy[0], energy[-1])
        lines = {line: line_energy(line) for line in lines}
        shown = energy >= LOWEST_ENERGY
        # Those of phases are negative by noise where there is nothing.
        counts = np.maximum(counts_of(spectra)[:, shown], 0)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return plot_spectra(energy[shown], shares, result.cluster_names, lines, ax)

    def plot_cluster_scree(
        self, result: ClusterResult | str | None = None, ax: Axes | None = None
    ) -> Axes:
        """Scree plot with the edge of the noise.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes
        """
        result = self._get_cluster_result(result)
        if not len(result.eigenvalues):
            raise ValueError(
                f"The clusters of {result.name!r} were learned on another map: the scree plot is "
                "there."
            )
        return plot_scree(result.eigenvalues[:N_EIGENVALUES], result.noise_edge, ax)

    def plot_cluster_criterion(
        self, result: ClusterResult | str | None = None, ax: Axes | None = None
    ) -> Axes:
        """Criterion that chose the number of clusters of workflow 1.

        For ``n_clusters="auto"``, the groups with gaps between them that mixtures of more and more
        Gaussians leave; for ``"bic"``, the Bayesian information criterion.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ValueError
            If the number of clusters was not chosen by a criterion.
        """
        result = self._get_cluster_result(result)
        if "criterion_curve" not in result.parameters:
            raise ValueError(
                f"No criterion chose the clusters of {result.name!r}: it takes "
                "s.cluster_pca_gmm() with n_clusters='auto' or 'bic', and more than shot noise."
            )
        curve, criterion = (result.parameters[key] for key in ("criterion_curve", "criterion"))
        return plot_criterion(curve, result.n_clusters, criterion, ax)
