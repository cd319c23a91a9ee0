import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from hyperspy_clusterquant.clusters.planes import Density, density_on
from hyperspy_clusterquant.clusters.tree import Branch
from hyperspy_clusterquant.plotting import plot_density, plot_tree
from hyperspy_clusterquant.plotting.style import cluster_colours

LABELS = ("first", "second")


def clouds(rng, dimensions=2):
    labels = np.repeat([0, 1], 400)
    return rng.normal(0, 1, (800, dimensions)) + 8 * labels[:, None], labels


def test_density_with_an_outline_for_each_cluster(rng):
    points, labels = clouds(rng)
    density = density_on(points, labels, 3)
    _, given = plt.subplots()
    ax = plot_density(density, ("a", "b", "none"), LABELS, "scores", given)
    assert ax is given
    mesh, *outlines = ax.collections
    np.testing.assert_array_equal(mesh.get_array().filled(0), density.counts)
    colours = [to_hex(outline.get_edgecolor()[0]).upper() for outline in outlines]
    assert colours == cluster_colours(2)
    for k, outline in enumerate(outlines):
        inside = [path.contains_points(points[labels == k]).mean() for path in outline.get_paths()]
        assert sum(inside) == pytest.approx(0.9, abs=0.05)
    assert (ax.get_xlabel(), ax.get_ylabel()) == LABELS
    ax.figure.canvas.draw()


def test_one_component_has_histograms(rng):
    points, labels = clouds(rng, 1)
    ax = plot_density(density_on(points, labels, 2), ("a", "b"), LABELS, "scores")
    every, *each = [patch.get_data().values for patch in ax.patches]
    assert every.sum() == pytest.approx(800, abs=5)
    assert len(each) == 2
    assert ax.get_xlabel() == "first"
    ax.figure.canvas.draw()


def test_empty_plane():
    edges = np.arange(4.0)
    density = Density((edges, edges), np.zeros((3, 3)), np.zeros((0, 3, 3)), np.zeros(0))
    plot_density(density, (), LABELS, "nothing").figure.canvas.draw()


def branch(densities, left, right, points=()):
    return Branch(*(np.array(x, float) for x in (densities, left, right)), np.array(points, int))


def test_leaves_have_the_colours_of_what_they_became():
    root = branch([0, 0.1], [0, 0], [10, 10])
    leaves = [
        branch([0.1, 0.5], [0, 1], [6, 5], range(6)),
        branch([0.1, 0.9], [6, 7], [10, 9], [6]),
    ]
    ax = plot_tree([root, *leaves], [-1, 1, -1], ("a", "b"), "tree")
    colours = [to_hex(of.get_facecolor()[0]).upper() for of in ax.collections]
    assert colours[1] == cluster_colours(2)[1]
    assert len(set(colours)) == 3
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["b", "splits again"]
    top, bottom = ax.get_ylim()[::-1]
    assert top == 0
    assert bottom > 0.9  # denser below
    corners = ax.collections[1].get_paths()[0].vertices
    assert (corners[:, 0].min(), corners[:, 0].max()) == (0, 6)
    ax.figure.canvas.draw()
