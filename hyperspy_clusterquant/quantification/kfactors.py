"""Cliff-Lorimer k-factors: from theory, from a file, and their uncertainties."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

RYDBERG = 13.605693e-3  # keV
ELECTRON_REST_ENERGY = 510.99895  # keV

#: Relative standard uncertainty of a theoretical k-factor, by shell. The ratio
#: of two lines adds theirs in quadrature: metal K / metal K 4 %, metal K / S K
#: 10.5 %, L / metal K 17 %.
THEORY_UNCERTAINTY = {"K": 0.03, "light K": 0.10, "L": 0.17, "M": 0.20}
_FIRST_METAL_K = 21  # scandium; below, fluorescence yields are known less well

_SUBSHELLS = {"K": (("K", 2),), "L": (("L1", 2), ("L2", 2), ("L3", 4)), "M": (("M5", 6),)}


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


def theoretical_kfactors(lines, beam_energy=200.0, reference="S_Ka", detector=None):
    r"""Cliff-Lorimer k-factors of alpha lines from theory, by weight.

    .. math::
        k_{A} = \frac{[A / (Q\,\omega\,a\,\varepsilon)]_A}{[A / (Q\,\omega\,a\,\varepsilon)]_{ref}}

    with the atomic mass A, the ionisation cross section Q (with Coster-Kronig
    transfer to the L3 subshell), the fluorescence yield omega, the alpha
    lines' share a of the radiative rate, and the detector's efficiency.

    Parameters
    ----------
    lines : list of str
        Alpha lines such as ``["Fe_Ka", "Ag_La", "Au_Ma"]``.
    beam_energy : float
        Beam energy in keV.
    reference : str
        Line whose k-factor is 1.
    detector : callable, optional
        Efficiency as a function of the energy in keV. Default: an ideal detector.

    Returns
    -------
    dict of str: float
        k-factor of each line: (C_A / C_ref) = k_A I_A / (k_ref I_ref) with C by weight.

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
    efficiency = (lambda energy: 1.0) if detector is None else detector
    if not callable(efficiency):
        raise TypeError(
            "`detector` must be a function that returns the detector's efficiency for an energy in "
            f"keV, or None for an ideal detector; got {detector!r}."
        )
    unit = _counts_per_mass(reference, beam_energy, efficiency)
    return {line: unit / _counts_per_mass(line, beam_energy, efficiency) for line in lines}


def _counts_per_mass(line, beam_energy, efficiency):
    """Counts of an alpha line per mass of its element, in arbitrary common units."""
    import xraylib

    element, name = split_line(line)
    if name not in ("Ka", "La", "Ma"):
        raise ValueError(
            f"Theoretical k-factors are for alpha lines (Ka, La, Ma), not {line!r}. Quantify "
            f"{element} with its {element}_{name[0]}a line, or give the k-factor."
        )
    shell = name[0]
    try:
        z = xraylib.SymbolToAtomicNumber(element)
        edges = {
            subshell: xraylib.EdgeEnergy(z, getattr(xraylib, f"{subshell}_SHELL"))
            for subshell, _ in _SUBSHELLS[shell]
        }
        lowest = _SUBSHELLS[shell][-1][0]
        if max(edges.values()) >= beam_energy:
            raise ValueError(f"the edge lies at {max(edges.values()):.4g} keV")
        q = [
            ionisation_cross_section(beam_energy, edges[subshell], n)
            for subshell, n in _SUBSHELLS[shell]
        ]
        if shell == "L":
            f12, f13, f23 = (_coster_kronig(xraylib, z, t) for t in ("FL12", "FL13", "FL23"))
            ionised = q[2] + f23 * q[1] + (f13 + f12 * f23) * q[0]
        else:
            ionised = q[0]
        rate_of = {"K": ("KA_LINE",), "L": ("LA_LINE",), "M": ("MA1_LINE", "MA2_LINE")}[shell]
        rates = [xraylib.RadRate(z, getattr(xraylib, r)) for r in rate_of]
        energies = [xraylib.LineEnergy(z, getattr(xraylib, r)) for r in rate_of]
        fluorescence_yield = xraylib.FluorYield(z, getattr(xraylib, f"{lowest}_SHELL"))
        mass = xraylib.AtomicWeight(z)
    except ValueError as error:
        raise ValueError(
            f"There is no theoretical k-factor for {line} at {beam_energy:.4g} keV: {error}. "
            f"Choose another line of {element} or give its k-factor in `kfactors`."
        ) from error
    return ionised * fluorescence_yield * sum(rates) * efficiency(float(np.mean(energies))) / mass


def _coster_kronig(xraylib, z, transition):
    try:
        return xraylib.CosKronTransProb(z, getattr(xraylib, f"{transition}_TRANS"))
    except ValueError:  # xraylib has no value where the transition is closed
        return 0.0


def theory_uncertainty(line):
    """Relative standard uncertainty of a theoretical k-factor, see `THEORY_UNCERTAINTY`."""
    import xraylib

    element, name = split_line(line)
    if name[0] == "K" and xraylib.SymbolToAtomicNumber(element) < _FIRST_METAL_K:
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
    kfactors : dict of str: float
    uncertainties : dict of str: float
        Relative, of the lines that have one in the file.
    """
    if isinstance(kfactors, Mapping):
        return _checked(kfactors), {}
    if not isinstance(kfactors, str | Path):
        raise TypeError(
            "`kfactors` must be a dictionary such as {'Fe_Ka': 1.45, 'Pt_La': 5.08}, the path of a "
            f"CSV file with the columns line,k, or None; got {type(kfactors).__name__}."
        )
    with open(kfactors, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        if not reader.fieldnames or not {"line", "k"} <= set(reader.fieldnames):
            raise ValueError(
                f"{kfactors} needs a first row with the columns line,k[,relative_uncertainty]; "
                f"it has {reader.fieldnames}."
            )
        rows = list(reader)
    values = _checked({row["line"]: row["k"] for row in rows})
    uncertainties = {
        row["line"]: float(row["relative_uncertainty"])
        for row in rows
        if row.get("relative_uncertainty")
    }
    return values, uncertainties


def _checked(kfactors):
    values = {}
    for line, k in kfactors.items():
        split_line(line)
        try:
            values[line] = float(k)
        except (TypeError, ValueError):
            values[line] = np.nan
        if not values[line] > 0 or not np.isfinite(values[line]):
            raise ValueError(f"The k-factor of {line} must be a positive number, not {k!r}.")
    return values
