"""Peak areas of a spectrum: a linear fit of line families, detector artefacts and background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, signal

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.composition.design import Design

MAX_ITERATIONS = 30
#: What is known of the artefacts before the fit: (expected, std) of the escape peaks in units of
#: theory, and of the share of counts that pile up.
ESCAPE_PRIOR = (1.0, 1.0)
PILE_UP_PRIOR = (0.0, 0.01)
#: Relative standard deviation of theory for a family that follows another: of the ratio of M-beta
#: to M-alpha, tables differ from theory by 10 (gold, lead) to 80 % (tungsten).
FOLLOWS_STD = 0.5
#: Variance over counts beside that of the whole spectrum from which it does not go with the counts.
MUCH_NOISE = 2.0


@dataclass(frozen=True, eq=False)
class PeakFit(Frozen):
    """Areas of line families in one spectrum, and how they were found.

    Attributes
    ----------
    design : Design
    counts, variance : array (channels,)
        What was fitted: summed counts and their variance as the model expects it.
    areas : array (n_families,)
        Counts of each alpha line, never negative; NaN if the spectrum is empty.
    unconstrained : array (n_families,)
        The same, but negative where the fit would be better so.
    covariance : array (n_families, n_families)
        From the counts, including the correlation of overlapping families.
    background, artefacts : array (channels,)
        Fitted counts of bremsstrahlung, and of escape and pile-up peaks.
    columns : array (channels, n_columns)
        Everything that was fitted and is not held at zero.
    """

    design: Design
    counts: np.ndarray
    variance: np.ndarray
    areas: np.ndarray
    unconstrained: np.ndarray
    covariance: np.ndarray
    background: np.ndarray
    artefacts: np.ndarray
    columns: np.ndarray

    @property
    def lines(self):
        """Fitted counts of all families, array (channels,)."""
        return self.areas @ self.design.profiles

    @property
    def model(self):
        """Fitted counts, array (channels,)."""
        return self.lines + self.background + self.artefacts

    @property
    def residual(self):
        """Deviation of the counts from the model in standard deviations, array (channels,)."""
        return (self.counts - self.model) / np.sqrt(self.variance)

    @property
    def reduced_chi_square(self):
        """Squared residual per degree of freedom: 1 if the model says all that is in the counts."""
        freedom = max(len(self.counts) - self.columns.shape[1], 1)
        return float((self.residual**2).sum() / freedom)


def fit_peaks(counts, variance, design, max_iterations=MAX_ITERATIONS):
    r"""Poisson-weighted least-squares fit with areas that are not negative.

    The weights are the inverse of the variance that the model expects, iterated to
    convergence: unlike weights from the counts themselves they do not favour channels that happen
    to be low, and give the maximum of the Poisson likelihood. For membership-weighted
    sums the variance is the model times :math:`\sum w^2 n / \sum w n` around the channel.

    Escape peaks (after Reed and Ware) and pile-up peaks (the spectrum convolved with
    itself) of what is fitted are fitted along, each with one coefficient.

    Parameters
    ----------
    counts : array (channels,)
        Summed counts.
    variance : array (channels,)
        Estimate of their variance, ``sum(w**2 n)``.
    design : Design
    max_iterations : int
        Rounds of the weights and of the artefacts, at most.

    Returns
    -------
    PeakFit
    """
    n_families, n_channels = len(design.families), len(counts)
    total = counts.sum()
    if total <= 0:
        return _empty(design, counts)
    dispersion, excess = _noise(counts, variance)
    # A channel expected to be empty still has the noise of a fraction of a count.
    floor = max(1e-3 * total / n_channels, 0.1)
    model = np.maximum(np.convolve(counts, np.full(5, 0.2), mode="same"), floor)
    fixed = np.vstack([design.profiles, design.background])
    coefficients = artefacts = None
    for _ in range(max_iterations):
        if coefficients is not None:
            artefacts = _artefacts(design, coefficients[:n_families], model)
        columns = fixed if artefacts is None else np.vstack([fixed, artefacts])
        following = _following(design, coefficients, dispersion * model + excess)
        prior = _prior(len(columns), len(fixed), following)
        system = _System(columns.T, counts, dispersion * model + excess, prior)
        coefficients = system.solve()
        previous, model = model, np.maximum(columns.T @ coefficients, floor)
        if artefacts is not None and (np.abs(model - previous) < 1e-4 * np.sqrt(model)).all():
            break
    covariance, unconstrained = (
        system.covariance(dispersion * model + excess),
        system.unconstrained(),
    )
    kept = slice(0, n_families)
    spectra = columns * coefficients[:, None]
    return PeakFit(
        design=design,
        counts=counts,
        variance=dispersion * model + excess,
        areas=coefficients[kept],
        unconstrained=unconstrained[kept],
        covariance=covariance[kept, kept],
        background=spectra[n_families : len(fixed)].sum(axis=0),
        artefacts=spectra[len(fixed) :].sum(axis=0),
        columns=columns.T[:, coefficients > 0],
    )


def _empty(design, counts):
    n = len(design.families)
    nothing = np.full(len(counts), np.nan)
    return PeakFit(
        design, counts, np.ones(len(counts)), np.full(n, np.nan), np.full(n, np.nan),
        np.full((n, n), np.nan), nothing, nothing, np.zeros((len(counts), 0)),
    )  # fmt: skip


def _noise(counts, variance, width=15, pseudocounts=20.0, narrow=5):
    """Variance over counts, averaged over channels nearby, and variance beside that.

    There is more than in proportion to the counts where something was subtracted.
    """
    overall = variance.sum() / counts.sum()
    near, noise = (np.convolve(of, np.ones(width), mode="same") for of in (counts, variance))
    dispersion = (noise + overall * pseudocounts) / np.maximum(near + pseudocounts, 1e-9)
    subtracted = (near < 0) | (dispersion > MUCH_NOISE * overall)
    dispersion = np.where(subtracted, overall, dispersion)
    near, noise = (
        np.convolve(of, np.full(narrow, 1 / narrow), mode="same") for of in (counts, variance)
    )
    excess = np.maximum(noise - overall * np.maximum(near, 0.0), 0.0)
    return dispersion, np.where(subtracted, excess, 0.0)


def _artefacts(design, areas, model):
    """Escape peaks in units of theory, and pile-up peaks in units of the counts that pile up."""
    energy = design.true_energy
    even = np.linspace(energy[0], energy[-1], len(energy))
    model = np.interp(even, energy, model)
    sums = np.maximum(signal.fftconvolve(model, model), 0.0) / model.sum()
    sum_energy = 2 * even[0] + (even[1] - even[0]) * np.arange(len(sums))
    pile_up = np.interp(energy, sum_energy, sums, left=0.0, right=0.0)
    return np.array([areas @ design.escapes, pile_up])


def _following(design, coefficients, variance):
    """Families that follow others: their numbers, those of the others, and the std in counts."""
    names = [family.alpha for family in design.families]
    pairs = [(n, names.index(f.follows)) for n, f in enumerate(design.families)
             if f.follows in names]  # fmt: skip
    if not pairs:
        return []
    # A family is not known to be absent better than the counts tell.
    noise = 1 / np.sqrt(np.maximum((design.profiles**2 / variance).sum(axis=1), 1e-300))
    areas = np.full(len(names), np.inf) if coefficients is None else coefficients[: len(names)]
    return [(n, other, max(FOLLOWS_STD * areas[other], 2 * noise[other])) for n, other in pairs]


def _prior(n_columns, n_fixed, following):
    """Rows ``matrix @ coefficients = target`` of standard deviation one."""
    artefacts = (ESCAPE_PRIOR, PILE_UP_PRIOR) if n_columns > n_fixed else ()
    matrix = np.zeros((len(artefacts) + len(following), n_columns))
    target = np.zeros(len(matrix))
    for row, (expected, std) in enumerate(artefacts):
        matrix[row, n_fixed + row] = 1 / std
        target[row] = expected / std
    for row, (family, other, std) in enumerate(following, start=len(artefacts)):
        matrix[row, [family, other]] = 1 / std, -1 / std
    return matrix, target


class _System:
    """Weighted least squares with coefficients that are not negative."""

    def __init__(self, columns, counts, variance, prior):
        self._weight = 1 / np.sqrt(variance)
        weighted = np.vstack([columns * self._weight[:, None], prior[0]])
        target = np.r_[counts * self._weight, prior[1]]
        self._n_channels = len(counts)
        length = np.linalg.norm(weighted, axis=0)
        # Columns of unit length keep the problem well conditioned.
        self._length = np.where(length > 0, length, 1.0)
        self._q, self._r = np.linalg.qr(weighted / self._length)
        self._target = self._q.T @ target

    def solve(self):
        """Coefficients, array (n_columns,)."""
        self._solution, _ = optimize.nnls(self._r, self._target, maxiter=50 * self._r.shape[1])
        return self._solution / self._length

    def covariance(self, variance):
        """Covariance of the coefficients, as if none were held at zero.

        `variance` is that of the counts, which need not be the one of the weights.
        """
        ratio = np.r_[variance * self._weight**2, np.ones(len(self._q) - self._n_channels)]
        # QR avoids squaring the condition number.
        inverse = np.linalg.pinv(self._r, rcond=1e-10)
        middle = (self._q.T * ratio) @ self._q
        return inverse @ middle @ inverse.T / np.outer(self._length, self._length)

    def unconstrained(self):
        """Coefficients; those held at zero as if they alone, of these, were not."""
        free = self._solution > 0
        basis = np.linalg.qr(self._r[:, free])[0]
        rest = self._target - self._r @ self._solution
        held = self._r[:, ~free]
        held = held - basis @ (basis.T @ held)
        norm = np.maximum((held**2).sum(axis=0), 1e-12)
        estimate = self._solution.copy()
        estimate[~free] = np.minimum(held.T @ rest / norm, 0.0)
        return estimate / self._length
