"""Spectra of clusters, and the fits of their peaks."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.plotting.style import (
    axes_or_new,
    cluster_colours,
    legend_beside,
    line_label,
    open_frame,
)

#: Of the elements; apart from those of model, background and artefacts.
ELEMENT_COLOURS = (
    "#D55E00", "#E69F00", "#CC79A7", "#56B4E9", "#882255", "#999933", "#AA4499", "#44AA99",
    "#661100", "#6699CC",
)  # fmt: skip


def plot_spectra(energy, shares, names, lines, ax=None):
    """Draw spectra (n_clusters, channels) as shares of their counts, X-ray lines marked.

    Energies in keV, also in `lines`, a dictionary of the lines' names and energies.
    """
    ax = axes_or_new(ax, (8.5, 4.2))
    for values, name, colour in zip(shares, names, cluster_colours(len(shares)), strict=True):
        ax.step(energy, values, where="mid", color=colour, lw=1.1, label=name)
    top = shares.max(initial=0.0)
    last = max(lines.values()) * 1.1 + 0.3 if lines else energy[-1]
    ax.set_xlim(energy[0], min(last, energy[-1]))
    positive = shares[shares > 0]
    bottom = np.quantile(positive, 0.02) if positive.size else 1e-6
    ax.set_yscale("log")
    ax.set_ylim(bottom / 2, top * 9)
    _mark_lines(ax, lines, top)
    ax.set_xlabel("Energy (keV)")
    ax.set_ylabel("Share of the counts")
    legend_beside(ax)
    return open_frame(ax)


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
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        ax.text(position, height, line_label(line), fontsize=7, ha="center", va="bottom",
                color="0.25", bbox=box)  # fmt: skip


def plot_peak_fit(
    energy, counts, model, background, artefacts, residual, alphas, curves, title, axes=None
):
    """Draw counts, model, families, background and artefacts, and the residual in σ below.

    `alphas` are the alpha lines of the families, `curves` (n_families, channels) their counts.
    """
    if axes is None:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots(
            2, 1, figsize=(10, 5.4), sharex=True, height_ratios=[3.4, 1], layout="constrained"
        )
    top, below = axes
    floor = max(0.3 * np.quantile(np.maximum(model, 0), 0.05), 0.3)
    _draw_families(top, alphas, curves, model, energy, floor)
    top.step(energy, np.maximum(counts, floor / 2), where="mid", color="0.55", lw=0.8,
             label="counts")  # fmt: skip
    top.plot(energy, model, color="black", lw=0.9, label="model")
    top.plot(energy, background, color="#0072B2", lw=1.2, ls="--", label="background")
    if artefacts.max() > floor:
        top.plot(energy, artefacts, color="#009E73", lw=0.9, label="escape and pile-up")
    top.set_yscale("log")
    top.set_ylim(floor, 12 * max(counts.max(), 1))
    top.set_ylabel("Counts")
    top.set_title(title, fontsize=10)
    top.legend(frameon=False, fontsize=8, loc="upper right", ncols=4)
    below.axhspan(-2, 2, color="0.93", zorder=0)
    below.step(energy, residual, where="mid", color="0.3", lw=0.7)
    largest = max(4.0, 1.1 * np.abs(residual).max())
    below.set_ylim(-largest, largest)
    below.set_xlim(energy[0], energy[-1])
    below.set_ylabel("Residual (σ)")
    below.set_xlabel("Energy (keV)")
    return np.array([open_frame(top), open_frame(below)])


def _draw_families(ax, alphas, curves, model, energy, floor):
    """Each family in a colour of its element, named above its highest peak."""
    elements = list(dict.fromkeys(alpha.partition("_")[0] for alpha in alphas))
    occupied = []
    for n in np.argsort(-curves.max(axis=1)):
        alpha, curve = alphas[n], curves[n]
        if not curve.max() > floor / 3:
            continue
        number = elements.index(alpha.partition("_")[0])
        shown = np.where(curve > floor / 10, curve, np.nan)
        colour = ELEMENT_COLOURS[number % len(ELEMENT_COLOURS)]
        ax.plot(energy, shown, color=colour, lw=0.8, alpha=0.8)
        peak = int(np.argmax(curve))
        if alpha.endswith(("a", "line")):  # not the weak families beside an alpha line
            _name(ax, alpha, energy[peak], model[peak], occupied, energy)


def _name(ax, alpha, position, height, occupied, energy):
    """Name of a family above the model, and above the names beside it."""
    width = energy[-1] - energy[0]
    if position < energy[0] + 0.02 * width:
        return
    beside = [top for other, top in occupied if abs(position - other) < 0.05 * width]
    height = max([1.25 * height, *(1.6 * top for top in beside)])
    occupied.append((position, height))
    text = "?" if alpha.endswith("_line") else line_label(alpha)
    ax.text(position, height, text, fontsize=7, ha="center", va="bottom", color="0.25")
