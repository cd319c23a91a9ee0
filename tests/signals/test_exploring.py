"""The explorer as a user calls it, without a mouse: `tests/explore/test_view.py` has one."""

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant import ClusterExplorer, data


@pytest.fixture(scope="module")
def two_merged():
    """Four phases, two of which the clusters do not tell apart."""
    s = data.six_cation_sulfide(size=(40, 48), channels=512, counts_per_pixel=150)
    result = s.cluster_pca_gmm(n_clusters=4)
    s.keep_clusters(result.merge([0, 3]).rename({1: "second"}), "merged")
    return s


@pytest.fixture(scope="module")
def opened(two_merged):
    return two_merged.explore_clusters("merged")


@pytest.fixture
def explorer(opened):
    """As it was opened."""
    yield opened
    session = opened._session
    while session.editor.can_undo:
        session.editor.undo()
    session._asked.clear()
    opened.select(np.zeros(session.keep.shape, dtype=bool), against="cluster")


def hidden(s):
    """Pixels of the smallest cluster that was merged into another."""
    return s.clusters["pca_gmm"].labels == 3


def test_it_opens_with_the_result_and_nothing_selected(two_merged, explorer):
    assert isinstance(explorer, ClusterExplorer)
    assert explorer.result == two_merged.clusters["merged"]
    assert explorer.selection.n_pixels == 0
    assert explorer.selection.verdict is None
    assert explorer.selection.roi is None
    assert explorer.cluster_names == two_merged.clusters["merged"].cluster_names
    assert "3 clusters, 0 edits, 0 pixels" in repr(explorer)


def test_a_selection_and_its_verdict(two_merged, explorer):
    mask = hidden(two_merged)
    selection = explorer.select(mask)
    np.testing.assert_array_equal(selection.mask, mask)
    np.testing.assert_array_equal(selection.navigation_mask, ~mask)
    assert selection.verdict.is_distinct
    assert "the rest of" in selection.verdict.against
    assert "distinct" in repr(selection)
    # Half of the counts, and not those that are drawn.
    total = two_merged.data[mask].sum()
    assert abs(selection.spectra[0].sum() / total - 0.5) < 0.03
    # Half of a phase is like the other half.
    rng = np.random.default_rng(0)
    inside = (two_merged.clusters["pca_gmm"].labels == 1) & (rng.random(mask.shape) < 0.5)
    verdict = explorer.select(inside).verdict
    assert not verdict.is_distinct
    assert verdict.n_asked == 2
    against_all = explorer.select(inside, against="rest").verdict
    assert against_all.is_distinct
    assert (
        against_all.n_against == np.sum(two_merged.clusters["merged"].labels != -2) - inside.sum()
    )


def test_differences_are_those_of_the_truth(two_merged, explorer):
    truth = two_merged.metadata.Ground_truth
    verdict = explorer.select(hidden(two_merged), against="rest").verdict
    composition = dict(zip(truth.elements, truth.compositions[3], strict=True))
    known = np.array([composition[element] for element in verdict.elements])
    # Blur and theoretical k-factors are not what this is about.
    assert np.abs(verdict.composition - known).max() < 3.0
    assert (verdict.composition_std < 1.5).all()


def test_the_half_is_the_same_for_the_same_seed(two_merged):
    explorers = [two_merged.explore_clusters("merged", random_state=seed) for seed in (0, 0, 1)]
    spectra = [explorer.select(hidden(two_merged)).spectra for explorer in explorers]
    np.testing.assert_array_equal(spectra[0], spectra[1])
    assert not np.array_equal(spectra[0], spectra[2])


def test_edits_make_a_result_that_everything_takes(two_merged, explorer, tmp_path):
    s = two_merged.deepcopy()
    explorer.select(hidden(s))
    explorer.new_cluster("<b>ß & co</b>")
    explorer.rename("second", "chalcopyrite")
    result = explorer.result
    assert (result.workflow, result.name, result.n_clusters) == ("by hand", "merged_by_hand", 4)
    np.testing.assert_array_equal(
        result.labels == result.cluster_names.index("<b>ß & co</b>"), hidden(s)
    )
    assert (np.diff(result.sizes) <= 0).all()
    for k, spectrum in enumerate(result.spectra):
        # The lowest channels are not looked at.
        np.testing.assert_array_equal(spectrum[20:], s.data[result.labels == k].sum(axis=0)[20:])
    history = result.parameters["history"]
    assert [entry["edit"] for entry in history] == ["new", "rename"]
    assert history[0]["verdict"].startswith("distinct")
    assert history[0]["pixels"] == hidden(s).sum()
    assert result.parameters["explored"]["workflow"] == "pca_gmm"
    kept = s.keep_clusters(result)
    spectra = s.get_cluster_spectra(kept, weights="hard")
    np.testing.assert_array_equal(spectra.data[:, 20:], result.spectra[:, 20:])
    s.save(tmp_path / "map.hspy")
    loaded = hs.load(tmp_path / "map.hspy").clusters["merged_by_hand"]
    assert loaded == result
    np.testing.assert_array_equal(loaded.half_labels, result.half_labels)


def test_significance_tests_in_the_half_that_was_not_seen(two_merged, explorer):
    explorer.select(hidden(two_merged))
    explorer.new_cluster("hidden")
    result = explorer.result
    table = two_merged.cluster_significance(result, n_splits=5)
    assert table.n_splits == 1
    assert "drawn on one half of the counts" in repr(table)
    assert table.is_distinct("hidden", "second")
    number = result.cluster_names.index("hidden")
    # What was drawn is drawn, in whatever half.
    assert table.overlap[number] == 1
    cropped = two_merged.deepcopy()
    cropped.keep_clusters(result)
    part = cropped.inav[:30, :].clusters["merged_by_hand"]
    assert part.half_labels is None
    assert part.parameters["drawn_on"] == "all"
    with pytest.raises(ValueError, match="these are other counts"):
        cropped.isig[:400].cluster_significance("merged_by_hand")
    # Seen again, it is the same half.
    again = cropped.explore_clusters("merged_by_hand", random_state=7)
    np.testing.assert_array_equal(
        again.select(hidden(two_merged)).spectra[0], explorer.selection.spectra[0]
    )


def test_all_edits_undo_and_redo(explorer):
    shape = explorer.selection.mask.shape
    block = np.zeros(shape, dtype=bool)
    block[5:15, 10:20] = True
    explorer.select(block)
    explorer.new_cluster("block")
    explorer.merge(["second", "block"])
    explorer.drop(0)
    assert explorer.result.n_clusters == 2
    assert [entry["edit"] for entry in explorer.history] == ["new", "merge", "drop"]
    before = explorer.result
    explorer.undo()
    assert explorer.result.n_clusters == 3
    explorer.redo()
    assert explorer.result == before
    with pytest.raises(ValueError, match="no cluster 'block'"):
        explorer.add_to("block")
    explorer.add_to("second")
    explorer.split("second", "again")
    assert "again" in explorer.result.cluster_names


def test_rectangles_are_rois(two_merged, explorer):
    block = np.zeros(explorer.selection.mask.shape, dtype=bool)
    block[5:15, 10:20] = True
    block &= two_merged.clusters["merged"].labels != -2
    if not block[5:15, 10:20].all():
        pytest.skip("some of it is left out")
    roi = explorer.select(block).roi
    assert isinstance(roi, hs.roi.RectangularROI)
    assert roi(two_merged).axes_manager.navigation_shape == (10, 10)
    again = two_merged.deepcopy().clusters_from_labels(roi)
    np.testing.assert_array_equal(again.labels == 0, block)


def test_without_the_split_there_is_no_verdict(two_merged):
    explorer = two_merged.explore_clusters("merged", honest=False)
    verdict = explorer.select(hidden(two_merged)).verdict
    assert "no verdict" in verdict.words
    assert explorer.selection.spectra[0].sum() == pytest.approx(
        two_merged.data[hidden(two_merged)][:, 5:].sum(), rel=0.01
    )
    explorer.new_cluster("a")
    assert explorer.result.half_labels is None
    table = two_merged.cluster_significance(explorer.result, n_splits=1)
    assert "p-values are too small" in repr(table)


def test_noise_that_was_chosen_by_eye_is_not_distinct():
    """One composition: what looks most different in what is drawn, with and without the split."""
    outcomes = []
    for seed in range(2):
        s = data.seven_cation_nanoparticles(size=30, channels=512, counts_per_pixel=80, seed=seed)
        s.clusters_from_labels(np.where(s.metadata.Ground_truth.labels >= 0, 0, -2))
        for honest in (True, False):
            explorer = s.explore_clusters(honest=honest, extra_elements=["C", "O"])
            session = explorer._session
            counts = session.counts.looked_at.blocks.map(lambda block: block.toarray())
            counts = np.concatenate(counts)
            used = session.counts.pixels.channels >= 0
            energy = session.counts.pixels.energy[used]
            share = counts[:, np.abs(energy - 2.98) < 0.1].sum(1) / np.maximum(counts.sum(1), 1)
            mask = np.zeros(session.keep.shape, dtype=bool)
            mask[session.keep] = share >= np.quantile(share, 0.85)
            explorer.select(mask, against="rest")
            outcomes.append((honest, session.verdict().p_value))
            explorer.close()
    honest = [p for is_honest, p in outcomes if is_honest]
    naive = [p for is_honest, p in outcomes if not is_honest]
    assert max(naive) < 1e-4
    assert min(honest) > 0.01


def test_lazy_maps(two_merged, explorer):
    lazy = two_merged.as_lazy()
    lazy.data = da.from_array(two_merged.data, chunks=(13, 48, 200))
    other = lazy.explore_clusters("merged")
    assert other.select(hidden(two_merged)) == explorer.select(hidden(two_merged))
    assert lazy._lazy


def test_line_scans_and_stacks(two_merged):
    line = two_merged.inav[:, 20].deepcopy()
    line.cluster_pca_gmm(n_clusters=2)
    explorer = line.explore_clusters()
    mask = np.zeros(48, dtype=bool)
    mask[10:20] = True
    selection = explorer.select(mask)
    if selection.mask.sum() == 10:
        assert isinstance(selection.roi, hs.roi.SpanROI)
    explorer.new_cluster("a")
    assert explorer.result.labels.shape == (48,)
    stack = hs.stack([two_merged.inav[:20, :20], two_merged.inav[20:40, :20]])
    stack.set_signal_type("EDS_TEM_clustered")
    stack.cluster_pca_gmm(n_clusters=2)
    explorer = stack.explore_clusters()
    mask = np.zeros((2, 20, 20), dtype=bool)
    mask[1, 5:9, 5:9] = True
    assert explorer.select(mask).roi is None  # it is in one of the maps only
    assert explorer.select(mask | mask[::-1]).n_pixels >= 16


def test_without_elements_and_with_many_clusters():
    s = data.six_cation_sulfide(size=30, channels=512)
    s.set_elements([])
    s.clusters_from_labels(np.arange(900).reshape(30, 30) // 45)  # 20 clusters
    explorer = s.explore_clusters()
    mask = np.zeros((30, 30), dtype=bool)
    mask[:4] = True
    verdict = explorer.select(mask).verdict
    assert "declare at least two elements" in verdict.words
    explorer.new_cluster("top")
    assert explorer.result.cluster_names[0] == "top"


def test_what_cannot_be_explored(two_merged, explorer):
    fresh = data.six_cation_sulfide(size=16, channels=512)
    with pytest.raises(ValueError, match="no clustering result"):
        fresh.explore_clusters()
    with pytest.raises(ValueError, match="level"):
        two_merged.explore_clusters("merged", level=2)
    with pytest.raises(ValueError, match="'ignore'"):
        two_merged.explore_clusters("merged", absorption="yes")
    with pytest.raises(ValueError, match=r"array shape \(40, 48\)"):
        explorer.select(np.ones((3, 3), dtype=bool))
    with pytest.raises(ValueError, match="against"):
        explorer.select(hidden(two_merged), against="all")


def test_a_closed_window_leaves_result_and_selection(two_merged):
    import matplotlib.pyplot as plt

    explorer = two_merged.explore_clusters("merged")
    explorer.select(hidden(two_merged))
    explorer.close()
    assert not plt.fignum_exists(explorer.figure.number)
    explorer.new_cluster("late")
    assert explorer.result.n_clusters == 4
    assert "closed" in repr(explorer)
    explorer.close()
