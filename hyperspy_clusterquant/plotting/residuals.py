"""Maps of what clusters have inside beyond their mean composition."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._text import p_text
from hyperspy_clusterquant.plotting.drawing import draw_values
from hyperspy_clusterquant.plotting.style import (
    line_label,
    map_of,
    panel_size,
    panels,
    position_axis,
    shortened,
)


def plot_residuals(maps, regions, map_axes, names, lines, p_values, varies, axes=None):
    """Draw residuals in % of each cluster side by side, the strongest departure outlined.

    Of stacks, the first maps are drawn.
    """
    regions = map_of(regions)
    width, height = panel_size(regions.shape, map_axes)
    axes = panels(len(names), (width + 0.6, height), axes)
    every = zip(axes, maps, names, lines, p_values, varies, strict=True)
    for k, (ax, residuals, name, line, p, beyond) in enumerate(every):
        residuals = map_of(residuals)
        known = np.abs(residuals[np.isfinite(residuals)])
        high = np.quantile(known, 0.995) if known.size else 0.0
        quantity = f"{line_label(line)} (%)"
        if not high > 0:
            high, quantity = 1.0, f"no {line_label(line)} to compare"
        draw_values(
            ax,
            residuals,
            map_axes,
            quantity,
            (-high, high),
            "RdBu_r",
            scale_bar=ax is axes[0],
            hatch=False,
        )
        if residuals.ndim > 1:
            ax.set_facecolor("0.9")
        if beyond:
            _outline(ax, regions == k, map_axes)
        verdict = "varies inside" if beyond else "homogeneous"
        verdict = f"{verdict}, p {p_text(p)}" if np.isfinite(p) else "cannot be told"
        ax.set_title(f"{shortened(name)}: {verdict}", fontsize=8, loc="left",
                     color="black" if beyond else "0.45")  # fmt: skip
    return axes


def _outline(ax, inside, map_axes):
    """The border of a region on a map, or its part of a line scan."""
    if inside.ndim == 1:
        edges = position_axis(ax, map_axes, len(inside))
        ax.stairs(inside, edges, fill=True, color="0.88", zorder=0,
                  transform=ax.get_xaxis_transform())  # fmt: skip
        return
    if min(inside.shape) > 1 and inside.any():
        ax.contour(inside, levels=[0.5], colors="black", linewidths=1)
