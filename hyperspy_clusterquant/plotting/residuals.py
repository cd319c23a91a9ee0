"""Maps of what clusters have inside beyond their mean composition."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._text import p_text
from hyperspy_clusterquant.plotting.style import draw_map, line_label


def plot_residuals(maps, regions, map_axes, names, lines, p_values, varies, axes=None):
    """Draw residuals in % of each cluster side by side, the strongest departure outlined."""
    n = len(names)
    if axes is None:
        import matplotlib.pyplot as plt

        columns = min(n, 4)
        rows = -(-n // columns)
        figure, grid = plt.subplots(
            rows, columns, figsize=(3.2 * columns, 3.0 * rows), layout="constrained", squeeze=False
        )
        axes = grid.ravel()[:n]
        for empty in grid.ravel()[n:]:
            figure.delaxes(empty)
    axes = np.asarray(axes, dtype=object)
    every = zip(axes, maps, names, lines, p_values, varies, strict=True)
    for k, (ax, residuals, name, line, p, beyond) in enumerate(every):
        known = np.abs(residuals[np.isfinite(residuals)])
        high = max(np.quantile(known, 0.995) if known.size else 0, 1e-6)
        how = {"cmap": "RdBu_r", "vmin": -high, "vmax": high}
        drawn = draw_map(ax, residuals, map_axes, scale_bar=ax is axes[0], **how)
        ax.set_facecolor("0.9")
        outlined = regions == k
        while outlined.ndim > 2:
            outlined = outlined[0]
        if beyond and outlined.ndim == 2 and min(outlined.shape) > 1 and outlined.any():
            ax.contour(outlined, levels=[0.5], colors="black", linewidths=1)
        ax.figure.colorbar(drawn, ax=ax, shrink=0.8, label=f"{line_label(line)} (%)")
        verdict = "varies inside" if beyond else "homogeneous"
        verdict = f"{verdict}, p {p_text(p)}" if np.isfinite(p) else "cannot be told"
        ax.set_title(f"{name}: {verdict}", fontsize=8, loc="left",
                     color="black" if beyond else "0.45")  # fmt: skip
    return axes
