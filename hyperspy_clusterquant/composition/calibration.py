"""Energy axis and resolution from the peaks of a spectrum."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.composition.peaks import PeakFit, Scale, fit_peaks

#: What is known before: standard deviations of offset (keV), gain, bend (keV), resolution (eV).
PRIOR = np.array([0.015, 0.003, 0.015, 12.0])
#: Farthest from the nominal values that the calibration goes.
BOUND = np.array([0.150, 0.012, 0.060, 50.0])
#: Steps of the numerical derivatives.
_STEP = np.array([1e-4, 1e-5, 1e-4, 0.1])
MAX_ITERATIONS = 12
#: Offsets in keV that are tried at first: closer than half a width, as far as files are wrong.
TRIED_OFFSETS = np.linspace(-0.12, 0.12, 17)
#: By how much the deviance must fall for the axis to be moved at first.
CLEARLY_BETTER = 25.0


@dataclass(frozen=True, eq=False)
class Calibration(Frozen):
    """Scale found, and what is left uncertain.

    Attributes
    ----------
    scale, nominal : Scale
        After and before.
    covariance : array (4, 4)
        Of offset (keV), gain, bend (keV) and resolution (eV).
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
        return bool((np.abs(_values(self.scale) - _values(self.nominal)) >= 0.999 * BOUND).any())


def calibrate(counts, variance, design, nominal):
    """Find offset, gain, bend and resolution from the peaks of a spectrum.

    Gauss-Newton steps on all of them; all areas are fitted along at every step. What is
    known before (`PRIOR`) holds what weak spectra do not determine.

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
    """
    fit = fit_peaks(counts, variance, design)
    if not np.isfinite(fit.areas).all():
        return Calibration(nominal, nominal, np.diag(PRIOR**2), fit)
    centre = _values(nominal)
    cost = _cost(fit, centre)
    for _ in range(MAX_ITERATIONS):
        step = _step(fit, centre)[0]
        old = _values(fit.design.scale)
        for _ in range(4):
            new = np.clip(old + step, centre - BOUND, centre + BOUND)
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
    return Calibration(fit.design.scale, nominal, _step(fit, centre)[1], fit)


def nearest_scale(counts, variance, design):
    """Scale near enough to be refined, if the axis is off by more than half a width of a line.

    That of the `design`, which the metadata tell, or moved by an offset.
    """
    centre = _values(design.scale)

    def cost(offset):
        scale = replace(design.scale, offset=design.scale.offset + float(offset))
        return _cost(fit_peaks(counts, variance, design.with_scale(scale)), centre), scale

    if not counts.sum() > 0:
        return design.scale
    unmoved, _ = cost(0.0)
    best, scale = min((cost(offset) for offset in TRIED_OFFSETS), key=lambda tried: tried[0])
    return scale if best < unmoved - CLEARLY_BETTER else design.scale


def scale_derivatives(fit):
    """Change of the fitted lines with offset, gain, bend and resolution, array (channels, 4)."""
    here = _values(fit.design.scale)
    columns = []
    for parameter, step in enumerate(_STEP):
        sides = []
        for sign in (1, -1):
            values = here.copy()
            values[parameter] += sign * step
            sides.append(fit.areas @ fit.design.with_scale(_scale(values)).profiles)
        columns.append((sides[0] - sides[1]) / (2 * step))
    return np.array(columns).T


def area_covariance(fit, calibration):
    r"""Covariance of the areas from the counts, and from what the scale leaves uncertain.

    :math:`C + G C_s G^T` with the change G of the areas with the scale. Estimates of a scale
    are uncorrelated with the areas at a given scale, so the two add.
    """
    weight = 1 / np.sqrt(fit.variance)
    columns = np.vstack([fit.design.profiles, fit.design.background]).T * weight[:, None]
    length = np.linalg.norm(columns, axis=0)
    length = np.where(length > 0, length, 1.0)
    change = np.linalg.pinv(columns / length, rcond=1e-8) @ (
        scale_derivatives(fit) * weight[:, None]
    )
    change = -(change / length[:, None])[: len(fit.areas)]
    return fit.covariance + change @ calibration.covariance @ change.T


def _step(fit, centre):
    """Gauss-Newton step of the scale and the covariance of the scale."""
    weight = 1 / np.sqrt(fit.variance)
    # Only what the areas cannot take over says something about the scale.
    basis = np.linalg.qr(fit.columns * weight[:, None])[0]
    slope = scale_derivatives(fit) * weight[:, None]
    slope = slope - basis @ (basis.T @ slope)
    residual = fit.residual - basis @ (basis.T @ fit.residual)
    precision = slope.T @ slope / np.outer(1 / PRIOR, 1 / PRIOR) + np.eye(4)
    inverse = np.linalg.inv(precision) * np.outer(PRIOR, PRIOR)
    pull = slope.T @ residual - (_values(fit.design.scale) - centre) / PRIOR**2
    return inverse @ pull, inverse


def _cost(fit, centre):
    """Poisson deviance over the dispersion, and the distance from what was known before."""
    model = np.maximum(fit.model, 1e-3)
    dispersion = fit.variance / np.maximum(fit.model, 1e-3)
    counts = fit.counts
    logarithm = np.log(np.maximum(counts, 1e-12) / model)
    deviance = 2 * (np.where(counts > 0, counts * logarithm, 0.0) - (counts - model))
    distance = (_values(fit.design.scale) - centre) / PRIOR
    return float((deviance / np.maximum(dispersion, 1e-6)).sum() + distance @ distance)


def _values(scale):
    return np.array([scale.offset, scale.gain, scale.bend, scale.resolution])


def _scale(values):
    return Scale(*(float(value) for value in values))
