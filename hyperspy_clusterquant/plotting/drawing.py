"""Values and categories on maps, which are images, and along line scans, which are profiles."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.plotting.style import (
    MASK_COLOUR,
    draw_map,
    map_of,
    open_frame,
    position_axis,
)

#: Pixels that are left out: white, hatched so that they are not the page.
HATCH, HATCH_COLOUR = "/////", "#C0C0C0"
STEP_COLOUR = "#0072B2"


def draw_values(
    ax, values, map_axes, quantity, limits, cmap="viridis", colorbar=True, scale_bar=True,
    hatch=True,
):  # fmt: skip
    """Draw numbers: of a map an image with a colour bar, of a line scan steps along the position.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : array (map shape)
        NaN where there is none; of a stack, the first map is drawn.
    map_axes : sequence of dict
    quantity : str
        What they are, with units.
    limits : tuple of float
        Lowest and highest value of the scale.
    cmap : str
    colorbar, scale_bar : bool
        Whether a map has them.
    hatch : bool
        Whether pixels without a value are hatched, as what is left out.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if values.ndim > 1:
        how = {"cmap": cmap, "vmin": limits[0], "vmax": limits[1]}
        drawn = draw_map(ax, values, map_axes, scale_bar, **how)
        if hatch and np.isnan(map_of(values)).any():
            ax.add_patch(_hatched(ax))
        if colorbar:
            ax.figure.colorbar(drawn, ax=ax, shrink=0.85, label=quantity)
        return ax
    edges = position_axis(ax, map_axes, len(values))
    ax.stairs(values, edges, baseline=None, color=STEP_COLOUR, lw=1.1)
    margin = 0.04 * (limits[1] - limits[0])
    ax.set_ylim(limits[0] - margin * (limits[0] < 0), limits[1] + margin)
    ax.set_ylabel(quantity)
    return open_frame(ax)


def draw_categories(ax, codes, map_axes, colours, strength=None, scale_bar=True):
    """Draw whole numbers in their colours: an image, or bars along a line scan.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    codes : array of int (map shape)
        Of a stack, the first map is drawn.
    map_axes : sequence of dict
    colours : dict of int: str
        Colour of each number; what is white is hatched.
    strength : array (map shape), optional
        Between 0 and 1: how strong the colour of a pixel is, or how high the bar.
    scale_bar : bool

    Returns
    -------
    matplotlib.axes.Axes
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap

    known = sorted(colours)
    codes = map_of(codes)
    # Sums of memberships may be above 1 by rounding.
    strength = np.ones(codes.shape) if strength is None else np.clip(map_of(strength), 0, 1)
    # Not where the colour says that there is nothing.
    hatched = [code for code in known if colours[code] == MASK_COLOUR]
    if codes.ndim > 1:
        norm = BoundaryNorm([known[0] - 0.5, *(code + 0.5 for code in known)], len(known))
        cmap = ListedColormap([colours[code] for code in known])
        alpha = np.where(np.isin(codes, hatched), 0.0, strength)
        draw_map(ax, codes, map_axes, scale_bar, cmap=cmap, norm=norm, alpha=alpha)
        if np.isin(codes, hatched).any():
            ax.add_patch(_hatched(ax))
            # Under pale colours there is no hatching.
            rest = np.where(np.isin(codes, hatched), 0.0, 1.0)
            white = ListedColormap([MASK_COLOUR])
            ax.imshow(rest, cmap=white, alpha=rest, aspect=ax.get_aspect(), zorder=-0.5)
        return ax
    edges = position_axis(ax, map_axes, len(codes))
    for code in known:
        of_code = codes == code
        if not of_code.any():
            continue
        how = {"color": colours[code], "lw": 0}
        if code in hatched:
            how = {"facecolor": MASK_COLOUR, "edgecolor": HATCH_COLOUR, "hatch": HATCH, "lw": 0}
        heights = np.where(of_code, 1.0 if code in hatched else strength, 0.0)
        ax.stairs(heights, edges, fill=True, label=f"{code}", **how)
    ax.set_ylim(0, 1)
    return ax


def patch(colour, label):
    """Entry of a legend."""
    from matplotlib.patches import Patch

    if colour == MASK_COLOUR:
        return Patch(facecolor=colour, edgecolor=HATCH_COLOUR, hatch=HATCH, label=label)
    return Patch(facecolor=colour, edgecolor="0.3", label=label)


def _hatched(ax):
    """What shows through where an image is transparent."""
    from matplotlib.patches import Rectangle

    return Rectangle(
        (0, 0), 1, 1, transform=ax.transAxes, facecolor=MASK_COLOUR, edgecolor=HATCH_COLOUR,
        hatch=HATCH, lw=0, zorder=-1,
    )  # fmt: skip
