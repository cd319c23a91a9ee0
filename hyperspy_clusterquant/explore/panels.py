"""The window of the explorer: what is drawn where, and redrawn without drawing the rest."""

from __future__ import annotations

import textwrap

import numpy as np

from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.plotting.style import draw_map, line_label, open_frame

SELECTION, OTHERS, PIXEL = "#D62728", "0.45", "#1F77B4"
#: Colours of the words of a verdict: real, not told apart, none.
REAL, NOT_REAL, NONE = "#1B7837", "#B35806", "0.35"
#: Said where notebooks show pictures, as they do if they are told nothing else.
DEAD = (
    "The explorer is only a picture here, which no mouse reaches. Run %matplotlib widget first (it "
    "needs ipympl: pip install hyperspy-clusterquant[notebook]), and then explore_clusters again. "
    "Its methods work anyway, such as explorer.select(mask)."
)
#: Groups of buttons with their captions, in rows.
BUTTONS = (
    (("select", ("rectangle", "polygon", "lasso")), ("compare with", ("cluster", "rest"))),
    (("edit", ("new", "add", "split", "merge", "drop", "rename", "undo", "redo")),),
)
#: Inches: no wider than the column of a notebook beside the list of files, and so high that it is
#: seen as a whole.
SIZE = 8.4, 6.9
#: Left of it, a toolbar may lie on the window, as a share of its width.
TOOLBAR = 0.058
#: Canvases of browsers send what changed since the last picture, unless a pixel lets something
#: through; where pictures follow each other faster than they are shown, some are never, and what
#: changed in them stays wrong. White that lets almost nothing through makes all pictures whole.
WHITE = 1.0, 1.0, 1.0, 254 / 255
#: Pixels of the screen between the word of a button and its frame.
FRAME = 5
#: Longest name of a cluster in the table, in letters.
LONGEST_NAME = 24
#: Letters in a line of a verdict, and its height as a share of the axes.
WIDTH, LINE = 36, 0.026
#: Written below its numbers, as p of an element may be large where the verdict's is small.
P_IS = "p: of each element alone{};\nthe verdict is of all elements together"
#: Of axes without frame: ticks made at the first click would have the window drawn again.
NO_TICKS = {"xticks": (), "yticks": ()}
#: Rows of the table of clusters that fit; the wheel of the mouse shows others.
MOST_ROWS = 14
#: Width of the name of an X-ray line as a share of the energies; inches that captions above axes
#: take, and a scale bar below.
BESIDE, ABOVE, BELOW = 0.07, 0.34, 0.3


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

        if "inline" in plt.get_backend():
            warn(DEAD)
        self.figure = plt.figure(figsize=SIZE, facecolor=WHITE)
        layout = self.figure.add_gridspec(
            2, 3, height_ratios=[1, 1.15], width_ratios=[1, 1, 1.36],
            left=TOOLBAR + 0.02, right=0.99, bottom=0.07, top=0.865, wspace=0.15, hspace=0.32,
        )  # fmt: skip
        self.map = self.figure.add_subplot(layout[0, 0])
        self.scores = self.figure.add_subplot(layout[0, 1])
        self.spectrum = self.figure.add_subplot(layout[1, :2])
        self.table = self.figure.add_subplot(layout[:, 2])
        self.buttons = self.figure.add_axes((TOOLBAR, 0.905, 0.99 - TOOLBAR, 0.09))
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
        self.map.set_anchor("N")
        self.map.set_title("Map", fontsize=8, loc="left")
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
        self.scores.set_title("Scores: the plane of best separation", fontsize=8, loc="left")
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
            self._text(ax, x, y, color=colour, va="bottom", ha=ha)
            for x, y, ha, colour in (
                (0, 1.075, "left", SELECTION),
                (1, 1.075, "right", OTHERS),
                (0, 1.01, "left", PIXEL),
            )
        ]

    def _draw_table(self):
        self.table.set_axis_off()
        self.table.set(xlim=(0, 1), ylim=(0, 1), **NO_TICKS)
        self.rows = [
            (
                self._line(self.table, marker="s", ms=8, ls="", mec="0.3", mew=0.6),
                self._text(self.table, 0.085, 0.0, va="center", fontsize=8),
            )
            for _ in range(MOST_ROWS)
        ]
        self.verdict = self._text(self.table, 0.0, 0.0, fontsize=8.5, fontweight="bold")
        self.details = self._text(self.table, 0.0, 0.0, fontsize=7, family="monospace")
        self.note = self._text(self.table, 0.0, 0.0, fontsize=7.5, color="0.35", va="bottom")

    def _draw_buttons(self):
        self.buttons.set_axis_off()
        self.buttons.set(xlim=(0, 1), ylim=(0, 1), **NO_TICKS)
        texts = {}
        for row, y in zip(BUTTONS, (0.8, 0.3), strict=True):
            x = 0.0
            for caption, group in row:
                self.buttons.text(x, y, caption, fontsize=8, color="0.4", va="center")
                x += 0.0085 * len(caption) + 0.014
                for name in group:
                    box = {"boxstyle": "round,pad=0.35", "fc": "0.94", "ec": "0.6", "lw": 0.7}
                    width = 0.0092 * len(name) + 0.024
                    texts[name] = self.buttons.text(
                        x + width / 2, y, name, fontsize=8.5, ha="center", va="center", bbox=box
                    )
                    x += width + 0.006
                x += 0.03
        return texts

    def _draw_field(self):
        from matplotlib.widgets import TextBox

        field = self.figure.add_axes((0.68, 0.917, 0.31, 0.034))
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
        # With its parts: they say that they changed when they are drawn, such as those of a scale
        # bar, and the window would be drawn again, without end.
        for part in artist.findobj():
            part.set_animated(True)
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
        if hasattr(canvas, "copy_from_bbox"):
            self._backgrounds = {ax: canvas.copy_from_bbox(_around(ax)) for ax in self._animated}
        for ax in self._animated:
            self._draw_animated(ax)

    def refresh(self, *axes):
        """Draw what changes in some axes, and nothing else."""
        from matplotlib.transforms import Bbox

        canvas = self.figure.canvas
        if not hasattr(canvas, "restore_region") or not self._backgrounds:
            canvas.draw()  # for the first time, or on a canvas that cannot keep anything
            return
        for ax in axes:
            canvas.restore_region(self._backgrounds[ax])
            self._draw_animated(ax)
        canvas.blit(Bbox.union([_around(ax) for ax in axes]))  # once: it is sent to browsers

    def _draw_animated(self, ax):
        for artist in self._animated[ax]:
            artist.is_asked = True
            ax.draw_artist(artist)
            artist.is_asked = False

    def show_path(self, where, outline):
        """Draw a line on the map or among the scores; an empty one hides it."""
        line = self.map_path if where is self.map else self.score_path
        line.set_data(outline[:, 0], outline[:, 1])

    def write_verdict(self, verdict, beyond):
        """Write a verdict, its numbers, and `beyond` what they are."""
        head, *table = repr(verdict).splitlines()
        if table and verdict.honest:
            table.append(P_IS.format(beyond))
        colour = NONE
        if verdict.honest and verdict.kind is not None:
            colour = REAL if verdict.is_distinct else NOT_REAL
        self.show_verdict("\n".join(table), head, colour)

    def show_verdict(self, told, words, colour):
        """Write a verdict and its numbers below the table of clusters."""
        lines = textwrap.wrap(words.replace("(p < ", "(p\u00a0<\u00a0"), WIDTH)
        self.verdict.set(text="\n".join(lines), color=colour)
        self.details.set_text(told)
        self.place_verdict(self.verdict.get_position()[1])

    def place_verdict(self, top):
        """Put the verdict where the table of clusters ends, and its numbers where it ends."""
        n_lines = self.verdict.get_text().count("\n") + 1
        self.verdict.set_position((0.0, top))
        self.details.set_position((0.0, top - LINE * n_lines - 0.012))


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
    """The part of the canvas that axes draw on, with the captions above and what is below it."""
    from matplotlib.transforms import Bbox

    (left, bottom), (right, top) = ax.bbox.min, ax.bbox.max
    dpi = ax.figure.dpi
    return Bbox([(left - 2, bottom - BELOW * dpi), (right + 2, top + ABOVE * dpi)])
