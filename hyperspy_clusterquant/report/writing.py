"""Files that are there as a whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path

#: The errors of a disk on which there is no room for a file.
NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


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
def unwritten_named(path, what):
    """Say what could not be written, where, and what to do, if the system lets nothing be written.

    For files and folders that are there as a whole or not at all, as `write_text` and
    `whole_folder` make them.

    Parameters
    ----------
    path : Path
        That the user gave.
    what : str
        Such as "The report".

    Raises
    ------
    OSError
        With the number of the system's error, and so of the same class.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:  # not of the system: what is raised says more
            raise
        raise OSError(
            error.errno,
            f"{what} could not be written to {str(path.absolute())!r} "
            f"({os.strerror(error.errno)}). Nothing of it is left, and what was there before is as "
            f"it was. {cure_of(error)}",
        ) from error


def cure_of(error):
    """What to do when the system lets no file be written."""
    if error.errno in NO_ROOM:
        return "Free space there, or give a place on another disk."
    return "Close what has it open, see whether you may write there, or give another place."


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
    try:
        shutil.rmtree(aside)
    except BaseException:  # Ctrl-C as well; the new folder is in its place already
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _umask():
    """What the user's new files are not allowed, which cannot be read without setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
