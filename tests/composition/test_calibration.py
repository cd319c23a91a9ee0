import numpy as np
import pytest
import simulation
from scipy import special

from hyperspy_clusterquant import theoretical_kfactors
from hyperspy_clusterquant.composition.calibration import (
    PRIOR,
    area_covariance,
    calibrate,
    nearest_scale,
)
from hyperspy_clusterquant.composition.design import CURVE_AT, Design, Scale
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
    """Axes drawn from what is known before: an offset, and a curve of some eV."""
    distance = CURVE_AT[:, None] - CURVE_AT
    correlated = np.linalg.cholesky(np.exp(-(distance**2) / 2) + 1e-9 * np.eye(len(CURVE_AT)))
    at_five = np.array([1000, 5000, 1000 * np.exp(-5 / 0.4), 0, 0, *1000.0 * (CURVE_AT == 5.0)])
    pulls = []
    for _ in range(60):
        curve = 0.003 * correlated @ rng.normal(size=len(CURVE_AT))
        true = ENERGY + np.interp(ENERGY, CURVE_AT, curve)
        mean = 3e4 * simulation.spectrum(true, COMPOSITION, KFACTORS, offset=0.005, resolution=134)
        counts = rng.poisson(mean).astype(float)
        found = calibrate(counts, counts, design, Scale())
        shift_std = np.sqrt(at_five @ found.covariance @ at_five)
        pulls.append(
            [
                (found.shift(5.0) - 5.0 - 1000 * curve[5]) / shift_std,
                (found.scale.resolution - 134.0) / np.sqrt(found.covariance[3, 3]),
            ]
        )
    assert np.abs(np.mean(pulls, axis=0)).max() < 0.5
    np.testing.assert_allclose(np.std(pulls, axis=0), 1.0, atol=0.25)


@pytest.mark.parametrize("amplitude", [0.002, 0.004])
def test_an_axis_that_is_not_linear_is_followed_where_there_are_peaks(design, amplitude):
    """A sine of some eV; between the peaks nobody knows it, and the stated error says so."""
    families = [(f.energies, f.weights, 2e5) for f in design.families]
    edges = ENERGY[0] + 0.01 * (np.arange(len(ENERGY) + 1) - 0.5)
    counts = np.full(len(ENERGY), 200.0)
    for energies, weights, area in families:
        for centre, weight in zip(energies, weights, strict=True):
            sigma = np.sqrt(130**2 + 2500 * (centre - 5.8987)) / 1000 / 2.35482
            at = centre + amplitude * np.sin(1.2 * centre)
            counts += area * weight * np.diff(special.ndtr((edges - at) / sigma))
    found = calibrate(counts, counts, design, Scale())
    strong = np.array([f.energies[np.argmax(f.weights)] for f in design.families])
    strong = strong[strong > ENERGY[0]]
    expected = -1000 * amplitude * np.sin(1.2 * strong)
    np.testing.assert_allclose(found.shift(strong), expected, atol=0.5)
    between = np.array([4.6, 11.5])
    columns = np.array([np.interp(between, CURVE_AT, one) for one in np.eye(len(CURVE_AT))])
    gradient = np.vstack(
        [np.ones(2), between, np.exp(-between / 0.4), np.zeros((2, 2)), columns]
    )  # of offset, gain, bend, resolution, tail, curve
    std = 1000 * np.sqrt(np.diag(gradient.T @ found.covariance @ gradient))
    error = found.shift(between) + 1000 * amplitude * np.sin(1.2 * between)
    assert (np.abs(error) < 2.5 * std).all()
    # Beyond the last line it is as unknown as before.
    assert std[1] > 3


@pytest.mark.parametrize("tail", [0.0, 0.02, 0.08])
def test_low_energy_tails_are_found(design, tail):
    """A share of each peak lies exponentially below it; drawn, not calculated."""
    rng = np.random.default_rng(3)
    counts = np.histogram(rng.uniform(1.1, 12, 300_000), ENERGY[0] + 0.01 * np.arange(-0.5, 1090))[
        0
    ]
    for f in design.families:
        drawn = rng.choice(f.energies, 400_000, p=f.weights / f.weights.sum())
        sigma = np.sqrt(130**2 + 2500 * (drawn - 5.8987)) / 1000 / 2.35482
        below = rng.exponential(1.5 * 2.35482 * sigma) * (rng.random(len(drawn)) < tail)
        seen = drawn - below + sigma * rng.normal(size=len(drawn))
        counts = counts + np.histogram(seen, ENERGY[0] + 0.01 * np.arange(-0.5, 1090))[0]
    counts = counts[: len(ENERGY)].astype(float)
    found = calibrate(counts, counts, design, Scale())
    std = np.sqrt(found.covariance[4, 4])
    assert found.scale.tail == pytest.approx(tail, abs=4 * std)
    assert std < 0.004
    inside = [f.energies.min() > ENERGY[0] for f in design.families]
    expected = np.array([400_000 / f.weights.sum() for f in design.families])
    np.testing.assert_allclose(found.fit.areas[inside], expected[inside], rtol=0.005)


def test_one_strong_peak_that_nobody_declared_does_not_move_the_axis(design):
    """Of seven elements the strongest is forgotten: the axis is right, and stays."""
    forgotten = [f for f in design.families if f.element != "S"]
    counts = 1e6 * simulated()
    fewer = design.with_families(forgotten)
    assert nearest_scale(counts, counts, fewer) == fewer.scale
    off = 1e6 * simulated(offset=-0.08)
    assert nearest_scale(off, off, fewer).offset == pytest.approx(-0.08, abs=0.02)


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


def test_error_bars_grow_where_the_counts_are_not_described(design, rng):
    """A shoulder beside sulfur that is in no line: sulfur's error grows, that of zinc does not."""
    names = [family.alpha for family in design.families]
    chosen = [names.index("S_Ka"), names.index("Zn_Ka")]
    mean = 1e6 * simulated()
    shoulder = 4e3 * np.exp(-0.5 * ((ENERGY - 2.55) / 0.02) ** 2)

    def stated(counts):
        found = calibrate(counts, counts, design, Scale())
        return np.sqrt(np.diag(area_covariance(found.fit, found)))[chosen]

    clean = stated(rng.poisson(mean).astype(float))
    odd = stated(rng.poisson(mean + shoulder).astype(float))
    assert odd[0] > 2 * clean[0]
    assert odd[1] == pytest.approx(clean[1], rel=0.1)
