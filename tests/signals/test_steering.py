"""New results from old ones, other maps, HyperSpy's own views, interruptions."""

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant import compare_clusterings, data
from hyperspy_clusterquant.clusters.recipe import Recipe


def test_kept_results_are_the_newest_and_survive_files(clustered, tmp_path):
    result = clustered.clusters["pca_gmm"]
    named = clustered.keep_clusters(result.rename({0: "wurtzite"}).merge([2, 3]), name="mine")
    assert list(clustered.clusters) == ["pca_gmm", "mine"]
    clustered.save(tmp_path / "map.hspy")
    loaded = hs.load(tmp_path / "map.hspy").clusters["mine"]
    assert loaded.cluster_names == named.cluster_names
    for name in ("labels", "memberships", "spectra", "energy"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(named, name))
    with pytest.raises(ValueError, match="`name` must be a text"):
        clustered.keep_clusters(result, name="")


def test_spectra_of_a_result_are_those_of_its_labels(clustered):
    result = clustered.clusters["pca_gmm"]
    for k in range(4):
        np.testing.assert_array_equal(result.spectra[k], clustered.data[result.labels == k].sum(0))
    merged = result.merge([0, 2])
    assert merged.spectra.sum() == result.spectra.sum()
    assert result.drop([1]).spectra.sum() == result.spectra.sum() - result.spectra[1].sum()


def test_clustering_again_inside_one_cluster():
    """Two phases of four taken together are told apart inside."""
    s = data.six_cation_sulfide(96, 512, 300)
    first = s.cluster_pca_gmm(n_clusters=4)
    both = first.merge([2, 3])
    number = int(np.flatnonzero([both.labels[first.labels == 2][0] == k for k in range(3)])[0])
    inside = s.cluster_pca_gmm(navigation_mask=both.navigation_mask(number), name="inside")
    assert inside.n_clusters >= 2
    assert np.array_equal(inside.labels == -2, both.labels != number)
    there = np.where(inside.labels >= 0, first.labels, -2)
    assert compare_clusterings(inside, there).ari > 0.6


def test_part_of_a_map_is_clustered_alone(sulfide):
    x, y = (sulfide.axes_manager[name] for name in ("x", "y"))
    roi = hs.roi.RectangularROI(
        left=x.index2value(8),
        top=y.index2value(8),
        right=x.index2value(40),
        bottom=y.index2value(48),
    )
    part = roi(sulfide)
    result = part.cluster_pca_gmm(n_clusters=2)
    assert result.labels.shape == (40, 32)
    assert not sulfide.clusters


def other_axis(channels, scale, offset, seed=1):
    """A phantom as another detector setting would record it, and its truth."""
    fine = data.six_cation_sulfide(64, 4096, 300, seed)
    edges = (offset - scale / 2) + scale * np.arange(channels + 1)
    step = fine.axes_manager[-1].scale
    assert step == pytest.approx(0.01)
    bins = np.digitize(fine.axes_manager[-1].axis + 1e-6, edges) - 1
    counts = np.zeros((64, 64, channels), dtype=np.uint16)
    for channel in range(4096):
        if 0 <= bins[channel] < channels:
            counts[..., bins[channel]] += fine.data[..., channel]
    s = fine.isig[:channels].deepcopy()
    s.data = counts
    s.axes_manager[-1].scale, s.axes_manager[-1].offset = scale, offset
    return s, np.asarray(fine.metadata.Ground_truth.labels)


@pytest.mark.parametrize(
    ("channels", "scale", "offset"), [(1024, 0.01, 0.0), (700, 0.02, -0.1), (1500, 0.01, 0.05)]
)
@pytest.mark.parametrize("lazy", [False, True])
def test_another_map_is_labelled_with_the_same_clusters(channels, scale, offset, lazy):
    first = data.six_cation_sulfide(64, 1024, 300, seed=0)
    result = first.cluster_pca_gmm(n_clusters=4).rename({1: "of the first map"})
    second, truth = other_axis(channels, scale, offset)
    if lazy:
        second = second.as_lazy()
    before = second.data
    assigned = second.assign_clusters(result)
    assert second.data is before
    assert assigned.workflow == "assigned"
    assert assigned.cluster_names[1] == "of the first map"
    assert list(second.clusters) == ["pca_gmm"]
    here = compare_clusterings(np.where(truth >= 0, assigned.labels, -2), truth)
    truth_first = np.asarray(first.metadata.Ground_truth.labels)
    there = compare_clusterings(np.where(truth_first >= 0, result.labels, -2), truth_first)
    assert here.ari > 0.85
    assert here.matched == there.matched
    with pytest.raises(ValueError, match="not learned on this map"):
        second.plot_cluster_scree()


def test_what_cannot_be_assigned_says_why(clustered):
    result = clustered.clusters["pca_gmm"]
    with pytest.raises(TypeError, match="of the other map"):
        clustered.assign_clusters("pca_gmm")
    with pytest.raises(ValueError, match="of the counts that the clusters"):
        clustered.isig[:1.5].assign_clusters(result, navigation_mask=None)
    with pytest.raises(ValueError, match="no clusters to assign"):
        clustered.assign_clusters(result.drop([0, 1, 2, 3]))
    by_dose = clustered.cluster_pca_gmm(n_clusters=2, normalize=False, name="dose")
    with pytest.raises(ValueError, match="dose alone"):
        clustered.assign_clusters(by_dose)


def test_hyperspys_own_views(clustered):
    """The newest result in learning_results, in the order of its numbers."""
    result = clustered.cluster_pca_gmm(n_clusters=3)
    merged = clustered.get_cluster_labels(merged=True)
    expected = np.where(result.labels >= 0, result.labels, -1)
    np.testing.assert_array_equal(merged.data, expected)
    signals = clustered.get_cluster_signals("sum")
    np.testing.assert_array_equal(signals.data, result.spectra)
    clustered.plot_cluster_labels()
    clustered.plot_cluster_signals()
    cropped = clustered.inav[:20]
    assert cropped.learning_results.cluster_labels is None
    clustered.crop("x", 0, 20)
    assert clustered.learning_results.cluster_labels is None
    assert clustered.clusters["pca_gmm"].n_clusters == 3


@pytest.mark.parametrize("stage", ["counts", "components", "clusters", "labels", "spectra"])
@pytest.mark.parametrize("workflow", ["cluster_pca_gmm", "cluster_umap_hdbscan"])
def test_an_interrupted_call_leaves_the_signal_as_it_was(clustered, monkeypatch, stage, workflow):
    name = workflow.removeprefix("cluster_")
    original = Recipe.cluster

    def interrupted(recipe, data, energy, navigation_mask, progress):
        def stop(begun, share=0.0):
            if begun == stage:
                raise KeyboardInterrupt

        return original(recipe, data, energy, navigation_mask, stop)

    monkeypatch.setattr(Recipe, "cluster", interrupted)
    before = clustered.deepcopy()
    with pytest.raises(KeyboardInterrupt):
        getattr(clustered, workflow)()
    assert list(clustered.clusters) == list(before.clusters)
    assert name == "pca_gmm" or name not in clustered.clusters
    np.testing.assert_array_equal(clustered.data, before.data)
    np.testing.assert_array_equal(
        clustered.clusters["pca_gmm"].labels, before.clusters["pca_gmm"].labels
    )


def test_a_series_is_labelled_by_what_the_first_map_taught(clustered):
    """Also if a map between holds but one of the phases."""
    first = clustered.clusters["pca_gmm"]
    between = data.six_cation_sulfide(48, 512, 200, seed=2)
    truth = np.asarray(between.metadata.Ground_truth.labels)
    middle = between.assign_clusters(first, navigation_mask=truth != 0)
    assert np.count_nonzero(middle.sizes > 50) == 1
    last = data.six_cation_sulfide(48, 512, 200, seed=3)
    chained, direct = last.assign_clusters(middle), last.assign_clusters(first)
    np.testing.assert_array_equal(chained.labels, direct.labels)
    merged = last.assign_clusters(middle.merge([0, 1]))
    np.testing.assert_array_equal(merged.labels, last.assign_clusters(first.merge([0, 1])).labels)


def test_progress_is_shown_or_silent(clustered, capsys):
    clustered.cluster_pca_gmm(n_clusters=2, show_progressbar=False)
    assert not capsys.readouterr().err
    clustered.cluster_pca_gmm(n_clusters=2, show_progressbar=True)
    shown = capsys.readouterr().err
    assert "PCA + GMM" in shown
    assert "spectra" in shown


def test_the_criterion_is_kept_and_drawn(sulfide):
    result = sulfide.cluster_pca_gmm()
    assert result.parameters["criterion"] == "auto"
    assert result.n_clusters == 4
    ax = sulfide.plot_cluster_criterion()
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), result.parameters["criterion_curve"])
    sulfide.cluster_pca_gmm("bic")
    assert "BIC" in sulfide.plot_cluster_criterion().get_ylabel()
    sulfide.cluster_pca_gmm(2)
    with pytest.raises(ValueError, match="No criterion chose"):
        sulfide.plot_cluster_criterion()


def test_order_of_the_pixels_does_not_matter():
    """Each pixel alone: a map and its shuffled pixels have the same clusters."""
    s = data.six_cation_sulfide(64, 512, 600)
    order = np.random.default_rng(0).permutation(64 * 64)
    shuffled = s.deepcopy()
    shuffled.data = s.data.reshape(64 * 64, -1)[order].reshape(s.data.shape)
    for workflow in ("cluster_pca_gmm", "cluster_umap_hdbscan"):
        alone = dict(binning=1, neighbourhood=0, navigation_mask=None)
        first = getattr(s, workflow)(**alone).labels.ravel()[order]
        second = getattr(shuffled, workflow)(**alone).labels.ravel()
        assert compare_clusterings(first, second).ari >= 0.99


@pytest.mark.parametrize("workflow", ["cluster_pca_gmm", "cluster_umap_hdbscan"])
def test_a_transposed_map_has_transposed_labels(sulfide, workflow):
    turned = sulfide.swap_axes(0, 1)
    first, second = (getattr(s, workflow)().labels for s in (sulfide, turned))
    assert compare_clusterings(first.T, second).ari >= 0.99


def test_epsilon_of_hdbscan_is_passed_on(sulfide):
    proposed = [
        sulfide.cluster_umap_hdbscan(cluster_selection_epsilon=e).parameters["hdbscan_clusters"]
        for e in (0.0, 100.0)
    ]
    assert proposed[1] < proposed[0]
    with pytest.raises(ValueError, match="`cluster_selection_epsilon` is a distance"):
        sulfide.cluster_umap_hdbscan(cluster_selection_epsilon=-1)
