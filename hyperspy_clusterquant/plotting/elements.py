"""Classic element maps and their overlay in red, green and blue, beside the clusters."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.plotting.drawing import patch
from hyperspy_clusterquant.plotting.maps import (
    BRIGHT,
    draw_clusters,
    draw_counts,
    entries_of_clusters,
)
from hyperspy_clusterquant.plotting.style import (
    draw_image,
    legend_of,
    line_label,
    open_frame,
    panel_size,
    panels,
    position_axis,
)

#: Of the overlay; on a line scan, steps in colours that are seen on white.
RGB, RGB_STEPS = ("#FF0000", "#00FF00", "#0000FF"), ("#D00000", "#008A00", "#0000FF")


def plot_element_maps(
    images, map_axes, lines, overlaid, labels, names, title, axes=None, noise="noise"
):
    """Draw clusters, the overlay of some lines, and the map of each line, side by side.

    Parameters
    ----------
    images : array (n_lines, map shape)
        Of a map or a line scan; NaN where there is nothing.
    map_axes : sequence of dict
    lines : sequence of str
    overlaid : sequence of int
        Numbers of the lines, up to three, that are red, green and blue.
    labels : array of int (map shape)
        Clusters.
    names : sequence of str
        Of the clusters.
    title : str
        What is drawn, and how it was smoothed.
    axes : sequence of matplotlib.axes.Axes, optional
        For clusters, overlay and lines.
    noise : str
        What pixels with the label -1 are called.

    Returns
    -------
    array of matplotlib.axes.Axes (2 + n_lines,)
    """
    is_new = axes is None
    axes = panels(2 + len(lines), panel_size(labels.shape, map_axes), axes)
    draw_clusters(axes[0], labels, map_axes, names)
    axes[0].set_title("clusters", fontsize=9, loc="left")
    _draw_overlay(axes[1], [images[n] for n in overlaid], map_axes, [lines[n] for n in overlaid])
    for ax, line, image in zip(axes[2:], lines, images, strict=True):
        draw_counts(ax, image, map_axes, "Net counts", scale_bar=False)
        ax.set_title(line_label(line), fontsize=9, loc="left")
    if is_new:
        figure = axes[0].figure
        figure.suptitle(title, fontsize=10)
        entries = entries_of_clusters(labels, names, noise=noise)
        legend_of(figure, entries, loc="outside right upper")
    return axes


def _draw_overlay(ax, images, map_axes, lines):
    """Counts of up to three lines as red, green and blue; along a line scan, as steps."""
    scaled = [image / _highest(image) for image in images]
    named = list(map(line_label, lines))
    if images[0].ndim == 1:
        edges = position_axis(ax, map_axes, len(images[0]))
        for image, colour, name in zip(scaled, RGB_STEPS, named, strict=False):
            ax.stairs(image, edges, baseline=None, color=colour, lw=1.1, label=name)
        ax.set_ylim(min(0.0, *(np.nanmin(image) for image in scaled)), 1.05)
        ax.set_ylabel("Net counts / highest")
        handles = None
        open_frame(ax)
    else:
        colours = np.zeros((*images[0].shape, 3))
        for n, image in enumerate(scaled):
            colours[..., n] = np.where(np.isfinite(image), np.clip(image, 0, 1), 1)
        colours[~np.isfinite(images[0])] = 1
        draw_image(ax, colours, map_axes, scale_bar=False)
        handles = [patch(colour, name) for colour, name in zip(RGB, named, strict=False)]
    how = {} if handles is None else {"handles": handles}
    ax.legend(frameon=False, fontsize=8, loc="lower right", ncols=3, handlelength=0.7,
              columnspacing=0.7, handletextpad=0.3, borderpad=0, borderaxespad=0.3,
              bbox_to_anchor=(1, 1), **how)  # fmt: skip


def _highest(image):
    """What is drawn as bright as can be."""
    known = image[np.isfinite(image)]
    high = np.quantile(known, BRIGHT if image.ndim > 1 else 1.0) if known.size else 0
    return max(high, 1e-6)
