import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_clusterquant.plotting import plot_element_maps

LABELS = np.array([[0, 0, 1], [1, -2, 0]])
IMAGES = np.array([[[0.0, 4, 8], [2, np.nan, 8]], [[5.0, 5, 0], [0, np.nan, -1]], [[1.0] * 3] * 2])
LINES = ("Fe_Ka", "S_Ka", "Cu_Ka")


def test_clusters_overlay_and_a_map_for_each_line():
    axes = plot_element_maps(IMAGES, (), LINES, [1, 0], LABELS, ("a", "b"), "not smoothed")
    clusters, overlay, *maps = axes
    np.testing.assert_array_equal(clusters.images[0].get_array(), LABELS)
    for ax, image in zip(maps, IMAGES, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array().filled(np.nan), image)
        assert ax.images[0].get_clim()[0] == 0
    colours = overlay.images[0].get_array()
    np.testing.assert_allclose(colours[0, 0], [1, 0, 0])  # sulfur is red
    np.testing.assert_allclose(colours[0, 1], [1, 0.5, 0], atol=0.02)
    np.testing.assert_allclose(colours[1, 2], [0, 1, 0], atol=0.02)
    np.testing.assert_allclose(colours[1, 1], [1, 1, 1])  # left out
    assert [t.get_text() for t in overlay.get_legend().get_texts()] == ["S Kα", "Fe Kα"]
    assert axes[0].figure.get_suptitle() == "not smoothed"
    legend = axes[0].figure.legends[0]
    assert [t.get_text() for t in legend.get_texts()] == ["a", "b", "left out"]


def test_along_a_line_scan_and_in_given_axes():
    _, given = plt.subplots(1, 5)
    axes = plot_element_maps(
        IMAGES[:, 0], (), LINES, [0, 1, 2], LABELS[0], ("a", "b"), "title", given
    )
    assert axes[1] is given[1]
    steps = [patch.get_data().values for patch in axes[1].patches]
    np.testing.assert_allclose(steps[0], IMAGES[0, 0] / 8)
    np.testing.assert_array_equal(axes[2].patches[0].get_data().values, IMAGES[0, 0])
    assert axes[2].get_ylim()[1] == pytest.approx(8, rel=0.1)
    assert not axes[0].figure.legends
    axes[0].figure.canvas.draw()


def test_line_without_counts():
    axes = plot_element_maps(0 * IMAGES, (), LINES, [0], LABELS, ("a", "b"), "nothing")
    axes[0].figure.canvas.draw()
    assert axes[1].images[0].get_array().max() == 1  # what is left out is white
