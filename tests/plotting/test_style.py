import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_clusterquant.plotting.style import cluster_colours, draw_map, line_label


def test_many_clusters_have_colours():
    assert len(cluster_colours(30)) == 30


def test_names_of_lines():
    assert line_label("Ga_Ka") == "Ga Kα"
    assert line_label("Ag_La") == "Ag Lα"


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
    for axes in ((x,), (x, x)):
        values = np.zeros(25 if len(axes) == 1 else (30, 25))
        _, said, length = drawn(values, *axes)
        assert (said, length) == (text, pytest.approx(pixels))
    assert drawn(np.zeros((30, 25)), x, x, scale_bar=False)[1] is None
