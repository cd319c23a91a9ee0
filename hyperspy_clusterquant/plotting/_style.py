"""Colours and axes shared by the pictures."""

from __future__ import annotations

#: Okabe-Ito, told apart with every kind of colour vision; cluster 0 first.
CLUSTER_COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000",
)  # fmt: skip
NOISE_COLOUR = "#B0B0B0"
MASK_COLOUR = "#FFFFFF"


def cluster_colours(n_clusters):
    """One colour for each cluster; from tab20 where there are more than eight."""
    if n_clusters <= len(CLUSTER_COLOURS):
        return list(CLUSTER_COLOURS[:n_clusters])
    from matplotlib import colormaps

    tab = colormaps["tab20"].colors
    return [tab[k % len(tab)] for k in range(n_clusters)]


def line_label(line):
    """Name of an X-ray line as it is written: Ga_Ka is Ga Kα."""
    element, name = line.split("_")
    return f"{element} {name.replace('a', 'α')}"


def axes_or_new(ax, figsize, layout="constrained"):
    """The axes given, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=figsize, layout=layout)[1]
