"""Maps of clusters."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.clusters.labels import MASKED, NOISE
from hyperspy_clusterquant.plotting.style import (
    MASK_COLOUR,
    NOISE_COLOUR,
    axes_or_new,
    cluster_colours,
    draw_map,
)


def plot_label_map(result, ax=None):
    """Draw the labels of a clustering with a legend and a scale bar.

    Parameters
    ----------
    result : ClusterResult
        Of a map or a line scan; of a stack, the first map is drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    labels = result.labels
    height = 1.8 if labels.ndim == 1 else 4.2
    ax = axes_or_new(ax, (6.8, height), layout="compressed")
    colours = cluster_colours(result.n_clusters)
    cmap = ListedColormap([MASK_COLOUR, NOISE_COLOUR, *colours])
    norm = BoundaryNorm(np.arange(MASKED - 0.5, result.n_clusters + 0.5), cmap.N)
    image = draw_map(ax, labels, result.axes, cmap=cmap, norm=norm).get_array()
    kept = max(np.count_nonzero(result.labels != MASKED), 1)
    entries = [
        Patch(facecolor=colour, edgecolor="0.3", label=f"{name} ({size / kept:.0%})")
        for name, colour, size in zip(result.cluster_names, colours, result.sizes, strict=True)
    ]
    for value, colour, what in ((NOISE, NOISE_COLOUR, "noise"), (MASKED, MASK_COLOUR, "left out")):
        if np.any(image == value):
            entries.append(Patch(facecolor=colour, edgecolor="0.3", label=what))
    ax.legend(
        handles=entries, loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False, fontsize=9
    )
    ax.set_title(result.name, fontsize=10, loc="left")
    return ax
