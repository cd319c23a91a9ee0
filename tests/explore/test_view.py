"""The window, driven by real events of matplotlib."""

import subprocess
import sys
import textwrap

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backend_bases import NavigationToolbar2
from mouse import Mouse, circle

from hyperspy_clusterquant import data
from hyperspy_clusterquant.explore.panels import SELECTION
from hyperspy_clusterquant.plotting.style import cluster_colours


@pytest.fixture(scope="module")
def mapped():
    s = data.six_cation_sulfide(size=(32, 40), channels=512, counts_per_pixel=200)
    s.cluster_pca_gmm(n_clusters=3)
    return s


class Window:
    """An explorer, its parts, and a mouse in it."""

    def __init__(self, s, **options):
        self.explorer = s.explore_clusters(**options)
        self.view = self.explorer._view
        self.panels = self.view.panels
        self.session = self.explorer._session
        self.mouse = Mouse(self.explorer.figure)

    def push(self, name):
        self.mouse.push(self.panels.button_texts[name])

    def tick(self, row):
        text = self.panels.rows[row][1]
        self.mouse.push(text)

    def picture(self):
        return np.array(self.panels.figure.canvas.buffer_rgba())


@pytest.fixture(autouse=True)
def _close_figures():
    """Not after each test: the window of the module stays open."""


@pytest.fixture(scope="module", autouse=True)
def _close_at_the_end():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def opened(mapped):
    return Window(mapped)


@pytest.fixture
def window(opened):
    """A window as it was opened."""
    yield opened
    opened.mouse.key("escape")
    while opened.session.editor.can_undo:
        opened.session.editor.undo()
    opened.session.select(np.zeros((32, 40), dtype=bool))
    opened.view.ticked.clear()
    opened.view._message = ""
    for name in ("lasso", "cluster"):
        opened.view.choose(name)
    opened.view.show_clusters()


def test_hovering_the_map_marks_the_pixel_among_the_scores(window):
    place = (21, 9)  # column, row
    window.mouse.move(window.panels.map, place)
    assert window.panels.map_mark.get_xydata().tolist() == [list(place)]
    number = np.cumsum(window.session.keep)[9 * 40 + 21] - 1
    marked = window.panels.score_mark.get_xydata()[0]
    np.testing.assert_allclose(marked, window.session.plane[number])
    assert "pixel (21, 9)" in window.panels.captions[2].get_text()
    counts = window.session.spectrum_of_pixel((9, 21))
    energy, drawn = window.panels.pixel_line.get_data()
    # In steps of several channels, and only up to the highest line.
    width = np.diff(energy)[0] / 0.02
    assert width == pytest.approx(4)
    assert 0.5 < drawn[drawn > 1e-9].sum() * width <= 1.001
    highest = 0.02 * counts.argmax()
    assert abs(energy[drawn.argmax()] - highest) < 0.3


def test_hovering_the_scores_marks_the_pixel_on_the_map(window):
    number = 300
    window.mouse.move(window.panels.scores, window.session.plane[number])
    row, column = np.argwhere(window.session.keep)[number]
    column_row = window.panels.map_mark.get_xydata()[0]
    at = window.session.plane[
        np.flatnonzero((np.argwhere(window.session.keep) == column_row[::-1]).all(axis=1))
    ]
    # It, or one that lies in the same bin.
    width = np.diff(window.view.grid.extent)[[0, 2]] / window.view.grid.n_bins
    assert (np.abs(at - window.session.plane[number]) <= width).all()
    assert len(at) == 1
    assert window.session.keep[row, column]


def test_a_lasso_on_the_map(window):
    before = window.picture()
    window.mouse.drag(window.panels.map, circle((20, 15), 6.2))
    during = window.explorer.selection
    rows, columns = np.indices((32, 40))
    disc = np.hypot(columns - 20, rows - 15)
    assert during.mask[(disc < 5.9) & window.session.keep].all()
    assert not during.mask[disc > 6.3].any()
    # The others are veiled on the map, and the bins of the selection red among the scores.
    veil = window.panels.map_veil.get_array()
    np.testing.assert_array_equal(veil[..., 3] == 0, during.mask)
    red = window.panels.score_veil.get_array()
    assert ((red[..., 0] > red[..., 1]) & (red[..., 3] == 255)).any()
    assert "selection" in window.panels.captions[0].get_text()
    assert "the rest of" in window.panels.captions[1].get_text()
    words = window.panels.verdict.get_text().replace("\n", " ")
    assert during.verdict.words in words
    assert "difference" in window.panels.details.get_text()
    after = window.picture()
    assert (before != after).any(axis=-1).mean() > 0.02
    # What was drawn with the mouse is off again.
    assert np.isnan(window.panels.map_path.get_ydata()).all()


def test_a_line_follows_the_mouse_while_it_draws(window):
    places = circle((20, 15), 8)
    mouse, ax = window.mouse, window.panels.map
    mouse._send("button_press_event", ax, places[0], button=1)
    for n, place in enumerate(places[1:20], 1):
        mouse._send("motion_notify_event", ax, place, button=1)
        # Places of events are rounded to pixels of the screen.
        drawn = window.panels.map_path.get_xydata()
        assert len(drawn) == n + 3
        assert np.abs(drawn[-2] - place).max() < 0.2
    assert window.explorer.selection.n_pixels == 0
    mouse.key("escape")
    assert not window.view.pencil.is_drawing
    mouse._send("button_release_event", ax, places[19], button=1)
    assert window.explorer.selection.n_pixels == 0


def test_a_rectangle_gives_a_roi(window, mapped):
    window.push("rectangle")
    rows, columns = np.argwhere(window.session.keep).mean(axis=0).astype(int)
    window.mouse.drag(window.panels.map, [(columns - 3.4, rows - 2.4), (columns + 3.4, rows + 2.4)])
    selection = window.explorer.selection
    ends = np.argwhere(selection.mask)
    assert (ends.min(0) == (rows - 2, columns - 3)).all()
    assert (ends.max(0) == (rows + 2, columns + 3)).all()
    assert (selection.n_pixels == 35) == (selection.roi is not None)
    if selection.roi is not None:
        assert isinstance(selection.roi, hs.roi.RectangularROI)
        assert selection.roi(mapped).axes_manager.navigation_shape == (7, 5)


def test_a_polygon_is_clicked(window):
    window.push("polygon")
    corners = [(5, 5), (30, 5), (30, 25), (5, 25)]
    for corner in corners:
        window.mouse.click(window.panels.map, corner)
        assert window.explorer.selection.n_pixels == 0
    window.mouse.click(window.panels.map, corners[0])
    expected = np.zeros((32, 40), dtype=bool)
    expected[6:25, 6:30] = True
    chosen = window.explorer.selection.mask
    assert chosen[expected & window.session.keep].all()
    expected[5:26, 5:31] = True
    assert not chosen[~expected].any()


def test_a_lasso_among_the_scores_selects_a_cluster(window):
    session = window.session
    kept = session.labels[session.keep]
    centre = session.plane[kept == 1].mean(axis=0)
    radius = 2.5
    window.mouse.drag(window.panels.scores, circle(centre, radius))
    chosen = window.explorer.selection.mask[session.keep]
    distance = np.linalg.norm(session.plane - centre, axis=1)
    assert chosen[distance < 0.95 * radius].all()
    assert not chosen[distance > 1.05 * radius].any()
    assert np.mean(kept[chosen] == 1) > 0.7


def test_clicks_pick_pixels_and_select_nothing(window):
    window.mouse.click(window.panels.map, (12, 8))
    assert "pixel (12, 8)" in window.panels.captions[2].get_text()
    assert window.explorer.selection.n_pixels == 0
    assert not window.view.pencil.is_drawing


def test_buttons_edit_clusters(window):
    window.mouse.drag(window.panels.map, circle((20, 15), 6))
    window.panels._field.set_val("disc")
    window.push("new")
    assert window.explorer.cluster_names[-1] == "disc"
    assert "disc" in window.panels.rows[3][1].get_text()
    window.tick(0)
    window.tick(1)
    assert window.panels.rows[0][1].get_text().startswith("☑")
    window.push("merge")
    assert len(window.explorer.cluster_names) == 3
    window.push("undo")
    assert len(window.explorer.cluster_names) == 4
    window.push("redo")
    assert [e["edit"] for e in window.explorer.history] == ["new", "merge"]
    # The first is still ticked; it gets another name.
    window.panels._field.set_val("$matrix$")
    window.push("rename")
    assert window.explorer.cluster_names[0] == "$matrix$"
    window.push("drop")
    assert window.explorer.result.n_clusters == 2


def test_what_cannot_be_done_is_said_in_the_window(window):
    window.push("new")
    assert "No pixel is selected" in window.panels.note.get_text()
    window.push("rename")
    assert "Tick one cluster" in window.panels.note.get_text().replace("\n", " ")
    window.push("merge")
    assert "at least two" in window.panels.note.get_text()
    assert not window.explorer.history


def test_against_the_rest_of_the_map(window):
    window.mouse.drag(window.panels.map, circle((20, 15), 6))
    window.push("rest")
    assert "the rest of the map" in window.panels.captions[1].get_text()
    assert window.explorer.selection.verdict.against == "the rest of the map"


def test_nothing_happens_while_the_toolbar_zooms(window, monkeypatch):
    class Toolbar(NavigationToolbar2):
        def __init__(self):
            self.mode = "zoom rect"

    monkeypatch.setattr(window.panels.figure.canvas, "toolbar", Toolbar(), raising=False)
    window.mouse.drag(window.panels.map, circle((20, 15), 6))
    assert window.explorer.selection.n_pixels == 0


def test_the_refreshed_picture_is_that_of_a_full_draw(window):
    window.mouse.drag(window.panels.map, circle((20, 15), 6))
    window.mouse.move(window.panels.map, (10, 10))
    refreshed = window.picture()
    window.panels.figure.canvas.draw()
    difference = np.abs(refreshed.astype(int) - window.picture())
    assert np.mean(difference.max(axis=-1) > 8) < 1e-3


def test_a_saved_picture_shows_the_selection(window, tmp_path):
    window.mouse.drag(window.panels.map, circle((20, 15), 6))
    window.explorer.figure.savefig(tmp_path / "window.png", dpi=80)
    # The window is where it was, whatever the resolution of the file.
    window.push("rest")
    assert window.session.against == "rest"
    red = np.array(plt.matplotlib.colors.to_rgb(SELECTION))
    image = plt.imread(tmp_path / "window.png")[..., :3]
    assert (np.abs(image - red).max(axis=-1) < 0.05).sum() > 100


def test_a_lazy_map(mapped):
    lazy = mapped.as_lazy()
    window = Window(lazy)
    window.mouse.drag(window.panels.map, circle((20, 15), 6))
    assert window.explorer.selection.verdict is not None
    assert lazy._lazy


def test_a_line_scan_is_selected_along_it(mapped):
    line = mapped.inav[:, 12].deepcopy()
    line.cluster_pca_gmm(n_clusters=2)
    window = Window(line)
    assert line.axes_manager[0].scale > 2  # its axis is no count of pixels
    # From the fifth to the end of the thirteenth of 40 pixels.
    left, right = window.panels.map.get_xlim()
    start, end = left + (right - left) * np.array([5.1, 12.9]) / 40
    middle = (start + end) / 2
    window.mouse.drag(window.panels.map, [(start, 0.2), (middle, 0.7), (end, 0.3), (middle, 0.4)])
    at = left + (right - left) * (np.arange(40) + 0.5) / 40
    expected = (at > start) & (at < end)
    assert expected.sum() == 8
    np.testing.assert_array_equal(window.explorer.selection.mask, expected & window.session.keep)
    window.mouse.move(window.panels.map, (at[7] + 0.3 * (at[1] - at[0]), 0.6))
    assert "pixel (7,)" in window.panels.captions[2].get_text()
    mark = window.panels.map_mark.get_xydata()[0]
    np.testing.assert_allclose(mark, (at[7], 0.5))


def test_pages_of_a_stack(mapped):
    stack = hs.stack([mapped.inav[:16, :20], mapped.inav[16:32, :20]])
    stack.set_signal_type("EDS_TEM_clustered")
    stack.cluster_pca_gmm(n_clusters=2)
    window = Window(stack)
    window.mouse.key(".")
    assert window.view.place == (1,)
    window.mouse.drag(window.panels.map, circle((8, 10), 4))
    mask = window.explorer.selection.mask
    assert mask[1].any()
    assert not mask[0].any()
    # Among the scores, pixels of all maps are selected.
    middle = window.session.plane.mean(axis=0)
    window.mouse.drag(window.panels.scores, circle(middle, 4))
    assert window.explorer.selection.mask.any(axis=(1, 2)).all()
    window.mouse.key(",")
    assert window.view.place == (0,)


def test_names_are_written_into_the_field(window):
    field = window.panels._field
    assert window.panels.name == ""  # of what was written before, a cluster was named
    window.mouse.click(field.ax, (0.5, 0.5))
    for key in "shell":
        window.mouse.key(key)
    assert window.panels.name == "shell"
    # Elsewhere, a click ends it, and keys are keys again.
    window.mouse.click(window.panels.map, (3, 3))
    window.mouse.key("x")
    assert window.panels.name == "shell"
    field.set_val("")


def test_keys_that_are_typed_do_nothing_else(mapped):
    stack = hs.stack([mapped.inav[:16, :20], mapped.inav[16:32, :20]])
    stack.set_signal_type("EDS_TEM_clustered")
    stack.clusters_from_labels(np.tile(np.arange(16) // 8, (2, 20, 1)))
    window = Window(stack)
    window.mouse.click(window.panels._field.ax, (0.5, 0.5))
    for key in "a.b":
        window.mouse.key(key)
    assert (window.panels.name, window.view.place) == ("a.b", (0,))
    window.mouse.key("escape")
    window.mouse.key(".")
    assert window.view.place == (1,)


def test_the_wheel_moves_a_long_table(mapped):
    s = mapped.inav[:, :20].deepcopy()
    s.clusters_from_labels(np.tile(np.arange(40) // 2, (20, 1)))  # 20 clusters
    window = Window(s)
    assert "6 more" in window.panels.rows[-1][1].get_text()
    for _ in range(9):
        window.mouse._send("scroll_event", window.panels.table, (0.5, 0.8), step=-1)
    name = window.explorer.cluster_names[-1]
    assert name in window.panels.rows[-1][1].get_text()
    window.tick(13)
    assert window.view.ticked == [19]
    window.push("drop")
    assert name not in window.explorer.cluster_names


def test_window_and_result_have_the_same_order_and_colours(window):
    big = np.zeros((32, 40), dtype=bool)
    big[:, :25] = True
    window.explorer.select(big)
    window.explorer.new_cluster("big")
    result = window.explorer.result
    assert window.explorer.cluster_names == result.cluster_names
    assert result.cluster_names[0] == "big"
    assert "big" in window.panels.rows[0][1].get_text()
    image = window.panels.label_image.get_array()
    for k, colour in enumerate(cluster_colours(result.n_clusters)):
        rgb = np.rint(255 * np.array(plt.matplotlib.colors.to_rgb(colour)))
        inside = (result.labels == k) & (result.half_labels == k)
        np.testing.assert_array_equal(image[inside][:, :3], np.tile(rgb, (inside.sum(), 1)))


def test_closing_the_window(opened):
    opened.mouse.canvas.callbacks.process("close_event", None)
    assert "closed" in repr(opened.explorer)
    plt.close(opened.explorer.figure)
    # Nobody sees it, but it works on.
    mask = np.zeros((32, 40), dtype=bool)
    mask[10:14] = True
    before = opened.panels.captions[0].get_text()
    assert opened.explorer.select(mask).verdict is not None
    # Nothing is drawn where nobody looks.
    assert opened.panels.captions[0].get_text() == before


@pytest.mark.slow
def test_in_a_notebook():
    """With ipympl, whose canvas gets what the browser sends."""
    pytest.importorskip("ipympl")
    script = """
        import matplotlib
        matplotlib.use("module://ipympl.backend_nbagg")
        from hyperspy_clusterquant import data
        s = data.six_cation_sulfide(size=32, channels=512)
        s.cluster_pca_gmm(3, show_progressbar=False)
        explorer = s.explore_clusters(show_progressbar=False)
        canvas, ax = explorer.figure.canvas, explorer.figure.axes[0]
        places = [(8, 8), (20, 8), (20, 20), (8, 20), (8, 8)]
        kinds = ["button_press", *["motion_notify"] * 3, "button_release"]
        for kind, place in zip(kinds, places):
            x, y = ax.transData.transform(place)
            canvas._handle_message(None, dict(
                type=kind, x=x, y=canvas.figure.bbox.height - y, button=0, buttons=1, step=0,
                modifiers=[], guiEvent={},
            ), None)
        print(explorer.selection.n_pixels, explorer.selection.verdict is not None)
    """
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert int(told[-2]) > 60
    assert told[-1] == "True"
