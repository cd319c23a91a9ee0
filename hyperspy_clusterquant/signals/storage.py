"""Results in the metadata of a signal, where they survive copies, saving and loading.

Each is a node ``metadata.Clusters.result_<number>``, the newest with the highest number. What else
lies in ``metadata.Clusters`` is somebody else's, and stays.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.report.writing import NO_ROOM, cure_of
from hyperspy_clusterquant.results.stored import FORMAT, from_dict, to_dict
from hyperspy_clusterquant.signals.axes import energy_in_kev, is_masked_array, navigation_axes
from hyperspy_clusterquant.signals.metadata import (
    copy_metadata,
    is_recorded_as_sem,
    keep_dates,
    keep_numbers,
)

NODE = "Clusters"
#: Name in it of what is known of the half of the counts that was explored, see `halves`.
HALF = "half"
#: Files and formats that keep what exspy's own signals say of the microscope, and nothing of
#: signals of other types; a .rpl file cannot even be written of them.
_RIPPLE = ("rpl", "ripple")
_MSA = ("msa", "emsa", "ems", "mas")
#: Types of data that .rpl files know no name of, and those that hold the same numbers.
_RIPPLE_DTYPES = {
    "bool": "uint8", "int8": "int32", "int16": "int32", "uint32": "int64", "uint64": "int64",
    "float16": "float32",
}  # fmt: skip
#: What .zspy files need, and newer Pythons have no wheels of.
_ZSPY = ("zarr", "numcodecs")
#: Name of what somebody else left in the place of the node, once there are results.
_NOT_OURS = "not_ours"
#: What HyperSpy's own cluster plots show.
_VIEW = (
    "cluster_labels", "cluster_algorithm", "number_of_clusters", "cluster_sum_signals",
    "cluster_centroid_signals",
)  # fmt: skip


# --- reading ------------------------------------------------------------------------------


def read_results(signal):
    """Results that belong to the signal's map by name, oldest first.

    Each is read once, until what is stored of it changes; a warning names, once, what cannot be.
    Their axes are those that the map has now, as they may be calibrated after clustering.
    """
    shape, axes = map_shape(signal), navigation_axes(signal)
    results = (result for result in _read(signal).values() if result.labels.shape == shape)
    return {result.name: with_axes(result, axes) for result in results}


def with_axes(result, axes):
    """A result with these axes of its map, itself if it has them."""
    if result.axes == axes:
        return result
    # These are said to lie at places of the old axes.
    findings = {test: said for test, said in result.findings.items() if test != "homogeneity"}
    return dataclasses.replace(result, axes=axes, findings=findings)


def map_shape(signal):
    """Shape of the navigation axes in array order."""
    return signal.axes_manager.navigation_shape[::-1]


def _read(signal):
    """Stored results by their keys, in order."""
    known = getattr(signal, "_clusters_read", {})
    read, unread = {}, []
    for key, stored in _entries(signal).items():
        before, outcome = known.get(key, ({}, None))
        changed = any(before.get(name, before) is not value for name, value in stored.items())
        if outcome is None or changed or len(before) != len(stored):
            outcome = _outcome(key, stored)
            unread += [f"{key} ({outcome})"] if isinstance(outcome, str) else []
        read[key] = stored, outcome
    signal._clusters_read = read
    if unread:
        warn(
            f"s.metadata.{NODE} holds what cannot be read as a clustering result and is left "
            f"alone: {'; '.join(unread)}. To be rid of this warning, delete it there."
        )
    return {key: outcome for key, (_, outcome) in read.items() if not isinstance(outcome, str)}


def _entries(signal):
    """What lies in the node: the stored values of each by name, or the only one."""
    node, tree = signal.metadata.get_item(NODE), type(signal.metadata)
    if not isinstance(node, tree):
        return {} if node is None else {NODE: {"": node}}
    return {
        key: dict(entry) if isinstance(entry, tree) else {"": entry}
        for key, entry in sorted(dict(node).items(), key=lambda item: _number(item[0]))
        if key not in (_NOT_OURS, HALF)
    }


def _number(key):
    """Number of a result from the key that it is stored under; -1 if it is no such key."""
    found = re.fullmatch(r"result_(\d+)", key)
    return int(found[1]) if found else -1


def _outcome(key, stored):
    """The result that is stored under a key, or in words why there is none."""
    if _number(key) < 0 or "" in stored:
        return "no result"
    try:
        return from_dict(stored)
    except ValueError as error:
        written = stored.get("format", 0)
        if isinstance(written, int | np.integer) and written > FORMAT:
            error = f"{error}, as a newer version wrote it (format {written}, this knows {FORMAT})"
        return f"{stored.get('name', 'without a name')!r}: {error}"


def load_results(signal):
    """Take the results of a lazy map into memory: its file may be moved, changed or deleted."""
    for key, stored in _entries(signal).items():
        for name, value in stored.items():
            if _number(key) >= 0 and hasattr(value, "__dask_graph__"):
                # In this process, as the open file cannot be sent to others.
                signal.metadata[NODE][key][name] = value.compute(scheduler="synchronous")
    view = _view_of(signal)
    for name in _VIEW if _is_shown(signal) else ():
        if hasattr(view.get(name), "__dask_graph__"):
            view[name] = view[name].compute(scheduler="synchronous")


# --- writing ------------------------------------------------------------------------------


def write_result(signal, result):
    """Keep a result as the newest of its signal."""
    shape = result.labels.shape
    replaced = [
        key for key, old in _read(signal).items()
        if old.name == result.name or old.labels.shape != shape
    ]  # fmt: skip
    _add(signal, [result])
    _delete(signal, replaced)
    _show(signal, result)


def write_findings(signal, result, test, sentences, given=None):
    """Keep what a test found of a result with it, where it is: not as the newest.

    The objects that the user holds, `result` and what was `given` as such, are told as well. They
    cannot be changed, but what tests found is none of what a result is: two that differ in it
    only are equal.
    """
    for key, kept in _read(signal).items():
        if kept.name == result.name and np.array_equal(kept.labels, result.labels):
            findings = {**kept.findings, test: list(sentences)}
            signal.metadata.set_item(f"{NODE}.{key}.findings", json.dumps(findings))
    for told in (result, given):
        if hasattr(told, "findings"):
            findings = told.findings | {test: tuple(sentences)}
            object.__setattr__(told, "findings", findings)


def write_results(signal, results):
    """Replace all results of a signal, oldest first."""
    remove_results(signal)
    _add(signal, results)


def _add(signal, results):
    """Store results as the newest; none of them if that is stopped."""
    stored = [to_dict(result) for result in results]
    if not stored:
        return
    node = signal.metadata.get_item(NODE)
    if node is not None and not isinstance(node, type(signal.metadata)):
        signal.metadata.set_item(NODE, {_NOT_OURS: node})
    first = 1 + max((_number(key) for key in _entries(signal)), default=-1)
    keys = [f"result_{n}" for n, _ in enumerate(stored, first)]
    try:
        for key, result, values in zip(keys, results, stored, strict=True):
            signal.metadata.set_item(f"{NODE}.{key}", values)
            known = _entries(signal)[key], result
            signal._clusters_read = {**getattr(signal, "_clusters_read", {}), key: known}
    except BaseException:  # Ctrl-C as well; it is raised again
        _delete(signal, keys)
        raise


def _delete(signal, keys):
    """Delete what is stored under these keys, and the node if nothing else is in it."""
    for key in keys:
        if signal.metadata.has_item(f"{NODE}.{key}"):
            delattr(signal.metadata[NODE], key)
    if keys and not len(signal.metadata.get_item(NODE, [0])):
        delattr(signal.metadata, NODE)


def remove_results(signal, names=None):
    """Forget results of a signal by name; by default all, also those that cannot be read."""
    shown = _is_shown(signal)
    if names is None:
        keys = [key for key in _entries(signal) if _number(key) >= 0]
    else:
        keys = [key for key, result in _read(signal).items() if result.name in names]
        shown &= list(read_results(signal))[-1] in names
    _delete(signal, keys)
    if shown:
        _view_of(signal).update(dict.fromkeys(_VIEW))


# --- HyperSpy's own cluster plots ---------------------------------------------------------


def _view_of(signal):
    """What HyperSpy's own cluster plots show, by name; HyperSpy 3 has no place for it."""
    return vars(getattr(signal, "learning_results", SimpleNamespace()))


def _is_shown(signal):
    """Whether they show a result that is stored here: the newest."""
    workflows = [str(stored.get("workflow")) for stored in _entries(signal).values()]
    return _view_of(signal).get("cluster_algorithm") in workflows


def show_newest(signal):
    """Show anew what was shown of the newest result, after a change of the energy axis."""
    if _is_shown(signal) and (results := read_results(signal)):
        _show(signal, list(results.values())[-1])


def _show(signal, result):
    """Copy a result to where HyperSpy's own cluster plots look; nothing of ours reads it."""
    view = dict.fromkeys(_VIEW)
    if result.n_clusters:
        view["cluster_labels"] = result.labels.ravel() == np.arange(result.n_clusters)[:, None]
        view["cluster_algorithm"] = result.workflow
        view["number_of_clusters"] = result.n_clusters
    if result.n_clusters and _is_of_energies(result, signal):
        view["cluster_sum_signals"] = result.spectra
        mean = result.spectra / np.maximum(result.sizes, 1)[:, None]
        view["cluster_centroid_signals"] = mean
    _view_of(signal).update(view)


def _is_of_energies(result, signal):
    """Whether a result has spectra on the signal's energy axis."""
    if result.spectra is None or len(result.energy) != signal.axes_manager.signal_axes[0].size:
        return False
    return np.allclose(result.energy, energy_in_kev(signal))


# --- files --------------------------------------------------------------------------------


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


@contextlib.contextmanager
def unsaved_named(filename):
    """Say what to do if a map cannot be saved: no room for all of it, or nothing to write .zspy."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in _ZSPY:
            raise
        raise ModuleNotFoundError(
            f"Files .zspy need {error.name}, which is not installed. Save the map as .hspy, or "
            'run pip install "rosettasciio[zspy]", which needs a C compiler with Python 3.14.',
            name=error.name,
        ) from error
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        is_path = isinstance(filename, str | os.PathLike)
        where = repr(str(Path(filename).absolute())) if is_path else "its file"
        raise OSError(
            error.errno,
            f"The map could not be saved to {where} ({os.strerror(error.errno)}). What lies there "
            f"now is incomplete: delete it. The map that you have here is as it was. "
            f"{cure_of(error)}",
        ) from error


def as_exspy_signal(signal, filename, extension, file_format):
    """The same counts as a signal of exspy's, if a file of that name and format asks for one.

    Without results, and without what is no number of the instrument (a warning says so) or no date
    where these formats need one. Lazy counts are computed, as these formats are written in one
    piece; what is masked is zero.

    Returns
    -------
    exspy.signals.EDSTEMSpectrum, exspy.signals.EDSSEMSpectrum or None
    """
    from exspy.signals import EDSTEMSpectrum

    stated = file_format if extension is None else extension
    if stated is None and isinstance(filename, str | Path):
        stated = Path(filename).suffix or None
    if stated is None:
        stated = signal.tmp_parameters.get_item("extension", None)
    kind = str(stated).lower().lstrip(".")
    if kind not in (*_RIPPLE, *_MSA):
        return None
    data = signal.data.compute() if signal._lazy else signal.data
    if isinstance(data, np.ma.MaskedArray):
        data = data.filled(0)
    if kind in _RIPPLE:
        data = data.astype(_RIPPLE_DTYPES.get(data.dtype.name, data.dtype), copy=False)
    known = EDSTEMSpectrum(
        data,
        axes=list(signal.axes_manager.as_dictionary().values()),
        original_metadata=signal.original_metadata.as_dictionary(),
    )
    copy_metadata(signal, to=known)
    if kind in _MSA:
        keep_dates(known)
    if lost := keep_numbers(known):
        said = ", ".join(f"{name} {value!r}" for name, value in lost.items())
        warn(
            f"Not in the file, which has room for one number of each: {said}. What reads the file "
            "takes a default for it, such as 0 degrees. Set a number before with "
            "s.set_microscope_parameters(...)."
        )
    # After an SEM's .msa file, RosettaSciIO would write no numbers of a TEM to further ones.
    if kind in _RIPPLE and is_recorded_as_sem(signal):
        known.set_signal_type("EDS_SEM")
    known.tmp_parameters.add_dictionary(signal.tmp_parameters.as_dictionary())
    return known


def warn_of_mask(signal):
    """Warn that files do not keep the mask of a masked array."""
    if is_masked_array(signal):
        warn(
            "The data are a masked array, but no file keeps its mask. Save it beside the map, "
            "np.save('mask.npy', s.data.mask.any(axis=-1)), and pass it as `navigation_mask` after "
            "loading."
        )
