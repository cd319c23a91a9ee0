import numpy as np
import pytest

from hyperspy_clusterquant import compare_clusterings


def test_permuted_labels_agree_fully(rng):
    a = rng.integers(0, 4, (20, 30))
    b = np.array([2, 0, 3, 1])[a]
    comparison = compare_clusterings(a, b)
    assert comparison.ari == 1.0
    assert comparison.ami == pytest.approx(1.0)
    assert comparison.matched == {0: 2, 1: 0, 2: 3, 3: 1}
    assert comparison.contingency.sum() == 600


def test_independent_labels_agree_by_chance(rng):
    comparison = compare_clusterings(rng.integers(0, 4, 20_000), rng.integers(0, 4, 20_000))
    assert abs(comparison.ari) < 0.005
    assert abs(comparison.ami) < 0.005


def test_masked_pixels_do_not_count_and_noise_is_a_group():
    comparison = compare_clusterings(np.array([0, 0, 1, 1, -1, -2]), np.array([0, 0, 1, 1, 1, 0]))
    assert comparison.contingency.tolist() == [[2, 0], [0, 2]]
    assert comparison.ari < 1


def test_results_that_cannot_be_compared():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        compare_clusterings(np.zeros(2, int), np.zeros(3, int))
    with pytest.raises(TypeError, match="two results"):
        compare_clusterings("pca_gmm", "umap_hdbscan")
    with pytest.raises(ValueError, match="No pixel is kept by both"):
        compare_clusterings(np.array([0, -2]), np.array([-2, 0]))


def test_overlap_and_where_two_clusterings_disagree():
    a = np.array([[0, 0, 0, 1], [1, 1, -1, -2]])
    b = np.array([[1, 1, 0, 0], [0, 0, -1, 0]])
    comparison = compare_clusterings(a, b)
    assert comparison.matched == {0: 1, 1: 0}
    # cluster 0: 2 pixels in common, 3 and 2; cluster 1: 3 in common, 3 and 4
    np.testing.assert_allclose(comparison.overlap, [2 / 3, 3 / 4])
    assert comparison.disagreement.tolist() == [[0, 0, 1, 0], [0, 0, 0, -2]]
    assert comparison.agreement == pytest.approx(6 / 7)
    assert "cluster 0 = cluster 1: overlap 0.67" in repr(comparison)


def test_cluster_without_a_match_disagrees_everywhere():
    comparison = compare_clusterings(np.array([0, 0, 1, 2]), np.array([0, 0, 1, 1]))
    assert sorted(comparison.matched) in ([0, 1], [0, 2])
    lost = ({1, 2} - set(comparison.matched)).pop()
    assert comparison.overlap[lost] == 0
    assert comparison.disagreement.sum() == 1
    assert "no match" in repr(comparison)


def test_noise_of_one_alone_is_disagreement():
    comparison = compare_clusterings(np.array([0, 0, -1, -1]), np.array([0, -1, -1, 0]))
    assert comparison.disagreement.tolist() == [0, 1, 0, 1]


def test_disagreement_is_a_map_with_the_axes(clustered):
    result = clustered.clusters["pca_gmm"]
    comparison = compare_clusterings(result.rename({0: "largest"}), result.labels.copy())
    assert comparison.names[0][0] == "largest"
    image = comparison.disagreement_map()
    assert image.axes_manager.signal_shape == (64, 56)
    assert image.axes_manager[0].units == "nm"
    assert image.axes_manager[0].scale == clustered.axes_manager[0].scale
    np.testing.assert_array_equal(image.data, comparison.disagreement)
    assert compare_clusterings(result.labels, result.labels).disagreement_map().data.shape == (
        56,
        64,
    )


def test_a_map_is_no_clustering(clustered):
    with pytest.raises(TypeError, match=r"got the map itself \(ClusteredEDSSpectrum\)"):
        compare_clusterings(clustered, clustered.clusters["pca_gmm"])
    with pytest.raises(TypeError, match="it takes no result"):
        clustered.map_significance(clustered.clusters["pca_gmm"])
