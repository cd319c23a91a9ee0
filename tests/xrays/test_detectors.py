import numpy as np
import pytest
import xraylib

from hyperspy_clusterquant import theoretical_kfactors
from hyperspy_clusterquant.xrays.detectors import detector_efficiency, escape_share, fwhm_at_energy

METALS = ["Mn_Ka", "Fe_Ka", "Cu_Ka", "Zn_Ka"]


def change(lines, detector):
    """Change of k relative to S Ka by a detector, in percent."""
    ideal = theoretical_kfactors(lines, detector="ideal")
    real = theoretical_kfactors(lines, detector=detector)
    return {line: 100 * (real[line] / ideal[line] - 1) for line in lines}


def test_silicon_of_0_45_mm_hardly_matters():
    assert max(map(abs, change([*METALS, "Ag_La", "Pt_La"], "windowless").values())) < 1.6


@pytest.mark.parametrize(("detector", "metal", "silver"), [("polymer", -5, -2.5), ("Be", -9, -5)])
def test_windows_change_kfactors_as_known(detector, metal, silver):
    found = change([*METALS, "Ag_La"], detector)
    for line in METALS:
        assert found[line] == pytest.approx(metal, abs=0.9)
    assert found["Ag_La"] == pytest.approx(silver, abs=0.5)


def test_beryllium_by_hand():
    efficiency = detector_efficiency("Be")
    absorbed = xraylib.CS_Total(4, 1.0) * 1.85 * 8e-4 + xraylib.CS_Total(14, 1.0) * 2.33 * 50e-7
    assert efficiency(1.0) == pytest.approx(np.exp(-absorbed))


def test_own_curves(tmp_path):
    rows = [(0.5, 0.2), (2.0, 0.8), (10.0, 1.0)]
    path = tmp_path / "curve.csv"
    path.write_text("energy,efficiency\n" + "\n".join(f"{e},{x}" for e, x in rows))
    for detector in (rows, np.array(rows), path, str(path)):
        assert detector_efficiency(detector)(1.25) == pytest.approx(0.5)
    assert detector_efficiency(lambda energy: 0.3)(7.0) == 0.3
    with pytest.raises(ValueError, match=r"from 0\.5 to 10 keV, but a line lies at 17\.4"):
        theoretical_kfactors(["Mo_Ka"], detector=rows)


@pytest.mark.parametrize(
    ("detector", "error", "message"),
    [
        ("SDD", ValueError, "'ideal', 'windowless', 'polymer', 'Be'"),
        ([1, 2, 3], TypeError, "rows of two numbers"),
        ([(2.0, 0.5), (1.0, 0.6)], ValueError, "ascending energies"),
        ([(1.0, 0.5), (2.0, 50)], ValueError, "efficiencies above 0 and up to 1"),
    ],
)
def test_detectors_that_are_none(detector, error, message):
    with pytest.raises(error, match=message):
        detector_efficiency(detector)


@pytest.mark.parametrize("detector", ["Be", lambda energy: 0.0, lambda energy: -1.0])
def test_light_that_the_detector_does_not_see(detector):
    with pytest.raises(ValueError, match=r"efficiency for O_Ka at 0\.525 keV"):
        theoretical_kfactors(["O_Ka"], reference="O_Ka", detector=detector)


def test_curve_file_without_columns(tmp_path):
    path = tmp_path / "curve.csv"
    path.write_text("keV,eff\n1,1\n")
    with pytest.raises(ValueError, match="columns energy,efficiency"):
        detector_efficiency(path)


def test_width_at_manganese_is_the_resolution():
    assert fwhm_at_energy(5.8987, 133.0) == pytest.approx(0.133)


def test_escape_share_of_published_values():
    """Measured shares of Si(Li) detectors: 0.4 to 0.6 % at Ca and Ti, 1 to 2 % just above Si."""
    shares = escape_share(np.array([1.5, 2.0, 4.0, 6.4, 8.04]))
    assert shares[0] == 0
    assert 0.010 < shares[1] < 0.022
    assert 0.004 < shares[2] < 0.009
    assert 0.001 < shares[4] < shares[3] < 0.005
