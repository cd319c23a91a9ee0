import numpy as np
import pytest
import simulation
from scipy import integrate, stats

from hyperspy_clusterquant.xrays.emission import alpha_emission
from hyperspy_clusterquant.xrays.profiles import (
    channel_edges,
    element_profiles,
    family_profiles,
    peak_profile,
)

ENERGY = 0.2 + 0.01 * np.arange(1200)


def test_edges_lie_between_the_channels():
    np.testing.assert_allclose(channel_edges(np.array([1.0, 1.5, 2.0])), [0.75, 1.25, 1.75, 2.25])


def test_a_peak_is_a_normal_distribution_over_the_channels():
    """At manganese the width is the resolution; the mean of the channel, not its middle."""
    energy = 5.0 + 0.1 * np.arange(20)
    found = peak_profile(channel_edges(energy), np.array([5.8987]), np.array([1000.0]), 130.0)
    normal = stats.norm(5.8987, 0.130 / 2.354820)
    expected = [1000 * integrate.quad(normal.pdf, e - 0.05, e + 0.05)[0] for e in energy]
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert found.sum() == pytest.approx(1000)


def test_lines_of_a_family_add_up():
    energies, weights = np.array([6.4, 7.06]), np.array([1.0, 0.14])
    edges = channel_edges(ENERGY)
    both = peak_profile(edges, energies, weights, 130.0)
    each = [peak_profile(edges, energies[i : i + 1], weights[i : i + 1], 130.0) for i in range(2)]
    np.testing.assert_allclose(both, sum(each))


def test_all_lines_of_an_element_come_together():
    """Counts of iron's K and L lines are its photons."""
    (iron,) = element_profiles(ENERGY, ["Fe"], 200.0, 130.0)
    k_alpha = iron[np.abs(ENERGY - 6.404) < 0.2].sum()
    l_lines = iron[np.abs(ENERGY - 0.72) < 0.2].sum()
    assert k_alpha == pytest.approx(alpha_emission("Fe_Ka", 200.0)[1], rel=0.01)
    # all L lines, of which alpha is the strongest
    assert alpha_emission("Fe_La", 200.0)[1] < l_lines < 2 * alpha_emission("Fe_La", 200.0)[1]


def test_elements_without_a_line_there_are_left_out():
    axis = ENERGY[ENERGY > 3]
    assert element_profiles(axis, ["C", "Fe"], 200.0, 130.0).shape == (1, len(axis))
    assert element_profiles(axis, ["C"], 200.0, 130.0).shape == (0, len(axis))


@pytest.mark.parametrize("element", ["Hf", "W", "Pt", "Au", "Pb", "U"])
def test_elements_with_several_m_families(element):
    """Only the lines of M4 and M5 are there, with the photons of M alpha and what is tied to it."""
    axis = ENERGY[(ENERGY > 1.2) & (ENERGY < 4.5)]
    (found,) = element_profiles(axis, [element], 200.0, 130.0)
    energy, photons = alpha_emission(f"{element}_Ma", 200.0)
    assert photons < found.sum() < 2 * photons
    assert abs(axis[found.argmax()] - energy) < 0.05


@pytest.mark.parametrize("alpha", ["Fe_Ka", "Cu_Ka", "S_Ka", "Ag_La"])
def test_families_are_those_of_the_independent_simulation(alpha):
    """Shells ionised after Bethe, peaks sampled."""
    (found,) = family_profiles(ENERGY, [alpha], 200.0, 130.0)
    element, line = alpha.split("_")
    expected = simulation.family(ENERGY, element, line[0], 130.0)
    agreement = found @ expected / np.linalg.norm(found) / np.linalg.norm(expected)
    assert agreement > 0.995
    # One count in the alpha line.
    assert found.sum() == pytest.approx(expected.sum(), rel=0.1)


def test_each_family_has_a_row():
    found = family_profiles(ENERGY, ["Fe_Ka", "Cu_Ka"], 200.0, 130.0)
    np.testing.assert_allclose(ENERGY[found.argmax(axis=1)], [6.40, 8.04], atol=0.02)
    assert family_profiles(ENERGY, [], 200.0, 130.0).shape == (0, len(ENERGY))
    # The usual beam energy, if none is known.
    unknown = family_profiles(ENERGY, ["Fe_Ka", "Cu_Ka"], None, 130.0)
    np.testing.assert_array_equal(found, unknown)
