"""What users give as regions of a map, read into labels."""

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant.signals import ClusteredEDSSpectrum
from hyperspy_clusterquant.signals.regions import read_regions


def empty_map(shape, scale=2.0, offset=10.0):
    """A map without counts whose pixels are not square, with an offset."""
    names = ("z", "y", "x")[-len(shape) :]
    axes = [
        {"name": name, "size": size, "scale": scale * (1 + k), "offset": offset, "units": "nm"}
        for k, (name, size) in enumerate(zip(names, shape, strict=True))
    ]
    axes += [{"name": "Energy", "size": 4, "scale": 0.01, "units": "keV"}]
    return ClusteredEDSSpectrum(np.zeros((*shape, 4), dtype=np.uint8), axes=axes)


@pytest.fixture
def flat():
    return empty_map((6, 9))


@pytest.fixture
def image():
    """Labels 900 (12 pixels), 7 (18), 0 (24)."""
    values = np.zeros((6, 9), dtype=np.int64)
    values[:2, :6] = 900
    values[4:] = 7
    return values


EXPECTED = {900: 2, 7: 1, 0: 0}


@pytest.mark.parametrize(
    "given",
    [
        lambda values: values,
        lambda values: values.astype(np.uint16),
        lambda values: values.astype(float),
        lambda values: values.tolist(),
        lambda values: hs.signals.Signal2D(values),
        lambda values: hs.signals.Signal2D(values).as_lazy(),
        lambda values: hs.signals.BaseSignal(values).T,
    ],
)
def test_label_images_of_every_kind(flat, image, given):
    labels, names = read_regions(flat, given(image))
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, np.vectorize(EXPECTED.get)(image))
    assert names == ("region 0", "region 7", "region 900")


def test_noise_left_out_and_background(flat, image):
    image[3] = -1
    image[2, :4] = -2
    labels, names = read_regions(flat, image, background=0)
    assert names == ("region 7", "region 900")
    np.testing.assert_array_equal(labels == -2, image == -2)
    np.testing.assert_array_equal(labels == -1, (image == -1) | (image == 0))
    assert read_regions(flat, image, background=[0, 7])[1] == ("region 900",)


def test_names_by_order_or_by_label(flat, image):
    assert read_regions(flat, image, ["film", "core", "shell"])[1] == ("film", "core", "shell")
    named = read_regions(flat, image, {900: "<b>ß & co</b>"})[1]
    assert named == ("region 0", "region 7", "<b>ß & co</b>")
    assert read_regions(flat, image == 7, "core")[1] == ("core",)


def test_masks_in_lists_and_dictionaries(flat, image):
    first, second = image == 900, image == 7
    labels, names = read_regions(flat, {"small": first, "large": second})
    assert names == ("large", "small")
    np.testing.assert_array_equal(labels, np.select([second, first], [0, 1], -1))
    again, names = read_regions(flat, [hs.signals.Signal2D(first.astype(int)), second])
    np.testing.assert_array_equal(again, labels)
    assert names == ("region 1", "region 0")


def test_rois_hold_the_pixels_that_hyperspy_cuts_out(flat, rng):
    # Rows are 2 nm high from 10 nm on, columns 4 nm wide.
    y, x = np.meshgrid(10 + 2.0 * np.arange(6), 10 + 4.0 * np.arange(9), indexing="ij")
    rectangle = hs.roi.RectangularROI(left=14, top=12, right=26, bottom=18)
    labels, _ = read_regions(flat, rectangle)
    np.testing.assert_array_equal(labels == 0, (x >= 14) & (x < 26) & (y >= 12) & (y < 18))
    # Where the middle of a pixel is, is HyperSpy's to say.
    picture = flat.sum("Energy").T
    picture.data = rng.uniform(1, 2, (6, 9))
    for ring in (
        hs.roi.CircleROI(26, 14, 5),
        hs.roi.CircleROI(26, 14, 9, 4),
        hs.roi.PolygonROI([(9, 9), (29, 9), (9, 19)]),
    ):
        labels, _ = read_regions(flat, {"corner": ring})
        cut = ring(picture).data
        assert 3 < np.count_nonzero(labels == 0) < 30
        np.testing.assert_allclose(np.sort(picture.data[labels == 0]), np.sort(cut[cut > 0]))


def test_rois_of_line_scans_and_stacks():
    line = empty_map((20,))
    labels, names = read_regions(line, {"a": hs.roi.SpanROI(10, 20), "b": hs.roi.SpanROI(20, 50)})
    assert names == ("b", "a")
    np.testing.assert_array_equal(labels, np.repeat([1, 0], [5, 15]))
    stack = empty_map((3, 6, 9))
    labels, _ = read_regions(stack, hs.roi.RectangularROI(left=10, top=10, right=22, bottom=18))
    expected = np.full((3, 6, 9), -1)
    expected[:, :2, :2] = 0
    np.testing.assert_array_equal(labels, expected)
    with pytest.raises(ValueError, match="SpanROI"):
        read_regions(line, hs.roi.RectangularROI(0, 0, 1, 1))


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ("phase", TypeError, "label"),
        (None, TypeError, "masks"),
        ([], ValueError, "no regions"),
        ({}, ValueError, "no regions"),
        (np.zeros((9, 6), int), ValueError, r"\(9, 6\).*\(6, 9\).*image.T"),
        (np.zeros((12, 18), int), ValueError, r"labels\[::2, ::2\].*new_shape=\(9, 6\)"),
        (np.zeros((7, 9), int), ValueError, r"new_shape=\(9, 6\)"),
        (np.zeros((6, 9)) + 0.5, ValueError, "0.5.*segment"),
        (np.full((6, 9), np.nan), ValueError, "nan"),
        (np.full((6, 9), -3), ValueError, "-3"),
        (np.full((6, 9), -1), ValueError, "No pixel"),
        (np.zeros((6, 9), complex), TypeError, "complex"),
        ([np.zeros((6, 9), bool)], ValueError, "region 0 holds no pixel"),
        ([np.full((6, 9), 3)], TypeError, "mask of True"),
        ([np.ones((5, 9), bool)], ValueError, r"mask 0.*\(5, 9\)"),
        (hs.roi.Line2DROI(10, 10, 20, 20, 5), TypeError, "composition_profile"),
        (hs.roi.RectangularROI(900, 900, 950, 950), ValueError, "units of the map"),
        (hs.roi.RectangularROI(), ValueError, "not yet been set"),
    ],
)
def test_what_is_wrong_is_said(flat, wrong, error, words):
    with pytest.raises(error, match=words):
        read_regions(flat, wrong)


def test_a_picture_is_no_label_image():
    s = empty_map((40, 40))
    with pytest.raises(ValueError, match=r"1600 different values.*threshold"):
        read_regions(s, np.arange(1600).reshape(40, 40))


def test_overlaps_are_counted_and_located(flat):
    first, second = np.zeros((2, 6, 9), dtype=bool)
    first[1:4, 2:6] = True
    second[3:, 4:] = True
    with pytest.raises(ValueError, match=r"'b' shares 2 pixels with 'a'.*y 3 to 3, x 4 to 5"):
        read_regions(flat, {"a": first, "b": second})


def test_names_and_background_that_do_not_fit(flat, image):
    with pytest.raises(ValueError, match=r"2 names for 3 regions \(0, 7, 900\)"):
        read_regions(flat, image, ["a", "b"])
    with pytest.raises(ValueError, match="names 8, but the regions are 0, 7, 900"):
        read_regions(flat, image, {8: "a"})
    with pytest.raises(ValueError, match="`background`"):
        read_regions(flat, [image == 7], background=0)
