import numpy as np
import pytest
import simulation
import xraylib

from hyperspy_clusterquant import theoretical_kfactors
from hyperspy_clusterquant.composition.absorption import Absorption
from hyperspy_clusterquant.composition.intensities import (
    LineChoice,
    measure,
    measure_absorbed,
    measure_windows,
)

ENERGY = 0.01 * np.arange(1, 1201)
COMPOSITION = simulation.SIX_CATION["chalcopyrite"]
LINES = tuple(simulation.quantified_line(element) for element in COMPOSITION)
K = theoretical_kfactors(LINES)
CHOICE = LineChoice(ENERGY, LINES, ("C",), 130.0, 200.0)
MEAN = simulation.spectrum(ENERGY, COMPOSITION, K)


def expected_shares():
    """Of the counts of all lines, from the composition and the k-factors by weight."""
    z = [xraylib.SymbolToAtomicNumber(element) for element in COMPOSITION]
    masses = np.array(list(COMPOSITION.values())) * [xraylib.AtomicWeight(n) for n in z]
    counts = masses / [K[line] for line in LINES]
    return counts / counts.sum()


def test_areas_of_lines_need_no_kfactors(rng):
    counts = np.array([1e6 * MEAN, 3e5 * MEAN])
    measured = measure(counts, counts, CHOICE)
    assert measured.lines == LINES
    for areas in measured.areas:
        np.testing.assert_allclose(areas / areas.sum(), expected_shares(), rtol=0.01, atol=2e-4)
    np.testing.assert_allclose(measured.areas[0] / measured.areas[1], 10 / 3, rtol=1e-3, atol=0.2)
    variances = np.array([np.diag(covariance) for covariance in measured.covariances])
    np.testing.assert_allclose(measured.std**2, variances)
    assert not measured.unexplained
    # The strong carbon of the film is not looked at.
    assert ENERGY[measured.used][0] == pytest.approx(1.1)
    with pytest.raises(ValueError, match="read-only"):
        measured.areas[0] = 0


def test_where_it_is_fitted_follows_the_lines():
    low = LineChoice(ENERGY, ("O_Ka", "Ti_Ka"), (), 130.0, 200.0)
    counts = np.ones((1, len(ENERGY)))
    # Low enough for the carbon of a film, which nobody need declare.
    assert ENERGY[measure(counts, counts, low).used][0] == pytest.approx(0.2)
    slow = LineChoice(ENERGY, ("S_Ka", "Ti_Ka"), (), 130.0, 10.0)
    assert slow.highest == 10.0
    assert ENERGY[measure(counts, counts, slow).used][-1] == pytest.approx(9.8)
    assert LineChoice(ENERGY, ("S_Ka", "Ti_Ka"), (), 130.0, None).highest == ENERGY[-1]


@pytest.mark.parametrize(
    ("element", "offset", "step", "n"),
    # lead's and bismuth's L-l lines at 9.2 and 9.4 keV, their L-alpha at 10.6 and 10.8 keV; the
    # K-alpha doublet of rhodium at 20.1 and 20.2 keV, of tin at 25.0 and 25.3 keV
    [("Pb", 0.0, 0.01, 1024), ("Bi", 0.0, 0.01, 1024), ("Rh", -0.25, 0.02, 1024),
     ("Sn", 0.0, 0.04, 1024)],
)  # fmt: skip
def test_lines_of_declared_elements_whose_alpha_line_lies_above_the_fit(element, offset, step, n):
    """They belong to these elements, and are no others'."""
    energy = offset + step * np.arange(n)
    counts = 500 * np.exp(-np.maximum(energy, 0) / 4) * (energy > 0.1)
    shells = {"Rh": "KL", "Sn": "KL"}.get(element, "LM")
    for shell in shells:
        counts = counts + 3e5 * simulation.family(energy, element, shell, 130.0)
    counts = np.rint(counts + 2e5 * simulation.family(energy, "Fe", "K", 130.0))[None]
    alpha = f"{element}_{shells[1]}a"
    found = measure(counts, counts, LineChoice(energy, (alpha, "Fe_Ka"), (), 130.0, 200.0))
    assert not found.unexplained
    np.testing.assert_allclose(found.areas, [[3e5, 2e5]], rtol=0.01)


@pytest.mark.parametrize("beam_energy", [200.0, 15.0])
@pytest.mark.parametrize(("offset", "step", "n"), [(-0.25, 0.005, 4096), (0.0, 0.01, 2048)])
@pytest.mark.parametrize("pair", ["BN", "BC", "BO", "CN", "NO", "BF", "CF"])
def test_light_elements(pair, offset, step, n, beam_energy):
    """On an axis with channels down to the noise, and below zero."""
    energy = offset + step * np.arange(n)
    counts = np.zeros(n)
    for element, area in zip((*pair, "Cu"), (2e5, 1e5, 5e4), strict=True):
        counts = counts + area * simulation.family(energy, element, "K", 130.0)
    background = np.exp(-((0.3 / np.maximum(energy, 0.05)) ** 2)) / np.maximum(energy, 0.05)
    counts = np.rint(counts + 1e5 * background / background.sum())[None]
    lines = tuple(f"{element}_Ka" for element in pair)
    found = measure(counts, counts, LineChoice(energy, lines, ("Cu",), 130.0, beam_energy))
    np.testing.assert_allclose(found.areas, [[2e5, 1e5]], rtol=0.02)
    assert np.isfinite(found.std).all()


def test_a_linear_map_gives_the_areas_of_other_counts(rng):
    counts = rng.poisson(1e6 * MEAN)[None].astype(float)
    measured = measure(counts, counts, CHOICE)
    linear = measured.linear()
    assert linear.weights.shape == (len(LINES), len(ENERGY))
    assert not linear.weights[:, ~measured.used].any()
    areas, covariance = linear.areas(counts[0])
    strong = measured.areas[0] > 1000
    np.testing.assert_allclose(areas[strong], measured.areas[0][strong], rtol=5e-3)
    # Of counts a hundredth as many, too, which no fit of their own would tell apart.
    thin = rng.poisson(1e4 * MEAN, (300, len(ENERGY))) @ linear.weights.T
    std = np.sqrt(np.diag(covariance)) / 10
    np.testing.assert_allclose(thin.std(axis=0), std, rtol=0.15)
    assert (np.abs(thin.mean(axis=0) - areas / 100)[strong] < 4 * std[strong] / np.sqrt(300)).all()


def test_an_empty_spectrum_beside_others_has_no_areas():
    counts = np.array([1e6 * MEAN, 0 * MEAN])
    measured = measure(counts, counts, CHOICE)
    assert np.isfinite(measured.areas[0]).all()
    assert np.isnan(measured.areas[1]).all()
    assert np.isfinite(measured.linear().weights).all()
    empty = measure(counts[1:], counts[1:], CHOICE)
    assert np.isnan(empty.areas).all()
    with pytest.raises(ValueError, match=r"no counts from 1.1 to 12 keV, where the lines are"):
        empty.linear()


def test_families_as_a_foil_leaves_them():
    """Some of copper's L lines lie above its L edge, and are absorbed more than the others."""
    shells = (("Cu", "L"), ("Cu", "K"), ("O", "K"))
    lines = sum(simulation.family(ENERGY, element, shell, 130.0) for element, shell in shells)
    background = (200 - ENERGY) / ENERGY
    counts = (1e6 * lines / lines.sum() + 2e5 * background / background.sum())[None]
    choice = LineChoice(ENERGY, ("O_Ka", "Cu_La"), (), 130.0, 200.0)
    measured = measure(counts, counts, choice)
    k = np.array(list(theoretical_kfactors(choice.lines).values()))
    thin = measure_absorbed(measured, counts, k, Absorption((0.1,), (6.0,), 22.0))
    np.testing.assert_allclose(thin.areas, measured.areas, rtol=1e-3)
    thick = measure_absorbed(measured, counts, k, Absorption((500.0,), (None,), 22.0))
    assert thick.areas[0, 1] / measured.areas[0, 1] == pytest.approx(1.09, abs=0.02)
    assert thick.calibration == measured.calibration
    nothing = measure(0 * counts, 0 * counts, choice)
    again = measure_absorbed(nothing, 0 * counts, k, Absorption((500.0,), (None,), 22.0))
    assert np.isnan(again.areas).all()


def test_windows_give_the_same_class():
    peak = np.where(np.abs(ENERGY - 2.3) < 0.1, 30.0, 10.0)
    choice = LineChoice(ENERGY, ("S_Ka", "Fe_Ka"), (), 130.0, None)
    peaks = np.array([[2.1, 2.5], [6.2, 6.6]])
    beside = np.array([[1.6, 1.9, 2.7, 3.0], [5.8, 6.1, 6.7, 7.0]])
    measured = measure_windows(peak[None], peak[None], choice, peaks, beside)
    channels = np.count_nonzero(peak > 10)
    np.testing.assert_allclose(measured.areas[0], [20.0 * channels, 0], atol=1e-9)
    assert (measured.std > 0).all()
    assert measured.fits == ()
    assert measured.calibration is None
