"""What users say of a quantification and what metadata hold, checked, as numbers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from numbers import Real

import numpy as np

from hyperspy_clusterquant._checks import as_names
from hyperspy_clusterquant.composition.entropy import default_sublattices
from hyperspy_clusterquant.signals.axes import energy_in_kev
from hyperspy_clusterquant.xrays.emission import split_line
from hyperspy_clusterquant.xrays.kfactors import KFactors, read_kfactors
from hyperspy_clusterquant.xrays.lines import choose_lines, line_energy, lines_of
from hyperspy_clusterquant.xrays.theory import complete_kfactors, theoretical_kfactors


def quantified_lines(signal):
    """Alpha lines that the declared elements of a signal are quantified with."""
    energy = energy_in_kev(signal)
    return lines_to_quantify(signal, None, energy, highest_energy(signal, energy), ())


# --- what to quantify -------------------------------------------------------------------


def lines_to_quantify(signal, xray_lines, energy, highest, given):
    """Alpha line of each element to quantify."""
    lowest = energy[0]
    if isinstance(xray_lines, str):
        xray_lines = [xray_lines]
    if xray_lines is None:
        elements = [str(e) for e in signal.metadata.get_item("Sample.elements", [])]
        if not elements:
            raise ValueError(
                "No elements are set. Declare those of the sample first, for example "
                "s.set_elements(['Cu', 'Fe', 'S']), or pass `xray_lines`."
            )
        declared = [str(line) for line in signal.metadata.get_item("Sample.xray_lines", [])]
        # What the user declared and has k-factors for, comes before either alone.
        both = [line for line in declared if line in given]
        preferred = (both, list(given), declared)
        xray_lines = choose_lines(elements, lowest, highest, preferred)
    elements = [split_line(line)[0] for line in xray_lines]
    if len(set(elements)) < len(elements):
        raise ValueError(f"Each element is quantified with one line, but got {list(xray_lines)}.")
    if len(elements) < 2:
        raise ValueError(
            f"A composition needs at least two elements, but only {', '.join(elements)} is to be "
            "quantified. Declare the others with s.add_elements([...])."
        )
    for line in xray_lines:
        position = line_energy(line)
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
    return list(xray_lines)


def other_elements(signal, extra_elements, elements):
    """Elements to fit besides: the extra ones, and the declared ones that are not quantified."""
    declared = [str(e) for e in signal.metadata.get_item("Sample.elements", [])]
    extra = [*as_names("extra_elements", extra_elements), *declared]
    for element in extra:
        lines_of(element)
    return tuple(element for element in dict.fromkeys(extra) if element not in elements)


def highest_energy(signal, energy):
    """End of the energy axis, or the beam energy if that is lower."""
    beam_energy = signal.metadata.get_item("Acquisition_instrument.TEM.beam_energy", None)
    return energy[-1] if beam_energy is None else min(energy[-1], float(beam_energy))


def as_sublattices(sublattices, elements):
    """Sublattices as numbers of the elements."""
    if sublattices is None:
        sublattices = default_sublattices(elements)
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
    sublattices = [[group] if isinstance(group, str) else list(group) for group in sublattices]
    members = [element for group in sublattices for element in group]
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
    return [[elements.index(element) for element in group] for group in sublattices]


def detector_resolution(signal):
    resolution = signal.metadata.get_item(
        "Acquisition_instrument.TEM.Detector.EDS.energy_resolution_MnKa", None
    )
    if resolution is None or not 80 <= float(resolution) <= 250:
        raise ValueError(
            "The resolution of the detector (full width of Mn K-alpha in eV) must lie between 80 "
            f"and 250, but is {resolution}. Set it with "
            "s.set_microscope_parameters(energy_resolution_MnKa=130)."
        )
    return float(resolution)


def beam_energy_of(signal):
    beam_energy = signal.metadata.get_item("Acquisition_instrument.TEM.beam_energy", None)
    if beam_energy is None:
        raise ValueError(
            "The beam energy is not known. Set it with "
            "s.set_microscope_parameters(beam_energy=200) (keV)."
        )
    if not 1 <= float(beam_energy) <= 2000:
        raise ValueError(
            f"The beam energy is {float(beam_energy):g} keV, which no microscope has. Set it in "
            "keV with s.set_microscope_parameters(beam_energy=200)."
        )
    return float(beam_energy)


# --- k-factors --------------------------------------------------------------------------


def read_given(given):
    if hasattr(given, "as_dictionary"):  # a node of HyperSpy's metadata
        given = given.as_dictionary()
    return read_kfactors(given)


def find_kfactors(signal, lines, given, uncertainty, detector):
    """k-factors of the lines, from the user, from theory, or from both, as `KFactors`."""
    if given is None:
        beam_energy = beam_energy_of(signal)
        found = theoretical_kfactors(lines, beam_energy, lines[0], detector)
        relative = found.relative_uncertainty
        if uncertainty is None:
            warnings.warn(
                f"Theoretical k-factors at {beam_energy:.4g} keV are used"
                f"{_for_detector(detector)}, with uncertainties of "
                f"{min(relative.values()):.0%} to {max(relative.values()):.0%}. Pass `kfactors` "
                "measured on your instrument for better ones.",
                UserWarning,
                stacklevel=5,
            )
    else:
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
            warnings.warn(
                f"`kfactors` lacks {', '.join(missing)}: theoretical ones, scaled to those given, "
                "are used for them (marked * in the table).",
                UserWarning,
                stacklevel=5,
            )
    relative = found.relative_uncertainty | _uncertainties(lines, given, uncertainty)
    return KFactors(found, relative, found.sources)


def _for_detector(detector):
    if detector is None:
        return " (for an ideal detector, see `detector`)"
    return f" (for the detector {detector!r})" if isinstance(detector, str) else ""


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
    """Thickness of each spectrum, density (None = of the composition) and take-off angle."""
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
    thickness = given["thickness"]
    if isinstance(thickness, dict):
        # Clusters are called by their names or, as in `rename`, by their numbers.
        thickness = {names[key] if key in range(len(names)) else key: value
                     for key, value in thickness.items()}  # fmt: skip
        missing = [name for name in names if name not in thickness]
        if missing:
            raise ValueError(
                f"The thickness of {', '.join(missing)} is missing in `absorption`; it has "
                f"{', '.join(map(str, thickness))}."
            )
        if len(thickness) > len(names):
            raise ValueError(
                f"`absorption` has thicknesses of {', '.join(map(str, thickness))}, but the "
                f"clusters are {', '.join(names)}."
            )
        thickness = [thickness[name] for name in names]
    thicknesses = [thickness] * len(names) if np.ndim(thickness) == 0 else list(thickness)
    if len(thicknesses) != len(names):
        raise ValueError(
            f"`absorption` has {len(thicknesses)} thicknesses for {len(names)} clusters. Give one "
            "for all, one for each, or a dictionary by the clusters' names."
        )
    thicknesses = tuple(_in_range("thickness", t, 0.1, 1e4, "in nm") for t in thicknesses)
    density = given.get("density", "auto")
    if not (isinstance(density, str) and density == "auto"):
        density = _in_range("density", density, 0, 30, "in g/cm3, or 'auto'")
    angle = given.get("take_off_angle", "auto")
    if isinstance(angle, str) and angle == "auto":
        angle = _take_off_angle(signal)
    angle = _in_range("take_off_angle", angle, 2, 90, "in degrees, or 'auto'")
    return thicknesses, None if density == "auto" else density, angle


def _in_range(name, value, low, high, unit):
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not low < number <= high or not np.isfinite(number):
        raise ValueError(
            f"The {name} in `absorption` must be a number above {low:g} and up to {high:g} "
            f"({unit}), not {value!r}."
        )
    return number


def _take_off_angle(signal):
    elevation = signal.metadata.get_item(
        "Acquisition_instrument.TEM.Detector.EDS.elevation_angle", None
    )
    if elevation is None:
        raise ValueError(
            "The take-off angle is not known. Pass it in `absorption`, or set the detector's "
            "angles with s.set_microscope_parameters(elevation_angle=22, azimuth_angle=0, "
            "tilt_stage=0) (degrees)."
        )
    return float(signal.get_take_off_angle())
