"""Which points lie inside of what was drawn."""

from __future__ import annotations

import numpy as np


def inside_polygon(polygon, x, y):
    """Whether points lie inside of a polygon, by the parity of the edges that a ray crosses.

    Parameters
    ----------
    polygon : array (vertices, 2)
        x and y, in order; the last is joined to the first.
    x, y : array (points,)

    Returns
    -------
    array of bool (points,)

    References
    ----------
    M. Shimrat, Commun. ACM 5 (1962) 434.

    Examples
    --------
    >>> inside_polygon([(0, 0), (2, 0), (0, 2)], np.array([0.5, 1.5]), np.array([0.5, 1.5]))
    array([ True, False])
    """
    polygon = np.asarray(polygon, dtype=float)
    inside = np.zeros(len(x), dtype=bool)
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    near = np.flatnonzero((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))
    # Sorted by height, the points between the ends of an edge are neighbours.
    near = near[np.argsort(y[near], kind="stable")]
    heights, across = y[near], x[near]
    odd = np.zeros(len(near), dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        between = slice(*np.searchsorted(heights, sorted((y0, y1))))
        crossing = x0 + (heights[between] - y0) * (x1 - x0) / (y1 - y0)
        odd[between] ^= across[between] < crossing
    inside[near] = odd
    return inside


def inside_rectangle(corners, x, y):
    """Whether points lie inside of a rectangle given by two opposite corners (x, y)."""
    (x0, y0), (x1, y1) = corners
    return (x >= min(x0, x1)) & (x <= max(x0, x1)) & (y >= min(y0, y1)) & (y <= max(y0, y1))


def inside_map(shape, place, corners, inside):
    """Pixels of one map of a stack, or of the only one, whose centres lie inside of a drawing.

    Along a line scan, only where the drawing begins and ends counts.

    Parameters
    ----------
    shape : tuple of int
        Of the map.
    place : tuple of int
        Of the map in the stack; () without one.
    corners : array (points, 2)
        Columns and rows.
    inside : callable
        `inside_polygon` or `inside_rectangle`.

    Returns
    -------
    array of bool (map shape)
    """
    corners = np.asarray(corners)
    if len(shape) == 1:
        column = np.arange(shape[0])
        return (column >= corners[:, 0].min()) & (column <= corners[:, 0].max())
    mask = np.zeros(shape, dtype=bool)
    rows, columns = np.indices(shape[-2:]).reshape(2, -1)
    mask[place] = inside(corners, columns, rows).reshape(shape[-2:])
    return mask


def rectangle_of(mask):
    """Places (start, end) along each axis of a mask that is one full block, else None.

    Examples
    --------
    >>> mask = np.zeros((3, 4), dtype=bool)
    >>> mask[1:, 2:4] = True
    >>> rectangle_of(mask)
    ((1, 3), (2, 4))
    """
    if not mask.any():
        return None
    ends = []
    for axis in range(mask.ndim):
        others = tuple(n for n in range(mask.ndim) if n != axis)
        places = np.flatnonzero(mask.any(axis=others))
        ends.append((int(places[0]), int(places[-1]) + 1))
    block = mask[tuple(slice(*of) for of in ends)]
    return tuple(ends) if block.all() else None
