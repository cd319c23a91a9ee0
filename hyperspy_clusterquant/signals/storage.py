"""Results in the metadata of a signal, where they survive copies, saving and loading."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np

from hyperspy_clusterquant.results.clusters import ClusterResult
from hyperspy_clusterquant.signals.axes import navigation_axes

NODE = "Clusters"
WORKFLOWS = ("pca_gmm", "umap_hdbscan", "assigned")
_VIEW = (
    "cluster_labels", "cluster_algorithm", "number_of_clusters", "cluster_sum_signals",
    "cluster_centroid_signals",
)  # fmt: skip
LIVE_TIME = "Acquisition_instrument.TEM.Detector.EDS.live_time"


def write_result(signal, result):
    """Keep a result as the newest of its signal."""
    results = dict(read_results(signal))
    results.pop(result.name, None)
    results[result.name] = result
    write_results(signal, results)
    show_to_hyperspy(signal, result)


def write_results(signal, results):
    """Replace all results of a signal, oldest first; those there were stay if that is stopped."""
    stored = {f"result_{n}": result.to_dict() for n, result in enumerate(results.values())}
    before = read_results(signal)
    try:
        remove_results(signal)
        signal.metadata.set_item(NODE, stored)
    except BaseException:  # Ctrl-C as well; it is raised again
        remove_results(signal)
        signal.metadata.set_item(
            NODE, {f"result_{n}": result.to_dict() for n, result in enumerate(before.values())}
        )
        raise


def remove_results(signal):
    """Forget all results of a signal."""
    if signal.metadata.has_item(NODE):
        delattr(signal.metadata, NODE)
    if signal.learning_results.cluster_algorithm in WORKFLOWS:
        for name in _VIEW:
            setattr(signal.learning_results, name, None)


def show_to_hyperspy(signal, result):
    """Copy a result to where HyperSpy's own cluster plots look; nothing of ours reads it."""
    if result.n_clusters == 0:
        return
    members = result.labels.ravel() == np.arange(result.n_clusters)[:, None]
    view = {
        "cluster_labels": members,
        "cluster_algorithm": result.workflow,
        "number_of_clusters": result.n_clusters,
    }
    if result.spectra is not None:
        mean = result.spectra / np.maximum(result.sizes, 1)[:, None]
        view |= {"cluster_sum_signals": result.spectra, "cluster_centroid_signals": mean}
    signal.learning_results.__dict__.update(dict.fromkeys(_VIEW) | view)


def read_results(signal):
    """Results that belong to the signal's map, read-only, oldest first."""
    if not signal.metadata.has_item(NODE):
        return MappingProxyType({})
    shape = tuple(axis["size"] for axis in navigation_axes(signal))
    stored = signal.metadata[NODE].as_dictionary()
    in_order = sorted(stored, key=lambda key: int(key.removeprefix("result_")))
    results = (ClusterResult.from_dict(stored[key]) for key in in_order)
    return MappingProxyType({r.name: r for r in results if r.labels.shape == shape})


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


def follow_axes(signal, moved, operation):
    """Move the results with an operation on the axes, or drop them if the map is no map any more.

    Parameters
    ----------
    signal, moved : BaseSignal
        Before and after the operation.
    operation : callable
        The same operation on a signal.
    """
    results = read_results(signal)
    energy = signal.axes_manager.signal_axes
    if not results or [a.size for a in moved.axes_manager.signal_axes] != [a.size for a in energy]:
        remove_results(moved)
        return
    numbers = pixel_numbers(signal, energy=True)
    follow(moved, results, lambda: operation(numbers))


def check_not_its_own_file(signal, filename, extension):
    """Raise a ValueError if a lazy map is to be written to the file that it is read from."""
    known = signal.tmp_parameters
    if known.get_item("original_extension", "") != ".zspy":
        return
    source = Path(known.original_folder, known.original_filename + ".zspy").resolve()
    target = source if filename is None else Path(filename).resolve()
    if extension is not None:
        target = target.with_suffix("." + extension.lstrip("."))
    if target == source:
        raise ValueError(
            f"The counts of this lazy map are read from {source.name}: to write that file would "
            "empty it first. Save the map under another name."
        )


def axis_positions(axes):
    """Axes given as such by their position, so that they mean the same on another signal."""
    if isinstance(axes, list | tuple):
        return type(axes)(axis_positions(axis) for axis in axes)
    return getattr(axes, "index_in_axes_manager", axes)


def sum_live_times(signal, summed):
    """Live time of a sum over spectra that each have their own."""
    each = signal.metadata.get_item(LIVE_TIME, None)
    if isinstance(each, np.ndarray) and summed.axes_manager.navigation_dimension == 0:
        summed.metadata.set_item(LIVE_TIME, float(each.sum()))


class ResultSlicer:
    """HyperSpy's ``inav``, which crops the clustering results as well."""

    def __init__(self, signal, slicer):
        self._signal = signal
        self._slicer = slicer

    def __getitem__(self, slices, out=None):
        new = self._slicer.__getitem__(slices, out)
        target = new if out is None else out
        live_time = self._signal.metadata.get_item(LIVE_TIME, None)
        if isinstance(live_time, np.ndarray):  # spectra of clusters have one each
            pixels = pixel_numbers(self._signal).inav[slices].data
            part = live_time.ravel()[pixels]
            target.metadata.set_item(LIVE_TIME, part if len(part) > 1 else float(part[0]))
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


def pixel_numbers(signal, energy=False):
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
