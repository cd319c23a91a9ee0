import numpy as np
import pandas as pd
import pytest

from hyperspy_clusterquant.composition.absorption import Absorption
from hyperspy_clusterquant.results.composition import CompositionTable
from hyperspy_clusterquant.results.composition_text import number_with_std
from hyperspy_clusterquant.xrays.kfactors import KFactors


def covariance(stds):
    """Two elements that add up to 100 at%: their errors are opposite."""
    return np.array([[[s**2, -(s**2)], [-(s**2), s**2]] for s in stds])


def table(**changes):
    values = {
        "cluster_names": ("core", "the_shell"),
        "elements": ("Fe", "Pt"),
        "xray_lines": ("Fe_Ka", "Pt_La"),
        "atomic_percent": np.array([[25.412, 74.588], [99.13, 0.87]]),
        "weight_percent": np.array([[8.9, 91.1], [97.0, 3.0]]),
        "covariance_counting": covariance([0.3, 0.2]),
        "covariance_kfactor": covariance([0.4, 0.0]),
        "weight_percent_std": np.array([[0.2, 0.2], [0.5, 0.5]]),
        "intensities": np.array([[100.0, 200.0], [300.0, 1.0]]),
        "intensities_std": np.array([[10.0, 15.0], [17.0, 3.0]]),
        "unconstrained_intensities": np.array([[100.0, 200.0], [300.0, 1.0]]),
        "absorption_factors": np.ones((2, 2)),
        "kfactors": KFactors({"Fe_Ka": 1.45, "Pt_La": 5.08}),
        "configurational_entropy": np.array([0.567, np.nan]),
        "configurational_entropy_std": np.array([0.004, np.nan]),
    }
    return CompositionTable(**(values | changes))


def test_table_prints_as_in_the_paper():
    lines = str(table()).splitlines()
    assert lines[0].split() == ["at%", "core", "the_shell"]
    assert lines[2] == "Fe        25.41 ± 0.50     99.13 ± 0.20"
    assert lines[-1].split() == ["S_conf/R", "0.5670", "±", "0.0040", "-"]
    assert "91.10 ± 0.20" in str(table(composition_units="weight"))


def test_total_std_adds_in_quadrature():
    np.testing.assert_allclose(table().std, [[0.5, 0.5], [0.2, 0.2]])
    np.testing.assert_allclose(table().std_counting, [[0.3, 0.3], [0.2, 0.2]])
    np.testing.assert_allclose(table().std_kfactor, [[0.4, 0.4], [0.0, 0.0]])


def test_table_as_dataframe_latex_and_html():
    frame = table().to_dataframe()
    assert frame.loc["Fe", ("core", "at%")] == 25.412
    assert frame.loc["Pt", ("core", "std")] == pytest.approx(0.5)
    assert frame.loc["S_conf/R", ("core", "at%")] == 0.567
    latex = table().to_latex()
    assert r"Fe & $25.41 \pm 0.50$ & $99.13 \pm 0.20$ \\" in latex
    assert r"the\_shell" in latex
    assert r"90 \% \& more" in table(cluster_names=("90 % & more", "b")).to_latex()
    assert r"at\%" in latex
    assert "<table" in table()._repr_html_()


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


def test_what_is_not_detected_has_a_limit_instead_of_a_value():
    factors = np.array([1.45 / 55.845, 5.08 / 195.084])
    found = np.array([300.0, -1.0]) * factors
    estimate = 100 * found[1] / found[0]
    std = 100 * 3 * factors[1] / found[0]
    weak = table(
        intensities=np.array([[100.0, 200.0], [300.0, 0.0]]),
        unconstrained_intensities=np.array([[100.0, 200.0], [300.0, -1.0]]),
        atomic_percent=np.array([[33.1, 66.9], [100.0, 0.0]]),
        covariance_counting=covariance([0.3, std]),
        covariance_kfactor=covariance([0.4, 0.0]),
    )
    assert weak.detected.tolist() == [[True, True], [True, False]]
    # From a table of the normal distribution: 36.94 % of it lie above zero for a mean of -1 and
    # a std of 3, 5 % of that above 2.087 std.
    expected = estimate + 2.087 * std
    assert weak.upper_limit[1, 1] == pytest.approx(expected, rel=0.005)
    assert f"< {expected:.2f}" in str(weak)
    assert f"$< {expected:.2f}$" in weak.to_latex()
    lower, upper = weak.interval()
    assert 0 <= lower[1, 1] < upper[1, 1] < expected
    # Far from zero the interval is the standard deviation on either side.
    np.testing.assert_allclose((upper - lower)[0] / 2, 0.5, rtol=0.01)
    with pytest.raises(ValueError, match="between 0 and 1"):
        weak.interval(95)


def test_ratio_by_hand():
    found = table().ratio("Fe", ["Pt"])
    r = 25.412 / 74.588
    # With a fixed sum, d(x / (100 - x)) = 100 / (100 - x)^2 dx.
    assert found.values[0] == pytest.approx(r)
    assert found.std[0] == pytest.approx(0.5 * 100 / 74.588**2)
    assert table().ratio(["Fe", "Pt"], "Pt").values[0] == pytest.approx(100 / 74.588)
    with pytest.raises(ValueError, match="'Cu' in `numerator` is not among"):
        table().ratio("Cu", "Pt")
    with pytest.raises(ValueError, match="once each"):
        table().ratio([], "Pt")


def test_nearest_compounds_count_standard_deviations():
    near = table().nearest_compounds({"FePt": "FePt", "FePt3": "FePt3", "iron": "Fe"})
    core = near.loc["core"]
    assert core.compound.tolist() == ["FePt3", "FePt", "iron"]
    assert core.distance.iloc[0] == pytest.approx((25.412 - 25) / 0.5)
    assert core.difference.iloc[0] == pytest.approx(0.412)
    assert near.loc["the_shell"].compound.iloc[0] == "iron"
    with pytest.raises(ValueError, match=r"hematite \(Fe2O3\) holds O.*add_elements"):
        table().nearest_compounds({"hematite": "Fe2O3"})
    with pytest.raises(ValueError, match="not a chemical formula"):
        table().nearest_compounds({"x": "Fe2Pt?"})


def test_theory_beside_given_kfactors_is_marked():
    mixed = table(kfactors=KFactors({"Fe_Ka": 1.45, "Pt_La": 5.08}, sources={"Pt_La": "theory"}))
    assert "Pt*" in str(mixed)
    assert str(mixed).endswith("* k-factor from theory: Pt_La")
    all_theory = KFactors(
        {"Fe_Ka": 1.45, "Pt_La": 5.08}, sources={"Fe_Ka": "theory", "Pt_La": "theory"}
    )
    assert "*" not in str(table(kfactors=all_theory))


def test_a_table_does_not_change():
    values = np.array([[25.0, 75.0], [99.0, 1.0]])
    q = table(atomic_percent=values)
    values[:] = 0
    assert q.atomic_percent[0, 1] == 75
    with pytest.raises(ValueError, match="read-only"):
        q.atomic_percent[0, 0] = 1


def test_latex_of_odd_names():
    latex = table(cluster_names=(r"a_b^~\c", "d")).to_latex()
    assert r"a\_b\^{}\~{}\textbackslash{}c" in latex


def test_notes_are_below_the_latex_table():
    mixed = table(kfactors=KFactors({"Fe_Ka": 1.45, "Pt_La": 5.08}, sources={"Pt_La": "theory"}))
    assert mixed.to_latex().endswith(r"\par{\footnotesize * k-factor from theory: Pt\_La}")


def test_compounds_must_have_names():
    with pytest.raises(TypeError, match="dictionary of names and formulas"):
        table().nearest_compounds(["FePt"])


def test_absorption_is_reported():
    corrected = table(
        absorption=Absorption((50.0, 80.0), (10.0, 12.5), 22.0),
        absorption_factors=np.array([[1.01, 1.0], [1.02, 1.0001]]),
    )
    expected = (
        "for 50 to 80 nm, 10.00 to 12.50 g/cm3, take-off angle 22.0 degrees: up to Fe_Ka x1.020"
    )
    assert expected in str(corrected)
    assert expected in corrected.to_html()


def test_csv(tmp_path):
    table(composition_units="weight").to_csv(tmp_path / "t.csv")
    read = pd.read_csv(tmp_path / "t.csv").set_index(["cluster", "element"])
    row = read.loc[("core", "Pt")]
    assert row.atomic_percent == 74.588
    assert row.weight_percent == 91.1
    assert row["std"] == pytest.approx(0.5)
    assert (row.line, row.kfactor, row.counts, row.counts_std) == ("Pt_La", 5.08, 200, 15)
    assert row.upper_limit == pytest.approx(table().upper_limit[0, 1])


def test_plot_fit_needs_a_fit():
    with pytest.raises(ValueError, match="method='model'"):
        table().plot_fit()
