"""Do two spectra hold the same composition? A test whatever their doses and backgrounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from hyperspy_clusterquant.composition.fitting import weighted_areas

#: Counts that an element's estimate must effectively rest on for it to be normally distributed.
MANY_COUNTS = 50
#: Draws for the distribution of the statistic where counts are fewer: so many together, until so
#: many of them are beyond what was found, or all are drawn.
DRAWN_TOGETHER, ENOUGH_BEYOND, N_DRAWS = 500, 100, 10_000
#: p-value of the normal case below which no draw would be beyond, and it is taken as it is.
HOPELESS = 1e-12
#: Largest change of a channel along a direction, as a power of e: where next to nothing is counted,
#: the ratio of two small numbers says nothing.
LARGEST_CHANGE = 3.0
#: Steps, none larger than one, in which it is found how far two spectra lie apart along directions,
#: and the step after which that is known.
N_STEPS, CLOSE = 10, 1e-4


@dataclass(frozen=True)
class PairTest:
    """Outcome of a test of "same composition".

    Attributes
    ----------
    p_value : float
        NaN if neither spectrum holds any of the elements.
    statistic : float
        Chi-square with `freedom` degrees of freedom if the compositions are the same.
    freedom : int
    """

    p_value: float
    statistic: float
    freedom: int


NOTHING = PairTest(np.nan, np.nan, 0)


def compare_spectra(first, second, lines, rng, directions=None):
    r"""Test whether two independent spectra of counts have the same composition.

    Under the hypothesis, the areas of the lines of one spectrum are a multiple of those of the
    other; their backgrounds and the lines that are not compared may differ as they like. Given
    the counts :math:`t_j` of both together, a count in channel j is of the first
    spectrum with probability :math:`s_j`, which follows from the fitted lines and backgrounds. With
    the weights L that turn counts into areas, the residual :math:`w = L\,(n_1 - s t)` then has
    mean zero and covariance :math:`V = L\,\mathrm{diag}(t s (1 - s))\,L^T`. What a different dose
    would change, a multiple of the areas c of both, is projected out:

    .. math:: T = w^T V^{-1} w - \frac{(w^T V^{-1} c)^2}{c^T V^{-1} c}

    is distributed as chi-square with one degree of freedom less than elements. Where an
    estimate rests on few counts, the distribution is drawn instead: the counts of each channel
    are divided at random, as often as it takes (a conditional test, after Fisher).

    The spectra may also differ along `directions` that are no chemistry, in the logarithm of their
    ratio, by amounts that are normally distributed with a standard deviation of one. The most
    probable amounts are put into s, and V becomes :math:`V + D D^T`, where D is what the directions
    change in w: directions that are small beside the noise do nothing, and one that is large
    takes away what looks like it, up to what is plausible.

    Parameters
    ----------
    first, second : array (channels,)
        Counts, Poisson distributed.
    lines : LinearFit
        Of the elements to compare.
    rng : numpy.random.Generator
        Of the draws.
    directions : array (n_directions, channels), optional
        Changes of the counts of both together, as large as they typically may be, that are
        no chemistry.

    Returns
    -------
    PairTest

    References
    ----------
    R. A. Fisher, J. R. Stat. Soc. 98 (1935) 39; C. R. Rao, Proc. Camb. Phil. Soc. 44 (1948) 50.
    """
    both = first + second
    share, areas, expected = _shares(first, second, lines)
    weights = lines.weights
    if _inverse(weighted_areas(weights, both * share * (1 - share))[1])[1] < 2 or not areas.any():
        return NOTHING
    changes = np.zeros((0, len(both))) if directions is None else directions
    changes = np.where(expected > 0, changes / np.maximum(expected, 1e-300), 0.0)
    changes = np.clip(changes, -LARGEST_CHANGE, LARGEST_CHANGE)
    share, amounts = _most_probable(first, both, share, areas, weights, changes)
    spread = both * share * (1 - share)
    along = (weights * spread) @ changes.T
    inverse, rank = _inverse(weighted_areas(weights, spread)[1] + along @ along.T)
    across = inverse - np.outer(inverse @ areas, inverse @ areas) / (areas @ inverse @ areas)

    def statistic(counts, expected, weights, moved):
        residual = (counts - expected) @ weights.T + moved @ along.T
        return np.einsum("...i,ij,...j", residual, across, residual)

    found = float(statistic(first, share * both, weights, amounts))
    p_value = float(stats.chi2.sf(found, rank - 1))
    effective = _effective_counts(weights, spread)
    if effective[effective > 0].min() < MANY_COUNTS and p_value > HOPELESS:
        held = (both > 0) & weights.any(axis=0)
        weights, share, both = weights[:, held], share[held], both[held].astype(int)

        def draw(n_draws):
            counts = rng.binomial(both, share, (n_draws, len(both)))
            moved = rng.standard_normal((n_draws, len(changes)))
            return statistic(counts, share * both, weights, moved)

        p_value = _drawn_p_value(found, draw)
    return PairTest(p_value, found, rank - 1)


def _most_probable(first, both, share, areas, weights, changes):
    """Shares of the first spectrum that differ by the most probable amounts of some changes.

    Parameters
    ----------
    first, both : array (channels,)
        Counts.
    share : array (channels,)
        Probability of a count to be of the first spectrum, if nothing has changed.
    areas : array (n_lines,)
        Of both.
    weights : array (n_lines, channels)
    changes : array (n_changes, channels)
        Relative ones.

    Returns
    -------
    share : array (channels,)
    amounts : array (n_changes,)
    """
    amounts = np.zeros(len(changes))
    if not len(changes):
        return share, amounts
    prior = np.diag(np.r_[0.0, np.ones(len(changes))])
    start, moved = special.logit(np.clip(share, 1e-12, 1 - 1e-12)), np.zeros(1 + len(changes))
    # A step in the dose is one of all channels: what is compared are areas, not backgrounds.
    steps = np.vstack([np.ones(len(both)), changes])
    for _ in range(N_STEPS):
        now = special.expit(start + moved @ steps)
        spread = both * now * (1 - now)
        along = (weights * spread) @ steps.T
        inverse, _ = _inverse(weighted_areas(weights, spread)[1])
        towards = along.T @ inverse
        gradient = towards @ (weights @ (first - now * both)) - prior @ moved
        step = np.linalg.pinv(towards @ along + prior) @ gradient
        moved = moved + step / max(np.abs(step).max(), 1.0)
        if np.abs(step).max() < CLOSE:
            break
    return special.expit(start + moved @ steps), moved[1:]


def _drawn_p_value(found, draw):
    """Share of draws at least as far out, drawn until it is known well enough.

    References
    ----------
    J. Besag and P. Clifford, Biometrika 78 (1991) 301.
    """
    beyond = n_drawn = 0
    while n_drawn < N_DRAWS:
        # Rounding must not break ties between draws that are the same.
        farther = np.flatnonzero(draw(DRAWN_TOGETHER) >= found * (1 - 1e-9))
        if beyond + len(farther) >= ENOUGH_BEYOND:
            return ENOUGH_BEYOND / (n_drawn + int(farther[ENOUGH_BEYOND - beyond - 1]) + 1)
        beyond += len(farther)
        n_drawn += DRAWN_TOGETHER
    return (1 + beyond) / (1 + n_drawn)


def proportionality(first, first_covariance, second, second_covariance, directions=None):
    """Chi-square of "the areas of one are a multiple of the areas of the other".

    Parameters
    ----------
    first, second : array (n_elements,)
        Areas of two independent spectra.
    first_covariance, second_covariance : array (n_elements, n_elements)
        Theirs.
    directions : array (n_directions, n_elements), optional
        Changes of the areas of both together, as large as they typically may be, that are no
        chemistry.

    Returns
    -------
    statistic : float
    freedom : int
    """
    both = np.maximum(first + second, 0)
    inverse, rank = _inverse(first_covariance + second_covariance)
    norm = both @ inverse @ both
    if rank < 2 or not norm > 0:
        return 0.0, 0
    share = np.clip(both @ inverse @ first / norm, 0, 1)
    residual = (1 - share) * first - share * second
    covariance = (1 - share) ** 2 * first_covariance + share**2 * second_covariance
    if directions is not None:
        covariance = covariance + (share * (1 - share)) ** 2 * directions.T @ directions
    inverse, rank = _inverse(covariance)
    norm = both @ inverse @ both
    if not norm > 0:
        return 0.0, 0
    along = residual @ inverse @ both
    return float(residual @ inverse @ residual - along**2 / norm), rank - 1


def _shares(first, second, lines):
    """Probability of each channel's counts to be of the first spectrum, the areas of both, and
    the counts expected of both.
    """
    both = first + second
    coefficients = [lines.operator @ counts for counts in (first, second)]
    areas, covariance = lines.areas(both)
    areas = np.maximum(areas, 0)
    inverse, _ = _inverse(covariance)
    norm = areas @ inverse @ areas
    overall = first.sum() / max(both.sum(), 1)
    of_lines = areas @ inverse @ coefficients[0][lines.tested] / norm if norm > 0 else overall
    of_lines = np.clip(of_lines, 0, 1)
    other = np.ones(len(lines.columns), dtype=bool)
    other[lines.tested] = False
    backgrounds = [np.maximum(c[other] @ lines.columns[other], 0) for c in coefficients]
    peaks = areas @ lines.columns[lines.tested]
    expected = peaks + backgrounds[0] + backgrounds[1]
    share = np.where(
        expected > 0, (of_lines * peaks + backgrounds[0]) / np.maximum(expected, 1e-300), overall
    )
    return np.clip(share, 0, 1), areas, expected  # rounding may go beyond


def _inverse(covariance):
    """Inverse of a covariance on the directions that vary, and their number."""
    scale = np.sqrt(np.diag(covariance))
    scale[scale == 0] = 1.0
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    kept = values > 1e-9 * max(values.max(), 1e-300)
    vectors = vectors[:, kept] / scale[:, None]
    return (vectors / values[kept]) @ vectors.T, int(np.count_nonzero(kept))


def _effective_counts(weights, spread):
    """Number of equal counts that each weighted sum's distribution is like, array (n_sums,)."""
    second, fourth = weights**2 @ spread, weights**4 @ spread
    return np.where(fourth > 0, second**2 / np.maximum(fourth, 1e-300), 0.0)
