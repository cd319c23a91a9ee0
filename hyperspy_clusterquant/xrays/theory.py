"""k-factors of alpha lines from theory: alone, beside given ones, and out of other conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import as_number, as_positive, check_choice
from hyperspy_clusterquant.xrays.detectors import detector_efficiency, thickness_uncertainty
from hyperspy_clusterquant.xrays.emission import (
    alpha_emission,
    atomic_number,
    atomic_weight,
    line_families,
    split_line,
)
from hyperspy_clusterquant.xrays.kfactors import KFactors, read_kfactors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from typing import Literal

    from hyperspy_clusterquant._types import Detector

#: Relative standard uncertainty of a theoretical k-factor, by shell. The ratio
#: of two lines adds theirs in quadrature: metal K / metal K 4 %, metal K / S K
#: 10.5 %, L / metal K 17 %. Soft X-rays hang on the window, ice and dead layer of the detector.
THEORY_UNCERTAINTY = {"K": 0.03, "light K": 0.10, "L": 0.17, "M": 0.20, "soft": 0.40}
SOFT = 1.0  # keV
#: Below it, a window absorbs so much that its exact thickness would decide.
LEAST_EFFICIENCY = 0.02
_FIRST_METAL_K = 21  # scandium; below, fluorescence yields are known less well


def theoretical_kfactors(
    lines: Sequence[str],
    beam_energy: float = 200.0,
    reference: str = "S_Ka",
    detector: Detector = None,
) -> KFactors:
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
        ``None`` or ``"windowless"``, a silicon drift detector of 0.45 mm; ``"polymer"`` or ``"Be"``
        (that behind a window); ``"ideal"`` (all X-rays are detected); or an efficiency of your own:
        a function of the energy in keV, rows of (energy, efficiency), or the path of a CSV file
        with the columns ``energy,efficiency``.

    Returns
    -------
    KFactors
        A dictionary of the k-factor of each line: (C_A / C_ref) = k_A I_A / (k_ref I_ref) with C
        by weight. Its ``relative_uncertainty`` holds what theory is good for: 3 % for the K line
        of a metal, 10 % for that of a light element, 17 % for an L and 20 % for an M line, and 40 %
        below 1 keV, where the detector's window decides; more above some 10 keV, where the
        thickness of the detector does.

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
    beam_energy = as_positive("beam_energy", beam_energy)
    efficiency = detector_efficiency(detector)
    unit = counts_per_mass(reference, beam_energy, efficiency)
    values = {line: unit / counts_per_mass(line, beam_energy, efficiency) for line in lines}
    return KFactors(
        values,
        {line: theory_uncertainty(line, beam_energy, detector) for line in values},
        dict.fromkeys(values, "theory"),
    )


def counts_per_mass(line, beam_energy, efficiency):
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
    detected = as_number(efficiency(energy))
    if not LEAST_EFFICIENCY < detected <= 1:
        raise ValueError(
            f"The detector's efficiency for {line} at {energy:.3g} keV is {detected:.2g}; a "
            f"k-factor needs one above {LEAST_EFFICIENCY:g} and up to 1. Choose another line of "
            f"{element}, leave it out, or check `detector`."
        )
    return photons * detected / atomic_weight(element)


def theory_uncertainty(line, beam_energy=200.0, detector=None):
    """Relative standard uncertainty of a theoretical k-factor, see `THEORY_UNCERTAINTY`.

    With that of the detector's thickness.
    """
    element, name = split_line(line)
    energy = alpha_emission(line, beam_energy)[0]
    if energy < SOFT:
        return THEORY_UNCERTAINTY["soft"]
    light = name[0] == "K" and atomic_number(element) < _FIRST_METAL_K
    of_theory = THEORY_UNCERTAINTY["light K" if light else name[0]]
    return float(np.hypot(of_theory, thickness_uncertainty(detector, energy)))


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
    return KFactors({line: values[line] for line in lines}, relative, sources)


def convert_kfactors(
    kfactors: Mapping[str, float] | str | PathLike[str],
    lines: Literal["alpha", "family"] = "alpha",
    units: Literal["weight", "atomic"] = "weight",
    beam_energy: float = 200.0,
) -> KFactors:
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
            counts_per_mass(line, as_positive("beam_energy", beam_energy), lambda energy: 1.0)
            factors[line] *= sum(
                f.weights.sum()
                for f in line_families(line, beam_energy)
                if line in (f.alpha, f.follows)
            )
        if units == "atomic":
            factors[line] *= atomic_weight(split_line(line)[0])
    unit = next(iter(factors.values()), 1.0)
    values = {line: k * factors[line] / unit for line, k in given.items()}
    return KFactors(values, given.relative_uncertainty, given.sources)


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
        Ratio to theory, both scaled to the same median; of lines that theory knows.
    """
    efficiency, ratios = detector_efficiency(None), {}
    for line in found:
        try:
            ratios[line] = found[line] * counts_per_mass(line, beam_energy, efficiency)
        except ValueError:  # measured because there is no theory
            continue
    middle = float(np.median(list(ratios.values()))) if ratios else 1.0
    ratios = {line: ratio / middle for line, ratio in ratios.items()}
    return {line: ratio for line, ratio in ratios.items() if not 0.5 <= ratio <= 2}
