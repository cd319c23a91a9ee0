import base64
import hashlib
import re
import warnings

import hyperspy.api as hs
import numpy as np
import pytest
from pages import Page
from samples import STEEL, blurred, phantom

from hyperspy_clusterquant import ClusterResult, data
from hyperspy_clusterquant.report import numbers
from hyperspy_clusterquant.report.content import Content
from hyperspy_clusterquant.report.page import page_of
from hyperspy_clusterquant.signals import reporting

EXTRA = ["C", "Au"]
EVIL = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "ß & co\u2028 'n' \"x\"",
    "=1+1",
]
QUIET = {"quantification": False, "homogeneity": False, "line_maps": False}


def kfactors(s):
    return s.metadata.Ground_truth.kfactors


@pytest.fixture(scope="module")
def map_and_page(_clustered, tmp_path_factory):
    """A map with names that no page should take for HTML, and all parts of its report."""
    s = _clustered.deepcopy()
    s.metadata.General.title = "Title </title><script>alert(2)</script>"
    result = s.keep_clusters(s.clusters["pca_gmm"].rename(EVIL))
    table = s.cluster_quantification(result, kfactors=kfactors(s), kfactor_uncertainty=0.05,
                                     extra_elements=EXTRA)  # fmt: skip
    path = s.cluster_report(
        tmp_path_factory.mktemp("report") / "page.html",
        quantification=table,
        significance={"n_splits": 2},
        stability={"n_resamples": 2, "vary": ["counts"]},
        compounds={"chalcopyrite <b>": "CuFeS2", "jalpaite": "Ag3CuS2"},
        notes="First <i>line\nsecond & line",
    )
    return s, result, table, path, Page(path.read_text("utf8"))


def test_it_is_one_page_that_loads_nothing(map_and_page):
    *_, path, page = map_and_page
    assert page.loaded == []
    assert not re.search(r"@import|url\(", page.contents["style"][0])
    assert path.stat().st_size < 5e6
    assert page.open == []
    policy = page.named("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    digest = hashlib.sha256(page.contents["script"][1].encode()).digest()
    assert f"script-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert "http:" not in policy


def test_no_text_becomes_html(map_and_page):
    _, result, *_, page = map_and_page
    assert [own.get("id") for own in page.named("script")] == ["numbers", None]
    assert not any(key.startswith("on") for _, own in page.elements for key in own)
    assert {own.get("src", "data:")[:5] for own in page.named("img")} == {"data:"}
    assert [of["name"] for of in page.numbers["clusters"]] == list(result.cluster_names)
    assert page.named("title") == [{}]
    assert "First <i>line" in page.words
    assert "second & line" in page.words
    assert "chalcopyrite <b>" in page.words


def test_the_map_is_that_of_the_result(map_and_page):
    s, result, *_, page = map_and_page
    assert np.array_equal(page.labels[0], result.labels)
    of = page.numbers["map"]
    axes = s.axes_manager.navigation_axes
    assert [axis["scale"] for axis in of["axes"]] == [axis.scale for axis in axes]
    assert [axis["units"] for axis in of["axes"]] == [axis.units for axis in axes]


def test_the_legend_tells_names_sizes_and_areas(map_and_page):
    s, result, *_, page = map_and_page
    head, *rows = page.tables[0]
    assert head == ["cluster", "pixels", "share", "area (nm²)"]
    shares = result.sizes / np.count_nonzero(result.labels != -2)
    pixel = np.prod([axis.scale for axis in s.axes_manager.navigation_axes])
    for row, name, size, share in zip(rows, EVIL, result.sizes, shares, strict=False):
        assert row[0].split() == name.split()
        assert row[1:3] == [str(size), f"{share:.1%}"]
        assert float(row[3]) == pytest.approx(size * pixel, rel=5e-3)


def test_compositions_are_those_of_the_table(map_and_page):
    _, _, table, _, page = map_and_page
    shown = table.to_dataframe(text=True)
    side_by_side = next(t for t in page.tables if t[0][0] == "at%")
    assert [row[1:] for row in side_by_side[1:]] == shown.to_numpy().tolist()
    budgets = [t for t in page.tables if t[0][2:4] == ["at%", "counting"]]
    assert len(budgets) == 4
    for k, (_, *rows) in enumerate(budgets):
        assert [row[2] for row in rows] == shown.iloc[:-1, k].tolist()
        for row, *stds in zip(rows, table.std_counting[k], table.std_kfactor[k],
                              table.std_mixing[k], strict=True):  # fmt: skip
            read = [float(cell.removeprefix("± ")) for cell in row[3:6]]
            assert read == pytest.approx(stds, rel=0.06)


def test_spectra_are_stored_sums_and_fits_those_of_the_table(map_and_page):
    _, result, table, _, page = map_and_page
    of = page.numbers
    shares = result.spectra / result.spectra.sum(axis=1, keepdims=True)
    assert np.array(of["spectra"]["shares"]) == pytest.approx(shares, rel=1e-3)
    for drawn, fit in zip(of["fits"], table.fits, strict=True):
        assert np.array(drawn["counts"]) == pytest.approx(fit.counts, rel=1e-3)
        assert np.array(drawn["residual"]) == pytest.approx(fit.residual, rel=1e-2, abs=1e-2)
        expected = np.maximum(fit.areas[:, None] * fit.design.profiles, 0)
        families = np.zeros(len(fit.counts))
        for family in drawn["families"]:
            for start, values in family["parts"]:
                families[start : start + len(values)] += values
        assert families == pytest.approx(expected.sum(axis=0), rel=0.03, abs=1.0)


def test_channels_are_joined_where_there_are_many(map_and_page, tmp_path, monkeypatch):
    s, result, table, *_ = map_and_page
    monkeypatch.setattr(numbers, "MOST_CHANNELS", 4 * 512 // 3)
    path = s.cluster_report(
        tmp_path / "a.html", quantification=table, homogeneity=False, line_maps=False
    )
    page = Page(path.read_text("utf8"))
    assert "Spectra are drawn with 4 channels joined into one." in page.words
    of = page.numbers
    shares = result.spectra.reshape(4, 128, 4).sum(axis=2)
    shares = shares / shares.sum(axis=1, keepdims=True)
    assert np.array(of["spectra"]["shares"]) == pytest.approx(shares, rel=1e-3)
    for drawn, fit in zip(of["fits"], table.fits, strict=True):
        n = len(fit.counts) // 4
        counts, model, variance = (
            x[: 4 * n].reshape(n, 4).sum(axis=1) for x in (fit.counts, fit.model, fit.variance)
        )
        assert np.array(drawn["counts"])[:n] == pytest.approx(counts, rel=1e-3)
        residual = (counts - model) / np.sqrt(variance)
        assert np.array(drawn["residual"])[:n] == pytest.approx(residual, rel=1e-2, abs=1e-2)


def test_a_large_page_is_below_five_megabytes(rng):
    """Labels like noise, which no file makes small, and as many clusters as can be told apart."""
    n, n_clusters = 1024, 13
    labels = rng.integers(0, n_clusters, (n, n), dtype=np.int32)
    axis = {"name": "", "scale": 1.0, "offset": 0.0, "units": "nm", "size": n}
    memberships = labels == np.arange(n_clusters)[:, None, None]
    result = ClusterResult("a", "pca_gmm", labels, memberships, np.zeros((n * n, 1)), [2.0], 1.0,
                           axes=(axis, axis))  # fmt: skip
    spectra = rng.poisson(1000.0, (n_clusters, 4096))
    page = page_of(Content(title="", result=result, energy=np.arange(4096.0), spectra=spectra))
    assert len(page.encode()) < 3e6  # which leaves 2 MB for fits and maps of lines


def test_verdicts_and_references_are_told(map_and_page):
    _, result, *_, page = map_and_page
    assert len(re.findall(r"distinct(?: in [\w, ]+)?: ", page.words)) == 4 * 3
    assert "Found again in halves of the counts: stable" in page.words
    for sentence in result.findings["homogeneity"]:
        assert " ".join(sentence.split()) in page.words
    for cited in ("d5fd00101c", "Cliff", "Neufeld", "Hennig"):
        assert cited in page.words
    assert "McInnes" not in page.words
    nearest = [t for t in page.tables if t[0][0] == "compound"]
    assert [t[1][0] for t in nearest].count("chalcopyrite <b>") >= 1
    assert all(float(t[1][2]) <= float(t[2][2]) for t in nearest)


def test_without_anything_said_only_what_is_quick_is_run(clustered, tmp_path, monkeypatch):
    def slow(*_, **__):
        raise AssertionError("clustered again")

    for method in ("cluster_significance", "cluster_stability"):
        monkeypatch.setattr(type(clustered), method, slow)
    with pytest.warns(UserWarning, match="Theoretical k-factors"):
        path = clustered.cluster_report(tmp_path / "a")
    page = Page(path.read_text("utf8"))
    assert path.name == "a.html"
    assert "Not run, as it clusters again: s.cluster_significance() tells" in page.words
    assert "Not run, as it clusters again: s.cluster_stability() tells" in page.words
    assert "Theoretical k-factors at 200 keV are used" in page.words
    assert "s.cluster_homogeneity(result)" in page.words


def test_large_maps_are_not_looked_at_pixel_by_pixel(clustered, tmp_path, monkeypatch):
    monkeypatch.setattr(reporting, "MOST_VALUES", 1e6)
    options = {"kfactors": kfactors(clustered), "extra_elements": EXTRA}
    path = clustered.cluster_report(tmp_path / "a.html", quantification=options)
    page = Page(path.read_text("utf8"))
    assert "Not run, as the map is large: s.map_significance() tells" in page.words
    assert "Not run, as the map is large: s.cluster_homogeneity() tells" in page.words


def test_without_elements_the_page_says_what_is_missing(clustered, tmp_path):
    clustered.metadata.Sample.elements = []
    path = clustered.cluster_report(tmp_path / "a.html")
    page = Page(path.read_text("utf8"))
    assert page.words.count("Could not be found: ") >= 2
    assert "Declare those of the sample first" in page.words
    with pytest.raises(ValueError, match="No elements are set"):
        clustered.cluster_report(tmp_path / "b.html", quantification=True)
    with pytest.raises(ValueError, match="`compounds` are compared with compositions"):
        clustered.cluster_report(tmp_path / "b.html", compounds={"a": "CuS"})
    assert [of.name for of in tmp_path.iterdir()] == ["a.html"]


def test_one_cluster_and_pixels_left_out(sulfide, tmp_path):
    mask = np.zeros((56, 64), dtype=bool)
    mask[:, :9] = True
    result = sulfide.cluster_pca_gmm(1, navigation_mask=mask)
    path = sulfide.cluster_report(
        tmp_path / "a.html", quantification={"kfactors": kfactors(sulfide), "extra_elements": EXTRA}
    )
    page = Page(path.read_text("utf8"))
    assert np.array_equal(page.labels[0], result.labels)
    assert [row[0].strip() for row in page.tables[0][1:]] == ["cluster 0", "left out"]
    assert "1 cluster (pca_gmm) in a map of 64 × 56 pixels" in page.words


def test_line_scans_show_memberships(clustered, tmp_path):
    scan = clustered.inav[:, 20]
    result = scan.clusters["pca_gmm"]
    page = Page(scan.cluster_report(tmp_path / "a.html", **QUIET).read_text("utf8"))
    assert "in a line scan of 64 pixels" in page.words
    assert page.tables[0][0][-1] == "length (nm)"
    drawn = page.numbers["scan"]
    assert np.array(drawn["memberships"]) == pytest.approx(result.memberships, abs=1e-3)
    axis = scan.axes_manager.navigation_axes[0]
    assert drawn["place"] == pytest.approx(axis.axis.tolist(), rel=1e-5)
    assert page.labels.shape == (1, 1, 64)


def test_stacks_let_choose_the_map(sulfide, tmp_path):
    stack = sulfide.rebin(scale=[2, 2, 1])
    stack = type(sulfide)(np.stack([stack.data, stack.data[::-1]]))
    stack.metadata.Sample = sulfide.metadata.Sample
    stack.axes_manager.signal_axes[0].units = "keV"
    stack.axes_manager.signal_axes[0].scale = sulfide.axes_manager.signal_axes[0].scale
    stack.metadata.set_item("Acquisition_instrument", sulfide.metadata.Acquisition_instrument)
    result = stack.cluster_pca_gmm(4)
    page = Page(stack.cluster_report(tmp_path / "a.html", **QUIET).read_text("utf8"))
    assert np.array_equal(page.labels, result.labels)
    assert len(page.named("option")) == 2
    assert page.tables[0][0] == ["cluster", "pixels", "share"]  # no units, no areas


def test_many_clusters_with_noise(sulfide, tmp_path):
    result = sulfide.cluster_pca_gmm(13).drop([12])
    page = Page(sulfide.cluster_report(tmp_path / "a.html", result, **QUIET).read_text("utf8"))
    assert (page.labels == -1).sum() == (result.labels == -1).sum() > 0
    assert [row[0].strip() for row in page.tables[0][1:]][11:13] == ["cluster 11", "noise"]
    assert "Of 13 clusters, 12 are left" in page.words


def test_lazy_maps_stay_lazy(clustered, tmp_path):
    lazy = clustered.as_lazy()
    options = {"quantification": {"kfactors": kfactors(lazy), "extra_elements": EXTRA}}
    pages = [
        Page(s.cluster_report(tmp_path / f"{n}.html", **options).read_text("utf8"))
        for n, s in enumerate((clustered, lazy))
    ]
    assert lazy._lazy
    assert pages[0].tables[0] == pages[1].tables[0]
    assert pages[0].numbers["spectra"] == pages[1].numbers["spectra"]


def test_cropped_maps_sum_their_own_counts(clustered, tmp_path):
    part = clustered.inav[10:40, :]
    result = part.clusters["pca_gmm"]
    assert result.spectra is None
    page = Page(part.cluster_report(tmp_path / "a.html", **QUIET).read_text("utf8"))
    sums = np.array([part.data[result.labels == k].sum(axis=0) for k in range(4)])
    shares = sums / sums.sum(axis=1, keepdims=True)
    assert np.array(page.numbers["spectra"]["shares"]) == pytest.approx(shares, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "elements", "others", "digest"),
    [
        ("core_shell", ["Fe", "Pt", "O"], ["C", "Cu", "Si"], "c1c7b5cd8871626b4f1c9aa82ed35dca"),
        (
            "gaas_nanowire",
            ["Ga", "As", "Sb"],
            ["C", "O", "Si", "Cu"],
            "c9970d074edf13a1fe8ed6f4346740a8",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_real_maps(name, elements, others, digest, real_file, tmp_path):
    s = hs.load(real_file(f"{name}.hdf5"), reader="HSPY")
    s.set_signal_type("EDS_TEM_clustered")
    s.set_elements(elements)
    result = s.cluster_pca_gmm(exclude_lines=others)
    path = s.cluster_report(
        tmp_path / "a.html", quantification={"extra_elements": others}, homogeneity=False
    )
    page = Page(path.read_text("utf8"))
    assert path.stat().st_size < 1e6
    assert np.array_equal(page.labels[0], result.labels)
    facts = {row[0]: row[1] for table in page.tables for row in table if len(row) == 2}
    assert facts["file"] == str(real_file(f"{name}.hdf5"))
    assert facts["SHA-256"].startswith(digest)
    assert "reader='hspy'" in page.words


def test_film_is_background(tmp_path):
    labels = np.zeros((36, 40), dtype=int)
    labels[:, 20:] = 1
    phases = {name: STEEL[name] for name in ("matrix", "MnS")}
    fractions = blurred(labels, 2, 0.5)
    film = np.ones(labels.shape)
    fractions[:, :, 30:] *= 1e-3
    s = phantom(phases, fractions, labels, 300.0, 0, film=8 * film)
    clusters = np.where(np.arange(40) >= 30, 2, labels)
    s.cluster_pca_gmm(3, navigation_mask=None)
    options = {"kfactors": kfactors(s), "extra_elements": ["C", "Au"]}
    table = s.cluster_quantification(**options)
    page = Page(s.cluster_report(tmp_path / "a.html", quantification=table).read_text("utf8"))
    assert clusters.shape == s.clusters["pca_gmm"].labels.shape
    assert page.words.count("Background: what there is of the elements") == table.background.sum()


def test_parts_of_other_clusters_are_refused(clustered, tmp_path):
    result = clustered.clusters["pca_gmm"]
    table = clustered.cluster_quantification(kfactors=kfactors(clustered), extra_elements=EXTRA)
    for other in (result.rename({0: "wurtzite"}), result.merge([0, 1])):
        with pytest.raises(ValueError, match="`quantification` is of other clusters"):
            clustered.cluster_report(tmp_path / "a.html", other, quantification=table)
    moved = clustered.cluster_pca_gmm(4, n_components=1)
    with pytest.raises(ValueError, match="`quantification` is of clusters with other pixels"):
        clustered.cluster_report(tmp_path / "a.html", moved, quantification=table)
    inside = clustered.cluster_homogeneity(result)
    with pytest.raises(ValueError, match="`homogeneity` is of clusters with other pixels"):
        clustered.cluster_report(tmp_path / "a.html", moved, homogeneity=inside)
    maps = clustered.map_significance()
    with pytest.raises(ValueError, match="`line_maps` is of a map of shape"):
        clustered.inav[:30].cluster_report(tmp_path / "a.html", line_maps=maps)
    with pytest.raises(TypeError, match=r"`significance` must be what s\.cluster_significance"):
        clustered.cluster_report(tmp_path / "a.html", significance="yes")
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_there_stay(clustered, tmp_path, monkeypatch):
    path = tmp_path / "a.html"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        clustered.cluster_report(path, overwrite=False, **QUIET)
    for answer, written in (("n", False), ("y", True)):
        monkeypatch.setattr("builtins.input", lambda *_, answer=answer: answer)
        if written:
            clustered.cluster_report(path, **QUIET)
        else:
            with pytest.raises(FileExistsError, match="left as it is"):
                clustered.cluster_report(path, **QUIET)
        assert (path.read_text("utf8") == "mine") != written
    clustered.cluster_report(path, overwrite=True, title="again", **QUIET)
    assert "<h1>again</h1>" in path.read_text("utf8")
    with pytest.raises(FileNotFoundError, match="no folder"):
        clustered.cluster_report(tmp_path / "x" / "a.html")
    with pytest.raises(ValueError, match=r"\.pdf"):
        clustered.cluster_report(tmp_path / "a.pdf")
    (tmp_path / "b.html").mkdir()
    with pytest.raises(FileExistsError, match="is a folder"):
        clustered.cluster_report(tmp_path / "b.html", overwrite=True)
    with pytest.raises(ValueError, match="`overwrite` must be"):
        clustered.cluster_report(path, overwrite="yes")


def test_nothing_is_left_of_a_page_that_fails(clustered, tmp_path, monkeypatch):
    def broken(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(reporting, "page_of", broken)
    (tmp_path / "a.html").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        clustered.cluster_report(tmp_path / "a.html", overwrite=True, **QUIET)
    assert [(of.name, of.read_text()) for of in tmp_path.iterdir()] == [("a.html", "old")]


def test_without_results_it_says_what_to_do(tmp_path):
    s = data.six_cation_sulfide(size=16, channels=512)
    with pytest.raises(ValueError, match=r"Run s\.cluster_pca_gmm\(\)"):
        s.cluster_report(tmp_path / "a.html")


def test_notes_stay_as_they_are(clustered, tmp_path):
    notes = "Sample A\nno drift\n\nSample B\nno drift"
    path = clustered.cluster_report(tmp_path / "a.html", notes=notes, **QUIET)
    lines = [line for line in notes.split("\n") if line]
    assert "".join(f"<p>{line}</p>" for line in lines) in path.read_text("utf8")


def test_all_warnings_reach_the_user_each_once(clustered, tmp_path, monkeypatch):
    class Special(UserWarning):
        pass

    def warned(self, *_, **__):
        for category in (UserWarning, Special, RuntimeWarning, FutureWarning, RuntimeWarning):
            warnings.warn(f"a {category.__name__}", category, stacklevel=1)
        raise ValueError("nothing found")

    monkeypatch.setattr(type(clustered), "map_significance", warned)
    every = [UserWarning, Special, RuntimeWarning, FutureWarning]
    for asked in (None, True):  # left out on the page, or an error
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if asked:
                with pytest.raises(ValueError, match="nothing found"):
                    clustered.cluster_report(tmp_path / "a.html", **QUIET | {"line_maps": True})
            else:
                path = clustered.cluster_report(tmp_path / "b.html", **QUIET | {"line_maps": None})
        assert [of.category for of in caught] == every
        assert [str(of.message) for of in caught] == [f"a {of.__name__}" for of in every]
    words = Page(path.read_text("utf8")).words
    assert "a UserWarning" in words
    assert "a Special" in words
    assert "a RuntimeWarning" not in words
