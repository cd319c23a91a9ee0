"""Spectra, scree plots and compositions of clusters."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.plotting.style import axes_or_new, cluster_colours, line_label


def plot_spectra(energy, spectra, names, lines, ax=None):
    """Draw cluster spectra, each scaled to the same total, with the X-ray lines marked.

    Parameters
    ----------
    energy : array (channels,)
        Energy in keV.
    spectra : array (n_clusters, channels)
        Counts.
    names : sequence of str
        Name of each cluster.
    lines : dict of str: float
        Energy in keV of each line to mark.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = axes_or_new(ax, (8.5, 4.2))
    top = 0.0
    shown = energy >= 0.1
    share = np.array([s / max(s[shown].sum(), 1) for s in spectra])
    for values, name, colour in zip(share, names, cluster_colours(len(spectra)), strict=True):
        ax.step(energy[shown], values[shown], where="mid", color=colour, lw=1.1, label=name)
        top = max(top, values[shown].max())
    last = max(lines.values()) * 1.1 + 0.3 if lines else energy[-1]
    ax.set_xlim(max(energy[shown][0], 0.1), min(last, energy[-1]))
    positive = share[:, shown][share[:, shown] > 0]
    bottom = np.quantile(positive, 0.02) if positive.size else 1e-6
    ax.set_yscale("log")
    ax.set_ylim(bottom / 2, top * 9)
    _mark_lines(ax, lines, top)
    ax.set_xlabel("Energy (keV)")
    ax.set_ylabel("Share of the counts")
    ax.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _mark_lines(ax, lines, top):
    """Name the lines above the spectra, neighbours on different heights."""
    low, high = ax.get_xlim()
    occupied = [-np.inf] * 5
    for line, position in sorted(lines.items(), key=lambda item: item[1]):
        if not low < position < high:
            continue
        row = next((i for i, end in enumerate(occupied) if position > end), len(occupied) - 1)
        occupied[row] = position + 0.07 * (high - low)
        height = top * 1.25 * 1.5**row
        ax.plot([position, position], [top * 1.05, height], color="0.7", lw=0.6, zorder=0)
        text = line_label(line)
        ax.text(
            position,
            height,
            text,
            fontsize=7,
            ha="center",
            va="bottom",
            color="0.25",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )


def plot_scree(result, ax=None, n_shown=20):
    """Draw the eigenvalues of a clustering and the edge of the noise.

    Parameters
    ----------
    result : ClusterResult
        With its eigenvalues.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    n_shown : int
        Eigenvalues to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = axes_or_new(ax, (5.2, 3.6))
    values = result.eigenvalues[:n_shown]
    number = np.arange(1, len(values) + 1)
    signal = values > result.noise_edge
    positive = values > 0
    lowest = values[positive].min() if positive.any() else result.noise_edge / 10
    ax.axhspan(lowest / 3, result.noise_edge, color="0.92", zorder=0)
    ax.axhline(result.noise_edge, color="0.35", lw=1, ls="--", label="edge of the noise")
    for chosen, colour, label in (
        (signal, "#0072B2", f"signal ({signal.sum()})"),
        (~signal & positive, "0.6", "shot noise"),
    ):
        if chosen.any():
            ax.plot(number[chosen], values[chosen], "o", color=colour, label=label, ms=5)
    ax.set_yscale("log")
    ax.set_ylim(lowest / 1.6, max(values.max(), result.noise_edge) * 2)
    ax.set_xticks(number[:: max(len(number) // 10, 1)])
    ax.set_xlabel("Component")
    ax.set_ylabel("Eigenvalue (shot noise of a pixel = 1)")
    ax.legend(frameon=False, fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_criterion(result, ax=None):
    """Draw the criterion that chose the number of clusters.

    Parameters
    ----------
    result : ClusterResult
        With ``"criterion"`` and ``"criterion_curve"`` among its parameters.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = axes_or_new(ax, (5.2, 3.6))
    curve = np.asarray(result.parameters["criterion_curve"])
    tried = np.arange(1, len(curve) + 1)
    ax.plot(tried, curve, "o-", color="#0072B2", ms=5, lw=1)
    ax.set_xticks(tried)
    if result.parameters["criterion"] == "bic":
        ax.axvline(result.n_clusters, color="0.35", lw=1, ls="--", label="clusters found")
        ax.set_xlabel("Number of clusters")
        ax.set_ylabel("BIC per learning pixel")
    else:
        ax.axhline(result.n_clusters, color="0.35", lw=1, ls="--", label="clusters found")
        ax.set_yticks(np.arange(1, max(curve.max(), result.n_clusters) + 1))
        ax.set_xlabel("Gaussians in the mixture")
        ax.set_ylabel("Groups with gaps between them")
    ax.legend(frameon=False, fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_composition(table, ax=None):
    """Draw the composition of each cluster as bars with the interval of 68 % probability.

    Parameters
    ----------
    table : CompositionTable
        What to draw, in its own units.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    n_clusters, n_elements = table.percent.shape
    ax = axes_or_new(ax, (max(5.0, 0.9 * n_elements + 2.4), 3.8))
    width = 0.8 / n_clusters
    position = np.arange(n_elements)
    # Near zero and 100 an error bar of one std would leave what is possible.
    lower, upper = table.interval()
    lower = np.where(table.detected, lower, 0.0)
    values = np.where(table.detected, table.percent, 0.0)
    for k, colour in enumerate(cluster_colours(n_clusters)):
        ax.bar(
            position + (k - (n_clusters - 1) / 2) * width,
            values[k],
            width * 0.92,
            yerr=[values[k] - lower[k], upper[k] - values[k]],
            color=colour,
            label=table.cluster_names[k],
            error_kw={"elinewidth": 0.9, "capsize": 2, "ecolor": "0.2"},
        )
    ax.set_xticks(position, table.elements)
    ax.set_ylabel(f"Composition ({table.unit})")
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    ax.spines[["top", "right"]].set_visible(False)
    return ax
