"""Matrices of pairs: of clusters, of X-ray lines, and of the clusters of two clusterings."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._text import p_text
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.evidence.verdicts import Verdict
from hyperspy_clusterquant.plotting.drawing import draw_categories, patch
from hyperspy_clusterquant.plotting.style import (
    MASK_COLOUR,
    axes_or_new,
    legend_beside,
    line_label,
    name_rows_and_columns,
)

AGREES, DISAGREES = "#D9E3EA", "#D55E00"
#: Colour, words in the legend, and the verdicts that they are for; the last are not compared.
GROUPS = (
    ("#9DC3DE", "distinct", (Verdict.DISTINCT,)),
    ("#F5C98B", "not distinguishable", (Verdict.SAME,)),
    (
        "#E3EDF4",
        "distinct, but not stable, gradual, or an interface",
        (Verdict.UNSTABLE, Verdict.INTERFACE, Verdict.GRADUAL),
    ),
    ("#EBD9EA", "cannot be told from absorption or drift", (Verdict.ABSORBED,)),
    ("#EEEEEE", "not compared", (Verdict.LOST, Verdict.EMPTY)),
)
GROUP_OF = {verdict: number for number, group in enumerate(GROUPS) for verdict in group[2]}


def colour_of(verdict):
    """Colour of a verdict on two clusters."""
    return GROUPS[GROUP_OF[verdict]][0]


def plot_pairs(kinds, effects, p_values, names, ax=None):
    """Draw the verdicts on pairs of clusters: arrays (n, n) of Verdict, at%, and p-values."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    n = len(names)
    ax = axes_or_new(ax, (1.5 + 0.95 * max(n, 3), 1.2 + 0.75 * max(n, 3)))
    group = np.ma.masked_all((n, n), dtype=int)
    for pair, verdict in np.ndenumerate(kinds):
        if verdict is Verdict.ITSELF:
            continue
        group[pair] = GROUP_OF[verdict]
        if group[pair] == len(GROUPS) - 1:
            continue
        effect = f"{effects[pair]:.2g} at%\n" if np.isfinite(effects[pair]) else ""
        ax.text(*pair[::-1], f"{effect}p {p_text(p_values[pair])}", ha="center", va="center",
                fontsize=8)  # fmt: skip
    cmap = ListedColormap([colour for colour, *_ in GROUPS])
    ax.imshow(group, cmap=cmap, vmin=0, vmax=len(GROUPS) - 1)
    name_rows_and_columns(ax, names, names)
    ax.spines[:].set_visible(False)
    entries = [
        Patch(facecolor=colour, edgecolor="0.6", label=words)
        for number, (colour, words, _) in enumerate(GROUPS)
        if number in group.compressed()
    ]
    if entries:
        ax.legend(handles=entries, loc="lower left", bbox_to_anchor=(0, 1.01), ncols=2,
                  frameon=False, fontsize=8)  # fmt: skip
    return ax


def plot_correlations(correlation, interval, correlated, lines, label, ax=None):
    """Draw correlations of lines (n_lines, n_lines), in bold where they are significant."""
    n = len(lines)
    ax = axes_or_new(ax, (2.4 + 0.85 * max(n, 3), 1.2 + 0.72 * max(n, 3)))
    image = ax.imshow(correlation, cmap="RdBu_r", vmin=-1, vmax=1)
    for (i, j), r in np.ndenumerate(correlation):
        if i == j:
            continue
        text, colour = "noise", "0.5"
        if np.isfinite(r):
            low, high = interval[:, i, j]
            text = f"{r:+.2f}\n{low:+.1f} .. {high:+.1f}"
            colour = "white" if abs(r) > 0.7 else "black"
        weight = "bold" if correlated[i, j] and np.isfinite(r) else "normal"
        ax.text(j, i, text, ha="center", va="center", fontsize=7, color=colour, weight=weight)
    names = [line_label(line) for line in lines]
    name_rows_and_columns(ax, names, names)
    ax.spines[:].set_visible(False)
    ax.figure.colorbar(image, ax=ax, shrink=0.8, label=label)
    return ax


def plot_comparison(contingency, names, ari, disagreement, agreement, map_axes, axes=None):
    """Draw the contingency table of two clusterings, and a map of where they disagree.

    `names` are those of the rows and of the columns of the table, `agreement` is the share of the
    pixels that agree. Of a stack, the first map is drawn.
    """
    if axes is None:
        import matplotlib.pyplot as plt

        axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")[1]
    table, where = axes
    share = contingency / np.maximum(contingency.sum(axis=1, keepdims=True), 1)
    table.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (i, j), pixels in np.ndenumerate(contingency):
        table.text(
            j, i, f"{pixels}", ha="center", va="center", fontsize=8,
            color="white" if share[i, j] > 0.6 else "black",
        )  # fmt: skip
    name_rows_and_columns(table, *names)
    table.set_xlabel("Second clustering")
    table.set_ylabel("First clustering")
    table.set_title(f"Pixels; ARI {ari:.2f}", fontsize=10, loc="left")
    draw_categories(where, disagreement, map_axes, {MASKED: MASK_COLOUR, 0: AGREES, 1: DISAGREES})
    if disagreement.ndim == 1:
        where.set_yticks([])
    entries = [patch(AGREES, f"agree ({agreement:.1%})"), patch(DISAGREES, "disagree")]
    if np.any(disagreement == MASKED):
        entries.append(patch(MASK_COLOUR, "left out"))
    legend_beside(where, entries)
    return np.asarray(axes, dtype=object)
