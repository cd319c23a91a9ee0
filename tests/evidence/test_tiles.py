"""Variation in tiles of all sizes, against sums over pairs and maps drawn from a known truth."""

import itertools

import numpy as np
import pytest
from scipy import stats

from hyperspy_clusterquant.evidence.tiles import (
    Residuals,
    p_value_together,
    peaks,
    variations,
)

SHARE = np.array([0.05, 0.15, 0.3, 0.5])
#: Lines beyond the dose: of each channel but the last, what it has more than its share.
WEIGHTS = np.eye(4)[:3] - SHARE[:3, None]


def residuals(counts, weights=WEIGHTS):
    """Of counts (rows, columns, channels)."""
    where = np.array(np.nonzero(np.ones(counts.shape[:-1])))
    flat = counts.reshape(-1, 4).astype(float)
    share = flat.sum(axis=0) / flat.sum()
    weights = weights - (weights @ share)[:, None]
    return Residuals(
        where, flat.sum(axis=1), flat @ weights.T, flat @ weights.T**2, weights, share,
        np.diag(weights)[:3] * share[: len(weights)],
    )  # fmt: skip


def one_composition(rng, per_pixel, shape=(16, 16)):
    return rng.poisson(per_pixel * rng.gamma(4, 0.25, (*shape, 1)) * SHARE)


def test_scales_divide_the_pixels(rng):
    assert residuals(one_composition(rng, 5, (16, 16))).scales == (1, 2, 4, 8)
    assert residuals(one_composition(rng, 5, (1, 5))).scales == (1, 2, 4)


def test_sums_over_pairs_of_different_counts(rng):
    """All pairs in one tile, less what the mean of the map took, by hand."""
    found = residuals(one_composition(rng, 3, (4, 4)))
    tile = found.tiles(2)
    pairs = np.zeros(3)
    for number in range(4):
        counts = found.sums(tile, np.eye(16))[number] @ one_by_one(found)
        which = np.repeat(np.arange(4), np.rint(counts).astype(int))
        weights = found.weights[:, which]
        for a, b in itertools.permutations(range(len(which)), 2):
            pairs += weights[:, a] * weights[:, b]
    values, noise = found.sums(tile, found.values), found.sums(tile, found.squares)
    np.testing.assert_allclose((values**2 - noise).sum(axis=0), pairs, rtol=1e-9)


def one_by_one(found):
    """Counts of the pixels, from their residuals and totals."""
    matrix = np.vstack([found.weights, np.ones(4)])
    return np.linalg.solve(matrix, np.vstack([found.values.T, found.totals])).T


@pytest.mark.parametrize("per_pixel", [4, 200])
def test_uniform_if_nothing_varies(rng, per_pixel):
    """At each scale, and together."""
    units = np.linalg.inv(np.linalg.cholesky((WEIGHTS * SHARE) @ WEIGHTS.T)) @ WEIGHTS
    single, lines, together, strongest = [], [], [], []
    for _ in range(150):
        counts = one_composition(rng, per_pixel)
        found = variations(residuals(counts), 0.05)
        single.append(found.p_values)
        lines.append(found.combined)
        together.append(p_value_together(residuals(counts, units)))
        strongest.append([peak.p for peak in peaks(residuals(counts))])
    of_lines = np.concatenate([np.reshape(found, (150, -1)) for found in (single, lines)], axis=1)
    for p in (*of_lines.T, together, *np.transpose(strongest)):
        known = np.array(p)[np.isfinite(p)]
        if len(known) > 100:  # with few counts, the smallest tiles say nothing in some maps
            assert stats.kstest(known, "uniform").pvalue > 1e-3
            assert np.mean(known < 0.05) < 0.11
    assert np.isfinite(of_lines).mean() > 0.7


def test_variation_is_measured_where_it_is(rng):
    """Squares of four pixels with a tenth more or less of a line, at 300 counts."""
    sign = np.kron(rng.choice([-1, 1], (8, 8)), np.ones((4, 4)))[..., None]
    expected = 300 * SHARE * (1 + 0.1 * sign * np.array([0, 0, 1, 0]))
    found = variations(residuals(rng.poisson(expected)), 0.05)
    four = found.scales.index(4)
    assert found.relative[four, 2] == pytest.approx(0.1, abs=3 * found.std[four, 2])
    assert found.std[four, 2] < 0.03
    assert found.combined[2] < 1e-6
    assert found.relative[four, 2] > found.limits[four, 2]


def test_limits_are_missed_once_in_ten(rng):
    """A variation as large as the limit is seen at the level nine times in ten."""
    limit = variations(residuals(one_composition(rng, 100)), 0.01).limits[2, 2]
    seen = []
    for _ in range(120):
        balanced = rng.permutation(np.tile([-1, 1], 8)).reshape(4, 4)
        sign = np.kron(balanced, np.ones((4, 4)))[..., None]
        change = limit * sign * np.array([0, 0, 1, 0])
        found = variations(residuals(rng.poisson(100 * SHARE * (1 + change))), 0.01)
        seen.append(found.p_values[2, 2] < 0.01)
    assert 0.75 < np.mean(seen) < 0.99


def test_one_spot_is_found(rng):
    counts = one_composition(rng, 100, (32, 32))
    counts[9:13, 20:24, 0] += rng.poisson(6, (4, 4))
    found = peaks(residuals(counts))
    assert found[0].p < 1e-6
    assert found[0].z > 5
    rows, columns = np.unravel_index(found[0].pixels, (32, 32))
    assert 8 <= rows.mean() <= 14
    assert 19 <= columns.mean() <= 25
    assert found[0].scale in (4, 8)


def test_too_few_counts_say_nothing(rng):
    counts = np.zeros((8, 8, 4), dtype=int)
    counts[rng.integers(8, size=6), rng.integers(8, size=6), 3] = 1
    counts[0, 0, 0] = 1
    found = residuals(counts)
    assert np.isnan(variations(found, 0.05).p_values).all()
    assert all(np.isnan(peak.p) and not len(peak.pixels) for peak in peaks(found))
