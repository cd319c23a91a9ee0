import numpy as np
import pytest
from samples import blurred, learned, phantom
from scipy import stats

from hyperspy_clusterquant.clusters.field import Explained, box_sum, box_sums, saddlepoint

# --- significance of weighted sums of counts ----------------------------------------------


def probability(weights, expected, value):
    return stats.norm.sf(
        saddlepoint(np.asarray(weights, float), np.asarray(expected, float), value)
    )


@pytest.mark.parametrize("expected", [0.05, 0.5, 3.0, 40.0])
def test_saddlepoint_of_one_sum_is_the_poisson_tail(expected):
    """Down to one in 10^12, between the probabilities with and without the count itself."""
    for count in np.unique(np.ceil(stats.poisson.isf([1e-2, 1e-4, 1e-8, 1e-12], expected))):
        found = probability([1.0], [expected], count - expected)
        assert stats.poisson.sf(count, expected) < found < stats.poisson.sf(count - 1, expected)


def test_saddlepoint_of_many_counts_is_normal():
    z = saddlepoint(np.ones(50), np.full(50, 1e5), 4 * np.sqrt(50 * 1e5))
    assert z == pytest.approx(4, abs=0.02)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_saddlepoint_does_not_depend_on_units(scale, rng):
    weights, expected = rng.standard_normal(30), rng.gamma(0.5, 1.0, 30)
    reference = saddlepoint(weights, expected, 12.0)
    assert saddlepoint(scale * weights, expected, scale * 12.0) == pytest.approx(
        reference, rel=1e-6
    )


def test_saddlepoint_of_sums_of_equal_weights_is_that_of_their_sum():
    apart = saddlepoint(np.ones(4), np.array([0.1, 0.4, 2.0, 0.5]), 9.0)
    assert apart == pytest.approx(saddlepoint(np.ones(1), np.array([3.0]), 9.0), rel=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_saddlepoint_of_weighted_sums_against_drawn_ones(sign, rng):
    """A peak on few counts: skewed, so that a normal distribution misses its tail."""
    position = np.arange(60)
    weights = np.exp(-0.5 * ((position - 20) / 3) ** 2) - 0.15
    expected = 0.02 + 0.3 * np.exp(-position / 15)
    counts = rng.poisson(expected, (400_000, 60))
    drawn = np.sort((counts - expected) @ (sign * weights))
    for share in (0.03, 3e-3, 3e-4):
        value = drawn[round((1 - share) * len(drawn))]
        # 120 of them or more, so 9 % of noise; the sums are not on a grid.
        assert probability(sign * weights, expected, value) == pytest.approx(share, rel=0.3)


# --- sums in boxes ----------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1, 2, 3, 6])
@pytest.mark.parametrize("shape", [(17,), (9, 12), (6, 5, 7)])
def test_sums_in_boxes_are_those_of_slices(scale, shape, rng):
    image = rng.poisson(3, shape).astype(float)
    found = box_sum(image, scale)
    for at in np.ndindex(shape):
        box = tuple(slice(max(i - scale // 2, 0), i - scale // 2 + scale) for i in at)
        assert found[at] == pytest.approx(image[box].sum(), abs=1e-4)
    at = tuple(rng.integers(0, n, 4) for n in shape)
    np.testing.assert_allclose(
        box_sums(np.stack([image, 2 * image]), scale, at), [found[at], 2 * found[at]], rtol=1e-5
    )


# --- what clusters explain --------------------------------------------------------------------


def test_the_spectra_of_clusters_are_unmixed_where_they_overlap():
    """Pixels on the border hold both, and their counts go to both."""
    phases = {"a": {"Cu": 50.0, "Ni": 50.0}, "b": {"Cu": 90.0, "Ni": 10.0}}
    inside = np.indices((40, 40))[1] >= 20
    signal = phantom(phases, blurred(inside.astype(int), 2, 1.0), inside.astype(int), 400, 2)
    learning, _ = learned(signal)
    memberships = np.stack([~inside, inside], axis=-1).reshape(-1, 2).astype(float)
    explained = Explained.of(learning, memberships)
    np.testing.assert_allclose(explained.doses.sum(axis=1), learning.pixels.totals, rtol=1e-5)
    spectra = np.array([signal.data[:, :14], signal.data[:, 26:]]).sum(axis=(1, 2), dtype=float)
    used = learning.pixels.channels >= 0
    pure = np.array(
        [np.bincount(learning.pixels.channels[used], spectrum[used]) for spectrum in spectra]
    )
    pure /= pure.sum(axis=1, keepdims=True)
    n = learning.pixels.totals.sum() / 2
    misfit = (explained.shares - pure) ** 2 / np.maximum(pure, 1e-5) * n
    assert misfit.mean() < 4  # of two noisy spectra, 1 + 20 / 14


def test_moments_of_one_count_are_those_of_its_spectrum(rng):
    shares = rng.dirichlet(np.ones(20), 2)
    weights = rng.standard_normal((20, 3))
    means, variances = Explained(np.ones((1, 2)), shares).moments(weights)
    drawn = np.array([weights[rng.choice(20, 200_000, p=share)] for share in shares])
    np.testing.assert_allclose(means, drawn.mean(axis=1), atol=0.02)
    np.testing.assert_allclose(variances, drawn.var(axis=1), rtol=0.03)
