"""Compositions of spectra and maps whose truth is known."""

import copy
import pickle

import hyperspy.api as hs
import numpy as np
import pytest
import simulation
from single_spectra import (
    DETECTOR,
    ENERGY,
    EXTRA,
    SAMPLES,
    deviation,
    simulated,
    spectrum,
    truth,
)

from hyperspy_clusterquant import ClusterResult, data
from hyperspy_clusterquant.composition.compose import only_stray


@pytest.mark.parametrize("sample", SAMPLES)
def test_noise_free_spectra_of_the_papers_samples(sample):
    """Line ratios of xraylib, an axis that is off, another resolution: 0.5 at% + 3 %."""
    mean, k, composition = simulated(SAMPLES[sample], extra=EXTRA, **DETECTOR)
    q = spectrum(1e7 * mean, composition).cluster_quantification(
        kfactors=k, extra_elements=list(EXTRA)
    )
    found = np.abs(deviation(q, composition))
    expected = np.array([composition[e] for e in q.elements])
    assert (found < 0.5 + 0.03 * expected).all()
    # What is reached: a tenth of that.
    assert (found < 0.05 + 0.003 * expected).all()
    assert q.calibration.shift(6.0) == pytest.approx(14, abs=0.5)
    assert q.calibration.scale.resolution == pytest.approx(136, abs=0.5)
    assert not q.unexplained


@pytest.mark.parametrize("sample", SAMPLES)
def test_noisy_spectra_of_the_papers_samples(sample, rng):
    mean, k, composition = simulated(SAMPLES[sample], extra=EXTRA, **DETECTOR)
    z = []
    for _ in range(10):
        s = spectrum(rng.poisson(2e5 * mean), composition)
        q = s.cluster_quantification(kfactors=k, extra_elements=list(EXTRA))
        z.append(deviation(q, composition) / q.std_counting[0])
    assert np.mean(np.abs(z) < 2.5) >= 0.95


#: Coverage is expected at 68 %; 63 to 73 % is what the issue asks for over 200 spectra.
@pytest.mark.slow
@pytest.mark.parametrize("counts", [1e4, 1e5, 1e6])
@pytest.mark.parametrize("sample", SAMPLES)
def test_coverage(sample, counts):
    rng = np.random.default_rng(int(counts))
    mean, k, composition = simulated(SAMPLES[sample], extra=EXTRA, **DETECTOR)
    inside = []
    for _ in range(200):
        s = spectrum(rng.poisson(counts * mean), composition)
        q = s.cluster_quantification(kfactors=k, extra_elements=list(EXTRA))
        more_than_one = np.array([composition[e] > 1 for e in q.elements])
        inside.append((np.abs(deviation(q, composition)) < q.std_counting[0])[more_than_one])
    print(f"{sample}, {counts:.0e} counts: {np.mean(inside):.3f} inside")  # noqa: T201
    assert 0.63 < np.mean(inside) < 0.73


OVERLAPS = {
    "Ag, Cd and In L": {"Ag": 20, "Cd": 15, "In": 15, "S": 50},
    "Mn Kb and Fe Ka": {"Mn": 45, "Fe": 5, "S": 50},
    "Fe Kb and Co Ka": {"Fe": 45, "Co": 5, "S": 50},
    "Cu Kb and Zn Ka": {"Cu": 45, "Zn": 5, "S": 50},
    "Zn Kb and Ga Ka": {"Zn": 45, "Ga": 5, "S": 50},
    "S Ka and Mo La": {"Mo": 33, "S": 67},
}


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_overlapping_lines(overlap, rng):
    mean, k, composition = simulated(OVERLAPS[overlap], **DETECTOR)
    clean = spectrum(1e7 * mean, composition).cluster_quantification(kfactors=k)
    assert np.abs(deviation(clean, composition)).max() < 0.3
    z = []
    for _ in range(15):
        s = spectrum(rng.poisson(3e5 * mean), composition)
        q = s.cluster_quantification(kfactors=k)
        z.append(deviation(q, composition) / q.std_counting[0])
    assert np.mean(np.abs(z) < 2.5) >= 0.95
    # Bound of the mean of 15 with three standard deviations.
    assert np.abs(np.mean(z, axis=0)).max() < 3 / np.sqrt(15)


def test_an_absent_element_has_a_limit(rng):
    mean, k, composition = simulated({"Fe": 50, "S": 50})
    k["Zn_Ka"] = 2.1
    limits, detected, values = [], [], []
    for _ in range(30):
        s = spectrum(rng.poisson(1e5 * mean), [*composition, "Zn"])
        q = s.cluster_quantification(kfactors=k)
        zinc = q.elements.index("Zn")
        values.append(q.atomic_percent[0, zinc])
        detected.append(bool(q.detected[0, zinc]))
        limits.append(q.upper_limit[0, zinc])
    assert min(values) >= 0
    assert sum(detected) <= 5  # 5 % are expected
    assert 0 < max(limits) < 0.5
    s = spectrum(np.rint(1e5 * mean), [*composition, "Zn"])
    assert "Zn" in str(s.cluster_quantification(kfactors=k))
    assert "< 0." in str(s.cluster_quantification(kfactors=k))


def test_absorbed_xrays_are_brought_back():
    """An absorbed phantom of known thickness: every element within 1 % of its value."""
    import xraylib
    from scipy import integrate

    _, k, composition = simulated(simulation.SIX_CATION["jalpaite"])
    weights = {e: x * xraylib.AtomicWeight(xraylib.SymbolToAtomicNumber(e))
               for e, x in composition.items()}  # fmt: skip
    total = sum(weights.values())

    def transmission(energy):
        mu = sum(
            w / total * xraylib.CS_Total(xraylib.SymbolToAtomicNumber(e), energy)
            for e, w in weights.items()
        )
        depth = mu * 6.0 * 150e-7 / np.sin(np.radians(22.0))
        return integrate.quad(lambda z: np.exp(-z * depth), 0, 1)[0]

    absorbed, _, _ = simulated(simulation.SIX_CATION["jalpaite"], transmission=transmission)
    s = spectrum(1e8 * absorbed, composition)
    s.set_microscope_parameters(elevation_angle=22.0, azimuth_angle=0.0, tilt_stage=0.0)
    foil = {"thickness": 150, "density": 6.0}
    plain = s.cluster_quantification(kfactors=k)
    q = s.cluster_quantification(kfactors=k, absorption=foil)
    expected = np.array([composition[e] for e in q.elements])
    assert np.abs(plain.atomic_percent[0] / expected - 1).max() > 0.03
    np.testing.assert_allclose(q.atomic_percent[0], expected, rtol=0.01)
    assert q.absorption.take_off_angle == 22.0
    assert q.absorption.thickness == (150.0,)
    sulfur = q.elements.index("S")
    assert q.absorption_factors[0, sulfur] == pytest.approx(1 / transmission(2.307), rel=0.005)
    assert "Absorption corrected for 150 nm" in str(q)
    auto = s.cluster_quantification(kfactors=k, absorption={"thickness": 150})
    assert 4 < auto.absorption.density[0] < 9


def test_relative_uncertainties_are_of_the_papers_order():
    """With k-factors known to 4 %, as the paper's seem to be."""
    mean, k, composition = simulated(simulation.SIX_CATION["chalcopyrite"], extra=EXTRA)
    s = spectrum(np.rint(3e4 * mean), composition)
    q = s.cluster_quantification(kfactors=k, kfactor_uncertainty=0.04, extra_elements=list(EXTRA))
    paper = {"Cu": 0.96 / 17.6, "Fe": 1.3 / 25.4, "Mn": 0.26 / 2.51, "S": 2.4 / 52.1}
    for element, relative in paper.items():
        n = q.elements.index(element)
        assert 0.33 < q.std[0, n] / q.atomic_percent[0, n] / relative < 3


def test_composition_of_every_pixel(clustered):
    k = clustered.metadata.Ground_truth.kfactors
    options = {"kfactors": k, "extra_elements": ["C", "Au"]}
    plain = clustered.cluster_quantification(**options)
    assert plain.maps is None
    q = clustered.cluster_quantification(per_pixel=True, **options)
    assert list(q.maps) == list(q.elements)
    image = q.maps["Ag"]
    result = clustered.clusters["pca_gmm"]
    assert image.data.shape == result.labels.shape
    assert image.axes_manager[0].units == "nm"
    assert image.metadata.General.title == "Ag (at%)"
    assert np.isnan(image.data[result.labels == -2]).all()
    total = sum(m.data for m in q.maps.values())
    np.testing.assert_allclose(total[np.isfinite(image.data)], 100)
    # The mean over a phase is that of its summed spectrum.
    jalpaite = int(np.argmax(q.atomic_percent[:, q.elements.index("Ag")]))
    inside = (result.labels == jalpaite) & (result.memberships[jalpaite] > 0.9)
    expected = q.atomic_percent[jalpaite, q.elements.index("Ag")]
    assert np.nanmean(image.data[inside]) == pytest.approx(expected, abs=2)
    lazy = clustered.as_lazy().cluster_quantification(per_pixel=True, **options)
    np.testing.assert_allclose(lazy.maps["Ag"].data, image.data, rtol=1e-6)
    weight = clustered.cluster_quantification(per_pixel=True, composition_units="weight", **options)
    assert weight.maps["S"].metadata.General.title == "S (wt%)"
    assert np.nanmean(weight.maps["S"].data) < np.nanmean(q.maps["S"].data)


def test_tables_go_to_other_processes_with_all_that_they_hold(clustered):
    options = {"kfactor_uncertainty": 0.03, "extra_elements": ["C", "Au"]}
    q = clustered.cluster_quantification(per_pixel=True, absorption={"thickness": 50}, **options)
    for same in (copy.copy(q), copy.deepcopy(q), pickle.loads(pickle.dumps(q))):
        assert same == q
        assert hash(same) == hash(q)
        assert str(same) == str(q)
        assert same.std_kfactor.any()
        assert same.calibration == q.calibration
        np.testing.assert_array_equal(same.fits[2].model, q.fits[2].model)
        np.testing.assert_array_equal(same.maps["S"].data, q.maps["S"].data)
        for array in (same.atomic_percent, same.fits[0].areas, same.calibration.covariance):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1
    assert clustered.cluster_quantification(absorption={"thickness": 60}, **options) != q
    # What can be made again stays behind.
    assert q.fits[0].design.profiles.any()
    assert "profiles" not in vars(pickle.loads(pickle.dumps(q)).fits[0].design)


def two_halves(one, other):
    """Map of two clusters, each of pixels with the same counts."""
    counts = np.zeros((4, 6, len(ENERGY)), dtype=int)
    counts[:, :3], counts[:, 3:] = one, other
    labels = np.repeat([[0, 0, 0, 1, 1, 1]], 4, axis=0)
    memberships = (labels == np.arange(2)[:, None, None]).astype(float)
    result = ClusterResult("r", "pca_gmm", labels, memberships, np.zeros((24, 1)), [2.0], 1.0)
    return spectrum(counts, ["Cu", "Fe", "S"]), result


CARBON = np.where(np.abs(ENERGY - 0.28) < 0.05, 50, 0)
#: Counts without a peak, and none where the lines are.
BACKGROUND = np.where(np.abs(ENERGY - np.array([[2.31], [6.40], [8.04]])).min(axis=0) > 0.05, 1, 0)
K = {"Cu_Ka": 1.9, "Fe_Ka": 1.4, "S_Ka": 1.0}


@pytest.mark.filterwarnings("error::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize("absorption", [None, {"thickness": 50, "take_off_angle": 22}])
@pytest.mark.parametrize("method", ["model", "windows"])
@pytest.mark.parametrize("what", ["both are empty", "one is empty", "nothing is detected"])
def test_tables_without_counts_of_the_lines(what, method, absorption, tmp_path):
    mean, _, _ = simulated({"Cu": 25, "Fe": 25, "S": 50})
    one, other = {
        "both are empty": (CARBON, CARBON),
        "one is empty": (np.rint(1e4 * mean), CARBON),
        "nothing is detected": (BACKGROUND, BACKGROUND),
    }[what]
    s, result = two_halves(one, other)
    q = s.cluster_quantification(
        result, kfactors=K, extra_elements=(), method=method, absorption=absorption
    )
    found = [what == "one is empty", False]
    np.testing.assert_array_equal(q.detected.any(axis=1), found)
    np.testing.assert_array_equal(np.isfinite(q.configurational_entropy), found)
    text = str(q)
    assert repr(q).endswith(text)
    nothing = absorption is not None and np.isnan(q.atomic_percent).all()
    assert ("there are no counts of the lines" in text) == nothing
    assert "<table" in q._repr_html_()
    assert q.to_dataframe().shape == (4, 4)
    assert q.to_dataframe(text=True).shape == (4, 2)
    assert "hline" in q.to_latex()
    q.to_csv(tmp_path / "t.csv")
    q.plot().figure.canvas.draw()
    if method == "model" and other is CARBON:
        assert np.isnan(q.atomic_percent[1]).all()
        with pytest.raises(ValueError, match="cluster 1 holds no counts"):
            q.plot_fit(1)


def test_maps_without_counts_where_the_lines_are():
    s, result = two_halves(CARBON, CARBON)
    with pytest.raises(ValueError, match=r"no counts from 1.1 to 20.* keV, where the lines are"):
        s.cluster_quantification(result, kfactors=K, per_pixel=True)


def test_maps_of_weak_pixels_are_unbiased_or_empty():
    """Clipped at zero, trace elements would be several times too high on average."""
    s = data.six_cation_sulfide(size=64, counts_per_pixel=30)
    s.cluster_pca_gmm(n_clusters=4)
    q = s.cluster_quantification(
        kfactors=s.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"], per_pixel=True
    )
    labels = s.clusters["pca_gmm"].labels
    for cluster in range(4):
        inside = labels == cluster
        for n, element in enumerate(q.elements):
            values = q.maps[element].data[inside]
            known = values[np.isfinite(values)]
            assert known.size > 0.8 * values.size
            assert np.mean(known) == pytest.approx(q.atomic_percent[cluster, n], abs=3)
    faint = data.six_cation_sulfide(size=32, counts_per_pixel=2)
    faint.cluster_pca_gmm(n_clusters=1, n_components=1)
    q = faint.cluster_quantification(
        kfactors=s.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"], per_pixel=True
    )
    assert np.isnan(q.maps["S"].data).mean() > 0.9


def test_eager_and_lazy_and_the_spectra_themselves_agree(clustered):
    k = clustered.metadata.Ground_truth.kfactors
    options = {"kfactors": k, "extra_elements": ["C", "Au"]}
    eager = clustered.cluster_quantification(**options)
    lazy = clustered.as_lazy().cluster_quantification(**options)
    np.testing.assert_allclose(lazy.atomic_percent, eager.atomic_percent, rtol=1e-6)
    # One spectrum of the clusters alone is calibrated alone.
    single = clustered.get_cluster_spectra(weights="phase").inav[0]
    alone = single.cluster_quantification(**options)
    assert alone.cluster_names == ("spectrum",)
    assert (np.abs(alone.atomic_percent[0] - eager.atomic_percent[0]) < eager.std[0]).all()


def test_peak_fit_is_kept_and_drawn(clustered):
    k = clustered.metadata.Ground_truth.kfactors
    q = clustered.cluster_quantification(kfactors=k, extra_elements=["C", "Au"])
    assert len(q.fits) == 4
    for fit in q.fits:
        assert 0.75 < fit.reduced_chi_square < 1.3
        np.testing.assert_allclose(fit.lines + fit.background + fit.artefacts, fit.model)
    top, below = q.plot_fit("cluster 1")
    assert "cluster 1" in top.get_title()
    assert below.get_ylabel() == "Residual (σ)"
    assert "cluster 1" in q.plot_fit(np.int64(1))[0].get_title()
    with pytest.raises(ValueError, match=r"no cluster 9 in the table; there are 0 \('cluster 0'\)"):
        q.plot_fit(9)
    with pytest.raises(TypeError, match=r"number \(int\) or name \(str\), not True"):
        q.plot_fit(True)


def test_composition_of_the_particles_within_their_uncertainty(particles):
    q = particles.cluster_quantification(
        kfactors=particles.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"]
    )
    # Declared elements are sorted by HyperSpy.
    order = [list(particles.metadata.Ground_truth.elements).index(e) for e in q.elements]
    expected = truth(particles)[order]
    assert (np.abs(q.atomic_percent[0] - expected) < 3.5 * q.std[0]).all()
    assert q.std.max() < 0.5
    assert not q.std_kfactor.any()


def test_uncertainties_cover_the_truth():
    """Of 40 maps with 8 elements each, 68 % lie within one and 95 % within two std.

    A standard deviation that is wrong by a fifth is seen.
    """
    z = []
    for seed in range(40):
        s = data.seven_cation_nanoparticles(size=32, channels=512, seed=seed)
        s.clusters_from_labels(np.where(s.metadata.Ground_truth.labels >= 0, 0, -2))
        q = s.cluster_quantification(
            kfactors=s.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"]
        )
        order = [list(s.metadata.Ground_truth.elements).index(e) for e in q.elements]
        z.append((q.atomic_percent[0] - truth(s)[order]) / q.std_counting[0])
    z = np.abs(z)
    assert 0.62 < np.mean(z < 1) < 0.75
    assert np.mean(z < 2) > 0.93


def test_lines_without_overlap_agree_in_windows_and_model(particles):
    k = {"Cu_Ka": 2.0, "Mn_Ka": 1.6}
    lines = ["Cu_Ka", "Mn_Ka"]
    windows = particles.cluster_quantification(kfactors=k, xray_lines=lines, method="windows")
    model = particles.cluster_quantification(
        kfactors=k, xray_lines=lines, extra_elements=["C", "Au", "Zn", "Co", "Ga", "S", "Ag", "In"]
    )
    assert np.abs(windows.atomic_percent - model.atomic_percent).max() < 3 * windows.std.max()


def test_a_cluster_that_was_cropped_away_has_no_composition(clustered):
    full = clustered.clusters["pca_gmm"]
    column = int(np.argmax((full.labels != 3).all(axis=0) & (full.labels > -2).any(axis=0)))
    profile = clustered.inav[column : column + 1, :]
    result = profile.clusters["pca_gmm"]
    assert result.sizes[3] == 0
    q = profile.cluster_quantification(
        weights="hard", kfactors=clustered.metadata.Ground_truth.kfactors
    )
    assert np.isnan(q.atomic_percent[3]).all()
    assert np.isfinite(q.atomic_percent[result.sizes > 0]).all()
    assert " - " in str(q) or str(q).splitlines()[2].endswith("-")


# --- lines that cannot be told apart, and clusters that hold nothing ---------------------


def platinum(phosphorus=0.0, beta=1.0, off=0.0, tail=0.0):
    """A spectrum of iron beneath a strap of platinum, which differs from what theory has."""
    energy = np.arange(1, 2000) * 0.01
    true = energy - off / 1000 * ((energy > 1.9) & (energy < 2.5))
    total = 2e4 * simulation.family(energy, "Fe", "K", 130.0) + 400 * np.exp(-energy / 4)
    total += 8e4 * simulation.family(energy, "Pt", "L", 130.0)
    strap = simulation.family(true, "Pt", "M", 130.0)
    strap += (beta - 1) * np.where(true > 2.09, strap, 0.0)
    strap = (1 - tail) * strap + tail * np.interp(energy + 0.08, energy, strap)
    return total + 1e5 * strap + phosphorus * simulation.family(energy, "P", "K", 130.0)


#: What the user declares: platinum among the elements, of the strap, or not at all.
LISTS = {
    "quantified": (["Fe_Ka", "P_Ka", "Pt_La"], []),
    "extra": (["Fe_Ka", "P_Ka"], ["Pt"]),
    "with others": (["Fe_Ka", "P_Ka", "Si_Ka", "S_Ka"], ["Pt", "C", "Cu", "Ga"]),
    "forgotten": (["Fe_Ka", "P_Ka"], []),
}


@pytest.mark.parametrize("declared", LISTS)
@pytest.mark.parametrize(
    "odd", [{}, {"beta": 1.3}, {"off": 2.0}, {"off": -2.0}, {"tail": 0.05}], ids=str
)
def test_no_phosphorus_is_found_beneath_platinum(declared, odd, rng):
    lines, extra = LISTS[declared]
    s = spectrum(rng.poisson(platinum(**odd)), [line.partition("_")[0] for line in lines])
    table = s.cluster_quantification(
        xray_lines=lines, kfactors=dict.fromkeys(lines, 1.0), extra_elements=extra
    )
    place = table.elements.index("P")
    assert table.unconstrained_intensities[0, place] < 2.5 * table.intensities_std[0, place]
    assert ("P_Ka", "Pt_Ma") in table.inseparable
    (remark,) = [text for text in table.remarks if "do not tell P_Ka from Pt_Ma" in text]
    assert "less P than" in remark
    assert remark in str(table)
    assert "P_Ka" not in [peak.line for peak in table.unexplained]


@pytest.mark.parametrize("phosphorus", [5e3, 1e5])
def test_phosphorus_beneath_platinum_is_within_its_error(phosphorus, rng):
    lines = ["Fe_Ka", "P_Ka"]
    s = spectrum(rng.poisson(platinum(phosphorus)), ["Fe", "P"])
    table = s.cluster_quantification(kfactors=dict.fromkeys(lines, 1.0), extra_elements=["C", "Pt"])
    place = table.elements.index("P")
    std = table.intensities_std[0, place]
    assert table.unconstrained_intensities[0, place] == pytest.approx(phosphorus, abs=2.5 * std)
    # What is as strong as platinum is told from it.
    assert bool(table.inseparable) == (phosphorus < 2e4)


def test_an_isolated_line_is_told_apart(rng):
    mean, k, _ = simulated({"Fe": 60, "Cu": 40})
    k["Ti_Ka"] = 1.6
    s = spectrum(rng.poisson(3e5 * mean), ["Fe", "Cu", "Ti"])
    table = s.cluster_quantification(kfactors=k)
    assert not table.detected[0, table.elements.index("Ti")]
    assert table.inseparable == ()


def film(stray, oxide=0.0, size=24):
    """A map whose left half is sample on a film, and whose right half is the film."""
    energy = np.arange(1, 1000) * 0.01
    sample = 60 * simulation.family(energy, "Fe", "K", 130.0)
    sample += 60 * simulation.family(energy, "Cu", "K", 130.0) + 0.2 * np.exp(-energy / 4)
    carbon = 100 * simulation.family(energy, "C", "K", 130.0) + 0.1 * np.exp(-energy / 4)
    carbon += 40 * simulation.family(energy, "Si", "K", 130.0)
    iron = oxide * simulation.family(energy, "Fe", "K", 130.0)
    mean = np.zeros((size, size, len(energy)))
    mean[:, : size // 2] = sample
    mean[:, size // 2 :] = stray * sample + iron
    return mean + carbon


@pytest.mark.parametrize(
    ("options", "background"),
    [
        ({"stray": 0.02}, [False, True]),
        ({"stray": 0.04}, [False, True]),
        ({"stray": 0.01, "oxide": 15.0}, [False, False]),
        ({"stray": 0.5}, [False, False]),
    ],
    ids=str,
)
def test_a_film_of_stray_xrays_has_no_composition(options, background, rng, tmp_path):
    s = hs.signals.Signal1D(rng.poisson(film(**options)))
    s.set_signal_type("EDS_TEM_clustered")
    axis = s.axes_manager.signal_axes[0]
    axis.scale, axis.offset, axis.units = 0.01, 0.01, "keV"
    s.set_microscope_parameters(beam_energy=200)
    s.set_elements(["Fe", "Cu"])
    labels = np.repeat([[0] * 12 + [1] * 12], 24, axis=0)
    memberships = np.array([labels == 0, labels == 1], dtype=float)
    result = ClusterResult("two", "pca_gmm", labels, memberships, np.zeros((576, 1)), [2.0], 1.0)
    table = s.cluster_quantification(
        result, kfactors={"Fe_Ka": 1.0, "Cu_Ka": 1.0}, extra_elements=["C", "Si"]
    )
    assert table.background.tolist() == background
    text = str(table)
    assert ("background" in text) == any(background)
    assert np.isnan(table.configurational_entropy).tolist() == background
    assert np.isfinite(table.atomic_percent).all()
    assert ("background" in table.to_latex()) == any(background)
    assert any("Background: cluster 1" in remark for remark in table.remarks) == any(background)
    table.to_csv(tmp_path / "table.csv")
    table.plot()


def test_the_thin_end_of_a_wedge_is_sample():
    """20 to 300 nm of one composition: little, but nothing beside it."""
    thickness = np.array([20.0, 50.0, 100.0, 300.0])
    sizes = np.full(4, 1000)
    shares = np.full(4, 0.8)
    assert not only_stray(thickness, shares, sizes).any()
    # On a film as strong as the thick end, its share is smaller, and it is still sample.
    assert not only_stray(thickness[1:], thickness[1:] / (thickness[1:] + 100), sizes[1:]).any()
