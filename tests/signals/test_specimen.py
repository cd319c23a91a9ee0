"""Which elements can be seen, and which specimens quantified: thin films and bulk, TEM and SEM."""

import warnings

import hyperspy.api as hs
import numpy as np
import pytest
from companions import TYPE, same
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant import calibrate_kfactors, data
from hyperspy_clusterquant.signals.metadata import is_recorded_as_sem
from hyperspy_clusterquant.signals.specimen import usable_elements

K = {"Fe_Ka": 1.45, "Cu_Ka": 1.94, "S_Ka": 1.0}
MICROSCOPE = "Acquisition_instrument.TEM"


def messages(caught):
    return [str(w.message) for w in caught if issubclass(w.category, UserWarning)]


# --- elements without lines ---------------------------------------------------------------

#: Those of the map: to look for what nobody declared takes most of the time.
ALL = ["Ag", "Cd", "Cu", "Fe", "Mn", "S", "Zn"]
#: Declared elements, those that cannot be seen, and a change of the map by which they cannot.
UNSEEN = {
    "no lines in the tables": (["Li", "Am", "Np", *ALL], ["Li", "Am", "Np"], None),
    "below 0.1 keV": (["H", "He", *ALL], ["H", "He"], None),
    "above the axis": (["Fe", "S", "Zn"], ["Zn"], lambda s: s.isig[1.1:8.0]),
    "below the axis": (["Al", "Fe", "S", "Cu"], ["Al"], lambda s: s.isig[1.8:]),
    "above the beam": (["Fe", "S", "Cu", "Ca"], ["Fe", "Cu"], lambda s: s.isig[1.1:]),
    # its K line lies at 6.40 keV, but the electrons must have 7.11 keV
    "not excited": (["Fe", "S", "Ca"], ["Fe"], lambda s: s.isig[1.1:]),
}
BEAM_ENERGIES = {"above the beam": 5.0, "not excited": 6.8}


@pytest.fixture(params=UNSEEN)
def unseen(request, clustered):
    declared, without, change = UNSEEN[request.param]
    s = clustered if change is None else change(clustered)
    s.set_elements(declared)
    s.set_microscope_parameters(beam_energy=BEAM_ENERGIES.get(request.param, 200.0))
    return s, without


K_OF_ALL = K | {"Ag_La": 2.3, "Ca_Ka": 1.0, "Cd_La": 2.4, "Mn_Ka": 1.2, "Zn_Ka": 1.6}
CALLS = {
    "cluster_pca_gmm": {"n_clusters": 3},
    "cluster_umap_hdbscan": {"n_landmarks": 400},
    "cluster_significance": {"n_splits": 1, "thin_film": True, "kfactors": K_OF_ALL},
    "map_significance": {},
    "cluster_quantification": {"thin_film": True, "kfactors": K_OF_ALL},
}


@pytest.mark.parametrize("call", CALLS)
def test_what_cannot_be_seen_is_named_once_and_left_out(unseen, call):
    s, without = unseen
    before = list(s.metadata.Sample.elements)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome = getattr(s, call)(**CALLS[call])
    told = [w for w in caught if "needs X-ray lines" in str(w.message)]
    (warned,) = told
    assert f"needs X-ray lines: {', '.join(sorted(without))}. " in str(warned.message)
    assert warned.filename == __file__
    assert s.metadata.Sample.elements == before
    seen = [element for element in before if element not in without]
    if call == "cluster_quantification":
        assert list(outcome.elements) == seen
    elif call == "map_significance":
        assert [line.partition("_")[0] for line in outcome.xray_lines] == seen
    elif call != "cluster_significance":
        assert list(outcome.parameters["elements"]) == seen


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_lithium_changes_nothing(clustered):
    options = {"kfactors": K, "xray_lines": ["Fe_Ka", "Cu_Ka", "S_Ka"]}
    labels, tables = [], []
    for elements in (["Cu", "Fe", "S"], ["Cu", "Fe", "Li", "S"]):
        clustered.set_elements(elements)
        labels.append(clustered.cluster_pca_gmm(4).labels)
        tables.append(clustered.cluster_quantification(**options).atomic_percent)
        assert clustered.cluster_stability(n_resamples=1, vary="counts").agreement.shape == (56, 64)
        clustered.plot_cluster_spectra()
    np.testing.assert_array_equal(*labels)
    np.testing.assert_array_equal(*tables)


def test_extra_elements_that_cannot_be_seen(clustered):
    options = {"kfactors": clustered.metadata.Ground_truth.kfactors}
    with pytest.warns(UserWarning, match=r"lines: Li, H\.") as caught:
        table = clustered.cluster_quantification(extra_elements=["Au", "Li", "C", "H"], **options)
    assert len([m for m in messages(caught) if "needs X-ray lines" in m]) == 1
    assert table.elements == ("Ag", "Cd", "Cu", "Fe", "Mn", "S", "Zn")
    # Nobody asked for the usual ones, whose lines lie below this axis.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clustered.isig[0.8:].cluster_quantification(**options)
    assert not [m for m in messages(caught) if "needs X-ray lines" in m]


@pytest.mark.parametrize("elements", [["Li", "S"], ["Li", "H"], ["Am", "Cu"]])
def test_a_composition_needs_two_elements_that_can_be_seen(clustered, elements):
    clustered.set_elements(elements)
    hidden = [element for element in elements if element not in ("S", "Cu")]
    message = rf"at least two elements.*line of {', '.join(sorted(hidden))} lies"
    for call in (clustered.cluster_quantification, clustered.map_significance,
                 clustered.cluster_significance):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Li_Ka", "no X-ray lines of Li"),
        ("Am_La", "no X-ray lines of Am"),
        ("H_Ka", r"H_Ka at 0\.00136 keV lies outside"),
        ("Mo_Ka", "Mo_Ka cannot be excited by a beam of 19 keV"),
    ],
)
def test_a_line_that_is_asked_for_is_an_error(clustered, line, message):
    s = data.six_cation_sulfide(size=16, channels=1024, counts_per_pixel=50)
    s.axes_manager.signal_axes[0].scale = 0.02
    s.cluster_pca_gmm(1, n_components=1)
    s.set_microscope_parameters(beam_energy=19.0)
    with pytest.raises(ValueError, match=message):
        s.cluster_quantification(xray_lines=["Cu_Ka", line], thin_film=True)


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        (["fe", "S"], "Did you mean 'Fe'"),
        (["Xx", "S"], "Symbols are such as"),
        (["Fe", "26"], "'26' is not"),
    ],
)
def test_misspelt_elements_are_an_error_that_comes_before_the_work(sulfide, elements, message):
    sulfide.metadata.Sample.elements = elements
    for call in (sulfide.cluster_pca_gmm, sulfide.cluster_umap_hdbscan, sulfide.map_significance):
        with pytest.raises(ValueError, match=message):
            call()
    assert not sulfide.clusters


@pytest.mark.parametrize("elements", [None, [], (), "Fe", np.array(["Fe", "S"]), ("S", "Fe")])
def test_elements_however_they_are_written(clustered, elements):
    clustered.metadata.Sample.elements = elements
    clustered.metadata.Sample.xray_lines = None
    expected = () if elements is None else tuple(np.ravel(elements))
    assert usable_elements(clustered) == (expected, ())
    assert clustered.cluster_pca_gmm(2).parameters["elements"] == expected
    if len(expected) == 2:
        assert clustered.cluster_quantification(kfactors=K).elements == expected
    else:
        with pytest.raises(ValueError, match=r"No elements are set|at least two elements"):
            clustered.cluster_quantification(kfactors=K)


# --- one channel --------------------------------------------------------------------------


def cropped_in_place(s):
    s.crop(2, 320, 321)
    return s


ONE_CHANNEL = {
    "one": lambda s: s.isig[6.40:6.42],
    "one in place": cropped_in_place,
    "none": lambda s: s.isig[6.40:6.41],
}


@pytest.mark.parametrize("name", ONE_CHANNEL)
def test_one_channel_is_no_spectrum(clustered, name):
    s = ONE_CHANNEL[name](clustered)
    left = "none" if name == "none" else r"one channel \(at 6.4 keV\)"
    before = s.metadata.deepcopy().as_dictionary()
    for call in (s.cluster_pca_gmm, s.cluster_umap_hdbscan, s.cluster_quantification,
                 s.cluster_significance, s.cluster_stability, s.map_significance):  # fmt: skip
        with pytest.raises(ValueError, match=rf"cropped to {left}, but .* need spectra.*before"):
            call()
    np.testing.assert_equal(s.metadata.as_dictionary(), before)


def test_two_channels_are_clustered_but_hold_no_lines(clustered):
    s = clustered.isig[300:302]
    with pytest.warns(UserWarning, match=r"needs X-ray lines: .*6 to 6.02 keV"):
        assert s.cluster_pca_gmm().labels.shape == (56, 64)
    for call in (s.cluster_quantification, s.cluster_significance, s.map_significance):
        with pytest.raises(ValueError, match=r"only none can be.*before the energy axis was crop"):
            call()


# --- thin or bulk -------------------------------------------------------------------------


def as_sem(s):
    """The same counts as a user has them from an SEM."""
    results = s.clusters.values()
    s.set_signal_type("EDS_SEM")
    s.set_microscope_parameters(beam_energy=30.0)
    s.set_signal_type(TYPE)
    assert list(s.clusters.values()) == list(results)
    return s


def at_20_kev(s):
    s.set_microscope_parameters(beam_energy=20.0)
    return s


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("change", [as_sem, at_20_kev])
def test_bulk_is_refused_unless_the_user_says_what_it_is(clustered, change, lazy):
    s = change(clustered.as_lazy() if lazy else clustered)
    options = {"kfactors": s.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    before = s.metadata.deepcopy().as_dictionary()
    reason = r"(scanning electron microscope|beam energy is 20 keV).*X-rays are absorbed"
    for more in ({}, {"per_pixel": True}, {"method": "windows"}, {"thin_film": None}):
        with pytest.raises(ValueError, match=rf"{reason}.*thin_film=True.*get_cluster_spectra"):
            s.cluster_quantification(**options, **more)
    for single in (s.sum(), s.get_cluster_spectra().inav[0], s.inav[2, 3]):
        with pytest.raises(ValueError, match=reason):
            single.cluster_quantification(**options)
    with pytest.raises(ValueError, match=reason):
        calibrate_kfactors(s, "CuFeS2")
    np.testing.assert_equal(s.metadata.as_dictionary(), before)
    table = s.cluster_quantification(thin_film=True, **options)
    assert table.atomic_percent.shape == (4, 7)


def test_the_word_of_the_user_changes_no_number(clustered):
    options = {"kfactors": clustered.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    expected = clustered.cluster_quantification(**options)
    assert expected == clustered.cluster_quantification(thin_film=True, **options)
    clustered.set_microscope_parameters(beam_energy=30.0)
    expected = clustered.cluster_quantification(thin_film=True, **options)
    assert expected == as_sem(clustered).cluster_quantification(thin_film=True, **options)
    with pytest.raises(ValueError, match="thin_film=False says"):
        clustered.cluster_quantification(thin_film=False, **options)
    for odd in ("yes", 1, [True]):
        with pytest.raises(TypeError, match=r"`thin_film` must be True.*None"):
            clustered.cluster_quantification(thin_film=odd, **options)


@pytest.mark.parametrize(("energy", "is_refused"), [(30, True), (59.9, True), (60, False)])
def test_the_beam_energy_of_thin_films(clustered, energy, is_refused):
    clustered.set_microscope_parameters(beam_energy=energy)
    options = {"kfactors": clustered.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    if is_refused:
        with pytest.raises(ValueError, match="below 60 keV"):
            clustered.cluster_quantification(**options)
    else:
        assert clustered.cluster_quantification(**options).elements


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_kfactors_of_a_lamella_in_an_sem():
    s = as_sem(data.seven_cation_nanoparticles(size=48, counts_per_pixel=300))
    truth = s.metadata.Ground_truth
    composition = dict(zip(truth.elements, truth.compositions[0], strict=True))
    k = calibrate_kfactors(s, composition, extra_elements=["C", "Au"], thin_film=True)
    for line in ("Cu_Ka", "Zn_Ka", "Ag_La"):
        assert k[line] == pytest.approx(
            truth.kfactors[line], rel=4 * k.relative_uncertainty[line] + 1e-3
        )


@pytest.mark.parametrize("change", [as_sem, at_20_kev])
def test_clusters_of_bulk_are_found_and_tested(sulfide, change):
    s = change(sulfide)
    result = s.cluster_pca_gmm(4)
    truth = np.asarray(s.metadata.Ground_truth.labels)
    kept = result.labels >= 0
    assert adjusted_rand_score(truth[kept], result.labels[kept]) > 0.95
    with pytest.warns(UserWarning, match=r"at% are those of a thin film.*p-values do not"):
        table = s.cluster_significance(n_splits=2)
    assert table.verdicts[0, 1] == "distinct"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        s.cluster_significance(n_splits=1, thin_film=True)
    assert not [m for m in messages(caught) if "thin film" in m]
    assert s.map_significance().significant.all()
    assert s.get_cluster_spectra().data.shape == (4, 512)


@pytest.mark.parametrize("steps", [("EDS_SEM", TYPE), ("EDS_TEM", "EDS_SEM", TYPE, "EDS_TEM", TYPE),
                                   ("EDS_SEM", TYPE, "EDS_TEM", "EDS_SEM", TYPE)])  # fmt: skip
def test_a_map_at_200_kev_is_none_of_an_sem_whatever_it_was_once_set_to(clustered, steps, tmp_path):
    """No scanning electron microscope has 200 keV."""
    options = {"kfactors": clustered.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    expected = clustered.cluster_quantification(**options)
    for signal_type in steps:
        clustered.set_signal_type(signal_type)
    assert clustered.cluster_quantification(**options) == expected
    clustered.save(tmp_path / "map.hspy")
    assert hs.load(tmp_path / "map.hspy").cluster_quantification(**options) == expected
    clustered.set_microscope_parameters(beam_energy=20)
    with pytest.raises(ValueError, match=r"\(SEM\) at 20 keV"):
        clustered.cluster_quantification(**options)
    clustered.set_microscope_parameters(beam_energy=-1)
    with pytest.raises(ValueError, match=r"\(SEM\)\."):
        clustered.cluster_quantification(**options)


SURVIVE = {
    "inav": lambda s: s.inav[2:9, 3],
    "pixel": lambda s: s.inav[2, 3],
    "isig": lambda s: s.isig[0.5:],
    "sum": lambda s: s.sum(),
    "sum of x": lambda s: s.sum("x"),
    "rebin": lambda s: s.rebin(scale=(2, 2, 1)),
    "deepcopy": lambda s: s.deepcopy(),
    "as_lazy": lambda s: s.as_lazy(),
    "transpose": lambda s: s.T.T,
    "spectra": lambda s: s.get_cluster_spectra(),
    "arithmetic": lambda s: s + 1,
    "stack": lambda s: hs.stack([s, s], show_progressbar=False),
    "to TEM and back": lambda s: typed(typed(s, "EDS_TEM"), TYPE),
    "to SEM and back": lambda s: typed(typed(s, "EDS_SEM"), TYPE),
}


def typed(s, signal_type):
    s.set_signal_type(signal_type)
    return s


@pytest.mark.parametrize("name", SURVIVE)
def test_that_it_was_an_sem_survives(clustered, name):
    assert not is_recorded_as_sem(clustered)
    assert is_recorded_as_sem(SURVIVE[name](as_sem(clustered)))


@pytest.mark.parametrize("suffix", ["hspy", "zspy"])
def test_that_it_was_an_sem_is_saved(clustered, suffix, tmp_path):
    as_sem(clustered).save(tmp_path / f"map.{suffix}")
    for lazy in (False, True):
        loaded = hs.load(tmp_path / f"map.{suffix}", lazy=lazy)
        assert is_recorded_as_sem(loaded)
        same(loaded.clusters, clustered.clusters)


@pytest.mark.parametrize("lazy", [False, True])
def test_a_real_map_of_an_sem(real_file, lazy):
    """Silver on aluminium: clusters that differ, spectra, and no composition of a thin film."""
    path = real_file("sem_Ag_on_Al.bcf")
    s = next(x for x in hs.load(path, lazy=lazy) if x.metadata.Signal.signal_type == "EDS_SEM")
    before = s.metadata.deepcopy().as_dictionary()
    s.set_signal_type(TYPE)
    assert s.get_take_off_angle() == pytest.approx(35.0, abs=15)
    assert s.metadata.Acquisition_instrument.TEM.beam_energy == 20.0
    result = s.cluster_pca_gmm()
    assert result.n_clusters == 2
    with pytest.warns(UserWarning, match="SEM"):
        table = s.cluster_significance(n_splits=2)
    assert "distinct" in table.verdicts[0, 1]
    # Of all counts of silver, most lie in one of the clusters.
    silver = s.get_cluster_spectra(weights="hard").isig[2.9:3.1].data.sum(axis=1) / result.sizes
    assert max(silver) > 2 * min(silver)
    with pytest.raises(ValueError, match=r"scanning electron microscope \(SEM\) at 20 keV"):
        s.cluster_quantification()
    s.remove_clusters("pca_gmm")
    s.set_signal_type("EDS_SEM")
    np.testing.assert_equal(s.metadata.as_dictionary(), before)
