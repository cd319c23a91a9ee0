import numpy as np
import pytest

from hyperspy_clusterquant import theoretical_kfactors
from hyperspy_clusterquant.quantification import kfactors

#: From the cross sections of Bote and Salvat (2009), 200 keV, ideal detector, S Ka = 1.
BOTE_SALVAT = {"Si_Ka": 0.943, "Mn_Ka": 1.567, "Cu_Ka": 1.941, "Ag_La": 3.089, "Pt_La": 5.439}


def test_theory_agrees_with_bote_and_salvat():
    k = theoretical_kfactors(list(BOTE_SALVAT))
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
    assert k["Fe_Ka"] == pytest.approx(2 * theoretical_kfactors(["Fe_Ka"])["Fe_Ka"])
    with pytest.raises(TypeError, match="must be a function"):
        theoretical_kfactors(["Fe_Ka"], detector="SDD")


@pytest.mark.parametrize(
    ("line", "beam_energy", "message"),
    [
        ("Ag_Ka", 20.0, "no theoretical k-factor for Ag_Ka at 20 keV: the edge lies at 25.5"),
        ("Fe_Kb", 200.0, "for alpha lines .*Fe_Ka"),
        ("Xx_Ka", 200.0, "no theoretical k-factor for Xx_Ka"),
        ("Fe", 200.0, "not the name of an X-ray line"),
    ],
)
def test_lines_without_theory(line, beam_energy, message):
    with pytest.raises(ValueError, match=message):
        theoretical_kfactors([line], beam_energy)


def test_uncertainty_of_theory():
    assert kfactors.theory_uncertainty("Cu_Ka") == 0.03
    assert kfactors.theory_uncertainty("S_Ka") == 0.10
    assert kfactors.theory_uncertainty("Ag_La") == 0.17


def test_csv_file(tmp_path):
    path = tmp_path / "k.csv"
    path.write_text("line,k,relative_uncertainty\nFe_Ka, 1.45, 0.05\nPt_La, 5.08,\n")
    values, uncertainties = kfactors.read_kfactors(path)
    assert values == {"Fe_Ka": 1.45, "Pt_La": 5.08}
    assert uncertainties == {"Fe_Ka": 0.05}
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="columns line,k"):
        kfactors.read_kfactors(str(path))


@pytest.mark.parametrize("k", [0, -1, np.nan, np.inf, "much"])
def test_kfactors_are_positive_numbers(k):
    with pytest.raises(ValueError, match="k-factor of Fe_Ka must be a positive number"):
        kfactors.read_kfactors({"Fe_Ka": k})


def test_kfactors_of_another_kind():
    with pytest.raises(TypeError, match="dictionary"):
        kfactors.read_kfactors([1.45, 5.08])
