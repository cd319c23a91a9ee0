"""Composition along a line."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.plotting.style import (
    axes_or_new,
    element_colours,
    legend_beside,
    open_frame,
)


def plot_profile(
    distance, percent, std, elements, unit, deblurred=None, deblurred_std=None, interfaces=(),
    ax=None,
):  # fmt: skip
    """Draw compositions (n, n_elements) along a line with bands of one standard deviation.

    With the blur taken out, that is a line with a band, and what was measured are dots with bars.
    Of interfaces, position and width are marked.
    """
    ax = axes_or_new(ax, (7.2, 4.0))
    for position, width in interfaces:
        if np.isfinite(width):
            ax.axvspan(position - width / 2, position + width / 2, color="0.92", lw=0, zorder=0)
        ax.axvline(position, color="0.6", lw=0.8, ls="--", zorder=0)
    for n, (element, colour) in enumerate(
        zip(elements, element_colours(len(elements)), strict=True)
    ):
        measured = percent[:, n], std[:, n]
        if deblurred is None:
            _draw_band(ax, distance, *measured, colour, element)
            continue
        ax.errorbar(distance, *measured, fmt="o", ms=2.5, lw=0.7, color=colour, alpha=0.6)
        _draw_band(ax, distance, deblurred[:, n], deblurred_std[:, n], colour, element)
    ax.set_xlabel(f"Distance ({unit})")
    ax.set_ylabel("Composition (at%)")
    ax.set_xlim(distance[0], distance[-1])
    legend_beside(ax)
    return open_frame(ax)


def _draw_band(ax, distance, values, std, colour, label):
    ax.fill_between(distance, values - std, values + std, color=colour, alpha=0.25, lw=0)
    ax.plot(distance, values, color=colour, lw=1.3, label=label)
