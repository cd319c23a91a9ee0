import numpy as np
import pandas as pd
import pytest
from tables import composition

from hyperspy_clusterquant.composition.absorption import Absorption
from hyperspy_clusterquant.results.composition_text import number_with_std
from hyperspy_clusterquant.xrays.kfactors import KFactors

K = {"Fe_Ka": 1.45, "Pt_La": 5.08}


def test_table_prints_as_in_the_paper():
    lines = str(composition()).splitlines()
    assert lines[0].split() == ["at%", "core", "the_shell"]
    assert lines[2] == "Fe        25.41 ± 0.50     99.13 ± 0.20"
    assert lines[-1].split() == ["S_conf/R", "0.5670", "±", "0.0040", "-"]
    assert "91.10 ± 0.20" in str(composition(composition_units="weight"))


def test_table_as_dataframe_latex_and_html():
    frame = composition().to_dataframe()
    assert frame.loc["Fe", ("core", "at%")] == 25.412
    assert frame.loc["Pt", ("core", "std")] == pytest.approx(0.5)
    assert frame.loc["S_conf/R", ("core", "at%")] == 0.567
    latex = composition().to_latex()
    assert r"Fe & $25.41 \pm 0.50$ & $99.13 \pm 0.20$ \\" in latex
    assert r"the\_shell" in latex
    assert r"90 \% \& more" in composition(cluster_names=("90 % & more", "b")).to_latex()
    assert r"at\%" in latex
    assert "<table" in composition()._repr_html_()


@pytest.mark.parametrize(
    ("value", "std", "text"),
    [
        (25.412, 1.345, "25.4 ± 1.3"),
        (0.5, 0.0234, "0.500 ± 0.023"),
        (12.0, 0.0, "12"),
        (np.nan, 1.0, "-"),
        (3.0, 250.0, "3.0 ± 250.0"),
        (0.0, np.nan, "0"),
    ],
)
def test_numbers_are_rounded_to_their_uncertainty(value, std, text):
    assert number_with_std(value, std) == text


def test_theory_beside_given_kfactors_is_marked():
    mixed = composition(
        kfactors=KFactors({"Fe_Ka": 1.45, "Pt_La": 5.08}, sources={"Pt_La": "theory"})
    )
    assert "Pt*" in str(mixed)
    assert str(mixed).endswith("* k-factor from theory: Pt_La")
    all_theory = KFactors(
        {"Fe_Ka": 1.45, "Pt_La": 5.08}, sources={"Fe_Ka": "theory", "Pt_La": "theory"}
    )
    assert "*" not in str(composition(kfactors=all_theory))


def test_latex_of_odd_names():
    latex = composition(cluster_names=(r"a_b^~\c", "d")).to_latex()
    assert r"a\_b\^{}\~{}\textbackslash{}c" in latex


def test_notes_are_below_the_latex_table():
    mixed = composition(
        kfactors=KFactors({"Fe_Ka": 1.45, "Pt_La": 5.08}, sources={"Pt_La": "theory"})
    )
    assert mixed.to_latex().endswith(r"\par{\footnotesize * k-factor from theory: Pt\_La}")


def test_absorption_is_reported():
    corrected = composition(
        absorption=Absorption((50.0, 80.0), (10.0, 12.5), 22.0),
        absorption_factors=np.array([[1.01, 1.0], [1.02, 1.0001]]),
    )
    expected = (
        "for 50 to 80 nm, 10.00 to 12.50 g/cm3, take-off angle 22.0 degrees: up to Fe_Ka x1.020"
    )
    assert expected in str(corrected)
    assert expected in corrected.to_html()


def test_csv(tmp_path):
    composition(composition_units="weight").to_csv(tmp_path / "t.csv")
    read = pd.read_csv(tmp_path / "t.csv").set_index(["cluster", "element"])
    row = read.loc[("core", "Pt")]
    assert row.atomic_percent == 74.588
    assert row.weight_percent == 91.1
    assert row["std"] == pytest.approx(0.5)
    assert (row.line, row.kfactor, row.counts, row.counts_std) == ("Pt_La", 5.08, 200, 15)
    assert row.upper_limit == pytest.approx(composition().upper_limit[0, 1])


NAN = np.full((2, 2), np.nan)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        (
            {
                "atomic_percent": NAN, "weight_percent": NAN, "weight_percent_std": NAN,
                "intensities": NAN, "intensities_std": NAN, "unconstrained_intensities": NAN,
                "covariance_counting": np.full((2, 2, 2), np.nan),
                "absorption": Absorption((50.0, 80.0), (np.nan, np.nan), 22.0),
                "absorption_factors": NAN,
            },
            "-",
        ),
        (
            {
                "intensities": np.array([[1.0, 2.0], [3.0, 1.0]]),
                "unconstrained_intensities": np.array([[1.0, 2.0], [3.0, 1.0]]),
                "weight_percent": np.array([[50.0, 50.0], [80.0, 20.0]]),
            },
            "<",
        ),
    ],
    ids=["no counts", "nothing detected"],
)  # fmt: skip
def test_tables_without_any_line_print(changes, shown, tmp_path):
    for units in ("atomic", "weight"):
        q = composition(**changes, composition_units=units)
        for line in str(q).splitlines()[2:4]:
            assert line.split()[1].startswith(shown)
        assert repr(q).endswith(str(q))
        assert "<table" in q._repr_html_()
        assert q.to_latex().count(r" \\") == 4
        q.to_csv(tmp_path / "t.csv")
        assert len(pd.read_csv(tmp_path / "t.csv")) == 4
        assert q.to_dataframe().shape == (3, 4)
        q.plot().figure.canvas.draw()


def test_what_mixing_does_is_said_below_the_table():
    """And what the table shows: phases, members, or pixels with a label."""
    mixing = np.array([[-2.81, 2.81], [0.5, -0.5]])
    for weights, words in {
        "phase": "is taken out; it had moved Fe in core most, by -2.8 at%",
        "membership": "blur not taken out; it moves Fe in core most, by -2.8 at%",
        "hard": "blur not taken out; it moves Fe in core most, by -2.8 at%",
    }.items():
        assert words in str(composition(weights=weights, mixing=mixing))
    assert "nothing is taken out that neighbours had mixed in" in str(composition(weights="phase"))
    # Of a single spectrum there is nothing to be said.
    assert "Phases" not in str(composition())


def test_the_blur_is_among_the_remarks():
    narrow, widest = (composition(blur=(width, 0.1)).remarks for width in (0.94, 6.0))
    assert "Blur of the beam, found from the map: Gaussian sigma of 0.94 ± 0.10 pixels" in narrow
    assert any("composition changes gradually" in remark for remark in widest)
    assert not any("gradually" in remark for remark in narrow)
    assert not any("Blur" in remark for remark in composition().remarks)
