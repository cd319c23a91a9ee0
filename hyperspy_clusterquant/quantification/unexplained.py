"""Peaks that no declared element explains: found in the residual of a fit, and named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant.quantification.detectors import fwhm_at_energy
from hyperspy_clusterquant.quantification.emission import Family

#: Standard deviations above the model from which a peak counts as one. In a spectrum of some
#: hundred resolution widths, noise alone reaches it in one of ten thousand.
SIGNIFICANT = 5.0
#: Relative error of the shape of families by shell; what is weaker is not called a peak.
SHAPE_ERROR = {"K": 0.02, "L": 0.04, "M": 0.10}
#: Share of a peak that nothing fitted already may take over, at least.
LEAST_DISTINCT = 0.1
#: Elements met often in specimens, films, grids and columns: named before others that fit as well.
COMMON = (
    "C", "O", "N", "Si", "Cu", "Al", "Au", "Fe", "Ni", "Cr", "Co", "Ti", "Mo", "Ca", "Cl", "Na",
    "Mg", "K", "S", "P", "Zn", "Mn", "Pt", "Ag", "Ga", "W", "Pb", "Sn", "Zr",
)  # fmt: skip


@dataclass(frozen=True)
class UnexplainedPeak:
    """A peak of a spectrum that belongs to no declared element.

    Attributes
    ----------
    energy : float
        In keV.
    counts : float
        Its area.
    significance : float
        In standard deviations.
    line : str or None
        What it may be, such as ``"Au_Ma"``; None where no element fits.
    """

    energy: float
    counts: float
    significance: float
    line: str | None

    def __str__(self):
        guess = f": {self.line}?" if self.line else ""
        return f"{self.energy:.2f} keV{guess}"


def find_peak(fit, candidates, least_distinct=LEAST_DISTINCT):
    """Most significant peak in what a fit leaves over.

    Parameters
    ----------
    fit : PeakFit
    candidates : dict of str: list of Family
        Families of each element that may be named.
    least_distinct : float
        Share of the peak that what is fitted already could not take over, at least.

    Returns
    -------
    UnexplainedPeak or None
    """
    test = _ScoreTest(fit, least_distinct)
    scale = fit.design.scale
    energy = fit.design.true_energy
    step = fwhm_at_energy(energy, scale.resolution).min() / 4
    # Not at the ends, where half of a peak outside the fit looks like one inside.
    margin = 0.7 * fwhm_at_energy(energy[[0, -1]], scale.resolution)
    positions = np.arange(energy[0] + margin[0], energy[-1] - margin[1], step)
    if not len(positions):
        return None
    profiles = np.array([fit.design.profile(np.array([p]), [1.0]) for p in positions])
    z, area = test(profiles)
    best = int(np.argmax(z))
    if not z[best] > SIGNIFICANT:
        return None
    element, significance = _name(test, fit.design, candidates, positions[best], z[best])
    line = None if element is None else _alpha_near(candidates[element], positions[best], scale)
    return UnexplainedPeak(
        float(positions[best]), float(area[best]), float(max(z[best], significance)), line
    )


def families_of(peak, candidates):
    """Families to fit because of a peak: those of its element, or a single line."""
    if peak.line is not None:
        return list(candidates[peak.line.partition("_")[0]])
    return [single_line(peak)]


def single_line(peak):
    """A family of one line where a peak is."""
    return Family(f"{peak.energy:.2f} keV_line", np.array([peak.energy]), np.array([1.0]))


class _ScoreTest:
    """Rao's test of profiles that are not in the fit, with what the fit could take over."""

    def __init__(self, fit, least_distinct):
        self._least_distinct = least_distinct
        design = fit.design
        error = [SHAPE_ERROR.get(f.alpha.partition("_")[2][:1], 0.02) for f in design.families]
        shape_error = (np.array(error) * fit.areas) @ design.profiles
        self._weight = 1 / np.sqrt(fit.variance + shape_error**2)
        self._basis = np.linalg.qr(fit.columns * self._weight[:, None])[0]
        self._residual = self._outside(((fit.counts - fit.model) * self._weight)[:, None])

    def _outside(self, columns):
        return columns - self._basis @ (self._basis.T @ columns)

    def __call__(self, profiles):
        """Standard deviations above zero and area of each profile, arrays (n_profiles,)."""
        weighted = profiles.T * self._weight[:, None]
        outside = self._outside(weighted)
        information = (outside**2).sum(axis=0)
        distinct = information > self._least_distinct * np.maximum(
            (weighted**2).sum(axis=0), 1e-300
        )
        score = (self._residual.T @ outside)[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(distinct, score / np.sqrt(information), 0.0)
            area = np.where(distinct, score / information, 0.0)
        return z, area


def _alpha_near(families, position, scale):
    """Alpha line of one of the families at a position, or None."""
    near = 0.5 * float(fwhm_at_energy(position, scale.resolution))
    for family in families:
        strongest = family.energies[np.argmax(family.weights)]
        if abs(strongest - position) < near:
            return family.alpha
    return None


def _name(test, design, candidates, position, significance):
    """Element whose lines explain a peak best, and how well; None if a lone peak does better."""
    near = [e for e in candidates if _alpha_near(candidates[e], position, design.scale)]
    if not near:
        return None, 0.0
    families = [
        next(
            f
            for f in candidates[e]
            if f.alpha == _alpha_near(candidates[e], position, design.scale)
        )
        for e in near
    ]
    z, _ = test(np.array([design.profile(f.energies, f.weights) for f in families]))
    best = z.max()
    if best < 0.9 * significance:
        return None, 0.0
    rank = {element: n for n, element in enumerate(COMMON)}
    as_good = [e for e, value in zip(near, z, strict=True) if value > 0.95 * best]
    chosen = min(as_good, key=lambda e: (rank.get(e, len(rank)), -z[near.index(e)]))
    return chosen, float(z[near.index(chosen)])
