"""Which file a map was loaded from, also after it was cropped, binned or copied.

HyperSpy knows the file of what was loaded, and nothing of what is made of that: to save it must
not replace the file. So the file is noted in the metadata of what is made.
"""

from __future__ import annotations

from pathlib import Path

#: Node of the metadata for the file, how often was loaded until then, and whether the map is not
#: as it was in the file.
NODE = "Map_origin"


def path_of(signal):
    """File that a signal was loaded from, also before it was cropped; None if nobody knows."""
    known = signal.tmp_parameters
    name = known.get_item("original_filename", None) or known.get_item("filename", None)
    if not name:
        noted = _noted(signal)
        return Path(noted["file"]) if noted else None
    folder = known.get_item("original_folder", None) or known.get_item("folder", "")
    extension = known.get_item("original_extension", None) or known.get_item("extension", "")
    extension = f".{extension.lstrip('.')}" if extension else ""
    return Path(folder, f"{name}{extension}")


def is_changed(signal):
    """Whether a signal is known to be cropped, binned or turned since it was loaded."""
    return bool(_noted(signal).get("changed", False))


def carry_origin(signal, target, changed):
    """Note the file of a signal in what was made of it, which may be itself.

    Parameters
    ----------
    signal, target : BaseSignal
    changed : bool
        Whether the target is another map, and no copy.
    """
    path = path_of(signal)
    if path is None:
        return
    changed = changed or is_changed(signal)
    noted = {"file": str(path), "loaded": _times_loaded(signal), "changed": changed}
    target.metadata.set_item(NODE, noted)


def _noted(signal):
    """What was noted since the signal was loaded; what is from before, is of another file."""
    node = signal.metadata.get_item(NODE, None)
    noted = {} if node is None else node.as_dictionary()
    return noted if noted.get("loaded") == _times_loaded(signal) else {}


def _times_loaded(signal):
    """How often the signal was loaded from a file, which HyperSpy writes to its metadata."""
    log = signal.metadata.get_item("General.FileIO", None)
    entries = {} if log is None else log.as_dictionary()
    return sum(entry.get("operation") == "load" for entry in entries.values())
