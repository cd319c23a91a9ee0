"""The signal class as a member of HyperSpy's family."""

import subprocess
import sys

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest
from companions import TYPE, is_ours

from hyperspy_clusterquant import ClusteredEDSSpectrum


def test_known_to_hyperspy():
    code = "import hyperspy.api as hs; hs.print_known_signal_types()"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    row = next(line for line in printed.splitlines() if TYPE in line)
    assert "ClusteredEDSSpectrum" in row
    assert "hyperspy_cluster" in row


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("origin", ["", "EDS_TEM", "EDS_SEM"])
def test_there_and_back(origin, lazy):
    s = hs.signals.Signal1D(np.ones((3, 4, 100)))
    if lazy:
        s = s.as_lazy()
    if origin:
        s.set_signal_type(origin)
        s.set_microscope_parameters(beam_energy=30, energy_resolution_MnKa=125)
    s.set_signal_type(TYPE)
    assert is_ours(s, lazy)
    if origin:
        assert s.metadata.Acquisition_instrument.TEM.beam_energy == 30
        assert s.metadata.Acquisition_instrument.TEM.Detector.EDS.energy_resolution_MnKa == 125
        assert "SEM" not in s.metadata.Acquisition_instrument
    s.set_signal_type(origin)
    assert not isinstance(s, ClusteredEDSSpectrum)
    assert s.metadata.Signal.signal_type == origin
    if origin == "EDS_SEM":
        assert s.metadata.Acquisition_instrument.SEM.Detector.EDS.energy_resolution_MnKa == 125


def test_beam_energy_set_as_exspy_sets_it_is_found(sulfide):
    sulfide.set_microscope_parameters(beam_energy=300)
    assert sulfide.metadata.Acquisition_instrument.TEM.beam_energy == 300


def test_loading_as_clustered(tmp_path, sulfide):
    sulfide.set_signal_type("EDS_TEM")
    sulfide.save(tmp_path / "map.hspy")
    for lazy in (False, True):
        assert is_ours(hs.load(tmp_path / "map.hspy", signal_type=TYPE, lazy=lazy), lazy)


def test_class_survives(sulfide):
    for s, lazy in ((sulfide, False), (sulfide.as_lazy(), True)):
        assert is_ours(s, lazy)
        assert is_ours(s.inav[3:, 1], lazy)
        assert is_ours(s.isig[1.0:5.0], lazy)
        assert is_ours(s.rebin(scale=(2, 2, 1)), lazy)
        assert is_ours(s.deepcopy(), lazy)
        assert is_ours(s.sum(), lazy)
        assert is_ours(s.sum(0), lazy)
        assert is_ours(s * 2, lazy)
    s.compute(show_progressbar=False)
    assert is_ours(s)


def test_the_signal_is_not_changed(sulfide):
    before = sulfide.data.copy()
    axes = sulfide.axes_manager.as_dictionary()
    metadata = sulfide.metadata.deepcopy().as_dictionary()
    sulfide.cluster_pca_gmm(n_clusters=3)
    sulfide.cluster_quantification(kfactors=sulfide.metadata.Ground_truth.kfactors)
    assert np.array_equal(sulfide.data, before)
    assert sulfide.axes_manager.as_dictionary() == axes
    after = sulfide.metadata.as_dictionary()
    del after["Clusters"]
    np.testing.assert_equal(after, metadata)


def test_a_lazy_signal_stays_lazy(sulfide):
    lazy = sulfide.as_lazy()
    lazy.data = lazy.data.rechunk((20, 30, 100))
    array = lazy.data
    lazy.cluster_pca_gmm(n_clusters=3)
    lazy.get_cluster_spectra()
    assert lazy.data is array
    assert isinstance(lazy.data, da.Array)
