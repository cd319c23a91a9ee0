"""Maps of clusters."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.plotting._style import (
    MASK_COLOUR,
    NOISE_COLOUR,
    axes_or_new,
    cluster_colours,
)
from hyperspy_clusterquant.results import MASKED, NOISE


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
    while labels.ndim > 2:
        labels = labels[0]
    image = np.atleast_2d(labels)
    is_line = labels.ndim == 1
    height = 1.8 if is_line else 4.2
    ax = axes_or_new(ax, (6.8, height), layout="compressed")
    colours = cluster_colours(result.n_clusters)
    cmap = ListedColormap([MASK_COLOUR, NOISE_COLOUR, *colours])
    norm = BoundaryNorm(np.arange(MASKED - 0.5, result.n_clusters + 0.5), cmap.N)
    ax.imshow(
        image, cmap=cmap, norm=norm, interpolation="nearest", aspect="auto" if is_line else "equal"
    )
    kept = max(np.count_nonzero(result.labels != MASKED), 1)
    entries = [
        Patch(facecolor=colour, edgecolor="0.3", label=f"{name} ({size / kept:.0%})")
        for name, colour, size in zip(result.cluster_names, colours, result.sizes, strict=True)
    ]
    for value, colour, what in ((NOISE, NOISE_COLOUR, "noise"), (MASKED, MASK_COLOUR, "left out")):
        if np.any(labels == value):
            entries.append(Patch(facecolor=colour, edgecolor="0.3", label=what))
    ax.legend(
        handles=entries, loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False, fontsize=9
    )
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_title(result.name, fontsize=10, loc="left")
    if result.axes:
        draw_scale_bar(ax, result.axes[-1], image.shape[1])
    return ax


def draw_scale_bar(ax, axis, n_pixels):
    """Scale bar of a round length, about a fifth of the width."""
    from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

    wanted = 0.2 * n_pixels * abs(axis["scale"])
    magnitude = 10.0 ** np.floor(np.log10(wanted))
    length = max(step * magnitude for step in (1, 2, 5) if step * magnitude <= wanted)
    units = axis["units"] or "px"
    bar = AnchoredSizeBar(
        ax.transData,
        length / abs(axis["scale"]),
        f"{length:g} {units}",
        loc="lower right",
        pad=0.35,
        borderpad=0.5,
        sep=4,
        frameon=True,
        size_vertical=max(n_pixels / 120, 0.3) if ax.get_aspect() != "auto" else 0.02,
        color="black",
    )
    bar.patch.set(alpha=0.85, edgecolor="none")
    ax.add_artist(bar)
