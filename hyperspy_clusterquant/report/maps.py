"""Maps as a page shows them: images of at most so many pixels, with sizes and scale bars."""

from __future__ import annotations

import base64
import itertools

import numpy as np

from hyperspy_clusterquant._checks import is_pixel_unit
from hyperspy_clusterquant._text import tag
from hyperspy_clusterquant.plotting.thumbnails import (
    BELOW_LABELS,
    binned,
    data_uri,
    first_map,
    grey_png,
    label_png,
    width_over_height,
)

#: Labels that a page holds, of all maps of a stack together; from here on, every second row and
#: column is left out, and so on. In base64 they take 1.4 MB of the 5 MB that a page may have.
MOST_PIXELS = 2**20
#: Rows and columns of a classic map on the page, which is binned to this: 25 of them take less
#: than 1 MB.
CLASSIC_SIDE = 160
#: Share of the width that a scale bar takes at most.
BAR_SHARE = 0.3


def as_stack(values):
    """Maps (..., rows, columns) of any number of navigation axes as (maps, rows, columns)."""
    values = np.asarray(values)
    if values.ndim == 1:
        return values[None, None]
    return values.reshape(-1, *values.shape[-2:])


def step_of(labels):
    """Every how many rows and columns of labels a page shows."""
    step = 1
    while labels[:, ::step, ::step].size > MOST_PIXELS:
        step += 1
    return step


def titles_of(axes, n_maps):
    """What tells the maps of a stack apart, a text each."""
    leading = axes[:-2] if len(axes) > 2 else ()
    if not leading or n_maps == 1:
        return [f"map {n}" for n in range(n_maps)]
    places = itertools.product(*(range(axis["size"]) for axis in leading))
    return [
        ", ".join(
            f"{axis['name'] or f'axis {n}'} = "
            f"{axis['offset'] + axis['scale'] * at:.4g} {unit_of(axis)}".strip()
            for n, (axis, at) in enumerate(zip(leading, place, strict=True))
        )
        for place in places
    ]


def unit_of(axis):
    """Units of an axis, "" if they are none of length or time."""
    return "" if is_pixel_unit(axis["units"]) else axis["units"]


def encoded_labels(labels):
    """Labels moved up to 0, one or two bytes each (little endian), in base64."""
    dtype = np.uint8 if labels.max(initial=0) + BELOW_LABELS < 256 else np.dtype("<u2")
    moved = (labels + BELOW_LABELS).astype(dtype)
    return {"bytes": moved.itemsize, "labels": base64.b64encode(moved.tobytes()).decode()}


def map_figure(images, ratio, bar, alternatives, **attributes):
    """Images in a frame of their proportions, above a scale bar.

    Parameters
    ----------
    images : list of bytes
        PNG files, of which one is shown.
    ratio : float
        Width over height.
    bar : tuple of (float, str) or None
        Share of the width, and what it is; see `scale_bar`.
    alternatives : list of str
        What the images show, in words.
    """
    pictures = [
        tag("img", src=data_uri(image), alt=text, class_="map")
        for image, text in zip(images, alternatives, strict=True)
    ]
    frame = tag(
        "div",
        *pictures,
        class_="frame",
        style=f"aspect-ratio:{ratio:.5f};--ratio:{ratio:.5f}",
        **attributes,
    )
    return tag("div", frame, _bar(bar), class_="mapbox", style=f"--ratio:{ratio:.5f}")


def _bar(bar):
    if bar is None:
        return None
    share, text = bar
    return tag("div", tag("i", style=f"width:{100 * share:.3f}%"), tag("span", text), class_="bar")


def scale_bar(axes, n_columns):
    """Share of a map's width that a round length takes, and the length in words; None without axes.

    Below the map, it covers nothing of it.
    """
    if not axes:
        return None
    axis, units = axes[-1], unit_of(axes[-1])
    scale = abs(axis["scale"]) if units and 0 < abs(axis["scale"]) < np.inf else 1.0
    whole = n_columns * scale
    magnitude = 10.0 ** np.floor(np.log10(BAR_SHARE * whole))
    length = max(k * magnitude for k in (1, 2, 5) if k * magnitude <= BAR_SHARE * whole * 1.0001)
    return length / whole, f"{length:g} {units or 'pixels'}"


def label_images(result):
    """Labels of a result as the page shows them: PNG files, stack, step and proportions."""
    stack = as_stack(result.labels)
    step = step_of(stack)
    shown = stack[:, ::step, ::step]
    images = [label_png(labels, result.n_clusters) for labels in shown]
    ratio = width_over_height(stack.shape[1:], result.axes if result.labels.ndim > 1 else ())
    return images, shown, step, ratio


def classic_image(values):
    """A map of a line, the first of a stack, in bins that make it small enough, as a PNG file."""
    return grey_png(binned(first_map(values), CLASSIC_SIDE))
