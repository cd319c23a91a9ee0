"""Cliff-Lorimer k-factors: from theory, from a file, from a standard, and their uncertainties."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hyperspy_clusterquant._checks import check_choice
from hyperspy_clusterquant.quantification.detectors import detector_efficiency
from hyperspy_clusterquant.quantification.emission import (
    alpha_emission,
    atomic_number,
    atomic_weight,
    check_line,
    line_families,
    split_line,
)

#: Relative standard uncertainty of a theoretical k-factor, by shell. The ratio
#: of two lines adds theirs in quadrature: metal K / metal K 4 %, metal K / S K
#: 10.5 %, L / metal K 17 %. Soft X-rays hang on the window, ice and dead layer of the detector.
THEORY_UNCERTAINTY = {"K": 0.03, "light K": 0.10, "L": 0.17, "M": 0.20, "soft": 0.40}
SOFT = 1.0  # keV
#: Below it, a window absorbs so much that its exact thickness would decide.
LEAST_EFFICIENCY = 0.02
_FIRST_METAL_K = 21  # scandium; below, fluorescence yields are known less well


class KFactors(dict):
    """k-factors by weight of alpha lines: a dictionary that knows its uncertainties.

    Parameters
    ----------
    values : mapping of str to float
        k-factor of each line.
    relative_uncertainty : mapping of str to float, optional
        Relative standard uncertainty of each line's k-factor. Those of different lines count as
        independent, and only ratios matter, so the reference line has one of its own.
    sources : mapping of str to str, optional
        Where each comes from: ``"given"``, ``"theory"`` or ``"standard"``.

    Examples
    --------
    >>> k = KFactors({"Fe_Ka": 1.45, "Pt_La": 5.08}, {"Pt_La": 0.05})
    >>> k["Fe_Ka"], k.relative_uncertainty["Pt_La"]
    (1.45, 0.05)
    >>> (k | {"Cu_Ka": 1.9}).relative_uncertainty  # {**k} would forget it
    {'Pt_La': 0.05}
    """

    def __init__(self, values, relative_uncertainty=None, sources=None):
        super().__init__({line: float(k) for line, k in dict(values).items()})
        self.relative_uncertainty = dict(relative_uncertainty or {})
        self.sources = dict.fromkeys(self, "given") | dict(sources or {})

    def __setitem__(self, line, k):
        super().__setitem__(line, float(k))
        self.relative_uncertainty.pop(line, None)
        self.sources[line] = "given"

    def copy(self):
        """A copy with its uncertainties."""
        return KFactors(self, self.relative_uncertainty, self.sources)

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

    def to_csv(self, path):
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


def theoretical_kfactors(lines, beam_energy=200.0, reference="S_Ka", detector=None):
    r"""Cliff-Lorimer k-factors of alpha lines from theory, by weight.

    .. math::
        k_{A} = \frac{[A / (Q\,\omega\,a\,\varepsilon)]_A}{[A / (Q\,\omega\,a\,\varepsilon)]_{ref}}

    with the atomic mass A, the ionisation cross section Q (with Coster-Kronig
    transfer within the shell), the fluorescence yield omega, the alpha
    lines' share a of the radiative rate, and the detector's efficiency.

    Parameters
    ----------
    lines : list of str
        Alpha lines such as ``["Fe_Ka", "Ag_La", "Au_Ma"]``.
    beam_energy : float
        Beam energy in keV.
    reference : str
        Line whose k-factor is 1.
    detector : optional
        ``None`` or ``"ideal"``; ``"windowless"`` (0.45 mm of silicon), ``"polymer"`` or ``"Be"``
        (that behind a window); or an efficiency of your own: a function of the energy in keV,
        rows of (energy, efficiency), or the path of a CSV file with the columns
        ``energy,efficiency``.

    Returns
    -------
    KFactors
        A dictionary of the k-factor of each line: (C_A / C_ref) = k_A I_A / (k_ref I_ref) with C
        by weight. Its ``relative_uncertainty`` holds what theory is good for: 3 % for the K line
        of a metal, 10 % for that of a light element, 17 % for an L and 20 % for an M line, and 40 %
        below 1 keV, where the detector's window decides.

    Raises
    ------
    ValueError
        For a line that is not an alpha line, that the beam cannot excite, or
        without atomic data.

    References
    ----------
    E. Casnati, A. Tartari and C. Baraldi, J. Phys. B 15 (1982) 155, for Q; the
    xraylib library (T. Schoonjans et al., Spectrochim. Acta B 66 (2011) 776) for the rest.

    Examples
    --------
    >>> k = theoretical_kfactors(["S_Ka", "Cu_Ka"])
    >>> round(k["S_Ka"], 3), round(k["Cu_Ka"], 1)
    (1.0, 2.0)
    """
    if isinstance(lines, str):
        lines = [lines]
    beam_energy = _positive("beam_energy", beam_energy)
    efficiency = detector_efficiency(detector)
    unit = _counts_per_mass(reference, beam_energy, efficiency)
    values = {line: unit / _counts_per_mass(line, beam_energy, efficiency) for line in lines}
    return KFactors(
        values,
        {line: theory_uncertainty(line, beam_energy) for line in values},
        dict.fromkeys(values, "theory"),
    )


def _counts_per_mass(line, beam_energy, efficiency):
    """Counts of an alpha line per mass of its element, in arbitrary common units."""
    element, name = split_line(line)
    if name not in ("Ka", "La", "Ma"):
        raise ValueError(
            f"Theoretical k-factors are for alpha lines (Ka, La, Ma), not {line!r}. Did you mean "
            f"{element}_{name[0].upper()}a? Else give the k-factor."
        )
    try:
        energy, photons = alpha_emission(line, beam_energy)
    except ValueError as error:
        raise ValueError(
            f"There is no theoretical k-factor for {line} at {beam_energy:.4g} keV: {error}. "
            f"Choose another line of {element} or give its k-factor in `kfactors`."
        ) from error
    detected = _number(efficiency(energy))
    if not LEAST_EFFICIENCY < detected <= 1:
        raise ValueError(
            f"The detector's efficiency for {line} at {energy:.3g} keV is {detected:.2g}; a "
            f"k-factor needs one above {LEAST_EFFICIENCY:g} and up to 1. Choose another line of "
            f"{element}, leave it out, or check `detector`."
        )
    return photons * detected / atomic_weight(element)


def theory_uncertainty(line, beam_energy=200.0):
    """Relative standard uncertainty of a theoretical k-factor, see `THEORY_UNCERTAINTY`."""
    element, name = split_line(line)
    if alpha_emission(line, beam_energy)[0] < SOFT:
        return THEORY_UNCERTAINTY["soft"]
    if name[0] == "K" and atomic_number(element) < _FIRST_METAL_K:
        return THEORY_UNCERTAINTY["light K"]
    return THEORY_UNCERTAINTY[name[0]]


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
    if isinstance(kfactors, KFactors):
        return KFactors(_checked(kfactors), kfactors.relative_uncertainty, kfactors.sources)
    if isinstance(kfactors, Mapping):
        return KFactors(_checked(kfactors))
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
    values = {}
    for line, k in kfactors.items():
        check_line(line)
        values[line] = _number(k)
        if not values[line] > 0 or not np.isfinite(values[line]):
            raise ValueError(f"The k-factor of {line} must be a positive number, not {k!r}.")
    return values


def _relative(line, value):
    number = _number(value)
    if not 0 <= number < 1:
        raise ValueError(
            f"The relative uncertainty of the k-factor of {line} must be a number from 0 to 1 "
            f"(0.05 stands for 5 %), not {value!r}."
        )
    return number


def _number(value):
    """A float, NaN for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def _positive(name, value):
    number = _number(value)
    if not number > 0 or not np.isfinite(number):
        raise ValueError(f"`{name}` must be a positive number, not {value!r}.")
    return number


def complete_kfactors(given, lines, beam_energy, detector=None):
    """k-factors of lines: those given, and theoretical ones for the rest.

    Theory is scaled to the given k-factors by the mean logarithm of their ratio, weighted with
    the uncertainty of theory, because only ratios of k-factors mean anything. The uncertainty of
    that scale is part of theirs.

    Parameters
    ----------
    given : KFactors
        With at least one line.
    lines : list of str
        Lines wanted.
    beam_energy : float
        In keV.
    detector : optional
        See `theoretical_kfactors`.

    Returns
    -------
    KFactors
        Of `lines`, in their order. ``sources`` tells which are theoretical.
    """
    missing = [line for line in lines if line not in given]
    values, relative, sources = dict(given), dict(given.relative_uncertainty), dict(given.sources)
    if missing:
        theory = theoretical_kfactors(missing, beam_energy, missing[0], detector)
        anchors = {}
        for line in [line for line in lines if line in given] or list(given):
            try:
                anchor = theoretical_kfactors([line], beam_energy, missing[0], detector)
            except ValueError:  # given because there is no theory
                continue
            anchors[line] = (np.log(given[line] / anchor[line]), anchor.relative_uncertainty[line])
        if not anchors:
            raise ValueError(
                f"`kfactors` lacks {', '.join(missing)}, and there is no theory for any of the "
                f"given ones ({', '.join(given)}) to scale theoretical ones by. Give all of them."
            )
        ratios, stds = np.array(list(anchors.values())).T
        scale = float(np.exp(np.average(ratios, weights=stds**-2)))
        of_the_scale = (stds**-2).sum() ** -0.5
        for line in missing:
            values[line] = theory[line] * scale
            relative[line] = float(np.hypot(theory.relative_uncertainty[line], of_the_scale))
            sources[line] = "theory"
    return KFactors(
        {line: values[line] for line in lines},
        {line: relative[line] for line in lines if line in relative},
        {line: sources[line] for line in lines},
    )


def convert_kfactors(kfactors, lines="alpha", units="weight", beam_energy=200.0):
    r"""Turn k-factors of other conventions into those used here: by weight, for alpha lines.

    Lists of manufacturers differ in what they mean. A k-factor that applies to the counts of the
    whole family, as Thermo's do, is divided by the alpha line's share of the
    family; an atomic one is multiplied by the atomic weight:

    .. math:: k = k_{atomic} A / A_{ref}, \qquad k_\alpha = k_{family} I_{family} / I_\alpha .

    The scale is kept for the first line.

    Parameters
    ----------
    kfactors : mapping of str to float, or path
        As ``kfactors=`` takes it.
    lines : {"alpha", "family"}
        Counts that the k-factors apply to.
    units : {"weight", "atomic"}
        Fractions that the k-factors give.
    beam_energy : float
        Beam energy in keV, which the shares within L and M families depend on a little.

    Returns
    -------
    KFactors

    Examples
    --------
    >>> k = convert_kfactors({"S_Ka": 1.0, "Cu_Ka": 1.0}, units="atomic")
    >>> round(k["Cu_Ka"], 3)  # 63.546 / 32.07
    1.981
    """
    check_choice("lines", lines, ("alpha", "family"))
    check_choice("units", units, ("weight", "atomic"))
    given = read_kfactors(kfactors)
    factors = {}
    for line in given:
        factors[line] = 1.0
        if lines == "family":
            _counts_per_mass(line, _positive("beam_energy", beam_energy), lambda energy: 1.0)
            factors[line] *= sum(
                f.weights.sum() for f in line_families(line, beam_energy) if f.alpha == line
            )
        if units == "atomic":
            factors[line] *= atomic_weight(split_line(line)[0])
    unit = next(iter(factors.values()), 1.0)
    values = {line: k * factors[line] / unit for line, k in given.items()}
    return KFactors(values, given.relative_uncertainty, given.sources)


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


def far_from_theory(found, beam_energy):
    """Lines whose k-factor is more than twice or less than half of what theory expects.

    Parameters
    ----------
    found : KFactors
    beam_energy : float
        In keV.

    Returns
    -------
    dict of str: float
        Ratio to theory, both scaled to the same median.
    """
    theory = theoretical_kfactors(list(found), beam_energy, next(iter(found)))
    ratios = {line: found[line] / theory[line] for line in found}
    middle = float(np.median(list(ratios.values())))
    ratios = {line: ratio / middle for line, ratio in ratios.items()}
    return {line: ratio for line, ratio in ratios.items() if not 0.5 <= ratio <= 2}
