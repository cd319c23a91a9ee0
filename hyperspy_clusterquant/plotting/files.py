"""Pictures that are written to files, without a window and without pyplot knowing of them."""

from __future__ import annotations

from hyperspy_clusterquant.plotting.style import panels_of


def axes_for_file(figsize):
    """Axes of a figure that is only written to a file; `figsize` in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=figsize, layout="compressed").subplots()


def panels_for_file(n, size):
    """Axes for some panels, `size` in inches each, of a figure that is only written to a file."""
    from matplotlib.figure import Figure

    return panels_of(Figure, n, size)


def save_axes(ax, path, dpi=200):
    """Write the figure of some axes with everything that belongs to it."""
    ax.figure.savefig(path, dpi=dpi, bbox_inches="tight")
