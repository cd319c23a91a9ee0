"""A mouse for windows of matplotlib: real events, at places of their axes."""

import numpy as np
from matplotlib.backend_bases import KeyEvent, MouseEvent


class Mouse:
    def __init__(self, figure):
        self.canvas = figure.canvas
        self.canvas.draw()

    def _send(self, name, ax, place, **how):
        x, y = ax.transData.transform(place)
        event = MouseEvent(name, self.canvas, x, y, **how)
        self.canvas.callbacks.process(name, event)

    def move(self, ax, place):
        self._send("motion_notify_event", ax, place)

    def click(self, ax, place, **how):
        self._send("button_press_event", ax, place, button=1, **how)
        self._send("button_release_event", ax, place, button=1)

    def drag(self, ax, places):
        """Press at the first place, move along the others, and let go at the last."""
        self._send("button_press_event", ax, places[0], button=1)
        for place in places[1:]:
            self._send("motion_notify_event", ax, place, button=1)
        self._send("button_release_event", ax, places[-1], button=1)

    def push(self, text):
        """Click on a text, such as a button."""
        box = text.get_window_extent(self.canvas.get_renderer())
        x, y = np.mean(box.get_points(), axis=0)
        for name in ("button_press_event", "button_release_event"):
            self.canvas.callbacks.process(name, MouseEvent(name, self.canvas, x, y, button=1))

    def key(self, key):
        self.canvas.callbacks.process(
            "key_press_event", KeyEvent("key_press_event", self.canvas, key)
        )


def circle(centre, radius, n=40):
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.c_[centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)]
