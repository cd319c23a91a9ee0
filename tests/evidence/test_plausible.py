"""Changes that are no chemistry, against transmissions that are written down here."""

import numpy as np
import pytest
import xraylib

from hyperspy_clusterquant.composition.fitting import LinearFit
from hyperspy_clusterquant.evidence.plausible import (
    GAIN_DRIFT,
    OFFSET_DRIFT,
    THICKEST,
    UNKNOWN,
    UNSEEN,
    PlausibleChanges,
    changes_of_lines,
)
from hyperspy_clusterquant.xrays.emission import Family

ENERGY = np.linspace(0.2, 3.0, 701)
#: Alumina: energies in keV, counts, weight fractions, k-factors that give these.
LINES = {"O_Ka": 0.525, "Al_Ka": 1.487}
AREAS, FRACTIONS = np.array([20_000.0, 50_000.0]), np.array([0.471, 0.529])


def peak(position, width=0.03):
    shape = np.exp(-0.5 * ((ENERGY - position) / width) ** 2)
    return shape / shape.sum()


@pytest.fixture
def changes():
    columns = np.array([*map(peak, LINES.values()), np.full(len(ENERGY), 1 / len(ENERGY))])
    families = tuple(Family(n, np.array([e]), np.array([1.0])) for n, e in LINES.items())
    absorbers = {"O": (0, FRACTIONS[0] / AREAS[0]), "Al": (1, FRACTIONS[1] / AREAS[1])}
    fit = LinearFit(columns, np.linalg.pinv(columns.T), [0, 1])
    return PlausibleChanges(ENERGY, fit, families, absorbers, 3.95, 22.0)


def spectrum(changes, areas=AREAS, background=7000.0):
    return np.r_[areas, background] @ changes.fit.columns


def depth(energy, thickness):
    """Optical depth of alumina, with a composition by weight."""
    mu = sum(w * xraylib.CS_Total(z, energy) for w, z in zip(FRACTIONS, (8, 13), strict=True))
    return mu * 3.95 * thickness * 1e-7 / np.sin(np.deg2rad(22))


def transmission(x):
    return -np.expm1(-x) / x


def test_a_thicker_foil_is_among_the_changes(changes):
    """Logarithms of the lines, to second order, from 0 to a part of the thickest foil."""
    of = changes.of(spectrum(changes), 0.5)
    areas = of @ changes.fit.operator[:2].T
    first, second = areas[2] / AREAS, areas[4] / AREAS
    share = (0.5 + UNSEEN) * THICKEST
    x = np.array([depth(e, share) for e in LINES.values()])
    np.testing.assert_allclose(first, x / 2, rtol=1e-6)
    # The second order is of the square of the thickness, of which the first takes one.
    known = -first + second * share / THICKEST
    np.testing.assert_allclose(known, np.log(transmission(x)), atol=0.01)
    assert np.log(transmission(x))[0] < -0.3  # of oxygen, there is something to see


def test_a_thicker_foil_is_among_the_linear_changes(changes):
    of = changes.of(spectrum(changes), 0.05, linear=True)
    areas = of @ changes.fit.operator[:2].T / AREAS
    share = (0.05 + UNSEEN) * THICKEST
    x = np.array([depth(e, share) for e in LINES.values()])
    known = -areas[2] + areas[4] * share / THICKEST
    np.testing.assert_allclose(known, transmission(x) - 1, atol=2e-4)


def test_what_is_not_known_of_attenuation_is_a_change_of_each_line(changes):
    of = changes.of(spectrum(changes), 1.0) @ changes.fit.operator[:2].T / AREAS
    np.testing.assert_allclose(of[6:], UNKNOWN * np.diag(of[2]), atol=1e-9)


def test_drift_moves_the_spectrum(changes):
    """Against the same peaks at other energies."""
    of = changes.of(spectrum(changes), 0.0)
    for row, moved in ((0, lambda e: e + OFFSET_DRIFT), (1, lambda e: e * (1 + GAIN_DRIFT))):
        at = moved(ENERGY)
        known = sum(
            a
            * np.exp(-0.5 * ((at - e) / 0.03) ** 2)
            / np.exp(-0.5 * ((ENERGY - e) / 0.03) ** 2).sum()
            for a, e in zip(AREAS, LINES.values(), strict=True)
        )
        known = known + 7000 / len(ENERGY) - spectrum(changes)
        assert np.corrcoef(of[row], known)[0, 1] > 0.99
        assert np.abs(of[row]).max() == pytest.approx(np.abs(known).max(), rel=0.1)


def test_without_absorbers_there_is_drift_only(changes):
    without = PlausibleChanges(ENERGY, changes.fit, changes.families, {})
    assert without.of(spectrum(changes), 0.5).shape == (2, len(ENERGY))
    nothing = changes.of(np.zeros(len(ENERGY)), 0.5)
    assert not nothing.any()


def test_more_difference_of_the_dose_is_more_absorption(changes):
    small, large, all_of_it = (changes.of(spectrum(changes), d)[2] for d in (0.0, 0.45, 3.0))
    np.testing.assert_allclose(large, small * (0.45 + UNSEEN) / UNSEEN, atol=1e-12)
    np.testing.assert_allclose(all_of_it, small / UNSEEN, atol=1e-12)


def test_changes_of_lines_alone():
    found = changes_of_lines(["Al_Ka", "Ni_Ka", "Ni_La"], np.array([2e4, 3.5e4, 3e4]), 200.0, 22.0)
    assert found.shape == (5, 3)
    first, second, *unknown = found
    assert first[0] > first[2] > 10 * first[1]  # Al K is what Ni absorbs most
    np.testing.assert_allclose(second, (2 * first) ** 2 / 24)
    np.testing.assert_allclose(unknown, UNKNOWN * np.diag(first))
    assert changes_of_lines(["Al_Ka", "Ni_Ka"], np.zeros(2), 200.0, 22.0).shape == (0, 2)
    assert changes_of_lines(["Al_Ka", "Ni_Ka"], np.ones(2), 200.0, np.nan).shape == (0, 2)
