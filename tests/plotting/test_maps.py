import matplotlib.pyplot as plt
import numpy as np
import pytest
import tables
from matplotlib.colors import to_rgba

from hyperspy_clusterquant import compare_clusterings
from hyperspy_clusterquant.plotting import (
    plot_agreement,
    plot_label_map,
    plot_label_maps,
    plot_membership_maps,
)
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
    steps = line.plot()[0].patches[0]
    np.testing.assert_array_equal(steps.get_data().values, line.images[0])
    assert line.plot()[0].get_xlabel() == "x (nm)"
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


LABELS = np.array([[0, 1, -1, -2], [1, 1, 0, 2]])
NAMES = ("a", "b", "c")


def heights(ax):
    """Height of the bar of each number along a line scan."""
    return {int(of.get_label()): of.get_data().values.tolist() for of in ax.patches}


def test_line_scan_is_bars_with_an_axis():
    _, given = plt.subplots()
    x = tables.AXES[-1] | {"name": "x"}
    ax = plot_label_map(LABELS[0], (x,), NAMES, [0.3, 0.3, 0.0], "line", given)
    assert ax is given
    assert heights(ax) == {0: [1, 0, 0, 0], 1: [0, 1, 0, 0], -1: [0, 0, 1, 0], -2: [0, 0, 0, 1]}
    assert ax.get_xlabel() == "x (nm)"
    # What is left out is not the white of the page.
    (left_out,) = [of for of in ax.patches if of.get_label() == "-2"]
    assert left_out.get_hatch()
    assert ax.get_legend().get_patches()[-1].get_hatch()


def test_strength_of_colours_is_the_membership():
    memberships = np.array([[0.9, 0.5, 0.0, 0.0], [0.7, 1.0, 0.6, 0.8]])
    shares = [0.3, 0.4, 0.1]
    ax = plot_label_map(LABELS, (), NAMES, shares, "map", memberships=memberships)
    # Noise is as grey as ever, and what is left out shows the hatching below.
    expected = [[0.9, 0.5, 1.0, 0.0], [0.7, 1.0, 0.6, 0.8]]
    np.testing.assert_allclose(ax.images[0].get_alpha(), expected)
    line = plot_label_map(LABELS[1], (), NAMES, shares, "line", memberships=memberships[1])
    assert heights(line) == {0: [0, 0, 0.6, 0], 1: [0.7, 1, 0, 0], 2: [0, 0, 0, 0.8]}
    assert line.get_ylabel() == "Membership"


def test_all_maps_of_a_stack_side_by_side():
    stack = np.stack([LABELS, LABELS[::-1], LABELS[:, ::-1]])
    axes = plot_label_maps(stack, (), NAMES, [0.3, 0.4, 0.1], "stack")
    assert len(axes) == 3
    for ax, labels in zip(axes, stack, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), labels)
    (legend,) = axes[0].figure.legends
    assert len(legend.get_texts()) == 5
    many = plot_label_maps(np.stack([LABELS] * 20), (), NAMES, [0.3, 0.4, 0.1], "stack")
    assert len(many) == 12
    assert "first 12 of 20" in many[0].figure.get_suptitle()


def test_memberships_are_on_one_scale():
    memberships = np.array([[[0.2, np.nan]], [[0.8, np.nan]]])
    axes = plot_membership_maps(memberships, (), ("a", "b"), "of them")
    for ax, values in zip(axes, memberships, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array().filled(np.nan), values)
        assert ax.images[0].get_clim() == (0, 1)
    assert [ax.texts[0].get_color() for ax in axes] == cluster_colours(2)
    lines = plot_membership_maps(memberships[:, 0], (), ("a", "b"), "of them")
    np.testing.assert_array_equal(lines[1].patches[0].get_data().values, [0.8, np.nan])


def test_agreement_along_a_line_scan():
    ax = plot_agreement(np.array([1.0, 0.5, 0.8]), ())
    assert ax.patches[0].get_data().values.tolist() == [1.0, 0.5, 0.8]
    assert "same label" in ax.get_ylabel()
