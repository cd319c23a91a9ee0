"""Colours of pixels: which pixels of a picture say what."""

import numpy as np
import pytest

from hyperspy_clusterquant.explore.pictures import ScoreGrid, colour_table, label_image, veil


@pytest.fixture
def grid(rng):
    plane = np.concatenate([rng.normal(0, 1, (400, 2)), rng.normal(8, 1, (300, 2))])
    return plane, np.repeat([0, 1], [400, 300])


def test_colours_of_labels_noise_and_left_out():
    table = colour_table(["#FF0000", "#0000FF"], "#808080", "#FFFFFF")
    image = label_image(np.array([[0, 1], [-1, -2]]), table)
    assert image.tolist() == [
        [[255, 0, 0, 255], [0, 0, 255, 255]],
        [[128, 128, 128, 255], [255, 255, 255, 255]],
    ]


def test_a_veil_hides_what_is_not_selected():
    mask = np.array([[True, False]])
    assert veil(mask)[0, 0, 3] == 0
    assert 100 < veil(mask)[0, 1, 3] < 255
    assert not veil(~np.ones((2, 2), dtype=bool)).any()


def test_every_pixel_is_in_its_bin(grid):
    plane, labels = grid
    made = ScoreGrid.of(plane, labels)
    left, right, bottom, top = made.extent
    edges = [np.linspace(*ends, made.n_bins + 1) for ends in ((bottom, top), (left, right))]
    expected = np.histogram2d(plane[:, 1], plane[:, 0], edges)[0]
    np.testing.assert_array_equal(made.counts(), expected)
    # Nearly all are on the picture, of each cluster.
    assert np.mean(made.bins >= 0) > 0.99
    np.testing.assert_array_equal(
        made.counts(labels == 1), np.histogram2d(*plane[labels == 1].T[::-1], edges)[0]
    )


def test_the_nearest_pixel_of_a_bin(grid):
    plane, labels = grid
    made = ScoreGrid.of(plane, labels)
    for pixel in (0, 77, 450):
        near = made.nearest(*plane[pixel], plane)
        assert near == pixel or np.array_equal(plane[near], plane[pixel])
    assert made.nearest(1e9, 0, plane) is None
    empty = np.argwhere(made.counts() == 0)[0]
    left, right, bottom, top = made.extent
    x = left + (empty[1] + 0.5) * (right - left) / made.n_bins
    y = bottom + (empty[0] + 0.5) * (top - bottom) / made.n_bins
    assert made.nearest(x, y, plane) is None


def test_density_is_darker_where_there_are_more(grid):
    plane, labels = grid
    made = ScoreGrid.of(plane, labels)
    table = colour_table(["#FF0000", "#0000FF"], "#808080", "#FFFFFF")
    image = made.density_image(labels, table)
    counts = made.counts()
    assert (image[counts == 0] == 255).all()
    only_first = (made.counts(labels == 0) == counts) & (counts > 0)
    assert (image[only_first][:, 0] == 255).all()  # red
    densest = np.unravel_index(np.argmax(counts * only_first), counts.shape)
    assert image[densest][1] == image[only_first][:, 1].min()


def test_selected_pixels_among_the_scores(grid):
    plane, labels = grid
    made = ScoreGrid.of(plane, labels)
    chosen = labels == 1
    image = made.selected_image(chosen)
    is_red = (image[..., 3] == 255) & (image[..., 0] > image[..., 1])
    np.testing.assert_array_equal(is_red, made.counts(chosen) > 0)
    assert not made.selected_image(np.zeros(len(labels), dtype=bool)).any()


def test_points_without_any_spread():
    made = ScoreGrid.of(np.zeros((5, 2)), np.zeros(5, dtype=int))
    assert made.counts().sum() == 5
