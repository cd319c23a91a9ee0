"""X-ray emission of atoms under the beam: which lines, where, and how strong, from xraylib."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hyperspy_clusterquant._frozen import Frozen, FrozenDict

RYDBERG = 13.605693e-3  # keV
ELECTRON_REST_ENERGY = 510.99895  # keV
#: Electrons in each subshell.
SUBSHELLS = {
    "K": {"K": 2},
    "L": {"L1": 2, "L2": 2, "L3": 4},
    "M": {"M1": 2, "M2": 2, "M3": 4, "M4": 4, "M5": 6},
}
#: Transitions that make up the alpha line of each shell.
ALPHA = {"K": ("KL1", "KL2", "KL3"), "L": ("L3M4", "L3M5"), "M": ("M5N6", "M5N7")}
_OUTER = [f"{shell}{n}" for shell, last in zip("LMNOP", (3, 5, 7, 7, 5), strict=True)
          for n in range(1, last + 1)] + ["N67", "O45", "P23", "P45"]  # fmt: skip
_LINE_NAME = re.compile("[KLM]([abglnzsuv][0-9]*|[1-5][NO][1-7])")
#: Lines weaker than this share of the alpha line are left out.
WEAKEST = 1e-4


@dataclass(frozen=True, eq=False)
class Family(Frozen):
    """Lines of one shell of an element, whose heights are tied to each other.

    Attributes
    ----------
    alpha : str
        Name of the line that the areas are counted in, such as ``"Ag_La"``.
    energies : array (n_lines,)
        In keV.
    weights : array (n_lines,)
        Photons of each line for one of that line (of the alpha doublet together); for one of
        `follows` if there is one.
    follows : str or None
        Family of the same element which this one is about as strong as theory says beside.
    """

    alpha: str
    energies: np.ndarray
    weights: np.ndarray
    follows: str | None = None

    @property
    def element(self):
        """Symbol of the element."""
        return self.alpha.partition("_")[0]


def split_line(line):
    """Element and line of an X-ray line's name.

    Examples
    --------
    >>> split_line("Fe_Ka")
    ('Fe', 'Ka')
    """
    element, separator, name = str(line).partition("_")
    if not separator or not name:
        raise ValueError(
            f"{line!r} is not the name of an X-ray line. Write the element, an underscore and "
            "the line, for example 'Fe_Ka' or 'Ag_La'."
        )
    return element, name


def check_line(line):
    """Raise unless a text is the name of an X-ray line of an element.

    Returns
    -------
    element, name : str
    """
    element, name = split_line(line)
    atomic_number(element)
    if not _LINE_NAME.fullmatch(name):
        raise ValueError(
            f"{line!r} is not the name of an X-ray line: {name!r} is no line. Those of {element} "
            f"that k-factors are for are {element}_Ka, {element}_La and {element}_Ma."
        )
    return element, name


def ionisation_cross_section(beam_energy, edge_energy, n_electrons):
    r"""Cross section of inner-shell ionisation by electron impact after Casnati et al.

    Parameters
    ----------
    beam_energy : float
        Kinetic energy of the electrons in keV.
    edge_energy : float
        Ionisation energy of the subshell in keV.
    n_electrons : int
        Electrons in the subshell.

    Returns
    -------
    float
        Cross section in units of the Bohr radius squared.

    References
    ----------
    E. Casnati, A. Tartari and C. Baraldi, J. Phys. B 15 (1982) 155.

    Examples
    --------
    >>> round(ionisation_cross_section(200.0, 7.112, 2) * 2.8003e7, 0)  # Fe K in barn
    340.0
    """
    u = beam_energy / edge_energy
    j = ELECTRON_REST_ENERGY / edge_energy
    exponent = -0.0318 + 0.3160 / u - 0.1135 / u**2
    shape = 10.57 * np.exp(-1.736 / u + 0.317 / u**2)
    rest = (1 + j) ** 2
    relativistic = (1 + 2 * j) / (u + 2 * j) * (u + j) ** 2 / rest
    momentum = (u + 2 * j) * rest
    relativistic *= ((1 + u) * momentum / (j**2 * (1 + 2 * j) + u * momentum)) ** 1.5
    return float(
        n_electrons
        * (edge_energy / RYDBERG) ** exponent
        * shape
        * (RYDBERG / edge_energy) ** 2
        * relativistic
        * np.log(u)
        / u
    )


@lru_cache(maxsize=1024)
def shell_emission(element, shell, beam_energy):
    r"""Photons of each line of a shell per atom and unit of electron dose.

    Each subshell is ionised by the beam and by Coster-Kronig transfer from the subshells
    within the shell below it,

    .. math:: N_j = Q_j + \sum_{i<j} f_{ij} N_i,

    and emits :math:`N_j \omega_j r` photons of a line with the radiative rate r.

    Parameters
    ----------
    element : str
        Symbol.
    shell : {"K", "L", "M"}
    beam_energy : float
        In keV.

    Returns
    -------
    dict of str: tuple of float
        Energy in keV and photons, in units of the Bohr radius squared, by transition.

    Raises
    ------
    ValueError
        If the beam cannot excite the shell's alpha line or xraylib has no data.
    """
    import xraylib

    z = atomic_number(element)
    lowest = list(SUBSHELLS[shell])[-1]
    edge = xraylib.EdgeEnergy(z, _number(lowest))
    if edge >= beam_energy:
        raise ValueError(f"the edge lies at {edge:.4g} keV")
    vacancies, photons = {}, {}
    for subshell, n_electrons in SUBSHELLS[shell].items():
        number = _number(subshell)
        edge = _or_zero(xraylib.EdgeEnergy, z, number)
        n = 0.0
        if 0 < edge < beam_energy:
            n = ionisation_cross_section(beam_energy, edge, n_electrons)
        for higher, n_higher in vacancies.items():
            transition = getattr(xraylib, f"F{shell}{higher[1]}{subshell[1]}_TRANS")
            n += n_higher * _or_zero(xraylib.CosKronTransProb, z, transition)
        vacancies[subshell] = n
        fluorescence_yield = _or_zero(xraylib.FluorYield, z, number)
        for outer in _OUTER:
            line = getattr(xraylib, f"{subshell}{outer}_LINE", None)
            if line is None or outer[0] == shell:
                continue
            rate = _or_zero(xraylib.RadRate, z, line)
            if rate > 0 and n > 0:
                energy = _or_zero(xraylib.LineEnergy, z, line)
                if energy == 0:  # of outer shells, whose electrons are bound by a few eV
                    outer_edge = _or_zero(xraylib.EdgeEnergy, z, _number(outer[:2]))
                    energy = edge - outer_edge
                photons[f"{subshell}{outer}"] = (energy, n * fluorescence_yield * rate)
    if not sum(photons.get(t, (0, 0.0))[1] for t in ALPHA[shell]) > 0:
        raise ValueError(f"xraylib has no data for the {shell} alpha line of {element}")
    return FrozenDict(photons)


def alpha_emission(line, beam_energy):
    """Centroid in keV and photons per atom of an alpha line, see `shell_emission`."""
    element, name = split_line(line)
    photons = shell_emission(element, name[0], float(beam_energy))
    alpha = np.array([photons[t] for t in ALPHA[name[0]] if t in photons])
    return float(np.average(alpha[:, 0], weights=alpha[:, 1])), float(alpha[:, 1].sum())


@lru_cache(maxsize=1024)
def line_families(alpha, beam_energy):
    """Families of the shell of an alpha line, the one with the alpha line first.

    K and L shells are one family each. The M shell is several, because theory does not know
    its ratios well enough: the lines of M5, those of M4 (M-beta), which follow them, the
    transitions of both to N2 and N3 (M-zeta), and the lines of each other subshell.

    Parameters
    ----------
    alpha : str
        Alpha line such as ``"Ag_La"``.
    beam_energy : float
        In keV.

    Returns
    -------
    tuple of Family

    Raises
    ------
    ValueError
        Where there are no data, see `shell_emission`.

    Examples
    --------
    >>> (family,) = line_families("Fe_Ka", 200.0)
    >>> round(float(family.weights.sum()), 2)  # the beta lines add 13 %
    1.13
    >>> [family.alpha for family in line_families("Au_Ma", 200.0)]
    ['Au_Ma', 'Au_Mz', 'Au_Mb', 'Au_M3', 'Au_M2']
    """
    element, name = split_line(alpha)
    photons = shell_emission(element, name[0], float(beam_energy))
    unit = alpha_emission(alpha, beam_energy)[1]
    groups = {alpha: []}
    for transition, (energy, strength) in photons.items():
        group = f"{element}_{_m_group(transition)}" if name[0] == "M" else alpha
        if strength / unit > WEAKEST and energy > 0.05:
            groups.setdefault(group, []).append((energy, strength))
    families = []
    for group, lines in groups.items():
        energies, strengths = np.array(lines).T
        follows = alpha if group.endswith("_Mb") else None
        weights = strengths / (unit if follows or group == alpha else strengths.max())
        families.append(Family(group, energies, weights, follows))
    return (families[0], *sorted(families[1:], key=lambda f: f.alpha, reverse=True))


def _m_group(transition):
    subshell, outer = transition[:2], transition[2:]
    if subshell not in ("M4", "M5"):
        return "M3" if subshell == "M1" else subshell  # M1 is too weak to be told alone
    if outer in ("N2", "N3"):
        return "Mz"
    return "Ma" if subshell == "M5" else "Mb"


def atomic_number(element):
    """Atomic number of an element's symbol.

    Raises
    ------
    ValueError
        If there is no such element.
    """
    import xraylib

    try:
        return xraylib.SymbolToAtomicNumber(element)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{element!r} is not the symbol of a chemical element.") from error


def atomic_weight(element):
    """Atomic weight in g/mol."""
    import xraylib

    return xraylib.AtomicWeight(atomic_number(element))


def parse_formula(formula):
    """Atoms of each element in a chemical formula.

    Parameters
    ----------
    formula : str
        Such as ``"Ag3CuS2"`` or ``"Cu(Fe0.5Mn0.5)S2"``.

    Returns
    -------
    dict of str: float

    Examples
    --------
    >>> parse_formula("Ag3CuS2")
    {'S': 2.0, 'Cu': 1.0, 'Ag': 3.0}
    """
    import xraylib

    try:
        parsed = xraylib.CompoundParser(formula)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{formula!r} is not a chemical formula. Write it like 'Ag3CuS2' or 'Cu(FeMn)0.5S'."
        ) from error
    symbols = [xraylib.AtomicNumberToSymbol(z) for z in parsed["Elements"]]
    return dict(zip(symbols, map(float, parsed["nAtoms"]), strict=True))


def _number(subshell):
    import xraylib

    return getattr(xraylib, f"{subshell}_SHELL")


def _or_zero(function, *args):
    try:
        return function(*args)
    except ValueError:  # xraylib has no value where a transition is closed or a shell empty
        return 0.0
