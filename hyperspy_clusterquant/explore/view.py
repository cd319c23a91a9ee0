"""What the mouse does, told to the model, and what the model knows, drawn."""

from __future__ import annotations

import textwrap

import numpy as np

from hyperspy_clusterquant.explore.geometry import (
    inside_map,
    inside_polygon,
    inside_rectangle,
)
from hyperspy_clusterquant.explore.panels import LONGEST_NAME, MOST_ROWS, NONE, Panels
from hyperspy_clusterquant.explore.pencil import TOOLS, Pencil
from hyperspy_clusterquant.explore.pictures import ScoreGrid, colour_table, label_image, veil
from hyperspy_clusterquant.explore.session import AGAINST
from hyperspy_clusterquant.explore.steps import NOTHING, in_steps, steps_of
from hyperspy_clusterquant.plotting.style import (
    LOWEST_ENERGY,
    MASK_COLOUR,
    NOISE_COLOUR,
    cluster_colours,
    shortened,
)

#: Longest name of what a selection is compared with, in letters.
LONGEST_CAPTION = 38
#: Height of a row of the table of clusters.
ROW = 0.034


class View:
    """The window: events in, pictures out.

    Parameters
    ----------
    session : Session
    lines : dict of str: float
        X-ray lines to mark, and their energies in keV.
    act : callable
        Does what a button of the group "edit" says, with the numbers of the ticked clusters.
    """

    def __init__(self, session, lines, act):
        self.session, self._act = session, act
        self.place = (0,) * (session.keep.ndim - 2)  # of the map that is shown, in a stack
        self.ticked = []
        self.first_row = 0  # of the table of clusters, in a long one
        self.pencil = Pencil()
        self.hovered = None
        self._spectrum_of = None
        self._message = ""
        energy = session.counts.pixels.energy
        highest = max(lines.values()) * 1.1 + 0.3 if lines else energy[-1]
        self._steps = steps_of(energy, LOWEST_ENERGY, min(highest, energy[-1]))
        kept = session.labels[session.keep]
        self.grid = ScoreGrid.of(session.plane, kept)
        self._flat = np.flatnonzero(session.keep.ravel())
        self._number = np.full(session.keep.size, -1)
        self._number[self._flat] = np.arange(len(self._flat))
        table = self._colours()
        self.panels = Panels(
            self._shown(label_image(session.labels, table)),
            session.source.axes[-2:],
            self.grid,
            self.grid.density_image(kept, table),
            lines,
            *self._whole_map(),
        )
        self._events = [
            self.canvas.mpl_connect(name, handle)
            for name, handle in (
                ("button_press_event", self._press),
                ("motion_notify_event", self._move),
                ("button_release_event", self._release),
                ("key_press_event", self._key),
                ("scroll_event", self._scroll),
                ("close_event", self._closed),
            )
        ]
        self._is_closed = False
        self.choose("lasso")
        self.choose("cluster")
        self.show_clusters()

    @property
    def canvas(self):
        """Of the window."""
        return self.panels.figure.canvas

    def close(self):
        """Close the window."""
        import matplotlib.pyplot as plt

        for event in self._events:
            self.canvas.mpl_disconnect(event)
        self._events = []
        self._is_closed = True
        plt.close(self.panels.figure)

    def _closed(self, event):
        self._is_closed = True

    @property
    def is_open(self):
        """Whether somebody may see the window."""
        import matplotlib.pyplot as plt

        return not self._is_closed and plt.fignum_exists(self.panels.figure.number)

    # --- what is shown --------------------------------------------------------------------

    def _colours(self):
        """Of each number the colour that it has in the result, where clusters are in order."""
        colours = [NOISE_COLOUR] * self.session.editor.n_numbers
        numbers = list(self.session.names)
        for number, colour in zip(numbers, cluster_colours(len(numbers)), strict=True):
            colours[number] = colour
        return colour_table(colours, NOISE_COLOUR, MASK_COLOUR)

    def _shown(self, image):
        """Of a stack the map that is shown; a line scan as one row."""
        image = image[self.place]
        return image if self.session.keep.ndim > 1 else image[None]

    def _drawn(self, counts):
        """Energies and shares of counts (channels,) as they are drawn."""
        return in_steps(counts, self.session.counts.pixels.energy, self._steps)

    def _whole_map(self):
        """Spectrum of the whole map, and the lowest and highest share that is drawn."""
        energy, share = self._drawn(self.session.counts.sums(self.session.keep)[0])
        shown = share[share > NOTHING]
        if not len(shown):
            return (energy, share), (1e-6, 1.0)
        return (energy, share), (float(np.quantile(shown, 0.05)) / 8, float(shown.max()) * 4)

    def show_clusters(self):
        """Draw everything anew, as after an edit."""
        session, panels, table = self.session, self.panels, self._colours()
        panels.label_image.set_data(self._shown(label_image(session.labels, table)))
        panels.density.set_data(self.grid.density_image(session.labels[session.keep], table))
        if session.keep.ndim > 2:
            panels.map.set_title(
                f"Map {self.place} of {session.keep.shape[:-2]}: , and . turn the pages",
                fontsize=8, loc="left",
            )  # fmt: skip
        self.ticked = [number for number in self.ticked if number in session.names]
        self._fill_table(table)
        self._fill_selection()
        self.canvas.draw()

    def _fill_table(self, table):
        session, panels = self.session, self.panels
        labels = session.labels[session.labels >= 0]
        sizes = np.bincount(labels, minlength=session.editor.n_numbers)
        numbers = list(session.names)
        self.first_row = min(self.first_row, max(len(numbers) - MOST_ROWS, 0))
        shown = numbers[self.first_row : self.first_row + MOST_ROWS]
        for row, (mark, text) in enumerate(panels.rows):
            is_there = row < len(shown)
            y = self._row_height(row)
            mark.set_data([0.03] if is_there else [np.nan], [y])
            text.set_position((0.085, y))
            text.set_text("")
            if is_there:
                number = shown[row]
                name = shortened(session.names[number], LONGEST_NAME)
                tick = "☑ " if number in self.ticked else "☐ "
                more = len(numbers) - MOST_ROWS
                rest = f"  ({more} more: scroll)" if row == MOST_ROWS - 1 and more > 0 else ""
                text.set_text(f"{tick}{name}  {sizes[number]} px{rest}")
                mark.set_color(table[number] / 255)
        panels.place_verdict(self._row_height(min(len(numbers), MOST_ROWS)) - 0.01)
        note = (
            "Drawn is one half of the counts; verdicts and compositions are of the other."
            if session.honest
            else "Drawn are all of the counts: selections cannot be tested with them."
        )
        panels.note.set_position((0.0, 0.0))
        panels.note.set_text(textwrap.fill(self._message or note, 50))

    def _row_height(self, row):
        return 0.985 - ROW * row

    def say(self, message):
        """Write a message to the user, where the note on the counts is otherwise."""
        self._message = message
        self._fill_table(self._colours())
        self.panels.refresh(self.panels.table)

    def _fill_selection(self):
        """Selected pixels, spectra, and the verdict."""
        session, panels, mask = self.session, self.panels, self.session.mask
        for hidden in (panels.map_veil, panels.score_veil):
            hidden.set_visible(bool(mask.any()))
        panels.map_veil.set_data(self._shown(veil(mask)))
        panels.score_veil.set_data(self.grid.selected_image(mask[session.keep]))
        lines = (panels.selection_line, panels.others_line)
        if not mask.any():
            for line, caption in zip(lines, panels.captions, strict=False):
                line.set_data([np.nan], [np.nan])
                caption.set_text("")
            panels.show_verdict("", "", NONE)
            return
        others, words = session.others
        counts = session.spectra
        captions = (
            f"selection, {int(mask.sum())} px",
            f"{shortened(words, LONGEST_CAPTION)}, {int(others.sum())} px",
        )
        for line, caption, of, text in zip(lines, panels.captions, counts, captions, strict=False):
            line.set_data(*self._drawn(of))
            caption.set_text(text)
        question = session.question
        known = question is not None and question.compared.changes is not None
        beyond = ", beyond absorption" if known else ""
        panels.write_verdict(session.verdict(), beyond)

    def show_selection(self):
        """Draw what a new selection changes."""
        self._message = ""
        self._fill_table(self._colours())
        self._fill_selection()
        panels = self.panels
        panels.refresh(panels.map, panels.scores, panels.spectrum, panels.table)

    def show_pixel(self, flat, with_spectrum=False):
        """Mark a pixel on the map and among the scores; None hides the marks."""
        panels, session = self.panels, self.session
        changed = [panels.map, panels.scores]
        on_map, in_scores = ([np.nan], [np.nan]), ([np.nan], [np.nan])
        if flat is not None:
            place = np.unravel_index(flat, session.keep.shape)
            *page, row, column = place if len(place) > 1 else (0, *place)
            if tuple(page) == self.place:
                on_map = np.reshape(panels.place_of(column, row), (2, 1))
            if self._number[flat] >= 0:
                in_scores = np.reshape(session.plane[self._number[flat]], (2, 1))
        panels.map_mark.set_data(*on_map)
        panels.score_mark.set_data(*in_scores)
        if with_spectrum and flat is not None:
            panels.pixel_line.set_data(*self._drawn(session.spectrum_of_pixel(place)))
            name = shortened(self._name_of(flat), LONGEST_NAME)
            panels.captions[2].set_text(f"pixel {tuple(map(int, place[::-1]))}, {name}")
            changed.append(panels.spectrum)
        self.hovered = flat
        panels.refresh(*changed)

    def _name_of(self, flat):
        label = int(self.session.labels.flat[flat])
        return self.session.names.get(label, {-2: "left out"}.get(label, "noise"))

    # --- what the mouse does --------------------------------------------------------------

    def choose(self, name):
        """Take a tool, or what selections are compared with."""
        group = TOOLS if name in TOOLS else AGAINST
        for other in group:
            self.panels.press_button(other, other == name)
        if name in TOOLS:
            self.pencil = Pencil(name)
        else:
            self.session.against = name

    def _where(self, event):
        """Axes of the map or of the scores that an event is in, or None."""
        toolbar = getattr(self.canvas, "toolbar", None)
        if toolbar is not None and str(getattr(toolbar, "mode", "")):
            return None  # zooming
        return event.inaxes if event.inaxes in (self.panels.map, self.panels.scores) else None

    def _press(self, event):
        if event.button != 1 or self.panels.click_field(event):
            return
        where = self._where(event)
        if where is not None:
            place, screen = (event.xdata, event.ydata), (event.x, event.y)
            if self.pencil.press(where, place, screen, bool(event.dblclick)):
                self._complete()
            else:
                self._draw_path()
        elif (name := self.panels.button_at(event)) is not None:
            self._button(name)
        elif event.inaxes is self.panels.table:
            self._tick(int((self._row_height(-0.5) - event.ydata) / ROW))

    def _move(self, event):
        where = self._where(event)
        if self.pencil.is_drawing:
            place, screen = (event.xdata, event.ydata), (event.x, event.y)
            if where is not None and self.pencil.move(where, place, screen):
                self._draw_path()
        elif where is not None and (flat := self._pixel_at(event)) != self.hovered:
            self.show_pixel(flat, with_spectrum=flat is not None)

    def _release(self, event):
        if event.button != 1:
            return
        done = self.pencil.release()
        if done == "shape":
            self._complete()
        elif done == "click":
            self.pencil.stop()
            self._draw_path(everywhere=True)
            if self._where(event) is not None:
                self.show_pixel(self._pixel_at(event), with_spectrum=True)

    def _scroll(self, event):
        """The wheel over the table moves it."""
        if event.inaxes is self.panels.table:
            self.first_row = max(self.first_row - int(np.sign(event.step)), 0)
            self._fill_table(self._colours())
            self.panels.refresh(self.panels.table)

    def _key(self, event):
        if self.panels.takes_key(event.key):
            return
        if event.key == "escape":
            self.pencil.stop()
            self._draw_path(everywhere=True)
        elif event.key in (",", ".") and self.session.keep.ndim > 2:
            shape = self.session.keep.shape[:-2]
            step = 1 if event.key == "." else -1
            page = (np.ravel_multi_index(self.place, shape) + step) % np.prod(shape)
            self.place = tuple(map(int, np.unravel_index(page, shape)))
            self.show_clusters()

    def _pixel_at(self, event):
        """Flat number of the pixel at an event on the map or among the scores, or None."""
        if event.inaxes is self.panels.scores:
            near = self.grid.nearest(event.xdata, event.ydata, self.session.plane)
            return None if near is None else int(self._flat[near])
        shape = self.session.keep.shape
        ((column, row),) = np.rint(self.panels.pixels_at([(event.xdata, event.ydata)])).astype(int)
        place = (*self.place, row, column) if len(shape) > 1 else (column,)
        if not all(0 <= at < size for at, size in zip(place, shape, strict=True)):
            return None
        return int(np.ravel_multi_index(place, shape))

    def _draw_path(self, everywhere=False):
        axes = (self.panels.map, self.panels.scores) if everywhere else (self.pencil.where,)
        for ax in axes:
            outline = self.pencil.outline if ax is self.pencil.where else np.full((1, 2), np.nan)
            self.panels.show_path(ax, outline)
        self.panels.refresh(*axes)

    def _complete(self):
        """Select what was drawn around."""
        where, outline = self.pencil.where, self.pencil.outline
        is_rectangle = self.pencil.tool == "rectangle"
        self.pencil.stop()
        for ax in (self.panels.map, self.panels.scores):
            self.panels.show_path(ax, np.full((1, 2), np.nan))
        corners = outline[[0, 2]] if is_rectangle else outline
        inside = inside_rectangle if is_rectangle else inside_polygon
        self.session.select(
            inside_map(self.session.keep.shape, self.place, self.panels.pixels_at(corners), inside)
            if where is self.panels.map
            else self._in_scores(corners, inside)
        )
        self.show_selection()

    def _in_scores(self, corners, inside):
        """Pixels of all maps whose scores lie inside."""
        mask = np.zeros(self.session.keep.shape, dtype=bool)
        mask.flat[self._flat] = inside(corners, *self.session.plane.T)
        return mask

    def _button(self, name):
        if name in TOOLS or name in AGAINST:
            self.choose(name)
            if name in AGAINST:
                self._fill_selection()
            self.canvas.draw()
            return
        try:
            self._act(name, self.ticked)
        except ValueError as error:
            self.say(str(error))

    def _tick(self, row):
        numbers = list(self.session.names)[self.first_row :][:MOST_ROWS]
        if 0 <= row < len(numbers):
            number = numbers[row]
            if number in self.ticked:
                self.ticked.remove(number)
            else:
                self.ticked.append(number)
            self._fill_table(self._colours())
            self.panels.refresh(self.panels.table)
