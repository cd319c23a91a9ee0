"""Spectra from xraylib with none of the package's code: the truth that fits are held against.

Subshells are ionised after Bethe, where the package uses Casnati; the lines are read from xraylib
by macros of their own; peaks are sampled, not integrated over channels.
"""

import numpy as np
import xraylib

BEAM_ENERGY = 200.0
#: Compositions in at% of Eggeman et al. (2025).
SIX_CATION = {
    "wurtzite": {
        "Ag": 2.78,
        "Cd": 7.70,
        "Cu": 1.03,
        "Fe": 5.56,
        "Mn": 17.3,
        "S": 60.2,
        "Zn": 5.45,
    },
    "chalcopyrite": {
        "Ag": 1.39, "Cd": 0.67, "Cu": 17.6, "Fe": 25.4, "Mn": 2.51, "S": 52.1, "Zn": 0.35,
    },
    "jalpaite": {
        "Ag": 39.0, "Cd": 15.8, "Cu": 5.06, "Fe": 0.71, "Mn": 0.81, "S": 38.5, "Zn": 0.11,
    },
    "remnant": {
        "Ag": 10.8, "Cd": 7.00, "Cu": 8.59, "Fe": 10.5, "Mn": 9.45, "S": 51.1, "Zn": 2.45,
    },
}  # fmt: skip
SEVEN_CATION = {
    "Ag": 19.19, "Co": 3.24, "Cu": 11.3, "Ga": 2.88, "In": 7.72, "Mn": 0.90, "S": 51.92,
    "Zn": 2.84,
}  # fmt: skip

_ELECTRONS = {"K": (2,), "L": (2, 2, 4), "M": (2, 2, 4, 4, 6)}
_ALPHA = {"K": ("KL2", "KL3"), "L": ("L3M4", "L3M5"), "M": ("M5N6", "M5N7")}


def lines(element, shell, beam_energy=BEAM_ENERGY):
    """Energy (keV) and relative photons of the lines of a shell, by transition."""
    z = xraylib.SymbolToAtomicNumber(element)
    names = [shell] if shell == "K" else [f"{shell}{n + 1}" for n in range(len(_ELECTRONS[shell]))]
    vacancies = []
    for n, (name, electrons) in enumerate(zip(names, _ELECTRONS[shell], strict=True)):
        try:
            edge = xraylib.EdgeEnergy(z, getattr(xraylib, f"{name}_SHELL"))
        except ValueError:
            vacancies.append(0.0)
            continue
        total = electrons * _bethe(edge, beam_energy)
        for i in range(n):
            try:
                macro = getattr(xraylib, f"F{shell}{i + 1}{n + 1}_TRANS")
                total += vacancies[i] * xraylib.CosKronTransProb(z, macro)
            except ValueError:
                continue
        vacancies.append(total)
    found = {}
    for macro in dir(xraylib):
        name = macro.removesuffix("_LINE")
        subshell = name[: 1 if shell == "K" else 2]
        outer = name[len(subshell) :]
        if name == macro or subshell not in names or not outer[1:].isdigit():
            continue
        if outer[0] not in "LMNOP" or outer[0] == shell:
            continue
        line = getattr(xraylib, macro)
        try:
            rate, energy = xraylib.RadRate(z, line), xraylib.LineEnergy(z, line)
            fluorescence = xraylib.FluorYield(z, getattr(xraylib, f"{subshell}_SHELL"))
        except ValueError:
            continue
        if subshell != "M2":  # xraylib's yield of M2 is wrong tenfold for Pt, Au and Hg
            found[name] = (energy, vacancies[names.index(subshell)] * fluorescence * rate)
    return found


def _bethe(edge, beam_energy):
    """Cross section per electron after Bethe with relativistic kinematics, arbitrary units."""
    rest = 510.99895
    beta2 = 1 - (rest / (rest + beam_energy)) ** 2
    energy = rest * beta2 / 2
    return (np.log(0.6 * energy / edge / (1 - beta2)) - beta2) / (energy * edge)


def alpha_share(element, shell, beam_energy=BEAM_ENERGY):
    """Photons of the alpha line in units of `lines`."""
    photons = lines(element, shell, beam_energy)
    return sum(photons[name][1] for name in _ALPHA[shell])


def quantified_line(element):
    """Alpha line that an element is quantified with."""
    return f"{element}_{'La' if element in ('Ag', 'Cd', 'In', 'Mo') else 'Ka'}"


def family(energy, element, shell, resolution):
    """Spectrum of a shell with one count in its alpha line."""
    step = energy[1] - energy[0]
    spectrum = np.zeros(len(energy))
    for centre, photons in lines(element, shell).values():
        full_width = np.sqrt(resolution**2 + 2500 * (centre - 5.8987)) / 1000
        sigma = full_width / np.sqrt(8 * np.log(2))
        spectrum += photons * np.exp(-0.5 * ((energy - centre) / sigma) ** 2) / sigma
    return spectrum * step / np.sqrt(2 * np.pi) / alpha_share(element, shell)


def spectrum(
    energy, atomic_percent, kfactors, *, offset=0.0, gain=0.0, resolution=130.0,
    extra=None, background=0.15, transmission=None,
):  # fmt: skip
    """Expected counts of a composition, one count per unit of total.

    Parameters
    ----------
    energy : array
        Nominal energies in keV.
    atomic_percent : dict
        Composition.
    kfactors : dict
        By weight, of the quantified alpha lines.
    offset, gain, resolution : float
        keV, relative, and eV at Mn Ka.
    extra : dict
        Share of the counts of other elements, all of whose families are there.
    background : float
        Share of bremsstrahlung.
    transmission : callable, optional
        Share of the X-rays of an energy in keV that leave the specimen.

    Returns
    -------
    array
    """
    true = energy * (1 + gain) + offset
    total = np.zeros(len(energy))
    for element, percent in atomic_percent.items():
        mass = xraylib.AtomicWeight(xraylib.SymbolToAtomicNumber(element))
        alpha = quantified_line(element)
        total += percent * mass / kfactors[alpha] * family(true, element, alpha[-2], resolution)
        if alpha.endswith("Ka") and element not in ("S",):  # the L lines of a metal, half as strong
            total += 0.5 * percent * mass / kfactors[alpha] * family(true, element, "L", resolution)
    if transmission is not None:
        total = total * np.array([transmission(e) for e in np.maximum(true, 0.3)])
    total /= total.sum()
    for element, share in (extra or {}).items():
        shells = {"C": "K", "O": "K", "Si": "K"}.get(element, "LM" if element == "Au" else "KL")
        part = sum(family(true, element, shell, resolution) for shell in shells)
        total = total + share * part / part.sum()
    kramers = np.where(true > 0.1, (BEAM_ENERGY - true) / np.maximum(true, 0.1), 0.0)
    kramers = kramers * np.exp(-((0.6 / np.maximum(true, 0.1)) ** 2))
    total = total + background * kramers / kramers.sum()
    return total / total.sum()
