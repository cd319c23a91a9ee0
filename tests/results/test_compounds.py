import pytest
from tables import composition


def test_nearest_compounds_count_standard_deviations():
    near = composition().nearest_compounds({"FePt": "FePt", "FePt3": "FePt3", "iron": "Fe"})
    core = near.loc["core"]
    assert core.compound.tolist() == ["FePt3", "FePt", "iron"]
    assert core.distance.iloc[0] == pytest.approx((25.412 - 25) / 0.5)
    assert core.difference.iloc[0] == pytest.approx(0.412)
    assert near.loc["the_shell"].compound.iloc[0] == "iron"
    with pytest.raises(ValueError, match=r"hematite \(Fe2O3\) holds O.*add_elements"):
        composition().nearest_compounds({"hematite": "Fe2O3"})
    with pytest.raises(ValueError, match="not a chemical formula"):
        composition().nearest_compounds({"x": "Fe2Pt?"})


def test_compounds_must_have_names():
    with pytest.raises(TypeError, match="dictionary of names and formulas"):
        composition().nearest_compounds(["FePt"])
