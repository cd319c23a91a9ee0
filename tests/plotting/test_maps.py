import matplotlib.pyplot as plt
import numpy as np
import pytest
import tables
from matplotlib.colors import to_rgba

from hyperspy_clusterquant import compare_clusterings
from hyperspy_clusterquant.plotting import plot_label_map
from hyperspy_clusterquant.plotting.style import cluster_colours


def test_map_shows_labels_legend_and_scale_bar(clustered):
    ax = clustered.plot_clusters()
    result = clustered.clusters["pca_gmm"]
    image = ax.images[0]
    assert np.array_equal(image.get_array(), result.labels)
    colours = image.cmap(image.norm(result.labels))
    for k, colour in enumerate(cluster_colours(4)):
        np.testing.assert_allclose(colours[result.labels == k], [to_rgba(colour)] * result.sizes[k])
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend[0].startswith("cluster 0 (")
    assert legend[-1] == "left out"
    bar = next(a for a in ax.artists if hasattr(a, "size_bar"))
    length = bar.size_bar.get_children()[0].get_width() * clustered.axes_manager["x"].scale
    assert length == pytest.approx(200)
    assert bar.txt_label.get_text() == "200 nm"


def test_map_of_a_line_scan_and_in_given_axes(clustered):
    figure, ax = plt.subplots()
    line = clustered.inav[:, 5]
    assert line.plot_clusters(ax=ax) is ax
    assert ax.images[0].get_array().shape == (1, 64)
    figure.canvas.draw()


def test_maps_of_lines_with_their_significance(clustered):
    table = clustered.map_significance()
    axes = table.plot()
    assert len(axes) == 7
    for ax, line, image in zip(axes, table.xray_lines, table.images, strict=True):
        assert ax.get_title(loc="left").startswith(line.split("_")[0])
        assert "varies beyond thickness\np < 1e-4" in ax.get_title(loc="left")
        np.testing.assert_array_equal(ax.images[0].get_array().filled(np.nan), image)
    figure, axes = plt.subplots(1, 7)
    assert table.plot(axes)[0] is axes[0]
    line = clustered.inav[:, 20].map_significance(binning=1)
    assert line.plot()[0].images[0].get_array().shape == (1, 64)
    figure.canvas.draw()


def test_where_labels_are_stable():
    found = tables.stable()
    ax = found.plot()
    np.testing.assert_array_equal(ax.images[0].get_array().filled(np.nan), found.agreement)


def test_map_without_a_cluster():
    labels = tables.result().drop([0, 1, 2]).labels
    ax = plot_label_map(labels, tables.AXES, [], [], "nothing")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["noise", "left out"]
    ax.figure.canvas.draw()


def test_every_map_has_pixels_as_high_and_wide_as_they_are(clustered):
    """Four pixels in one along x: they are four times as wide as high."""
    halves = clustered.cluster_stability(n_resamples=1, vary="counts")
    s = clustered.rebin(scale=(4, 1, 1))
    result = s.clusters["pca_gmm"]
    lines = s.map_significance(["Cu_Ka", "Fe_Ka", "S_Ka"])
    comparison = compare_clusterings(result, result.merge([0, 1]))
    square = [halves.plot(), clustered.plot_clusters()]
    wide = [s.plot_clusters(), *lines.plot(), comparison.plot()[1]]
    for axes, aspect in ((square, 1.0), (wide, 0.25)):
        for ax in axes:
            assert ax.get_aspect() == pytest.approx(aspect)
            ax.figure.canvas.draw()
            box = ax.get_window_extent()
            assert box.height / box.width == pytest.approx(56 / 64, rel=0.02)


@pytest.mark.parametrize("units", ["px", "", "pt"])
def test_scale_bars_of_pixels_count_them(clustered, units):
    for axis in clustered.axes_manager.navigation_axes:
        axis.units = units
    clustered.cluster_pca_gmm(2)
    bar = next(a for a in clustered.plot_clusters().artists if hasattr(a, "size_bar"))
    assert bar.txt_label.get_text() == "10 px"
    assert bar.size_bar.get_children()[0].get_width() == 10
