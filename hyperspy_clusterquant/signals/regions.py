"""Regions of a map as users give them: label images, masks, ROIs, made into labels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hyperspy_clusterquant.clusters.labels import MASKED, NOISE, drop_empty_and_sort
from hyperspy_clusterquant.signals.storage import map_shape

#: An image with more values than this is a picture, and no segmentation of one.
MOST_REGIONS = 1000
ADVICE = (
    "Give an image of whole numbers with the map's shape, a list or dictionary of boolean masks, "
    "or of HyperSpy ROIs (hs.roi.RectangularROI, CircleROI, PolygonROI; SpanROI on a line scan)."
)


def read_regions(signal, regions, names=None, background=None):
    """Labels and names of the regions that a user gave.

    Parameters
    ----------
    signal : ClusteredEDSSpectrum
        The map.
    regions, names, background
        As of `ClusteredEDSSpectrum.clusters_from_labels`.

    Returns
    -------
    labels : array of int32 (map shape)
        0 .. n - 1, largest first; -1 = in none, -2 = left out.
    names : tuple of str
    """
    if isinstance(regions, str) or regions is None:
        raise TypeError(f"`labels_or_rois` must be regions of the map, not {regions!r}. {ADVICE}")
    if isinstance(regions, Mapping) or _is_collection(regions):
        if background is not None:
            raise ValueError(
                "`background` is a value of a label image, but masks or ROIs were given: what is "
                "in none of them is in no cluster anyway."
            )
        labels, known = _from_masks(signal, regions)
    elif _is_roi(regions):
        labels, known = _from_masks(signal, [regions])
    else:
        labels, known = _from_image(signal, regions, background)
    known = _named(known, names)
    memberships = np.zeros((1, len(known)), dtype=bool)  # of which none is asked for
    number, _, order = drop_empty_and_sort(np.maximum(labels, NOISE).ravel(), memberships)
    dense = np.where(labels == MASKED, MASKED, number.reshape(labels.shape)).astype(np.int32)
    return dense, tuple(known[old] for old in order)


def _is_roi(region):
    """Whether it is one of HyperSpy's regions of interest."""
    import hyperspy.api as hs

    kinds = [getattr(hs.roi, name) for name in dir(hs.roi) if name.endswith("ROI")]
    return isinstance(region, tuple(kinds))


def _is_collection(regions):
    """Whether it is a list of masks or ROIs, and not an image as a list of lists of numbers."""
    return isinstance(regions, list | tuple) and all(
        isinstance(of, np.ndarray) or hasattr(of, "axes_manager") or _is_roi(of) for of in regions
    )


def _named(known, names):
    """Names of the regions: those that they came with by their keys, unless others are given."""
    texts = [str(key) if isinstance(key, str) else f"region {key}" for key in known]
    if names is None:
        return texts
    if isinstance(names, Mapping):
        unknown = [key for key in names if key not in known]
        if unknown:
            raise ValueError(
                f"`names` names {', '.join(map(repr, unknown))}, but the regions are "
                f"{', '.join(map(repr, known))}."
            )
        return [str(names.get(key, text)) for key, text in zip(known, texts, strict=True)]
    names = [names] if isinstance(names, str) else list(names)
    if len(names) != len(known):
        raise ValueError(
            f"`names` has {len(names)} names for {len(known)} regions "
            f"({', '.join(map(str, known))}). Give one for each in this order, or a dictionary "
            "{region: name}."
        )
    return list(map(str, names))


# --- label images -------------------------------------------------------------------------


def _from_image(signal, image, background):
    """Labels with consecutive numbers from a label image, and the values that it has of them."""
    values = _array_of(image)
    if values.dtype == bool:
        values = np.where(values, 1, NOISE)
    if values.dtype.kind not in "iuf":
        raise TypeError(
            f"`labels_or_rois` must hold whole numbers, one for each region, not {values.dtype}. "
            f"{ADVICE}"
        )
    _check_shape(values, map_shape(signal), "The label image")
    if values.dtype.kind == "f" and not (np.isfinite(values) & (values == np.rint(values))).all():
        bad = values[~(np.isfinite(values) & (values == np.rint(values)))][0]
        raise ValueError(
            "A label image holds whole numbers, one for each region (-1 = in none, -2 = left "
            f"out), but this one holds values such as {bad:.4g}. If it is a picture, segment it "
            "first, for example image > threshold."
        )
    values = values.astype(np.int64)
    if values.min(initial=0) < MASKED:
        raise ValueError(
            f"The label image holds {values.min()}. Of negative values, -1 stands for pixels in "
            "no region and -2 for pixels to be left out; others have no meaning."
        )
    if background is not None:
        values = np.where(np.isin(values, background), NOISE, values)
    found = np.unique(values[values >= 0])
    if len(found) > MOST_REGIONS:
        raise ValueError(
            f"The image holds {len(found)} different values, as a picture does, and no label image "
            "of regions. Segment it first, for example image > threshold."
        )
    if not len(found):
        raise ValueError(
            "No pixel of the label image is in a region: all are negative (-1 = in none, -2 = left "
            "out) or `background`."
        )
    return np.where(values >= 0, np.searchsorted(found, values), values), found.tolist()


def _array_of(image):
    """Values of an array or a HyperSpy signal, in array order."""
    values = getattr(image, "data", image) if hasattr(image, "axes_manager") else image
    return np.asarray(values)


def _check_shape(values, shape, what):
    """Raise a ValueError that says how an image of another shape is brought to that of the map."""
    if values.shape == shape:
        return
    message = f"{what} has the array shape {values.shape}, the map has {shape} (y, x)."
    if values.shape == shape[::-1]:
        raise ValueError(f"{message} Perhaps it is transposed: give image.T.")
    factors = [n // of for n, of in zip(values.shape, shape, strict=False) if of]
    whole = len(values.shape) == len(shape) and all(
        n == of * factor and factor
        for n, of, factor in zip(values.shape, shape, factors, strict=True)
    )
    if whole:
        steps = ", ".join(f"::{factor}" for factor in factors)
        raise ValueError(
            f"{message} Labels cannot be averaged: take one pixel of each bin, "
            f"labels[{steps}], or rebin the picture before it is segmented, "
            f"picture.rebin(new_shape={shape[::-1]})."
        )
    raise ValueError(
        f"{message} Rebin or interpolate the picture to the map before it is segmented, "
        f"picture.rebin(new_shape={shape[::-1]}), or crop both to the same part."
    )


# --- masks and ROIs -----------------------------------------------------------------------


def _from_masks(signal, regions):
    """Labels from masks and ROIs, a list or dictionary of them, and their keys."""
    named = dict(regions) if isinstance(regions, Mapping) else dict(enumerate(regions))
    if not named:
        raise ValueError(f"There are no regions. {ADVICE}")
    shape = map_shape(signal)
    labels, keys = np.full(shape, NOISE, dtype=np.int64), list(named)
    for number, (key, region) in enumerate(named.items()):
        mask = _inside(signal, region, key) if _is_roi(region) else _mask(region, shape, key)
        if not mask.any():
            raise ValueError(
                f"The region {key!r} holds no pixel of the map. Check its position: ROIs are in "
                "the units of the map's axes."
            )
        twice = mask & (labels != NOISE)
        if twice.any():
            raise ValueError(_overlap(twice, labels, keys, key, signal))
        labels[mask] = number
    return labels, keys


def _overlap(twice, labels, keys, key, signal):
    """That two regions share pixels, how many, and where."""
    others = ", ".join(repr(keys[k]) for k in np.unique(labels[twice]))
    places = np.argwhere(twice)
    where = ", ".join(
        f"{axis.name if isinstance(axis.name, str) else 'axis'} {low} to {high}"
        for axis, low, high in zip(
            signal.axes_manager.navigation_axes[::-1], places.min(0), places.max(0), strict=True
        )
    )
    return (
        f"The region {key!r} shares {len(places)} pixel{'s' if len(places) > 1 else ''} with "
        f"{others}, in the pixels {where}. A pixel can be in one region only: take them off one of "
        "the two, for example second & ~first."
    )


def _mask(region, shape, key):
    """A mask, True = in the region."""
    mask = _array_of(region)
    if mask.dtype != bool and (mask.dtype.kind not in "iuf" or not np.isin(mask, (0, 1)).all()):
        raise TypeError(
            f"The region {key!r} must be a mask of True (in it) and False, or a HyperSpy ROI, not "
            f"{type(region).__name__} of {mask.dtype}. {ADVICE}"
        )
    _check_shape(mask, shape, f"The mask {key!r}")
    return mask.astype(bool)


def _inside(signal, roi, key):
    """Mask of the pixels that a ROI holds: those that HyperSpy cuts out of their numbers."""
    import hyperspy.api as hs

    if isinstance(roi, hs.roi.Line2DROI):
        raise TypeError(
            f"The region {key!r} is a line, which has no area. Composition along a line across the "
            f"clusters is s.composition_profile(...). {ADVICE}"
        )
    shape = map_shape(signal)
    axes = [axis.get_axis_dictionary() for axis in signal.axes_manager.navigation_axes[::-1]]
    needed = 1 if isinstance(roi, hs.roi.SpanROI | hs.roi.Point1DROI) else 2
    if len(axes) < needed:
        raise ValueError(
            f"The region {key!r} is a {type(roi).__name__} of {needed} dimensions, but this is a "
            "line scan. Use hs.roi.SpanROI(left, right)."
        )
    for number, axis in enumerate(axes):
        axis["navigate"] = number < len(axes) - needed
    numbers = hs.signals.BaseSignal(
        np.arange(np.prod(shape), dtype=float).reshape(shape), axes=axes
    )
    try:
        cut = roi(numbers, axes=numbers.axes_manager.signal_axes)
    except (IndexError, ValueError) as error:
        raise ValueError(
            f"The region {key!r} does not lie on the map ({error}). Check its position: ROIs are "
            "in the units of the map's axes."
        ) from error
    inside = np.zeros(shape, dtype=bool)
    inside.flat[cut.data[np.isfinite(cut.data)].astype(int)] = True
    return inside
