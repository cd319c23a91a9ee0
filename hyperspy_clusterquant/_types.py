"""Names of what users may pass, for annotations: nothing else imports this."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Literal, TypeAlias

import numpy as np
from hyperspy.signals import BaseSignal

#: Pixels to leave out: True = left out.
NavigationMask: TypeAlias = Literal["auto"] | np.ndarray | BaseSignal | None

#: What the pixels of a cluster are summed with.
Weights: TypeAlias = Literal["phase", "membership", "hard"]

#: A name, a function of the energy in keV, rows of (energy, efficiency), or a CSV file.
Detector: TypeAlias = (
    str | PathLike[str] | Callable[[np.ndarray], np.ndarray] | Sequence[tuple[float, float]] | None
)

#: k-factors by line, or the path of a CSV file.
GivenKFactors: TypeAlias = Mapping[str, float] | str | PathLike[str]
