"""k-factors with their uncertainties and where they come from: given, in a file, of a standard."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import as_number
from hyperspy_clusterquant._frozen import FrozenDict
from hyperspy_clusterquant._text import in_html
from hyperspy_clusterquant.xrays.emission import check_line

if TYPE_CHECKING:
    from os import PathLike


class KFactors(FrozenDict):
    """k-factors by weight of alpha lines: a dictionary that knows its uncertainties.

    It cannot be changed: ``k | {"Cu_Ka": 1.9}`` makes a new one, in which the lines of the right
    side have only the uncertainties that came with them.

    Parameters
    ----------
    values : mapping of str to float
        k-factor of each line.
    relative_uncertainty : mapping of str to float, optional
        Relative standard uncertainty of each line's k-factor. Those of different lines count as
        independent, and only ratios matter, so the reference line has one of its own.
    sources : mapping of str to str, optional
        Where each comes from: ``"given"``, ``"theory"`` or ``"standard"``. Of lines without a
        k-factor nothing is kept.

    Examples
    --------
    >>> k = KFactors({"Fe_Ka": 1.45, "Pt_La": 5.08}, {"Pt_La": 0.05})
    >>> k["Fe_Ka"], k.relative_uncertainty["Pt_La"]
    (1.45, 0.05)
    >>> (k | {"Cu_Ka": 1.9}).relative_uncertainty  # {**k} would forget it
    {'Pt_La': 0.05}
    """

    _INSTEAD = (
        "k | {line: value} (without an uncertainty), k | KFactors({line: value}, {line: relative "
        "uncertainty}), or, of some lines only, "
        "KFactors({line: k[line] for line in lines}, k.relative_uncertainty, k.sources)"
    )

    def __init__(
        self,
        values: Mapping[str, float],
        relative_uncertainty: Mapping[str, float] | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__({line: float(k) for line, k in dict(values).items()})
        self._relative_uncertainty = self._of_lines(relative_uncertainty or {})
        self._sources = self._of_lines(dict.fromkeys(self, "given") | dict(sources or {}))

    def _of_lines(self, values):
        """Of values by line, those of lines with a k-factor."""
        return FrozenDict({line: value for line, value in values.items() if line in self})

    @property
    def relative_uncertainty(self) -> Mapping[str, float]:
        """Relative standard uncertainty by line, of the lines that have one."""
        return self._relative_uncertainty

    @property
    def sources(self) -> Mapping[str, str]:
        """Where the k-factor of each line comes from."""
        return self._sources

    def __reduce__(self):
        return KFactors, (dict(self), self.relative_uncertainty, self.sources)

    def __or__(self, other):
        if not isinstance(other, Mapping):
            return NotImplemented
        other = other if isinstance(other, KFactors) else KFactors(other)
        kept = {x: u for x, u in self.relative_uncertainty.items() if x not in other}
        return KFactors(
            {**self, **other}, kept | other.relative_uncertainty, self.sources | other.sources
        )

    def __ror__(self, other):
        return KFactors(other) | self if isinstance(other, Mapping) else NotImplemented

    def _repr_html_(self):
        rows = [("line", "k-factor by weight", "relative uncertainty", "from")]
        for line, k in self.items():
            known = self.relative_uncertainty.get(line)
            value = f"{k:.4g}" if not known else f"{k:.4g} ± {k * known:.2g}"
            uncertainty = "not known" if known is None else f"{known:.1%}"
            rows.append((line, value, uncertainty, str(self.sources[line])))
        return in_html([rows])

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write a file that ``kfactors=`` takes: ``line,k,relative_uncertainty``.

        Parameters
        ----------
        path : str or path
        """
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["line", "k", "relative_uncertainty"])
            for line, k in self.items():
                writer.writerow([line, repr(k), self.relative_uncertainty.get(line, "")])


def read_kfactors(kfactors):
    """k-factors as the user gave them: a mapping or a CSV file.

    Parameters
    ----------
    kfactors : mapping of str to float, str or path
        A mapping line -> k, or the path of a CSV file with the columns ``line,k`` and
        optionally ``relative_uncertainty``.

    Returns
    -------
    KFactors
    """
    if isinstance(kfactors, Mapping):
        values = _checked(kfactors)
        return kfactors if isinstance(kfactors, KFactors) else KFactors(values)
    if not isinstance(kfactors, str | Path):
        raise TypeError(
            "`kfactors` must be a dictionary such as {'Fe_Ka': 1.45, 'Pt_La': 5.08}, the path of a "
            f"CSV file with the columns line,k, or None; got {type(kfactors).__name__}."
        )
    with open(kfactors, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        columns = set(reader.fieldnames or ())
        if not {"line", "k"} <= columns <= {"line", "k", "relative_uncertainty"}:
            raise ValueError(
                f"{kfactors} needs a first row with the columns line,k[,relative_uncertainty], "
                f"separated by commas, with decimal points; it has {reader.fieldnames}."
            )
        rows = list(reader)
    lines = [row["line"] for row in rows]
    twice = [line for line in dict.fromkeys(lines) if lines.count(line) > 1]
    if twice:
        raise ValueError(f"{kfactors} has more than one k-factor of {', '.join(twice)}.")
    values = _checked({row["line"]: row["k"] for row in rows})
    uncertainties = {}
    for row in rows:
        if row.get("relative_uncertainty"):
            uncertainties[row["line"]] = _relative(row["line"], row["relative_uncertainty"])
    return KFactors(values, uncertainties)


def _checked(kfactors):
    """k-factors as floats, each a positive number and of a line."""
    values = {}
    for line, k in kfactors.items():
        check_line(line)
        values[line] = as_number(k)
        if not values[line] > 0 or not np.isfinite(values[line]):
            raise ValueError(f"The k-factor of {line} must be a positive number, not {k!r}.")
    return values


def _relative(line, value):
    """A relative uncertainty out of a file, as a float."""
    number = as_number(value)
    if not 0 <= number < 1:
        raise ValueError(
            f"The relative uncertainty of the k-factor of {line} must be a number from 0 to 1 "
            f"(0.05 stands for 5 %), not {value!r}."
        )
    return number


def kfactors_of_standard(areas, stds, lines, weight_fractions, reference):
    """k-factors from the counts of a standard of known composition.

    Parameters
    ----------
    areas, stds : array (n_lines,)
        Counts of each alpha line and their standard deviations.
    lines : sequence of str
    weight_fractions : array (n_lines,)
        Known composition.
    reference : str
        Line whose k-factor is 1.

    Returns
    -------
    KFactors
        Uncertainties are those of the counts.
    """
    k = np.asarray(weight_fractions) / areas
    k = k / k[list(lines).index(reference)]
    return KFactors(
        dict(zip(lines, k.tolist(), strict=True)),
        dict(zip(lines, (stds / areas).tolist(), strict=True)),
        dict.fromkeys(lines, "standard"),
    )
