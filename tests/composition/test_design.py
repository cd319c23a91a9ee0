import numpy as np
import pytest
from scipy import special

from hyperspy_clusterquant.composition.design import CURVE_AT, Design, Scale, is_lone, lone_peak
from hyperspy_clusterquant.xrays.emission import Family

ENERGY = 0.01 * np.arange(50, 1500)
IRON = Family("Fe_Ka", np.array([6.40, 7.06]), np.array([1.0, 0.13]))


def test_a_curved_axis_keeps_the_counts_of_its_peaks():
    curve = tuple(0.004 * np.sin(1.2 * CURVE_AT))
    straight, curved = (Design(ENERGY, (IRON,), Scale(curve=c), 200.0) for c in ((), curve))
    assert curved.profiles.sum() == pytest.approx(straight.profiles.sum(), rel=1e-6)
    place = [float(ENERGY @ of.profiles[0] / of.profiles[0].sum()) for of in (straight, curved)]
    expected = -np.average(np.interp(IRON.energies, CURVE_AT, curve), weights=IRON.weights)
    assert place[1] - place[0] == pytest.approx(expected, abs=2e-4)
    assert curved.true_energy[0] == pytest.approx(ENERGY[0] + np.interp(ENERGY[0], CURVE_AT, curve))


def test_a_lone_peak_stays_in_its_channels():
    design = Design(ENERGY, (IRON, lone_peak(3.0)), Scale(), 200.0)
    moved = design.with_scale(Scale(offset=0.05, gain=0.002))
    np.testing.assert_allclose(moved.profiles[1], design.profiles[1], atol=1e-3)
    assert is_lone(moved.families[1])
    assert moved.families[1].energies[0] == pytest.approx(3.0 * 1.002 + 0.05)
    # Those of elements do not: their energies are known.
    assert np.abs(moved.profiles[0] - design.profiles[0]).max() > 0.01


@pytest.mark.parametrize("tail", [0.02, 0.1])
def test_tails_lie_below(tail):
    """The share of a peak that a convolution, done numerically, has below it."""
    fine = np.arange(5.0, 7.0, 1e-3)
    sigma = np.sqrt(130**2 + 2500 * (6.4 - 5.8987)) / 1000 / 2.35482
    length = 1.5 * 2.35482 * sigma
    below = np.where(fine <= 6.4, np.exp(-(6.4 - fine) / length) / length, 0.0) * 1e-3
    kernel = np.exp(-0.5 * ((fine - 6.0) / sigma) ** 2) * 1e-3 / (sigma * np.sqrt(2 * np.pi))
    convolved = np.convolve(below, kernel, mode="same")
    centre = fine[np.argmin(np.abs(fine - 6.0))]
    assert centre == pytest.approx(6.0)
    line = Family("X_Ka", np.array([6.4]), np.array([1.0]))
    profile = Design(ENERGY, (line,), Scale(tail=tail), 200.0).profiles[0]
    found = profile[(ENERGY > 5.6) & (ENERGY < 6.2)].sum()
    gauss = special.ndtr((6.195 - 6.4) / sigma) - special.ndtr((5.605 - 6.4) / sigma)
    inside = (fine > 5.605) & (fine < 6.195)
    expected = (1 - tail) * gauss + tail * convolved[inside].sum() / convolved.sum()
    assert found == pytest.approx(expected, rel=0.04)


def test_the_background_is_that_of_the_nominal_axis():
    design = Design(ENERGY, (), Scale(), 200.0)
    moved = design.with_scale(Scale(offset=-0.15, bend=-0.06))
    np.testing.assert_array_equal(design.background, moved.background)
    low = Design(0.005 * np.arange(24, 400), (), Scale(offset=-0.15), 200.0)
    assert np.isfinite(low.background).all()


def test_a_lone_peak_beyond_the_end_stays_there():
    design = Design(ENERGY, (lone_peak(0.44),), Scale(), 200.0)
    same = design.with_scale(Scale())
    assert same.families[0].energies[0] == pytest.approx(0.44)
    assert design.with_scale(Scale(offset=0.03)).families[0].energies[0] == pytest.approx(0.47)
