"""Peaks that no declared element explains: found in the residual of a fit, and named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.emission import Family

#: Standard deviations above the model from which a peak counts as one. In a spectrum of some
#: hundred resolution widths, noise alone reaches it in one of ten thousand.
SIGNIFICANT = 5.0
#: Relative error of the lines of a shell, of their ratios and their shape. A peak must exceed
#: that of the lines within `NEAR` widths as it must exceed the noise.
SHAPE_ERROR = {"K": 0.03, "L": 0.03, "M": 0.05}
NEAR = 1.3
#: Share of a peak that nothing fitted already may take over, at least.
LEAST_DISTINCT = 0.1
#: Shift of lines in keV that is reckoned with before the calibration, and what it makes of the
#: error: a peak must be half as large again as the lines within reach.
LARGEST_SHIFT = 0.08
SHIFT_ERROR = 0.3
#: Elements met often in specimens, films, grids and columns: named before others that fit no
#: more than a little better.
COMMON = (
    "C", "O", "N", "Si", "Cu", "Al", "Au", "Fe", "Ni", "Cr", "Co", "Ti", "Mo", "Ca", "Cl", "Na",
    "Mg", "K", "S", "P", "Zn", "Mn", "Pt", "Ag", "Ga", "W", "Pb", "Sn", "Zr",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class UnexplainedPeak(Frozen):
    """A peak of a spectrum that belongs to no declared element.

    Attributes
    ----------
    energy : float
        In keV.
    counts : float
        Its area, in all spectra together.
    significance : float
        In standard deviations, in the spectrum where it is clearest.
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


def find_peak(fit, candidates, calibrated=True):
    """Most significant `UnexplainedPeak` in what a `PeakFit` leaves over, or None.

    Parameters
    ----------
    fit : PeakFit
    candidates : dict of str: list of Family
        Families of each element that may be named.
    calibrated : bool
        Whether the scale is right. If not, lines that lie beside their peaks leave over what
        looks like peaks, so only peaks are looked for that are larger than that.
    """
    test = _ScoreTest(fit, calibrated)
    scale = fit.design.scale
    energy = fit.design.true_energy
    step = fwhm_at_energy(energy, scale.resolution).min() / 4
    # Not at the ends, where half of a peak outside the fit looks like one inside.
    margin = 0.7 * fwhm_at_energy(energy[[0, -1]], scale.resolution)
    positions = np.arange(energy[0] + margin[0], energy[-1] - margin[1], step)
    if not len(positions):
        return None
    profiles = np.array([fit.design.profile(np.array([p]), [1.0]) for p in positions])
    z, beyond_noise, area = test(profiles, positions)
    best = int(np.argmax(z))
    if not z[best] > SIGNIFICANT:
        return None
    # The error of a strong line beside it pushes the maximum away from that line; noise alone
    # tells where the peak is.
    near = np.abs(positions - positions[best]) < fwhm_at_energy(positions[best], scale.resolution)
    best = int(np.argmax(np.where(near, beyond_noise, -np.inf)))
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

    def __init__(self, fit, calibrated):
        self._weight = 1 / np.sqrt(fit.variance)
        self._basis = np.linalg.qr(fit.columns * self._weight[:, None])[0]
        self._residual = self._outside(((fit.counts - fit.model) * self._weight)[:, None])
        self._design = fit.design
        self._shift = 0.0 if calibrated else LARGEST_SHIFT
        error = [
            SHAPE_ERROR.get(f.alpha.partition("_")[2][:1], 0.0) if calibrated else SHIFT_ERROR
            for f in fit.design.families
        ]
        self._shape_error = (np.array(error) * fit.areas) @ fit.design.profiles

    def _outside(self, columns):
        return columns - self._basis @ (self._basis.T @ columns)

    def __call__(self, profiles, positions):
        """Standard deviations above zero, the same for noise alone, and area of each profile.

        Of a family of lines, `positions` are those of the strongest.
        """
        weighted = profiles.T * self._weight[:, None]
        outside = self._outside(weighted)
        information = (outside**2).sum(axis=0)
        distinct = information > LEAST_DISTINCT * np.maximum((weighted**2).sum(axis=0), 1e-300)
        score = (self._residual.T @ outside)[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            area = np.where(distinct, score / information, 0.0)
            std = np.sqrt(1 / information + self._error_near(positions) ** 2)
            z = np.where(distinct, area / std, 0.0)
            beyond_noise = np.where(distinct, score / np.sqrt(information), 0.0)
        return z, beyond_noise, area

    def _error_near(self, positions):
        """Counts that the lines around each position may be wrong by."""
        energy = self._design.true_energy
        half = NEAR * fwhm_at_energy(positions, self._design.scale.resolution) + self._shift
        cumulative = np.append(0.0, np.cumsum(self._shape_error))
        ends = np.searchsorted(energy, [positions - half, positions + half])
        return cumulative[ends[1]] - cumulative[ends[0]]


def _alpha_near(families, position, scale):
    """Alpha line of one of the families at a position, or None."""
    near = 0.5 * float(fwhm_at_energy(position, scale.resolution))
    for family in families:
        if not family.alpha.endswith("a"):
            continue
        strongest = family.energies[np.argmax(family.weights)]
        if abs(strongest - position) < near:
            return family.alpha
    return None


def _name(test, design, candidates, position, significance):
    """Element whose lines explain a peak best, and how well; None if a lone peak does better."""
    alphas = {
        e: _alpha_near(families, position, design.scale) for e, families in candidates.items()
    }
    near = [element for element, alpha in alphas.items() if alpha is not None]
    if not near:
        return None, 0.0
    families = [next(f for f in candidates[e] if f.alpha == alphas[e]) for e in near]
    profiles = np.array([design.profile(f.energies, f.weights) for f in families])
    z, _, _ = test(profiles, np.full(len(families), position))
    best = z.max()
    if best < 0.9 * significance:
        return None, 0.0
    of = dict(zip(near, z, strict=True))
    common = [element for element in near if element in COMMON and of[element] > 0.8 * best]
    chosen = max(common or near, key=of.get)
    return chosen, float(of[chosen])
