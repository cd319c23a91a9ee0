"""Operations on a map that its clustering results follow."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.signals.axes import navigation_axes
from hyperspy_clusterquant.signals.storage import (
    ResultSlicer,
    axis_positions,
    follow,
    follow_axes,
    pixel_numbers,
    read_results,
    remove_results,
    sum_live_times,
    write_results,
)


class FollowingResults:
    """HyperSpy's operations on the axes of a map, documented there, with results that follow."""

    @property
    def inav(self):
        """Navigation indexer/slicer."""
        return ResultSlicer(self, self.__dict__["inav"])

    @inav.setter
    def inav(self, slicer):
        self.__dict__["inav"] = slicer

    def crop(self, axis, *args, **kwargs):
        results = read_results(self)
        if not results or not self.axes_manager[axis].navigate:
            super().crop(axis, *args, **kwargs)
            return
        numbers = pixel_numbers(self)
        position = self.axes_manager.navigation_axes.index(self.axes_manager[axis])
        super().crop(axis, *args, **kwargs)
        numbers.crop(position, *args, **kwargs)
        follow(self, results, lambda: numbers)

    def transpose(self, signal_axes=None, navigation_axes=None, optimize=False):
        moved = super().transpose(signal_axes, navigation_axes, optimize)
        axes = [axis_positions(a) for a in (signal_axes, navigation_axes)]
        follow_axes(self, moved, lambda numbers: numbers.transpose(*axes))
        return moved

    def swap_axes(self, axis1, axis2, optimize=False):
        moved = super().swap_axes(axis1, axis2, optimize)
        axes = [axis_positions(axis) for axis in (axis1, axis2)]
        follow_axes(self, moved, lambda numbers: numbers.swap_axes(*axes))
        return moved

    def rollaxis(self, axis, to_axis, optimize=False):
        moved = super().rollaxis(axis, to_axis, optimize)
        axes = [axis_positions(a) for a in (axis, to_axis)]
        follow_axes(self, moved, lambda numbers: numbers.rollaxis(*axes))
        return moved

    def rebin(self, *args, out=None, **kwargs):
        results = read_results(self)
        old_axes = navigation_axes(self)
        rebinned = super().rebin(*args, out=out, **kwargs)
        target = rebinned if out is None else out
        new_axes = navigation_axes(target)
        remove_results(target)
        factors = [n["scale"] / o["scale"] for n, o in zip(new_axes, old_axes, strict=True)]
        whole = np.maximum(np.rint(factors).astype(int), 1)
        shape = [o["size"] // factor for o, factor in zip(old_axes, whole, strict=True)]
        if np.allclose(factors, whole) and shape == [n["size"] for n in new_axes]:
            write_results(
                target,
                {
                    name: result if np.all(whole == 1) else result.binned(whole, new_axes)
                    for name, result in results.items()
                },
            )
        return rebinned

    def sum(self, axis=None, out=None, *args, **kwargs):
        summed = super().sum(axis, out, *args, **kwargs)
        target = summed if out is None else out
        self._forget_results_of(target)
        sum_live_times(self, target)
        return summed

    def mean(self, axis=None, *args, **kwargs):
        return self._forget_results_of(super().mean(axis, *args, **kwargs))

    def max(self, axis=None, *args, **kwargs):
        return self._forget_results_of(super().max(axis, *args, **kwargs))

    def min(self, axis=None, *args, **kwargs):
        return self._forget_results_of(super().min(axis, *args, **kwargs))

    def std(self, axis=None, *args, **kwargs):
        return self._forget_results_of(super().std(axis, *args, **kwargs))

    def var(self, axis=None, *args, **kwargs):
        return self._forget_results_of(super().var(axis, *args, **kwargs))

    def _forget_results_of(self, reduced):
        """Remove from a sum or the like what was copied, unless it belongs to the map still."""
        # A stack of maps carries the results of its first one, which are none of the sum's.
        if reduced is not None and not (read_results(self) and read_results(reduced)):
            remove_results(reduced)
        return reduced
