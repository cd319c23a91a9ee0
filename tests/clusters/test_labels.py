import itertools

import numpy as np
import pytest

from hyperspy_clusterquant.clusters.labels import borders, drop_empty_and_sort


def test_clusters_are_numbered_by_size_without_gaps():
    labels = np.array([2, 2, 2, 0, 0, -1])
    memberships = np.arange(18.0).reshape(6, 3)
    new, sorted_memberships, order = drop_empty_and_sort(labels, memberships)
    assert new.tolist() == [0, 0, 0, 1, 1, -1]
    assert order.tolist() == [2, 0]
    assert np.array_equal(sorted_memberships, memberships[:, [2, 0]])


def counted_borders(labels, n_clusters):
    """Pixel by pixel, with each neighbour."""
    shared = np.zeros((n_clusters, n_clusters))
    for one in np.ndindex(labels.shape):
        for axis, step in itertools.product(range(labels.ndim), (-1, 1)):
            other = list(one)
            other[axis] += step
            if 0 <= other[axis] < labels.shape[axis]:
                pair = labels[one], labels[tuple(other)]
                if min(pair) >= 0 and pair[0] != pair[1]:
                    shared[pair] += 1
    return shared


@pytest.mark.parametrize("shape", [(40,), (7, 9), (3, 4, 5), (1, 6), (1,)])
def test_borders_are_those_of_neighbouring_pixels(shape, rng):
    labels = rng.integers(-2, 4, shape)
    shared = counted_borders(labels, 4)
    total = shared.sum(axis=1, keepdims=True)
    expected = np.divide(shared, total, out=np.zeros_like(shared), where=total > 0)
    np.testing.assert_allclose(borders(labels, 4), expected)


def test_what_is_enclosed_has_its_border_with_one():
    labels = np.zeros((9, 9), dtype=int)
    labels[3:6, 3:6] = 1
    labels[0] = 2
    found = borders(labels, 3)
    assert found[1].tolist() == [1, 0, 0]
    # Twelve sides of pixels with the inclusion, nine with the first row.
    np.testing.assert_allclose(found[0], [0, 12 / 21, 9 / 21])


def test_noise_and_what_is_left_out_have_no_border():
    labels = np.array([[0, 0, -1, 1], [0, 0, -2, 1], [0, 0, -1, 2]])
    found = borders(labels, 4)
    assert found[0].tolist() == [0, 0, 0, 0]
    assert found[1].tolist() == [0, 0, 1, 0]
    assert found[3].tolist() == [0, 0, 0, 0]
