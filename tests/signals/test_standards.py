"""k-factors from standards whose k-factors are known."""

import numpy as np
import pytest
import simulation
from single_spectra import DETECTOR, deviation, simulated, spectrum

from hyperspy_clusterquant import KFactors, calibrate_kfactors, data


def test_a_standard_gives_kfactors_that_give_the_sample(rng):
    mean, k, composition = simulated(simulation.SIX_CATION["remnant"], **DETECTOR)
    standard = spectrum(rng.poisson(1e6 * mean), composition)
    found = calibrate_kfactors(standard, composition)
    assert isinstance(found, KFactors)
    assert found["S_Ka"] == 1.0
    for line, value in k.items():
        error = np.hypot(found.relative_uncertainty[line], found.relative_uncertainty["S_Ka"])
        assert abs(found[line] / value * k["S_Ka"] - 1) < 3.5 * error
    sample, _, other = simulated(simulation.SIX_CATION["wurtzite"], **DETECTOR)
    s = spectrum(rng.poisson(1e6 * sample), other)
    q = s.cluster_quantification(kfactors=found)
    assert (np.abs(deviation(q, other)) < 3.5 * q.std[0]).all()
    assert (q.std_kfactor > 0).all()
    assert standard.metadata.Signal.signal_type == "EDS_TEM_clustered"


def test_a_standard_that_absorbs():
    """Of 200 nm, brought back by the known composition."""
    import xraylib

    composition = {"Cu": 25, "Fe": 25, "S": 50}
    masses = {e: x * xraylib.AtomicWeight(xraylib.SymbolToAtomicNumber(e))
              for e, x in composition.items()}  # fmt: skip

    def transmission(energy):
        mu = sum(
            m / sum(masses.values()) * xraylib.CS_Total(xraylib.SymbolToAtomicNumber(e), energy)
            for e, m in masses.items()
        )
        depth = mu * 4.2 * 200e-7 / np.sin(np.radians(22.0))
        return -np.expm1(-depth) / depth

    mean, k, _ = simulated(composition, transmission=transmission)
    s = spectrum(np.rint(1e7 * mean), composition)
    foil = {"thickness": 200, "density": 4.2, "take_off_angle": 22.0}
    plain = calibrate_kfactors(s, composition)
    found = calibrate_kfactors(s, composition, absorption=foil)
    assert abs(plain["Cu_Ka"] / k["Cu_Ka"] - 1) > 0.05
    for line in ("Cu_Ka", "Fe_Ka"):
        assert found[line] == pytest.approx(k[line], rel=0.01)


def test_a_standard_of_the_wrong_compound_is_noticed():
    mean, _, composition = simulated({"Cu": 60, "Fe": 10, "S": 30})
    s = spectrum(np.rint(1e6 * mean), composition)
    with pytest.warns(UserWarning, match="far from theory .*Check the composition") as caught:
        calibrate_kfactors(s, "CuFe4S2")
    assert caught[0].filename == __file__


def test_a_standard_by_formula_and_what_is_wrong_with_others():
    mean, k, composition = simulated({"Cu": 25, "Fe": 25, "S": 50})
    s = spectrum(np.rint(1e6 * mean), composition)
    found = calibrate_kfactors(s, "CuFeS2", reference="Fe_Ka")
    assert found["Fe_Ka"] == 1.0
    assert found["Cu_Ka"] == pytest.approx(k["Cu_Ka"] / k["Fe_Ka"], rel=5e-3)
    for wrong, message in (
        ({"Cu": 0.25, "Fe": 0.25, "S": 0.5}, "sum to 100, but sums to 1"),
        ({"Cu": 25, "Fe": 25, "S": 40}, "sum to 100, but sums to 90"),
        ({"Cu": "much", "S": 50}, "must be a number above 0, not 'much'"),
        ({"Xx": 50, "S": 50}, "'Xx' is not the symbol"),
        ("CuFe?", "not a chemical formula"),
        (None, "must be a dictionary of at%"),
        (["Cu", "Fe"], "must be a dictionary of at%"),
        ({"Cu": 25, "Fe": 25, "S": 25, "Zn": 25}, "no counts of Zn"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            calibrate_kfactors(s, wrong)
    with pytest.raises(ValueError, match="'Zn_Ka' is not among the lines of the standard"):
        calibrate_kfactors(s, "CuFeS2", reference="Zn_Ka")
    with pytest.raises(ValueError, match="no counts to quantify"):
        calibrate_kfactors(spectrum(np.zeros(2047), ["Cu"]), "CuFeS2")
    with pytest.raises(TypeError, match="must be a HyperSpy signal"):
        calibrate_kfactors(mean, "CuFeS2")


def test_what_a_standard_holds_besides_is_said_once_and_where_it_was_asked():
    mean, _, composition = simulated({"Cu": 25, "Fe": 25, "S": 50}, extra={"Au": 0.1})
    s = spectrum(np.rint(1e6 * mean), composition)
    with pytest.warns(UserWarning, match="no declared element explains") as caught:
        calibrate_kfactors(s, "CuFeS2")
    said = [w for w in caught if w.category is UserWarning]
    assert ["Au_Ma?" in str(w.message) for w in said] == [True]
    assert said[0].filename == __file__


def test_lithium_of_a_standard_has_no_line_but_absorbs(rng):
    """The other k-factors are those of the truth."""
    mean, k, composition = simulated({"Mn": 25.0, "Fe": 25.0, "S": 50.0})
    with_lithium = {**{e: 0.75 * x for e, x in composition.items()}, "Li": 25.0}
    standard = spectrum(rng.poisson(1e6 * mean), composition)
    with pytest.warns(UserWarning, match=r"needs X-ray lines: Li\."):
        found = calibrate_kfactors(standard, with_lithium)
    assert set(found) == {"Mn_Ka", "Fe_Ka", "S_Ka"}
    for line in ("Mn_Ka", "Fe_Ka"):
        assert found[line] * k["S_Ka"] / k[line] == pytest.approx(1, abs=0.01)
    with pytest.warns(UserWarning, match="needs X-ray lines"):
        absorbing = calibrate_kfactors(
            standard, with_lithium, absorption={"thickness": 100, "density": 3.0}
        )
    without = calibrate_kfactors(
        standard, composition, absorption={"thickness": 100, "density": 3.0}
    )
    # Lithium hardly absorbs sulfur's line, the other elements do.
    assert found["Fe_Ka"] < absorbing["Fe_Ka"] < without["Fe_Ka"]


@pytest.mark.parametrize("live_time", [None, "long", [1.0, 2.0], 0.1])
def test_a_standard_as_exspys_map_with_an_odd_live_time(live_time):
    s = data.six_cation_sulfide(size=24, channels=512)
    s.set_signal_type("EDS_TEM")
    s.metadata.set_item("Acquisition_instrument.TEM.Detector.EDS.live_time", live_time)
    before = s.metadata.deepcopy().as_dictionary()
    assert calibrate_kfactors(s, "CuFeS2", extra_elements=["Ag", "Cd", "Mn", "Zn", "Au"])
    np.testing.assert_equal(s.metadata.as_dictionary(), before)


def test_a_kfactor_without_theory_comes_from_a_standard():
    """Of beryllium's line theory knows nothing, and it is not asked."""
    energy = 0.005 * np.arange(1, 600)
    sigma = np.sqrt(130.0**2 + 2500 * (0.1085 - 5.8987)) / 2354.82
    beryllium = np.exp(-0.5 * ((energy - 0.1085) / sigma) ** 2)
    counts = 2e5 * simulation.family(energy, "O", "K", 130.0) + 50
    s = spectrum(np.rint(counts + 4e5 * beryllium / beryllium.sum()), ["Be", "O"])
    s.axes_manager[0].scale, s.axes_manager[0].offset = 0.005, energy[0]
    found = calibrate_kfactors(s, "BeO", extra_elements=(), reference="O_Ka")
    # By weight: 9.012 parts of beryllium in 4e5 counts, 15.999 of oxygen in 2e5.
    assert found["Be_Ka"] == pytest.approx(9.012 / 4e5 / (15.999 / 2e5), rel=0.03)
    assert found["O_Ka"] == 1.0
    s.set_elements(["Be", "O"])
    q = s.cluster_quantification(kfactors=found, extra_elements=())
    np.testing.assert_allclose(q.atomic_percent, 50, atol=0.1)
