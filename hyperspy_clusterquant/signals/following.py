"""Operations on a map that its clustering results follow."""

from __future__ import annotations

from functools import wraps

import numpy as np
from exspy.signals import EDSTEMSpectrum

from hyperspy_clusterquant.results.resampled import binned, taken
from hyperspy_clusterquant.signals.axes import navigation_axes
from hyperspy_clusterquant.signals.metadata import live_time_of, set_live_time
from hyperspy_clusterquant.signals.storage import (
    load_results,
    map_shape,
    read_results,
    remove_results,
    show_newest,
    write_results,
)


def _reduce(name):
    """HyperSpy's operation of that name, whose outcome has no results of other pixels."""

    @wraps(getattr(EDSTEMSpectrum, name))
    def reduce(self, axis=None, out=None, *args, **kwargs):
        reduced = getattr(super(FollowingResults, self), name)(axis, out, *args, **kwargs)
        target = reduced if out is None else out
        same_map = out is None and map_shape(target) == map_shape(self)
        # A stack of maps carries the results of its first one, which are none of the sum's.
        if not (same_map and read_results(self)):
            remove_results(target)
        if name == "sum":
            _sum_live_times(self, target)
        return reduced

    return reduce


def _move(name):
    """HyperSpy's operation of that name on the axes; it drops the results of what is no map."""

    @wraps(getattr(EDSTEMSpectrum, name))
    def move(self, *args, **kwargs):
        moved = getattr(super(FollowingResults, self), name)(*args, **kwargs)
        results = read_results(self)
        energy, new = (s.axes_manager.signal_axes for s in (self, moved))
        if not results or [a.size for a in new] != [a.size for a in energy]:
            remove_results(moved)
        else:
            axes = _positions(args), {key: _positions(value) for key, value in kwargs.items()}
            numbers = _pixel_numbers(self, energy=True)
            _follow(moved, results, getattr(numbers, name)(*axes[0], **axes[1]))
        return moved

    return move


class FollowingResults:
    """HyperSpy's operations on the axes of a map, documented there, with results that follow."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        load_results(self)

    @property
    def inav(self):
        """Navigation indexer/slicer."""
        return _ResultSlicer(self, self.__dict__["inav"])

    @inav.setter
    def inav(self, slicer):
        self.__dict__["inav"] = slicer

    sum, mean, max, min, std, var = map(_reduce, ("sum", "mean", "max", "min", "std", "var"))
    nansum, nanmean, nanmax, nanmin, nanstd, nanvar = map(
        _reduce, ("nansum", "nanmean", "nanmax", "nanmin", "nanstd", "nanvar")
    )

    @wraps(EDSTEMSpectrum.crop)
    def crop(self, axis, *args, **kwargs):
        results, axis = read_results(self), self.axes_manager[axis]
        position, is_of_map = axis.index_in_axes_manager, axis.navigate
        numbers = _pixel_numbers(self) if results and is_of_map else None
        super().crop(axis, *args, **kwargs)
        if not is_of_map:
            show_newest(self)  # its spectra are of another energy axis
        elif numbers is not None:
            numbers.crop(position, *args, **kwargs)
            _follow(self, results, numbers)
        else:
            remove_results(self)

    transpose, swap_axes, rollaxis = map(_move, ("transpose", "swap_axes", "rollaxis"))

    @wraps(EDSTEMSpectrum.rebin)
    def rebin(self, *args, out=None, **kwargs):
        results, old_axes = read_results(self), navigation_axes(self)
        rebinned = super().rebin(*args, out=out, **kwargs)
        target = rebinned if out is None else out
        new_axes = navigation_axes(target)
        factors = [n["scale"] / o["scale"] for n, o in zip(new_axes, old_axes, strict=True)]
        whole = np.maximum(np.rint(factors).astype(int), 1)
        shape = tuple(o["size"] // factor for o, factor in zip(old_axes, whole, strict=True))
        if not np.allclose(factors, whole) or shape != map_shape(target):
            results = {}
        elif not np.all(whole == 1):
            results = {name: binned(result, whole, new_axes) for name, result in results.items()}
        write_results(target, results.values())
        return rebinned


class _ResultSlicer:
    """HyperSpy's ``inav``, which crops the clustering results as well."""

    def __init__(self, signal, slicer):
        self._signal = signal
        self._slicer = slicer

    def __getitem__(self, slices, out=None):
        new = self._slicer.__getitem__(slices, out)
        target = new if out is None else out
        results = read_results(self._signal)
        live_time = live_time_of(self._signal)
        each = np.ndim(live_time) > 0  # spectra of clusters, and some maps, have one each
        numbers = _pixel_numbers(self._signal).inav[slices] if results or each else None
        if each:
            part = live_time.ravel()[numbers.data]
            set_live_time(target, part if part.size > 1 else float(part.item()))
        _follow(target, results if target.axes_manager.navigation_dimension else {}, numbers)
        return new

    def __setitem__(self, slices, value):
        self._slicer[slices] = value

    def __len__(self):
        return len(self._slicer)


def _follow(signal, results, numbers):
    """Write what is left of the results on a map, from the same operation on its pixel numbers."""
    axes = navigation_axes(signal)
    pixels = numbers.data.reshape(map_shape(signal)) if results else None
    write_results(signal, [taken(result, pixels, axes) for result in results.values()])


def _positions(axes):
    """Axes given as such by their position, so that they mean the same on another signal."""
    if isinstance(axes, list | tuple):
        return type(axes)(_positions(axis) for axis in axes)
    return getattr(axes, "index_in_axes_manager", axes)


def _sum_live_times(signal, summed):
    """Live time of a sum over spectra that each have their own."""
    each = live_time_of(signal)
    if np.ndim(each) > 0 and summed.axes_manager.navigation_dimension == 0:
        set_live_time(summed, float(each.sum()))


def _pixel_numbers(signal, energy=False):
    """Map of flat pixel numbers with the signal's navigation axes.

    With `energy`, as a signal with an energy axis of one channel, on which operations on axes
    mean the same as on `signal`.
    """
    import hyperspy.api as hs

    axes = [axis.get_axis_dictionary() for axis in reversed(signal.axes_manager.navigation_axes)]
    shape = tuple(axis["size"] for axis in axes)
    numbers = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    if not energy:
        return hs.signals.BaseSignal(numbers, axes=axes)
    channel = {"size": 1, "name": signal.axes_manager.signal_axes[0].name, "navigate": False}
    return hs.signals.Signal1D(numbers[..., None], axes=[*axes, channel])
