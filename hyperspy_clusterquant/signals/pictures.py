"""Pictures of clusters: the methods of the signal classes."""

from __future__ import annotations

from functools import partial, wraps
from typing import TYPE_CHECKING

import numpy as np
from exspy.signals import EDSTEMSpectrum

from hyperspy_clusterquant._checks import as_drawn_range, check_has_clusters, cluster_number
from hyperspy_clusterquant.clusters.catalogue import word_for_noise
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.plotting import (
    cluster_colours,
    map_of,
    plot_criterion,
    plot_label_map,
    plot_label_maps,
    plot_membership_maps,
    plot_scree,
    plot_spectra,
)
from hyperspy_clusterquant.plotting.style import LOWEST_ENERGY
from hyperspy_clusterquant.signals.axes import counts_of, energy_in_kev
from hyperspy_clusterquant.signals.diagrams import ClusterDiagrams
from hyperspy_clusterquant.signals.label_maps import ClusterLabelMap, plot_with_labels
from hyperspy_clusterquant.signals.metadata import elements_of
from hyperspy_clusterquant.xrays.lines import alpha_lines, line_energy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from hyperspy_clusterquant._types import Weights
    from hyperspy_clusterquant.results.clusters import ClusterResult

#: Eigenvalues that a scree plot shows.
N_EIGENVALUES = 20


class ClusterPictures(ClusterDiagrams):
    """Maps, spectra and diagnostics of clusters as matplotlib axes."""

    @wraps(EDSTEMSpectrum.plot)
    def plot(self, *args, **kwargs):
        navigator = kwargs.get("navigator", "auto")
        if isinstance(navigator, str) and navigator == "auto":
            navigator = self.navigator
        if isinstance(navigator, ClusterLabelMap):
            return plot_with_labels(partial(super().plot, *args), navigator, kwargs)
        return super().plot(*args, **kwargs)

    def plot_clusters(
        self,
        result: ClusterResult | str | None = None,
        ax: Axes | Sequence[Axes] | None = None,
        *,
        shade: bool = False,
        index: int | None = None,
    ) -> Axes | np.ndarray:
        """Map of the clusters, with legend and scale bar; of a line scan, bars along it.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given. Of a stack, one for each map.
        shade : bool
            Whether colours are as strong, and bars as high, as the membership of each pixel in its
            cluster.
        index : int, optional
            Number of the map that is drawn of a stack. Default: all side by side, up to twelve.

        Returns
        -------
        matplotlib.axes.Axes, or array of them
            An array for the maps of a stack.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=32, channels=512)
        >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> ax = s.plot_clusters(shade=True)
        """
        result = self._get_cluster_result(result)
        labels = result.labels
        own = _own_memberships(result) if shade else None
        if labels.ndim > 2 and index is None and not (ax is None or np.iterable(ax)):
            raise ValueError(
                f"The map is a stack of {len(labels.reshape(-1, *labels.shape[-2:]))} maps: say "
                "which one to draw in `ax`, as in index=0, or leave out `ax` to see all."
            )
        if index is not None:
            labels, own = (None if x is None else map_of(x, index) for x in (labels, own))
        noise = word_for_noise(result.workflow)
        drawn = labels, result.axes, result.cluster_names, _shares(labels, result.n_clusters)
        if labels.ndim > 2:
            return plot_label_maps(*drawn, result.name, ax, own, noise)
        is_one_of_some = result.labels.ndim > 2
        title = f"{result.name}, index {index}" if is_one_of_some else result.name
        return plot_label_map(*drawn, title, ax, own, noise)

    def plot_cluster_memberships(
        self,
        result: ClusterResult | str | None = None,
        axes: Sequence[Axes] | None = None,
        *,
        index: int = 0,
    ) -> np.ndarray:
        """Maps of the memberships in each cluster side by side, on one scale from 0 to 1.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        axes : sequence of matplotlib.axes.Axes, optional
            Where to draw, one for each cluster; a new figure if not given.
        index : int
            Number of the map that is drawn of a stack.

        Returns
        -------
        array of matplotlib.axes.Axes (n_clusters,)
        """
        result = self._get_cluster_result(result)
        check_has_clusters(result)
        maps = [
            map_of(np.where(result.labels == MASKED, np.nan, of), index)
            for of in result.memberships
        ]
        return plot_membership_maps(
            np.array(maps), result.axes, result.cluster_names, f"Memberships {result.name}", axes
        )

    def plot_cluster_spectra(
        self,
        result: ClusterResult | str | None = None,
        weights: Weights = "phase",
        ax: Axes | None = None,
        *,
        clusters: int | str | Iterable[int | str] | None = None,
        energy_range: tuple[float, float] | None = None,
        log: bool | None = None,
        normalize: bool = True,
        offset: float = 0.0,
        difference_to: int | str | None = None,
    ) -> Axes:
        """Spectrum of each phase in the colours of its cluster on the map, with the X-ray lines.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        weights : {"phase", "membership", "hard"}
            See `get_cluster_spectra`.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.
        clusters : int, str or list of these, optional
            Numbers or names of the clusters to draw. Default: all.
        energy_range : tuple of float, optional
            In keV. Default: all, up to the highest line of the declared elements.
        log : bool, optional
            Whether the axis of the counts is logarithmic. Default: yes, unless a difference is
            drawn, which may be negative.
        normalize : bool
            Whether each spectrum is scaled to the share of its channels in its counts; else counts
            are drawn.
        offset : float
            How far each spectrum is lifted above the one before: decades of a logarithmic axis, or
            heights of the highest peak.
        difference_to : int or str, optional
            Cluster whose spectrum is subtracted from the others, scaled to as many counts.

        Returns
        -------
        matplotlib.axes.Axes

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=32, channels=512)
        >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> ax = s.plot_cluster_spectra(difference_to=0, energy_range=(1, 5))
        """
        result = self._get_cluster_result(result)
        names = result.cluster_names
        chosen = range(len(names)) if clusters is None else as_numbers(clusters, result)
        reference = None if difference_to is None else as_numbers(difference_to, result)[0]
        if reference is not None and log:
            raise ValueError("A difference may be negative, so it has no logarithm: log=False.")
        energy = energy_in_kev(self)
        shown = energy >= LOWEST_ENERGY
        energy_range = as_drawn_range(energy_range, energy[shown])
        counts = np.asarray(counts_of(self.get_cluster_spectra(result, weights)))[:, shown]
        values, one_count = _values_to_draw(counts, normalize, reference)
        chosen = [k for k in chosen if k != reference]
        lines = alpha_lines(elements_of(self), energy[0], energy[-1])
        quantity = "Share of the counts" if normalize else "Counts"
        return plot_spectra(
            energy[shown], values[chosen], [names[k] for k in chosen],
            {line: line_energy(line) for line in lines}, ax,
            colours=[cluster_colours(len(names))[k] for k in chosen],
            quantity=quantity if reference is None else f"{quantity} less {names[reference]}",
            one_count=one_count, log=reference is None if log is None else bool(log),
            offset=offset, energy_range=energy_range,
        )  # fmt: skip

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
                f"The clusters of {result.name!r} were not learned on this map, but on another one "
                "or by hand: there is no scree plot."
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


def as_numbers(clusters, result):
    """Numbers of clusters of a result, given by numbers or names, one or several, as a list."""
    one = isinstance(clusters, str) or not np.iterable(clusters)
    what = f"the result {result.name!r}"
    return [
        cluster_number(key, result.cluster_names, what) for key in ([clusters] if one else clusters)
    ]


def _own_memberships(result):
    """Membership of each pixel in its own cluster, array (map shape); 0 where it is in none."""
    own = np.maximum(result.labels, 0)[None]
    if result.n_clusters == 0:
        return np.zeros(result.labels.shape)
    return np.where(result.labels >= 0, np.take_along_axis(result.memberships, own, axis=0)[0], 0)


def _shares(labels, n_clusters):
    """Share of each cluster of the pixels that are not left out."""
    sizes = np.bincount(labels[labels >= 0], minlength=n_clusters)
    return sizes / max(np.count_nonzero(labels != MASKED), 1)


def _values_to_draw(counts, normalize, reference):
    """Spectra (n_clusters, channels) as they are drawn, and what one count is in them."""
    # Those of phases are negative by noise where there is nothing.
    counts = np.maximum(counts, 0) if reference is None else counts
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    if reference is not None:
        counts = counts - counts[reference] * (totals / totals[reference])
    return (counts / totals, 1 / totals.max()) if normalize else (counts, 1.0)
