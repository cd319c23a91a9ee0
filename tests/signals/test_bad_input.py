"""Every message says what is needed, what came and what to do; the signal stays as it was."""

import hyperspy.api as hs
import numpy as np
import pytest

TYPE = "EDS_TEM_clustered"
K = {"Fe_Ka": 1.45, "Cu_Ka": 1.94, "S_Ka": 1.0}


@pytest.fixture
def s(sulfide):
    """Small map without elements."""
    s = sulfide.inav[:12, :10]
    del s.metadata.Sample.elements
    return s


@pytest.fixture
def ready(s):
    s.cluster_pca_gmm(n_clusters=1, navigation_mask=None, n_components=1)
    s.set_elements(["Fe", "Cu", "S"])
    return s


def test_a_single_spectrum_cannot_be_clustered(s):
    for cluster in (s.sum().cluster_pca_gmm, s.sum().cluster_umap_hdbscan):
        with pytest.raises(ValueError, match=r"needs a map or a line scan.*no navigation axes"):
            cluster()


@pytest.mark.parametrize("units", ["", "nm"])
def test_energy_axis_without_units_of_energy(s, units):
    s.axes_manager.signal_axes[0].units = units
    with pytest.raises(ValueError, match=r"'keV' or 'eV'.*signal_axes\[0\].units = 'keV'"):
        s.cluster_pca_gmm()


def test_energy_axis_with_units_never_set():
    plain = hs.signals.Signal1D(np.ones((4, 5, 100), dtype=int))
    plain.set_signal_type(TYPE)
    with pytest.raises(ValueError, match="but has 'none'"):
        plain.cluster_pca_gmm()


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((12, 10), bool), r"array shape \(10, 12\) \(y, x\), but has \(12, 10\)"),
        (np.ones((10, 12), bool), r"All 120 pixels are masked.*perhaps ~mask was meant"),
        (np.full((10, 12), 0.3), "not values such as 0.3 .float64"),
        ("vacuum", "must be 'auto' .* None .*not 'vacuum'"),
    ],
)
def test_masks(s, mask, message):
    with pytest.raises(ValueError, match=message):
        s.cluster_pca_gmm(navigation_mask=mask)


def test_automatic_mask_of_an_empty_map(s):
    s.data[:] = 0
    with pytest.raises(ValueError, match="All 120 pixels are masked: the automatic vacuum mask"):
        s.cluster_pca_gmm()
    with pytest.raises(ValueError, match="hold no counts in the chosen energies"):
        s.cluster_pca_gmm(navigation_mask=None)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-3, "negative"),
        (np.nan, "NaN"),
        (0.5, "not whole numbers"),
        (2.0**31, "more than any detector counts"),
    ],
)
def test_what_is_not_counts(s, value, message, lazy):
    s.change_dtype("float32")
    s.data[3, 4, 200] = value
    if lazy:
        s = s.as_lazy()
    before = s.metadata.deepcopy().as_dictionary()
    for cluster in (s.cluster_pca_gmm, s.cluster_umap_hdbscan):
        with pytest.raises(ValueError, match=message):
            cluster()
    np.testing.assert_equal(s.metadata.as_dictionary(), before)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_clusters": 500}, ValueError, r"n_clusters=500 is more than the \d+ pixels"),
        ({"n_clusters": 0}, ValueError, "at least 1"),
        ({"n_clusters": 2.5}, TypeError, "whole number"),
        ({"n_clusters": "aic"}, ValueError, "'auto' or 'bic'"),
        ({"n_components": "many"}, ValueError, "'auto', 'elbow' or an int"),
        ({"n_components": -1}, ValueError, "at least 0"),
        ({"binning": 0}, ValueError, "`binning` must be at least 1"),
        ({"neighbourhood": -1}, ValueError, "sigma of 0 to 20 pixels"),
        ({"neighbourhood": np.nan}, ValueError, "sigma of 0 to 20 pixels"),
        ({"neighbourhood": np.inf}, ValueError, "sigma of 0 to 20 pixels"),
        ({"neighbourhood": True}, ValueError, "sigma of 0 to 20 pixels"),
        ({"covariance_type": "round"}, ValueError, "'full', 'tied'"),
        ({"n_init": 0}, ValueError, "at least 1"),
        ({"energy_range": (50, 60)}, ValueError, "No energy channel is left"),
        ({"energy_range": (5, 2)}, ValueError, r"lowest, highest.*got \(5, 2\)"),
        ({"energy_range": 5}, TypeError, "two energies in keV"),
        ({"energy_range": (0.5, None)}, TypeError, "two energies in keV"),
        ({"n_clusters": np.nan}, TypeError, "whole number"),
        ({"random_state": -1}, ValueError, "at least 0"),
        ({"random_state": 2**33}, ValueError, "less than"),
        ({"exclude_lines": [1]}, TypeError, "list of texts"),
        ({"exclude_lines": ["Xx"]}, ValueError, "'Xx' is not the symbol"),
        ({"exclude_lines": ["Fe_Kz"]}, ValueError, "Fe has no line 'Kz'.*Fe_Ka"),
        ({"name": ""}, ValueError, "a text that is not empty"),
    ],
)
def test_workflow_1_parameters(s, parameters, error, message):
    with pytest.raises(error, match=message):
        s.cluster_pca_gmm(**parameters)
    assert not s.clusters


@pytest.mark.parametrize(
    ("size", "error", "message"),
    [
        (1, ValueError, "at least 2"),
        (1000, ValueError, r"more than the \d+ pixels"),
        (1.5, TypeError, "whole number"),
        (np.inf, TypeError, "whole number"),
        ("0 nm^2", ValueError, "is 0 pixels; a cluster needs at least 2"),
        ("-5 nm^2", ValueError, "a cluster needs at least 2"),
        ("200 nm", ValueError, r"does not fit the navigation axes.*\['nm', 'nm'\]"),
        ("200 K", ValueError, "does not fit the navigation axes"),
        ("huge", ValueError, "does not fit the navigation axes"),
    ],
)
def test_smallest_cluster(s, size, error, message):
    with pytest.raises(error, match=message):
        s.cluster_umap_hdbscan(size)


def test_workflow_2_parameters(s):
    with pytest.raises(ValueError, match="'eom', 'leaf'"):
        s.cluster_umap_hdbscan(cluster_selection_method="best")
    with pytest.raises(ValueError, match="at least 100"):
        s.cluster_umap_hdbscan(n_landmarks=5)
    with pytest.raises(ValueError, match="`min_samples` must be at least 1"):
        s.cluster_umap_hdbscan(min_samples=0)
    with pytest.raises(ValueError, match="`min_dist` must be between"):
        s.cluster_umap_hdbscan(min_dist=-1)


def test_methods_without_a_result(s):
    for method in (s.get_cluster_spectra, s.cluster_quantification, s.plot_clusters):
        with pytest.raises(ValueError, match=r"no clustering result.*cluster_pca_gmm"):
            method()


def test_results_that_are_not_of_this_map(ready):
    result = ready.clusters["pca_gmm"]
    with pytest.raises(ValueError, match=r"map of shape \(10, 12\).*has shape \(5, 12\)"):
        ready.inav[:, :5].get_cluster_spectra(result)
    with pytest.raises(ValueError, match="There is no result 'gmm'; there are"):
        ready.get_cluster_spectra("gmm")
    with pytest.raises(TypeError, match="what a clustering method returned"):
        ready.get_cluster_spectra(np.zeros((10, 12)))
    with pytest.raises(ValueError, match="'membership', 'hard'"):
        ready.get_cluster_spectra(weights="soft")


def test_elements(ready):
    ready.set_elements(["Fe"])
    with pytest.raises(ValueError, match=r"at least two elements, but only Fe.*add_elements"):
        ready.cluster_quantification(kfactors=K)
    del ready.metadata.Sample.elements
    with pytest.raises(ValueError, match=r"No elements are set.*set_elements"):
        ready.cluster_quantification(kfactors=K)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kfactors": {"Au_La": 1.45}}, "holds none of the lines .*Cu_Ka.*; it has Au_La"),
        (
            {"kfactors": {"Fe_Ka": "much", "Cu_Ka": 1}},
            "Fe_Ka must be a positive number, not 'much'",
        ),
        ({"kfactors": {"Fe_Ka": -1.0, "Cu_Ka": 1}}, "Fe_Ka must be a positive number, not -1.0"),
        ({"kfactors": {"Fe_Zz": 1.0, "Cu_Ka": 1}}, "'Zz' is no line.*Fe_Ka"),
        ({"kfactors": {"Qq_Ka": 1.0, "Cu_Ka": 1}}, "'Qq' is not the symbol"),
        ({"kfactors": K, "absorption": 80}, "must be a dictionary with a thickness in nm"),
        ({"kfactors": K, "absorption": {"density": 5}}, "must be a dictionary with a thickness"),
        (
            {"kfactors": K, "absorption": {"thickness": -5}},
            r"thickness .* above 0\.1 .*in nm.*not -5",
        ),
        ({"kfactors": K, "absorption": {"thickness": "thin"}}, "thickness .*not 'thin'"),
        (
            {"kfactors": K, "absorption": {"thickness": [50, 60, 70]}},
            "3 thicknesses for 1 clusters",
        ),
        (
            {"kfactors": K, "absorption": {"thickness": {"core": 50}}},
            r"no cluster 'core' in the result \(thickness in `absorption`\); there are 0 \('clu",
        ),
        ({"kfactors": K, "absorption": {"thickness": {}}}, "thickness of cluster 0 is missing"),
        (
            {"kfactors": K, "absorption": {"thickness": {"cluster 0": 50, 0: 60}}},
            "more than one thickness of a cluster: 'cluster 0', 0",
        ),
        ({"kfactors": K, "absorption": {"thickness": 50, "angle": 3}}, "knows thickness, density"),
        (
            {"kfactors": K, "absorption": {"thickness": 50, "density": 0}},
            "density .* above 0 and up to 30",
        ),
        (
            {"kfactors": K, "absorption": {"thickness": 50, "take_off_angle": 100}},
            "take_off_angle .* up to 90",
        ),
        ({"kfactors": K, "method": "windows", "per_pixel": True}, "method='model'"),
        ({"detector": "SDD"}, "'ideal', 'windowless', 'polymer', 'Be'"),
        ({"kfactors": K, "detector": "Be"}, "leave one of them out"),
        ({"kfactors": K, "absorption": {"thickness": 80e-9}}, r"above 0\.1 .*\(in nm\)"),
        (
            {"kfactors": K, "absorption": {"thickness": {"cluster 0": 50, "core": 60}}},
            "no cluster 'core' in the result",
        ),
        (
            {"kfactors": K, "absorption": {"thickness": 50, "take_off_angle": 0.38}},
            r"take_off_angle .* above 2 .*in degrees",
        ),
        ({"kfactors": K, "sublattices": ["Fe", "Cu"]}, r"\[\['Fe', 'Cu'\]\] if these do"),
        ({"kfactors": K, "sublattices": "Zn"}, "'Zn' in `sublattices` is not among"),
        ({"kfactors": K, "extra_elements": ["cu"]}, "'cu' is not the symbol.*Did you mean 'Cu'"),
        ({"kfactors": K, "kfactor_uncertainty": [0.1]}, "0.05 stands for 5 %"),
        ({"kfactors": K, "kfactor_uncertainty": {"Fe_Ka": None}}, "0.05 stands for 5 %"),
        (
            {"kfactors": K, "xray_lines": ["Fe_Ka", "Ag_Ka"]},
            "Ag_Ka at 22.* outside the energy",
        ),
        ({"kfactors": K, "xray_lines": ["Fe_Ka", "Fe_La"]}, "quantified with one line"),
        ({"kfactors": K, "xray_lines": ["Fe_Ka", "Cu_Kb"]}, "for alpha lines"),
        ({"kfactors": K, "method": "magic"}, "'model', 'windows'"),
        ({"kfactors": K, "composition_units": "mole"}, "'atomic', 'weight'"),
        ({"kfactors": K, "sublattices": [["Fe", "Zn"]]}, "'Zn' in `sublattices` is not among"),
        ({"kfactors": K, "extra_elements": ["Q"]}, "'Q' is not the symbol"),
        ({"kfactors": K, "kfactor_uncertainty": 5}, "0.05 stands for 5 %"),
        ({"kfactors": K, "kfactor_uncertainty": "5%"}, "0.05 stands for 5 %"),
        ({"kfactors": K, "kfactor_uncertainty": {"Fe": 0.1}}, "names Fe, but the quantified"),
        ({"kfactors": K, "sublattices": [["Fe", "Fe"]]}, "an element twice"),
        ({"kfactors": K, "xray_lines": "Fe_Ka"}, "at least two elements"),
    ],
)
def test_quantification_parameters(ready, parameters, message):
    with pytest.raises(ValueError, match=message):
        ready.cluster_quantification(**parameters)


def test_elements_without_a_line_on_the_axis(ready):
    cut = ready.isig[1.5:6.8]
    with pytest.warns(UserWarning, match=r"needs X-ray lines: Cu\. .*1.5 to 6.78 keV"):
        assert cut.cluster_quantification(kfactors=K).elements == ("Fe", "S")
    with pytest.raises(ValueError, match=r"only S can be.*line of Cu, Fe lies.*1.5 to 4.98 keV"):
        ready.isig[1.5:5.0].cluster_quantification(kfactors=K)


def test_beam_energy_is_needed(ready):
    del ready.metadata.Acquisition_instrument.TEM.beam_energy
    with pytest.raises(ValueError, match=r"beam energy is not known.*beam_energy=200"):
        ready.cluster_quantification(kfactors=K)


def test_take_off_angle_that_nobody_knows(ready):
    del ready.metadata.Acquisition_instrument.TEM.Detector.EDS.elevation_angle
    with pytest.raises(ValueError, match=r"take-off angle is not known.*elevation_angle=22"):
        ready.cluster_quantification(kfactors=K, absorption={"thickness": 50})


def test_spectra_without_counts(ready):
    result = ready.clusters["pca_gmm"]
    empty = ready.deepcopy()
    empty.data = np.zeros_like(ready.data)
    with pytest.raises(ValueError, match="no counts to quantify: cluster 0 are empty"):
        empty.cluster_quantification(result, kfactors=K)
    with pytest.raises(ValueError, match="no counts to quantify: spectrum are empty"):
        empty.inav[0, 0].cluster_quantification(kfactors=K)


def test_a_single_spectrum_has_no_clusters_and_no_pixels(ready):
    single = ready.sum()
    for parameters in ({"result": "pca_gmm"}, {"per_pixel": True}):
        with pytest.raises(ValueError, match="quantified as it is"):
            single.cluster_quantification(kfactors=K, **parameters)


@pytest.mark.parametrize("parameters", [{"sublattices": [[1]]}, {"extra_elements": [1]}])
def test_names_that_are_none(ready, parameters):
    with pytest.raises(TypeError, match=next(iter(parameters))):
        ready.cluster_quantification(kfactors=K, **parameters)


@pytest.mark.parametrize("resolution", [None, 13.0, 0.13])
def test_resolution_that_no_detector_has(ready, resolution):
    eds = ready.metadata.Acquisition_instrument.TEM.Detector.EDS
    if resolution is None:
        del eds.energy_resolution_MnKa
    else:
        eds.energy_resolution_MnKa = resolution
    with pytest.raises(
        ValueError, match=r"between 80 and 250, but is .*energy_resolution_MnKa=130"
    ):
        ready.cluster_quantification(kfactors=K)


def test_beam_energy_in_ev(ready):
    ready.metadata.Acquisition_instrument.TEM.beam_energy = 200_000
    with pytest.raises(ValueError, match=r"200000 keV.*looks like eV.*beam_energy=200"):
        ready.cluster_quantification(kfactors=K)


def test_spectra_that_are_no_counts(ready):
    single = ready.sum()
    single.data = single.data - 5.0
    with pytest.raises(ValueError, match="needs the counts of the detector"):
        single.cluster_quantification(kfactors=K, extra_elements=["C", "Au"])
    single.data = ready.sum().data / 100
    with pytest.warns(UserWarning, match="not whole numbers") as caught:
        single.cluster_quantification(kfactors=K, extra_elements=["C", "Au"])
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match="'membership', 'hard'"):
        single.cluster_quantification(kfactors=K, weights="soft")


def test_thickness_by_the_number_of_the_cluster(ready):
    by_number, by_name = (
        ready.cluster_quantification(
            kfactors=K, extra_elements=["Au"], absorption={"thickness": {key: 60}}
        )
        for key in (0, "cluster 0")
    )
    np.testing.assert_array_equal(by_number.atomic_percent, by_name.atomic_percent)


def test_kfactor_warning_comes_after_the_errors(ready, recwarn):
    with pytest.raises(ValueError, match="'atomic', 'weight'"):
        ready.cluster_quantification(composition_units="mole")
    noise = ready.clusters["pca_gmm"].drop([0])
    with pytest.raises(ValueError, match="has no cluster"):
        ready.cluster_quantification(noise)
    assert not [w for w in recwarn if issubclass(w.category, UserWarning)]
