"""The explorer as a user calls it, without a mouse: `tests/explore/test_view.py` has one."""

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant import ClusterExplorer, data
from hyperspy_clusterquant.evidence.selections import judge_selection


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
    session._verdicts.clear()
    session.asked.write([])
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
    # Those counts that are drawn: the others are for the test alone.
    total = two_merged.data[mask].sum()
    assert abs(selection.spectra[0].sum() / total - 0.5) < 0.03
    looked_at = explorer._session.counts.sums(mask)[0]
    np.testing.assert_array_equal(selection.spectra[0], looked_at)
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


def test_a_map_has_one_half_for_good(two_merged, tmp_path):
    s = two_merged.deepcopy()
    del s.metadata.Clusters.half
    first = s.explore_clusters("merged", random_state=3).select(hidden(s))
    # Of another half, some counts were seen.
    with pytest.raises(ValueError, match=r"you have seen the half .* Leave out `random_state`"):
        s.explore_clusters("merged", random_state=1)
    s.save(tmp_path / "map.hspy")
    for again in (s, hs.load(tmp_path / "map.hspy"), s.as_lazy()):
        with pytest.raises(ValueError, match="random_state=3"):
            again.explore_clusters("merged", random_state=0)
        for seed in (None, 3):
            selection = again.explore_clusters("merged", random_state=seed).select(hidden(s))
            np.testing.assert_array_equal(selection.spectra, first.spectra)
    assert list(s.clusters) == list(two_merged.clusters)
    s.explore_clusters("merged", honest=False, random_state=8)  # there is no half


def test_it_is_that_of_the_map_whatever_the_result_leaves_out(two_merged):
    s = two_merged.deepcopy()
    part = np.zeros((40, 48), dtype=int)
    part[:15], part[15:, 30:] = -2, 1
    s.clusters_from_labels(part, name="part")
    mask = np.zeros((40, 48), dtype=bool)
    mask[20:30, 10:25] = s.clusters["merged"].labels[20:30, 10:25] != -2
    spectra = [s.explore_clusters(name).select(mask).spectra[0] for name in ("merged", "part")]
    np.testing.assert_array_equal(*spectra)


def test_selections_are_counted_for_the_map_and_not_the_window(two_merged, tmp_path):
    s = two_merged.deepcopy()
    del s.metadata.Clusters.half
    rng = np.random.default_rng(2)
    masks = [rng.random((40, 48)) < 0.2 for _ in range(3)]
    explorer = s.explore_clusters("merged", absorption="keep")
    verdicts = [explorer.select(mask, against="rest").verdict for mask in masks[:2]]
    s.save(tmp_path / "map.hspy")
    again = hs.load(tmp_path / "map.hspy").explore_clusters("merged", absorption="keep")
    third = again.select(masks[2], against="rest").verdict
    # What was tested is not tested another time.
    second = again.select(masks[1], against="rest").verdict
    assert [v.n_asked for v in (*verdicts, third, second)] == [1, 2, 3, 2]
    assert second.p_value == verdicts[1].p_value
    # A test of another question is one more.
    other = s.explore_clusters("merged").select(masks[1], against="rest").verdict
    assert other.n_asked == 3
    fresh = two_merged.deepcopy()
    del fresh.metadata.Clusters.half
    alone = fresh.explore_clusters("merged", absorption="keep").select(masks[2], against="rest")
    uncorrected = alone.verdict.p_value / 2
    assert third.p_value == pytest.approx(min(12 * uncorrected, 1), rel=0.02)
    np.testing.assert_allclose(
        third.element_p_values, np.minimum(6 * alone.verdict.element_p_values, 1), rtol=0.02,
        atol=alone.verdict.element_p_values.max() == 1,
    )  # fmt: skip


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
    # One selection was tested before it: the second test counts 2 x 3 times.
    assert table.n_asked == 2
    assert "Tested in it before: 1, so all p-values are multiplied by 6." in repr(table)
    assert two_merged.cluster_significance(result).n_asked == 2
    assert two_merged.cluster_significance(result, absorption="keep").n_asked == 3
    number = result.cluster_names.index("hidden")
    # What was drawn is drawn, in whatever half.
    assert table.overlap[number] == 1
    cropped = two_merged.deepcopy()
    cropped.keep_clusters(result)
    part = cropped.inav[:30, :].clusters["merged_by_hand"]
    assert part.half_labels is None
    assert part.parameters["drawn_on"] == "all"
    for of_others in ("cluster_significance", "explore_clusters"):
        with pytest.raises(ValueError, match="these are other counts"):
            getattr(cropped.isig[:400], of_others)("merged_by_hand")
    with pytest.warns(UserWarning, match="what you did not see then"):
        two_merged.isig[:400].explore_clusters("merged")
    # Seen again, it is the same half.
    with pytest.raises(ValueError, match="you have seen"):
        cropped.explore_clusters("merged_by_hand", random_state=7)
    again = cropped.explore_clusters("merged_by_hand")
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
    assert not verdict.is_distinct
    assert np.isnan(verdict.p_value)
    assert explorer.selection.spectra[0].sum() == pytest.approx(
        two_merged.data[hidden(two_merged)][:, 5:].sum(), rel=0.01
    )
    explorer.new_cluster("a")
    assert explorer.result.half_labels is None
    table = two_merged.cluster_significance(explorer.result, n_splits=1)
    assert "p-values are too small" in repr(table)
    # A half of them knows nothing that these regions did not.
    s = two_merged.deepcopy()
    s.keep_clusters(explorer.result, "seen")
    with pytest.raises(ValueError, match="drawn on all of the counts"):
        s.explore_clusters("seen")
    renamed = s.explore_clusters("seen", honest=False)
    renamed.rename("a", "b")
    assert renamed.result.parameters["drawn_on"] == "all"


def test_what_was_drawn_elsewhere_stays_so(two_merged):
    s = two_merged.deepcopy()
    given = s.clusters_from_labels(np.arange(40)[:, None] // 20 * np.ones((1, 48), dtype=int))
    explorer = s.explore_clusters(given)
    explorer.rename(0, "top")
    assert explorer.result.parameters["drawn_on"] == "outside"
    assert explorer.result.half_labels is None
    table = s.cluster_significance(explorer.result, n_splits=2)
    assert "without looking at the counts" in repr(table)
    assert table.n_splits == 2
    # With what was drawn here, all of it is tested in the other half.
    explorer.select(hidden(s))
    explorer.new_cluster("drawn")
    result = explorer.result
    assert result.parameters["drawn_on"] == "outside, half"
    table = s.cluster_significance(result, n_splits=2)
    assert table.n_splits == 1
    assert "without looking at the counts" in repr(table)
    assert "Tested in it before" in repr(table)
    s.keep_clusters(result, "both")
    assert s.inav[:30, :].clusters["both"].parameters["drawn_on"] == "all"


def test_edits_ask_for_no_verdict(two_merged, explorer):
    mask = np.zeros((40, 48), dtype=bool)
    mask[5:15, 10:20] = True
    before = explorer.select(mask).verdict
    explorer.new_cluster("block")
    explorer.rename(before.against.split("'")[1], "matrix")
    after = explorer.selection.verdict
    assert after.against == "the rest of 'matrix'"
    assert (after.n_asked, after.p_value, after.n_against) == (
        1, before.p_value, before.n_against,
    )  # fmt: skip
    explorer.merge(["matrix", "block"])
    explorer.drop("matrix")
    assert explorer.selection.verdict.against == "the rest of 'matrix'"
    assert explorer._session.n_asked == 1
    explorer.undo()
    explorer.select(mask, against="rest")
    assert explorer._session.n_asked == 2


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
            seen, other = session._sums().swapaxes(0, 1)
            if honest:
                outcomes.append((honest, session.verdict().p_value))
            else:  # what a test in the same counts says
                ask, sizes = session.question, [mask.sum(), (~mask & session.keep).sum()]
                judged = judge_selection(
                    seen, other, sizes, ask.lines, ask.composition, [0], ask.compared
                )
                outcomes.append((honest, judged.p_values[0, 1]))
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
    with pytest.warns(UserWarning, match="Part of these counts"):
        explorer = line.explore_clusters()
    mask = np.zeros(48, dtype=bool)
    mask[10:20] = True
    selection = explorer.select(mask)
    assert selection.n_pixels == 10
    assert isinstance(selection.roi, hs.roi.SpanROI)
    explorer.new_cluster("a")
    assert explorer.result.labels.shape == (48,)
    stack = hs.stack([two_merged.inav[:20, :20], two_merged.inav[20:40, :20]])
    stack.set_signal_type("EDS_TEM_clustered")
    stack.cluster_pca_gmm(n_clusters=2)
    with pytest.warns(UserWarning, match="Part of these counts"):
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


def test_all_clusters_dropped_can_be_kept(two_merged, explorer):
    explorer.drop(explorer.cluster_names)
    assert explorer.result.n_clusters == 0
    kept = two_merged.deepcopy().keep_clusters(explorer.result, "nothing")
    assert kept.spectra.shape == (0, 512)


def test_a_selection_is_a_mask(explorer, two_merged):
    labels = two_merged.clusters["merged"].labels
    with pytest.raises(ValueError, match="labels == 2"):
        explorer.select(labels)
    assert explorer.select((labels == 1).astype(int)).n_pixels == (labels == 1).sum()


@pytest.mark.parametrize("kind", ["downwards", "not uniform"])
def test_no_roi_where_hyperspy_cuts_nothing_out(kind):
    s = data.six_cation_sulfide(size=(12, 16), channels=256)
    axis = s.axes_manager.navigation_axes[0]
    if kind == "downwards":
        axis.scale *= -1
    else:
        axis.convert_to_non_uniform_axis()
    s.clusters_from_labels(np.zeros((12, 16), dtype=int))
    mask = np.zeros((12, 16), dtype=bool)
    mask[2:5, 3:9] = True
    assert s.explore_clusters().select(mask).roi is None
