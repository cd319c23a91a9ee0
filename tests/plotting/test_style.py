import re
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from hyperspy_clusterquant.plotting.style import (
    MASK_COLOUR,
    NOISE_COLOUR,
    cluster_colours,
    draw_map,
    element_colours,
    line_label,
    map_of,
    panels,
)

#: What colours become without one kind of cones, in linear RGB (Machado et al. 2009, severity 1).
VISION = {
    "full": np.eye(3),
    "without red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "without green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "without blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
#: Linear sRGB to XYZ (IEC 61966-2-1).
XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # fmt: skip


def lab(colours, vision):
    """CIELAB of colours (n, 3) as they are seen."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(VISION[vision]), 0, 1)
    x, y, z = (seen @ XYZ.T / XYZ.sum(axis=1)).T
    fx, fy, fz = (np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116) for t in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)]).T


def ciede2000(first, second):
    """Difference of two colours in CIELAB (G. Sharma et al., Color Res. Appl. 30 (2005) 21)."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(c**7 / (c**7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for b, a in ((b1, a1), (b2, a2)))
    dh = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    h = (h1 + h2) / 2 if abs(h1 - h2) <= 180 else ((h1 + h2 + 360) / 2) % 360
    h = h if c1 * c2 else h1 + h2
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    cos = [np.cos(np.radians(angle)) for angle in (h - 30, 2 * h, 3 * h + 6, 4 * h - 63)]
    t = 1 - 0.17 * cos[0] + 0.24 * cos[1] + 0.32 * cos[2] - 0.20 * cos[3]
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    turn = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    turn *= np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2))))
    parts = (
        (l2 - l1) / s_l, (c2 - c1) / s_c, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2)) / s_h
    )  # fmt: skip
    return np.sqrt(sum(part**2 for part in parts) + turn * parts[1] * parts[2])


def closest(colours, vision):
    seen = lab(colours, vision)
    return min(ciede2000(*pair) for pair in combinations(seen, 2))


def test_difference_of_colours_is_that_of_the_literature():
    """Three pairs of the table of Sharma et al."""
    for first, second, known in (
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (61.0, -5.0, 29.0), 22.8977),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ):
        assert ciede2000(first, second) == pytest.approx(known, abs=2e-4)


@pytest.mark.parametrize("vision", VISION)
def test_twelve_clusters_are_told_apart_with_every_kind_of_colour_vision(vision):
    assert closest([*cluster_colours(12), NOISE_COLOUR, MASK_COLOUR], vision) > 10


def test_more_clusters_are_told_apart_with_full_colour_vision():
    assert closest([*cluster_colours(36), NOISE_COLOUR, MASK_COLOUR], "full") > 10
    assert closest(cluster_colours(60), "full") > 2


def test_a_cluster_has_its_colour_however_many_there_are():
    many = cluster_colours(200)
    assert len(set(many)) == 200
    assert [cluster_colours(n) for n in (0, 1, 13, 40)] == [many[:n] for n in (0, 1, 13, 40)]
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in many)


def test_names_of_lines():
    assert line_label("Ga_Ka") == "Ga Kα"
    assert line_label("Ag_La") == "Ag Lα"


def test_elements_have_colours_of_their_own():
    assert not {*element_colours(12)} & {*cluster_colours(36)}
    assert len({*element_colours(12)}) == 12
    assert len(element_colours(30)) == 30


def axis(scale, units):
    return {"name": "", "scale": scale, "offset": 0.0, "units": units}


def drawn(values, *axes, **how):
    """Height over width of a map on the screen, and the words and the pixels of its scale bar."""
    figure, ax = plt.subplots(figsize=(6, 6))
    draw_map(ax, values, axes, **how)
    figure.canvas.draw()
    box = ax.get_window_extent()
    bars = [artist for artist in ax.artists if hasattr(artist, "size_bar")]
    if not bars:
        return box.height / box.width, None, None
    length = bars[0].size_bar.get_children()[0].get_width()
    return box.height / box.width, bars[0].txt_label.get_text(), length


@pytest.mark.parametrize(
    ("y", "x", "expected"),
    [
        (axis(2.0, "nm"), axis(2.0, "nm"), 0.5),
        (axis(4.26, "nm"), axis(1.99, "nm"), 0.5 * 4.26 / 1.99),
        (axis(-8.0, "nm"), axis(2.0, "nm"), 2.0),
        (axis(0.004, "µm"), axis(2.0, "nm"), 1.0),
        (axis(1.0, "nm"), axis(4.0, "nm"), 0.125),
        (axis(3.0, ""), axis(1.0, ""), 0.5),  # pixels are pixels, whatever the scale
        (axis(3.0, "px"), axis(1.0, "pixel"), 0.5),
        (axis(3.0, "s"), axis(1.0, "nm"), 0.5),
        (axis(3.0, "nm"), axis(1.0, ""), 0.5),
        (axis(3.0, "furlongs or so"), axis(1.0, "furlongs or so"), 0.5),
        (axis(np.inf, "nm"), axis(1.0, "nm"), 0.5),
        (axis(np.nan, "nm"), axis(np.nan, "nm"), 0.5),
        (axis(5000.0, "nm"), axis(1.0, "nm"), 10.0),
        (axis(1.0, "nm"), axis(5000.0, "nm"), 0.1),
    ],
)
def test_pixels_are_drawn_as_high_and_wide_as_they_are(y, x, expected):
    assert drawn(np.zeros((20, 40)), y, x)[0] == pytest.approx(expected, rel=0.02)
    stack = drawn(np.zeros((3, 20, 40)), axis(9.0, "s"), y, x)
    assert stack[0] == pytest.approx(expected, rel=0.02)


def test_a_map_without_axes_has_square_pixels_and_no_scale_bar():
    assert drawn(np.zeros((20, 40)))[:2] == (pytest.approx(0.5, rel=0.02), None)
    assert drawn(np.zeros((4, 800)))[0] == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize(
    ("x", "text", "pixels"),
    [
        (axis(0.5, "nm"), "2 nm", 4),
        (axis(-0.5, "nm"), "2 nm", 4),
        (axis(2.0, "s"), "10 s", 5),
        (axis(1.0, "px"), "5 px", 5),
        (axis(0.5, "px"), "5 px", 5),
        (axis(7.0, "Pixels"), "5 px", 5),
        (axis(0.2, ""), "5 px", 5),
        (axis(0.2, "pt"), "5 px", 5),
        (axis(0.2, "<undefined>"), "5 px", 5),
        (axis(0.0, "nm"), "5 px", 5),
        (axis(np.nan, "nm"), "5 px", 5),
        (axis(0.2, "voxels"), "5 px", 5),
        (axis(0.2, "arb. units"), "5 px", 5),
    ],
)
def test_a_scale_bar_has_a_length_only_if_the_axis_has(x, text, pixels):
    _, said, length = drawn(np.zeros((30, 25)), x, x)
    assert (said, length) == (text, pytest.approx(pixels))
    assert drawn(np.zeros((30, 25)), x, x, scale_bar=False)[1] is None


@pytest.mark.parametrize("shape", [(20, 40), (200, 4), (4, 200), (1, 1), (2, 2)])
def test_a_scale_bar_covers_nothing_of_the_map(shape):
    figure, ax = plt.subplots(layout="constrained")
    draw_map(ax, np.zeros(shape), (axis(1.0, "nm"), axis(1.0, "nm")))
    figure.canvas.draw()
    (bar,) = [artist for artist in ax.artists if hasattr(artist, "size_bar")]
    box, of_map = bar.get_window_extent(), ax.get_window_extent()
    assert box.y1 < of_map.y0
    assert box.y0 > figure.bbox.y0
    assert figure.bbox.x0 < box.x0 < box.x1 < figure.bbox.x1


@pytest.mark.parametrize(
    ("x", "label", "ends"),
    [
        (axis(0.5, "nm"), "Position (nm)", (-0.25, 12.25)),
        (axis(-0.5, "nm"), "Position (nm)", (0.25, -12.25)),
        (axis(0.5, "nm") | {"offset": 3.0, "name": "x"}, "x (nm)", (2.75, 15.25)),
        (axis(2.0, ""), "Position (px)", (-0.5, 24.5)),
        (axis(np.nan, "nm"), "Position (px)", (-0.5, 24.5)),
        (None, "Position (px)", (-0.5, 24.5)),
    ],
)
def test_a_line_scan_has_its_position_as_an_axis(x, label, ends):
    _, ax = plt.subplots()
    draw_map(ax, np.zeros(25), () if x is None else (x,))
    assert ax.get_xlabel() == label
    assert ax.get_xlim() == pytest.approx(ends)


def test_maps_of_a_stack_have_numbers():
    stack = np.arange(24).reshape(2, 2, 2, 3)
    np.testing.assert_array_equal(map_of(stack, 2), stack[1, 0])
    np.testing.assert_array_equal(map_of(stack, -1), stack[1, 1])
    np.testing.assert_array_equal(map_of(stack[0, 0]), stack[0, 0])
    np.testing.assert_array_equal(map_of(stack[0, 0, 0]), stack[0, 0, 0])
    for values, index in ((stack, 4), (stack, 1.0), (stack[0, 0], 1), (stack[0, 0, 0], 1)):
        with pytest.raises(ValueError, match="number of one of the maps"):
            map_of(values, index)


def test_panels_are_as_many_as_asked_for():
    axes = panels(5, (2, 2))
    assert axes.shape == (5,)
    assert len(axes[0].figure.axes) == 5
    assert panels(2, (2, 2), axes[:2])[1] is axes[1]
    assert panels(0, (2, 2)).shape == (0,)
