import numpy as np

from hyperspy_clusterquant.clusters.labels import drop_empty_and_sort


def test_clusters_are_numbered_by_size_without_gaps():
    labels = np.array([2, 2, 2, 0, 0, -1])
    memberships = np.arange(18.0).reshape(6, 3)
    new, sorted_memberships, order = drop_empty_and_sort(labels, memberships)
    assert new.tolist() == [0, 0, 0, 1, 1, -1]
    assert order.tolist() == [2, 0]
    assert np.array_equal(sorted_memberships, memberships[:, [2, 0]])
