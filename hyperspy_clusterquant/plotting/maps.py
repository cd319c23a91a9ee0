"""Maps of clusters, of memberships, of X-ray lines, and of where labels are stable."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._text import p_text
from hyperspy_clusterquant.clusters.labels import MASKED, NOISE
from hyperspy_clusterquant.plotting.drawing import draw_categories, draw_values, patch
from hyperspy_clusterquant.plotting.style import (
    MASK_COLOUR,
    NOISE_COLOUR,
    axes_or_new,
    cluster_colours,
    legend_beside,
    legend_of,
    line_label,
    map_of,
    panel_size,
    panels,
    shortened,
)

#: Maps of a stack that are drawn side by side; the first ones if there are more.
MOST_MAPS = 12
#: Width and height in inches of a map or a line scan alone.
ALONE, ALONE_OF_LINE = (6.8, 4.2), (6.8, 2.1)
#: Room for the square before the name of a cluster, in points.
SQUARE = 12.0


def plot_label_map(
    labels, map_axes, names, shares, title, ax=None, memberships=None, noise="noise"
):
    """Draw labels in the colours of the clusters, with a legend of their names and shares.

    Parameters
    ----------
    labels : array of int (map shape)
        Of a map or a line scan; of a stack, the first map is drawn.
    map_axes : sequence of dict
    names : sequence of str
        Of the clusters.
    shares : sequence of float
        Of the map, one for each cluster.
    title : str
    ax : matplotlib.axes.Axes, optional
    memberships : array (map shape), optional
        Of each pixel in its own cluster: colours are as strong, bars as high.
    noise : str
        What pixels with the label -1 are called.

    Returns
    -------
    matplotlib.axes.Axes
    """
    labels = map_of(labels)
    ax = axes_or_new(ax, ALONE if labels.ndim > 1 else ALONE_OF_LINE, layout="compressed")
    draw_clusters(ax, labels, map_axes, names, memberships)
    legend_beside(ax, entries_of_clusters(labels, names, shares, noise))
    ax.set_title(title, fontsize=10, loc="left")
    return ax


def plot_label_maps(
    labels, map_axes, names, shares, title, axes=None, memberships=None, noise="noise"
):
    """Draw the maps of a stack side by side; the rest as of `plot_label_map`.

    Parameters
    ----------
    axes : sequence of matplotlib.axes.Axes, optional
        One for each map, up to `MOST_MAPS`; a new figure if not given.

    Returns
    -------
    array of matplotlib.axes.Axes
    """
    maps = labels.reshape(-1, *labels.shape[-2:])
    shown = min(len(maps), MOST_MAPS)
    axes = panels(shown, panel_size(labels.shape, map_axes), axes)
    if memberships is not None:
        memberships = memberships.reshape(maps.shape)
    for n, ax in enumerate(axes[:shown]):
        strength = None if memberships is None else memberships[n]
        draw_clusters(ax, maps[n], map_axes, names, strength, scale_bar=n == 0)
        ax.set_title(f"index {n}", fontsize=8, loc="left")
    more = f", the first {shown} of {len(maps)} maps" if shown < len(maps) else ""
    axes[0].figure.suptitle(f"{title}{more}", fontsize=10)
    entries = entries_of_clusters(maps[:shown], names, shares, noise)
    legend_of(axes[0].figure, entries, loc="outside right upper")
    return axes


def draw_clusters(ax, labels, map_axes, names, memberships=None, scale_bar=True):
    """Draw labels of a map or a line scan, see `plot_label_map`."""
    colours = {MASKED: MASK_COLOUR, NOISE: NOISE_COLOUR, **dict(enumerate(_colours(names)))}
    if memberships is not None:
        memberships = np.where(labels >= 0, memberships, 1.0)
    draw_categories(ax, labels, map_axes, colours, memberships, scale_bar)
    if labels.ndim == 1:
        ax.set_yticks([] if memberships is None else [0, 0.5, 1])
        ax.set_ylabel("" if memberships is None else "Membership")


def _colours(names):
    return cluster_colours(len(names))


def entries_of_clusters(labels, names, shares=None, noise="noise"):
    """Entries of a legend: clusters, perhaps with their shares, and what else is on the map."""
    texts = names
    if shares is not None:
        texts = [f"{name} ({share:.0%})" for name, share in zip(names, shares, strict=True)]
    entries = [patch(*each) for each in zip(_colours(names), texts, strict=True)]
    for value, colour, what in ((NOISE, NOISE_COLOUR, noise), (MASKED, MASK_COLOUR, "left out")):
        if np.any(labels == value):
            entries.append(patch(colour, what))
    return entries


def plot_membership_maps(memberships, map_axes, names, title, axes=None):
    """Draw the memberships in each cluster side by side, on one scale from 0 to 1.

    Parameters
    ----------
    memberships : array (n_clusters, map shape)
        NaN where pixels are left out; of a map or a line scan.
    map_axes : sequence of dict
    names : sequence of str
    title : str
    axes : sequence of matplotlib.axes.Axes, optional
        One for each cluster.

    Returns
    -------
    array of matplotlib.axes.Axes
    """
    is_map = memberships.ndim > 2
    is_new = axes is None
    axes = panels(len(names), panel_size(memberships.shape[1:], map_axes), axes)
    for ax, values, name, colour in zip(axes, memberships, names, _colours(names), strict=True):
        draw_values(
            ax, values, map_axes, "Membership", (0, 1), colorbar=False, scale_bar=ax is axes[0]
        )
        _title_in_colour(ax, name, colour)
    if is_map and len(axes):
        drawn = axes[0].images[0]
        axes[0].figure.colorbar(drawn, ax=list(axes), shrink=0.7, label="Membership")
    if is_new and len(axes):
        axes[0].figure.suptitle(title, fontsize=10)
    return axes


def _title_in_colour(ax, name, colour):
    """Name of a cluster with a square of its colour before it."""
    from matplotlib.transforms import ScaledTranslation

    title = ax.set_title(shortened(name), fontsize=9, loc="left")
    beside = ScaledTranslation(SQUARE / 72, 0, ax.figure.dpi_scale_trans)
    title.set_transform(title.get_transform() + beside)
    ax.annotate(
        "■", (0, 1), xycoords="axes fraction", xytext=(0, 5), textcoords="offset points",
        color=colour, fontsize=11, va="bottom",
    )  # fmt: skip


def plot_line_maps(images, map_axes, lines, p_values, varies, axes=None):
    """Draw maps or line scans of lines (n_lines, map shape) side by side, with p-values."""
    axes = panels(len(lines), panel_size(images[0].shape, map_axes, 0.7), axes)
    for ax, line, image, p, beyond in zip(axes, lines, images, p_values, varies, strict=True):
        draw_counts(ax, image, map_axes, "Net counts", scale_bar=ax is axes[0])
        verdict = "varies beyond thickness" if beyond else "thickness and noise only"
        verdict = f"{verdict}\np {p_text(p)}" if np.isfinite(p) else "no counts to compare"
        ax.set_title(f"{line_label(line)}: {verdict}", fontsize=8, loc="left",
                     color="black" if beyond else "0.45")  # fmt: skip
    return axes


#: Share of the pixels up to which counts are told apart; the brightest few would darken the rest.
BRIGHT = 0.995


def draw_counts(ax, image, map_axes, quantity, scale_bar=True, colorbar=False):
    """Draw counts in grey from 0 on."""
    image = map_of(image)
    shown = image[np.isfinite(image)]
    high = max(np.quantile(shown, BRIGHT) if shown.size else 0, 1e-6)
    if image.ndim == 1:
        low, high = min(shown.min(initial=0.0), 0.0), max(shown.max(initial=0.0), 1e-6)
        return draw_values(ax, image, map_axes, quantity, (low, high))
    return draw_values(ax, image, map_axes, quantity, (0, high), "gray", colorbar, scale_bar)


def plot_agreement(agreement, map_axes, ax=None):
    """Draw the share of the repeats in which each pixel has the same label."""
    ax = axes_or_new(ax, (5.6, 4.2))
    quantity = "Share of the repeats with the same label"
    return draw_values(ax, map_of(agreement), map_axes, quantity, (0, 1))
