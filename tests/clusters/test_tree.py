import numpy as np
import pytest
from planted import blobs

from hyperspy_clusterquant.clusters.tree import condensed_tree

CENTRES = [[0, 0], [8, 0], [60, 0]]


@pytest.fixture
def tree(rng):
    points, truth = blobs(rng, CENTRES)
    return condensed_tree(points, 60, 5), truth


def test_leaves_are_the_blobs(tree):
    branches, truth = tree
    leaves = [branch for branch in branches if branch.is_leaf]
    assert len(leaves) == 3
    of_leaves = [np.unique(truth[leaf.points]).tolist() for leaf in leaves]
    assert sorted(of_leaves) == [[0], [1], [2]]
    everyone = np.concatenate([leaf.points for leaf in leaves])
    assert len(set(everyone)) == len(everyone) <= len(truth)


def test_what_is_far_splits_first(tree):
    """The two near blobs are one branch until the density is that between them."""
    branches, truth = tree
    root = branches[0]
    assert (root.left[0], root.right[0]) == (0, len(truth))
    assert not root.is_leaf
    first = [branch for branch in branches if branch.densities[0] == root.densities[-1]]
    (far,) = [branch for branch in first if branch.is_leaf]
    (near,) = [branch for branch in first if not branch.is_leaf]
    assert set(truth[far.points]) == {2}
    assert near.densities[-1] > root.densities[-1]


def test_branches_are_as_wide_as_they_have_points(tree):
    branches, _ = tree
    for branch in branches:
        widths = branch.right - branch.left
        assert (np.diff(branch.densities) > 0).all()
        assert (np.diff(widths) <= 0).all()
        if branch.is_leaf:
            assert widths[0] == len(branch.points)
        else:
            parts = [b for b in branches[1:] if b.densities[0] == branch.densities[-1]]
            assert sum(b.right[0] - b.left[0] for b in parts) == pytest.approx(widths[-1])
            assert min(b.left[0] for b in parts) == pytest.approx(branch.left[-1])
            assert max(b.right[0] for b in parts) == pytest.approx(branch.right[-1])


def test_points_in_one_place_are_infinitely_dense(rng):
    points = np.repeat(rng.uniform(0, 30, (40, 2)), 4, axis=0)
    branches = condensed_tree(points, 4, 1)
    assert all(np.isfinite(branch.densities).all() for branch in branches)


def test_tree_that_does_not_split(rng):
    (root,) = condensed_tree(rng.standard_normal((100, 2)), 60, 5)
    assert root.is_leaf
    assert len(root.points) == 100
