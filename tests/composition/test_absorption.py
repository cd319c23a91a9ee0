import numpy as np
import pytest
import xraylib
from scipy import integrate

from hyperspy_clusterquant.composition.absorption import (
    Absorption,
    absorbed_families,
    absorption_factors,
    consistent_factors,
)
from hyperspy_clusterquant.xrays.attenuation import attenuation_matrix
from hyperspy_clusterquant.xrays.emission import line_families
from hyperspy_clusterquant.xrays.lines import line_energy

JALPAITE = {"Ag": 323.61, "Cu": 63.546, "S": 64.13}


def fractions(masses):
    values = np.array(list(masses.values()))
    return values / values.sum()


@pytest.mark.parametrize(("thickness", "percent"), [(50, 2.4), (100, 4.9), (200, 9.9)])
def test_zinc_to_sulfur_in_a_sulfide(thickness, percent):
    """What neglecting absorption adds to Zn/S in a sulfide of 4.5 g/cm3 at 22 degrees."""
    attenuation = attenuation_matrix(tuple(JALPAITE), np.array([8.63, 2.307]))
    zinc, sulfur = absorption_factors(
        attenuation, fractions(JALPAITE), 4.5 * thickness * 1e-7, 22.0
    )
    assert 100 * (sulfur / zinc - 1) == pytest.approx(percent, rel=0.1)


def test_factor_is_the_mean_transmission_over_the_depth():
    """Independent: the transmission from every depth, integrated numerically."""
    attenuation = attenuation_matrix(("Zn", "S"), np.array([2.307]))
    w = np.array([0.67, 0.33])
    chi = sum(x * xraylib.CS_Total(z, 2.307) for x, z in zip(w, (30, 16), strict=True)) / np.sin(
        np.radians(30)
    )
    rho_t = 4.1 * 300e-7
    mean, _ = integrate.quad(lambda depth: np.exp(-chi * depth * rho_t), 0, 1)
    (factor,) = absorption_factors(attenuation, w, rho_t, 30.0)
    assert factor == pytest.approx(1 / mean)
    assert absorption_factors(attenuation, w, 0.0, 30.0) == 1.0


def test_correction_and_composition_agree():
    """Absorbed intensities lead back to the composition, which the absorption depends on."""
    elements, lines = ("Ag", "Cu", "S"), ("Ag_La", "Cu_Ka", "S_Ka")
    k = np.array([3.08, 2.0, 1.0])
    attenuation = attenuation_matrix(elements, np.array([line_energy(line) for line in lines]))
    truth = fractions(JALPAITE)
    factors = absorption_factors(attenuation, truth, 6.8 * 150e-7, 22.0)
    areas = np.array([1e5 * truth / k / factors, np.zeros(3)])
    found, foil = consistent_factors(areas, k, lines, Absorption((150.0, 90.0), (6.8, None), 22.0))
    corrected = areas[0] * found[0] * k
    np.testing.assert_allclose(corrected / corrected.sum(), truth, rtol=1e-6)
    assert foil.density[0] == 6.8
    # Without counts there is no composition, and nothing to correct.
    assert np.isnan(found[1]).all()
    assert np.isnan(foil.density[1])


def test_a_specimen_too_thick_is_refused_or_settles():
    factors, _ = consistent_factors(
        np.array([[1e3, 1e3]]), np.array([2.0, 1.0]), ("Cu_Ka", "S_Ka"),
        Absorption((5000.0,), (5.0,), 22.0),
    )  # fmt: skip
    assert np.isfinite(factors).all()


def test_m_beta_is_absorbed_beside_m_alpha():
    """Tungsten in silicon: M beta, just below the edge of silicon, is absorbed as it should be."""
    families = line_families("W_Ma", 200.0)
    fractions, depth = np.array([0.7, 0.3]), 5e-4
    absorbed = absorbed_families(families, ("W", "Si"), fractions, depth, 20.0)
    by_name = {f.alpha: (f, a) for f, a in zip(families, absorbed, strict=True)}
    strongest = {}
    for name in ("W_Ma", "W_Mb"):
        before, after = by_name[name]
        place = np.argmax(before.weights)
        energy = before.energies[place]
        mu = fractions @ [xraylib.CS_Total(74, energy), xraylib.CS_Total(14, energy)]
        chi = mu * depth / np.sin(np.radians(20.0))
        strongest[name] = ((1 - np.exp(-chi)) / chi, after.weights[place] / before.weights[place])
    expected = strongest["W_Mb"][0] / strongest["W_Ma"][0]
    assert strongest["W_Mb"][1] / strongest["W_Ma"][1] == pytest.approx(expected, rel=1e-3)
    assert expected != pytest.approx(1, abs=0.01)
