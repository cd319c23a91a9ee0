"""Scores and embeddings in which clusters were found, and the tree of an embedding."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.plotting.style import (
    axes_or_new,
    cluster_colours,
    legend_beside,
    open_frame,
)


def plot_density(density, names, labels, title, ax=None):
    """Draw how points lie on a plane, and the outlines of the clusters; or along a line.

    Grey is the logarithm of the number of points.

    Parameters
    ----------
    density : Density
    names : sequence of str
        Of the clusters.
    labels : sequence of str
        Of the axes.
    title : str
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    from matplotlib.colors import LogNorm
    from matplotlib.lines import Line2D

    ax = axes_or_new(ax, (6.4, 4.4))
    colours = cluster_colours(len(names))
    ax.set_title(title, fontsize=10, loc="left")
    ax.set_xlabel(labels[0])
    if density.counts.ndim == 1:
        _draw_histograms(ax, density, names, colours)
    else:
        x, y = density.edges
        counts = np.ma.masked_equal(density.counts, 0)
        ax.pcolormesh(
            x,
            y,
            counts,
            cmap="Greys",
            norm=LogNorm(0.5, max(density.counts.max(), 1) * 2),
            rasterized=True,
        )
        centres = [(e[1:] + e[:-1]) / 2 for e in (x, y)]
        for of, level, colour in zip(density.of_clusters, density.levels, colours, strict=True):
            if np.isfinite(level) and of.min() < level < of.max():
                ax.contour(*centres, of, levels=[level], colors=[colour], linewidths=1.6)
        ax.set_ylabel(labels[1])
    handles = [Line2D([], [], color=c, lw=2, label=n) for n, c in zip(names, colours, strict=True)]
    legend_beside(ax, handles)
    return open_frame(ax)


def _draw_histograms(ax, density, names, colours):
    """Histograms along a line: all points, and those of each cluster."""
    (edges,) = density.edges
    ax.stairs(density.counts, edges, fill=True, color="0.88", label="all")
    for of, colour in zip(density.of_clusters, colours, strict=True):
        ax.stairs(of, edges, color=colour, lw=1.4)
    ax.set_ylabel("Pixels in a bin")
    ax.set_ylim(bottom=0)


def plot_tree(branches, of_leaves, names, title, ax=None):
    """Draw HDBSCAN's condensed tree, denser regions below, leaves in the colours of clusters.

    Parameters
    ----------
    branches : sequence of Branch
    of_leaves : sequence of int
        Cluster that each branch became, negative for none and for what splits.
    names : sequence of str
        Of the clusters.
    title : str
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    from matplotlib.patches import Patch

    ax = axes_or_new(ax, (6.4, 4.4))
    colours = cluster_colours(len(names))
    for branch, cluster in zip(branches, of_leaves, strict=True):
        colour = colours[cluster] if cluster >= 0 else "0.8" if not branch.is_leaf else "0.55"
        ax.fill_betweenx(
            branch.densities, branch.left, branch.right, step="pre", color=colour, lw=0.4
        )
    ax.set_ylim(1.05 * max(branch.densities[-1] for branch in branches), 0)
    ax.set_xlim(branches[0].left[0], branches[0].right[0])
    ax.set_xlabel("Landmarks")
    ax.set_ylabel("Density in the embedding (1 / distance)")
    ax.set_title(title, fontsize=10, loc="left")
    became = sorted({cluster for cluster in of_leaves if cluster >= 0})
    handles = [Patch(color=colours[k], label=names[k]) for k in became]
    legend_beside(ax, [*handles, Patch(color="0.8", label="splits again")])
    return open_frame(ax)
