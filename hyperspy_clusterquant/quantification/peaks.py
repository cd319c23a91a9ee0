"""Peak areas of a spectrum: a linear fit of line families and background, or windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

#: Degree of the background polynomial in the logarithm of the energy.
BACKGROUND_DEGREE = 6
MAX_ITERATIONS = 20


@dataclass(frozen=True)
class PeakFit:
    """Areas of line families in one spectrum.

    Attributes
    ----------
    areas : array (n_families,)
        Counts of each alpha line, never negative.
    covariance : array (n_families, n_families)
        From the counts, including the correlation of overlapping families.
    model, background : array (channels,)
        Fitted counts, and the background's part of them.
    """

    areas: np.ndarray
    covariance: np.ndarray
    model: np.ndarray
    background: np.ndarray


def background_basis(energy, degree=BACKGROUND_DEGREE):
    """Smooth functions that a bremsstrahlung background is a sum of.

    Chebyshev polynomials in the logarithm of the energy, so that they bend where the
    background does, at low energies.

    Parameters
    ----------
    energy : array (channels,)
        Positive energies in keV.
    degree : int
        Highest degree.

    Returns
    -------
    array (degree + 1, channels)
    """
    position = np.log(energy)
    low, high = position.min(), position.max()
    position = 2 * (position - low) / (high - low) - 1
    return np.polynomial.chebyshev.chebvander(position, degree).T


def fit_peaks(spectrum, variance, profiles, background):
    r"""Poisson-weighted least-squares fit with areas that are not negative.

    The weights are the inverse of the variance that the model expects, iterated to
    convergence: unlike weights from the counts themselves they do not favour channels that happen
    to be low. For membership-weighted sums the variance is the model times
    :math:`\sum w^2 n / \sum w n`.

    Parameters
    ----------
    spectrum : array (channels,)
        Summed counts.
    variance : array (channels,)
        Estimate of their variance, ``sum(w**2 n)``.
    profiles : array (n_families, channels)
        Counts of a family whose alpha line has one count.
    background : array (n_functions, channels)
        Functions of the background.

    Returns
    -------
    PeakFit
        NaN areas if the spectrum is empty.
    """
    n_families = len(profiles)
    total = spectrum.sum()
    if total <= 0:
        nothing = np.full(len(spectrum), np.nan)
        return PeakFit(
            np.full(n_families, np.nan), np.full((n_families,) * 2, np.nan), nothing, nothing
        )
    design = np.vstack([profiles, background]).T
    lower = np.r_[np.zeros(n_families), np.full(len(background), -np.inf)]
    dispersion = variance.sum() / total
    # A channel expected to be empty still has the noise of about one count.
    floor = max(1e-3 * total / len(spectrum), 0.5)
    model = np.maximum(_smooth(spectrum), floor)
    for _ in range(MAX_ITERATIONS):
        root = 1 / np.sqrt(dispersion * model)
        # Columns of unit length keep the problem well conditioned.
        weighted = design * root[:, None]
        length = np.linalg.norm(weighted, axis=0)
        solution = optimize.lsq_linear(
            weighted / length, spectrum * root, bounds=(lower, np.inf), method="bvls"
        )
        coefficients = solution.x / length
        previous, model = model, np.maximum(design @ coefficients, floor)
        if np.abs(model - previous).max() < 1e-4 * model.max():
            break
    # Curvature at the solution; QR avoids squaring the condition number.
    weighted = design / np.sqrt(dispersion * model)[:, None]
    length = np.linalg.norm(weighted, axis=0)
    inverse = np.linalg.pinv(np.linalg.qr(weighted / length, mode="r"))
    covariance = (inverse @ inverse.T) / np.outer(length, length)
    return PeakFit(
        areas=np.maximum(coefficients[:n_families], 0.0),
        covariance=covariance[:n_families, :n_families],
        model=design @ coefficients,
        background=design[:, n_families:] @ coefficients[n_families:],
    )


def _smooth(spectrum, width=5):
    return np.convolve(spectrum, np.full(width, 1 / width), mode="same")


def integrate_windows(energy, spectrum, variance, peak_windows, background_windows):
    """Net counts in windows, the background interpolated linearly from one on either side.

    Parameters
    ----------
    energy : array (channels,)
        Energy of each channel.
    spectrum, variance : array (channels,)
        Summed counts and their variance.
    peak_windows : array (n_lines, 2)
        Low and high end, in the energy's units.
    background_windows : array (n_lines, 4)
        Low and high end of the window below and of the one above.

    Returns
    -------
    areas : array (n_lines,)
    variances : array (n_lines,)
    """

    def mean(low, high):
        inside = (energy >= low) & (energy <= high)
        n = max(inside.sum(), 1)
        return spectrum[inside].sum() / n, variance[inside].sum() / n**2

    areas, variances = [], []
    for (low, high), sides in zip(peak_windows, background_windows, strict=True):
        inside = (energy >= low) & (energy <= high)
        (below, var_below), (above, var_above) = mean(*sides[:2]), mean(*sides[2:])
        n = inside.sum()
        # Background windows need not lie symmetrically about the peak.
        centre_below, centre_above = np.mean(sides[:2]), np.mean(sides[2:])
        share = ((low + high) / 2 - centre_below) / (centre_above - centre_below)
        areas.append(spectrum[inside].sum() - n * ((1 - share) * below + share * above))
        background_variance = (1 - share) ** 2 * var_below + share**2 * var_above
        variances.append(variance[inside].sum() + n**2 * background_variance)
    return np.array(areas), np.array(variances)
