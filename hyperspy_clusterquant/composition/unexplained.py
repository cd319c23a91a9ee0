"""Peaks that no declared element explains: found in the residual of a fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.composition.calibration import PRECISION, scale_derivatives
from hyperspy_clusterquant.composition.design import is_lone
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy

#: Standard deviations above the model from which a peak counts as one. In a spectrum of some
#: hundred resolution widths, noise alone reaches it in one of ten thousand.
SIGNIFICANT = 5.0
#: Relative error of the strong lines of a shell, of their ratios and their shape, see
#: `_shape_errors`. A peak must exceed that of the lines within `NEAR` widths as it must exceed the
#: noise.
SHAPE_ERROR = {"K": 0.03, "L": 0.03, "M": 0.05}
NEAR = 1.3
#: That of L and M lines that are weak beside the strongest.
WEAK_ERROR = 0.5
#: Share of a peak that nothing fitted already may take over, at least.
LEAST_DISTINCT = 0.1
#: Shift of lines in keV that is reckoned with before the calibration, and what it makes of the
#: error: a peak must be half as large again as the lines within reach.
LARGEST_SHIFT = 0.08
SHIFT_ERROR = 0.3
#: Distance from a declared line, in full widths, within which counts are that line's, and share
#: of its family that makes a line one of them.
OWN, OWN_SHARE = 0.5, 0.1


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
        What it is, such as ``"Au_Ma"``: where at least two lines of an element, or a strong line
        without alternative, speak for it. Else None.
    """

    energy: float
    counts: float
    significance: float
    line: str | None

    def __str__(self):
        guess = f": {self.line}?" if self.line else ""
        return f"{self.energy:.2f} keV{guess}"


class LeftOver:
    """What a fit leaves over, and how well profiles that are not in the fit describe it.

    Rao's score test, with all that the fit could take over: amounts of what is fitted, and another
    energy axis, resolution and tail, as far as they are not known.

    Parameters
    ----------
    fit : PeakFit
    calibrated : bool
        Whether the scale is right. If not, lines that lie beside their peaks leave over what looks
        like peaks, so only peaks are looked for that are larger than that.
    """

    def __init__(self, fit, calibrated=True):
        self.design = fit.design
        self._weight = 1 / np.sqrt(fit.variance)
        scale = np.vstack(
            [scale_derivatives(fit) * self._weight[:, None], np.linalg.cholesky(PRECISION).T]
        )
        amounts = np.pad(fit.columns * self._weight[:, None], ((0, len(PRECISION)), (0, 0)))
        length = np.linalg.norm(scale, axis=0)
        both = np.hstack([amounts, scale / np.where(length > 0, length, 1.0)])
        # Profiles have nothing in the rows that say what is known of the scale.
        self._basis = np.linalg.qr(both)[0][: len(fit.counts)]
        self._residual = (fit.counts - fit.model) * self._weight
        self._shift = 0.0 if calibrated else LARGEST_SHIFT
        self._shape_error = fit.areas @ fit.design.with_weights(
            [
                _shape_errors(family) if calibrated else SHIFT_ERROR * family.weights
                for family in fit.design.families
            ]
        )

    def areas(self, profiles, positions):
        """Area of each profile alone beside the fit, its standard deviation, and that of noise.

        Of a family of lines, `positions` (keV) are those of the strongest. What the fit can take
        over has an infinite standard deviation.
        """
        weighted = profiles.T * self._weight[:, None]
        taken = self._basis.T @ weighted
        whole = (weighted**2).sum(axis=0)
        information = whole - (taken**2).sum(axis=0)
        distinct = information > LEAST_DISTINCT * np.maximum(whole, 1e-300)
        information = np.where(distinct, information, 1.0)
        score = self._residual @ weighted - (self._basis.T @ self._residual) @ taken
        area = np.where(distinct, score / information, 0.0)
        noise = np.where(distinct, 1 / np.sqrt(information), np.inf)
        return area, np.hypot(noise, self._error_near(positions)), noise

    def areas_together(self, profiles, positions):
        """Areas of profiles that are all there, and their standard deviations."""
        weighted = profiles.T * self._weight[:, None]
        taken = self._basis.T @ weighted
        whole = (weighted**2).sum(axis=0)
        information = weighted.T @ weighted - taken.T @ taken
        distinct = np.diag(information) > LEAST_DISTINCT * np.maximum(whole, 1e-300)
        areas, stds = np.zeros(len(profiles)), np.full(len(profiles), np.inf)
        if distinct.any():
            covariance = np.linalg.pinv(
                information[np.ix_(distinct, distinct)], rcond=1e-10, hermitian=True
            )
            score = self._residual @ weighted - (self._basis.T @ self._residual) @ taken
            areas[distinct] = covariance @ score[distinct]
            stds[distinct] = np.hypot(
                np.sqrt(np.diag(covariance)), self._error_near(positions[distinct])
            )
        return areas, stds

    def _error_near(self, positions):
        """Counts that the lines around each position may be wrong by."""
        energy = self.design.true_energy
        half = NEAR * fwhm_at_energy(positions, self.design.scale.resolution) + self._shift
        cumulative = np.append(0.0, np.cumsum(self._shape_error))
        ends = np.searchsorted(energy, [positions - half, positions + half])
        return cumulative[ends[1]] - cumulative[ends[0]]

    @cached_property
    def positions(self):
        """Energies in keV at which peaks are looked for: a quarter of a width apart.

        Also just beyond the ends, where half of a peak lies inside; not where lines that are
        fitted lie.
        """
        resolution = self.design.scale.resolution
        energy = self.design.true_energy
        found = [energy[0] - 0.5 * float(fwhm_at_energy(energy[0], resolution))]
        end = energy[-1] - 0.7 * float(fwhm_at_energy(energy[-1], resolution))
        while found[-1] < end:
            found.append(found[-1] + float(fwhm_at_energy(found[-1], resolution)) / 4)
        found = np.array(found)
        return found[~self.is_taken(found)]

    def is_taken(self, energies):
        """Whether energies (keV) lie within half a width of lines that are fitted."""
        own = self.fitted_lines
        if not len(own):
            return np.zeros(np.shape(energies), dtype=bool)
        above = np.searchsorted(own, energies)
        nearest = np.minimum(
            np.abs(energies - own[np.maximum(above - 1, 0)]),
            np.abs(energies - own[np.minimum(above, len(own) - 1)]),
        )
        return nearest <= OWN * fwhm_at_energy(energies, self.design.scale.resolution)

    @cached_property
    def fitted_lines(self):
        """Energies in keV of the lines that are fitted, ascending."""
        lines = [f.energies[f.weights > OWN_SHARE * f.weights.max()] for f in self.design.families]
        return np.sort(np.concatenate(lines)) if lines else np.zeros(0)


def _shape_errors(family):
    """Counts that each line of a family may be wrong by, for one count of its alpha line.

    Of L and M lines, the less is known the weaker they are beside the strongest: tables differ by
    3 % for L-beta of antimony, and by 60 % for L-beta 3 of silver, a twentieth as strong.
    """
    shell = "K" if is_lone(family) else family.alpha.partition("_")[2][:1]
    error = SHAPE_ERROR[shell]
    if shell == "K":
        return error * family.weights
    share = family.weights / family.weights.max()
    return family.weights.max() * np.minimum(error * np.cbrt(share), WEAK_ERROR * share)


def find_peak(left_over):
    """Most significant lone peak in what is `LeftOver`, as an `UnexplainedPeak`, or None."""
    positions = left_over.positions
    if not len(positions):
        return None
    area, std, noise = left_over.areas(left_over.design.peaks_at(positions), positions)
    z = area / std
    best = int(np.argmax(z))
    if not z[best] > SIGNIFICANT:
        return None
    # The error of a strong line beside it pushes the maximum away from that line; noise alone
    # tells where the peak is.
    resolution = left_over.design.scale.resolution
    width = float(fwhm_at_energy(positions[best], resolution))
    near = np.abs(positions - positions[best]) < width
    at = positions[np.argmax(np.where(near, area / noise, -np.inf))]
    # Nobody moves the peak later, and what lies beside it leaves over more peaks.
    finer = at + width * np.linspace(-0.25, 0.25, 41)
    finer = finer[~left_over.is_taken(finer)]
    area, _, noise = left_over.areas(left_over.design.peaks_at(finer), finer)
    best_of = int(np.argmax(area / noise))
    return UnexplainedPeak(float(finer[best_of]), float(area[best_of]), float(z[best]), None)
