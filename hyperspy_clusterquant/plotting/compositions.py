"""Compositions of clusters as bars, as a matrix of numbers, and in a triangle of three elements."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.plotting.drawing import patch
from hyperspy_clusterquant.plotting.style import (
    axes_or_new,
    cluster_colours,
    legend_beside,
    name_rows_and_columns,
    open_frame,
)

#: Half axes of an ellipse that holds 68.3 % of two normal values, in standard deviations.
ELLIPSE = 1.515
HEIGHT = np.sqrt(3) / 2


def plot_composition(percent, lower, upper, names, elements, unit, ax=None):
    """Draw compositions (n_clusters, n_elements) as bars with their intervals."""
    n_clusters, n_elements = percent.shape
    ax = axes_or_new(ax, (max(5.0, 0.9 * n_elements + 2.4), 3.8))
    width = 0.8 / n_clusters
    position = np.arange(n_elements)
    for k, colour in enumerate(cluster_colours(n_clusters)):
        ax.bar(
            position + (k - (n_clusters - 1) / 2) * width,
            percent[k],
            width * 0.92,
            yerr=[percent[k] - lower[k], upper[k] - percent[k]],
            color=colour,
            label=names[k],
            error_kw={"elinewidth": 0.9, "capsize": 2, "ecolor": "0.2"},
        )
    ax.set_xticks(position, elements)
    ax.set_ylabel(f"Composition ({unit})")
    ax.set_ylim(bottom=0)
    legend_beside(
        ax, [patch(*each) for each in zip(cluster_colours(n_clusters), names, strict=True)]
    )
    return open_frame(ax)


def plot_composition_matrix(percent, texts, names, elements, unit, ax=None):
    """Draw compositions (n_clusters, n_elements) as a matrix of colours with its numbers.

    `texts` are the numbers with their uncertainties as they are written, in the same order.
    """
    n_clusters, n_elements = percent.shape
    ax = axes_or_new(ax, (1.8 + 0.95 * n_elements, 1.1 + 0.62 * n_clusters))
    high = max(np.nanmax(percent, initial=0.0), 1e-6)
    image = ax.imshow(percent, cmap="Blues", vmin=0, vmax=high, aspect="auto")
    for (k, n), value in np.ndenumerate(percent):
        ax.text(
            n, k, texts[k][n], ha="center", va="center", fontsize=8,
            color="white" if value > 0.6 * high else "black",
        )  # fmt: skip
    name_rows_and_columns(ax, names, elements)
    ax.set_xticks(range(n_elements), elements, rotation=0, ha="center")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.figure.colorbar(image, ax=ax, label=f"Composition ({unit})")
    return ax


def plot_ternary(shares, covariances, corners, names, ax=None):
    """Draw shares of three elements or sums in a triangle, with ellipses of 68 % probability.

    Parameters
    ----------
    shares : array (n_clusters, 3)
        In percent; NaN for clusters that hold none of them.
    covariances : array (n_clusters, 3, 3)
    corners : sequence of str
        Of the left, the right and the upper corner.
    names : sequence of str
        Of the clusters.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    from matplotlib.patches import Polygon

    ax = axes_or_new(ax, (6.2, 4.6))
    _draw_triangle(ax, corners)
    inside = Polygon(_in_plane(100 * np.eye(3)), transform=ax.transData)
    turn = np.linspace(0, 2 * np.pi, 90)
    circle = ELLIPSE * np.array([np.cos(turn), np.sin(turn)])
    to_plane = _in_plane(100 * np.eye(3)).T / 100
    colours, handles = cluster_colours(len(names)), []
    for of, covariance, name, colour in zip(shares, covariances, names, colours, strict=True):
        point = _in_plane(of)
        how = {"color": colour, "ms": 5, "mec": "white", "mew": 0.6, "label": name}
        handles += ax.plot(*point, "o", zorder=4, **how)
        if not np.isfinite(point).all():
            continue
        variances, directions = np.linalg.eigh(to_plane @ covariance @ to_plane.T)
        axes = directions * np.sqrt(np.maximum(variances, 0))
        for filled, alpha in ((True, 0.25), (False, 1.0)):
            ellipse = Polygon(
                (point[:, None] + axes @ circle).T, fill=filled, color=colour, alpha=alpha, lw=1.0,
                zorder=3,
            )  # fmt: skip
            ax.add_patch(ellipse)
            ellipse.set_clip_path(inside)
    legend_beside(ax, handles)
    return ax


def _in_plane(shares):
    """Place of shares (..., 3) in percent in the triangle, whose base is 1."""
    _, right, top = np.moveaxis(np.asarray(shares) / 100, -1, 0)
    return np.stack([right + top / 2, HEIGHT * top], axis=-1)


def _draw_triangle(ax, corners):
    """Frame, grid and numbers: each side counts the corner that it leads to, counterclockwise."""
    ends = _in_plane(100 * np.eye(3))
    ax.plot(*np.vstack([ends, ends[:1]]).T, color="0.2", lw=1.0, zorder=2)
    aligned = ({"ha": "right", "va": "bottom"}, {"ha": "center", "va": "top"}, {"ha": "left"})
    for k in range(3):
        for value in (20, 40, 60, 80):
            line = np.zeros((2, 3))
            line[:, k] = value
            # From the side that counts this corner to the other one.
            line[0, k - 1], line[1, k - 2] = 100 - value, 100 - value
            ax.plot(*_in_plane(line).T, color="0.85", lw=0.6, zorder=1)
            start = _in_plane(line[0]) + (_in_plane(line[0]) - ends.mean(axis=0)) * 0.03
            ax.text(*start, f"{value}", fontsize=7, color="0.35", **aligned[k])
        # Below the numbers of the base.
        name = ends[k] + [0, 0.04 if k == 2 else -0.09]
        ax.text(
            *name, f"{corners[k]} (at%)", fontsize=10, ha="center",
            va=("top", "top", "bottom")[k],
        )  # fmt: skip
    # The names of the corners are inside of the axes.
    ax.set_xlim(-0.2, 1.2)
    ax.set_ylim(-0.17, HEIGHT + 0.12)
    ax.set_aspect("equal")
    ax.set_axis_off()
