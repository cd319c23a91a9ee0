"""Warnings that point at the user's line, whatever the depth they come from."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

_HERE = str(Path(__file__).resolve().parent)
#: Between the user and us: their lines are not the user's either.
_BETWEEN = tuple(f"{sep}{name}{sep}" for sep in "/\\" for name in ("hyperspy", "exspy", "dask"))


def warn(message, category=UserWarning):
    """Warn at the line that called this package, or HyperSpy which called it.

    Parameters
    ----------
    message : str
    category : type
    """
    frame, depth, level = sys._getframe(1), 2, 2
    # Of several, the outermost: the package also calls itself, through HyperSpy and contextlib.
    while frame is not None:
        ours = frame.f_code.co_filename.startswith(_HERE)
        if ours or (level == depth and _is_between(frame.f_code.co_filename)):
            level = depth + 1
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, category, stacklevel=level)


def _is_between(filename):
    return "site-packages" in filename and any(name in filename for name in _BETWEEN)
