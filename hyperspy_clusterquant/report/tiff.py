"""Maps as TIFF files that ImageJ opens with the size of their pixels."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.clusters.labels import MASKED, NOISE
from hyperspy_clusterquant.plotting.style import MASK_COLOUR, NOISE_COLOUR, cluster_colours
from hyperspy_clusterquant.report.maps import as_stack, unit_of

#: ImageJ and HyperSpy read this unit as "micron".
_MICROMETRES = {"µm", "μm"}


def label_values(labels, n_clusters):
    """Labels without signs, as ImageJ holds them: 0 is left out, cluster k is k + 1.

    Parameters
    ----------
    labels : array of int
    n_clusters : int

    Returns
    -------
    array of uint8 or uint16
        Noise is 255, or 65535 where there are more clusters than that.
    """
    dtype = np.uint8 if n_clusters < 255 else np.uint16
    values = np.where(labels == NOISE, np.iinfo(dtype).max, labels + 1)
    return np.where(labels == MASKED, 0, values).astype(dtype)


def write_labels(path, labels, n_clusters, axes):
    """Write labels (map shape) in the colours of the clusters, see `label_values`."""
    values = label_values(labels, n_clusters)
    more = {}
    if values.dtype == np.uint8:
        palette = np.zeros((3, 256), dtype=np.uint8)
        colours = [MASK_COLOUR, *cluster_colours(n_clusters)]
        for k, colour in [*enumerate(colours), (255, NOISE_COLOUR)]:
            palette[:, k] = list(bytes.fromhex(colour[1:]))
        more["LUTs"] = [palette]
        more["min"], more["max"] = 0.0, 255.0  # each value its own colour
    _write(path, as_stack(values), "TYX" if labels.ndim > 2 else "YX", axes, **more)


def write_images(path, images, names, axes):
    """Write images (n_images, map shape) as the slices of a stack that have names.

    Of a stack of maps, its maps are the frames.
    """
    stack = np.array([as_stack(image) for image in images], dtype=np.float32)
    if images.ndim <= 3:
        _write(path, stack[:, 0], "ZYX", axes, Labels=list(names))
        return
    frames = np.moveaxis(stack, 0, 1)
    _write(path, frames, "TZYX", axes, Labels=list(names) * len(frames))


def _write(path, values, order, axes, **metadata):
    """Write an array whose last two axes are rows and columns."""
    import tifffile

    if order == "YX":
        values = values[0]
    per_unit, unit = _resolution(axes)
    metadata |= {} if unit is None else {"unit": unit}
    tifffile.imwrite(
        path, values, imagej=True, resolution=per_unit, resolutionunit="NONE",
        metadata={"axes": order, **metadata},
    )  # fmt: skip


def _resolution(axes):
    """Pixels per unit along x and y, and the unit as ImageJ writes it; None if there is none."""
    last = list(reversed(axes[-2:]))
    units = {unit_of(axis) for axis in last}
    sizes = [abs(axis["scale"]) for axis in last]
    if len(units) != 1 or "" in units or not all(0 < size < np.inf for size in sizes):
        return None, None
    unit = units.pop()
    unit = "micron" if unit in _MICROMETRES else _ascii(unit)
    sizes = sizes * 2 if len(sizes) == 1 else sizes
    return tuple(1 / size for size in sizes), unit


def _ascii(text):
    r"""A text without other signs than those of ASCII, which ImageJ reads as \u00c5 and so on."""
    return "".join(sign if ord(sign) < 128 else f"\\u{ord(sign):04x}" for sign in text)
