"""Maps as PNG images of one pixel each, for pages and notebooks: no figure is opened."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

from hyperspy_clusterquant.plotting.style import (
    MASK_COLOUR,
    MOST_ELONGATED,
    NOISE_COLOUR,
    cluster_colours,
)

#: What stands for labels that are left out and noise: labels are moved up by so much.
BELOW_LABELS = 2
#: Part of the values of a map that are drawn as different greys; brighter ones are all white.
NOT_WHITE = 0.995
_GREY, _INDEXED = 0, 3


def hex_colours(n_clusters):
    """Colour of each cluster as ``"#rrggbb"``, the same as in all pictures."""
    return [
        colour.lower()
        if isinstance(colour, str)
        else "#" + "".join(f"{round(255 * part):02x}" for part in colour[:3])
        for colour in cluster_colours(n_clusters)
    ]


def label_png(labels, n_clusters):
    """Labels (rows, columns) in the clusters' colours, as the bytes of a PNG file.

    Of more than 254 clusters, which no eye tells apart, colours are repeated.
    """
    colours = [MASK_COLOUR, NOISE_COLOUR, *hex_colours(n_clusters)]
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

    Pixels count as squares where the axes do not say more; at most `MOST_ELONGATED`.
    """
    pixel = 1.0
    if len(map_axes) >= 2:
        high, wide = (axis for axis in map_axes[-2:])
        sizes = [abs(axis.get("scale", 1.0)) for axis in (high, wide)]
        same = high.get("units", "") == wide.get("units", "")
        if same and all(0 < size < np.inf for size in sizes):
            pixel = sizes[1] / sizes[0]
    whole = pixel * shape[1] / shape[0]
    return float(np.clip(whole, 1 / MOST_ELONGATED, MOST_ELONGATED))


def thumbnail_size(ratio, longest=180):
    """Width and height in pixels of the screen of what is drawn so much wider than high."""
    return (
        (longest, max(round(longest / ratio), 1))
        if ratio > 1
        else (
            max(round(longest * ratio), 1),
            longest,
        )
    )
