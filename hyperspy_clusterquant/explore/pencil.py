"""Rectangles, polygons and lassos, drawn with the mouse on one of several axes."""

from __future__ import annotations

import numpy as np

TOOLS = ("rectangle", "polygon", "lasso")
#: Pixels of the screen by which the mouse moves in a click, and near which a polygon is closed.
CLICK, CLOSE = 4.0, 8.0


class Pencil:
    """What is being drawn: places on axes and on the screen. It knows no events.

    A rectangle and a lasso are drawn with the button down. The corners of a polygon are clicked;
    a click on the first one, or a double click, closes it.

    Parameters
    ----------
    tool : {"rectangle", "polygon", "lasso"}
    """

    def __init__(self, tool="lasso"):
        self.tool = tool
        self.stop()

    def stop(self):
        """Forget what was begun."""
        self.where, self.points, self._corners, self._moved = None, [], [], False

    @property
    def is_drawing(self):
        """Whether something was begun."""
        return self.where is not None

    def press(self, where, place, screen, double=False):
        """The button goes down at a place of some axes and of the screen; True if that completes.

        Parameters
        ----------
        where : hashable
            Which axes.
        place, screen : tuple of float
        double : bool
            Whether it is the second of a double click.
        """
        if self.tool != "polygon" or self.where != where:
            self.stop()
            self.where, self.points, self._corners = where, [place, place], [screen]
            return False
        if len(self._corners) > 2 and (double or _apart(screen, self._corners[0]) <= CLOSE):
            self.points.pop()
            return True
        if not double:
            self.points[-1:] = [place, place]
            self._corners.append(screen)
        return False

    def move(self, where, place, screen):
        """The mouse moves; True if the drawing changes."""
        if self.where is None or where != self.where:
            return False
        self._moved = self._moved or _apart(screen, self._corners[0]) > CLICK
        if self.tool == "lasso":
            self.points.append(place)
        else:
            self.points[-1] = place
        return True

    def release(self):
        """The button goes up: "shape" if that completes one, "click" if nothing was drawn."""
        if self.where is None or self.tool == "polygon":
            return None
        return "shape" if self._moved else "click"

    @property
    def outline(self):
        """The line to draw, closed, array (points, 2); of nothing, one point that is NaN."""
        if not self.points:
            return np.full((1, 2), np.nan)
        if self.tool == "rectangle":
            (x0, y0), (x1, y1) = self.points[0], self.points[-1]
            return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], dtype=float)
        return np.array([*self.points, self.points[0]], dtype=float)


def _apart(one, other):
    return float(np.hypot(one[0] - other[0], one[1] - other[1]))
