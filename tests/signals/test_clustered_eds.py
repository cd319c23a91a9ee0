"""The signal class as a member of HyperSpy's family."""

import subprocess
import sys
import warnings

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest
from companions import TYPE, is_ours

from hyperspy_clusterquant import ClusteredEDSSpectrum, data


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


def test_a_result_is_forgotten_by_its_name(clustered):
    clustered.keep_clusters(clustered.clusters["pca_gmm"], name="other")
    assert clustered.remove_clusters("pca_gmm") is None
    assert list(clustered.clusters) == ["other"]
    for wrong in ("pca_gmm", "", None):
        with pytest.raises(ValueError, match=r"those there are: \['other'\]"):
            clustered.remove_clusters(wrong)
    clustered.remove_clusters("other")
    assert not clustered.metadata.has_item("Clusters")


# --- files that know exspy's types only ---------------------------------------------------

PARTS = {"map": lambda s: s, "line": lambda s: s.inav[3], "spectrum": lambda s: s.inav[3, 5]}


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("part", PARTS)
def test_ripple_files_hold_the_counts(clustered, part, lazy, tmp_path):
    s = PARTS[part](clustered.as_lazy() if lazy else clustered)
    array, before = s.data, s.metadata.deepcopy().as_dictionary()
    s.save(tmp_path / "map.rpl")
    assert s.data is array
    assert is_ours(s, lazy)
    np.testing.assert_equal(s.metadata.as_dictionary(), before)
    loaded = hs.load(tmp_path / "map.rpl")
    np.testing.assert_array_equal(loaded.data, np.asarray(s.data))
    assert loaded.data.dtype == s.data.dtype
    assert loaded.metadata.Signal.signal_type == "EDS_TEM"
    assert loaded.metadata.Acquisition_instrument.TEM.beam_energy == 200.0
    for ours, theirs in zip(s.axes_manager._axes, loaded.axes_manager._axes, strict=True):
        assert (ours.scale, ours.offset, ours.units) == pytest.approx(
            (theirs.scale, theirs.offset, theirs.units)
        )


@pytest.mark.parametrize(
    "dtype", ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", ">u2", ">i4"]
)
@pytest.mark.parametrize("lazy", [False, True])
def test_ripple_files_of_all_types_of_numbers(sulfide, dtype, lazy, tmp_path):
    s = sulfide.inav[:3, :4]
    s.data = np.clip(s.data, 0, 100).astype(dtype)
    s = s.as_lazy() if lazy else s
    s.save(tmp_path / "map.rpl")
    np.testing.assert_array_equal(hs.load(tmp_path / "map.rpl").data, np.asarray(s.data))


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("suffix", ["msa", "emsa"])
def test_emsa_files_of_spectra(clustered, suffix, lazy, tmp_path):
    s = (clustered.as_lazy() if lazy else clustered).sum()
    s.save(tmp_path / f"spectrum.{suffix}")
    loaded = hs.load(tmp_path / f"spectrum.{suffix}")
    np.testing.assert_allclose(loaded.data, np.asarray(s.data))
    assert loaded.metadata.Signal.signal_type == "EDS_TEM"
    microscope = loaded.metadata.Acquisition_instrument.TEM
    assert microscope.Detector.EDS.live_time == pytest.approx(56 * 64 * 0.01)
    assert microscope.beam_energy == 200.0


def test_files_of_a_format_that_is_named(clustered, tmp_path):
    s = clustered.sum()
    s.save(tmp_path / "a", file_format="Ripple")
    s.save(tmp_path / "b", file_format="MSA")
    s.save(file_format="MSA", overwrite=True)
    s.save(tmp_path / "c")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.raw", "a.rpl", "b.msa", "c.hspy"]
    assert s.tmp_parameters.filename == "c"


@pytest.mark.parametrize(
    ("key", "odd"),
    [
        ("beam_energy", None),
        ("Detector.EDS.live_time", None),
        ("Detector.EDS.live_time", np.ones((56, 64))),
        ("Stage.tilt_alpha", "flat"),
    ],
)
def test_ripple_files_without_what_is_no_number(clustered, key, odd, tmp_path):
    key = f"Acquisition_instrument.TEM.{key}"
    clustered.metadata.set_item(key, odd)
    clustered.save(tmp_path / "map.rpl")
    np.testing.assert_equal(clustered.metadata.get_item(key), odd)
    loaded = hs.load(tmp_path / "map.rpl")
    np.testing.assert_array_equal(loaded.data, clustered.data)
    elevation = "Acquisition_instrument.TEM.Detector.EDS.elevation_angle"
    assert loaded.metadata.get_item(elevation) == 22.0


def test_files_of_an_sem_come_back_as_such(sulfide, tmp_path):
    sulfide.set_signal_type("EDS_SEM")
    sulfide.set_microscope_parameters(beam_energy=15.0)
    sulfide.set_signal_type(TYPE)
    sulfide.save(tmp_path / "map.rpl")
    sulfide.sum().save(tmp_path / "spectrum.msa")
    for name in ("map.rpl", "spectrum.msa"):
        loaded = hs.load(tmp_path / name)
        assert loaded.metadata.Signal.signal_type == "EDS_SEM"
        assert loaded.metadata.Acquisition_instrument.SEM.beam_energy == 15.0
    # A TEM's file after it.
    tem = data.six_cation_sulfide(size=8, channels=512).sum()
    tem.set_microscope_parameters(beam_energy=200.0)  # exspy writes "beam_energy "
    tem.save(tmp_path / "tem.msa")
    assert hs.load(tmp_path / "tem.msa").metadata.Acquisition_instrument.TEM.beam_energy == 200.0


@pytest.mark.parametrize("elements", [["Li"], ["Am", "Np"]])
def test_exspys_methods_do_not_stop_at_elements_without_lines(sulfide, elements):
    known = sulfide._get_lines_from_elements(["Cu", "Fe"])
    assert sulfide._get_lines_from_elements(["Cu", *elements, "Fe"]) == known
    expected = sulfide.get_lines_intensity()
    sulfide.add_elements(elements)
    for ours, theirs in zip(sulfide.get_lines_intensity(), expected, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
    sulfide.sum().plot(True)
    sulfide.add_lines()
    lines = sulfide.metadata.Sample.xray_lines
    assert {"Cu_Ka", "Fe_Ka"} <= set(lines)
    assert not {line.partition("_")[0] for line in lines} & set(elements)


def test_an_element_that_is_declared_twice_counts_once(clustered):
    options = {"kfactors": clustered.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    expected = clustered.cluster_quantification(**options)
    clustered.metadata.Sample.elements = [*clustered.metadata.Sample.elements, "Fe", "Cu"]
    assert clustered.cluster_quantification(**options) == expected
    assert clustered.cluster_pca_gmm(2).parameters["elements"] == expected.elements


@pytest.mark.parametrize(
    ("date", "time", "kept"),
    [
        ("14.10.2014", "21:42:00", None),
        (None, 3, None),
        ("2014-10-14", "9:42 pm", "2014-10-14"),
        ("2014-10-14", "21:42:00", "2014-10-14"),
    ],
)
def test_emsa_files_keep_dates_that_are_some(clustered, date, time, kept, tmp_path):
    s = clustered.sum()
    s.metadata.General.date, s.metadata.General.time = date, time
    before = s.metadata.deepcopy().as_dictionary()
    s.save(tmp_path / "spectrum.msa")
    np.testing.assert_equal(s.metadata.as_dictionary(), before)
    loaded = hs.load(tmp_path / "spectrum.msa")
    assert loaded.metadata.General.get_item("date") == kept
    np.testing.assert_array_equal(loaded.data, s.data)


@pytest.mark.parametrize("suffix", ["rpl", "msa"])
def test_what_a_file_has_no_number_for_is_told(clustered, suffix, tmp_path):
    s = clustered if suffix == "rpl" else clustered.sum()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        s.save(tmp_path / f"a.{suffix}")
    s.metadata.Acquisition_instrument.TEM.Stage.tilt_alpha = "flat"
    s.metadata.set_item("Acquisition_instrument.TEM.Detector.EDS.real_time", np.ones((56, 64)))
    with pytest.warns(UserWarning, match=r"tilt_alpha 'flat', real_time 'of each pixel'.*0 deg"):
        s.save(tmp_path / f"b.{suffix}")


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("suffix", ["rpl", "msa", "hspy", "zspy"])
def test_that_files_keep_no_mask_is_told(clustered, suffix, lazy, tmp_path):
    s = clustered.inav[2, 3] if suffix == "msa" else clustered.inav[:8, :6]
    counts = s.data.copy()
    masked = np.zeros(counts.shape, dtype=bool)
    masked[..., 200:210] = True
    s.data = np.ma.MaskedArray(counts, masked)
    if lazy:
        values = s.data
        s = s.as_lazy()
        s.data = da.from_array(values, chunks=values.shape)
    with pytest.warns(UserWarning, match=r"no file keeps its mask.*navigation_mask"):
        s.save(tmp_path / f"map.{suffix}")
    loaded = hs.load(tmp_path / f"map.{suffix}").data
    np.testing.assert_array_equal(loaded[~masked], counts[~masked])
    if suffix in ("rpl", "msa"):
        assert not loaded[masked].any()
