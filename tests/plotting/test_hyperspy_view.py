import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from hyperspy_clusterquant.plotting.hyperspy_view import look_of_labels, name_colour_bars
from hyperspy_clusterquant.plotting.style import MASK_COLOUR, NOISE_COLOUR, cluster_colours

NAMES = ["a", "<b>ß & co</b>", "c"]


@pytest.mark.parametrize("lowest", [-2, -1, 0, 1])
def test_every_label_has_its_colour(lowest):
    labels = np.arange(max(lowest, -2), 3)[None]
    image = plt.subplots()[1].imshow(labels, **look_of_labels(lowest, NAMES))
    every = [MASK_COLOUR, NOISE_COLOUR, *cluster_colours(3)]
    expected = [to_rgba(every[label + 2]) for label in labels[0]]
    np.testing.assert_allclose(image.cmap(image.norm(labels))[0], expected)


def test_names_at_the_colour_bar_and_at_no_other():
    look = look_of_labels(-2, NAMES)
    figure, (left, right) = plt.subplots(1, 2)
    figure.colorbar(left.imshow(np.array([[-2, -1], [0, 2]]), **look))
    other = figure.colorbar(right.imshow(np.eye(2)))
    before = other.get_ticks()
    name_colour_bars(look, NAMES)
    texts = [text.get_text() for text in left.images[0].colorbar.ax.get_yticklabels()]
    assert texts == ["left out", "noise", *NAMES]
    np.testing.assert_array_equal(other.get_ticks(), before)
    first = plt.figure(figure.number)
    plt.figure()
    plt.figure(first.number)
    name_colour_bars(look, NAMES)
    assert plt.gcf() is figure


def test_long_names_stay_on_the_figure():
    names = ["a", "a phase with quite a long name of its own"]
    look = look_of_labels(0, names)
    figure, ax = plt.subplots()
    figure.colorbar(ax.imshow(np.eye(2, dtype=int), **look))
    name_colour_bars(look, names)
    figure.canvas.draw()
    for text in ax.images[0].colorbar.ax.get_yticklabels():
        assert text.get_window_extent().x1 <= figure.bbox.x1


def test_no_clusters():
    image = plt.subplots()[1].imshow(np.full((2, 2), -1), **look_of_labels(-1, []))
    np.testing.assert_allclose(image.cmap(image.norm(-1)), to_rgba(NOISE_COLOUR))
