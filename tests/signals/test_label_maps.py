import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from hyperspy_clusterquant.plotting.style import MASK_COLOUR, NOISE_COLOUR, cluster_colours
from hyperspy_clusterquant.signals import ClusterLabelMap, LazyClusterLabelMap


@pytest.fixture
def labels(clustered):
    return clustered.clusters["pca_gmm"].rename({2: "<b>ß & co</b>"}).label_map()


def shown():
    """Images of labels on all figures."""
    images = [i for n in plt.get_fignums() for ax in plt.figure(n).axes for i in ax.images]
    return [image for image in images if image.cmap.name == "clusters"]


def check(image, labels, names):
    colours = np.array([*map(to_rgba, [MASK_COLOUR, NOISE_COLOUR, *cluster_colours(len(names))])])
    drawn = image.cmap(image.norm(np.asarray(image.get_array())))
    np.testing.assert_allclose(drawn, colours[labels + 2])
    bar = image.colorbar.ax
    assert [text.get_text() for text in bar.get_yticklabels()][-len(names) :] == names


def test_hyperspys_plot_shows_names_and_colours(labels):
    labels.plot()
    (image,) = shown()
    names = ["cluster 0", "cluster 1", "<b>ß & co</b>", "cluster 3"]
    assert labels.cluster_names == names
    check(image, labels.data, names)


def test_as_a_navigator(clustered, labels):
    clustered.plot(navigator=labels)
    (image,) = shown()
    check(image, labels.data, labels.cluster_names)
    plt.close("all")
    clustered.navigator = labels
    clustered.plot(True)
    (image,) = shown()
    check(image, labels.data, labels.cluster_names)
    plt.close("all")
    clustered.plot(navigator=labels, navigator_kwds={"cmap": "gray"})
    assert not shown()
    # Any other navigator is none of ours.
    plt.close("all")
    clustered.navigator = None
    clustered.plot(navigator="slider")
    clustered.plot()
    assert not shown()


@pytest.mark.parametrize("lazy", [False, True])
def test_stacks_and_files_keep_names_and_colours(clustered, tmp_path, lazy):
    stack = hs.stack([clustered, clustered.inav[::-1]])
    stack.cluster_pca_gmm(4, binning=1)
    labels = stack.clusters["pca_gmm"].label_map()
    assert labels.axes_manager.navigation_shape == (2,)
    labels.save(tmp_path / "labels.hspy")
    loaded = hs.load(tmp_path / "labels.hspy", lazy=lazy)
    assert type(loaded) is (LazyClusterLabelMap if lazy else ClusterLabelMap)
    loaded.plot()
    (image,) = shown()
    check(image, labels.data[0], labels.cluster_names)
    plt.close("all")
    stack.plot(navigator=labels)
    (image,) = shown()
    check(image, labels.data[0], labels.cluster_names)


def test_what_is_computed_of_labels_is_an_image_like_any_other(labels):
    mask = labels == 1
    mask.plot()
    assert not shown()
    np.testing.assert_array_equal(mask.data, labels.data == 1)
    cropped = labels.inav if labels.axes_manager.navigation_dimension else labels.isig[:20, :10]
    assert isinstance(cropped, ClusterLabelMap)
    plt.close("all")
    cropped.plot(colorbar=False)
    (image,) = shown()
    assert image.colorbar is None


def test_labels_of_a_line_scan_are_a_plain_signal(clustered):
    line = clustered.inav[:, 20]
    labels = line.clusters["pca_gmm"].label_map()
    assert type(labels) is hs.signals.Signal1D
    line.plot(navigator=labels)


@pytest.mark.parametrize("by", ["sum", "shift"])
def test_what_are_no_labels_any_more_is_an_image_like_any_other(clustered, by):
    result = clustered.clusters["pca_gmm"]
    labels = result.label_map()
    changed = labels.rebin(scale=[2, 2]) if by == "sum" else labels + 3
    changed.plot()
    assert not shown()
    map_ = clustered.rebin(scale=[2, 2, 1]) if by == "sum" else clustered
    map_.plot(navigator=changed)
    assert not shown()


def test_regions_by_hand_leave_pixels_in_none(clustered):
    regions = np.full((56, 64), -1)
    regions[:, :20] = 0
    clustered.clusters_from_labels(regions).label_map().plot()
    (image,) = shown()
    assert [t.get_text() for t in image.colorbar.ax.get_yticklabels()] == ["in none", "region 0"]
    legend = clustered.plot_clusters().get_legend()
    assert legend.get_texts()[1].get_text() == "in none"
