import itertools

import numpy as np
import pytest
from scipy import stats

from hyperspy_clusterquant.composition.fitting import LinearFit
from hyperspy_clusterquant.evidence.pair_test import compare_spectra, proportionality

ENERGY = np.linspace(0, 10, 400)
CENTRES = (2.0, 2.15, 5.0, 7.5)  # the first two overlap


@pytest.fixture(scope="module")
def lines():
    """Four peaks on a background with a slope, as a linear fit."""
    peaks = [np.exp(-0.5 * ((ENERGY - c) / 0.06) ** 2) for c in CENTRES]
    peaks = [peak / peak.sum() for peak in peaks]
    columns = np.array([*peaks, np.ones(400) / 400, ENERGY / ENERGY.sum()])
    return LinearFit(columns, np.linalg.pinv(columns.T), [0, 1, 2, 3])


def spectrum(lines, areas, background, dose):
    return dose * (
        np.asarray(areas) @ lines.columns[:4] + np.asarray(background) @ lines.columns[4:]
    )


COMPOSITION = (0.4, 0.25, 0.3, 0.05)


def p_values(lines, rng, doses, n, second=COMPOSITION):
    expected = [
        spectrum(lines, COMPOSITION, (0.2, 0.1), doses[0]),
        spectrum(lines, second, (0.5, 0.4), doses[1]),
    ]
    return np.array(
        [compare_spectra(*map(rng.poisson, expected), lines, rng).p_value for _ in range(n)]
    )


@pytest.mark.parametrize(
    "doses",
    [(20_000, 20_000), (200_000, 5_000), pytest.param((3_000, 400), marks=pytest.mark.slow)],
)
def test_same_composition_gives_uniform_p_values(lines, rng, doses):
    """Whatever the doses and the backgrounds."""
    p = p_values(lines, rng, doses, 1000)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert 0.03 < np.mean(p < 0.05) < 0.07


@pytest.mark.parametrize("doses", [(2_000, 60), (300, 25)])
def test_few_counts_are_no_false_alarm(lines, rng, doses):
    p = p_values(lines, rng, doses, 300)
    p = p[np.isfinite(p)]
    assert len(p) > 100
    assert np.mean(p < 0.05) < 0.09
    assert np.mean(p < 0.01) < 0.03


def test_other_composition_is_found(lines, rng):
    p = p_values(lines, rng, (20_000, 20_000), 20, second=(0.4, 0.25, 0.25, 0.1))
    assert (p < 1e-4).all()


def test_without_background_it_is_pearsons_test(rng):
    counts = rng.poisson([[4000, 9000, 1500], [1000, 2000, 500]]).astype(float)
    found = compare_spectra(*counts, LinearFit(np.eye(3), np.eye(3), [0, 1, 2]), rng)
    known = stats.chi2_contingency(counts, correction=False)
    assert found.statistic == pytest.approx(known.statistic, rel=1e-9)
    assert found.freedom == 2
    assert found.p_value == pytest.approx(known.pvalue, rel=1e-9)


def test_drawn_p_value_is_that_of_all_possible_counts(rng):
    """Few counts: against the probabilities of all ways to divide them."""
    first, second = np.array([5.0, 1.0, 3.0]), np.array([2.0, 6.0, 3.0])
    both, share = first + second, first.sum() / (first + second).sum()

    def statistic(counts):  # Pearson's, without what another dose would do
        residual = counts - share * both
        variance = both * share * (1 - share)
        return (residual**2 / variance).sum() - residual.sum() ** 2 / variance.sum()

    exact = sum(
        np.prod(stats.binom.pmf(counts, both, share))
        for counts in itertools.product(*(range(int(n) + 1) for n in both))
        if statistic(np.array(counts)) >= statistic(first) - 1e-9
    )
    lines = LinearFit(np.eye(3), np.eye(3), [0, 1, 2])
    drawn = np.mean([compare_spectra(first, second, lines, rng).p_value for _ in range(30)])
    assert drawn == pytest.approx(exact, rel=0.15)


def test_few_counts_that_differ_beyond_doubt_need_no_draws(rng):
    lines = LinearFit(np.eye(2), np.eye(2), [0, 1])
    p = compare_spectra(np.array([45.0, 0.0]), np.array([0.0, 45.0]), lines, rng).p_value
    assert p < 1e-12


def test_no_counts_are_nothing_to_compare(lines, rng):
    empty = np.zeros(400)
    assert np.isnan(compare_spectra(empty, empty, lines, rng).p_value)


def test_proportionality_of_areas(rng):
    """Chi-square against draws, with correlated areas of different precision."""
    covariance = np.array([[4.0, -1.5, 0], [-1.5, 3.0, 0], [0, 0, 1.0]])
    mean = np.array([50.0, 30.0, 20.0])
    found = []
    for _ in range(1000):
        first = rng.multivariate_normal(mean, covariance)
        second = rng.multivariate_normal(3 * mean, 9 * covariance)
        statistic, freedom = proportionality(first, covariance, second, 9 * covariance)
        found.append(statistic)
    assert freedom == 2
    assert stats.kstest(found, stats.chi2(2).cdf).pvalue > 0.01


def absorbed(lines, rng, first, second, dose=2e5):
    """Counts of two spectra of the same composition whose lines are absorbed by optical depths."""
    return [
        rng.poisson(spectrum(lines, np.array(COMPOSITION) * np.exp(-np.asarray(depth)),
                             (0.2, 0.1), dose)) for depth in (first, second)
    ]  # fmt: skip


SOFTNESS = np.array([1.0, 0.7, 0.1, 0.0])


def soft(lines, spectra, size):
    """A direction: by how much each line is absorbed."""
    areas = np.maximum(lines.areas(sum(spectra))[0], 0)
    return size * (SOFTNESS * areas)[None] @ lines.columns[:4]


@pytest.mark.parametrize("size", [0.3, 1.0])
def test_differences_of_the_plausible_size_are_not_found(lines, rng, size):
    """p is uniform if they are drawn with that size, however much they are beyond the noise."""
    p, alone = [], []
    depths = size * rng.standard_normal(150).clip(-0.8, 0.8)
    for depth in depths:
        spectra = absorbed(lines, rng, depth * SOFTNESS, 0 * SOFTNESS)
        p.append(compare_spectra(*spectra, lines, rng, soft(lines, spectra, size)).p_value)
        alone.append(compare_spectra(*spectra, lines, rng).p_value)
    assert (np.array(alone)[np.abs(depths) > 0.1] < 1e-4).all()
    assert np.mean(np.array(p) < 0.05) < 0.09
    assert np.median(p) < 0.9


def test_difference_of_composition_is_found_beside_absorption(lines, rng):
    """In what the lines cannot all have in common."""
    for change in ([0, 0.1, 0, 0], [0, 0, 0.1, 0]):
        spectra = absorbed(lines, rng, 0.3 * SOFTNESS, np.array(change))
        assert compare_spectra(*spectra, lines, rng, soft(lines, spectra, 0.5)).p_value < 1e-4


def test_more_than_is_plausible_is_a_difference(lines, rng):
    spectra = absorbed(lines, rng, 0.6 * SOFTNESS, 0 * SOFTNESS)
    assert compare_spectra(*spectra, lines, rng, soft(lines, spectra, 0.1)).p_value < 1e-4


def test_direction_that_is_small_beside_the_noise_changes_nothing(lines, rng):
    spectra = absorbed(lines, rng, 0 * SOFTNESS, [0, 0, 0.02, 0], dose=2e4)
    alone = compare_spectra(*spectra, lines, np.random.default_rng(0))
    found = compare_spectra(*spectra, lines, np.random.default_rng(0), soft(lines, spectra, 1e-4))
    assert found.statistic == pytest.approx(alone.statistic, rel=1e-3)
    assert found.freedom == alone.freedom


def test_few_counts_with_directions_are_no_false_alarm(lines, rng):
    p = []
    for _ in range(60):
        spectra = absorbed(lines, rng, 0.5 * SOFTNESS, 0 * SOFTNESS, dose=200)
        p.append(compare_spectra(*spectra, lines, rng, soft(lines, spectra, 0.5)).p_value)
    assert np.mean(np.array(p) < 0.05) < 0.12


def test_proportionality_with_directions(rng):
    """Against a covariance that the directions are part of."""
    covariance, mean = np.diag([4.0, 3.0, 1.0]), np.array([50.0, 30.0, 20.0])
    direction = np.array([[20.0, 0.0, 4.0]])
    found = []
    for amount in rng.standard_normal(600):
        first = rng.multivariate_normal(mean + amount * direction[0] / 4, covariance)
        second = rng.multivariate_normal(mean - amount * direction[0] / 4, covariance)
        found.append(proportionality(first, covariance, second, covariance, direction)[0])
    assert stats.kstest(found, stats.chi2(2).cdf).pvalue > 0.01
