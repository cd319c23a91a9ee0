"""Warnings that point at the user's line, whatever the depth they come from."""

from __future__ import annotations

import sys
import warnings

_OURS = __name__.partition(".")[0]
#: Between the user and us: their lines are not the user's either.
_BETWEEN = ("hyperspy", "exspy", "dask", "collections", "contextlib", "functools")


def warn(message, category=UserWarning):
    """Warn at the line that called this package, or what stands between and called it.

    Parameters
    ----------
    message : str or Warning
        A Warning has its own category.
    category : type
    """
    frame, depth, level = sys._getframe(1), 2, 2
    # Of several, the outermost: the package also calls itself, through HyperSpy and contextlib.
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package == _OURS or (level == depth and package in _BETWEEN):
            level = depth + 1
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, category, stacklevel=level)
