"""X-ray lines of exspy's tables, as the numbers that algorithms need."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hyperspy_clusterquant._frozen import FrozenDict
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.emission import (
    Family,
    alpha_emission,
    atomic_number,
    line_families,
    split_line,
)

#: Half width of an excluded window, in full widths at half maximum (2.9 sigma).
WINDOW_HALF_WIDTH = 1.25
#: K lines above this energy (keV) are weak in a thin specimen and detector; L is used.
HIGHEST_K_LINE = 15.0
#: Lines below this energy (keV) drown in the noise peak.
LOWEST_LINE = 0.1
#: Beam energy (keV) at which it is asked whether theory knows a line, if none is known.
USUAL_BEAM_ENERGY = 200.0
#: Not in samples: gases without compounds, and elements without stable isotopes.
NEVER = frozenset(
    ("He", "Ne", "Ar", "Kr", "Xe", "Rn", "Tc", "Pm", "Po", "At", "Fr", "Ra", "Ac", "Pa", "Np", "Pu")
)


@lru_cache(maxsize=256)
def lines_of(element):
    """Energy in keV of each line of an element, such as ``{"Ka": 6.40, "Kb": 7.06, ...}``.

    Empty for elements of which exspy's tables have none (lithium, neptunium and above).
    """
    from exspy.material import elements

    if element not in elements:
        likely = str(element).capitalize()
        hint = f"Did you mean {likely!r}?" if likely in elements else "Symbols are such as 'Fe'."
        raise ValueError(f"{element!r} is not the symbol of a chemical element. {hint}")
    lines = elements[element].Atomic_properties.get_item("Xray_lines")
    known = {} if lines is None else lines.as_dictionary()
    return FrozenDict({line: float(of["energy (keV)"]) for line, of in known.items()})


def line_energy(line):
    """Energy of a line such as ``"Fe_Ka"`` in keV."""
    element, name = split_line(line)
    energies = lines_of(element)
    if not energies:
        raise ValueError(f"There are no X-ray lines of {element} in the tables of lines.")
    if name not in energies:
        raise ValueError(
            f"{element} has no line {name!r}; its lines are "
            f"{', '.join(f'{element}_{known}' for known in energies)}."
        )
    return energies[name]


def known_elements():
    """Symbols of all elements with X-ray lines that a sample may hold."""
    from exspy.material import elements

    return tuple(
        symbol
        for symbol in elements.keys()  # noqa: SIM118 (iterating gives pairs)
        if symbol not in NEVER and elements[symbol].Atomic_properties.get_item("Xray_lines")
    )


def known_families(alphas, beam_energy):
    """Families of lines of alpha lines, for the peak fit.

    Ratios of the lines are those of atomic data (xraylib), which exspy's tables miss for the L
    lines of silver, cadmium and indium by 10 to 60 %; exspy's where there are none (the M lines
    from lanthanum to europium).

    Parameters
    ----------
    alphas : iterable of str
        Alpha lines.
    beam_energy : float
        In keV.

    Returns
    -------
    tuple of Family
    """
    found = []
    for alpha in alphas:
        try:
            found += line_families(alpha, beam_energy)
        except ValueError:
            found.append(_tabulated_family(alpha))
    return tuple(found)


def _tabulated_family(alpha):
    from exspy.material import elements

    element, name = split_line(alpha)
    lines = elements[element].Atomic_properties.Xray_lines.as_dictionary()
    energies, weights = np.array(
        [
            (line["energy (keV)"], line["weight"])
            for other, line in lines.items()
            if other[0] == name[0] and line["weight"] > 0
        ]
    ).T
    return Family(alpha, energies, weights)


def excluded_windows(exclude_lines, resolution, fitted=()):
    """Energy windows of lines that are left out of the features.

    Parameters
    ----------
    exclude_lines : iterable of str
        X-ray lines or element symbols for all lines of an element.
    resolution : float
        Full width at half maximum at Mn K-alpha in eV.
    fitted : iterable of str
        Alpha lines of families that are taken out by fit, and have no windows.

    Returns
    -------
    tuple of tuple of float
        (low, high) in keV.
    """
    fitted = set(fitted)
    return tuple(
        _window(line_energy(line), resolution)
        for line in _lines_named(exclude_lines)
        if _alpha_of(line) not in fitted
    )


def overlapping_families(exclude_lines, elements, resolution):
    """Families of excluded lines with a window that hides the main line of an element.

    Parameters
    ----------
    exclude_lines, resolution
        As of `excluded_windows`.
    elements : sequence of str
        Whose lines are to be seen.

    Returns
    -------
    tuple of str
        Their alpha lines.

    Examples
    --------
    >>> overlapping_families(["Pt", "C"], ["P", "S", "Fe"], 130.0)
    ('Pt_Ma',)
    """
    named = [element for element in elements if lines_of(element)]
    main = [line_energy(line) for line in choose_lines(named, 0.0, np.inf)]
    hiding = []
    for line in _lines_named(exclude_lines):
        low, high = _window(line_energy(line), resolution)
        if any(low < energy < high for energy in main) and _alpha_of(line) not in hiding:
            hiding.append(_alpha_of(line))
    return tuple(hiding)


def excluded_families(exclude_lines, lowest, highest):
    """Alpha lines of the families of excluded lines, those on an energy axis in keV."""
    alphas = dict.fromkeys(map(_alpha_of, _lines_named(exclude_lines)))
    known = (alpha for alpha in alphas if split_line(alpha)[1] in lines_of(split_line(alpha)[0]))
    return tuple(alpha for alpha in known if lowest < line_energy(alpha) < highest)


def _lines_named(names):
    """Lines that are named, by themselves or with all of their element."""
    for name in names:
        line_or_all = [name] if "_" in name else [f"{name}_{line}" for line in lines_of(name)]
        yield from line_or_all


def _window(energy, resolution):
    half_width = WINDOW_HALF_WIDTH * float(fwhm_at_energy(energy, resolution))
    return energy - half_width, energy + half_width


def _alpha_of(line):
    """Alpha line of the family of a line."""
    element, name = split_line(line)
    return f"{element}_{name[0]}a"


def alpha_lines(elements, lowest, highest, beam_energy=None):
    """Alpha lines of elements on the energy axis, one for each family; K before L before M.

    Energies in keV. With a beam energy, only lines of shells that the beam ionises.
    """
    lowest = max(lowest, LOWEST_LINE)
    return [
        f"{element}_{name}"
        for element in elements
        for name in ("Ka", "La", "Ma")
        if lowest < lines_of(element).get(name, 0.0) < highest
        and is_excited(f"{element}_{name}", beam_energy)
    ]


def is_excited(alpha, beam_energy):
    """Whether a beam ionises the shell of an alpha line; True if its energy (keV) is None."""
    import xraylib

    if beam_energy is None:
        return True
    element, name = split_line(alpha)
    subshell = {"K": xraylib.K_SHELL, "L": xraylib.L3_SHELL, "M": xraylib.M5_SHELL}[name[0]]
    try:
        edge = xraylib.EdgeEnergy(atomic_number(element), subshell)
    except ValueError:  # xraylib does not know it; it lies just above the line
        edge = line_energy(alpha)
    return edge < beam_energy


def without_lines(elements, lowest, highest, beam_energy=None):
    """Elements that have no alpha line there, as of `alpha_lines`, tuple of str.

    Raises
    ------
    ValueError
        For what is not the symbol of an element.
    """
    return tuple(
        element
        for element in dict.fromkeys(elements)
        if not alpha_lines([element], lowest, highest, beam_energy)
    )


def choose_lines(elements, lowest, highest, preferred=(), beam_energy=None):
    """Line to quantify each element with.

    K-alpha up to 15 keV, then L-alpha, then M-alpha, as far as the energy axis and the beam go,
    and lines that theory knows before others; among the lines in `preferred` if the element has one
    there.

    Parameters
    ----------
    elements : list of str
        Element symbols.
    lowest, highest : float
        Ends of the energy axis in keV.
    preferred : sequence of collections of str
        Lines to take instead, the most preferred collection first.
    beam_energy : float, optional
        In keV.

    Returns
    -------
    list of str
    """
    chosen = []
    for element in elements:
        found = alpha_lines([element], lowest, highest, beam_energy)
        if not found:
            raise ValueError(
                f"No X-ray line of {element} lies on the energy axis ({lowest:.3g} to "
                f"{highest:.3g} keV): {lines_of(element)}. Leave {element} out of the elements, "
                "or load the spectrum without cropping its energy axis."
            )
        for lines in preferred:
            if any(line in lines for line in found):
                found = [line for line in found if line in lines]
                break
        else:
            found = [line for line in found if has_theory(line, beam_energy)] or found
        suitable = [x for x in found if not (x.endswith("Ka") and line_energy(x) > HIGHEST_K_LINE)]
        chosen.append((suitable or found)[0])
    return chosen


def has_theory(alpha, beam_energy):
    """Whether a theoretical k-factor of an alpha line can be had, at any beam energy if None."""
    try:
        alpha_emission(alpha, USUAL_BEAM_ENERGY if beam_energy is None else beam_energy)
    except ValueError:
        return False
    return True
