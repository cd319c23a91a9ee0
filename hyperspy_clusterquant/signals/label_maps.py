"""Labels of clusters as a HyperSpy image that shows their names and colours."""

from __future__ import annotations

from functools import wraps

import numpy as np
from hyperspy.api import signals

from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.plotting.hyperspy_view import look_of_labels, name_colour_bars

#: Where the names of the clusters are in the metadata.
NAMES = "Cluster_labels.names"
#: And what pixels are called that are in none of them.
WORD = "Cluster_labels.noise"


class ClusterLabelMap(signals.Signal2D):
    """Labels of clusters, see ``ClusterResult.labels``: what ``ClusterResult.label_map`` returns.

    It is a HyperSpy image like any other, but ``plot`` shows each cluster in its colour, and the
    names at the colour bar; so does the map whose navigator it is.

    Examples
    --------
    >>> from hyperspy_clusterquant.data import six_cation_sulfide
    >>> s = six_cation_sulfide(size=48, channels=512)
    >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
    >>> result.label_map().plot()
    >>> s.plot(navigator=result.label_map())
    """

    _signal_type = "EDS_cluster_labels"

    @property
    def cluster_names(self):
        """Names of the clusters, list of str."""
        return [str(name) for name in np.atleast_1d(self.metadata.get_item(NAMES, []))]

    @wraps(signals.Signal2D.plot)
    def plot(self, *args, **kwargs):
        look = _look(self)
        plotted = super().plot(*args, **(look | kwargs))
        if look:
            name_colour_bars(look, self.cluster_names, _noise(self))
        return plotted


class LazyClusterLabelMap(ClusterLabelMap, signals.LazySignal2D):
    """Lazy `ClusterLabelMap`."""


def plot_with_labels(plot, navigator, kwargs):
    """Plot a map with a label map as its navigator, in the colours of the clusters.

    Parameters
    ----------
    plot : callable
        HyperSpy's.
    navigator : ClusterLabelMap
    kwargs : dict
        What a user said besides.

    Returns
    -------
    What HyperSpy's plot returns.
    """
    look = _look(navigator)
    asked = look | dict(kwargs.get("navigator_kwds") or {})
    plotted = plot(**{**kwargs, "navigator": navigator, "navigator_kwds": asked})
    if look:
        name_colour_bars(look, navigator.cluster_names, _noise(navigator))
    return plotted


def _look(labels):
    """Colours of the clusters, as keywords of HyperSpy's images.

    None if the values are no labels any more, as those of ``labels == 2`` and sums of bins.
    """
    if np.dtype(labels.data.dtype).kind != "i":
        return {}
    names = labels.cluster_names
    lowest, highest = int(labels.data.min()), int(labels.data.max())
    if lowest < MASKED or highest >= max(len(names), 1):
        return {}
    return look_of_labels(lowest, names)


def _noise(labels):
    """What pixels with the label -1 are called."""
    return str(labels.metadata.get_item(WORD, "noise"))
