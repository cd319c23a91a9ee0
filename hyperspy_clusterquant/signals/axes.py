"""Axes of a signal as the numbers that algorithms need."""

from __future__ import annotations

import re

import numpy as np

from hyperspy_clusterquant._checks import is_pixel_unit
from hyperspy_clusterquant.counts.features import check_numbers

#: keV in the units that an energy axis may have.
KEV = {"kev": 1.0, "ev": 1e-3}
#: A physical size: a number, and units with small powers. What else pint would read may take
#: forever, such as 9**9**9**9 nm.
_NUMBER = r"(?P<number>[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|nan))"
_UNIT = r"[^\W\d_]+(?:\s*(?:\^|\*\*)\s*[1-3](?:\.0)?|[²³])?"
SIZE = re.compile(rf"{_NUMBER}\s*(?P<units>{_UNIT}(?:\s*[\s*]\s*{_UNIT})*)", re.IGNORECASE)


def navigation_axes(signal):
    """Navigation axes in array order, as dictionaries of name, scale, offset, units and size.

    Axes that are not uniform have no one pixel size: they count in pixels.
    """
    return tuple(
        {
            "name": str(axis.name) if _defined(axis.name) else "",
            "scale": float(axis.scale) if axis.is_uniform else 1.0,
            "offset": float(axis.offset) if axis.is_uniform else 0.0,
            "units": _units(axis) if axis.is_uniform else "",
            "size": int(axis.size),
        }
        for axis in reversed(signal.axes_manager.navigation_axes)
    )


def check_has_pixels(signal, what):
    """Raise a ValueError if a signal has no navigation axes."""
    if signal.axes_manager.navigation_dimension == 0:
        raise ValueError(
            f"{what} needs a map or a line scan, but this signal is a single spectrum "
            "(no navigation axes)."
        )


def _units(axis):
    return axis.units.strip() if _defined(axis.units) else ""


def _defined(value):
    # traits marks names and units that are not set with a value of its own
    return isinstance(value, str) and value != "<undefined>"


def counts_of(signal):
    """Counts of a signal: navigation axes in array order, then energies, ascending.

    HyperSpy lets the energy axis lie anywhere in memory and run downwards. This is the one place
    that knows of it.

    Parameters
    ----------
    signal : hyperspy.api.signals.BaseSignal
        With one signal axis.

    Returns
    -------
    numpy or dask array (map shape, channels)
        A view, nothing is copied.

    Raises
    ------
    ValueError
        If the data are True and False.
    """
    check_numbers(signal.data.dtype)
    energy = signal.axes_manager.signal_axes[0]
    last = np.moveaxis(signal.data, energy.index_in_array, -1)
    return in_order(signal, last)


def is_masked_array(signal):
    """Whether the counts of a signal are a masked array, or a dask array of such."""
    return isinstance(getattr(signal.data, "_meta", signal.data), np.ma.MaskedArray)


def in_order(signal, spectra):
    """Spectra (..., channels) of a signal with energies ascending; of such, in its own order."""
    return spectra[..., ::-1] if _descends(signal.axes_manager.signal_axes[0]) else spectra


def _descends(axis):
    return axis.size > 1 and axis.axis[0] > axis.axis[-1]


def kev_per_unit(signal):
    """What one unit of the energy axis is in keV.

    Raises
    ------
    ValueError
        If the energy axis has no or other units than eV and keV.
    """
    axis = signal.axes_manager.signal_axes[0]
    units = _units(axis)
    factor = KEV.get(units.lower())
    if factor is None:
        raise ValueError(
            f"The energy axis must have the units 'keV' or 'eV', but has {units or 'none'!r}. "
            "Set them with: s.axes_manager.signal_axes[0].units = 'keV' (and check its scale and "
            "offset)."
        )
    return factor


def energy_in_kev(signal):
    """Energy of each channel in keV, ascending; see `kev_per_unit` for what is refused."""
    axis = signal.axes_manager.signal_axes[0]
    energy = in_order(signal, np.asarray(axis.axis, dtype=float))
    if axis.is_uniform and _descends(axis):  # rounded as on an axis that ascends
        energy = energy[0] - axis.scale * np.arange(axis.size)
    return energy * kev_per_unit(signal)


def blur_scales(signal):
    """Pixels of each navigation axis, in array order, in the length of the smallest pixel.

    0 for axes along which the beam blurs nothing: those of a stack, of which the last two at most
    are the specimen, and those in other units than the last, such as time.
    """
    axes = signal.axes_manager.navigation_axes[::-1]
    units = [_units(axis) for axis in axes]
    sizes = [_pixel_size(axis) for axis in axes]
    lateral = [n >= len(axes) - 2 and units[n] == units[-1] for n in range(len(axes))]
    smallest = min(size for size, of in zip(sizes, lateral, strict=True) if of)
    return [smallest / size if of else 0.0 for size, of in zip(sizes, lateral, strict=True)]


def _pixel_size(axis):
    """Size of a pixel along an axis; the mean one if it is not uniform."""
    if axis.size < 2:
        return abs(axis.scale) if axis.is_uniform else 1.0
    return abs(float(axis.axis[-1] - axis.axis[0])) / (axis.size - 1)


def smallest_cluster_in_pixels(min_cluster_size, signal):
    """Turn a physical size into pixels, pass anything else on.

    Parameters
    ----------
    min_cluster_size : int, float, str or pint.Quantity
        ``"200 nm^2"`` for a map, ``"30 nm"`` for a line scan.
    signal : hyperspy.api.signals.BaseSignal
        Map whose navigation axes have units of length.

    Returns
    -------
    int, float or "auto"
    """
    is_quantity = hasattr(min_cluster_size, "to") and hasattr(min_cluster_size, "dimensionality")
    if not is_quantity and (not isinstance(min_cluster_size, str) or min_cluster_size == "auto"):
        return min_cluster_size
    asked = f"min_cluster_size={str(min_cluster_size)!r}"
    axes = signal.axes_manager.navigation_axes
    n_pixels = _in_pixels(min_cluster_size, axes, asked)
    n_there = np.prod([axis.size for axis in axes], dtype=int)
    if not 2 <= n_pixels <= n_there:
        raise ValueError(
            f"{asked} is {n_pixels:.3g} pixels; a cluster needs at least 2, and the map has "
            f"{n_there}. Check the size, and the scales and units of the navigation axes."
        )
    return round(n_pixels)


def _in_pixels(size, axes, asked):
    """A physical size over that of a pixel; a ValueError if they do not fit."""
    import pint

    registry = pint.get_application_registry()
    listed = [(_units(axis) or "none") if axis.is_uniform else "not uniform" for axis in axes]
    advice = (
        f"{asked} does not fit the navigation axes, whose units are {listed}. Give a length for a "
        "line scan ('30 nm'), an area for a map ('200 nm^2'), a number of pixels (int) or a "
        "fraction of them (float < 1), or set the units of the axes."
    )
    if not all(axis.is_uniform for axis in axes) or any(is_pixel_unit(_units(a)) for a in axes):
        raise ValueError(
            f"{advice} Axes without units, in pixels or in arbitrary units have no length: with "
            "them, sizes are numbers of pixels."
        )
    try:
        read = SIZE.fullmatch(str(size).strip())
        if read is None:
            raise ValueError("a size is a number and its unit")
        size = registry.Quantity(float(read["number"]), read["units"])
        if any(is_pixel_unit(unit) for unit, _ in size.unit_items()):
            raise ValueError(f"{size.units} is no physical length")
        pixel = registry.Quantity(1.0)
        for axis in axes:
            pixel = pixel * registry.Quantity(abs(axis.scale), _units(axis))
        return float((size / pixel).to("dimensionless").magnitude)
    except (pint.errors.PintError, ArithmeticError, AssertionError, TypeError, ValueError) as error:
        raise ValueError(f"{advice} ({error})") from error
