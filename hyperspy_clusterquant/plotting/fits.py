"""Peak fits of spectra."""

from __future__ import annotations

import numpy as np

#: Of the elements; apart from those of model, background and artefacts.
ELEMENT_COLOURS = (
    "#D55E00", "#E69F00", "#CC79A7", "#56B4E9", "#882255", "#999933", "#AA4499", "#44AA99",
    "#661100", "#6699CC",
)  # fmt: skip


def plot_peak_fit(fit, title="", axes=None):
    """Draw counts, model, families, background and artefacts, and the residual below.

    Parameters
    ----------
    fit : PeakFit
    title : str
        Name of the spectrum.
    axes : sequence of two matplotlib.axes.Axes, optional
        For the spectrum and the residual; a new figure if not given.

    Returns
    -------
    array of matplotlib.axes.Axes (2,)
    """
    if axes is None:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots(
            2, 1, figsize=(10, 5.4), sharex=True, height_ratios=[3.4, 1], layout="constrained"
        )
    top, below = axes
    energy = fit.design.true_energy
    floor = max(0.3 * np.quantile(np.maximum(fit.model, 0), 0.05), 0.3)
    _draw_families(top, fit, energy, floor)
    top.step(energy, np.maximum(fit.counts, floor / 2), where="mid", color="0.55", lw=0.8,
             label="counts")  # fmt: skip
    top.plot(energy, fit.model, color="black", lw=0.9, label="model")
    top.plot(energy, fit.background, color="#0072B2", lw=1.2, ls="--", label="background")
    if fit.artefacts.max() > floor:
        top.plot(energy, fit.artefacts, color="#009E73", lw=0.9, label="escape and pile-up")
    top.set_yscale("log")
    top.set_ylim(floor, 12 * max(fit.counts.max(), 1))
    top.set_ylabel("Counts")
    top.set_title(f"{title}, chi² per channel {fit.reduced_chi_square:.2f}", fontsize=10)
    top.legend(frameon=False, fontsize=8, loc="upper right", ncols=4)
    below.axhspan(-2, 2, color="0.93", zorder=0)
    below.step(energy, fit.residual, where="mid", color="0.3", lw=0.7)
    largest = max(4.0, 1.1 * np.abs(fit.residual).max())
    below.set_ylim(-largest, largest)
    below.set_xlim(energy[0], energy[-1])
    below.set_ylabel("Residual (σ)")
    below.set_xlabel("Energy (keV)")
    for ax in (top, below):
        ax.spines[["top", "right"]].set_visible(False)
    return np.array([top, below])


def _draw_families(ax, fit, energy, floor):
    """Each family in a colour of its element, named above its highest peak."""
    curves = fit.areas[:, None] * fit.design.profiles
    elements = list(dict.fromkeys(family.element for family in fit.design.families))
    occupied = []
    order = np.argsort(-curves.max(axis=1))
    for n in order:
        family, curve = fit.design.families[n], curves[n]
        if not curve.max() > floor / 3:
            continue
        colour = ELEMENT_COLOURS[elements.index(family.element) % len(ELEMENT_COLOURS)]
        shown = curve > floor / 10
        ax.plot(energy, np.where(shown, curve, np.nan), color=colour, lw=0.8, alpha=0.8)
        peak = int(np.argmax(curve))
        if family.alpha.endswith(("a", "line")):  # not the weak families beside an alpha line
            _name(ax, family.alpha, energy[peak], fit.model[peak], occupied, energy)


def _name(ax, alpha, position, height, occupied, energy):
    """Name of a family above the model, and above the names beside it."""
    width = energy[-1] - energy[0]
    if position < energy[0] + 0.02 * width:
        return
    beside = [top for other, top in occupied if abs(position - other) < 0.05 * width]
    height = max([1.25 * height, *(1.6 * top for top in beside)])
    occupied.append((position, height))
    element, line = alpha.split("_")
    text = "?" if line == "line" else f"{element} {line.replace('a', 'α')}"
    ax.text(position, height, text, fontsize=7, ha="center", va="bottom", color="0.25")
