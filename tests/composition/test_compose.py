import numpy as np
import pytest
import xraylib

from hyperspy_clusterquant.composition.absorption import Absorption
from hyperspy_clusterquant.composition.compose import (
    amount_per_count,
    atomic_percent,
    compose,
    pixel_percent,
    pixel_weights,
)
from hyperspy_clusterquant.composition.fitting import LinearFit
from hyperspy_clusterquant.composition.intensities import Intensities
from hyperspy_clusterquant.xrays.kfactors import KFactors

LINES = ("Cu_Ka", "Fe_Ka", "S_Ka")
MASSES = np.array([xraylib.AtomicWeight(z) for z in (29, 26, 16)])
K = KFactors({"Cu_Ka": 1.9, "Fe_Ka": 1.4, "S_Ka": 1.0}, {"Cu_Ka": 0.1})
#: CuFeS2, in counts.
AREAS = 1000 * np.array([1.0, 1.0, 2.0]) * MASSES / np.array([1.9, 1.4, 1.0])


def intensities(areas, unconstrained=None):
    areas = np.atleast_2d(areas)
    covariances = np.array([np.diag(np.maximum(own, 1)) for own in np.nan_to_num(areas)])
    return Intensities(LINES, areas, areas if unconstrained is None else unconstrained, covariances)


def test_composition_of_chalcopyrite():
    found = compose(intensities([AREAS, 2 * AREAS]), K, sublattices=[("Cu", "Fe")])
    np.testing.assert_allclose(found.atomic_percent, [[25, 25, 50]] * 2, rtol=1e-4)
    masses = np.array([1, 1, 2]) * MASSES
    np.testing.assert_allclose(found.weight_percent[0], 100 * masses / masses.sum(), rtol=1e-4)
    np.testing.assert_allclose(found.configurational_entropy, 0.5 * np.log(2), rtol=1e-4)
    # With x = 1/4, a relative uncertainty u of k moves x by x (1 - x) u.
    std = np.sqrt(np.diag(found.covariance_kfactor[0]))
    np.testing.assert_allclose(std, [100 * 0.25 * 0.75 * 0.1, 0.625, 1.25], rtol=1e-3)
    # Twice the counts, half the variance.
    ratio = found.covariance_counting[0] / found.covariance_counting[1]
    np.testing.assert_allclose(ratio, 2, rtol=1e-6)
    assert found.absorption is None
    assert (found.absorption_factors == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        found.atomic_percent[0] = 0


def test_composition_in_a_foil():
    foil = Absorption((100.0, 200.0), (4.2, None), 22.0)
    found = compose(intensities([AREAS, AREAS]), K, foil)
    assert (found.absorption_factors[:, 2] > found.absorption_factors[:, 0]).all()
    assert (found.atomic_percent[:, 2] > 50.5).all()
    assert found.absorption.density[0] == 4.2
    assert 3 < found.absorption.density[1] < 7


def test_spectra_without_lines_have_no_composition():
    nothing = np.full(3, np.nan)
    held = np.array([AREAS, nothing, [1.0, 0.0, 0.0]])
    found = compose(intensities(held), K, sublattices=[("Cu", "Fe")])
    assert np.isfinite(found.atomic_percent[0]).all()
    assert np.isnan(found.atomic_percent[1]).all()
    # One count is a composition, but not one whose entropy is known.
    np.testing.assert_allclose(found.atomic_percent[2], [100, 0, 0])
    np.testing.assert_array_equal(np.isfinite(found.configurational_entropy), [True, False, False])


def test_a_single_composition_is_that_of_the_table():
    own = intensities(AREAS)
    percent, covariance = atomic_percent(AREAS, own.covariances[0], LINES, K)
    table = compose(own, K)
    np.testing.assert_array_equal(percent, table.atomic_percent[0])
    np.testing.assert_array_equal(covariance, table.covariance_counting[0])
    # Areas of single splits may be negative.
    assert atomic_percent(AREAS * [1, 1, -0.1], own.covariances[0], LINES, K)[0][2] < 0


def test_every_pixel(rng):
    per_count = amount_per_count(LINES, K, "atomic")
    np.testing.assert_allclose(amount_per_count(LINES, K, "weight") / per_count, MASSES, rtol=1e-4)
    # Three lines and a channel of background, which one of the weights takes off.
    operator = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -1], [0, 0, 0, 1.0]])
    weights = pixel_weights(LinearFit(np.eye(4), operator, [0, 1, 2]), per_count)
    labels = np.array([[0, 1], [-1, -2], [0, 0]])
    counts = np.full((6, 4), [*AREAS, 0.0])
    counts[:, 2:] += 500
    counts[4] = 0
    factors = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.2]])
    found = pixel_percent(weights @ counts.T, per_count, labels, factors)
    assert found.shape == (3, 3, 2)
    sulfur = found[2]
    assert sulfur[0, 0] == pytest.approx(50, rel=1e-4)
    assert sulfur[0, 1] == pytest.approx(100 * 1.2 / 2.2, rel=1e-4)
    assert sulfur[1, 0] == pytest.approx(100 * 1.1 / 2.1, rel=1e-4)  # noise: mean of the clusters
    assert np.isnan(sulfur[1, 1])  # left out
    assert np.isnan(sulfur[2, 0])  # no counts
    # The last row is the variance of the amount of all elements.
    thin = rng.poisson(counts[0] / 10, (4000, 4)) @ weights.T
    assert np.var(thin[:, :3] @ per_count) == pytest.approx(thin[:, 3].mean(), rel=0.1)


def test_pixels_of_no_cluster_beside_a_cluster_without_counts():
    factors = np.array([[1.0, 1.0, 1.3], [np.nan] * 3])
    sums = np.array([[*AREAS, 1.0]]).T
    found = pixel_percent(sums, amount_per_count(LINES, K, "atomic"), np.array([-1]), factors)
    assert found[2, 0] == pytest.approx(100 * 1.3 / 2.3, rel=1e-4)
