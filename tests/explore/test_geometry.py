"""Which points lie inside: compared with matplotlib's paths and areas worked out by hand."""

import numpy as np
import pytest
from matplotlib.path import Path

from hyperspy_clusterquant.explore.geometry import inside_polygon, inside_rectangle, rectangle_of


@pytest.mark.parametrize("seed", range(6))
def test_polygons_hold_what_paths_hold(seed):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 30))
    radius = rng.uniform(1, 5, 30)
    star = np.c_[radius * np.cos(angle), radius * np.sin(angle)]
    x, y = rng.uniform(-6, 6, (2, 5000))
    expected = Path(star).contains_points(np.c_[x, y])
    assert 200 < expected.sum() < 4000
    np.testing.assert_array_equal(inside_polygon(star, x, y), expected)


def test_the_direction_does_not_matter_and_area_is_right():
    rows, columns = np.indices((100, 100)).reshape(2, -1)
    triangle = np.array([(-0.5, -0.5), (99.5, -0.5), (-0.5, 99.5)])
    inside = inside_polygon(triangle, columns, rows)
    assert abs(inside.sum() - 5000) <= 50
    np.testing.assert_array_equal(inside, inside_polygon(triangle[::-1], columns, rows))
    assert not inside_polygon([(0, 0), (1, 1)], columns, rows).any()


def test_rectangles_by_any_two_corners():
    x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0, 1.0])
    for corners in ([(0.5, -1), (2.5, 2)], [(2.5, 2), (0.5, -1)], [(0.5, 2), (2.5, -1)]):
        assert inside_rectangle(corners, x, y).tolist() == [False, True, True, False]


def test_only_full_blocks_are_rectangles():
    mask = np.zeros((5, 7), dtype=bool)
    assert rectangle_of(mask) is None
    mask[1:3, 2:6] = True
    assert rectangle_of(mask) == ((1, 3), (2, 6))
    mask[2, 3] = False
    assert rectangle_of(mask) is None
    assert rectangle_of(np.array([False, True, True])) == ((1, 3),)
    assert rectangle_of(np.ones((2, 3, 4), dtype=bool)) == ((0, 2), (0, 3), (0, 4))
