"""Energy axis and resolution from the peaks of a spectrum."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.composition.design import BEND_LENGTH, CURVE_AT, Scale, is_lone
from hyperspy_clusterquant.composition.peaks import PeakFit, fit_peaks
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy

#: What is known before: standard deviations of offset (keV), gain, bend (keV), resolution (eV), and
#: tail.
PRIOR = np.array([0.015, 0.004, 0.015, 12.0, 0.03])
#: Farthest from the nominal values that the calibration goes.
BOUND = np.array([0.150, 0.012, 0.060, 50.0, 0.2])
#: What is known of the curve of an axis: its standard deviation, and how far away it is another, in
#: keV. Of real detectors it is some eV.
CURVE_STD, CURVE_LENGTH = 0.003, 1.0
N_FIXED = len(PRIOR)
#: A tail may be estimated a little below zero, as any estimate of nothing must, or its stated error
#: and that of what lies below strong peaks would be too large.
TAIL, LEAST_TAIL = 4, 0.02
#: What atomic data leave unknown of the energies of lines of a shell, standard deviation in keV:
#: tables of M lines (xraylib's, exspy's) differ by so much.
ENERGY_STD = {"M": 0.003}
#: Distance from a line, in full widths, within which the residual tells how well it is described,
#: and standard deviations from which that is more than noise.
AROUND, NO_NOISE = 3.0, 3.0
MAX_ITERATIONS = 12
#: Rounds of a fit that is only compared with others.
ROUGH = 3
#: Offsets in keV that are tried at first: closer than half a width, as far as files are wrong.
TRIED_OFFSETS = np.linspace(-0.12, 0.12, 17)
#: By how much the misfit must fall for the axis to be moved at first, see `_misfit`, and the
#: deviance up to which a peak's width counts in full.
CLEARLY_BETTER, COUNTS_IN_FULL = 12.0, 10.0


@dataclass(frozen=True, eq=False)
class Calibration(Frozen):
    """Scale found, and what is left uncertain.

    Attributes
    ----------
    scale, nominal : Scale
        After and before.
    covariance : array (n, n)
        Of offset (keV), gain, bend (keV), resolution (eV), tail, and the curve (keV).
    fit : PeakFit
        Of the spectrum that the scale was found from.
    """

    scale: Scale
    nominal: Scale
    covariance: np.ndarray
    fit: PeakFit

    def shift(self, energy):
        """Shift in eV of the axis at `energy` (keV)."""
        return 1000 * (self.scale.true_energy(energy) - energy)

    @property
    def at_bound(self):
        """Whether the scale stopped at the farthest that is allowed."""
        moved = np.abs(_values(self.scale) - _values(self.nominal))[:N_FIXED]
        return bool((moved >= 0.999 * BOUND).any())


def calibrate(counts, variance, design, nominal):
    """Find energy axis, resolution and tail from the peaks of a spectrum.

    Gauss-Newton steps on all of them; all areas are fitted along at every step. What is
    known before (`PRIOR`, and of the curve of the axis that it is small and smooth, a Gaussian
    process) holds what the peaks do not determine.

    Parameters
    ----------
    counts, variance : array (channels,)
        Summed counts and their variance.
    design : Design
        With a scale to start from.
    nominal : Scale
        Of the metadata, around which the scale is sought.

    Returns
    -------
    Calibration

    References
    ----------
    C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning, MIT Press
    (2006).
    """
    fit = fit_peaks(counts, variance, design)
    centre = _values(nominal)
    if not np.isfinite(fit.areas).all():
        return Calibration(nominal, nominal, np.linalg.inv(PRECISION), fit)
    lowest, highest = centre - _FARTHEST, centre + _FARTHEST
    lowest[TAIL] = -LEAST_TAIL
    cost = _cost(fit, centre)
    for _ in range(MAX_ITERATIONS):
        step = _step(fit, centre)
        old = _values(fit.design.scale)
        for _ in range(4):
            new = np.clip(old + step, lowest, highest)
            trial = fit_peaks(counts, variance, fit.design.with_scale(_scale(new)))
            trial_cost = _cost(trial, centre)
            if trial_cost <= cost + 1e-9:
                break
            step = step / 3
        else:
            break
        gained, cost, fit = cost - trial_cost, trial_cost, trial
        if gained < 1e-3:
            break
    return Calibration(fit.design.scale, nominal, _covariance(fit), fit)


def nearest_scale(counts, variance, design):
    """Scale near enough to be refined, if the axis is off by more than half a width of a line.

    That of the `design`, which the metadata tell, or moved by an offset if most peaks agree: one
    that nobody declared, as strong as it may be, moves nothing.
    """
    if not counts.sum() > 0:
        return design.scale
    centre = _values(design.scale)

    def misfit(offset):
        scale = replace(design.scale, offset=design.scale.offset + offset)
        trial = fit_peaks(counts, variance, design.with_scale(scale), ROUGH)
        return _misfit(trial, centre), scale

    offsets = dict.fromkeys([0.0, *TRIED_OFFSETS.tolist()])  # each once
    tried = {offset: misfit(offset) for offset in offsets}
    best, scale = min(tried.values(), key=lambda found: found[0])
    return scale if best < tried[0.0][0] - CLEARLY_BETTER else design.scale


def _misfit(fit, centre):
    """Misfit in which a peak that is far off counts little more than one that is off.

    The logarithm of Student's t distribution of what each width of a peak has of deviance, in
    units of that where it is small, and the distance from what was known before.
    """
    deviances = _deviances(fit)
    widths = fwhm_at_energy(fit.design.energy, fit.design.scale.resolution)
    number = np.cumsum((fit.design.energy[1] - fit.design.energy[0]) / widths).astype(int)
    # What noise makes of a width is no misfit.
    of_each = np.maximum(np.bincount(number, deviances - 1.0), 0.0)
    far = COUNTS_IN_FULL
    distance = _values(fit.design.scale) - centre
    return float((far * np.log1p(of_each / far)).sum() + distance @ PRECISION @ distance)


def scale_derivatives(fit):
    """Change of the fitted lines with each parameter of the scale, array (channels, n)."""
    design, scale = fit.design, fit.design.scale
    energy = design.energy

    areas = np.where([is_lone(family) for family in design.families], 0.0, fit.areas)

    def change(name, below, above):
        sides = [
            areas @ design.with_scale(replace(scale, **{name: value})).profiles
            for value in (below, above)
        ]
        return (sides[1] - sides[0]) / (above - below)

    shifted = change("offset", scale.offset - 1e-4, scale.offset + 1e-4)
    along = [
        np.ones(len(energy)), energy, np.exp(-energy / BEND_LENGTH),
        *(np.interp(energy, CURVE_AT, one) for one in np.eye(len(CURVE_AT))),
    ]  # fmt: skip
    columns = np.array(along) * shifted
    wider = change("resolution", scale.resolution - 0.1, scale.resolution + 0.1)
    tailed = change("tail", scale.tail, scale.tail + 1e-3)
    return np.vstack([columns[:3], wider, tailed, columns[3:]]).T


def area_covariance(fit, calibration):
    r"""Covariance of the areas from the counts, and from what the positions of lines leave unknown.

    :math:`C + G C_s G^T` with the change G of the areas with the scale. Estimates of a scale
    are uncorrelated with the areas at a given scale, so the two add. The same for the energies of
    the lines of each family, as far as atomic data do not know them (`ENERGY_STD`). Where the fit
    does not describe the counts around a line, its standard deviation is larger by the residual
    there (Birge's ratio).

    References
    ----------
    R. T. Birge, Phys. Rev. 40 (1932) 207.
    """
    weight = 1 / np.sqrt(fit.variance)
    columns = np.vstack([fit.design.profiles, fit.design.background]).T * weight[:, None]
    length = np.linalg.norm(columns, axis=0)
    length = np.where(length > 0, length, 1.0)
    inverse = np.linalg.pinv(columns / length, rcond=1e-8)[: len(fit.areas)]
    inverse = inverse / length[: len(fit.areas), None]
    with_scale = inverse @ (scale_derivatives(fit) * weight[:, None])
    with_energies = inverse @ (_energy_derivatives(fit) * weight[:, None])
    covariance = (
        fit.covariance
        + with_scale @ calibration.covariance @ with_scale.T
        + with_energies @ with_energies.T
    )
    ratio = residual_around(fit)
    return covariance * ratio[:, None] * ratio


def residual_around(fit):
    """Root mean square of the residual around the strongest line of each family.

    1 where it is no more than noise.
    """
    design = fit.design
    collected = np.append(0.0, np.cumsum(fit.residual**2))
    ratios = np.ones(len(design.families))
    for n, family in enumerate(design.families):
        line = family.energies[np.argmax(family.weights)]
        half = AROUND * fwhm_at_energy(line, design.scale.resolution)
        first, last = np.searchsorted(design.true_energy, [line - half, line + half])
        square = (collected[last] - collected[first]) / max(last - first, 1)
        if square > 1 + NO_NOISE * np.sqrt(2 / max(last - first, 1)):
            ratios[n] = np.sqrt(square)
    return ratios


def _energy_derivatives(fit):
    """Change of the fitted lines with the energies of families, in std, array (channels, n)."""
    design = fit.design
    columns = [np.zeros((len(design.energy), 0))]
    for area, family in zip(fit.areas, design.families, strict=True):
        std = ENERGY_STD.get(family.alpha.partition("_")[2][:1], 0.0)
        if std > 0 and area > 0:
            sides = [design.profile(family.energies + d, family.weights) for d in (-std, std)]
            columns.append(area * (sides[1] - sides[0])[:, None] / 2)
    return np.hstack(columns)


def _step(fit, centre):
    """Gauss-Newton step of the scale."""
    slope, inverse, basis = _information(fit, fit.columns)
    residual = fit.residual - basis @ (basis.T @ fit.residual)
    return inverse @ (slope.T @ residual - PRECISION @ (_values(fit.design.scale) - centre))


def _information(fit, columns):
    """Change with the scale beyond what columns take over, its inverse, and a basis of these.

    Only what the amounts cannot take over says something about the scale.
    """
    weight = 1 / np.sqrt(fit.variance)
    basis = np.linalg.qr(columns * weight[:, None])[0]
    slope = scale_derivatives(fit) * weight[:, None]
    slope = slope - basis @ (basis.T @ slope)
    return slope, np.linalg.inv(slope.T @ slope + PRECISION), basis


def _covariance(fit):
    """Covariance of the scale, also where lines that may be there are held at zero."""
    columns = np.vstack([fit.design.profiles, fit.design.background])
    there = columns.any(axis=1)
    return _information(fit, columns[there].T)[1]


def _cost(fit, centre):
    """Poisson deviance over the dispersion, and the distance from what was known before."""
    distance = _values(fit.design.scale) - centre
    return float(_deviances(fit).sum() + distance @ PRECISION @ distance)


def _deviances(fit):
    """Poisson deviance of each channel over the dispersion, array (channels,)."""
    model = np.maximum(fit.model, 1e-3)
    dispersion = np.maximum(fit.variance / model, 1e-6)
    logarithm = np.log(np.maximum(fit.counts, 1e-12) / model)
    deviance = 2 * (np.where(fit.counts > 0, fit.counts * logarithm, 0.0) - (fit.counts - model))
    return np.maximum(deviance, 0.0) / dispersion


def _values(scale):
    curve = scale.curve or (0.0,) * len(CURVE_AT)
    return np.array([scale.offset, scale.gain, scale.bend, scale.resolution, scale.tail, *curve])


def _scale(values):
    values = values.tolist()
    return Scale(*values[:N_FIXED], curve=tuple(values[N_FIXED:]))


def _precision():
    """Inverse of the covariance of what is known before."""
    distance = (CURVE_AT[:, None] - CURVE_AT) / CURVE_LENGTH
    curve = CURVE_STD**2 * (np.exp(-(distance**2) / 2) + 1e-3 * np.eye(len(CURVE_AT)))
    return linalg.block_diag(np.diag(PRIOR**-2.0), np.linalg.inv(curve))


PRECISION = _precision()
_FARTHEST = np.append(BOUND, np.full(len(CURVE_AT), 5 * CURVE_STD))
