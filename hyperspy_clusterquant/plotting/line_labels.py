"""Names of X-ray lines above spectra: none on another, none outside, none missing.

Where they have room is known when the axes are drawn, so they are placed then, and again in every
size of the window. Imported when something is drawn.
"""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from matplotlib.transforms import IdentityTransform
from scipy.optimize import isotonic_regression

#: Size of the names in points, and of the smallest where there are many.
SIZE, SMALLEST = 7.0, 4.0
#: Distance of two names in the height of their letters.
SPACING = 1.25
#: Share of the height of the axes that is kept free for the names.
BAND = 0.18
#: Between the frame, a name, its leader and the spectrum, in points.
GAP = 2.0


class LineLabels(Artist):
    """Names of lines in a band at the top of the axes, with leaders down to the spectra.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    names : list of str
    energies : array (n,)
        Where the lines lie on the horizontal axis.
    feet : array (n,)
        How far down the leaders go, on the vertical axis.
    """

    def __init__(self, ax, names, energies, feet):
        super().__init__()
        order = np.argsort(energies, kind="stable")
        self.energies, self.feet = (np.asarray(x, float)[order] for x in (energies, feet))
        self.names = [
            ax.text(0, 0, names[n], rotation=90, ha="center", va="top", color="0.25", fontsize=SIZE)
            for n in order
        ]
        self.leaders = LineCollection(
            [], colors="0.7", linewidths=0.6, transform=IdentityTransform(), zorder=0
        )
        for artist in (*self.names, self.leaders, self):
            artist.set_in_layout(False)
        self.leaders.set_zorder(0.5)
        # Before the names, which it places.
        self.set_zorder(-1)
        ax.add_collection(self.leaders, autolim=False)
        ax.add_artist(self)

    def draw(self, renderer):
        """Place the names and leaders; they draw themselves."""
        if not self.names:
            return
        box = self.axes.bbox
        pixels = renderer.points_to_pixels(1.0)
        for name in self.names:
            name.set_fontsize(SIZE)
        boxes = [name.get_window_extent(renderer) for name in self.names]
        width, height = max(b.width for b in boxes), max(b.height for b in boxes)
        room = box.width / (SPACING * width * len(boxes))
        scale = min(1.0, room, (BAND * box.height - 3 * GAP * pixels) / height)
        scale = max(scale, SMALLEST / SIZE)
        at = self.axes.transData.transform(np.column_stack([self.energies, self.feet]))
        margin = scale * width / 2 + GAP * pixels
        distance = min(SPACING * scale * width, (box.width - 2 * margin) / max(len(at) - 1, 1))
        places = spread(at[:, 0], distance, box.x0 + margin, box.x1 - margin)
        top = box.y1 - GAP * pixels
        inside = self.axes.transAxes.inverted()
        leaders = []
        for name, extent, place, (x, foot) in zip(self.names, boxes, places, at, strict=True):
            name.set_fontsize(SIZE * scale)
            name.set_position(inside.transform((place, top)))
            name.set_transform(self.axes.transAxes)
            below = top - scale * extent.height - GAP * pixels
            # Slanted only where the name is not above its line.
            bend = box.y1 - BAND * box.height - GAP * pixels
            foot = np.clip(foot + GAP * pixels, box.y0, bend)
            leaders.append([(place, below), (x, bend), (x, foot)])
        self.leaders.set_segments(leaders)


def spread(wanted, distance, low, high):
    """Ascending places with a distance between them, as near to the wanted ones as can be.

    Least squares by isotonic regression; all lie between `low` and `high`, if there is room.
    """
    steps = distance * np.arange(len(wanted))
    free = isotonic_regression(np.asarray(wanted) - steps).x
    return np.clip(free, low, max(high - steps[-1], low)) + steps
