import dataclasses

import numpy as np
import pytest

from hyperspy_clusterquant.results.clusters import ClusterResult

AXES = ({"name": "y", "scale": 1.0, "offset": 0.0, "units": "nm", "size": 3},) * 2


def make():
    labels = np.array([[0, 0, 0], [1, 1, -1], [2, -2, 0]])
    memberships = np.zeros((3, 3, 3))
    for k in range(3):
        memberships[k] = 0.8 * (labels == k) + 0.1 * ((labels >= 0) & (labels != k))
    kept = np.count_nonzero(labels > -2)
    return ClusterResult(
        name="a",
        workflow="umap_hdbscan",
        labels=labels,
        memberships=memberships,
        scores=np.arange(2.0 * kept).reshape(kept, 2),
        eigenvalues=[5.0, 2.0, 0.1],
        noise_edge=0.5,
        embedding=np.arange(12.0).reshape(3, 4),
        landmarks=[0, 4, 8],
        parameters={"seed": 0, "exclude_lines": ["C"], "energy_range": None},
        axes=AXES,
    )


def same(a, b):
    for field in dataclasses.fields(ClusterResult):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if isinstance(x, np.ndarray):
            assert x.dtype == y.dtype
            assert np.array_equal(x, y), field.name
        else:
            assert x == y, field.name


def test_result_is_frozen_to_its_arrays():
    result = make()
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.name = "b"
    with pytest.raises(ValueError, match="read-only"):
        result.labels[0, 0] = 5
    assert result.sizes.tolist() == [4, 2, 1]
    assert (result.n_clusters, result.n_components) == (3, 2)
    assert "noise: 1 pixels" in repr(result)
    assert "left out: 1 pixels" in repr(result)


def test_a_result_does_not_alias_the_callers_arrays():
    labels = np.zeros((2, 2), dtype=np.int32)
    result = ClusterResult("a", "pca_gmm", labels, np.ones((1, 2, 2)), np.zeros((4, 1)), [1.0], 0.5)
    labels[:] = 7
    assert not result.labels.any()


def test_merged_clusters_add_their_memberships_and_are_renumbered():
    merged = make().rename({1: "shell", 2: "core"}).merge([2, 1])
    assert merged.cluster_names == ("cluster 0", "shell")
    assert merged.labels.tolist() == [[0, 0, 0], [1, 1, -1], [1, -2, 0]]
    original = make().memberships
    np.testing.assert_allclose(merged.memberships[1], original[1] + original[2])
    for wrong in ([1], [0, 3]):
        with pytest.raises(ValueError, match=r"at least two|no cluster 3"):
            make().merge(wrong)


def test_merging_small_clusters_can_make_the_largest():
    labels = np.array([0, 0, 0, 1, 1, 2, 2])
    memberships = (labels == np.arange(3)[:, None]).astype(float)
    result = ClusterResult("a", "pca_gmm", labels, memberships, np.zeros((7, 1)), [1.0], 0.5)
    merged = result.merge([1, 2])
    assert merged.labels.tolist() == [1, 1, 1, 0, 0, 0, 0]
    # Automatic names follow the numbers, given ones stay with their pixels.
    assert merged.cluster_names == ("cluster 0", "cluster 1")
    assert result.rename({0: "matrix"}).merge([1, 2]).cluster_names == ("cluster 0", "matrix")


def test_dropped_clusters_become_noise():
    dropped = make().drop([0])
    assert dropped.labels.tolist() == [[-1, -1, -1], [0, 0, -1], [1, -2, -1]]
    assert dropped.cluster_names == ("cluster 0", "cluster 1")
    assert make().drop([0, 1, 2]).n_clusters == 0


def test_what_is_stored_comes_back():
    result = make().rename({0: "jalpaite"})
    same(ClusterResult.from_dict(result.to_dict()), result)
    plain = dataclasses.replace(result, embedding=None, landmarks=None)
    same(ClusterResult.from_dict(plain.to_dict()), plain)


def test_taking_pixels_takes_their_scores_and_landmarks():
    result = make()
    pixels = np.array([[8, 7], [4, 3]])
    part = result.take(pixels, AXES)
    assert part.labels.tolist() == [[0, -2], [1, 1]]
    # Pixel 7 is masked: the scores of 8, 4 and 3 are rows 7, 4 and 3.
    assert np.array_equal(part.scores, result.scores[[7, 4, 3]])
    assert part.landmarks.tolist() == [2, 0]
    assert np.array_equal(part.embedding, result.embedding[[1, 2]])
    assert part.n_clusters == 3


def test_a_result_without_clusters_can_be_cropped_and_binned():
    empty = make().drop([0, 1, 2])
    assert empty.take(np.array([0, 8]), AXES[:1]).memberships.shape == (0, 2)
    assert empty.binned((3, 3), AXES).memberships.shape == (0, 1, 1)


def test_binning_averages_over_kept_pixels():
    result = make()
    binned = result.binned((2, 2), AXES)
    np.testing.assert_allclose(
        binned.memberships[:, 0, 0], result.memberships[:, :2, :2].mean(axis=(1, 2))
    )
    np.testing.assert_allclose(binned.scores, result.scores[[0, 1, 3, 4]].mean(axis=0)[None])
    assert binned.labels.shape == (1, 1)
    masked = dataclasses.replace(result, labels=np.full((3, 3), -2), scores=np.zeros((0, 2)))
    assert masked.binned((3, 1), AXES).labels.tolist() == [[-2, -2, -2]]
