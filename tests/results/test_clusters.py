import copy
import dataclasses
import json
import multiprocessing
import pickle

import numpy as np
import pytest
from companions import small_result

from hyperspy_clusterquant.results.clusters import ClusterResult


def test_result_is_frozen_to_its_arrays():
    result = small_result()
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
    merged = small_result().rename({1: "shell", 2: "core"}).merge([2, 1])
    assert merged.cluster_names == ("cluster 0", "shell")
    assert merged.labels.tolist() == [[0, 0, 0], [1, 1, -1], [1, -2, 0]]
    original = small_result().memberships
    np.testing.assert_allclose(merged.memberships[1], original[1] + original[2])
    for wrong in ([1], [0, 3]):
        with pytest.raises(ValueError, match=r"at least two|no cluster 3"):
            small_result().merge(wrong)


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
    dropped = small_result().drop([0])
    assert dropped.labels.tolist() == [[-1, -1, -1], [0, 0, -1], [1, -2, -1]]
    assert dropped.cluster_names == ("cluster 0", "cluster 1")
    assert small_result().drop([0, 1, 2]).n_clusters == 0


def test_clusters_are_given_by_numbers_or_names():
    result = small_result().rename(["shell", "core", "film"])
    assert result.cluster_names == ("shell", "core", "film")
    assert result.rename({"core": "x", np.int64(2): "y"}).cluster_names == ("shell", "x", "y")
    with pytest.raises(ValueError, match="given two names"):
        result.rename({0: "x", "shell": "y"})
    for wrong in (None, 3, "abc"):
        with pytest.raises(ValueError, match="one name for each of the 3 clusters"):
            result.rename(wrong)
    for one, other in (
        (result.merge(["film", "core"]), result.merge([1, 2])),
        (result.merge(("film", np.int64(0))), result.merge([0, 2])),
        (result.merge_groups([["film", 0], "core"]), result.merge_groups([[0, 2], [1]])),
        (result.drop("film"), result.drop([2])),
        (result.drop(0), result.drop([0])),
        (result.drop(["film", 1]), result.drop(np.array([1, 2]))),
    ):
        assert one == other
    np.testing.assert_array_equal(result.navigation_mask("core"), result.labels != 1)
    np.testing.assert_array_equal(result.navigation_mask(np.int32(1)), result.labels != 1)
    np.testing.assert_array_equal(
        result.navigation_mask(["core", 2]), (result.labels != 1) & (result.labels != 2)
    )


def test_what_tests_found_is_told_of_these_clusters_only():
    found = ["3 clusters (2-4).", "Other seeds join 'cluster 1' and 'cluster 2'."]
    result = dataclasses.replace(small_result(), findings={"stability": found})
    assert all(sentence in repr(result) for sentence in found)
    assert found[0] in result._repr_html_()
    assert result == small_result(), "clusters are what they were"
    swapped = result.rename({1: "cluster 2", 2: "cluster 1", 0: "core"})
    assert "Other seeds join 'cluster 2' and 'cluster 1'." in repr(swapped)
    assert not result.merge([0, 1]).findings
    assert not result.drop(0).findings


def test_what_names_no_cluster_says_which_there_are():
    result = small_result().rename(["shell", "core", "core"])
    for call in (result.drop, result.navigation_mask, lambda key: result.rename({key: "x"})):
        with pytest.raises(
            ValueError, match=r"no cluster 'film' in the result 'a'; .*0 \('shell'\)"
        ):
            call("film")
        with pytest.raises(ValueError, match="no cluster 3"):
            call(3)
        with pytest.raises(ValueError, match=r"Several clusters .* 'core'; give a number"):
            call("core")
        for wrong in (1.0, True, None):
            with pytest.raises(TypeError, match=r"number \(int\) or name \(str\)"):
                call(wrong)
    with pytest.raises(ValueError, match="at least two"):
        result.merge("shell")
    with pytest.raises(ValueError, match="must be in one group"):
        result.merge_groups([["shell", 1]])
    for wrong in (["a", "b"], "abc"):
        with pytest.raises(ValueError, match="one name for each of the 3 clusters"):
            result.rename(wrong)


def test_copies_and_pickles_are_equal_and_frozen():
    result = small_result()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        from_process = pool.apply(copy.copy, (result,))
    for other in (
        copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result)), from_process,
    ):  # fmt: skip
        assert other == result
        assert other.parameters == result.parameters
        with pytest.raises(ValueError, match="read-only"):
            other.memberships[0, 0, 0] = 5
        with pytest.raises(TypeError, match="cannot be changed"):
            other.parameters["seed"] = 1
        with pytest.raises(TypeError, match="cannot be changed"):
            other.axes[0]["size"] = 1
    assert json.loads(json.dumps(result.parameters))["exclude_lines"] == ["C"]


def test_results_are_equal_if_they_show_the_same():
    result = small_result()
    assert dataclasses.replace(result, parameters={"seed": 1}) == result
    assert result.rename({0: "x"}) != result
    assert dataclasses.replace(result, labels=result.labels[::-1]) != result
    assert dataclasses.replace(result, embedding=None, landmarks=None) != result
    assert result != "a"


def test_label_map_of_a_result_without_clusters():
    empty = small_result().drop([0, 1, 2])
    np.testing.assert_array_equal(empty.label_map().data, empty.labels)
