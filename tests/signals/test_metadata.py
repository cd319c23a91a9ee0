"""What instruments say of themselves, and files make of it."""

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant.signals.metadata import (
    as_exspy_reads_it,
    beam_energy_of,
    elements_of,
    is_recorded_as_sem,
    resolution_of,
    take_off_angle_of,
    time_of,
    xray_lines_of,
)

MICROSCOPE = "Acquisition_instrument.TEM"


@pytest.fixture
def s():
    s = hs.signals.Signal1D(np.ones((4, 5, 100), dtype=int))
    s.set_signal_type("EDS_TEM_clustered")
    return s


@pytest.mark.parametrize("before", [None, 300])
def test_beam_energy_however_it_is_written(s, before):
    """exspy writes a key with a space at its end, also beside one that is there."""
    if before is not None:
        s.metadata.set_item(f"{MICROSCOPE}.beam_energy", before)
    s.set_microscope_parameters(beam_energy=200)
    assert beam_energy_of(s) == 200.0
    s.metadata.Acquisition_instrument.TEM.beam_energy = "80"
    assert beam_energy_of(s) == 80.0


@pytest.mark.parametrize("stated", [None, 0, -1.0, 200_000, "high"])
def test_beam_energies_that_are_none(s, stated):
    if stated is not None:
        s.metadata.set_item(f"{MICROSCOPE}.beam_energy", stated)
    reasons = {
        None: "not known",
        "high": "'high' in the metadata, which is no number",
        200_000: r"200000 keV in the metadata, which no microscope has; that looks like eV",
    }
    reason = reasons.get(stated, f"{stated:g} keV in the metadata, which no microscope has"
                         if stated in (0, -1) else "")  # fmt: skip
    with pytest.raises(ValueError, match=rf"beam energy is {reason}\. Set.*beam_energy=200"):
        beam_energy_of(s)
    assert beam_energy_of(s, needed=False) is None


def test_a_beam_energy_of_minus_one_is_no_obstacle_before_it_is_needed(clustered):
    """Esprit writes it; the message once blamed the axis and the elements."""
    clustered.metadata.Acquisition_instrument.TEM.beam_energy = -1.0
    k = clustered.metadata.Ground_truth.kfactors
    for options in ({}, {"kfactors": k}, {"method": "windows"}):
        with pytest.raises(ValueError, match="beam energy is -1"):
            clustered.cluster_quantification(**options)
    with pytest.warns(UserWarning, match="Windows overlap"):
        clustered.cluster_quantification(kfactors=k, method="windows")


@pytest.mark.parametrize("stated", [None, 13.0, "good"])
def test_resolution(s, stated):
    assert resolution_of(s) > 100
    eds = s.metadata.Acquisition_instrument.TEM.Detector.EDS
    if stated is None:
        del eds.energy_resolution_MnKa
    else:
        eds.energy_resolution_MnKa = stated
    with pytest.raises(ValueError, match=rf"between 80 and 250, but is {stated}. Set it"):
        resolution_of(s)
    if stated == 13.0:
        assert resolution_of(s, possible=False) == 13.0
    else:
        with pytest.raises(ValueError, match="energy_resolution_MnKa=130"):
            resolution_of(s, possible=False)


def test_take_off_angle(s):
    s.set_microscope_parameters(elevation_angle=18.0, azimuth_angle=0.0, tilt_stage="10")
    assert take_off_angle_of(s) == pytest.approx(28.0)
    assert s.get_take_off_angle() == pytest.approx(28.0)
    for unknown in (None, "flat", "22 deg"):
        s.metadata.set_item(f"{MICROSCOPE}.Stage.tilt_alpha", unknown)
        message = rf"take-off angle is not known, as tilt_alpha is {unknown!r}\..*tilt_stage=0"
        with pytest.raises(ValueError, match=message):
            take_off_angle_of(s)


@pytest.mark.parametrize(
    "key", ["Stage.tilt_alpha", "Stage.tilt_beta", "Detector.EDS.azimuth_angle",
            "Detector.EDS.elevation_angle"],
)  # fmt: skip
def test_tilts_as_texts(clustered, key):
    """Numbers in texts are read; other texts are an error where the angle is needed."""
    options = {"kfactors": clustered.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    clustered.metadata.set_item(f"{MICROSCOPE}.Stage.tilt_beta", 0.0)
    number = clustered.metadata.get_item(f"{MICROSCOPE}.{key}")
    foil = {"absorption": {"thickness": 100}}
    expected = clustered.cluster_quantification(**options, **foil)
    clustered.metadata.set_item(f"{MICROSCOPE}.{key}", str(number))
    assert clustered.cluster_quantification(**options, **foil) == expected
    clustered.metadata.set_item(f"{MICROSCOPE}.{key}", "10 deg")
    with pytest.raises(ValueError, match=f"as {key.rpartition('.')[2]} is '10 deg'"):
        clustered.cluster_quantification(**options, **foil)
    clustered.cluster_quantification(**options)


def test_elements_and_lines_are_plain_texts(s):
    assert (elements_of(s), xray_lines_of(s)) == ([], [])
    s.axes_manager[-1].units, s.axes_manager[-1].scale = "keV", 0.1
    s.set_elements(["Cu", "Fe"])
    s.set_lines(["Cu_Ka"])
    assert elements_of(s) == ["Cu", "Fe"]
    assert "Cu_Ka" in xray_lines_of(s)
    assert {type(name) for name in [*elements_of(s), *xray_lines_of(s)]} == {str}


def test_live_time(s):
    live_time = f"{MICROSCOPE}.Detector.EDS.live_time"
    assert time_of(s, "live_time") is None
    s.metadata.set_item(live_time, 2)
    assert time_of(s, "live_time") == 2.0
    each = np.arange(20.0)
    for stated in (each, each.reshape(4, 5), each.reshape(4, 1, 5), each.tolist()):
        s.metadata.set_item(live_time, stated)
        np.testing.assert_array_equal(time_of(s, "live_time"), each)
    for of_others in (each.reshape(5, 4), each[:4], each[:, None, None].repeat(2, 1)):
        s.metadata.set_item(live_time, of_others)
        assert time_of(s, "live_time") is None


@pytest.mark.parametrize("odd", ["12 s", [1.0, 2.0], (3,), np.ones(2), "none"])
def test_odd_live_times_stop_nothing(clustered, odd):
    clustered.metadata.set_item(f"{MICROSCOPE}.Detector.EDS.live_time", odd)
    assert time_of(clustered, "live_time") is None
    assert clustered.inav[:8].clusters["pca_gmm"].labels.shape == (56, 8)
    clustered.get_cluster_spectra()


def test_an_impossible_resolution_is_said_before_the_work(sulfide):
    sulfide.metadata.set_item(f"{MICROSCOPE}.Detector.EDS.energy_resolution_MnKa", 0)
    with pytest.raises(ValueError, match="resolution of the detector"):
        sulfide.cluster_pca_gmm(2)
    assert not sulfide.clusters


# --- what exspy reads and multiplies ------------------------------------------------------


@pytest.mark.parametrize("stated", [None, -1.0, 0, "high", "200"])
def test_odd_beam_energies_do_not_stop_what_exspy_does(clustered, stated):
    clustered.metadata.set_item(f"{MICROSCOPE}.beam_energy", 200.0)
    expected = clustered.get_lines_intensity(["Cu_Ka"], integration_windows=2.0)[0].data
    clustered.metadata.set_item(f"{MICROSCOPE}.beam_energy", stated)
    found = clustered.get_lines_intensity(["Cu_Ka"], integration_windows=2.0)[0].data
    np.testing.assert_array_equal(found, expected)
    with pytest.warns(UserWarning, match="Windows overlap"):
        clustered.cluster_quantification(
            kfactors=clustered.metadata.Ground_truth.kfactors, method="windows"
        )


def test_texts_that_are_numbers_are_read(clustered):
    options = {"kfactors": clustered.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    expected = clustered.cluster_quantification(**options)
    clustered.metadata.set_item(f"{MICROSCOPE}.beam_energy", "200")
    clustered.metadata.set_item(f"{MICROSCOPE}.Detector.EDS.energy_resolution_MnKa", "130.0")
    assert clustered.cluster_quantification(**options) == expected
    assert clustered.cluster_pca_gmm(4).parameters["beam_energy"] == 200.0


def test_no_instrument_at_all(clustered):
    del clustered.metadata.Acquisition_instrument
    k = clustered.metadata.Ground_truth.kfactors
    with pytest.raises(ValueError, match=r"resolution of the detector .* but is None"):
        clustered.cluster_pca_gmm(4)
    with pytest.raises(ValueError, match="beam energy is not known"):
        clustered.cluster_quantification(kfactors=k)
    with pytest.raises(ValueError, match="tilt_alpha is None and azimuth_angle is None"):
        clustered.get_take_off_angle()
    assert clustered.get_cluster_spectra().data.shape == (4, 512)
    assert not clustered.metadata.has_item("Acquisition_instrument")
    clustered.set_microscope_parameters(beam_energy=200, energy_resolution_MnKa=130)
    assert clustered.cluster_quantification(kfactors=k, extra_elements=["C", "Au"]).elements


# --- SEM ----------------------------------------------------------------------------------

SEM = {
    "beam_energy": 15.0,
    "microscope": "a name",
    "Stage": {"tilt_alpha": 10.0, "x": 3.0},
    "Detector": {
        "EDS": {
            "live_time": 2.0,
            "azimuth_angle": 0.0,
            "elevation_angle": 30.0,
            "energy_resolution_MnKa": 127.0,
            "detector_type": "a type",
        }
    },
}


def without(dictionary, *path):
    """The same without what lies at that path."""
    key, *rest = path
    kept = {name: value for name, value in dictionary.items() if name != key}
    return {**kept, key: without(dictionary[key], *rest)} if rest else kept


TYPE = "EDS_TEM_clustered"
#: Defaults of exspy that were there before.
DEFAULTS = {"Stage": {"tilt_alpha": 0.0}, "Detector": {"EDS": {"energy_resolution_MnKa": 130.0}}}


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("beside", [{}, {"TEM": DEFAULTS}], ids=["alone", "beside defaults"])
@pytest.mark.parametrize("types", [("EDS_SEM", TYPE), (TYPE,)], ids=["from EDS_SEM", "directly"])
def test_all_that_an_sem_says_is_found(types, beside, lazy):
    s = hs.signals.Signal1D(np.ones((4, 5, 100)))
    s.metadata.set_item("Acquisition_instrument", {"SEM": SEM, **beside})
    s = s.as_lazy() if lazy else s
    for signal_type in types:
        s.set_signal_type(signal_type)
    assert is_recorded_as_sem(s)
    assert (beam_energy_of(s), resolution_of(s), time_of(s, "live_time")) == (15.0, 127.0, 2.0)
    assert take_off_angle_of(s) == pytest.approx(40.0)
    assert s._get_beam_energy() == 15.0
    # What the user sets now is found as well.
    s.set_microscope_parameters(beam_energy=20.0, energy_resolution_MnKa=140.0, live_time=3.0)
    assert (beam_energy_of(s), resolution_of(s), time_of(s, "live_time")) == (20.0, 140.0, 3.0)
    assert s.sum().metadata.Acquisition_instrument.TEM.Detector.EDS.live_time == 60.0


@pytest.mark.parametrize("path", [("Detector",), ("Detector", "EDS", "live_time"), ("Stage",)])
def test_what_an_sem_does_not_say_stops_nothing(path):
    s = hs.signals.Signal1D(np.ones((4, 5, 100)))
    s.metadata.set_item("Acquisition_instrument", {"SEM": without(SEM, *path)})
    s.set_signal_type(TYPE)
    assert is_recorded_as_sem(s)
    assert beam_energy_of(s) == 15.0
    assert resolution_of(s) == (130.0 if path == ("Detector",) else 127.0)
    assert s.sum().data.shape == (100,)


def test_a_signal_made_with_metadata_of_an_sem():
    made = hs.signals.Signal1D(np.ones((4, 5, 100)))
    made.set_signal_type(TYPE)
    metadata = {"Acquisition_instrument": {"SEM": SEM}, "Signal": {"signal_type": TYPE}}
    s = type(made)(np.ones((4, 5, 100)), metadata=metadata)
    assert is_recorded_as_sem(s)
    assert (beam_energy_of(s), resolution_of(s)) == (15.0, 127.0)
    assert metadata["Acquisition_instrument"] == {"SEM": SEM}


def test_back_to_exspys_sem_class_nothing_is_lost():
    s = hs.signals.Signal1D(np.ones((4, 5, 100)))
    s.metadata.set_item("Acquisition_instrument", {"SEM": SEM})
    s.set_signal_type("EDS_SEM")
    before = s.metadata.deepcopy().as_dictionary()
    for _ in range(2):
        s.set_signal_type(TYPE)
        s.set_signal_type("EDS_SEM")
        assert s.metadata.as_dictionary() == before


def test_of_tem_and_sem_the_sem_counts():
    """As in exspy's own `sum`, `rebin` and beam energy."""
    said = as_exspy_reads_it({"TEM": {"beam_energy ": 200.0, "a": {"b": 1}}, "SEM": SEM, "x": 1})
    assert set(said) == {"TEM", "x"}
    assert said["TEM"]["beam_energy"] == 15.0
    assert said["TEM"]["a"] == {"b": 1}
    assert said["TEM"]["Detector"] == SEM["Detector"]
    for nothing in ({"TEM": {"beam_energy": 200.0}}, {}, {"SEM": None}):
        assert as_exspy_reads_it(nothing) == nothing
    for empty in ({}, {"Detector": {"EDS": {}}}, {"beam_energy": None}):
        assert as_exspy_reads_it({"TEM": {"a": 1}, "SEM": empty}) == {"TEM": {"a": 1}}


COPIES = {
    "deepcopy": lambda s: s.deepcopy(),
    "inav": lambda s: s.inav[:40],
    "isig": lambda s: s.isig[0.2:],
    "lazy": lambda s: s.as_lazy(),
    "type": lambda s: s.set_signal_type(TYPE) or s,
}


@pytest.mark.parametrize("said", [{}, {"Detector": {}}, {"Stage": {"tilt_alpha": None}}, SEM])
@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_recorded_as_the_map_is(clustered, said, copy):
    """Also where all there is of an SEM is an empty node."""
    clustered.metadata.add_node("Acquisition_instrument.SEM")
    clustered.metadata.Acquisition_instrument.SEM.add_dictionary(said)
    before = [of(clustered) for of in (is_recorded_as_sem, beam_energy_of, take_off_angle_of)]
    assert before[0] == (said == SEM)
    copied = COPIES[copy](clustered)
    assert [of(copied) for of in (is_recorded_as_sem, beam_energy_of, take_off_angle_of)] == before


def test_what_the_user_sets_is_believed_also_beside_an_sem(s):
    s.metadata.set_item("Acquisition_instrument.SEM.beam_energy", -1)
    s.metadata.set_item("Acquisition_instrument.SEM.Detector.EDS.energy_resolution_MnKa", 0)
    with pytest.raises(ValueError, match="is -1 keV"):
        beam_energy_of(s)
    s.set_microscope_parameters(beam_energy=200, energy_resolution_MnKa=140.0)
    assert (beam_energy_of(s), resolution_of(s)) == (200.0, 140.0)


@pytest.mark.parametrize("odd", [-1, -0.5, np.inf, np.nan])
def test_times_that_cannot_be_are_not_known(s, odd):
    key = f"{MICROSCOPE}.Detector.EDS.live_time"
    s.metadata.set_item(key, odd)
    assert time_of(s, "live_time") is None
    # Not multiplied by a number of pixels.
    assert s.sum().metadata.get_item(key) == (None if np.isnan(odd) else odd)
    each = np.full((4, 5), 2.0)
    each[1, 2] = odd
    s.metadata.set_item(key, each)
    np.testing.assert_array_equal(np.isnan(time_of(s, "live_time")), (each != 2.0).ravel())
    assert s.sum().metadata.get_item(key) is None
    assert s.inav[2, 1].metadata.get_item(key) is None
    assert s.inav[1, 2].metadata.get_item(key) == 2.0
    np.testing.assert_array_equal(np.isnan(s.sum(0).metadata.get_item(key)), [0, 1, 0, 0])
    s.metadata.set_item(key, np.full((4, 5), odd))
    assert time_of(s, "live_time") is None
