"""How HyperSpy's own plots show clusters: their colours, and their names at the colour bar."""

from __future__ import annotations

from hyperspy_clusterquant.clusters.labels import MASKED, NOISE
from hyperspy_clusterquant.plotting.style import MASK_COLOUR, NOISE_COLOUR, cluster_colours

#: Free beside the names, in pixels, and width that map and colour bar keep, of that of the figure.
MARGIN, SMALLEST = 6, 0.4
#: The space between map and colour bar shrinks with them, so one step is not enough.
TRIES = 4
_OTHERS = {MASKED: MASK_COLOUR, NOISE: NOISE_COLOUR}


def look_of_labels(lowest, names):
    """What matplotlib's images of labels take, so that each number has its colour.

    Parameters
    ----------
    lowest : int
        Lowest label that there is: -2, -1, or 0.
    names : sequence of str
        Of the clusters.

    Returns
    -------
    dict
        ``cmap``, ``vmin`` and ``vmax``.
    """
    from matplotlib.colors import ListedColormap

    others = [colour for value, colour in _OTHERS.items() if value >= lowest]
    colours = [*others, *cluster_colours(len(names))]
    first = min(lowest, 0)
    how = {"cmap": ListedColormap(colours, name="clusters")}
    return how | {"vmin": first - 0.5, "vmax": max(len(names), 1) - 0.5}


def name_colour_bars(look, names, noise="noise"):
    """Write the names of clusters, and of noise, at the colour bars of images of that look."""
    import matplotlib.pyplot as plt

    first = round(look["vmin"] + 0.5)
    values = list(range(first, len(names)))
    others = {MASKED: "left out", NOISE: noise}
    texts = [others[value] if value < 0 else names[value] for value in values]
    current = plt.gcf().number
    for number in plt.get_fignums():
        for ax in plt.figure(number).axes:
            for image in ax.images:
                if image.cmap is look["cmap"] and image.colorbar is not None:
                    image.colorbar.set_ticks(values, labels=texts)
                    image.colorbar.minorticks_off()
                    image.colorbar.set_label("")
                    _make_room(image.colorbar)
    plt.figure(current)


def _make_room(colour_bar):
    """Move map and colour bar to the left until long names are on the figure."""
    figure = colour_bar.ax.figure
    for _ in range(TRIES):
        figure.draw_without_rendering()
        missing = colour_bar.ax.get_tightbbox().x1 - figure.bbox.x1
        if missing <= 0:
            return
        right = figure.subplotpars.right - (missing + MARGIN) / figure.bbox.width
        figure.subplots_adjust(right=max(right, figure.subplotpars.left + SMALLEST))
