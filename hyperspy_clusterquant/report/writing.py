"""Files that are there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path


def check_folder(path):
    """Raise a FileNotFoundError unless the folder that a file is to be written to is there."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {str(folder)!r} to write {path.name!r} to. Make it first, "
            f"pathlib.Path({str(folder)!r}).mkdir(parents=True), or give another one."
        )


def check_no_working_folder(path):
    """Raise a ValueError if a folder that is to be replaced is the one that Python works in."""
    here = Path.cwd()
    folder = path.resolve()
    if folder == here or folder in here.parents:
        raise ValueError(
            f"{str(path)!r} is the folder that Python works in, or one around it: it cannot be "
            f"replaced as a whole. Give the name of a new folder in it, such as "
            f"{str(path / 'clusters')!r}."
        )


def with_suffix(filename, suffixes, what):
    """The path of a file with one of some suffixes; the first is added where there is none."""
    path = Path(filename)
    if not path.name:
        raise ValueError(f"{what} needs the name of a file, such as 'report{suffixes[0]}'.")
    # A point in a name is no suffix: "map 2.5 nm".
    if path.suffix.lower() in suffixes:
        return path
    if path.suffix and path.suffix[1:].isalnum() and not path.suffix[1:].isdigit():
        raise ValueError(
            f"{what} is written as {suffixes[0]}, not {path.suffix}: give "
            f"{path.with_suffix(suffixes[0]).name!r}."
        )
    return path.with_name(path.name + suffixes[0])


def write_text(path, text):
    """Write a text in UTF-8, at once: there is the old file or the new one, never a part of it."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.stem}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:  # Ctrl-C as well; it is raised again
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def whole_folder(path):
    """A folder to write to that takes its name when all is written, and is gone if that fails.

    A folder of that name is replaced.

    Parameters
    ----------
    path : Path

    Yields
    ------
    Path
        Beside it, to write to.
    """
    parent = path.absolute().parent
    new = Path(tempfile.mkdtemp(dir=parent, prefix=f".{path.name}-"))
    try:
        yield new
        os.chmod(new, 0o777 & ~_umask())
        if path.exists():
            _replace_folder(path, new)
        else:
            os.replace(new, path)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _replace_folder(path, new):
    """Put a folder in the place of another, which stays if that fails."""
    aside = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}-"))
    old = aside / "old"
    try:
        os.replace(path, old)
        os.replace(new, path)
    except BaseException:
        if old.exists():
            os.replace(old, path)  # if even that fails, it stays where it is
        aside.rmdir()
        raise
    shutil.rmtree(aside)


def _umask():
    """What the user's new files are not allowed, which cannot be read without setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
