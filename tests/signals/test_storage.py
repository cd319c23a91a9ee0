"""Results are kept with the map and in its files."""

import dataclasses
import shutil
import subprocess
import sys
import warnings

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest
from companions import is_ours, same

from hyperspy_clusterquant import ClusteredEDSSpectrum
from hyperspy_clusterquant.results.stored import FORMAT
from hyperspy_clusterquant.signals import storage


@pytest.mark.parametrize("missing", ["zarr", "numcodecs"])
def test_without_what_zspy_needs_it_says_what_to_do(clustered, missing, monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.startswith("rsciio.zspy")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModuleNotFoundError, match=rf"\.zspy need {missing}.*\.hspy") as raised:
        clustered.save(tmp_path / "a.zspy")
    assert raised.value.name == missing
    clustered.save(tmp_path / "a.hspy")
    same(hs.load(tmp_path / "a.hspy").clusters, clustered.clusters)


def test_results_are_kept_in_order_and_read_only(clustered):
    names = ["copy", "two parts/1", "Über 2"]
    for name in names:
        clustered.cluster_pca_gmm(n_clusters=2, name=name)
    assert list(clustered.clusters) == ["pca_gmm", *names]
    clustered.cluster_pca_gmm(n_clusters=3)
    assert list(clustered.clusters) == [*names, "pca_gmm"]
    assert clustered.get_cluster_spectra().axes_manager.navigation_size == 3
    assert clustered.get_cluster_spectra("copy").axes_manager.navigation_size == 2
    with pytest.raises(TypeError):
        clustered.clusters["mine"] = None


@pytest.mark.parametrize("extension", ["hspy", "zspy"])
@pytest.mark.parametrize("lazy", [False, True])
def test_results_survive_files(tmp_path, clustered, extension, lazy):
    clustered.save(tmp_path / f"map.{extension}")
    loaded = hs.load(tmp_path / f"map.{extension}", lazy=lazy)
    assert is_ours(loaded, lazy)
    same(loaded.clusters, clustered.clusters)


def test_a_result_adds_no_more_to_a_file_than_its_arrays(tmp_path, sulfide, clustered):
    result = clustered.clusters["pca_gmm"]
    arrays = (
        result.labels, result.memberships, result.scores, result.spectra, result.energy,
        result.eigenvalues,
    )  # fmt: skip
    learned = vars(clustered.learning_results)
    mirrored = (value for value in learned.values() if isinstance(value, np.ndarray))
    sizes = []
    for name, s in {"before": sulfide, "after": clustered}.items():
        s.save(tmp_path / f"{name}.hspy", compression=None)
        sizes.append((tmp_path / f"{name}.hspy").stat().st_size)
    added = sum(array.nbytes for array in (*arrays, *mirrored))
    assert sizes[1] - sizes[0] < added + 100_000  # HDF5's own


def test_embedding_survives_files(tmp_path, sulfide):
    result = sulfide.cluster_umap_hdbscan(n_landmarks=150, n_neighbors=10, binning=1)
    sulfide.save(tmp_path / "map.hspy")
    loaded = hs.load(tmp_path / "map.hspy").clusters["umap_hdbscan"]
    assert result.embedding.shape == (150, 4)
    assert np.array_equal(loaded.embedding, result.embedding)
    assert np.array_equal(loaded.landmarks, result.landmarks)
    assert (result.labels.ravel()[result.landmarks] > -2).all()


def test_a_file_opens_without_the_plugin(tmp_path, clustered):
    clustered.save(tmp_path / "map.hspy")
    code = f"""
import importlib.metadata, sys
found = importlib.metadata.entry_points
def without(**selection):
    if selection.get("group") != "hyperspy.extensions":
        return found(**selection)
    return [e for e in found(**selection) if e.name != "hyperspy_clusterquant"]
class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("hyperspy_clusterquant"):
            raise ModuleNotFoundError(name)
importlib.metadata.entry_points = without
sys.meta_path.insert(0, NotInstalled())
import hyperspy.api as hs
s = hs.load({str(tmp_path / "map.hspy")!r})
assert s.data.shape == (56, 64, 512), s
assert s.metadata.Clusters.result_0.labels.shape == (56, 64)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_results_stay_when_storing_is_interrupted(clustered, monkeypatch):
    metadata = type(clustered.metadata)
    store, calls = metadata.set_item, []

    def interrupted(self, key, *args, **kwargs):
        store(self, key, *args, **kwargs)
        calls.append(key)
        if sum(str(called).startswith("Clusters") for called in calls) == 1:
            raise KeyboardInterrupt

    before = clustered.clusters["pca_gmm"]
    monkeypatch.setattr(metadata, "set_item", interrupted)
    with pytest.raises(KeyboardInterrupt):
        clustered.cluster_pca_gmm(n_clusters=2, name="second")
    assert list(clustered.clusters) == ["pca_gmm"]
    np.testing.assert_array_equal(clustered.clusters["pca_gmm"].labels, before.labels)


# --- what cannot be read ------------------------------------------------------------------


def older(s):
    del s.metadata.Clusters.result_0.workflow
    return r"result_0 \('pca_gmm': it has no workflow\)"


def newest(s):
    older(s)
    s.metadata.Clusters.result_0.format = FORMAT + 1
    return rf"no workflow, as a newer version wrote it \(format {FORMAT + 1}, this knows"


def shapeless(s):
    stored = s.metadata.Clusters.result_0
    stored.memberships = stored.memberships[:, 1:]
    return r"result_0 \('pca_gmm': memberships"


def note(s):
    s.metadata.Clusters.set_item("note", "k-means of 2021")
    return r": note \(no result\)"


def of_others(s):
    del s.metadata.Clusters
    s.metadata.set_item("Clusters.kmeans.labels", np.zeros((3, 3)))
    return r": kmeans \(no result\)"


def empty(s):
    s.metadata.Clusters.add_node("result_0")
    s.metadata.Clusters.result_0 = {}
    return r"result_0 \('without a name': it has no cluster_names, "


def result_of_others(s):
    s.metadata.Clusters.set_item("result_0", "three clusters")
    return r": result_0 \(no result\)"


def text(s):
    del s.metadata.Clusters
    s.metadata.set_item("Clusters", "k-means of 2021")
    return r": Clusters \(no result\)"


@pytest.mark.parametrize(
    "change", [older, newest, shapeless, empty, note, of_others, result_of_others, text]
)
def test_what_cannot_be_read_is_left_out_with_one_warning(clustered, change):
    why = change(clustered)
    with pytest.warns(UserWarning, match=why) as warned:
        names = list(clustered.clusters)
    assert len(warned) == 1
    assert warned[0].filename == __file__
    assert names == (["pca_gmm"] if change is note else [])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert list(clustered.clusters) == names
        clustered.cluster_pca_gmm(n_clusters=2, name="new")
        clustered.keep_clusters(clustered.clusters["new"], name="newer")
        assert list(clustered.clusters) == [*names, "new", "newer"]


@pytest.mark.parametrize("extension", ["hspy", "zspy"])
@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("change", [older, newest])
def test_a_file_with_what_cannot_be_read_opens(clustered, tmp_path, change, lazy, extension):
    why = change(clustered)
    clustered.save(tmp_path / f"map.{extension}")
    loaded = hs.load(tmp_path / f"map.{extension}", lazy=lazy)
    with pytest.warns(UserWarning, match=why):
        assert not loaded.clusters
    assert not loaded.inav[:8].clusters


def test_what_others_left_is_not_touched_without_results_of_ours(sulfide):
    sulfide.metadata.set_item("Clusters", 3)
    with pytest.warns(UserWarning, match="left alone"):
        assert sulfide.inav[:8].metadata.Clusters == 3


@pytest.mark.parametrize("change", [older, note, of_others, result_of_others, text])
@pytest.mark.parametrize("lazy", [False, True])
def test_everything_else_works_on_a_map_with_what_cannot_be_read(clustered, change, lazy):
    change(clustered)
    s = clustered.as_lazy() if lazy else clustered
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copied = s.deepcopy()
        for made in (
            copied, s.sum(), s.sum("x"), s.mean(), s.inav[:4, :4], s.isig[1.0:4.0],
            s.rebin(scale=(2, 2, 1)), s.swap_axes(0, 1), s + s,
        ):  # fmt: skip
            assert isinstance(made, ClusteredEDSSpectrum)
            list(made.clusters)
        copied.crop("x", 0, 30)
        copied.cluster_pca_gmm(n_clusters=2, name="new")
        copied.clusters.remove("new")


def test_what_others_left_stays_beside_ours_in_files_and_crops(clustered, tmp_path):
    note(clustered)
    older(clustered)
    with pytest.warns(UserWarning, match="note"):
        clustered.cluster_pca_gmm(n_clusters=2, name="new")
    clustered.save(tmp_path / "map.hspy")
    for s in (hs.load(tmp_path / "map.hspy"), clustered.inav[3:20], clustered.sum()):
        assert s.metadata.Clusters.note == "k-means of 2021"
    stored = hs.load(tmp_path / "map.hspy").metadata.Clusters
    assert stored.result_0.labels.shape == (56, 64), "the older version can still read it"
    # Of the whole map, it is none of a part's.
    with pytest.warns(UserWarning, match=r": note \(no result\)\. To"):
        assert list(clustered.inav[3:20].clusters) == ["new"]
    clustered.clusters.remove("new")
    assert clustered.metadata.Clusters.note == "k-means of 2021"


def test_a_text_in_our_place_moves_aside(sulfide):
    sulfide.metadata.set_item("Clusters", "k-means of 2021")
    with pytest.warns(UserWarning, match="Clusters"):
        sulfide.cluster_pca_gmm(n_clusters=2)
    assert sulfide.metadata.Clusters.not_ours == "k-means of 2021"
    assert list(sulfide.clusters) == ["pca_gmm"]


def test_fields_of_newer_versions_are_ignored_and_kept(clustered, tmp_path):
    before = clustered.clusters["pca_gmm"]
    clustered.metadata.Clusters.result_0.set_item("confidence", np.zeros(3))
    clustered.keep_clusters(before, name="other")
    clustered.save(tmp_path / "map.hspy")
    loaded = hs.load(tmp_path / "map.hspy")
    assert loaded.clusters["pca_gmm"] == before
    np.testing.assert_array_equal(loaded.metadata.Clusters.result_0.confidence, np.zeros(3))


@pytest.mark.parametrize("extension", ["hspy", "zspy"])
def test_files_without_a_format_are_read(clustered, tmp_path, extension):
    before = clustered.clusters["pca_gmm"]
    assert clustered.metadata.Clusters.result_0.format == FORMAT
    del clustered.metadata.Clusters.result_0.format
    clustered.save(tmp_path / f"map.{extension}")
    loaded = hs.load(tmp_path / f"map.{extension}").clusters["pca_gmm"]
    assert loaded == before
    assert loaded.parameters == before.parameters


@pytest.mark.parametrize("extension", ["hspy", "zspy"])
def test_results_without_clusters_or_components_survive_files(sulfide, tmp_path, extension):
    empty = sulfide.cluster_pca_gmm(n_clusters=2).drop([0, 1])
    none = sulfide.cluster_pca_gmm(n_components=0, name="none")
    sulfide.keep_clusters(empty, name="empty")
    sulfide.save(tmp_path / f"map.{extension}")
    loaded = hs.load(tmp_path / f"map.{extension}")
    assert (loaded.clusters["empty"].n_clusters, loaded.clusters["none"].n_components) == (0, 0)
    assert loaded.clusters["none"] == none


# --- reading once -------------------------------------------------------------------------


def test_results_are_read_once_until_they_change(clustered, monkeypatch):
    kept = clustered.cluster_pca_gmm(n_clusters=2, name="new")
    assert clustered.clusters["new"] is kept
    copied = clustered.deepcopy()
    read = copied.clusters["pca_gmm"]
    assert read == clustered.clusters["pca_gmm"]
    monkeypatch.setattr(storage, "from_dict", None)
    assert copied.clusters["pca_gmm"] is read
    copied.keep_clusters(read.rename({0: "x"}), name="renamed")
    assert copied.clusters["pca_gmm"] is read
    monkeypatch.undo()
    copied.metadata.Clusters.result_0.labels = read.labels.clip(max=0)
    assert copied.clusters["pca_gmm"].labels.max() == 0
    assert copied.clusters["renamed"].labels.max() == 3


def test_what_is_stored_cannot_be_changed_behind_a_result(clustered):
    copied = clustered.deepcopy()
    result = copied.clusters["pca_gmm"]
    assert np.shares_memory(result.memberships, copied.metadata.Clusters.result_0.memberships)
    with pytest.raises(ValueError, match="read-only"):
        copied.metadata.Clusters.result_0.labels[0, 0] = 1


@pytest.mark.parametrize("extension", ["hspy", "zspy"])
@pytest.mark.parametrize("later", [False, True])
def test_results_of_a_lazy_map_do_not_follow_its_file(clustered, tmp_path, extension, later):
    result, shown = clustered.clusters["pca_gmm"], clustered.learning_results.cluster_labels
    if later:
        clustered.set_signal_type("EDS_TEM")
    file, renamed = tmp_path / f"map.{extension}", tmp_path / f"renamed.{extension}"
    clustered.save(file)
    lazy = hs.load(file, lazy=True)
    if later:
        lazy.set_signal_type("EDS_TEM_clustered")
    assert isinstance(lazy.data, da.Array)
    for values in (lazy.metadata.Clusters.result_0, vars(lazy.learning_results)):
        assert not any(isinstance(value, da.Array) for value in dict(values).values())
    file.rename(renamed)
    shutil.rmtree(renamed) if renamed.is_dir() else renamed.unlink()
    assert lazy.clusters["pca_gmm"] == result
    np.testing.assert_array_equal(lazy.learning_results.cluster_labels, shown)
    copied = lazy.deepcopy().clusters["pca_gmm"]
    np.testing.assert_array_equal(copied.labels, result.labels)


def test_nothing_of_others_is_loaded(clustered):
    lazy = clustered.as_lazy()
    lazy.metadata.Clusters.set_item("theirs", lazy.data)
    lazy.set_signal_type("EDS_TEM")
    lazy.set_signal_type("EDS_TEM_clustered")
    assert isinstance(lazy.metadata.Clusters.theirs, da.Array)


# --- HyperSpy's own cluster plots ---------------------------------------------------------


def test_hyperspy_shows_spectra_of_this_map_and_energy_axis_only(clustered):
    result = clustered.clusters["pca_gmm"]

    def spectra_shown_on(s):
        s.keep_clusters(s.clusters["pca_gmm"])
        shown = s.learning_results
        assert shown.number_of_clusters == 4
        assert (shown.cluster_sum_signals is None) == (shown.cluster_centroid_signals is None)
        return shown.cluster_sum_signals

    np.testing.assert_array_equal(spectra_shown_on(clustered), result.spectra)
    np.testing.assert_array_equal(spectra_shown_on(clustered.swap_axes(0, 1)), result.spectra)
    for s in (
        clustered.inav[:20], clustered.inav[:, ::2], clustered.isig[1.0:4.0],
        clustered.rebin(scale=(2, 2, 1)), clustered.rebin(scale=(1, 1, 2)),
    ):  # fmt: skip
        assert spectra_shown_on(s) is None
    clustered.crop("Energy", 1.0, 4.0)
    assert clustered.learning_results.cluster_sum_signals is None
    assert clustered.learning_results.cluster_labels.shape == (4, 56 * 64)
    clustered.keep_clusters(result.drop([0, 1, 2, 3]), name="empty")
    assert clustered.learning_results.cluster_labels is None


def test_what_hyperspy_shows_of_results_of_any_origin_follows(sulfide):
    """Also of a workflow that is none of ours."""
    found = sulfide.cluster_pca_gmm(n_clusters=2)
    sulfide.keep_clusters(dataclasses.replace(found, name="by hand", workflow="by hand"))
    assert sulfide.learning_results.cluster_algorithm == "by hand"
    sulfide.crop("x", 0, 20)
    assert sulfide.learning_results.cluster_labels is None


@pytest.mark.parametrize("how", ["kept", "loaded", "given"])
def test_results_have_the_axes_that_the_map_has_now(clustered, how, tmp_path):
    result = clustered.clusters["pca_gmm"]
    assert clustered.clusters["pca_gmm"] is result
    x, y = clustered.axes_manager.navigation_axes
    x.scale, y.scale, x.units, y.name = 7.0, 3.0, "µm", "height"
    s = clustered
    if how == "loaded":
        s.save(tmp_path / "map.hspy")
        s = hs.load(tmp_path / "map.hspy")
    of_axes = s._get_cluster_result(result if how == "given" else "pca_gmm")
    assert [(axis["scale"], axis["units"]) for axis in of_axes.axes] == [
        (3.0, y.units),
        (7.0, "µm"),
    ]
    assert of_axes.axes[0]["name"] == "height"
    for image in (of_axes.label_map(), of_axes.membership_maps()):
        assert [axis.scale for axis in image.axes_manager.signal_axes] == [7.0, 3.0]
    bar = next(a for a in s.plot_clusters(of_axes if how == "given" else None).artists
               if hasattr(a, "size_bar"))  # fmt: skip
    assert bar.txt_label.get_text() == "50 µm"
    np.testing.assert_array_equal(of_axes.labels, result.labels)
    # What the user holds stays as it is.
    assert result.axes[1]["scale"] != 7.0
