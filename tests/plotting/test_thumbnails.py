import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from pages import Page

from hyperspy_clusterquant.plotting import style
from hyperspy_clusterquant.plotting.thumbnails import (
    binned,
    data_uri,
    grey_picture,
    grey_png,
    label_picture,
    label_png,
    thumbnail_size,
    width_over_height,
)

Image = pytest.importorskip("PIL.Image")


def rgb(colour):
    from matplotlib.colors import to_rgb

    return [round(255 * part) for part in to_rgb(colour)]


def opened(png):
    return Image.open(io.BytesIO(png))


def test_every_pixel_has_the_colour_of_its_label(rng):
    labels = rng.integers(-2, 5, (7, 11))
    colours = [style.MASK_COLOUR, style.NOISE_COLOUR, *style.cluster_colours(5)]
    expected = np.array([rgb(c) for c in colours])[labels + 2]
    assert np.array_equal(np.asarray(opened(label_png(labels, 5)).convert("RGB")), expected)


def test_more_labels_than_a_byte_holds():
    labels = np.arange(-2, 302).reshape(4, 76)
    image = np.asarray(opened(label_png(labels, 302)).convert("RGB"))
    assert image.shape == (4, 76, 3)
    assert image[0, 2].tolist() == rgb(style.cluster_colours(302)[0])


def test_greys_rise_with_the_values():
    image = np.linspace(0, 10, 200).reshape(10, 20)
    image[0, 1] = np.nan
    grey = np.asarray(opened(grey_png(image))).astype(int)
    assert grey[0, 1] == 0
    assert grey[-1, -1] == 255
    assert (np.diff(grey.ravel()[2:]) >= 0).all()
    assert np.asarray(opened(grey_png(np.full((2, 2), np.nan)))).max() == 0


def test_an_address_holds_the_file():
    from urllib.request import urlopen

    png = label_png(np.zeros((2, 3), dtype=int), 1)
    assert urlopen(data_uri(png)).read() == png


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((10, 20), (), 2.0),
        ((10, 20), ({"scale": 2.0, "units": "nm"}, {"scale": -1.0, "units": "nm"}), 1.0),
        ((10, 20), ({"scale": 2.0, "units": "s"}, {"scale": 1.0, "units": "nm"}), 2.0),
        ((10, 20), ({"scale": 0.0, "units": "nm"}, {"scale": 1.0, "units": "nm"}), 2.0),
        ((10, 20), ({"scale": 4.0, "units": "px"}, {"scale": 1.0, "units": "px"}), 2.0),
        ((10, 20), ({"scale": 2000.0, "units": "nm"}, {"scale": 1.0, "units": "µm"}), 1.0),
        ((4, 200), (), 10.0),
        ((200, 4), (), 0.1),
    ],
)
def test_pixels_are_as_wide_as_they_are(shape, axes, expected):
    assert width_over_height(shape, axes) == pytest.approx(expected)
    ax = plt.subplots()[1]
    drawn = style.draw_map(ax, np.zeros(shape), axes, scale_bar=False)
    ax.figure.draw_without_rendering()
    box = drawn.get_window_extent()
    assert box.width / box.height == pytest.approx(expected)


def shown(html):
    """The image of an element of HTML, and its attributes."""
    page = Page(html)
    (attributes,) = page.named("img")
    png = base64.b64decode(attributes["src"].removeprefix("data:image/png;base64,"))
    return np.asarray(opened(png).convert("RGB")), attributes


def test_pictures_of_labels_are_small_and_named(rng):
    labels = rng.integers(-2, 3, (2, 800, 500))
    image, attributes = shown(label_picture(labels, 3, (), "of <maps>"))
    step = 3
    assert np.array_equal(image, opened_rgb(label_png(labels[0, ::step, ::step], 3)))
    assert attributes["alt"] == "of <maps>"
    assert (int(attributes["width"]), int(attributes["height"])) == (112, 180)


def opened_rgb(png):
    return np.asarray(opened(png).convert("RGB"))


def test_pictures_of_a_line_scan_are_strips():
    image, attributes = shown(label_picture(np.array([0, 1, 1]), 2, (), "line"))
    assert image.shape == (1, 3, 3)
    assert int(attributes["width"]) == 180
    assert shown(grey_picture(np.array([0.0, 1.0, np.nan]), (), "line"))[0].shape == (1, 3, 3)


def test_bins_are_means_of_what_is_known():
    image = np.arange(12.0).reshape(2, 6)
    image[0, 0] = np.nan
    assert binned(image, 2).tolist() == [[1.5, 4.0], [7.0, 10.0]]
    assert np.isnan(binned(np.full((2, 2), np.nan), 1)).all()
    assert np.array_equal(binned(np.ones((3, 2)), 5), np.ones((3, 2)))


def test_no_figure_is_opened():
    label_picture(np.zeros((4, 5), dtype=int), 1, (), "")
    grey_picture(np.zeros((4, 5)), (), "")
    assert plt.get_fignums() == []


def test_thumbnails_keep_their_proportions():
    assert thumbnail_size(2.0, 100) == (100, 50)
    assert thumbnail_size(0.1, 100) == (10, 100)
