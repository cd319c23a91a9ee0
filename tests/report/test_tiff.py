import numpy as np
import pytest
import tifffile
from matplotlib.colors import to_rgb

from hyperspy_clusterquant.plotting.style import cluster_colours
from hyperspy_clusterquant.report.tiff import label_values, write_images, write_labels


def axis(scale, units="nm"):
    return {"name": "", "scale": scale, "offset": 0.0, "units": units, "size": 1}


def read(path):
    """Values, ImageJ's metadata and the size of a pixel in x and y."""
    with tifffile.TiffFile(path) as file:
        assert file.is_imagej
        tags = file.pages[0].tags
        sizes = [
            tags[name].value[1] / tags[name].value[0] for name in ("XResolution", "YResolution")
        ]
        return file.asarray(), file.imagej_metadata, sizes


def test_labels_have_no_signs():
    labels = np.array([-2, -1, 0, 1, 253])
    assert label_values(labels, 254).tolist() == [0, 255, 1, 2, 254]
    assert label_values(labels, 255).tolist() == [0, 65535, 1, 2, 254]
    assert label_values(labels, 254).dtype == np.uint8


@pytest.mark.parametrize("shape", [(9,), (5, 9), (3, 5, 9), (2, 3, 5, 9)])
def test_labels_are_read_back_with_size_and_colours(shape, rng, tmp_path):
    labels = rng.integers(-2, 4, shape)
    axes = [axis(1.0, "s")] * (len(shape) - 2) + [axis(0.25), axis(-0.5)][-len(shape) :]
    write_labels(tmp_path / "a.tif", labels, 4, axes)
    values, metadata, sizes = read(tmp_path / "a.tif")
    assert np.array_equal(values.reshape(shape), label_values(labels, 4))
    assert metadata["unit"] == "nm"
    assert sizes == pytest.approx([0.5, 0.25 if len(shape) > 1 else 0.5], rel=1e-6)
    palette = np.asarray(metadata["LUTs"]).reshape(3, 256)
    for k, colour in enumerate(cluster_colours(4)):
        assert palette[:, k + 1].tolist() == [round(255 * part) for part in to_rgb(colour)]


def test_images_are_slices_with_names(rng, tmp_path):
    images = rng.random((3, 4, 6)).astype(np.float32)
    write_images(tmp_path / "a.tif", images, ["<a>", "ß", "c"], [axis(2.0), axis(2.0)])
    values, metadata, _ = read(tmp_path / "a.tif")
    assert np.array_equal(values, images)
    assert metadata["Labels"] == ["<a>", "ß", "c"]
    assert metadata["slices"] == 3


def test_of_stacks_the_maps_are_frames(rng, tmp_path):
    images = rng.random((3, 5, 4, 6)).astype(np.float32)
    write_images(tmp_path / "a.tif", images, "abc", [axis(1.0, "s"), axis(2.0), axis(2.0)])
    values, metadata, _ = read(tmp_path / "a.tif")
    assert np.array_equal(values, np.moveaxis(images, 0, 1))
    assert (metadata["frames"], metadata["slices"]) == (5, 3)
    assert metadata["Labels"][:4] == ["a", "b", "c", "a"]


def test_one_image_of_a_line_scan(tmp_path):
    write_images(tmp_path / "a.tif", np.arange(7.0)[None], ["a"], [axis(0.1)])
    values, _, sizes = read(tmp_path / "a.tif")
    assert values.ravel().tolist() == list(range(7))
    assert sizes == pytest.approx([0.1, 0.1], rel=1e-6)


@pytest.mark.parametrize(
    ("axes", "unit"),
    [
        ([axis(2.0, "µm")] * 2, "micron"),
        ([axis(2.0, "Å")] * 2, "\\u00c5"),
        ([axis(2.0, "")] * 2, None),
        ([axis(2.0, "px")] * 2, None),
        ([axis(1.0, "s"), axis(2.0)], None),
        ([axis(0.0), axis(0.0)], None),
        ((), None),
    ],
)
def test_units_are_written_as_imagej_does(axes, unit, tmp_path):
    write_labels(tmp_path / "a.tif", np.zeros((3, 4), dtype=int), 1, axes)
    assert read(tmp_path / "a.tif")[1].get("unit") == unit


def test_hyperspy_reads_them(tmp_path):
    import hyperspy.api as hs

    labels = np.arange(12).reshape(3, 4) % 3
    write_labels(tmp_path / "a.tif", labels, 3, [axis(0.25, "µm"), axis(0.5, "µm")])
    image = hs.load(tmp_path / "a.tif")
    assert np.array_equal(image.data, labels + 1)
    across, down = image.axes_manager.signal_axes
    assert (across.units, down.units) == ("µm", "µm")
    assert (across.scale, down.scale) == pytest.approx((0.5, 0.25), rel=1e-6)
