import numpy as np
import pytest
import simulation

from hyperspy_clusterquant import theoretical_kfactors
from hyperspy_clusterquant.composition.calibration import PRIOR, area_covariance, calibrate
from hyperspy_clusterquant.composition.peaks import Design, Scale
from hyperspy_clusterquant.xrays.emission import line_families

ENERGY = 0.01 * np.arange(110, 1200)
COMPOSITION = simulation.SIX_CATION["remnant"]
LINES = [simulation.quantified_line(element) for element in COMPOSITION]
KFACTORS = theoretical_kfactors(LINES)


def simulated(**scale):
    return simulation.spectrum(ENERGY, COMPOSITION, KFACTORS, **scale)


@pytest.fixture(scope="module")
def design():
    alphas = [*LINES, "Zn_La"]
    families = [f for alpha in alphas for f in line_families(alpha, 200.0)]
    return Design(ENERGY, tuple(families), Scale(), 200.0)


@pytest.mark.parametrize(
    ("offset", "gain", "resolution"),
    [(0.008, 0.001, 136.0), (-0.030, 0.0, 130.0), (0.0, -0.004, 145.0), (0.0, 0.0, 122.0)],
)
def test_scale_is_found(design, offset, gain, resolution):
    counts = 1e7 * simulated(offset=offset, gain=gain, resolution=resolution)
    found = calibrate(counts, counts, design, Scale())
    expected = 1000 * (offset + gain * ENERGY)
    inside = ENERGY > 2
    np.testing.assert_allclose(found.shift(ENERGY)[inside], expected[inside], atol=0.6)
    assert found.scale.resolution == pytest.approx(resolution, abs=0.5)
    assert not found.at_bound


def test_scale_scatters_as_stated(design, rng):
    mean = 3e4 * simulated(offset=0.005, resolution=134.0)
    pulls = []
    for _ in range(60):
        counts = rng.poisson(mean).astype(float)
        found = calibrate(counts, counts, design, Scale())
        gradient = np.array([1000, 1000 * 5, 1000 * np.exp(-5 / 0.4), 0])
        shift_std = np.sqrt(gradient @ found.covariance @ gradient)
        pulls.append(
            [
                (found.shift(5.0) - 5.0) / shift_std,
                (found.scale.resolution - 134.0) / np.sqrt(found.covariance[3, 3]),
            ]
        )
    assert np.abs(np.mean(pulls, axis=0)).max() < 0.5
    np.testing.assert_allclose(np.std(pulls, axis=0), 1.0, atol=0.25)


def test_weak_spectra_stay_with_the_metadata(design, rng):
    counts = rng.poisson(60 * simulated()).astype(float)
    found = calibrate(counts, counts, design, Scale(resolution=140.0))
    assert abs(found.shift(3.0)) < 25
    assert abs(found.scale.resolution - 140) < 2 * PRIOR[3]
    assert np.sqrt(found.covariance[0, 0]) < 1.01 * PRIOR[0]


def test_far_off_is_bounded(design):
    counts = 1e6 * simulated(offset=0.15)
    found = calibrate(counts, counts, design, Scale())
    assert np.abs(found.shift(ENERGY)).max() < 250
    assert found.at_bound


def test_areas_know_of_the_scales_uncertainty(design, rng):
    """Ag and Cd depend on the width of their peaks; repeated, they scatter as stated."""
    mean = 1e5 * simulated(resolution=133.0)
    names = [family.alpha for family in design.families]
    chosen = [names.index("Ag_La"), names.index("Cd_La")]
    found, stated, without = [], [], []
    for _ in range(80):
        counts = rng.poisson(mean).astype(float)
        c = calibrate(counts, counts, design, Scale())
        found.append(c.fit.areas[chosen])
        stated.append(np.diag(area_covariance(c.fit, c))[chosen])
        without.append(np.diag(c.fit.covariance)[chosen])
    ratio = np.var(found, axis=0) / np.mean(stated, axis=0)
    np.testing.assert_allclose(ratio, 1.0, atol=0.4)
    assert (np.array(stated) > np.array(without)).all()


def test_empty_spectrum(design):
    found = calibrate(np.zeros(len(ENERGY)), np.zeros(len(ENERGY)), design, Scale())
    assert found.scale == Scale()
