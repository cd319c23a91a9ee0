import numpy as np
import pytest
import xraylib

from hyperspy_clusterquant import KFactors, convert_kfactors, theoretical_kfactors
from hyperspy_clusterquant.xrays.theory import (
    complete_kfactors,
    far_from_theory,
    theory_uncertainty,
)

#: From the cross sections of Bote and Salvat (2009), 200 keV, ideal detector, S Ka = 1.
BOTE_SALVAT = {"Si_Ka": 0.943, "Mn_Ka": 1.567, "Cu_Ka": 1.941, "Ag_La": 3.089, "Pt_La": 5.439}


#: The same at other beam energies (keV), from the coefficients published there: D. Bote et al.,
#: At. Data Nucl. Data Tables 95 (2009) 871. At 200 keV they give the values above.
AT_OTHER_ENERGIES = {
    80: {"Si_Ka": 0.930, "Mn_Ka": 1.699, "Cu_Ka": 2.194, "Ag_La": 3.119},
    120: {"Si_Ka": 0.937, "Mn_Ka": 1.622, "Cu_Ka": 2.053, "Ag_La": 3.102},
    300: {"Si_Ka": 0.947, "Mn_Ka": 1.536, "Cu_Ka": 1.884, "Ag_La": 3.082},
}


def test_theory_agrees_with_bote_and_salvat():
    k = theoretical_kfactors(list(BOTE_SALVAT), detector="ideal")
    for line, expected in BOTE_SALVAT.items():
        assert k[line] == pytest.approx(expected, rel=0.04), line


def test_ratios_do_not_depend_on_the_reference():
    lines = ["Fe_Ka", "Ag_La", "S_Ka"]
    a, b = theoretical_kfactors(lines), theoretical_kfactors(lines, reference="Ag_La")
    assert b["Ag_La"] == 1.0
    for line in lines:
        assert a[line] / a["Fe_Ka"] == pytest.approx(b[line] / b["Fe_Ka"])


def test_detector_efficiency_enters_as_its_inverse():
    k = theoretical_kfactors(["Fe_Ka"], detector=lambda energy: 0.5 if energy > 5 else 1.0)
    ideal = theoretical_kfactors(["Fe_Ka"], detector="ideal")
    assert k["Fe_Ka"] == pytest.approx(2 * ideal["Fe_Ka"])


@pytest.mark.parametrize(("beam_energy", "expected"), list(AT_OTHER_ENERGIES.items()))
def test_theory_at_other_beam_energies(beam_energy, expected):
    k = theoretical_kfactors(list(expected), beam_energy, detector="ideal")
    for line, value in expected.items():
        assert k[line] == pytest.approx(value, rel=0.04), line


@pytest.mark.parametrize(
    ("line", "beam_energy", "message"),
    [
        ("Ag_Ka", 20.0, "no theoretical k-factor for Ag_Ka at 20 keV: the edge lies at 25.5"),
        ("Fe_Kb", 200.0, "for alpha lines .*Fe_Ka"),
        ("Fe_ka", 200.0, "Did you mean Fe_Ka"),
        ("Xx_Ka", 200.0, "no theoretical k-factor for Xx_Ka"),
        ("Fe", 200.0, "not the name of an X-ray line"),
        ("Fe_Ka", -200.0, "`beam_energy` must be a positive number"),
        ("Fe_Ka", "much", "`beam_energy` must be a positive number"),
    ],
)
def test_lines_without_theory(line, beam_energy, message):
    with pytest.raises(ValueError, match=message):
        theoretical_kfactors([line], beam_energy)


def test_uncertainty_of_theory():
    assert theory_uncertainty("Fe_Ka") == pytest.approx(0.03, rel=1e-3)
    assert theory_uncertainty("S_Ka") == 0.10
    assert theory_uncertainty("Ag_La") == 0.17
    assert theory_uncertainty("O_Ka") == 0.40


@pytest.mark.parametrize(
    ("line", "thinner", "thicker"), [("Sr_Ka", 0.35, 0.55), ("Se_Ka", 0.35, 0.55)]
)
def test_the_thickness_of_the_detector_is_part_of_the_uncertainty(line, thinner, thicker):
    """Silicon of other thicknesses, by hand, changes the k-factor by what is stated."""
    z = xraylib.SymbolToAtomicNumber(line[:2])
    energy = xraylib.LineEnergy(z, xraylib.KA_LINE)

    def silicon(millimetres):
        depth = xraylib.CS_Total(14, energy) * 2.33 * millimetres / 10
        return 1 - np.exp(-depth)

    changes = np.log([silicon(t) / silicon(0.45) for t in (thinner, thicker)])
    stated = theory_uncertainty(line)
    assert stated > 0.03
    expected = np.abs(changes).mean() * 0.25 / (0.1 / 0.45)
    assert np.sqrt(stated**2 - 0.03**2) == pytest.approx(expected, rel=0.1)
    assert theory_uncertainty(line, detector="ideal") == 0.03
    assert theory_uncertainty(line, detector=lambda energy: 0.7) == 0.03


def test_without_a_word_the_detector_is_a_real_one():
    lines = ["Ti_Ka", "Sr_Ka"]
    assert theoretical_kfactors(lines) == theoretical_kfactors(lines, detector="windowless")
    ideal = theoretical_kfactors(lines, detector="ideal")
    ratio = theoretical_kfactors(lines)["Sr_Ka"] / theoretical_kfactors(lines)["Ti_Ka"]
    # NIST's attenuation of silicon, 33.9 cm2/g at 10 and 10.3 cm2/g at 15 keV, is 12.4 at 14.1 keV.
    detected = 1 - np.exp(-12.4 * 2.33 * 0.045)
    assert ratio / (ideal["Sr_Ka"] / ideal["Ti_Ka"]) == pytest.approx(1 / detected, rel=0.01)


def test_theory_fills_the_gaps_on_the_scale_of_what_is_given():
    theory = theoretical_kfactors(["S_Ka", "Cu_Ka", "Fe_Ka"])
    given = KFactors({"S_Ka": 10 * theory["S_Ka"], "Cu_Ka": 10 * theory["Cu_Ka"]})
    found = complete_kfactors(given, ["Cu_Ka", "Fe_Ka", "S_Ka"], 200.0)
    assert list(found) == ["Cu_Ka", "Fe_Ka", "S_Ka"]
    assert found["Fe_Ka"] == pytest.approx(10 * theory["Fe_Ka"])
    assert found.sources == {"Cu_Ka": "given", "Fe_Ka": "theory", "S_Ka": "given"}
    # Its own 3 % and that of the scale, from sulfur's 10 % and copper's 3 %.
    scale = (0.10**-2 + 0.03**-2) ** -0.5
    assert found.relative_uncertainty == pytest.approx({"Fe_Ka": np.hypot(0.03, scale)}, rel=2e-3)
    # The reference alone says nothing: theory is as uncertain as without it.
    alone = complete_kfactors(KFactors({"S_Ka": 1.0}), ["Fe_Ka", "S_Ka"], 200.0)
    assert alone.relative_uncertainty["Fe_Ka"] == pytest.approx(np.hypot(0.03, 0.10))


def test_a_given_line_without_theory_is_no_anchor_but_no_error():
    given = KFactors({"La_Ma": 2.0, "S_Ka": 1.0})
    found = complete_kfactors(given, ["La_Ma", "S_Ka", "Fe_Ka"], 200.0)
    assert found["La_Ma"] == 2.0
    assert found["Fe_Ka"] == pytest.approx(theoretical_kfactors(["Fe_Ka"])["Fe_Ka"])
    with pytest.raises(ValueError, match=r"no theory for any of the given ones.*La_Ma"):
        complete_kfactors(KFactors({"La_Ma": 2.0}), ["La_Ma", "Fe_Ka"], 200.0)


def test_far_from_theory():
    theory = theoretical_kfactors(["S_Ka", "Cu_Ka", "Fe_Ka", "Ag_La"])
    assert far_from_theory(theory, 200.0) == {}
    odd = far_from_theory(theory | {"Ag_La": 5 * theory["Ag_La"]}, 200.0)
    assert odd == pytest.approx({"Ag_La": 5.0})


def test_family_kfactors_by_the_radiative_rates():
    """K: alpha is its share of the radiative rates, independent of any cross section."""
    z = xraylib.SymbolToAtomicNumber("Cu")
    share = xraylib.RadRate(z, xraylib.KA_LINE)
    s_share = xraylib.RadRate(16, xraylib.KA_LINE)
    found = convert_kfactors({"S_Ka": 1.0, "Cu_Ka": 1.7}, lines="family")
    assert found["Cu_Ka"] == pytest.approx(1.7 * s_share / share, rel=2e-3)
    assert found["S_Ka"] == 1.0


def test_family_kfactors_of_m_lines_hold_beta():
    """Of gold, theory has M beta with about half of M alpha, which manufacturers count along."""
    found = convert_kfactors({"S_Ka": 1.0, "Au_Ma": 1.0}, lines="family")
    sulfur = xraylib.RadRate(16, xraylib.KA_LINE)
    assert 1.3 < found["Au_Ma"] / sulfur < 1.8


def test_atomic_kfactors():
    found = convert_kfactors({"S_Ka": 1.0, "Ag_La": 0.9}, units="atomic")
    assert found["Ag_La"] == pytest.approx(0.9 * 107.868 / 32.06, rel=1e-3)
    assert convert_kfactors({"S_Ka": 1.0, "Ag_La": 0.9}) == {"S_Ka": 1.0, "Ag_La": 0.9}
    with pytest.raises(ValueError, match="no theoretical k-factor for Fe_Ka at 5 keV"):
        convert_kfactors({"Fe_Ka": 1.0}, lines="family", beam_energy=5)
    with pytest.raises(ValueError, match="for alpha lines"):
        convert_kfactors({"Fe_Kb": 1.0}, lines="family")
    with pytest.raises(ValueError, match="'weight', 'atomic'"):
        convert_kfactors({"S_Ka": 1.0}, units="mole")


def test_what_is_far_from_theory_is_told_of_lines_that_theory_knows():
    theory = theoretical_kfactors(["S_Ka", "Cu_Ka", "Fe_Ka"])
    assert far_from_theory(KFactors({**theory, "La_Ma": 30.0, "Be_Ka": 9.0}), 200.0) == {}
    odd = far_from_theory(KFactors({**theory, "Fe_Ka": 3 * theory["Fe_Ka"], "Be_Ka": 9.0}), 200.0)
    assert odd == {"Fe_Ka": pytest.approx(3.0)}
    assert far_from_theory(KFactors({"Ca_La": 2.0, "Be_Ka": 9.0}), 200.0) == {}
