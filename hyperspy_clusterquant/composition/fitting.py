"""Spectra of clusters to the areas of their lines: calibrate, look for the undeclared, fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.composition.calibration import (
    Calibration,
    area_covariance,
    calibrate,
    nearest_scale,
)
from hyperspy_clusterquant.composition.design import is_lone, lone_peak
from hyperspy_clusterquant.composition.naming import find_hidden, name_peak
from hyperspy_clusterquant.composition.peaks import fit_peaks
from hyperspy_clusterquant.composition.unexplained import (
    OWN,
    OWN_SHARE,
    LeftOver,
    UnexplainedPeak,
    find_peak,
)
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy

#: Peaks that are looked for, at most.
MOST_PEAKS = 25
#: Standard deviations that a peak keeps in the last fit, or it is not reported.
STILL_SIGNIFICANT = 3.0
#: Share of the counts of an element's alpha line up to which its weak lines may be wrong.
WEAK_LINE = 0.02


@dataclass(frozen=True, eq=False)
class ModelFit(Frozen):
    """Spectra fitted with a common calibration and common families.

    Attributes
    ----------
    fits : tuple of PeakFit
        One for each spectrum.
    covariances : tuple of array (n_families, n_families)
        Of the areas: from the counts, and from what the calibration leaves uncertain.
    calibration : Calibration
    unexplained : tuple of UnexplainedPeak
        Lines that were not declared, the most significant first; they are among the families.
    """

    fits: tuple
    covariances: tuple
    calibration: Calibration
    unexplained: tuple


@one_blas_thread()
def fit_spectra(spectra, variances, design, candidates):
    """Fit spectra with the declared families and whatever else is found in them.

    The energy axis is calibrated on their sum. Peaks that are left over in the sum or in one of
    the spectra are fitted along, or they would pull the background and their neighbours.

    Parameters
    ----------
    spectra, variances : array (n_spectra, channels)
        Summed counts and their variances.
    design : Design
        Declared families and the nominal scale.
    candidates : dict of str: list of Family
        Families of elements that left-over peaks may be named after.

    Returns
    -------
    ModelFit
    """
    nominal, declared = design.scale, design
    total, total_variance = spectra.sum(axis=0), variances.sum(axis=0)
    design = design.with_scale(nearest_scale(total, total_variance, design))
    # What stands alone would draw the calibration away; the rest is found after it.
    for calibrated in (False, True, True):
        fit = fit_peaks(total, total_variance, declared.with_scale(design.scale))
        found, design = _search(fit, total_variance, candidates, {}, calibrated)
        calibration = calibrate(total, total_variance, design, nominal)
        design = calibration.fit.design
    for counts, variance in zip(spectra, variances, strict=True):
        fit = fit_peaks(counts, variance, design)
        found, design = _search(fit, variance, candidates, found)
    fits = [fit_peaks(c, v, design) for c, v in zip(spectra, variances, strict=True)]
    covariances = tuple(area_covariance(fit, calibration) for fit in fits)
    return ModelFit(
        fits=tuple(fits),
        covariances=covariances,
        calibration=calibration,
        unexplained=_lines_of(found, fits, covariances),
    )


@one_blas_thread()
def refit(fits, calibration, variances, families):
    """Fits and covariances of the same spectra with families of their own, of the same lines."""
    fits = tuple(
        fit_peaks(fit.counts, variance, fit.design.with_families(own))
        for fit, variance, own in zip(fits, variances, families, strict=True)
    )
    return fits, tuple(area_covariance(fit, calibration) for fit in fits)


def fit_again(counts, variance, fit, calibration):
    """Fit of another spectrum with the design of a `PeakFit`, and the covariance of its areas."""
    again = fit_peaks(counts, variance, fit.design)
    return again, area_covariance(again, calibration)


def _lines_of(found, fits, covariances):
    """The lines that were found, each once, with what they hold in the last fit.

    An element found by one of its lines is reported by all that are there, and not at all if
    what was found after it explains it away. Nor is what may be a weak line of a declared element,
    of whose strength theory knows little.
    """
    lines = []
    names = [family.alpha for family in fits[0].design.families]
    declared = _without(fits[0].design.families, found)
    for families in found.values():
        for family in families:
            if not family.alpha.endswith("a") and not is_lone(family):
                continue
            if is_lone(family) and _is_weak_line_of(declared, family, fits):
                continue
            position = names.index(family.alpha)
            areas = np.nan_to_num([fit.areas[position] for fit in fits])
            stds = np.array([np.sqrt(of[position, position]) for of in covariances])
            significance = np.nanmax(areas / stds)
            if significance > STILL_SIGNIFICANT:
                energy = float(family.energies[np.argmax(family.weights)])
                name = family.alpha if family.alpha.endswith("a") else None
                lines.append(UnexplainedPeak(energy, float(areas.sum()), float(significance), name))
    return tuple(sorted(lines, key=lambda peak: -peak.significance))


def _is_weak_line_of(families, peak, fits):
    """Whether a lone peak lies at a line of families that have much more counts."""
    names = [family.alpha for family in fits[0].design.families]
    near = OWN * float(fwhm_at_energy(peak.energies[0], fits[0].design.scale.resolution))

    def counts(family):
        return np.nansum([fit.areas[names.index(family.alpha)] for fit in fits])

    return any(
        (np.abs(family.energies - peak.energies[0]) < near).any()
        and counts(peak) < WEAK_LINE * counts(family)
        for family in families
    )


@dataclass(frozen=True, eq=False)
class LinearFit:
    """How counts become areas: a fit as a linear map, with fixed weights and without bounds.

    Attributes
    ----------
    columns : array (n_columns, channels)
        What is fitted: families of lines, then functions of the background, then the artefacts of
        the detector.
    operator : array (n_columns, channels)
        Turns counts into coefficients, which are areas for families and may be negative.
    tested : list of int
        Columns that are the lines of interest.
    """

    columns: np.ndarray
    operator: np.ndarray
    tested: list

    @property
    def weights(self):
        """Weight of each channel in the areas of the lines of interest, (n_lines, channels)."""
        return self.operator[self.tested]

    def areas(self, counts):
        """Areas (n_lines,) of the lines of interest in counts (channels,), and their covariance."""
        return weighted_areas(self.weights, counts)


def weighted_areas(weights, counts):
    """Weighted sums (n_sums,) of Poisson counts (channels,), and their covariance."""
    return weights @ counts, (weights * counts) @ weights.T


def linear_fit(fits, tested, used):
    """The fit of the sum of some spectra as a linear map.

    Parameters
    ----------
    fits : sequence of PeakFit
        With a common design.
    tested : list of int
        Families that are the lines of interest.
    used : array of bool
        Channels that were fitted, of those that the map is for.

    Returns
    -------
    LinearFit
    """
    design = fits[0].design
    variances = [fit.variance for fit in fits if fit.counts.sum() > 0]
    if not variances:
        low, high = design.energy[[0, -1]]
        raise ValueError(
            f"There are no counts from {low:.3g} to {high:.3g} keV, where the lines are fitted. "
            "Check the energy axis and the declared elements."
        )
    weight = 1 / np.sqrt(np.nansum(variances, axis=0))
    artefacts = np.nansum([fit.artefacts for fit in fits], axis=0)
    more = [artefacts / artefacts.sum()] if artefacts.any() else []
    fixed = np.vstack([design.profiles, design.background, *more])
    columns = fixed.T * weight[:, None]
    length = np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    inverse = np.linalg.pinv(columns / length, rcond=1e-8) / length[:, None]
    wide = np.zeros((2, len(fixed), len(used)))
    wide[:, :, used] = fixed, inverse * weight
    return LinearFit(*wide, tested)


def _search(fit, variance, candidates, found, calibrated=True):
    """Peaks that a fit leaves over, added to those found before, and the design with them.

    `found` holds the families of each element by its name, and of lone peaks by theirs.
    """
    found, declared = dict(found), _without(fit.design.families, found)
    beam_energy = fit.design.beam_energy

    def fitted(of_found):
        families = [*declared, *(family for of in of_found.values() for family in of)]
        return fit_peaks(fit.counts, variance, fit.design.with_families(families))

    while len(found) < MOST_PEAKS and fit.counts.sum() > 0:
        left_over = LeftOver(fit, calibrated)
        peak = find_peak(left_over)
        named = {name: of for name, of in found.items() if not is_lone(of[0])}
        if len(named) < len(found):
            # Lone peaks may be lines of the element that is looked for.
            left_over = LeftOver(fitted(named), calibrated)
        others = {element: of for element, of in candidates.items() if element not in named}
        if peak is not None:
            line = name_peak(left_over, peak, others, beam_energy)
        else:
            line = find_hidden(left_over, others, beam_energy) if calibrated else None
            if line is None:
                break
        if line is None:
            family = lone_peak(peak.energy)
            found[family.alpha] = (family,)
        else:
            element = line.partition("_")[0]
            new = candidates[element]
            found = {**_not_explained(found, new, fit), element: new}
        fit = fitted(found)
    return found, fit.design


def _without(families, found):
    """Families that were there before any was found."""
    later = {family.alpha for of in found.values() for family in of}
    return [family for family in families if family.alpha not in later]


def _not_explained(found, families, fit):
    """Of what was found, all but the lone peaks that are lines of some families."""
    resolution = fit.design.scale.resolution
    lines = np.concatenate([f.energies[f.weights > OWN_SHARE * f.weights.max()] for f in families])

    def explained(of):
        position = of[0].energies[0]
        near = OWN * float(fwhm_at_energy(position, resolution))
        return is_lone(of[0]) and (np.abs(lines - position) < near).any()

    return {name: of for name, of in found.items() if not explained(of)}
