"""Times and variances of pixels through HyperSpy's operations on the axes of a map.

exspy's `sum` and `rebin` multiply the times in the metadata by a number of pixels, whatever they
are. Here they are what they say: one time for all pixels, or one for each. One of each pixel of
another map, as is left by a stack, nobody knows: it goes.
"""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np

from hyperspy_clusterquant.signals.metadata import (
    is_of_each,
    put_back,
    set_time,
    set_variance,
    stated_time,
    take_out_time,
    time_of,
    variance_of,
)

#: What exspy's `rebin` multiplies; its `sum` only the live time.
LIVE_TIME, REAL_TIME = "live_time", "real_time"
TIMES = (LIVE_TIME, REAL_TIME)


def of_pixels(signal, values, energy=False):
    """Map of flat values, one for each pixel of a signal, with its navigation axes.

    With `energy`, as a signal with an energy axis of one channel, on which operations on axes
    mean the same as on `signal`.
    """
    import hyperspy.api as hs

    axes = signal.axes_manager.navigation_axes[::-1]
    values = np.reshape(values, [axis.size for axis in axes])
    axes = [axis.get_axis_dictionary() for axis in axes]
    if not energy:
        return hs.signals.BaseSignal(values, axes=axes)
    # Where it lies in memory, as `rollaxis` counts from there.
    of_energies = signal.axes_manager.signal_axes[0]
    where = of_energies.index_in_array
    axes.insert(where, {"size": 1, "name": of_energies.name, "navigate": False})
    return hs.signals.BaseSignal(np.expand_dims(values, where), axes=axes)


def positions(axes):
    """Axes given as such by their position, so that they mean the same on another signal."""
    if isinstance(axes, list | tuple):
        return type(axes)(positions(axis) for axis in axes)
    return getattr(axes, "index_in_axes_manager", axes)


# --- out of the way of HyperSpy and exspy -------------------------------------------------


@contextmanager
def times_aside(*signals, names=TIMES):
    """Signals (or None) without times, which come back at the end."""
    kept = [
        (signal, take_out_time(signal, name))
        for signal in signals
        for name in names
        if signal is not None
    ]
    try:
        yield
    finally:
        for signal, taken in kept:
            put_back(signal, taken)


@contextmanager
def fitting_variance(signal):
    """A signal without the variance of another map, at which HyperSpy would stop."""
    variance = variance_of(signal)
    shapes = [
        (of.axes_manager.navigation_shape, of.axes_manager.signal_shape)
        for of in (signal, variance)
        if hasattr(of, "axes_manager")
    ]
    fits = shapes[0] == shapes[-1]
    if not fits:
        set_variance(signal, None)
    try:
        yield
    finally:
        if not fits:
            set_variance(signal, variance)


# --- after an operation -------------------------------------------------------------------


def has_times_of_pixels(signal):
    """Whether a time is stated of each pixel, of this map or of another."""
    return any(is_of_each(stated_time(signal, name)) for name in TIMES)


def times_at(signal, numbers):
    """Times of the pixels with these flat numbers, by name, where they are stated of each pixel."""
    return {
        name: _new_time(signal, name, lambda each: each[numbers])
        for name in TIMES
        if is_of_each(stated_time(signal, name))
    }


def weighted_times(signal, weights):
    """Times of weighted sums over pixels by name; `weights` is an array (n_sums, pixels)."""

    def summed(each):
        return weights @ each

    times = {LIVE_TIME: _new_time(signal, LIVE_TIME, summed, weights.sum(axis=1, dtype=float))}
    # One real time is often that of the whole map; it stays.
    if is_of_each(stated_time(signal, REAL_TIME)):
        times[REAL_TIME] = _new_time(signal, REAL_TIME, summed)
    return times


def write_times(signal, times):
    """Write times by name, those of each pixel in the shape of the map; None: not known."""
    shape = signal.axes_manager.navigation_shape[::-1]
    for name, seconds in times.items():
        if seconds is not None and np.ndim(seconds) > 0:
            seconds = np.reshape(seconds, shape) if np.size(seconds) > 1 else np.max(seconds).item()
        is_unknown = isinstance(seconds, float) and np.isnan(seconds)
        set_time(signal, name, None if is_unknown else seconds)


def reduce_live_time(signal, reduced, operation, axis):
    """Write the live time of a sum, mean or another reduction along an axis."""

    def same(seconds):
        return seconds if reduced.axes_manager.navigation_size == len(seconds) else None

    def along_axis(seconds):
        return getattr(of_pixels(signal, seconds, energy=True), operation)(positions(axis)).data

    sizes = [max(s.axes_manager.navigation_size, 1) for s in (signal, reduced)]
    factor = float(sizes[0] / sizes[1]) if operation == "sum" else 1.0
    of_each = along_axis if operation in ("sum", "mean") else same
    write_times(reduced, {LIVE_TIME: _new_time(signal, LIVE_TIME, of_each, factor)})


def rebin_times(signal, rebinned, factors, crop):
    """Write the times of bins of pixels, whose factors are those of the axes in array order."""

    def in_bins(seconds):
        times = of_pixels(signal, seconds, energy=True)
        times = times.rebin(scale=[*reversed(factors), 1], crop=crop)
        return times.data.reshape(times.axes_manager.navigation_shape[::-1])

    number = float(np.prod(factors))
    write_times(rebinned, {name: _new_time(signal, name, in_bins, number) for name in TIMES})


def _new_time(signal, name, of_each, factor=1.0):
    """What becomes of a time: of one for all pixels by a factor, of one of each by a function."""
    stated, seconds = stated_time(signal, name), time_of(signal, name)
    if seconds is None:  # words for it stay as they are
        return None if is_of_each(stated) else stated
    return seconds * factor if np.ndim(seconds) == 0 else of_each(seconds)
