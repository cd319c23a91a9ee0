"""The window of the explorer: what is drawn where, and redrawn without drawing the rest."""

from __future__ import annotations

import textwrap

import numpy as np

from hyperspy_clusterquant.plotting.style import draw_map, line_label, open_frame

SELECTION, OTHERS, PIXEL = "#D62728", "0.45", "#1F77B4"
#: Colours of the words of a verdict: real, not told apart, none.
REAL, NOT_REAL, NONE = "#1B7837", "#B35806", "0.35"
BUTTONS = (
    ("rectangle", "polygon", "lasso"),
    ("new", "add", "split", "merge", "drop", "rename", "undo", "redo"),
    ("cluster", "rest"),
)
#: Pixels of the screen between the word of a button and its frame.
FRAME = 5
#: Longest name of a cluster in the table, in letters.
LONGEST_NAME = 26
#: Rows of the table of clusters that fit; the wheel of the mouse shows others.
MOST_ROWS = 14
#: Width of the name of an X-ray line as a share of the energies; height of the captions in inches.
BESIDE, ABOVE = 0.045, 0.2
#: Spectra are drawn in so many steps at most; of few counts, in wider ones, until a step holds so
#: many on average, or is so wide (keV): peaks are hardly wider.
MOST_STEPS, MANY_COUNTS, WIDEST = 700, 20.0, 0.085
#: What is drawn of no counts on a logarithmic scale, far below the picture.
NOTHING = 1e-12


class Panels:
    """Axes and artists of the window.

    Parameters
    ----------
    image : array of bytes (rows, columns, 4)
        Colours of the map, or of the first one of a stack.
    map_axes : sequence of dict
        The last two navigation axes, or the only one.
    grid : ScoreGrid
    density : array of bytes
        Picture of the scores.
    lines : dict of str: float
        X-ray lines to mark and their energies.
    whole : tuple of arrays (steps,)
        Energies in keV, and the spectrum of the whole map.
    limits : tuple of float
        Lowest and highest share of counts that is drawn.
    """

    def __init__(self, image, map_axes, grid, density, lines, whole, limits):
        import matplotlib.pyplot as plt

        self.figure = plt.figure(figsize=(12.4, 7.6))
        layout = self.figure.add_gridspec(
            2, 3, height_ratios=[1.35, 1], width_ratios=[1.1, 1, 0.86],
            left=0.045, right=0.985, bottom=0.075, top=0.885, wspace=0.17, hspace=0.2,
        )  # fmt: skip
        self.map = self.figure.add_subplot(layout[0, 0])
        self.scores = self.figure.add_subplot(layout[0, 1])
        self.spectrum = self.figure.add_subplot(layout[1, :2])
        self.table = self.figure.add_subplot(layout[:, 2])
        self.buttons = self.figure.add_axes((0.02, 0.915, 0.965, 0.075))
        self._backgrounds = {}
        self._animated = {ax: [] for ax in (self.map, self.scores, self.spectrum, self.table)}
        self._draw_map(image, map_axes)
        self._draw_scores(grid, density)
        self._draw_spectrum(lines, *whole, limits)
        self._draw_table()
        self.button_texts = self._draw_buttons()
        self._field = self._draw_field()
        self.figure.canvas.mpl_connect("draw_event", self._after_draw)

    # --- once -----------------------------------------------------------------------------

    def _draw_map(self, image, map_axes):
        values = np.zeros(image.shape[:-1] if len(map_axes) > 1 else image.shape[1:-1])
        self.label_image = draw_map(self.map, values, map_axes)
        self.label_image.set_data(image)
        self.map.set_title("Map", fontsize=9, loc="left")
        place = {"extent": self.label_image.get_extent(), "origin": "upper"}
        self.map_veil = self._add(self.map, veil_on(self.map, image.shape[:2], **place))
        for bar in self.map.artists:  # the scale bar stays above the veil
            self._add(self.map, bar)
        self.map_path = self._line(self.map, color="black", lw=1.2, zorder=4)
        self.map_mark = self._line(
            self.map, marker="s", ms=9, mfc="none", mec="black", mew=1.4, ls="", zorder=5
        )

    def _draw_scores(self, grid, density):
        how = {"origin": "lower", "extent": grid.extent}
        self.density = self.scores.imshow(density, interpolation="nearest", aspect="auto", **how)
        self.score_veil = self._add(self.scores, veil_on(self.scores, density.shape[:2], **how))
        self.score_path = self._line(self.scores, color="black", lw=1.2, zorder=4)
        self.score_mark = self._line(
            self.scores, marker="o", ms=9, mfc="none", mec="black", mew=1.4, ls="", zorder=5
        )
        self.scores.set_title("Scores: the plane that separates the clusters best", fontsize=9,
                              loc="left")  # fmt: skip
        self.scores.set_xlabel("Shot noise of a typical pixel = 1", fontsize=8, labelpad=1)
        self.scores.tick_params(labelsize=7)

    def _draw_spectrum(self, lines, energy, share, limits):
        ax = self.spectrum
        ax.set_yscale("log")
        ax.set_ylim(*limits)
        ax.set_xlim(energy[0], energy[-1])
        ax.plot(energy, share, color="0.83", lw=0.9, drawstyle="steps-mid", zorder=0.5)
        taken = [-np.inf] * 4
        for line, position in sorted(lines.items(), key=lambda item: item[1]):
            if not energy[0] < position < energy[-1]:
                continue
            row = next((k for k, end in enumerate(taken) if position > end), len(taken) - 1)
            taken[row] = position + BESIDE * (energy[-1] - energy[0])
            ax.axvline(position, color="0.88", lw=0.8, zorder=0)
            ax.text(position, 0.99 - 0.055 * row, line_label(line), fontsize=7, color="0.4",
                    ha="center", va="top", transform=ax.get_xaxis_transform())  # fmt: skip
        ax.set_xlabel("Energy (keV); light grey: the whole map", fontsize=8, labelpad=1)
        ax.set_ylabel("Share of the counts", fontsize=8)
        ax.tick_params(labelsize=7)
        open_frame(ax)
        self.pixel_line = self._line(ax, color=PIXEL, lw=0.8, drawstyle="steps-mid")
        self.others_line = self._line(ax, color=OTHERS, lw=1.0, drawstyle="steps-mid")
        self.selection_line = self._line(ax, color=SELECTION, lw=1.0, drawstyle="steps-mid")
        self.captions = [
            self._text(ax, 0.34 * k, 1.015, color=colour, va="bottom")
            for k, colour in enumerate((SELECTION, OTHERS, PIXEL))
        ]

    def _draw_table(self):
        self.table.set_axis_off()
        self.table.set(xlim=(0, 1), ylim=(0, 1))
        self.rows = [
            (
                self._line(self.table, marker="s", ms=8, ls="", mec="0.3", mew=0.6),
                self._text(self.table, 0.085, 0.0, va="center", fontsize=8.5),
            )
            for _ in range(MOST_ROWS)
        ]
        self.verdict = self._text(self.table, 0.0, 0.0, fontsize=9, fontweight="bold")
        self.details = self._text(self.table, 0.0, 0.0, fontsize=8, family="monospace")
        self.note = self._text(self.table, 0.0, 0.0, fontsize=7.5, color="0.35", va="bottom")

    def _draw_buttons(self):
        self.buttons.set_axis_off()
        self.buttons.set(xlim=(0, 1), ylim=(0, 1))
        texts, x = {}, 0.0
        for group, caption in zip(BUTTONS, ("select", "edit", "compare with"), strict=True):
            self.buttons.text(x, 0.5, caption, fontsize=8, color="0.4", va="center")
            x += 0.0058 * len(caption) + 0.008
            for name in group:
                box = {"boxstyle": "round,pad=0.35", "fc": "0.94", "ec": "0.6", "lw": 0.7}
                width = 0.0062 * len(name) + 0.017
                texts[name] = self.buttons.text(
                    x + width / 2, 0.5, name, fontsize=8.5, ha="center", va="center", bbox=box
                )
                x += width + 0.004
            x += 0.022
        return texts

    def _draw_field(self):
        from matplotlib.widgets import TextBox

        field = self.figure.add_axes((0.762, 0.022, 0.222, 0.034))
        box = TextBox(field, "name ", textalignment="left")
        box.label.set_fontsize(8)
        box.text_disp.set_fontsize(8.5)
        box.text_disp.set_parse_math(False)
        box.set_active(False)  # or it would draw the window at every click elsewhere
        return box

    def click_field(self, event):
        """Begin to write into the field for names, or end it; True if it was clicked."""
        is_clicked = event.inaxes is self._field.ax
        if is_clicked:
            self._field.set_active(True)
            self._field.begin_typing()
        elif self._field.active:
            self._field.stop_typing()
            self._field.set_active(False)
        return is_clicked

    def takes_key(self, key):
        """Whether a key goes into the field for names; Escape and Enter end that."""
        is_typing = self._field.active
        if is_typing and key in ("escape", "enter"):
            self._field.stop_typing()
            self._field.set_active(False)
        return is_typing

    @property
    def name(self):
        """What was written into the field for names."""
        return self._field.text.strip()

    def clear_name(self):
        """Empty the field for names."""
        if self._field.text:
            self._field.set_val("")

    def _line(self, ax, **how):
        return self._add(ax, ax.plot([np.nan], [np.nan], **how)[0])

    def _text(self, ax, x, y, va="top", fontsize=8, **how):
        text = ax.text(x, y, "", va=va, fontsize=fontsize, transform=ax.transAxes, **how)
        text.set_parse_math(False)  # names may hold dollars
        return self._add(ax, text)

    def _add(self, ax, artist):
        artist.set_animated(True)
        self._animated[ax].append(artist)
        return artist

    def pixels_at(self, places):
        """Columns and rows (points, 2) of the map at places of its axes (points, 2), as floats.

        A line scan is drawn in the units of its axis, other maps in pixels.
        """
        (left, top), steps = self._pixel_grid()
        return (np.asarray(places, dtype=float) - (left, top)) / steps - 0.5

    def place_of(self, column, row):
        """Place on the axes of the map of the centre of a pixel."""
        (left, top), steps = self._pixel_grid()
        return (left, top) + (np.array([column, row]) + 0.5) * steps

    def _pixel_grid(self):
        """Corner of the first pixel on the axes of the map, and the size of a pixel there."""
        left, right, bottom, top = self.label_image.get_extent()
        n_rows, n_columns = self.label_image.get_array().shape[:2]
        return (left, top), np.array([(right - left) / n_columns, (bottom - top) / n_rows])

    # --- again and again ------------------------------------------------------------------

    def press_button(self, name, is_down):
        """Show which of several buttons is chosen."""
        self.button_texts[name].get_bbox_patch().set_facecolor("#BFD7EA" if is_down else "0.94")

    def button_at(self, event):
        """Name of the button at the place of an event, or None."""
        for name, text in self.button_texts.items():
            # Not its patch, which lies where it was drawn last, perhaps into a file.
            if text.get_window_extent().padded(FRAME).contains(event.x, event.y):
                return name
        return None

    def _after_draw(self, event):
        """Keep what does not change, and draw the rest upon it."""
        canvas = self.figure.canvas
        if canvas.is_saving():  # into a file, where everything was drawn
            return
        self._backgrounds = {}
        for ax in self._animated:
            if hasattr(canvas, "copy_from_bbox"):
                self._backgrounds[ax] = canvas.copy_from_bbox(_around(ax))
            self._draw_animated(ax)

    def refresh(self, *axes):
        """Draw what changes in some axes, and nothing else."""
        canvas = self.figure.canvas
        if not hasattr(canvas, "restore_region") or not self._backgrounds:
            canvas.draw()  # for the first time, or on a canvas that cannot keep anything
            return
        for ax in axes:
            canvas.restore_region(self._backgrounds[ax])
            self._draw_animated(ax)
            canvas.blit(_around(ax))

    def _draw_animated(self, ax):
        for artist in self._animated[ax]:
            artist.is_asked = True
            ax.draw_artist(artist)
            artist.is_asked = False

    def show_path(self, where, outline):
        """Draw a line on the map or among the scores; an empty one hides it."""
        line = self.map_path if where is self.map else self.score_path
        line.set_data(outline[:, 0], outline[:, 1])

    def write_verdict(self, verdict, below):
        """Write a verdict and its table below a height of the table of clusters."""
        head, *table = repr(verdict).splitlines()
        colour = NONE
        if verdict.honest and verdict.kind is not None:
            colour = REAL if verdict.is_distinct else NOT_REAL
        words = textwrap.wrap(head.replace("(p < ", "(p\u00a0<\u00a0"), 44)
        self.show_verdict("\n".join(table), "\n".join(words), colour)
        self.details.set_position((0.0, below - 0.026 * len(words) - 0.012))

    def show_verdict(self, told, words, colour):
        """Write a verdict and its numbers below the table of clusters."""
        self.verdict.set(text=words, color=colour)
        self.details.set_text(told)


def veil_on(ax, shape, **place):
    """A clear image (rows, columns) on axes, which is drawn when it is asked for, and in files.

    Versions of matplotlib before 3.9 draw all images, also those that are animated.
    """
    from matplotlib.image import AxesImage

    class Veil(AxesImage):
        is_asked = False

        def draw(self, renderer):
            if self.is_asked or self.figure.canvas.is_saving():
                super().draw(renderer)

    image = Veil(ax, interpolation="nearest", **place)
    image.set_data(np.zeros((*shape, 4), dtype=np.uint8))
    image.set_zorder(2)
    image.set_clip_path(ax.patch)
    ax.add_image(image)
    return image


def _around(ax):
    """The part of the canvas that axes draw on, with the captions above and lines on the edges."""
    from matplotlib.transforms import Bbox

    (left, bottom), (right, top) = ax.bbox.min, ax.bbox.max
    return Bbox([(left - 2, bottom - 2), (right + 2, top + ABOVE * ax.figure.dpi)])


def steps_of(energy, lowest, highest):
    """First channels of the steps that a spectrum is drawn in, between two energies.

    Parameters
    ----------
    energy : array (channels,)
        In keV, ascending.
    lowest, highest : float

    Returns
    -------
    array of int (steps + 1,)
        The last is the end of the last step.
    """
    low, high = np.searchsorted(energy, [lowest, highest])
    low = min(low, len(energy) - 1)
    factor = max(-(-(high - low) // MOST_STEPS), 1)
    starts = np.arange(low, high, factor)
    return np.append(starts, high) if len(starts) else np.array([0, len(energy)])


def in_steps(counts, energy, steps):
    """A spectrum as it is drawn: of few counts, in wider steps.

    Parameters
    ----------
    counts : array (channels,)
    energy : array (channels,)
        In keV.
    steps : array of int (steps + 1,)
        From `steps_of`.

    Returns
    -------
    energy : array (fewer steps,)
        In the middle of each step.
    share : array (fewer steps,)
        Of the counts, in a channel there; never zero, for logarithms.
    """
    width = (energy[-1] - energy[0]) / max(len(energy) - 1, 1) * (steps[1] - steps[0])
    per_step = counts.sum() / (len(steps) - 1)
    wider = 1
    while per_step * wider < MANY_COUNTS and 2 * wider * width < WIDEST:
        wider *= 2
    steps = np.unique([*steps[::wider], steps[-1]])
    summed = np.add.reduceat(counts[: steps[-1]], steps[:-1])
    middle = (energy[steps[:-1]] + energy[steps[1:] - 1]) / 2
    return middle, np.maximum(summed / np.diff(steps) / max(counts.sum(), 1), NOTHING)


def cut(text, length):
    """A text of at most so many letters."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
