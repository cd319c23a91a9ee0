"""Operations on a map that its clustering results follow."""

from __future__ import annotations

from functools import wraps

import numpy as np
from exspy.signals import EDSTEMSpectrum

from hyperspy_clusterquant.results.resampled import binned, taken
from hyperspy_clusterquant.signals.axes import navigation_axes
from hyperspy_clusterquant.signals.metadata import load_times
from hyperspy_clusterquant.signals.origins import carry_origin
from hyperspy_clusterquant.signals.storage import (
    load_results,
    map_shape,
    read_results,
    remove_results,
    show_newest,
    write_results,
)
from hyperspy_clusterquant.signals.times import (
    LIVE_TIME,
    fitting_variance,
    has_times_of_pixels,
    of_pixels,
    positions,
    rebin_times,
    reduce_live_time,
    times_aside,
    times_at,
    write_times,
)


def _reduce(name):
    """HyperSpy's operation of that name, whose outcome has no results of other pixels."""

    @wraps(getattr(EDSTEMSpectrum, name))
    def reduce(self, axis=None, out=None, *args, **kwargs):
        with times_aside(self, out, names=[LIVE_TIME]):
            reduced = getattr(super(FollowingResults, self), name)(axis, out, *args, **kwargs)
        target = reduced if out is None else out
        same_map = out is None and map_shape(target) == map_shape(self)
        # A stack of maps carries the results of its first one, which are none of the sum's.
        if not (same_map and read_results(self)):
            remove_results(target)
        reduce_live_time(self, target, name.removeprefix("nan"), axis)
        return reduced

    return reduce


def _move(name):
    """HyperSpy's operation of that name on the axes; it drops the results of what is no map."""

    @wraps(getattr(EDSTEMSpectrum, name))
    def move(self, *args, **kwargs):
        with fitting_variance(self):
            moved = getattr(super(FollowingResults, self), name)(*args, **kwargs)
        results = read_results(self)
        energy, new = (s.axes_manager.signal_axes for s in (self, moved))
        same_energy = [a.size for a in new] == [a.size for a in energy]
        if same_energy and (results or has_times_of_pixels(self)):
            axes = positions(args), {key: positions(value) for key, value in kwargs.items()}
            numbers = getattr(_pixel_numbers(self, energy=True), name)(*axes[0], **axes[1])
            _follow(moved, results, numbers, times_at(self, numbers.data))
        else:
            remove_results(moved)
        carry_origin(self, moved, changed=True)
        return moved

    return move


def _copy(name):
    """HyperSpy's operation of that name, whose outcome is the same map."""

    @wraps(getattr(EDSTEMSpectrum, name))
    def copy(self, *args, **kwargs):
        copied = getattr(super(FollowingResults, self), name)(*args, **kwargs)
        carry_origin(self, copied, changed=False)
        return copied

    return copy


class FollowingResults:
    """HyperSpy's operations on the axes of a map, documented there, with results that follow."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        load_times(self)
        load_results(self)

    @property
    def inav(self) -> _ResultSlicer:
        """Navigation indexer/slicer."""
        return _ResultSlicer(self, self.__dict__["inav"])

    @inav.setter
    def inav(self, slicer):
        self.__dict__["inav"] = slicer

    @property
    def isig(self) -> _Slicer:
        """Signal indexer/slicer."""
        return _Slicer(self, self.__dict__["isig"])

    @isig.setter
    def isig(self, slicer):
        self.__dict__["isig"] = slicer

    deepcopy, as_lazy = map(_copy, ("deepcopy", "as_lazy"))

    sum, mean, max, min, std, var = map(_reduce, ("sum", "mean", "max", "min", "std", "var"))
    nansum, nanmean, nanmax, nanmin, nanstd, nanvar = map(
        _reduce, ("nansum", "nanmean", "nanmax", "nanmin", "nanstd", "nanvar")
    )

    @wraps(EDSTEMSpectrum.crop)
    def crop(self, axis, *args, **kwargs):
        results, axis = read_results(self), self.axes_manager[axis]
        position, is_of_map = axis.index_in_axes_manager, axis.navigate
        follows = is_of_map and (results or has_times_of_pixels(self))
        if follows:
            numbers = _pixel_numbers(self)
            numbers.crop(position, *args, **kwargs)
            times = times_at(self, numbers.data)
        super().crop(axis, *args, **kwargs)
        if not is_of_map:
            show_newest(self)  # its spectra are of another energy axis
        elif follows:
            _follow(self, results, numbers, times)
        else:
            remove_results(self)
        carry_origin(self, self, changed=True)

    transpose, swap_axes, rollaxis = map(_move, ("transpose", "swap_axes", "rollaxis"))

    @wraps(EDSTEMSpectrum.rebin)
    def rebin(self, new_shape=None, scale=None, crop=True, dtype=None, out=None):
        results, old_axes = read_results(self), navigation_axes(self)
        factors = self._validate_rebin_args_and_get_factors(new_shape, scale)
        factors = [float(factors[axis.index_in_array]) for axis in
                   reversed(self.axes_manager.navigation_axes)]  # fmt: skip
        with times_aside(self, out), fitting_variance(self):
            rebinned = super().rebin(new_shape, scale, crop, dtype, out)
        target = rebinned if out is None else out
        new_axes = navigation_axes(target)
        rebin_times(self, target, factors, crop)
        whole = np.maximum(np.rint(factors).astype(int), 1)
        shape = tuple(o["size"] // factor for o, factor in zip(old_axes, whole, strict=True))
        if not np.allclose(factors, whole) or shape != map_shape(target):
            results = {}
        elif not np.all(whole == 1):
            results = {name: binned(result, whole, new_axes) for name, result in results.items()}
        write_results(target, results.values())
        carry_origin(self, target, changed=True)
        return rebinned


class _Slicer:
    """HyperSpy's ``isig``, of which is known what it was made of."""

    def __init__(self, signal, slicer):
        self._signal = signal
        self._slicer = slicer

    def __getitem__(self, slices, out=None):
        new = self._slicer.__getitem__(slices, out)
        carry_origin(self._signal, new if out is None else out, changed=True)
        return new

    def __setitem__(self, slices, value):
        self._slicer[slices] = value

    def __len__(self):
        return len(self._slicer)


class _ResultSlicer(_Slicer):
    """HyperSpy's ``inav``, which crops the clustering results as well."""

    def __getitem__(self, slices, out=None):
        with fitting_variance(self._signal):
            new = super().__getitem__(slices, out)
        target = new if out is None else out
        results = read_results(self._signal)
        if results or has_times_of_pixels(self._signal):
            numbers = _pixel_numbers(self._signal).inav[slices]
            _follow(target, results, numbers, times_at(self._signal, numbers.data))
        else:
            remove_results(target)
        return new


def _follow(signal, results, numbers, times):
    """Write what is left of results and times on a map, from the same operation on its numbers."""
    axes, shape = navigation_axes(signal), map_shape(signal)
    write_times(signal, times)
    pixels = numbers.data.reshape(shape)
    write_results(signal, [taken(of, pixels, axes) for of in results.values()] if axes else [])


def _pixel_numbers(signal, energy=False):
    """Map of flat pixel numbers with the signal's navigation axes, see `times.of_pixels`."""
    return of_pixels(signal, np.arange(np.prod(map_shape(signal), dtype=int)), energy)
