import base64
import io

import numpy as np
import pytest
from pages import Page

from hyperspy_clusterquant import ClusterResult
from hyperspy_clusterquant.report import maps

Image = pytest.importorskip("PIL.Image")


def axis(size, scale=2.0, units="nm", name="", offset=0.0):
    return {"name": name, "scale": scale, "offset": offset, "units": units, "size": size}


def result_of(labels, axes=()):
    n = max(labels.max() + 1, 0)
    memberships = (labels == np.arange(n).reshape(-1, *[1] * labels.ndim)).astype(float)
    kept = np.count_nonzero(labels != -2)
    return ClusterResult("a", "pca_gmm", labels, memberships, np.zeros((kept, 1)), [2.0], 1.0,
                         axes=axes)  # fmt: skip


@pytest.mark.parametrize("shape", [(50,), (6, 9), (3, 6, 9), (2, 3, 6, 9)])
def test_stacks_have_one_image_each(shape, rng):
    labels = rng.integers(-2, 3, shape)
    images, shown, step, _ = maps.label_images(result_of(labels))
    assert step == 1
    assert np.array_equal(shown.reshape(shape), labels)
    assert len(images) == int(np.prod(shape[:-2]))
    assert Image.open(io.BytesIO(images[0])).size == (shape[-1], shape[-2] if shape[1:] else 1)


def test_large_maps_are_thinned(monkeypatch):
    monkeypatch.setattr(maps, "MOST_PIXELS", 100)
    labels = np.add.outer(np.arange(30), np.arange(40)) % 3
    _, shown, step, _ = maps.label_images(result_of(labels))
    assert shown.size <= 100
    assert np.array_equal(shown[0], labels[::step, ::step])


@pytest.mark.parametrize("n", [3, 253, 254, 300])
def test_labels_are_decoded_again(n):
    labels = np.arange(-2, n).reshape(1, 1, -1)
    encoded = maps.encoded_labels(labels)
    read = np.frombuffer(base64.b64decode(encoded["labels"]), f"<u{encoded['bytes']}")
    assert np.array_equal(read.astype(int) - 2, labels.ravel())


def test_the_maps_of_a_stack_are_told_apart_by_their_places():
    axes = (axis(2, 0.5, "s", "time", 1.0), axis(4), axis(5))
    assert maps.titles_of(axes, 2) == ["time = 1 s", "time = 1.5 s"]
    assert maps.titles_of((), 2) == ["map 0", "map 1"]


@pytest.mark.parametrize(
    ("axes", "columns", "length", "text"),
    [
        ((axis(9), axis(100)), 100, 25.0, "50 nm"),
        ((axis(9), axis(100, 0.013)), 100, 0.2 / 0.013, "0.2 nm"),
        ((axis(9), axis(7, 3.0, "")), 7, 2.0, "2 pixels"),
        ((axis(9), axis(100, 2.0, "px")), 100, 20.0, "20 pixels"),
        ((axis(9), axis(1, -2.0)), 1, 0.25, "0.5 nm"),
    ],
)
def test_scale_bars_are_round_lengths(axes, columns, length, text):
    share, said = maps.scale_bar(axes, columns)
    assert said == text
    assert share == pytest.approx(length / columns)
    assert share <= maps.BAR_SHARE * 1.001


def test_without_axes_there_is_no_scale_bar():
    assert maps.scale_bar((), 10) is None


def test_classic_maps_are_means_of_bins():
    values = np.zeros((400, 321))
    values[:, :3] = 6.0
    values[0, 0] = np.nan
    image = np.asarray(Image.open(io.BytesIO(maps.classic_image(values))))
    assert max(image.shape) <= maps.CLASSIC_SIDE
    assert (image[:, 0] == 255).all()
    assert (image[:, 1:] == 0).all()


def test_a_figure_says_what_it_shows():
    figure = maps.map_figure([b"png"], 2.0, (0.25, "5 nm"), ["of <a>"])
    page = Page(figure)
    assert page.named("img")[0]["alt"] == "of <a>"
    assert page.words == "5 nm"
