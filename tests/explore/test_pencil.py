"""Rectangles, polygons and lassos, stroke by stroke."""

import numpy as np
import pytest

from hyperspy_clusterquant.explore.pencil import Pencil

PLACES = [(0, 0), (10, 0), (10, 20), (3, 30)]


@pytest.mark.parametrize("tool", ["lasso", "rectangle"])
def test_shapes_drawn_with_the_button_down(tool):
    pencil = Pencil(tool)
    assert not pencil.press("map", PLACES[0], PLACES[0])
    assert pencil.is_drawing
    assert all(pencil.move("map", place, place) for place in PLACES[1:])
    assert pencil.release() == "shape"
    if tool == "rectangle":
        assert pencil.outline.tolist() == [[0, 0], [3, 0], [3, 30], [0, 30], [0, 0]]
    else:
        assert pencil.outline.tolist() == [[0, 0], *map(list, PLACES), [0, 0]]


def test_a_click_is_no_shape():
    pencil = Pencil("lasso")
    pencil.press("map", (5, 5), (100, 100))
    pencil.move("map", (5.1, 5), (102, 101))
    assert pencil.release() == "click"
    assert Pencil("lasso").release() is None


def test_corners_of_a_polygon_are_clicked():
    pencil = Pencil("polygon")
    for place in PLACES:
        screen = np.multiply(place, 10)
        assert not pencil.press("map", place, screen)
        assert pencil.release() is None
        pencil.move("map", (50, 50), screen + 5)
    assert pencil.outline.tolist() == [*map(list, PLACES), [50, 50], [0, 0]]
    # On the first corner, or nearly: that closes it.
    assert pencil.press("map", (0.2, 0), (3, 0))
    assert pencil.outline.tolist() == [*map(list, PLACES), [0, 0]]


def test_a_double_click_closes_a_polygon_and_its_first_click_is_a_corner():
    pencil = Pencil("polygon")
    for place in PLACES[:3]:
        pencil.press("map", place, np.multiply(place, 10))
    assert pencil.press("map", PLACES[2], np.multiply(PLACES[2], 10), double=True)
    assert pencil.outline.tolist() == [[0, 0], [10, 0], [10, 20], [0, 0]]
    # Two corners are no area.
    other = Pencil("polygon")
    other.press("map", (0, 0), (0, 0))
    assert not other.press("map", (0, 0), (0, 0), double=True)


def test_other_axes_begin_anew():
    pencil = Pencil("polygon")
    pencil.press("map", (0, 0), (0, 0))
    assert not pencil.move("scores", (1, 1), (50, 50))
    pencil.press("scores", (1, 1), (50, 50))
    assert pencil.where == "scores"
    assert pencil.outline.tolist() == [[1, 1], [1, 1], [1, 1]]
    pencil.stop()
    assert np.isnan(pencil.outline).all()
