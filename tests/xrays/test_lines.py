import numpy as np
import pytest

from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.lines import (
    alpha_lines,
    choose_lines,
    excluded_windows,
    known_elements,
    known_families,
    line_energy,
)


def test_energies_are_those_of_the_tables():
    """Bearden, Rev. Mod. Phys. 39, 78 (1967); doublets lie between their two lines."""
    for line, energy in {"Fe_Ka": 6.404, "Fe_Kb": 7.058, "Ag_La": 2.984, "Au_Ma": 2.123}.items():
        assert line_energy(line) == pytest.approx(energy, abs=0.004)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("fe_Ka", "Did you mean 'Fe'"),
        ("Xx_Ka", "not the symbol of a chemical element"),
        ("Fe_Ma", "Fe has no line 'Ma'; its lines are .*Fe_Ka"),
        ("Li_Ka", "no X-ray lines of Li"),
    ],
)
def test_lines_that_are_none(line, message):
    with pytest.raises(ValueError, match=message):
        line_energy(line)


def test_a_sample_may_hold_solids_only():
    elements = known_elements()
    assert {"C", "Fe", "Au", "U"} <= set(elements)
    assert not {"He", "Li", "Ar", "Tc", "Pm"} & set(elements)


def test_alpha_lines_lie_on_the_axis():
    assert alpha_lines(["Ag", "C"], 0.2, 20.0) == ["Ag_La", "C_Ka"]
    assert alpha_lines(["Ag"], 0.2, 40.0) == ["Ag_Ka", "Ag_La"]


def test_k_lines_come_first_up_to_fifteen_kev():
    """The K lines of yttrium and zirconium lie at 14.96 and 15.77 keV."""
    elements = ["Fe", "Y", "Zr", "Pt"]
    assert choose_lines(elements, 0.1, 40.0) == ["Fe_Ka", "Y_Ka", "Zr_La", "Pt_La"]
    assert choose_lines(elements, 0.1, 8.0) == ["Fe_Ka", "Y_La", "Zr_La", "Pt_Ma"]
    # nothing else is there
    assert choose_lines(["Ag"], 5.0, 40.0) == ["Ag_Ka"]


def test_preferred_lines_are_taken_where_the_element_has_one():
    assert choose_lines(["Pt", "Fe"], 0.1, 40.0, [["Pt_Ma"]]) == ["Pt_Ma", "Fe_Ka"]
    assert choose_lines(["Pt"], 0.1, 40.0, [["Fe_Ka"], ["Pt_Ma"]]) == ["Pt_Ma"]


def test_an_element_without_a_line_on_the_axis():
    with pytest.raises(ValueError, match="No X-ray line of Fe lies on the energy axis"):
        choose_lines(["Fe"], 8.0, 20.0)


def test_windows_of_lines_and_of_whole_elements():
    ((low, high),) = excluded_windows(["Fe_Ka"], 130.0)
    centre, width = line_energy("Fe_Ka"), float(fwhm_at_energy(6.4, 130.0))
    assert (low + high) / 2 == pytest.approx(centre)
    assert high - low == pytest.approx(2.5 * width, rel=1e-3)
    every = np.mean(excluded_windows(["Fe"], 130.0), axis=1)
    assert set(np.round(every, 2)) >= {6.4, 7.06, 0.7}


def test_families_without_atomic_data_are_exspys():
    """Lanthanum's M lines: exspy gives beta 0.9 of alpha, and xraylib nothing."""
    iron, lanthanum = known_families(["Fe_Ka", "La_Ma"], 200.0)
    assert iron.alpha == "Fe_Ka"
    assert lanthanum.alpha == "La_Ma"
    alpha = np.argmin(np.abs(lanthanum.energies - line_energy("La_Ma")))
    assert lanthanum.weights[alpha] == 1.0
    assert 0.9 in lanthanum.weights
