"""What users choose: lines, k-factors, sublattices, thicknesses."""

import warnings

import numpy as np
import pytest
from single_spectra import (
    single,
    spectrum,
)

from hyperspy_clusterquant import data, theoretical_kfactors
from hyperspy_clusterquant.signals.options import find_kfactors


def test_theory_fills_missing_kfactors_and_says_so(particles):
    k = {line: value for line, value in particles.metadata.Ground_truth.kfactors.as_dictionary()
         .items() if line not in ("Zn_Ka", "Zn_La", "Ag_La")}  # fmt: skip
    with pytest.warns(UserWarning, match=r"lacks Ag_La, Zn_Ka: theoretical ones, scaled"):
        q = particles.cluster_quantification(
            kfactors=k, kfactor_uncertainty=0.04, extra_elements=["C", "Au"], detector="ideal"
        )
    assert "Ag* " in str(q)
    assert "* k-factor from theory: Ag_La, Zn_Ka" in str(q)
    relative = q.kfactors.relative_uncertainty
    assert relative["S_Ka"] == 0.04
    # Theory's own, and that of its scale by the lines that are given.
    scale = (4 * 0.03**-2 + 0.10**-2 + 0.17**-2) ** -0.5
    assert relative["Ag_La"] == pytest.approx(np.hypot(0.17, scale), rel=0.01)
    assert relative["Zn_Ka"] == pytest.approx(np.hypot(0.03, scale), rel=0.01)


def test_theoretical_kfactors_passed_on_keep_their_uncertainty(particles):
    lines = ["Cu_Ka", "S_Ka"]
    q = particles.cluster_quantification(
        kfactors=theoretical_kfactors(lines, detector="ideal"),
        xray_lines=lines,
        extra_elements=["C", "Au"],
    )
    x = q.atomic_percent[0, 0] / 100
    assert q.std_kfactor[0, 0] == pytest.approx(100 * x * (1 - x) * np.hypot(0.03, 0.10))


def test_a_detector_changes_the_default_kfactors(particles):
    with pytest.warns(UserWarning, match="Theoretical"):
        ideal = particles.cluster_quantification(extra_elements=["C", "Au"])
    with pytest.warns(UserWarning, match="Theoretical"):
        windowed = particles.cluster_quantification(extra_elements=["C", "Au"], detector="Be")
    ratio = windowed.ratio("S", "Cu").values / ideal.ratio("S", "Cu").values
    assert ratio[0] == pytest.approx(1.09, abs=0.015)


def test_theoretical_kfactors_with_honest_uncertainties(particles):
    with pytest.warns(UserWarning, match=r"Theoretical k-factors at 200 keV.*3% to 17%") as caught:
        q = particles.deepcopy().cluster_quantification(extra_elements=["C", "Au"])
    assert caught[0].filename == __file__
    theory = theoretical_kfactors(q.xray_lines, 200, q.xray_lines[0])
    assert dict(q.kfactors) == pytest.approx(dict(theory))
    assert "*" not in str(q)
    assert (q.std_kfactor > q.std_counting).all()
    np.testing.assert_allclose(q.std**2, q.std_counting**2 + q.std_kfactor**2)


@pytest.mark.filterwarnings("error")
def test_kfactor_uncertainty_of_the_user(particles):
    k = theoretical_kfactors(["Cu_Ka", "S_Ka"])
    others = ["C", "Au"]
    for given in (0.05, {"Cu_Ka": 0.05, "S_Ka": 0.05}):
        q = particles.cluster_quantification(
            kfactors=k,
            xray_lines=["Cu_Ka", "S_Ka"],
            kfactor_uncertainty=given,
            extra_elements=others,
        )
        x = q.atomic_percent[0, 0] / 100
        assert q.std_kfactor[0, 0] == pytest.approx(100 * x * (1 - x) * 0.05 * np.sqrt(2))


def test_kfactors_from_a_file(particles, tmp_path):
    path = tmp_path / "k.csv"
    path.write_text("line,k,relative_uncertainty\nCu_Ka,2.0,0.1\nS_Ka,1.0,\n")
    q = particles.cluster_quantification(kfactors=path, xray_lines=["Cu_Ka", "S_Ka"])
    assert q.kfactors == {"Cu_Ka": 2.0, "S_Ka": 1.0}
    x = q.atomic_percent[0, 0] / 100
    assert q.std_kfactor[0, 0] == pytest.approx(100 * x * (1 - x) * 0.1)


@pytest.mark.parametrize("pair", [("Pb", "S"), ("La", "O"), ("W", "C"), ("U", "O"), ("Au", "Cu")])
def test_l_lines_come_before_m_lines(pair):
    s = spectrum(np.ones(2047), pair)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        q = s.cluster_quantification()
    assert f"{pair[0]}_La" in q.xray_lines


def test_an_element_without_a_kfactor_is_fitted_but_not_quantified():
    """xraylib knows nothing of beryllium's line; who has its k-factor gets it quantified."""
    s = spectrum(np.ones(2047), ["Be", "Cu", "S"])
    with pytest.warns(UserWarning, match=r"not quantified: Be\. .*for Be_Ka") as caught:
        q = s.cluster_quantification()
    assert len([w for w in caught if "not quantified" in str(w.message)]) == 1
    assert q.elements == ("Cu", "S")
    k = {"Cu_Ka": 1.9, "S_Ka": 1.0}
    with pytest.warns(UserWarning, match="not quantified: Be"):
        assert s.cluster_quantification(kfactors=k).elements == ("Cu", "S")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert s.cluster_quantification(kfactors={**k, "Be_Ka": 3.0}).elements == ("Be", "Cu", "S")
        for why, options in (
            ("give its k-factor", {"xray_lines": ["Be_Ka", "Cu_Ka"]}),
            ("for Be_Ka at 200 keV", {"xray_lines": ["Be_Ka", "Cu_Ka"], "kfactors": k}),
        ):
            with pytest.raises(ValueError, match=why):
                s.cluster_quantification(**options)
        s.set_elements(["Be", "Cu"])
        with pytest.raises(ValueError, match=r"for Be_Ka at 200 keV.*give its k-factor"):
            s.cluster_quantification()


def test_lines_follow_the_kfactors_given(particles):
    others = ["S_Ka", "Ag_La", "Zn_Ka", "Mn_Ka", "Co_Ka", "Ga_Ka", "In_La"]
    k = theoretical_kfactors(["Cu_La", *others])
    q = particles.cluster_quantification(kfactors=k)
    assert "Cu_La" in q.xray_lines
    assert "Cu_Ka" not in q.xray_lines


def test_lines_above_the_beam_energy_do_not_shift_the_others():
    """exspy leaves them out of its model; every area must stay with its own line."""
    s = data.six_cation_sulfide(size=(40, 40), channels=2600)
    single(s)
    k = s.metadata.Ground_truth.kfactors
    expected = s.cluster_quantification(kfactors=k, extra_elements=["C", "Au"])
    s.metadata.Acquisition_instrument.TEM.beam_energy = 20.0
    options = {"kfactors": k, "thin_film": True}
    low = s.cluster_quantification(extra_elements=["C", "Au"], **options)
    assert (np.abs(low.atomic_percent - expected.atomic_percent) < 2 * expected.std).all()
    with pytest.raises(ValueError, match=r"Ag_Ka at 22.* and the beam \(0.1 to 20 keV\)"):
        s.cluster_quantification(xray_lines=["Ag_Ka", "Cu_Ka"], **options)


def test_declared_elements_are_fitted_even_if_they_are_not_quantified(particles):
    k = particles.metadata.Ground_truth.kfactors
    every = particles.cluster_quantification(kfactors=k)
    few = particles.cluster_quantification(kfactors=k, xray_lines=["Ag_La", "Cu_Ka"])
    chosen = [every.elements.index(element) for element in few.elements]
    np.testing.assert_allclose(few.intensities, every.intensities[:, chosen], rtol=0.02)


def test_declared_lines_come_before_the_order_of_the_kfactors(particles):
    s = particles.deepcopy()
    s.set_lines(["Cu_La"])
    q = s.cluster_quantification(kfactors=s.metadata.Ground_truth.kfactors)
    assert "Cu_La" in q.xray_lines


def test_weight_percent_and_sublattices(particles):
    k = particles.metadata.Ground_truth.kfactors
    q = particles.cluster_quantification(
        kfactors=k, composition_units="weight", sublattices=[["Ag", "Cu"], ["S"]]
    )
    np.testing.assert_allclose(q.weight_percent.sum(), 100)
    assert str(q).startswith("wt%")
    assert q.sublattices == (("Ag", "Cu"), ("S",))
    a, c = (q.atomic_percent[0, q.elements.index(e)] / 100 for e in ("Ag", "Cu"))
    by_hand = -(a * np.log(a / (a + c)) + c * np.log(c / (a + c)))
    assert q.configurational_entropy[0] == pytest.approx(by_hand)


def test_thickness_of_each_cluster(clustered):
    k = clustered.metadata.Ground_truth.kfactors
    names = clustered.clusters["pca_gmm"].cluster_names
    thickness = {name: 50.0 * (n + 1) for n, name in enumerate(names)}
    options = {"kfactors": k, "extra_elements": ["C", "Au"]}
    q = clustered.cluster_quantification(absorption={"thickness": thickness}, **options)
    assert q.absorption.thickness == (50.0, 100.0, 150.0, 200.0)
    one = clustered.cluster_quantification(absorption={"thickness": 100.0}, **options)
    np.testing.assert_allclose(q.atomic_percent[1], one.atomic_percent[1])
    assert (np.abs(q.atomic_percent[3] - one.atomic_percent[3]) > 0.01).any()


def test_errors_come_before_warnings_and_theory_alone_is_silent(particles, recwarn):
    lines = ("Cu_Ka", "S_Ka")
    assert find_kfactors(particles, lines, given=None) == theoretical_kfactors(lines, 200, "Cu_Ka")
    for wrong in ({"kfactor_uncertainty": 5}, {"absorption": 80}, {"sublattices": "Zn"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            particles.cluster_quantification(kfactors={"Cu_Ka": 2.0}, xray_lines=lines, **wrong)
    assert not [w for w in recwarn if issubclass(w.category, UserWarning)]
    with pytest.warns(UserWarning, match="lacks S_Ka: theoretical ones") as caught:
        particles.cluster_significance(kfactors={"Cu_Ka": 2.0}, xray_lines=lines, n_splits=1)
    assert caught[0].filename == __file__
