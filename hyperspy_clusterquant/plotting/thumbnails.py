"""Maps as PNG images of one pixel each, for pages and notebooks: no figure is opened."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

from hyperspy_clusterquant._text import tag
from hyperspy_clusterquant.plotting.style import (
    MASK_COLOUR,
    NOISE_COLOUR,
    cluster_colours,
    pixel_aspect,
)

#: What stands for labels that are left out and noise: labels are moved up by so much.
BELOW_LABELS = 2
#: Part of the values of a map that are drawn as different greys; brighter ones are all white.
NOT_WHITE = 0.995
#: Rows and columns of labels that a thumbnail holds at most; others are left out.
MOST_ROWS = 360
_GREY, _INDEXED = 0, 3


def label_png(labels, n_clusters):
    """Labels (rows, columns) in the clusters' colours, as the bytes of a PNG file.

    Of more than 254 clusters, which no eye tells apart, colours are repeated.
    """
    colours = [MASK_COLOUR, NOISE_COLOUR, *cluster_colours(n_clusters)]
    index = np.asarray(labels) + BELOW_LABELS
    most = 256 - BELOW_LABELS
    index = np.where(index < 256, index, BELOW_LABELS + (index - BELOW_LABELS) % most)
    return _png(index.astype(np.uint8), b"".join(bytes.fromhex(c[1:]) for c in colours[:256]))


def grey_png(image):
    """Values (rows, columns) from zero up as greys, NaN black, as the bytes of a PNG file."""
    shown = image[np.isfinite(image)]
    high = np.quantile(shown, NOT_WHITE) if shown.size else 0.0
    grey = 255 * np.clip(np.nan_to_num(image) / max(high, 1e-6), 0, 1)
    return _png(grey.round().astype(np.uint8))


def _png(pixels, palette=None):
    """Bytes of a PNG file (ISO/IEC 15948) of pixels (rows, columns) of one byte."""
    height, width = pixels.shape
    kind = _GREY if palette is None else _INDEXED
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # each begins with its filter: none
    rows[:, 1:] = pixels
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)),
            b"" if palette is None else _chunk(b"PLTE", palette),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(name, content):
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def data_uri(png):
    """Bytes of a PNG file as an address that holds them."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def width_over_height(shape, map_axes):
    """How wide a map (rows, columns) is drawn, in its height, as its pixels are in the specimen.

    As other pictures have it, see `pixel_aspect`.
    """
    return shape[1] / shape[0] / pixel_aspect(shape, map_axes)


def picture(png, ratio, text, longest=180):
    """A PNG file as an image in HTML, so many pixels of the screen wide or high, with its text."""
    width, height = thumbnail_size(ratio, longest)
    style = "image-rendering:pixelated;border:1px solid #777;max-width:none;margin:2px 0"
    return tag("img", src=data_uri(png), width=width, height=height, alt=text, title=text,
               style=style)  # fmt: skip


def label_picture(labels, n_clusters, map_axes, text, longest=180):
    """Labels (map shape), or the first map of a stack, as an image in HTML."""
    shown = first_map(labels)
    ratio = width_over_height(shown.shape, map_axes if labels.ndim > 1 else ())
    step = max(-(-max(shown.shape) // MOST_ROWS), 1)
    return picture(label_png(shown[::step, ::step], n_clusters), ratio, text, longest)


def grey_picture(values, map_axes, text, longest=110):
    """Values of a map, or of the first of a stack, from zero up as an image with its text below."""
    shown = first_map(values)
    ratio = width_over_height(shown.shape, map_axes if values.ndim > 1 else ())
    image = picture(grey_png(binned(shown, longest)), ratio, text, longest)
    style = f"margin:0;max-width:{longest}px;font-size:0.85em"
    return tag("figure", image, tag("figcaption", text), style=style)


def first_map(values):
    """The first map (rows, columns) of values of a map, a line scan or a stack."""
    while values.ndim > 2:
        values = values[0]
    return np.atleast_2d(values)


def binned(image, most):
    """Means of bins of a map, NaN aside, of which there are at most so many along each axis."""
    starts = [range(0, size, max(-(-size // most), 1)) for size in image.shape]
    kept = np.isfinite(image)
    totals, numbers = (
        np.add.reduceat(np.add.reduceat(of, starts[0], axis=0), starts[1], axis=1)
        for of in (np.where(kept, image, 0.0), kept.astype(float))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return totals / numbers


def thumbnail_size(ratio, longest):
    """Width and height in pixels of the screen of what is drawn so much wider than high."""
    width, height = min(ratio, 1.0), min(1 / ratio, 1.0)
    return max(round(longest * width), 1), max(round(longest * height), 1)
