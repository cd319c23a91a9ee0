"""Axes of a signal as the numbers that algorithms need."""

from __future__ import annotations

import numpy as np


def navigation_axes(signal):
    """Navigation axes in array order, as dictionaries of name, scale, offset, units and size."""
    return tuple(
        {
            "name": str(axis.name) if _defined(axis.name) else "",
            "scale": float(getattr(axis, "scale", 1.0)),
            "offset": float(getattr(axis, "offset", 0.0)),
            "units": str(axis.units) if _defined(axis.units) else "",
            "size": int(axis.size),
        }
        for axis in reversed(signal.axes_manager.navigation_axes)
    )


def _defined(value):
    # traits marks names and units that are not set with a value of its own
    return isinstance(value, str) and value != "<undefined>"


def energy_in_kev(signal):
    """Energy of each channel in keV.

    Raises
    ------
    ValueError
        If the energy axis has no or other units than eV and keV.
    """
    axis = signal.axes_manager.signal_axes[0]
    units = axis.units if _defined(axis.units) else ""
    factor = {"kev": 1.0, "ev": 1e-3}.get(units.strip().lower())
    if factor is None:
        raise ValueError(
            f"The energy axis must have the units 'keV' or 'eV', but has {units or 'none'!r}. "
            "Set them with: s.axes_manager.signal_axes[0].units = 'keV' (and check its scale and "
            "offset)."
        )
    return np.asarray(axis.axis, dtype=float) * factor


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
    import pint

    registry = pint.get_application_registry()
    axes = signal.axes_manager.navigation_axes
    try:
        size = registry.Quantity(str(min_cluster_size))
        pixel = registry.Quantity(1.0)
        for axis in axes:
            units = axis.units.strip() if _defined(axis.units) else ""
            pixel = pixel * registry.Quantity(abs(axis.scale), units)
        n_pixels = float((size / pixel).to("dimensionless").magnitude)
    except (pint.errors.PintError, TypeError, ValueError) as error:
        units = [axis.units if _defined(axis.units) else "none" for axis in axes]
        raise ValueError(
            f"min_cluster_size={str(min_cluster_size)!r} does not fit the navigation axes, whose "
            f"units are {units}. Give a length for a line scan ('30 nm'), an area for a map "
            "('200 nm^2'), a number of pixels (int) or a fraction of them (float < 1), or set "
            f"the units of the axes. ({error})"
        ) from error
    if not n_pixels >= 2:
        raise ValueError(
            f"min_cluster_size={str(min_cluster_size)!r} is {n_pixels:.3g} pixels; a cluster needs "
            "at least 2."
        )
    return round(n_pixels)
