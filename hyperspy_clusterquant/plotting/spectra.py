"""Spectra of clusters, and the fits of their peaks."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.plotting.style import (
    axes_or_new,
    cluster_colours,
    element_colours,
    legend_beside,
    line_label,
    open_frame,
)

#: Beyond the highest line, spectra are drawn up to so much (times the energy, and keV).
BEYOND_LINES = 1.1, 0.3
#: Share of the channels with counts that may lie below a logarithmic axis.
LOWEST_CHANNELS = 0.02


def plot_spectra(
    energy, values, names, lines, ax=None, *, colours=None, quantity="Share of the counts",
    one_count=None, log=True, offset=0.0, energy_range=None,
):  # fmt: skip
    """Draw spectra in the colours of their clusters, X-ray lines named above them.

    Parameters
    ----------
    energy : array (channels,)
        In keV.
    values : array (n, channels)
        Counts, shares of them, or differences.
    names : sequence of str
    lines : dict of str: float
        Energies in keV of the lines to name.
    ax : matplotlib.axes.Axes, optional
    colours : sequence of str, optional
        Default: those of the first n clusters.
    quantity : str
        What the values are.
    one_count : float, optional
        What a single count is in `values`, below which a logarithmic axis does not go; 1 by
        default.
    log : bool
        Whether the vertical axis is logarithmic.
    offset : float
        How far each spectrum is lifted above the one before: decades of a logarithmic axis, or
        the height of the highest peak.
    energy_range : tuple of float, optional
        In keV. Default: all, up to the highest line.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = axes_or_new(ax, (8.5, 4.2))
    low, high = _range(energy, lines, energy_range)
    shown = (energy >= low) & (energy <= high)
    seen = values[:, shown]
    highest = np.abs(seen).max(initial=0.0)
    lifts = offset * np.arange(len(values))
    lifted = values * 10 ** lifts[:, None] if log else values + highest * lifts[:, None]
    colours = cluster_colours(len(values)) if colours is None else colours
    for of, name, colour in zip(lifted, names, colours, strict=True):
        ax.step(energy, of, where="mid", color=colour, lw=1.1, label=name)
    ax.set_xlim(low, high)
    bottom, top = _limits(seen, lifted[:, shown], log, 1.0 if one_count is None else one_count)
    set_limits_below_names(ax, bottom, top, log)
    if not log and bottom < 0:
        ax.axhline(0, color="0.7", lw=0.8, zorder=0)
    name_lines(ax, lines, energy, lifted.max(axis=0, initial=bottom))
    ax.set_xlabel("Energy (keV)")
    ax.set_ylabel(f"{quantity}, lifted" if offset else quantity)
    legend_beside(ax, list(ax.lines[: len(values)])[:: -1 if offset else 1])
    return open_frame(ax)


def _range(energy, lines, energy_range):
    """Lowest and highest energy to be drawn."""
    if energy_range is not None:
        return energy_range
    times, plus = BEYOND_LINES
    last = max(lines.values()) * times + plus if lines else energy[-1]
    return energy[0], min(last, energy[-1])


def _limits(seen, lifted, log, one_count):
    """Lowest and highest value to be drawn."""
    top = lifted.max(initial=0.0)
    if not log:
        return min(lifted.min(initial=0.0), 0.0), top if top > 0 else one_count
    positive = seen[seen > 0]
    lowest = np.quantile(positive, LOWEST_CHANNELS) / 2 if positive.size else one_count
    bottom = max(lowest, one_count)
    return bottom, max(top, 10 * bottom)


def set_limits_below_names(ax, bottom, top, log):
    """Scale and limits of the vertical axis, with room for the names above what is drawn."""
    from hyperspy_clusterquant.plotting.line_labels import BAND

    room = 1 - BAND - 0.03
    if log:
        ax.set_ylim(bottom, bottom * (top / bottom) ** (1 / room))
        ax.set_yscale("log")
    else:
        ax.set_ylim(bottom + 0.04 * min(bottom, 0), bottom + (top - bottom) / room)


def name_lines(ax, lines, energy, height):
    """Name the lines within the axes, with leaders down to `height` (channels,)."""
    from hyperspy_clusterquant.plotting.line_labels import LineLabels

    low, high = ax.get_xlim()
    inside = {line: at for line, at in lines.items() if low <= at <= high}
    nearest = [int(np.abs(energy - at).argmin()) for at in inside.values()]
    names = [line_label(line) for line in inside]
    LineLabels(ax, names, list(inside.values()), np.asarray(height)[nearest])


def plot_peak_fit(
    energy, counts, model, background, artefacts, residual, alphas, curves, title, axes=None,
    energy_range=None, named=None,
):  # fmt: skip
    """Draw counts, model, families, background and artefacts, and the residual in σ below.

    `alphas` are the alpha lines of the families, `curves` (n_families, channels) their counts, and
    `named` those whose names are written (default: all). `energy_range` in keV.
    """
    if axes is None:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots(
            2, 1, figsize=(10, 5.4), sharex=True, height_ratios=[3.4, 1], layout="constrained"
        )
    top, below = axes
    low, high = (energy[0], energy[-1]) if energy_range is None else energy_range
    shown = (energy >= low) & (energy <= high)
    floor = max(0.3 * np.quantile(np.maximum(model[shown], 0), 0.05), 1.0)
    _draw_families(top, alphas, curves, floor, energy)
    top.step(energy, np.maximum(counts, floor / 2), where="mid", color="0.55", lw=0.8,
             label="counts")  # fmt: skip
    top.plot(energy, model, color="black", lw=0.9, label="model")
    top.plot(energy, background, color="#0072B2", lw=1.2, ls="--", label="background")
    if artefacts[shown].max() > floor:
        top.plot(energy, artefacts, color="#009E73", lw=0.9, label="escape and pile-up")
    for ax in (top, below):
        ax.set_xlim(low, high)
    set_limits_below_names(
        top, floor, max(counts[shown].max(), model[shown].max(), 10 * floor), True
    )
    named = alphas if named is None else named
    _name_families(top, alphas, curves, np.maximum(counts, model), energy, floor, named)
    top.set_ylabel("Counts")
    top.set_title(title, fontsize=10)
    legend_beside(top)
    below.axhspan(-2, 2, color="0.93", zorder=0)
    below.step(energy, residual, where="mid", color="0.3", lw=0.7)
    largest = max(4.0, 1.1 * np.abs(residual[shown]).max())
    below.set_ylim(-largest, largest)
    below.set_ylabel("Residual (σ)")
    below.set_xlabel("Energy (keV)")
    return np.array([open_frame(top), open_frame(below)])


def _draw_families(ax, alphas, curves, floor, energy):
    """Each family in a colour of its element."""
    elements = list(dict.fromkeys(alpha.partition("_")[0] for alpha in alphas))
    for n in np.argsort(-curves.max(axis=1)):
        if curves[n].max() > floor / 3:
            colour = element_colours(len(elements))[elements.index(alphas[n].partition("_")[0])]
            curve = np.where(curves[n] > floor / 10, curves[n], np.nan)
            ax.plot(energy, curve, color=colour, lw=0.8, alpha=0.8)


def _name_families(ax, alphas, curves, height, energy, floor, named):
    """Names of the families that are seen, above their highest peaks."""
    from hyperspy_clusterquant.plotting.line_labels import LineLabels

    low, high = ax.get_xlim()
    names, places, feet = [], [], []
    for alpha, curve in zip(alphas, curves, strict=True):
        peak = int(np.argmax(curve))
        # Not the weak families beside an alpha line.
        is_alpha = alpha.endswith(("a", "line"))
        if alpha in named and is_alpha and curve[peak] > floor / 3 and low <= energy[peak] <= high:
            names.append("?" if alpha.endswith("_line") else line_label(alpha))
            places.append(energy[peak])
            feet.append(height[peak])
    LineLabels(ax, names, places, feet)
