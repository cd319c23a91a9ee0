"""Elements that unexplained peaks may be of: only those that all of their lines speak for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.composition.unexplained import UnexplainedPeak
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.emission import Family, alpha_emission

#: Standard deviations from which a second line speaks for an element, and a missing one against it.
SECOND, MISSING = 5.0, 3.0
#: Factor that theory may be wrong by for the other shells of an element, and for other lines of
#: the same shell: absorption, the detector and fluorescence yields decide.
OTHER_SHELL, SAME_SHELL = 3.0, 1.5
#: Lines below this energy (keV) are absorbed too much for their absence to mean anything.
SOFT = 1.0
#: Chi-square, and share of it, by which an element must explain a peak better than another to rule
#: that one out. The share is that of a peak a few eV beside its line.
AS_GOOD, BESIDE = 9.0, 0.02
#: Standard deviations from which one line is strong enough to name any element by; below, only the
#: K line of a common one.
STRONG = 10.0
#: Share of the significance of a lone peak that the lines of an element must reach.
EXPLAINS = 0.75
#: Elements met often in specimens, films, grids and columns: where one of these explains a peak,
#: others than these are no alternative.
COMMON = frozenset((
    "C", "O", "N", "Si", "Cu", "Al", "Au", "Fe", "Ni", "Cr", "Co", "Ti", "Mo", "Ca", "Cl", "Na",
    "Mg", "K", "S", "P", "Zn", "Mn", "Pt", "Ag", "Ga", "W", "Pb", "Sn", "Zr",
))  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Evidence(Frozen):
    """What the lines of an element say: alpha line near the peak, its chi-square and that of all
    lines that are there, and their number.
    """

    alpha: str
    chi_square: float
    total: float
    n_lines: int


def name_peak(left_over, peak, candidates, beam_energy, beneath=False):
    """Alpha line that a peak is, or None where that cannot be said.

    An element is named if at least two of its lines are there, or if no other element explains the
    peak as well: by the K line of a common one, or by a strong line. Never if another line of it,
    that must be there, is not.

    Parameters
    ----------
    left_over : LeftOver
    peak : UnexplainedPeak
    candidates : dict of str: sequence of Family
        Families of each element that may be named.
    beam_energy : float
        In keV.
    beneath : bool
        Whether the peak lies beneath fitted lines. If not, no element is named by one line that
        does: its counts may be theirs.

    Returns
    -------
    str or None
    """
    found = {}
    for element, families in candidates.items():
        alpha = _alpha_near(families, peak.energy, left_over.design.scale)
        if alpha is None:
            continue
        evidence = _evidence(left_over, families, alpha, peak, beam_energy)
        if evidence is None:
            continue
        own = next(family for family in families if family.alpha == alpha)
        if beneath or evidence.n_lines > 1 or not left_over.is_taken(_strongest(own)):
            found[element] = evidence
    most = max((of.chi_square for of in found.values()), default=0.0)
    as_good = [e for e, of in found.items() if of.chi_square > (1 - BESIDE) * most - AS_GOOD]
    several = [found[element] for element in as_good if found[element].n_lines > 1]
    if several:
        return max(several, key=lambda of: of.total).alpha
    common = [element for element in as_good if element in COMMON]
    named = common or as_good
    if len(named) != 1:
        return None
    (of,) = (found[element] for element in named)
    # K lines stand alone; of an element that shows L or M lines, one alone is little.
    if common and of.alpha.endswith("Ka"):
        return of.alpha
    doubtful = not common and any(
        _has_line_near(candidates[e], peak.energy, left_over.design.scale)
        for e in COMMON & candidates.keys()
    )
    return of.alpha if of.chi_square > STRONG**2 and not doubtful else None


def find_hidden(left_over, candidates, beam_energy):
    """Alpha line of an element that lies beneath fitted lines, or None.

    There, no lone peak is looked for: what is left over may be the shape of those lines. Only a
    strong element is found, whose lines together describe what a multiple of theirs cannot; and
    none below 1 keV, where L lines are not as theory has them.
    """
    families = {
        family.alpha: _with_followers(of, family.alpha)
        for of in candidates.values()
        for family in of
        if family.alpha.endswith("a")
        and _strongest(family) > SOFT
        and left_over.is_taken(_strongest(family))
    }
    if not families:
        return None
    profiles = np.array(
        [left_over.design.profile(of.energies, of.weights) for of in families.values()]
    )
    positions = np.array([_strongest(family) for family in families.values()])
    area, std, _ = left_over.areas(profiles, positions)
    best = int(np.argmax(area / std))
    if not area[best] > STRONG * std[best]:
        return None
    peak = UnexplainedPeak(positions[best], area[best], area[best] / std[best], None)
    return name_peak(left_over, peak, candidates, beam_energy, beneath=True)


def _evidence(left_over, families, alpha, peak, beam_energy):
    """What all lines of an element say of a peak near its `alpha` line, or None if they do not."""
    own = _with_followers(families, alpha)
    rest = _beside_strongest(own, left_over.design.scale.resolution)
    # Lines, share of the strongest that they are expected at, and what that may be wrong by.
    groups = [(own.energies[~rest], own.weights[~rest], 1.0, 1.0)]
    if rest.any():
        groups.append((own.energies[rest], own.weights[rest], 1.0, SAME_SHELL))
    photons = _photons(alpha, beam_energy)
    for other in families:
        if other.alpha != alpha and _photons(other.alpha, beam_energy) > 0:
            known = photons > 0 and _strongest(other) > SOFT
            share = _photons(other.alpha, beam_energy) / photons if known else 0.0
            groups.append((other.energies, other.weights, share, OTHER_SHELL))
    design = left_over.design
    profiles = np.array([design.profile(energies, weights) for energies, weights, _, _ in groups])
    positions = np.array([energies[np.argmax(weights)] for energies, weights, _, _ in groups])
    areas, stds = left_over.areas_together(profiles, positions)
    whole, std, _ = left_over.areas(design.profile(own.energies, own.weights)[None], positions[:1])
    if not whole[0] / std[0] > EXPLAINS * peak.significance:
        return None
    expected = whole[0] * np.array([share / factor for _, _, share, factor in groups])
    missing = expected - np.maximum(areas, 0.0) > MISSING * stds
    if missing[1:].any():
        return None
    z = areas / stds
    there = z[1:] > SECOND
    chi_square = float((whole[0] / std[0]) ** 2)
    return _Evidence(
        alpha, chi_square, chi_square + float((z[1:][there] ** 2).sum()), 1 + int(there.sum())
    )


def _with_followers(families, alpha):
    """Family of an alpha line together with those that follow it."""
    own = [family for family in families if alpha in (family.alpha, family.follows)]
    energies, weights = (
        np.concatenate([getattr(f, x) for f in own]) for x in ("energies", "weights")
    )
    return Family(alpha, energies, weights)


def _beside_strongest(family, resolution):
    """Which lines of a family lie more than a width beside its strongest, array of bool."""
    strongest = _strongest(family)
    return np.abs(family.energies - strongest) > float(fwhm_at_energy(strongest, resolution))


def _strongest(family):
    return float(family.energies[np.argmax(family.weights)])


def _photons(alpha, beam_energy):
    """Photons of an alpha line, or 0 where theory has none."""
    if not alpha.endswith("a"):
        return 0.0
    try:
        return alpha_emission(alpha, beam_energy)[1]
    except ValueError:  # nothing is known of its shell
        return 0.0


def _has_line_near(families, position, scale):
    """Whether the strongest line of any of the families lies at a position."""
    near = 0.5 * float(fwhm_at_energy(position, scale.resolution))
    return any(abs(_strongest(family) - position) < near for family in families)


def _alpha_near(families, position, scale):
    """Alpha line of one of the families at a position, or None."""
    near = 0.5 * float(fwhm_at_energy(position, scale.resolution))
    for family in families:
        if family.alpha.endswith("a") and abs(_strongest(family) - position) < near:
            return family.alpha
    return None
