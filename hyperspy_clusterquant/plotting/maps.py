"""Maps of clusters, of X-ray lines, and of where labels are stable."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._text import p_text
from hyperspy_clusterquant.clusters.labels import MASKED, NOISE
from hyperspy_clusterquant.plotting.style import (
    MASK_COLOUR,
    NOISE_COLOUR,
    axes_or_new,
    cluster_colours,
    draw_map,
    legend_beside,
    line_label,
)


def plot_label_map(labels, map_axes, names, shares, title, ax=None):
    """Draw labels with a scale bar, and a legend of the clusters' names and shares of the map."""
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    n_clusters = len(names)
    ax = axes_or_new(ax, (6.8, 1.8 if labels.ndim == 1 else 4.2), layout="compressed")
    colours = cluster_colours(n_clusters)
    cmap = ListedColormap([MASK_COLOUR, NOISE_COLOUR, *colours])
    norm = BoundaryNorm(np.arange(MASKED - 0.5, n_clusters + 0.5), cmap.N)
    image = draw_map(ax, labels, map_axes, cmap=cmap, norm=norm).get_array()
    entries = [
        Patch(facecolor=colour, edgecolor="0.3", label=f"{name} ({share:.0%})")
        for name, colour, share in zip(names, colours, shares, strict=True)
    ]
    for value, colour, what in ((NOISE, NOISE_COLOUR, "noise"), (MASKED, MASK_COLOUR, "left out")):
        if np.any(image == value):
            entries.append(Patch(facecolor=colour, edgecolor="0.3", label=what))
    legend_beside(ax, entries)
    ax.set_title(title, fontsize=10, loc="left")
    return ax


def plot_line_maps(images, map_axes, lines, p_values, varies, axes=None):
    """Draw maps of lines (n_lines, map shape) side by side, each with its significance."""
    n = len(lines)
    if axes is None:
        import matplotlib.pyplot as plt

        columns = min(n, 4)
        rows = -(-n // columns)
        figure, grid = plt.subplots(
            rows, columns, figsize=(2.6 * columns, 3.0 * rows), layout="constrained", squeeze=False
        )
        axes = grid.ravel()[:n]
        for empty in grid.ravel()[n:]:
            figure.delaxes(empty)
    axes = np.asarray(axes, dtype=object)
    for ax, line, image, p, beyond in zip(axes, lines, images, p_values, varies, strict=True):
        shown = image[np.isfinite(image)]
        high = np.quantile(shown, 0.995) if shown.size else 0
        how = {"cmap": "gray", "vmin": 0, "vmax": max(high, 1e-6)}
        draw_map(ax, image, map_axes, scale_bar=ax is axes[0], **how)
        verdict = "varies beyond thickness" if beyond else "thickness and noise only"
        verdict = f"{verdict}\np {p_text(p)}" if np.isfinite(p) else "no counts to compare"
        ax.set_title(f"{line_label(line)}: {verdict}", fontsize=8, loc="left",
                     color="black" if beyond else "0.45")  # fmt: skip
    return axes


def plot_agreement(agreement, map_axes, ax=None):
    """Draw the share of the repeats in which each pixel has the same label."""
    ax = axes_or_new(ax, (5.6, 4.2))
    drawn = draw_map(ax, agreement, map_axes, cmap="viridis", vmin=0, vmax=1)
    ax.figure.colorbar(drawn, ax=ax, shrink=0.85, label="Share of the repeats with the same label")
    return ax
