import numpy as np
import pytest

from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.lines import (
    alpha_lines,
    choose_lines,
    excluded_families,
    excluded_windows,
    is_excited,
    known_elements,
    known_families,
    line_energy,
    lines_of,
    overlapping_families,
    without_lines,
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


def test_elements_without_lines_have_none():
    for element in ("Li", "Am", "Np", "Pu"):
        assert lines_of(element) == {}
        assert alpha_lines([element], 0.0, np.inf) == []
    assert excluded_windows(["Li"], 130.0) == ()


@pytest.mark.parametrize(("symbol", "hint"), [("fe", "Did you mean 'Fe'"), ("Xx", "such as 'Fe'")])
def test_misspelt_elements(symbol, hint):
    for call in (lambda: lines_of(symbol), lambda: without_lines(["Fe", symbol], 0.1, 20.0)):
        with pytest.raises(ValueError, match=rf"{symbol!r} is not the symbol.*{hint}"):
            call()


def test_every_element_of_the_tables_is_seen_or_not():
    """None stops: the elements without lines above 0.1 keV are those that are known for it."""
    from exspy.material import elements

    every = list(elements.keys())
    assert set(without_lines(every, 0.0, np.inf)) == {"H", "He", "Li", "Np", "Pu", "Am"}
    assert without_lines(["Fe", "Al", "Fe", "Al"], 2.0, 10.0) == ("Al",)


@pytest.mark.parametrize(
    ("alpha", "edge"),  # edges of Bearden and Burr, Rev. Mod. Phys. 39 (1967) 125, in keV
    [("Fe_Ka", 7.112), ("Mo_Ka", 20.000), ("Ag_La", 3.351), ("Au_La", 11.919), ("Au_Ma", 2.206)],
)
def test_a_beam_excites_shells_whose_edge_it_exceeds(alpha, edge):
    assert is_excited(alpha, 1.01 * edge)
    assert not is_excited(alpha, 0.99 * edge)
    assert line_energy(alpha) < 0.99 * edge
    assert is_excited(alpha, None)
    element = alpha.partition("_")[0]
    assert alpha in alpha_lines([element], 0.1, 40.0, beam_energy=1.01 * edge)
    assert alpha not in alpha_lines([element], 0.1, 40.0, beam_energy=0.99 * edge)


def test_lines_that_theory_knows_come_first():
    """xraylib has no data of the M lines of the light rare earths."""
    assert choose_lines(["La", "Sm"], 0.1, 40.0) == ["La_La", "Sm_La"]
    # the beam excites no other
    assert choose_lines(["La"], 0.1, 40.0, beam_energy=5.0) == ["La_Ma"]
    assert choose_lines(["Be"], 0.05, 40.0) == ["Be_Ka"]
    # calcium's K line lies above the axis, and theory does not know its L line
    assert choose_lines(["Ca"], 0.1, 3.0) == ["Ca_La"]
    assert choose_lines(["La"], 0.1, 40.0, [["La_Ma"]]) == ["La_Ma"]


# --- excluded families --------------------------------------------------------------------


def test_families_that_are_fitted_have_no_windows():
    """All M lines of platinum, and none of its L lines."""
    every = np.mean(excluded_windows(["Pt", "C"], 130.0), axis=1)
    left = np.mean(excluded_windows(["Pt", "C"], 130.0, fitted=["Pt_Ma"]), axis=1)
    assert set(left) < set(every)
    gone = sorted(set(every) - set(left))
    assert gone
    assert all(1.5 < energy < 3.5 for energy in gone)
    assert min(abs(left - 0.277)) < 0.001
    assert not any(1.5 < energy < 3.5 for energy in left)


def test_windows_of_a_line_by_name_stay_unless_its_family_is_fitted():
    assert excluded_windows(["Fe_Kb"], 130.0, fitted=["Fe_La"]) != ()
    assert excluded_windows(["Fe_Kb"], 130.0, fitted=["Fe_Ka"]) == ()


@pytest.mark.parametrize(
    ("excluded", "elements", "hiding"),
    [
        (["Mo"], ["S"], ("Mo_La",)),  # 2.29 and 2.31 keV
        (["Pb"], ["S"], ("Pb_Ma",)),  # 2.34 keV
        (["Ti"], ["N"], ("Ti_La",)),  # 0.45 and 0.39 keV, less than their windows
        (["Cr"], ["O"], ("Cr_La",)),  # 0.57 and 0.52 keV
        (["Mn_Kb"], ["Fe"], ("Mn_Ka",)),  # 6.49 and 6.40 keV: the whole family is fitted
        (["Mn_Ka"], ["Fe"], ()),  # 5.90 keV
        (["C", "Cu"], ["Fe", "S"], ()),
        (["Cu"], [], ()),
    ],
)
def test_windows_that_hide_the_main_line_of_an_element(excluded, elements, hiding):
    assert overlapping_families(excluded, elements, 130.0) == hiding


def test_a_sharper_detector_tells_more_lines_apart():
    """K beta of nickel, 8.26 keV, with a window of 0.16 or 0.22 keV on each side.

    K alpha of copper lies at 8.05 keV.
    """
    assert overlapping_families(["Ni"], ["Cu"], 100.0) == ()
    assert overlapping_families(["Ni"], ["Cu"], 160.0) == ("Ni_Ka",)


def test_elements_without_lines_hide_nothing_and_are_not_hidden():
    assert overlapping_families(["Li"], ["S"], 130.0) == ()
    assert overlapping_families(["Mo"], ["Li"], 130.0) == ()


def test_families_of_excluded_lines_lie_on_the_axis():
    assert set(excluded_families(["C", "Cu"], 0.1, 20.0)) == {"C_Ka", "Cu_Ka", "Cu_La"}
    assert excluded_families(["C", "Cu"], 0.5, 5.0) == ("Cu_La",)
    # The same family twice is one, and a line that is none has none.
    assert excluded_families(["Fe_Ka", "Fe_Kb", "Fe_Ka"], 0.1, 20.0) == ("Fe_Ka",)
    assert excluded_families(["Li"], 0.0, 20.0) == ()
    assert excluded_families([], 0.0, 20.0) == ()
