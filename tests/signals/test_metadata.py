"""What instruments say of themselves, and files make of it."""

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant.signals.metadata import (
    beam_energy_of,
    elements_of,
    live_time_of,
    resolution_of,
    take_off_angle_of,
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
    reason = "not known" if stated is None else f"{stated} keV, which no microscope has"
    with pytest.raises(ValueError, match=rf"beam energy is {reason}.*beam_energy=200"):
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
    for unknown in (None, "flat"):
        s.metadata.set_item(f"{MICROSCOPE}.Stage.tilt_alpha", unknown)
        with pytest.raises(ValueError, match=r"take-off angle is not known.*tilt_stage=0"):
            take_off_angle_of(s)


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
    assert live_time_of(s) is None
    s.metadata.set_item(live_time, 2)
    assert live_time_of(s) == 2.0
    each = np.ones(s.axes_manager.navigation_size)
    s.metadata.set_item(live_time, each)
    np.testing.assert_array_equal(live_time_of(s), each)


@pytest.mark.parametrize("odd", ["12 s", [1.0, 2.0], (3,), np.ones(2), "none"])
def test_odd_live_times_stop_nothing(clustered, odd):
    clustered.metadata.set_item(f"{MICROSCOPE}.Detector.EDS.live_time", odd)
    assert live_time_of(clustered) is None
    assert clustered.inav[:8].clusters["pca_gmm"].labels.shape == (56, 8)
    clustered.get_cluster_spectra()


def test_an_impossible_resolution_is_said_before_the_work(sulfide):
    sulfide.metadata.set_item(f"{MICROSCOPE}.Detector.EDS.energy_resolution_MnKa", 0)
    with pytest.raises(ValueError, match="resolution of the detector"):
        sulfide.cluster_pca_gmm(2)
    assert not sulfide.clusters
