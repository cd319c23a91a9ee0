import numpy as np
import pytest
import xraylib

from hyperspy_clusterquant.xrays.attenuation import density_of, mass_attenuation


@pytest.mark.parametrize(
    ("elements", "masses", "density"),
    [
        (("Cu",), (1.0,), 8.96),
        (("Zn", "S"), (65.38, 32.06), 4.09),
        (("Cd", "S"), (112.41, 32.06), 4.82),
        (("Fe", "O"), (2 * 55.845, 3 * 15.999), 5.24),
        (("Ti", "O"), (47.867, 2 * 15.999), 4.23),
    ],
)
def test_estimated_densities_of_minerals(elements, masses, density):
    w = np.array(masses) / np.sum(masses)
    assert density_of(elements, w) == pytest.approx(density, rel=0.25)


def test_mass_attenuation_of_one_and_many():
    many = mass_attenuation("Cu", np.array([[2.3, 8.0]]))
    assert many.shape == (1, 2)
    assert many[0, 1] == xraylib.CS_Total(29, 8.0)
    assert mass_attenuation("Cu", 2.3).shape == ()
