"""Silicon detectors: resolution, and efficiency with thickness, dead layer and window."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from hyperspy_clusterquant.xrays.attenuation import mass_attenuation

MN_K_ALPHA = 5.8987  # keV
#: Decay length of the low-energy tail of a peak, in full widths at half maximum.
TAIL_LENGTH = 1.5
SILICON_K_EDGE, SILICON_K_ALPHA = 1.8389, 1.7398  # keV
#: Layers in front of the sensitive silicon: (formula as mass fractions, density g/cm3, cm).
_SILICON = ({"Si": 1.0}, 2.33)
_POLYIMIDE = ({"C": 0.691, "H": 0.026, "N": 0.073, "O": 0.209}, 1.42)
_ALUMINIUM = ({"Al": 1.0}, 2.70)
_BERYLLIUM = ({"Be": 1.0}, 1.85)
SENSITIVE_THICKNESS = 0.045  # cm of silicon
#: How well that is known: detectors are made of 0.3 to 1 mm, those of microscopes mostly of 0.45.
THICKNESS_STD = 0.25
#: The detector if nothing is said.
DEFAULT = "windowless"
LAYERS = {
    "ideal": None,
    "windowless": (),
    "polymer": ((*_POLYIMIDE, 300e-7), (*_ALUMINIUM, 40e-7), (*_SILICON, 50e-7)),
    "Be": ((*_BERYLLIUM, 8e-4), (*_SILICON, 50e-7)),
}


def fwhm_at_energy(energy, resolution_mn_ka=130.0):
    """Full width at half maximum of a silicon detector's peaks.

    Parameters
    ----------
    energy : float or array
        Energy in keV.
    resolution_mn_ka : float
        Full width at half maximum at Mn K-alpha (5.8987 keV), in eV.

    Returns
    -------
    float or array
        Full width at half maximum in keV.

    References
    ----------
    C. E. Fiori and D. E. Newbury, Scanning Electron Microscopy I (1978) 401.

    Examples
    --------
    >>> round(float(fwhm_at_energy(5.8987, 130.0)), 3)
    0.13
    """
    variance = 2.5 * (np.asarray(energy, dtype=float) - MN_K_ALPHA) * 1000
    return np.sqrt(np.maximum(variance + resolution_mn_ka**2, 30.0**2)) / 1000


def escape_share(energy):
    r"""Counts in the silicon escape peak for one count in the parent peak.

    For X-rays that fall straight onto a thick detector,

    .. math::
        \eta = \frac{\omega}{2} \frac{r - 1}{r}
               \left[1 - \frac{\mu_K}{\mu_E} \ln\left(1 + \frac{\mu_E}{\mu_K}\right)\right],

    with the fluorescence yield, edge jump and attenuation coefficients of silicon.

    Parameters
    ----------
    energy : array
        Of the parents in keV.

    Returns
    -------
    array

    References
    ----------
    S. J. B. Reed and N. G. Ware, J. Phys. E 5 (1972) 582.
    """
    import xraylib

    energy = np.asarray(energy, dtype=float)
    share = np.zeros(len(energy))
    above = energy > SILICON_K_EDGE
    jump = xraylib.JumpFactor(14, xraylib.K_SHELL)
    fluorescence_yield = xraylib.FluorYield(14, xraylib.K_SHELL)
    ratio = mass_attenuation("Si", SILICON_K_ALPHA) / mass_attenuation("Si", energy[above])
    escaping = 0.5 * fluorescence_yield * (jump - 1) / jump
    escaping = escaping * (1 - ratio * np.log1p(1 / ratio))
    share[above] = escaping / (1 - escaping)
    return share


def detector_efficiency(detector):
    """Efficiency of a detector as a function of the energy.

    Parameters
    ----------
    detector : None, str, path, callable or array_like (n, 2)
        ``None`` or ``"windowless"``: 0.45 mm of silicon. ``"polymer"``, ``"Be"``: that behind a
        dead layer of 50 nm of silicon and a window, of 300 nm of polyimide and 40 nm of
        aluminium, or of 8 micrometres of beryllium. ``"ideal"``: 1 at all energies. Else a
        function of the energy in keV, or rows of energy (keV) and efficiency, or the path
        of a CSV file with the columns ``energy,efficiency``, interpolated between.

    Returns
    -------
    callable

    Raises
    ------
    ValueError, TypeError
        For anything else.

    Examples
    --------
    >>> efficiency = detector_efficiency("Be")
    >>> round(efficiency(1.0), 2), round(efficiency(8.0), 2)
    (0.4, 1.0)
    """
    if callable(detector):
        return detector
    if has_silicon(detector) or (isinstance(detector, str) and detector == "ideal"):
        layers = LAYERS[DEFAULT if detector is None else detector]
        return (
            (lambda energy: 1.0) if layers is None else lambda energy: _transmitted(layers, energy)
        )
    if isinstance(detector, Path) or (isinstance(detector, str) and "." in detector):
        return _interpolated(_read_curve(detector))
    if not isinstance(detector, str):
        return _interpolated(detector)
    raise ValueError(
        f"`detector` must be one of {', '.join(map(repr, LAYERS))}, a function of the energy in "
        "keV, rows of (energy, efficiency), or the path of a CSV file with the columns "
        f"energy,efficiency; got {detector!r}."
    )


def in_words(detector):
    """A detector as a text for users."""
    thickness = f"silicon detector of {10 * SENSITIVE_THICKNESS:g} mm"
    if detector is None:
        detector = DEFAULT
    named = {
        "ideal": "an ideal detector",
        "windowless": f"a windowless {thickness}",
        "polymer": f"a {thickness} behind a polymer window",
        "Be": f"a {thickness} behind a beryllium window",
    }
    if isinstance(detector, str) and detector in named:
        return named[detector]
    return f"the detector {detector}" if isinstance(detector, str | Path) else "the given detector"


def has_silicon(detector):
    """Whether a detector is one of those here whose silicon has a thickness."""
    return detector is None or (isinstance(detector, str) and LAYERS.get(detector) is not None)


def thickness_uncertainty(detector, energy):
    r"""Relative uncertainty of the efficiency at an energy (keV), from the silicon's thickness.

    :math:`\frac{\mu t}{e^{\mu t} - 1} \frac{\sigma_t}{t}`: nothing where all X-rays are absorbed,
    that of the thickness where hardly any are. Zero for detectors of the user.

    Examples
    --------
    >>> [round(thickness_uncertainty(None, energy), 3) for energy in (2.0, 8.0, 14.0)]
    [0.0, 0.002, 0.12]
    """
    if not has_silicon(detector):
        return 0.0
    depth = float(_optical_depth(*_SILICON, SENSITIVE_THICKNESS, energy))
    return THICKNESS_STD * depth / float(np.expm1(min(depth, 500.0)))


def _transmitted(layers, energy):
    absorbed = 1 - np.exp(-_optical_depth(*_SILICON, SENSITIVE_THICKNESS, energy))
    depth = sum(_optical_depth(*layer, energy) for layer in layers)
    return float(absorbed * np.exp(-depth))


def _optical_depth(composition, density, thickness, energy):
    attenuation = sum(w * mass_attenuation(e, energy) for e, w in composition.items())
    return attenuation * density * thickness


def _read_curve(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        if not reader.fieldnames or not {"energy", "efficiency"} <= set(reader.fieldnames):
            raise ValueError(
                f"{path} needs a first row with the columns energy,efficiency (keV, 0 to 1); it "
                f"has {reader.fieldnames}."
            )
        return [(row["energy"], row["efficiency"]) for row in reader]


def _interpolated(rows):
    try:
        energy, efficiency = np.asarray(rows, dtype=float).T
    except (TypeError, ValueError) as error:
        raise TypeError(
            "`detector` as a curve must be rows of two numbers, energy in keV and efficiency, "
            f"such as [(1.0, 0.6), (2.0, 0.9), (10.0, 1.0)]; got {type(rows).__name__}."
        ) from error
    if not (np.diff(energy) > 0).all() or not ((efficiency > 0) & (efficiency <= 1)).all():
        raise ValueError(
            "`detector` as a curve needs ascending energies in keV and efficiencies above 0 and "
            f"up to 1; got energies {energy[:3]} ... and efficiencies {efficiency[:3]} ..."
        )

    def interpolate(at):
        if not energy[0] <= at <= energy[-1]:
            raise ValueError(
                f"The detector's curve goes from {energy[0]:g} to {energy[-1]:g} keV, but a line "
                f"lies at {at:.3g} keV. Extend the curve."
            )
        return float(np.interp(at, energy, efficiency))

    return interpolate
