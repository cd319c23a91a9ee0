"""Pictures of tests: pairs of clusters, maps of lines, agreement and stability."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._text import p_text
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.plotting.style import axes_or_new, draw_map, line_label
from hyperspy_clusterquant.results.significance import MERGE

AGREES, DISAGREES, LEFT_OUT = "#D9E3EA", "#D55E00", "#FFFFFF"
DISTINCT_COLOUR, SAME_COLOUR, UNKNOWN_COLOUR = "#9DC3DE", "#F5C98B", "#EEEEEE"
DOUBTFUL_COLOUR = "#E3EDF4"


def plot_significance(table, ax=None):
    """Draw the pairs of clusters with their verdicts.

    Parameters
    ----------
    table : SignificanceTable
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    n = table.n_clusters
    ax = axes_or_new(ax, (1.5 + 0.95 * max(n, 3), 1.2 + 0.75 * max(n, 3)))
    verdicts = table.verdicts
    state = np.zeros((n, n), dtype=int)
    for place, words in np.ndenumerate(verdicts):
        if words.startswith("distinct"):
            state[place] = 3 if ", but" in words else 1
        elif words == MERGE:
            state[place] = 2
    state = np.ma.masked_where(np.eye(n, dtype=bool), state)
    cmap = ListedColormap([UNKNOWN_COLOUR, DISTINCT_COLOUR, SAME_COLOUR, DOUBTFUL_COLOUR])
    ax.imshow(state, cmap=cmap, vmin=0, vmax=3)
    effect = table.effect_size
    for i in range(n):
        for j in range(n):
            if state[i, j] is np.ma.masked or not state[i, j]:
                continue
            p = p_text(table.adjusted_p_values[i, j])
            text = f"p {p}"
            if np.isfinite(effect[i, j]):
                text = f"{effect[i, j]:.2g} at%\n{text}"
            ax.text(j, i, text, ha="center", va="center", fontsize=8)
    ax.set_xticks(range(n), table.cluster_names, rotation=30, ha="right")
    ax.set_yticks(range(n), table.cluster_names)
    ax.spines[:].set_visible(False)
    entries = [
        Patch(facecolor=colour, edgecolor="0.6", label=label)
        for colour, label, shown in (
            (DISTINCT_COLOUR, "distinct", (state == 1).any()),
            (SAME_COLOUR, "not distinguishable", (state == 2).any()),
            (DOUBTFUL_COLOUR, "distinct, but not stable or an interface", (state == 3).any()),
            (UNKNOWN_COLOUR, "not compared", (state == 0).any()),
        )
        if shown is not np.ma.masked and shown
    ]
    if entries:
        ax.legend(handles=entries, loc="lower left", bbox_to_anchor=(0, 1.01), ncols=2,
                  frameon=False, fontsize=8)  # fmt: skip
    return ax


def plot_line_maps(table, axes=None):
    """Draw the classic maps of lines side by side, each with its significance.

    Parameters
    ----------
    table : MapSignificance
    axes : sequence of matplotlib.axes.Axes, optional
        Where to draw, one for each line; a new figure if not given.

    Returns
    -------
    array of matplotlib.axes.Axes
    """
    n = len(table.xray_lines)
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
    significant = table.significant
    for ax, line, image, p, varies in zip(
        axes, table.xray_lines, table.images, table.p_values, significant, strict=True
    ):
        shown = image[np.isfinite(image)]
        high = np.quantile(shown, 0.995) if shown.size else 0
        bar = table.axes if ax is axes[0] else ()
        draw_map(ax, image, bar, cmap="gray", vmin=0, vmax=max(high, 1e-6))
        verdict = "varies beyond thickness" if varies else "thickness and noise only"
        if not np.isfinite(p):
            verdict = "no counts to compare"
        value = "" if not np.isfinite(p) else f"\np {p_text(p)}"
        ax.set_title(f"{line_label(line)}: {verdict}{value}", fontsize=8, loc="left",
                     color="black" if varies else "0.45")  # fmt: skip
    return axes


def plot_correlations(table, ax=None):
    """Draw the correlations of lines beyond shot noise and thickness.

    Parameters
    ----------
    table : MapSignificance
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    n = len(table.xray_lines)
    ax = axes_or_new(ax, (1.6 + 0.75 * max(n, 3), 1.0 + 0.65 * max(n, 3)))
    correlation, std, correlated = table.correlation, table.correlation_std, table.correlated
    image = ax.imshow(correlation, cmap="RdBu_r", vmin=-1, vmax=1)
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            if np.isfinite(correlation[i, j]):
                text = f"{correlation[i, j]:+.2f}\n± {std[i, j]:.2f}"
                colour = "white" if abs(correlation[i, j]) > 0.7 else "black"
                weight = "bold" if correlated[i, j] else "normal"
            else:
                text, colour, weight = "noise", "0.5", "normal"
            ax.text(j, i, text, ha="center", va="center", fontsize=7, color=colour, weight=weight)
    names = [line_label(line) for line in table.xray_lines]
    ax.set_xticks(range(n), names, rotation=30, ha="right")
    ax.set_yticks(range(n), names)
    ax.spines[:].set_visible(False)
    what = "shot noise and thickness" if table.thickness_removed else "shot noise"
    ax.figure.colorbar(image, ax=ax, shrink=0.8, label=f"Correlation, {what} taken off")
    return ax


def plot_comparison(comparison, axes=None):
    """Draw the contingency table of two clusterings, and where they disagree.

    Parameters
    ----------
    comparison : ClusteringComparison
    axes : sequence of two matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    array of matplotlib.axes.Axes
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    if axes is None:
        import matplotlib.pyplot as plt

        axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")[1]
    table, where = axes
    share = comparison.contingency / np.maximum(
        comparison.contingency.sum(axis=1, keepdims=True), 1
    )
    table.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (i, j), pixels in np.ndenumerate(comparison.contingency):
        table.text(
            j, i, f"{pixels}", ha="center", va="center", fontsize=8,
            color="white" if share[i, j] > 0.6 else "black",
        )  # fmt: skip
    table.set_xticks(range(len(comparison.names[1])), comparison.names[1], rotation=30, ha="right")
    table.set_yticks(range(len(comparison.names[0])), comparison.names[0])
    table.set_xlabel("Second clustering")
    table.set_ylabel("First clustering")
    table.set_title(f"Pixels; ARI {comparison.ari:.2f}", fontsize=10, loc="left")
    colours = ListedColormap([LEFT_OUT, AGREES, DISAGREES])
    norm = BoundaryNorm([MASKED - 0.5, -0.5, 0.5, 1.5], 3)
    draw_map(where, comparison.disagreement, comparison.axes, cmap=colours, norm=norm)
    where.legend(
        handles=[
            Patch(facecolor=AGREES, edgecolor="0.6", label=f"agree ({comparison.agreement:.1%})"),
            Patch(facecolor=DISAGREES, edgecolor="0.6", label="disagree"),
        ],
        loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=9,
    )  # fmt: skip
    return np.asarray(axes, dtype=object)


def plot_stability(stability, ax=None):
    """Draw where labels are stable.

    Parameters
    ----------
    stability : ClusterStability
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = axes_or_new(ax, (5.6, 4.2))
    drawn = draw_map(ax, stability.agreement, stability.axes, cmap="viridis", vmin=0, vmax=1)
    ax.figure.colorbar(drawn, ax=ax, shrink=0.85, label="Share of the halves with the same label")
    return ax
