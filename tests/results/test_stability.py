import warnings
from dataclasses import replace

import numpy as np
import pytest
import tables

from hyperspy_clusterquant.evidence.verdicts import Stability
from hyperspy_clusterquant.results.clusters import ClusterResult
from hyperspy_clusterquant.results.stability import stability_of


@pytest.fixture
def result():
    labels = np.array([[0, 0, 0, 0], [1, 1, -1, -2]])
    memberships = (labels == np.arange(2)[:, None, None]).astype(float)
    return ClusterResult("a", "pca_gmm", labels, memberships, np.zeros((7, 1)), [2.0], 1.0)


def test_other_numbers_are_the_same_labels(result):
    found = stability_of(result, [np.array([1, 1, 1, 1, 0, 0, -1])] * 3)
    np.testing.assert_allclose(found.jaccard, 1)
    np.testing.assert_allclose(found.ari, 1)
    np.testing.assert_array_equal(found.agreement, [[1, 1, 1, 1], [1, 1, 1, np.nan]])
    assert found.verdicts == ("stable", "stable")


def test_what_changes_is_counted_per_cluster_and_pixel(result):
    """In one of two, half of the first cluster goes to the second."""
    same = np.array([0, 0, 0, 0, 1, 1, -1])
    found = stability_of(result, [same, np.array([0, 0, 1, 1, 1, 1, -1])])
    np.testing.assert_allclose(found.jaccard, [[1, 1], [0.5, 0.5]])
    np.testing.assert_array_equal(found.agreement[0], [1, 1, 0.5, 0.5])
    assert found.verdicts == ("stable", "stable")
    assert found.per_cluster.tolist() == [0.75, 0.75]
    assert "2 times half of the counts" in repr(found)
    assert list(found.to_dataframe()["lowest"]) == [0.5, 0.5]


def test_cluster_that_does_not_come_back(result):
    found = stability_of(result, [np.zeros(7, dtype=int)] * 2)
    assert found.jaccard[:, 1].tolist() == [0, 0]
    assert found.verdicts[1] == "not stable"


def test_stability_of_no_pixel_is_printed():
    table = replace(tables.stable(), agreement=np.full((4, 6), np.nan))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert repr(table).endswith("- of the pixels keep their cluster")


def test_kinds_and_words():
    table = replace(tables.stable(), jaccard=np.array([[0.9, 0.6, 0.1]]))
    assert table.kinds == (Stability.STABLE, Stability.DOUBTFUL, Stability.UNSTABLE)
    assert table.verdicts == ("stable", "doubtful", "not stable")


def test_agreement_is_a_map_with_the_axes():
    table = tables.stable()
    image = table.agreement_map()
    np.testing.assert_array_equal(image.data, table.agreement)
    assert image.axes_manager[0].units == "nm"
