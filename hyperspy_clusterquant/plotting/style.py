"""Colours and axes shared by the pictures."""

from __future__ import annotations

import colorsys

import numpy as np

from hyperspy_clusterquant._checks import is_pixel_unit

#: Okabe-Ito (M. Okabe and K. Ito, Color Universal Design, 2008) and four more, cluster 0 first.
#: With every kind of colour vision (simulated after G. M. Machado et al., IEEE Trans. Vis. Comput.
#: Graph. 15 (2009) 1291), two of them, noise and white are at least 10 apart in CIEDE2000.
CLUSTER_COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000",
    "#692D0F", "#000096", "#5A4B5A", "#C3F0B4",
)  # fmt: skip
#: The next: each as far as can be from those before, at least 15 apart with full colour vision.
MORE_COLOURS = (
    "#4B5A4B", "#A50FFF", "#87873C", "#00F0F0", "#B40069", "#3C002D", "#9687FF", "#878787",
    "#FFB4B4", "#C31E2D", "#006900", "#002D0F", "#87694B", "#00D24B", "#003C4B", "#C3A587",
    "#E16969", "#4B4B96", "#007878", "#C3C3FF", "#69001E", "#876996", "#F00FD2", "#87A596",
)  # fmt: skip
#: Of elements, which are no clusters (P. Tol's muted colours, personal.sron.nl/~pault, and others).
ELEMENT_COLOURS = (
    "#CC6677", "#332288", "#DDCC77", "#117733", "#88CCEE", "#882255", "#44AA99", "#999933",
    "#AA4499", "#661100", "#6699CC", "#555555",
)  # fmt: skip
NOISE_COLOUR = "#C8C8C8"
MASK_COLOUR = "#FFFFFF"
#: A map is drawn up to so many times as high as wide, or as wide as high, as HyperSpy draws images.
MOST_ELONGATED = 10.0
#: Width of a map among others, and width and height of a line scan, in inches.
PANEL_WIDTH, PANEL_OF_LINE = 2.6, (3.6, 2.2)
LOWEST_PANEL = 1.5
#: Of all in a row; maps that are flatter than this (height over width) are twice as wide.
PANELS_WIDTH, FLAT = 10.4, 0.4
#: Letters of a name above a map.
LONGEST_NAME = 22
#: Spectra are drawn from here on, in keV: below is the noise of the detector.
LOWEST_ENERGY = 0.1
#: Of scale bars, in points.
BAR_WIDTH = 2.5


def cluster_colours(n_clusters):
    """One colour for each cluster, as a text like "#0072B2".

    A cluster has its colour by its number, however many there are: the same in every picture,
    table and file.
    """
    known = [*CLUSTER_COLOURS, *MORE_COLOURS][:n_clusters]
    return known + [_another_colour(k) for k in range(len(known), n_clusters)]


def element_colours(n_elements):
    """One colour for each element, which are not those of the clusters."""
    return [ELEMENT_COLOURS[n % len(ELEMENT_COLOURS)] for n in range(n_elements)]


def _another_colour(number):
    """A hue that is none of the last ones: steps of the golden section never come together."""
    golden = (5**0.5 - 1) / 2
    shade = colorsys.hls_to_rgb(number * golden % 1, (0.35, 0.5, 0.65)[number % 3], 0.7)
    return "#" + "".join(f"{round(255 * value):02X}" for value in shade)


def line_label(line):
    """Name of an X-ray line as it is written: Ga_Ka is Ga Kα."""
    element, name = line.split("_")
    return f"{element} {name.replace('a', 'α')}"


def shortened(name, longest=LONGEST_NAME):
    """A name of at most so many letters, by default as it fits above a map among others."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def axes_or_new(ax, figsize, layout="constrained"):
    """The axes given, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=figsize, layout=layout)[1]


def open_frame(ax):
    """Take off the upper and the right spine."""
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def legend_beside(ax, handles=None):
    """Legend to the right of the axes, see `legend_of`; by default of what has a label."""
    handles = ax.get_legend_handles_labels()[0] if handles is None else handles
    legend_of(ax, handles, loc="upper left", bbox_to_anchor=(1.01, 1.0))


def legend_of(where, handles, **how):
    """Legend of axes or a figure, with the labels of the handles.

    Labels may begin with an underscore, as names of clusters do; matplotlib before 3.10 leaves such
    out of legends.
    """
    legend = where.legend(handles, ["-"] * len(handles), frameon=False, fontsize=9, **how)
    for text, handle in zip(legend.get_texts(), handles, strict=True):
        text.set_text(handle.get_label())


def name_rows_and_columns(ax, rows, columns):
    """Names of the rows and columns of a matrix."""
    ax.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
    ax.set_yticks(range(len(rows)), rows)


def panels(n, size, axes=None):
    """Axes for some panels side by side, array (n,): those given, or those of a new figure.

    `size` is width and height of a panel in inches.
    """
    if axes is None:
        import matplotlib.pyplot as plt

        return panels_of(plt.figure, n, size)
    return np.asarray(axes, dtype=object)


def panels_of(new_figure, n, size):
    """Axes for some panels on what `new_figure` makes, such as pyplot's ``figure``."""
    columns = max(min(n, round(PANELS_WIDTH / size[0])), 1)
    rows = max(-(-n // columns), 1)
    figure = new_figure(figsize=(size[0] * columns, size[1] * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for empty in axes[n:]:
        figure.delaxes(empty)
    return axes[:n]


def panel_size(shape, map_axes, more=0.6):
    """Width and height in inches of a map, or a line scan, among others.

    `more` is what title and scale bar take of the height.
    """
    if len(shape) < 2:
        return PANEL_OF_LINE
    high = pixel_aspect(shape[-2:], map_axes) * shape[-2] / shape[-1]
    width = PANEL_WIDTH * (2 if high < FLAT else 1)
    return width, max(width * float(np.clip(high, 0.1, 1.6)) + more, LOWEST_PANEL)


def map_of(values, index=0):
    """One map of a stack, by its number; a map or a line scan is its only one.

    Parameters
    ----------
    values : array (map shape)
    index : int
        Number of the map in array order; negative ones count from the end.

    Returns
    -------
    array (height, width) or (length,)

    Raises
    ------
    ValueError
        If there is no such map.
    """
    maps = values.reshape(-1, *values.shape[-2:]) if values.ndim > 1 else values[None]
    if not isinstance(index, int | np.integer) or not -len(maps) <= index < len(maps):
        raise ValueError(
            f"`index` must be the number of one of the maps, 0 to {len(maps) - 1}, not {index!r}."
        )
    return maps[index]


def draw_map(ax, values, map_axes, scale_bar=True, **how):
    """Draw a map with a scale bar below it; `how` as in matplotlib's imshow.

    Of a stack, it is the first one. A line scan becomes a band with its axis. Pixels are drawn as
    high and wide as they are. Without axes of the map, there is no scale bar.
    """
    image = map_of(values)
    if image.ndim == 1:
        low, high = position_axis(ax, map_axes, len(image))[[0, -1]]
        ax.set_yticks([])
        return ax.imshow(
            image[None], interpolation="nearest", aspect="auto", extent=(low, high, 0, 1), **how
        )
    return draw_image(ax, image, map_axes, scale_bar, **how)


def draw_image(ax, image, map_axes, scale_bar=True, **how):
    """Draw a map, or the colours (height, width, 3) of one, see `draw_map`."""
    shape = image.shape[:2]
    aspect = pixel_aspect(shape, map_axes)
    drawn = ax.imshow(image, interpolation="nearest", aspect=aspect, **how)
    ax.set_xticks([])
    ax.set_yticks([])
    if map_axes and scale_bar:
        _draw_scale_bar(ax, map_axes, shape)
    return drawn


def position_axis(ax, map_axes, n_pixels):
    """Label the position along a line scan; the edges of its pixels, array (n_pixels + 1,)."""
    scale, offset, name, units = 1.0, 0.0, "Position", "px"
    if map_axes:
        axis = map_axes[-1]
        name = axis.get("name") or name
        if not _counts_pixels(axis):
            scale, offset, units = axis["scale"], axis.get("offset", 0.0), axis["units"]
    edges = offset + scale * (np.arange(n_pixels + 1) - 0.5)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_xlabel(f"{name} ({units})")
    return edges


def pixel_aspect(shape, map_axes):
    """Height of a pixel over its width, as matplotlib takes it, of a map (rows, columns).

    Pixels are squares where the axes do not say more; no map is longer than `MOST_ELONGATED`.
    """
    sizes = [_pixel_size(axis) for axis in map_axes[-2:]]
    aspect = 1.0
    # Of a time and a length nobody knows which is longer.
    if len(sizes) == 2 and None not in sizes and sizes[0].check(sizes[1].units):
        aspect = float((sizes[0] / sizes[1]).m_as("dimensionless"))
    whole = aspect * shape[0] / shape[1]
    return aspect * float(np.clip(whole, 1 / MOST_ELONGATED, MOST_ELONGATED)) / whole


def _pixel_size(axis):
    """Size of a pixel as a pint.Quantity, in pixels where the axis has no lengths."""
    import pint

    registry = pint.get_application_registry()
    if _counts_pixels(axis):
        return registry.Quantity(1.0, "pixel")
    try:
        return registry.Quantity(abs(axis["scale"]), axis["units"])
    except (pint.errors.PintError, ArithmeticError, AssertionError, TypeError, ValueError):
        return None  # words that are no units


def _counts_pixels(axis):
    """Whether an axis has nothing but pixels to count."""
    return is_pixel_unit(axis["units"]) or not 0 < abs(axis["scale"]) < np.inf


def _draw_scale_bar(ax, map_axes, shape):
    """Scale bar of a round length below a map, where it covers nothing."""
    from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

    axis, (height, width) = map_axes[-1], shape
    scale, units = (1.0, "px") if _counts_pixels(axis) else (abs(axis["scale"]), axis["units"])
    # Of a narrow map, a fifth of the width is hardly seen.
    wanted = max(0.2 * width, 0.1 * height * ax.get_aspect()) * scale
    magnitude = 10.0 ** np.floor(np.log10(wanted))
    length = max(step * magnitude for step in (1, 2, 5) if step * magnitude <= wanted)
    bar = AnchoredSizeBar(
        ax.transData, length / scale, f"{length:g} {units}", loc="upper left", pad=0,
        borderpad=0.5, sep=3, frameon=False, size_vertical=0, color="black",
        bbox_to_anchor=(0, 0, 1, 0), bbox_transform=ax.transAxes,
    )  # fmt: skip
    bar.size_bar.get_children()[0].set_linewidth(BAR_WIDTH)
    ax.add_artist(bar)
