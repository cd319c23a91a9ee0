import csv

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import tifffile
from matplotlib.colors import to_hex
from pages import Page

from hyperspy_clusterquant.plotting.style import cluster_colours
from hyperspy_clusterquant.report.tiff import label_values
from hyperspy_clusterquant.signals import exporting

NAMES = ["<b>ß & co</b>", "=1+1", "../x", "α phase"]
QUICK = {"quantification": False, "homogeneity": False, "line_maps": False}


@pytest.fixture(scope="module")
def exported(_clustered, tmp_path_factory):
    """Map, result, table, folder and files."""
    s = _clustered.deepcopy()
    s.metadata.General.title = "Zürich α"
    result = s.keep_clusters(s.clusters["pca_gmm"].rename(NAMES).drop([3]))
    table = s.cluster_quantification(
        result, kfactors=s.metadata.Ground_truth.kfactors, kfactor_uncertainty=0.05,
        extra_elements=["Au"],
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("export") / "a folder"
    files = s.export_clusters(
        result, str(folder), quantification=table, significance={"n_splits": 1}, homogeneity=False,
        compounds={"jalpaite": "Ag3CuS2"},
    )  # fmt: skip
    return s, result, table, folder, files


def test_everything_that_is_said_is_there(exported):
    *_, folder, files = exported
    there = {path for path in folder.rglob("*") if path.is_file()}
    assert set(files) == there
    with open(folder / "contents.csv", encoding="utf-8") as file:
        listed = [row[0] for row in csv.reader(file)][1:]
    assert {folder / name for name in listed} | {folder / "contents.csv"} == there
    assert [path.name for path in folder.parent.iterdir()] == ["a folder"]
    assert plt.get_fignums() == []


def test_images_are_those_of_the_result(exported):
    _, result, table, folder, _ = exported
    labels = tifffile.imread(folder / "labels.tif")
    assert np.array_equal(labels, label_values(result.labels, 3))
    assert set(np.unique(labels)) == {0, 1, 2, 3, 255}
    memberships = tifffile.imread(folder / "memberships.tif")
    assert np.array_equal(memberships, result.memberships)
    with tifffile.TiffFile(folder / "line_maps.tif") as file:
        assert file.imagej_metadata["Labels"] == list(table.xray_lines)
    assert plt.imread(folder / "clusters.png").ndim == 3


def test_tables_are_read_by_other_programs(exported):
    s, result, table, folder, _ = exported
    book = pd.read_excel(folder / "tables.xlsx", sheet_name=None)
    assert {path.stem for path in (folder / "tables").iterdir()} == set(book)
    clusters = book["clusters"]
    assert clusters["cluster"].tolist() == list(result.cluster_names) == NAMES[:3]
    assert clusters["pixels"].tolist() == result.sizes.tolist()
    pixel = np.prod([axis.scale for axis in s.axes_manager.navigation_axes])
    assert clusters["area (nm²)"].tolist() == pytest.approx((result.sizes * pixel).tolist())
    for composition in (book["composition"], pd.read_csv(folder / "tables" / "composition.csv")):
        assert composition["at%"].to_numpy() == pytest.approx(table.atomic_percent.ravel())
        assert composition["std (at%)"].to_numpy() == pytest.approx(table.std.ravel())
        parts = composition[[f"std of {of} (at%)" for of in ("counts", "k-factors", "mixing")]]
        assert (parts**2).sum(axis=1).to_numpy() == pytest.approx(table.std.ravel() ** 2)
        first = composition[composition.cluster == NAMES[0]]
        assert first["element"].tolist() == list(table.elements)
    assert book["kfactors"]["k (by weight)"].tolist() == pytest.approx([*table.kfactors.values()])
    assert len(book["significance"]) == 3
    assert "compounds" in book
    parameters = dict(book["parameters"].astype(str).to_numpy())
    assert parameters["seed"] == "0"


def test_spectra_are_read_by_hyperspy(exported):
    s, result, _, folder, _ = exported
    phases = s.get_cluster_spectra(result, "phase")
    names = ["00_b_co_b", "01_1_1", "02_x"]
    sums = [s.data[result.labels == k].sum(axis=0) for k in range(3)]
    frame = pd.read_csv(folder / "tables" / "spectra.csv")
    for k, name in enumerate(names):
        read = hs.load(folder / "spectra" / f"{name}_sum.msa", signal_type="EDS_TEM")
        assert np.array_equal(read.data, sums[k])
        assert frame[f"{k} {NAMES[k]}: sum (counts)"].to_numpy() == pytest.approx(sums[k])
        assert read.metadata.General.title == name
        assert read.metadata.Acquisition_instrument.TEM.beam_energy == 200
        own, axis = read.axes_manager[-1], s.axes_manager[-1]
        assert (own.units, own.scale, own.offset) == pytest.approx(("keV", axis.scale, axis.offset))
        phase = hs.load(folder / "spectra" / f"{name}_phase.msa", signal_type="EDS_TEM")
        assert phase.data == pytest.approx(phases.inav[k].data, abs=1e-5)
    assert frame["energy (keV)"].to_numpy() == pytest.approx(s.axes_manager[-1].axis)


def test_the_report_is_among_the_files(exported):
    _, result, *_, folder, _ = exported
    page = Page((folder / "report.html").read_text("utf8"))
    assert page.loaded == []
    assert np.array_equal(page.labels[0], result.labels)


@pytest.mark.parametrize("cut", ["scan", "lazy"])
def test_line_scans_and_lazy_maps(cut, clustered, tmp_path):
    s = clustered.inav[:, 20] if cut == "scan" else clustered.as_lazy()
    result = s.clusters["pca_gmm"]
    s.export_clusters(folder=tmp_path / "a", **QUICK)
    labels = tifffile.imread(tmp_path / "a" / "labels.tif")
    shown = np.where(result.labels == -2, 0, result.labels + 1)
    assert np.array_equal(labels.reshape(shown.shape), shown)
    assert s._lazy == (cut == "lazy")


def test_folders_of_others_stay(clustered, tmp_path, monkeypatch):
    folder = tmp_path / "a"
    folder.mkdir()
    clustered.export_clusters(None, folder, **QUICK)  # an empty one is taken
    with pytest.raises(FileExistsError, match="overwrite=True"):
        clustered.export_clusters(None, folder, overwrite=False, **QUICK)
    monkeypatch.setattr("builtins.input", lambda *_: "n")
    with pytest.raises(FileExistsError, match="left as it is"):
        clustered.export_clusters(None, folder, **QUICK)
    clustered.export_clusters(None, folder, overwrite=True, title="again", **QUICK)
    assert "<h1>again</h1>" in (folder / "report.html").read_text("utf8")
    (folder / "mine.txt").write_text("precious")
    with pytest.raises(FileExistsError, match=r"not exported to it: mine\.txt"):
        clustered.export_clusters(None, folder, overwrite=True, **QUICK)
    assert (folder / "mine.txt").read_text() == "precious"
    with pytest.raises(FileExistsError, match="is a file"):
        clustered.export_clusters(None, folder / "mine.txt", **QUICK)
    with pytest.raises(FileNotFoundError, match="no folder"):
        clustered.export_clusters(None, tmp_path / "b" / "c", **QUICK)
    with pytest.raises(TypeError, match="not quantified"):
        clustered.export_clusters(None, tmp_path / "b", quantified=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_nothing_is_left_of_an_export_that_fails(clustered, tmp_path, monkeypatch):
    def broken(*_):
        raise OSError("disk full")

    clustered.export_clusters(None, tmp_path / "a", **QUICK)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr(exporting, "write_excel", broken)
    for name in ("a", "b"):
        with pytest.raises(OSError, match="disk full"):
            clustered.export_clusters(None, tmp_path / name, overwrite=True, **QUICK)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_of_a_stack_all_maps_are_exported(clustered, tmp_path):
    stack = hs.stack([clustered.inav[:, :20], clustered.inav[:, 20:40], clustered.inav[:, 36:]])
    result = stack.cluster_pca_gmm(4, binning=1)
    stack.export_clusters(folder=tmp_path / "a", **QUICK)
    assert plt.get_fignums() == []
    labels = tifffile.imread(tmp_path / "a" / "labels.tif")
    assert np.array_equal(labels, label_values(result.labels, 4))
    memberships = tifffile.imread(tmp_path / "a" / "memberships.tif")
    assert np.array_equal(np.moveaxis(memberships, 0, 1), result.memberships)
    picture = plt.imread(tmp_path / "a" / "clusters.png")[..., :3]
    seen = {to_hex(colour).upper() for colour in np.unique(picture.reshape(-1, 3), axis=0)}
    assert set(cluster_colours(4)) <= seen
    assert picture.shape[1] > 2 * picture.shape[0]  # one beside the other


def test_the_working_folder_is_refused_before_all_work(clustered, tmp_path, monkeypatch):
    def worked(*_, **__):
        raise AssertionError("worked before")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(type(clustered), "_content", worked)
    with pytest.raises(ValueError, match="works in"):
        clustered.export_clusters(folder=".", **QUICK)
    assert list(tmp_path.iterdir()) == []
