"""What users say of a quantification, checked, as numbers and names for the kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np

from hyperspy_clusterquant._checks import as_names, as_number, cluster_number
from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.composition.absorption import Absorption
from hyperspy_clusterquant.composition.entropy import default_sublattices
from hyperspy_clusterquant.composition.intensities import LineChoice
from hyperspy_clusterquant.signals.axes import energy_in_kev
from hyperspy_clusterquant.signals.metadata import (
    beam_energy_of,
    elements_of,
    resolution_of,
    take_off_angle_of,
    xray_lines_of,
)
from hyperspy_clusterquant.signals.specimen import usable_elements, warn_without_lines
from hyperspy_clusterquant.xrays.detectors import in_words
from hyperspy_clusterquant.xrays.emission import split_line
from hyperspy_clusterquant.xrays.kfactors import KFactors, read_kfactors
from hyperspy_clusterquant.xrays.lines import (
    LOWEST_LINE,
    choose_lines,
    has_theory,
    is_excited,
    line_energy,
)
from hyperspy_clusterquant.xrays.theory import complete_kfactors, theoretical_kfactors

#: Elements of nearly every film and grid: fitted if nothing is said. Nobody is told if their lines
#: are not on the axis.
USUAL_EXTRA = ("C", "O")


@dataclass(frozen=True, eq=False)
class Request(Frozen):
    """What is to be quantified, checked: lines, k-factors, absorption, and who shares sites."""

    names: tuple
    choice: LineChoice
    kfactors: KFactors
    foil: Absorption | None
    sublattices: tuple
    detector: str = ""


def read_request(
    signal, names, *, xray_lines=None, kfactors=None, kfactor_uncertainty=None, extra_elements=(),
    absorption=None, sublattices=None, detector=None, fitted=True,
):  # fmt: skip
    """What a user asks of the spectra with some names, as a `Request`.

    The options are those of `ClusteredEDSSpectrum.cluster_quantification`; `fitted` is as of
    `read_choice`.
    """
    given = read_given(kfactors)
    choice = read_choice(signal, xray_lines, extra_elements, given or (), fitted, quantified=True)
    groups = _as_sublattices(sublattices, choice.elements)
    foil = read_absorption(signal, absorption, names)
    named = _uncertainties(choice.lines, given, kfactor_uncertainty)
    found = find_kfactors(signal, choice.lines, given, detector)
    relative = found.relative_uncertainty
    if given is None and kfactor_uncertainty is None and _is_new(signal, in_words(detector)):
        warn(
            f"Theoretical k-factors at {beam_energy_of(signal):.4g} keV are used"
            f" for {in_words(detector)} (`detector`), with uncertainties of "
            f"{min(relative.values()):.0%} to {max(relative.values()):.0%}. Pass `kfactors` "
            "measured on your instrument for better ones."
        )
    known = KFactors(found, {**relative, **named}, found.sources)
    return Request(tuple(names), choice, known, foil, groups, in_words(detector))


def _is_new(signal, detector):
    """Whether it was not yet said of a map that k-factors are those of theory for a detector.

    To be told once is enough, and what changes them is told again.
    """
    said = (beam_energy_of(signal), detector)
    known = getattr(signal, "_theory_said", frozenset())
    signal._theory_said = known | {said}
    return said not in known


# --- what to measure --------------------------------------------------------------------


def read_choice(signal, xray_lines, extra_elements, given=(), fitted=True, quantified=False):
    """Lines to measure in a signal, and what is fitted besides, as a `LineChoice`.

    Lines with k-factors that are given are preferred. Elements without a line are left out, with a
    warning; those without a k-factor, too, if the lines are to be quantified. If lines are not to
    be fitted, the beam energy need not be known.
    """
    energy, beam_energy = energy_in_kev(signal), beam_energy_of(signal, needed=fitted)
    named = elements_of(signal)
    # What is declared and not quantified is there all the same.
    extra = [*as_names("extra_elements", extra_elements), *named]
    usable, without = usable_elements(signal, extra)
    highest = min(energy[-1], beam_energy or np.inf)
    if xray_lines is None:
        hidden = [element for element in without if element in named]
        _check_some_elements(usable, hidden, energy[0], highest)
        declared = xray_lines_of(signal)
        # What the user declared and has k-factors for, comes before either alone.
        preferred = ([line for line in declared if line in given], list(given), declared)
        xray_lines = choose_lines(usable, energy[0], highest, preferred, beam_energy)
        if quantified:
            xray_lines = _with_kfactors(xray_lines, given, beam_energy)
    lines = _as_lines(xray_lines, energy[0], highest, beam_energy)
    resolution = resolution_of(signal)
    elements = [split_line(line)[0] for line in lines]
    extra = tuple(e for e in dict.fromkeys(extra) if e not in (*elements, *without))
    usual = USUAL_EXTRA if tuple(extra_elements or ()) == USUAL_EXTRA else ()
    warn_without_lines(signal, [e for e in without if e in named or e not in usual])
    return LineChoice(energy, tuple(lines), extra, resolution, beam_energy)


def _check_some_elements(usable, hidden, lowest, highest):
    """Raise a ValueError if nothing is declared, or too few of it can be seen."""
    if not usable and not hidden:
        raise ValueError(
            "No elements are set. Declare those of the sample first, for example "
            "s.set_elements(['Cu', 'Fe', 'S']), or pass `xray_lines`."
        )
    if len(usable) < 2 and hidden:
        raise ValueError(
            "A composition needs at least two elements, but of those declared only "
            f"{', '.join(usable) or 'none'} can be quantified. No X-ray line of "
            f"{', '.join(hidden)} lies above 0.1 keV, on the energy axis and within the reach of "
            f"the beam ({lowest:.3g} to {highest:.3g} keV). Declare others with "
            "s.add_elements([...]), or use the data before the energy axis was cropped."
        )


def _with_kfactors(lines, given, beam_energy):
    """Lines that have a k-factor or a theory of it, with a warning of the others.

    All of them if fewer than two have, for an error that says more.
    """
    known = [line for line in lines if line in given or has_theory(line, beam_energy)]
    unknown = [line for line in lines if line not in known]
    if len(known) < 2 or not unknown:
        return lines
    warn(
        f"Fitted but not quantified: {', '.join(split_line(line)[0] for line in unknown)}. There "
        f"is no theoretical k-factor for {', '.join(unknown)}. Give one in `kfactors`, for example "
        "of a standard (`calibrate_kfactors`)."
    )
    return known


def _as_lines(xray_lines, lowest, highest, beam_energy):
    """Alpha line of each element to quantify."""
    if isinstance(xray_lines, str):
        xray_lines = [xray_lines]
    elements = [split_line(line)[0] for line in xray_lines]
    if len(set(elements)) < len(elements):
        raise ValueError(f"Each element is quantified with one line, but got {list(xray_lines)}.")
    if len(elements) < 2:
        raise ValueError(
            f"A composition needs at least two elements, but only {', '.join(elements)} is to be "
            "quantified. Declare the others with s.add_elements([...])."
        )
    for line in xray_lines:
        position, lowest = line_energy(line), max(lowest, LOWEST_LINE)
        if not line.endswith(("Ka", "La", "Ma")):
            raise ValueError(
                f"Cliff-Lorimer k-factors are for alpha lines (Ka, La, Ma), not {line!r}."
            )
        if not lowest < position < highest:
            raise ValueError(
                f"{line} at {position:.3g} keV lies outside the energy range of the axis and the "
                f"beam ({lowest:.3g} to {highest:.3g} keV). Choose another line of the element in "
                "`xray_lines`."
            )
        if not is_excited(line, beam_energy):
            raise ValueError(
                f"{line} cannot be excited by a beam of {beam_energy:.4g} keV. Choose another line "
                "of the element in `xray_lines`."
            )
    return list(xray_lines)


def _as_sublattices(sublattices, elements):
    """Sublattices as a tuple of tuples of elements."""
    if sublattices is None:
        return default_sublattices(elements)
    sublattices = [sublattices] if isinstance(sublattices, str) else list(sublattices)
    if not all(isinstance(member, str) for group in sublattices for member in np.atleast_1d(group)):
        raise TypeError(
            f"`sublattices` must be lists of elements such as [['Cu', 'Fe'], ['S']], not "
            f"{sublattices!r}."
        )
    if len(sublattices) > 1 and all(isinstance(group, str) for group in sublattices):
        raise ValueError(
            f"`sublattices` must say who shares sites: [{sublattices}] if these do, or "
            f"{[[element] for element in sublattices]} if each has its own."
        )
    groups = tuple((group,) if isinstance(group, str) else tuple(group) for group in sublattices)
    members = [element for group in groups for element in group]
    if len(set(members)) < len(members):
        raise ValueError(
            f"`sublattices` names an element twice: {sublattices}. Write them as "
            "[['Cu', 'Fe'], ['S']]."
        )
    for member in members:
        if member not in elements:
            raise ValueError(
                f"{member!r} in `sublattices` is not among the quantified elements "
                f"({', '.join(elements)}). Write them as [['Cu', 'Fe'], ['S']]."
            )
    return groups


# --- k-factors --------------------------------------------------------------------------


def read_given(kfactors):
    """k-factors as they were given, or None."""
    if hasattr(kfactors, "as_dictionary"):  # a node of HyperSpy's metadata
        kfactors = kfactors.as_dictionary()
    return None if kfactors is None else read_kfactors(kfactors)


def find_kfactors(signal, lines, given, detector=None):
    """k-factors of lines as `KFactors`: those given, from theory, or from both."""
    if given is None:
        return theoretical_kfactors(lines, beam_energy_of(signal), lines[0], detector)
    missing = [line for line in lines if line not in given]
    if len(missing) == len(lines):
        raise ValueError(
            f"`kfactors` holds none of the lines {', '.join(lines)}; it has "
            f"{', '.join(given) or 'nothing'}. Add them (by weight), choose other lines in "
            "`xray_lines`, or leave `kfactors` out for theoretical ones."
        )
    if detector is not None and not missing:
        raise ValueError(
            "`detector` is for theoretical k-factors, but `kfactors` holds all that are "
            "needed: leave one of them out."
        )
    beam_energy = beam_energy_of(signal) if missing else None
    found = complete_kfactors(given, lines, beam_energy, detector)
    if missing:
        warn(
            f"`kfactors` lacks {', '.join(missing)}: theoretical ones, scaled to those given, "
            "are used for them (marked * in the table)."
        )
    return found


def _uncertainties(lines, given, uncertainty):
    """Relative uncertainty of each line that the user named one for."""
    if uncertainty is None:
        return {}
    if isinstance(uncertainty, Mapping):
        unknown = [line for line in uncertainty if line not in lines]
        if unknown:
            raise ValueError(
                f"`kfactor_uncertainty` names {', '.join(map(str, unknown))}, but the quantified "
                f"lines are {', '.join(lines)}."
            )
        named = dict(uncertainty)
    else:  # of what was given; theory beside it keeps its own
        named = {line: uncertainty for line in lines if given is None or line in given}
    for value in named.values():
        if not isinstance(value, Real) or not 0 <= value < 1:
            raise ValueError(
                f"`kfactor_uncertainty` is relative, 0.05 stands for 5 %; got {uncertainty!r}."
            )
    return named


# --- absorption -------------------------------------------------------------------------


def read_absorption(signal, given, names):
    """The foil that X-rays of the spectra with some names leave, as `Absorption`, or None."""
    if given is None:
        return None
    example = "absorption={'thickness': 80, 'density': 'auto', 'take_off_angle': 'auto'}"
    if not isinstance(given, dict) or "thickness" not in given:
        raise ValueError(
            f"`absorption` must be a dictionary with a thickness in nm, such as {example}; "
            f"got {given!r}."
        )
    unknown = set(given) - {"thickness", "density", "take_off_angle"}
    if unknown:
        raise ValueError(
            f"`absorption` knows thickness, density and take_off_angle, not "
            f"{', '.join(map(str, unknown))}. Write it as {example}."
        )
    thicknesses = tuple(
        _in_range("thickness", t, 0.1, 1e4, "in nm") for t in _of_each(given["thickness"], names)
    )
    density, angle = (given.get(key, "auto") for key in ("density", "take_off_angle"))
    if isinstance(density, str) and density == "auto":
        density = None
    else:
        density = _in_range("density", density, 0, 30, "in g/cm3, or 'auto'")
    if isinstance(angle, str) and angle == "auto":
        angle = take_off_angle_of(signal)
    angle = _in_range("take_off_angle", angle, 2, 90, "in degrees, or 'auto'")
    return Absorption(thicknesses, (density,) * len(names), angle)


def _of_each(thickness, names):
    """Thickness of each spectrum from one for all, one for each, or a dictionary of clusters."""
    if isinstance(thickness, dict):
        numbers = [
            cluster_number(key, names, "the result (thickness in `absorption`)")
            for key in thickness
        ]
        missing = [name for k, name in enumerate(names) if k not in numbers]
        if missing:
            raise ValueError(
                f"The thickness of {', '.join(missing)} is missing in `absorption`; it has "
                f"{', '.join(map(str, thickness)) or 'none'}."
            )
        if len(numbers) > len(names):
            raise ValueError(
                "`absorption` has more than one thickness of a cluster: "
                f"{', '.join(map(repr, thickness))} are the clusters {', '.join(names)}."
            )
        of = dict(zip(numbers, thickness.values(), strict=True))
        return [of[k] for k in range(len(names))]
    thicknesses = [thickness] * len(names) if np.ndim(thickness) == 0 else list(thickness)
    if len(thicknesses) != len(names):
        raise ValueError(
            f"`absorption` has {len(thicknesses)} thicknesses for {len(names)} clusters. Give one "
            "for all, one for each, or a dictionary by the clusters' names."
        )
    return thicknesses


def _in_range(name, value, low, high, unit):
    number = as_number(value)
    if not low < number <= high or not np.isfinite(number):
        raise ValueError(
            f"The {name} in `absorption` must be a number above {low:g} and up to {high:g} "
            f"({unit}), not {value!r}."
        )
    return number
