"""The verdict on pixels that a person chose, for users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant._text import Told, p_text
from hyperspy_clusterquant.evidence.verdicts import Verdict

NOT_VALID = (
    "no verdict: chosen and compared in the same counts, which always differ. Explore with "
    "honest=True"
)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SelectionVerdict(Told, Frozen):
    """Whether the pixels of a selection differ in composition from others.

    Arrays are of the elements. The selection was made on one half of the counts; all of this is of
    the other half, which it has not seen. A selection that was built from verdicts or differences
    of earlier ones has seen it through them: its p-value is too small.

    Attributes
    ----------
    n_pixels : int
        Pixels of the selection.
    against : str
        What they are compared with, in words.
    n_against : int
        Pixels of that.
    elements : tuple of str
        Elements whose lines are compared; none if there are fewer than two.
    kind : Verdict or None
        None if there is none.
    p_value : float
        Of "same composition, whatever the dose, thickness, absorption and drift". That of the n-th
        selection is multiplied by n (n + 1). NaN if there was nothing to compare, or not `honest`.
    n_asked : int
        n: selections that were tested on this map until this one, also when it was explored before.
    level : float
        Of the verdict.
    composition, composition_std : array (n_elements,)
        Of the selection in at%, from counts alone; not corrected for absorption.
    difference, difference_std : array (n_elements,)
        Selection less what it is compared with in at%.
    element_p_values : array (n_elements,)
        Of "no difference in this element", corrected for the number of elements and like `p_value`.
    honest : bool
        Whether the selection was made on one half of the counts and is compared in the other.
    """

    n_pixels: int
    against: str
    n_against: int
    elements: tuple
    kind: Verdict | None
    p_value: float
    n_asked: int
    level: float
    composition: np.ndarray
    composition_std: np.ndarray
    difference: np.ndarray
    difference_std: np.ndarray
    element_p_values: np.ndarray
    honest: bool = True

    def __post_init__(self):
        if not self.honest:  # a test in the counts that the pixels were chosen by is none
            object.__setattr__(self, "p_value", np.nan)
            unknown = np.full(np.shape(self.element_p_values), np.nan)
            object.__setattr__(self, "element_p_values", unknown)
        super().__post_init__()

    @property
    def is_distinct(self) -> bool:
        """Whether the composition differs; False if there is no verdict."""
        return self.honest and self.kind is Verdict.DISTINCT

    @property
    def words(self) -> str:
        """The verdict in words."""
        if not self.honest:
            return NOT_VALID
        if self.kind is None:
            return "no verdict: declare at least two elements, s.set_elements([...])"
        if self.kind is Verdict.SAME:
            return "not distinguishable"
        if self.kind is Verdict.EMPTY or np.isnan(self.p_value):
            return "not comparable: the counts of the elements do not exceed the noise"
        differ = self.element_p_values < self.level
        if self.kind is Verdict.DISTINCT and not differ.any():
            return "distinct, but in no single element"
        some = [] if differ.all() else [self.elements[k] for k in np.flatnonzero(differ)]
        return self.kind.words(some)

    def _told(self):
        head = f"{self.n_pixels} pixels against {self.against} ({self.n_against} pixels)"
        parts = [f"{head}: {self.words}"]
        if self.honest and np.isfinite(self.p_value):
            tested = "selection" if self.n_asked == 1 else f"{self.n_asked} selections"
            corrected = "" if self.n_asked == 1 else f", corrected for {tested} tested so far"
            parts[0] += f" (p {p_text(self.p_value)}{corrected})"
        rows = [("element", "at%", "difference", "p")]
        for k, element in enumerate(self.elements):
            if np.isfinite(self.composition[k]):
                rows.append(
                    (
                        element,
                        f"{self.composition[k]:.2f} ± {self.composition_std[k]:.2f}",
                        f"{self.difference[k]:+.2f} ± {self.difference_std[k]:.2f}",
                        p_text(self.element_p_values[k]) if self.honest else "-",
                    )
                )
        return [*parts, rows] if len(rows) > 1 else parts
