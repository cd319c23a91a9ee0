"""Charts of what a clustering chose."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.plotting.style import axes_or_new, open_frame


def plot_scree(eigenvalues, noise_edge, ax=None):
    """Draw eigenvalues in units of a pixel's shot noise, and the edge of the noise."""
    ax = axes_or_new(ax, (5.2, 3.6))
    number = np.arange(1, len(eigenvalues) + 1)
    signal, positive = eigenvalues > noise_edge, eigenvalues > 0
    lowest = eigenvalues[positive].min() if positive.any() else noise_edge / 10
    ax.axhspan(lowest / 3, noise_edge, color="0.92", zorder=0)
    ax.axhline(noise_edge, color="0.35", lw=1, ls="--", label="edge of the noise")
    for chosen, colour, label in (
        (signal, "#0072B2", f"signal ({signal.sum()})"),
        (~signal & positive, "0.6", "shot noise"),
    ):
        if chosen.any():
            ax.plot(number[chosen], eigenvalues[chosen], "o", color=colour, label=label, ms=5)
    ax.set_yscale("log")
    ax.set_ylim(lowest / 1.6, max(eigenvalues.max(), noise_edge) * 2)
    ax.set_xticks(number[:: max(len(number) // 10, 1)])
    ax.set_xlabel("Component")
    ax.set_ylabel("Eigenvalue (shot noise of a pixel = 1)")
    ax.legend(frameon=False, fontsize=9)
    return open_frame(ax)


def plot_criterion(curve, n_found, criterion, ax=None):
    """Draw the criterion ("bic" or "gaps") of one, two, ... Gaussians, and the clusters found."""
    ax = axes_or_new(ax, (5.2, 3.6))
    tried = np.arange(1, len(curve) + 1)
    ax.plot(tried, curve, "o-", color="#0072B2", ms=5, lw=1)
    ax.set_xticks(tried)
    if criterion == "bic":
        ax.axvline(n_found, color="0.35", lw=1, ls="--", label="clusters found")
        ax.set_xlabel("Number of clusters")
        ax.set_ylabel("BIC per learning pixel")
    else:
        ax.axhline(n_found, color="0.35", lw=1, ls="--", label="clusters found")
        ax.set_yticks(np.arange(1, max(*curve, n_found) + 1))
        ax.set_xlabel("Gaussians in the mixture")
        ax.set_ylabel("Groups with gaps between them")
    ax.legend(frameon=False, fontsize=9)
    return open_frame(ax)
