"""Results in the metadata of a signal, where they survive copies, saving and loading."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from hyperspy_clusterquant.results import ClusterResult
from hyperspy_clusterquant.signals._axes import navigation_axes

NODE = "Clusters"


def write_result(signal, result):
    """Keep a result as the newest of its signal."""
    results = dict(read_results(signal))
    results.pop(result.name, None)
    results[result.name] = result
    write_results(signal, results)


def write_results(signal, results):
    """Replace all results of a signal, oldest first."""
    remove_results(signal)
    for number, result in enumerate(results.values()):
        signal.metadata.set_item(f"{NODE}.result_{number}", result.to_dict())


def remove_results(signal):
    """Forget all results of a signal."""
    if signal.metadata.has_item(NODE):
        delattr(signal.metadata, NODE)


def read_results(signal):
    """Results that belong to the signal's map, read-only, oldest first."""
    if not signal.metadata.has_item(NODE):
        return MappingProxyType({})
    axes = navigation_axes(signal)
    stored = signal.metadata[NODE].as_dictionary()
    in_order = sorted(stored, key=lambda key: int(key.removeprefix("result_")))
    results = (_on_map(ClusterResult.from_dict(stored[key]), axes) for key in in_order)
    return MappingProxyType({r.name: r for r in results if r is not None})


def _on_map(result, axes):
    """The result with the map's axes swapped as the signal's are; None if it is of another map."""
    old = [axis["name"] for axis in result.axes]
    new = [axis["name"] for axis in axes]
    shape = tuple(axis["size"] for axis in axes)
    if sorted(old) == sorted(new) and len(set(new)) == len(new) and old != new and all(new):
        numbers = np.arange(result.labels.size).reshape(result.labels.shape)
        numbers = numbers.transpose([old.index(name) for name in new])
        return result.take(numbers, axes) if numbers.shape == shape else None
    return result if result.labels.shape == shape else None


def follow(signal, results, operation):
    """Write the results that a navigation operation leaves of those of another map.

    Parameters
    ----------
    signal : BaseSignal
        Outcome of the operation; its stored results are replaced.
    results : mapping of str to ClusterResult
        Results on the map before the operation.
    operation : callable
        The same operation, applied to a map of pixel numbers.
    """
    remove_results(signal)
    if not results:
        return
    axes = navigation_axes(signal)
    pixels = operation().data.reshape([axis["size"] for axis in axes])
    write_results(signal, {name: result.take(pixels, axes) for name, result in results.items()})


class ResultSlicer:
    """HyperSpy's ``inav``, which crops the clustering results as well."""

    def __init__(self, signal, slicer):
        self._signal = signal
        self._slicer = slicer

    def __getitem__(self, slices, out=None):
        new = self._slicer.__getitem__(slices, out)
        target = new if out is None else out
        if target.axes_manager.navigation_dimension == 0:
            remove_results(target)
        else:
            follow(
                target,
                read_results(self._signal),
                lambda: pixel_numbers(self._signal).inav[slices],
            )
        return new

    def __setitem__(self, slices, value):
        self._slicer[slices] = value

    def __len__(self):
        return len(self._slicer)


def pixel_numbers(signal):
    """Map of flat pixel numbers with the signal's navigation axes."""
    import hyperspy.api as hs

    axes = [axis.get_axis_dictionary() for axis in reversed(signal.axes_manager.navigation_axes)]
    shape = tuple(axis["size"] for axis in axes)
    numbers = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    return hs.signals.BaseSignal(numbers, axes=axes)
