import io

import numpy as np
import pytest

from hyperspy_clusterquant.plotting import style
from hyperspy_clusterquant.plotting.thumbnails import (
    data_uri,
    grey_png,
    hex_colours,
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


@pytest.mark.parametrize("n", [1, 3, 8, 13, 40])
def test_colours_are_those_of_the_pictures(n):
    assert [rgb(c) for c in hex_colours(n)] == [rgb(c) for c in style.cluster_colours(n)]


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
        ((4, 200), (), 10.0),
        ((200, 4), (), 0.1),
    ],
)
def test_pixels_are_as_wide_as_they_are(shape, axes, expected):
    assert width_over_height(shape, axes) == pytest.approx(expected)


def test_thumbnails_keep_their_proportions():
    assert thumbnail_size(2.0, 100) == (100, 50)
    assert thumbnail_size(0.1, 100) == (10, 100)
