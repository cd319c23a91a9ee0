"""Statistics of maps against counts drawn from a known truth."""

import numpy as np
import pytest
from scipy import stats

from hyperspy_clusterquant.evidence.variation import Correlations, LineWeights, line_variation

#: Three windows of four channels with two on either side for the background.
NET = np.zeros((3, 40))
for line in range(3):
    start = 12 * line
    NET[line, start + 2 : start + 6] = 1
    NET[line, [start, start + 1, start + 6, start + 7]] = -1
HEIGHTS = np.array([1.0, 3.0, 20.0])


def expected(thickness, ratios):
    """Counts of bins, from thickness (n_bins,) and the lines' ratios to the mean (n_bins, 3)."""
    spectrum = np.full((len(thickness), 40), 0.3)
    for line in range(3):
        start = 12 * line + 2
        spectrum[:, start : start + 4] += HEIGHTS[line] * ratios[:, [line]]
    return thickness[:, None] * spectrum


def measure(counts):
    weights = LineWeights.of_map(NET, counts.sum(axis=0).astype(float))
    return line_variation(counts @ weights.operator.T, weights, np.ones(len(counts)))


@pytest.mark.parametrize("dose", [0.1, 1.0])
@pytest.mark.parametrize("flat", [True, False])
def test_p_values_are_uniform_without_variation(rng, dose, flat):
    p, pairs = [], []
    for _ in range(600):
        thickness = np.ones(500) if flat else rng.gamma(2, 0.5, 500)
        found = measure(rng.poisson(dose * expected(thickness, np.ones((500, 3)))))
        p.append(found.p_values_no_variation if flat else found.p_values)
        matrix = found.correlations_beyond_noise if flat else found.correlations_beyond_thickness
        pairs.append(matrix.p_values[np.triu_indices(3, 1)])
    for column in (*np.transpose(p), *np.transpose(pairs)):
        assert stats.kstest(column, "uniform").pvalue > 0.001
        assert 0.02 < np.mean(column < 0.05) < 0.085


def test_thickness_is_variation_but_none_beyond_thickness(rng):
    thickness = rng.gamma(2, 0.5, 1000)
    found = measure(rng.poisson(expected(thickness, np.ones((1000, 3)))))
    assert (found.p_values_no_variation < 1e-6).all()
    assert (found.p_values > 1e-3).all()
    assert found.dispersion[2] > 5
    np.testing.assert_allclose(found.dispersion_beyond_thickness, 1, atol=0.2)


def test_variation_is_measured_without_noise(rng):
    """The first line varies by 30 %, although that is a fraction of its shot noise."""
    thickness = rng.gamma(4, 0.25, 20_000)
    ratios = np.ones((20_000, 3))
    ratios[:, 0] += 0.3 * rng.standard_normal(20_000).clip(-3, 3)
    found = measure(rng.poisson(expected(thickness, ratios)))
    assert found.variation[0] == pytest.approx(0.3, abs=4 * found.variation_std[0])
    assert found.variation_std[0] < 0.05
    assert found.p_values[0] < 1e-6


@pytest.mark.parametrize("truth", [-0.8, 0.0, 0.6])
def test_correlation_is_corrected_for_noise_and_thickness(rng, truth):
    """Of two lines whose ratios to the third are correlated; its uncertainty is right."""
    errors = []
    for _ in range(40):
        both = rng.multivariate_normal([0, 0], [[1, truth], [truth, 1]], 4000).clip(-3, 3)
        ratios = np.column_stack([1 + 0.3 * both, np.ones(4000)])
        found = measure(rng.poisson(3 * expected(rng.gamma(2, 0.5, 4000), ratios)))
        errors.append(
            (found.correlations_beyond_thickness.values[0, 1] - truth)
            / found.correlations_beyond_thickness.std[0, 1]
        )
    assert abs(np.mean(errors)) < 0.6
    assert 0.7 < np.std(errors) < 1.35
    assert found.correlations_beyond_noise.values[0, 1] > 0.3  # the common thickness
    assert (found.correlations_beyond_thickness.p_values[0, 1] < 1e-4) == (truth != 0)


def test_two_lines_have_no_correlation_beyond_thickness(rng):
    net = NET[:2]
    counts = rng.poisson(expected(np.ones(300), np.ones((300, 3))))
    weights = LineWeights.of_map(net, counts.sum(axis=0).astype(float))
    found = line_variation(counts @ weights.operator.T, weights, np.ones(300))
    assert np.isnan(found.correlations_beyond_thickness.values).all()
    assert np.isfinite(found.correlations_beyond_noise.p_values[0, 1])
    # What one has more, the other has less.
    assert found.p_values[0] == pytest.approx(found.p_values[1])


def soft_map(rng, depth, ratios=None):
    """Counts whose first line is absorbed with the thickness, and the direction of that."""
    thickness = rng.gamma(4, 0.25, 2000)
    ratios = np.ones((2000, 3)) if ratios is None else ratios
    ratios = ratios * np.column_stack([np.exp(-depth * (thickness - 1)), np.ones((2000, 2))])
    counts = rng.poisson(5 * expected(thickness, ratios))
    direction = np.zeros(40)
    direction[2:6] = counts[:, 2:6].sum(axis=0) - counts[:, 0].sum()
    return counts, direction


def measure_beyond(counts, directions):
    weights = LineWeights.of_map(NET, counts.sum(axis=0).astype(float), directions)
    return line_variation(counts @ weights.operator.T, weights, np.ones(len(counts)))


def test_what_directions_bring_is_no_variation(rng):
    """Thickness varies by half; what absorption makes of it is known in direction and size."""
    counts, direction = soft_map(rng, 0.3)
    found = measure_beyond(counts, 0.3 * direction[None])
    assert found.p_values_with_absorption[0] < 1e-6
    assert (found.p_values > 0.01).all()
    alone = measure(counts)
    np.testing.assert_array_equal(alone.p_values, alone.p_values_with_absorption)
    np.testing.assert_allclose(found.p_values_with_absorption, alone.p_values)


def test_variation_beyond_directions_is_found(rng):
    ratios = np.ones((2000, 3))
    ratios[:, 1] += 0.3 * rng.standard_normal(2000).clip(-3, 3)
    counts, direction = soft_map(rng, 0.3, ratios)
    found = measure_beyond(counts, 0.3 * direction[None])
    assert found.p_values[1] < 1e-6
    # More than is plausible of a direction is variation, too.
    counts, direction = soft_map(rng, 0.6)
    assert measure_beyond(counts, 0.05 * direction[None]).p_values[0] < 1e-4


def test_p_values_beyond_directions_are_uniform_if_they_bring_nothing(rng):
    """Of a direction as large as the noise, which is taken off in part only, a little too large."""
    p = []
    for _ in range(300):
        counts = rng.poisson(expected(np.ones(400), np.ones((400, 3))))
        direction = np.zeros(40)
        direction[2:6] = 0.02 * counts[:, 2:6].sum(axis=0)
        p.append(measure_beyond(counts, direction[None]).p_values)
    assert np.mean(np.array(p) < 0.05) < 0.07
    assert np.mean(np.array(p) < 0.5) > 0.2


def test_operator_takes_off_dose_and_directions(rng):
    total = rng.poisson(1e4 * expected(np.ones(1), np.ones((1, 3)))[0]).astype(float)
    directions = rng.normal(size=(1, 40)) * total
    weights = LineWeights.of_map(NET, total, directions)
    np.testing.assert_allclose(weights.beyond @ NET @ total, 0, atol=1e-4)
    # One that is far beyond the noise is taken off; one of the three lines' ways to vary is left.
    left = weights.beyond @ NET @ directions[0]
    assert np.abs(left).max() < 1e-2 * np.abs(NET @ directions[0]).max()
    assert np.linalg.matrix_rank(weights.beyond, tol=1e-2) == 1
    none = LineWeights.of_map(NET, total, np.zeros((0, 40)))
    np.testing.assert_array_equal(none.beyond, none.beyond_dose)


def test_correlation_of_what_hardly_varies_is_none(rng):
    """Its own variance is no clear one, so that anything could come out."""
    counts = rng.poisson(expected(np.ones(500), np.ones((500, 3))))
    found = [measure(rng.permuted(counts, axis=0)) for _ in range(30)]
    values = np.array([of.correlations_beyond_noise.values[0, 1] for of in found])
    assert np.mean(np.isnan(values)) > 0.9


def test_interval_of_correlations():
    r = Correlations(np.full((2, 2), -0.9), np.full((2, 2), 0.2), np.full((2, 2), 0.01))
    np.testing.assert_allclose(r.interval[:, 0, 1], [-1.0, -0.5])
