"""The window itself: when it is drawn, what fits into it, and where it works."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from mouse import Mouse, circle

from hyperspy_clusterquant import data


@pytest.fixture(scope="module")
def mapped():
    s = data.six_cation_sulfide(size=(32, 40), channels=512, counts_per_pixel=200)
    s.cluster_pca_gmm(n_clusters=3)
    return s


@pytest.fixture
def explorer(mapped):
    explorer = mapped.explore_clusters()
    explorer.figure.canvas.draw()
    return explorer


@pytest.fixture
def draws(explorer):
    """Draws of the whole window from now on."""
    counted = []
    explorer.figure.canvas.mpl_connect("draw_event", counted.append)
    return counted


def drive(explorer):
    """Hover and draw; what is shown then, as matplotlib says after each message to a kernel."""
    panels, mouse = explorer._view.panels, Mouse(explorer.figure)
    yield "drawn"
    mouse.move(panels.map, (21, 9))
    yield "hovered on the map"
    mouse.move(panels.scores, explorer._session.plane[300])
    yield "hovered among the scores"
    mouse.drag(panels.map, circle((20, 15), 6.2))
    yield "selected"
    mouse.click(panels.map, (12, 8))
    yield "picked"
    mouse.push(panels.rows[0][1])
    yield "ticked"
    mouse.push(panels.button_texts["new"])
    yield "edited"
    mouse.push(panels.button_texts["rest"])
    yield "compared with the rest"


@pytest.mark.parametrize("interactive", [False, True])
def test_nothing_is_drawn_again_unless_something_changed(explorer, draws, interactive):
    with plt.ion() if interactive else plt.ioff():
        for state in drive(explorer):
            assert not explorer.figure.stale, state
            n_draws = len(draws)
            for _ in range(3):  # what notebooks do after each message
                plt.draw_all()
            assert len(draws) == n_draws, state


def test_the_mouse_alone_draws_nothing_anew(explorer, draws):
    mouse, panels = Mouse(explorer.figure), explorer._view.panels
    draws.clear()
    for column in range(5, 25):
        mouse.move(panels.map, (column, 9))
    assert explorer._view.hovered == 9 * 40 + 24
    assert not draws


def test_what_the_mouse_changes_is_shown_at_once(explorer, monkeypatch):
    """Each time the canvas shows something, browsers are sent a picture."""
    mouse, panels = Mouse(explorer.figure), explorer._view.panels
    shown = []
    monkeypatch.setattr(explorer.figure.canvas, "blit", shown.append, raising=False)
    mouse.move(panels.map, (21, 9))
    assert len(shown) == 1
    for ax in (panels.map, panels.scores, panels.spectrum):
        assert shown[0].contains(*ax.bbox.min)
        assert shown[0].contains(*ax.bbox.max)


def test_browsers_are_sent_whole_pictures(explorer):
    """Of pictures that let something through; of others, what changed since the last."""
    core = pytest.importorskip("matplotlib.backends.backend_webagg_core")
    figure = explorer.figure
    before = figure.canvas
    try:
        canvas = core.FigureCanvasWebAggCore(figure)
        canvas.manager = core.FigureManagerWebAgg(canvas, 0)
        sizes = []
        for _ in range(3):
            canvas.draw()
            sizes.append(len(canvas.get_diff_image()))
    finally:
        figure.set_canvas(before)
    assert sizes[0] == sizes[1] == sizes[2] > 20_000
    # And who sees it sees white.
    background = np.array(figure.canvas.buffer_rgba())[2, 2]
    assert background[:3].tolist() == [255, 255, 255]
    assert 250 < background[3] < 255


def test_everything_is_inside_the_window(mapped):
    explorer = mapped.explore_clusters()
    for k in range(3):
        explorer.rename(k, f"<b>ß & co</b> with a very long name {k}")
    explorer.select(np.indices((32, 40))[1] > 25)
    panels = explorer._view.panels
    explorer.figure.canvas.draw()
    width, height = explorer.figure.bbox.size
    assert width <= 850  # the column of a notebook beside the list of files
    buttons = {name: text.get_window_extent() for name, text in panels.button_texts.items()}
    texts = [panels.verdict, panels.details, panels.note, *panels.captions]
    texts += [text for _, text in panels.rows if text.get_text()]
    for box in [*buttons.values(), *(text.get_window_extent() for text in texts)]:
        assert box.x0 >= 45  # where toolbars lie on the window
        assert box.x1 <= width
        assert box.y0 >= 0
        assert box.y1 <= height
    boxes = [box.padded(4) for box in buttons.values()]
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
    verdict, details = (text.get_window_extent() for text in texts[:2])
    assert verdict.y0 > details.y1
    assert verdict.y1 < texts[-1].get_window_extent().y0


@pytest.mark.parametrize(("absorption", "words"), [("ignore", True), ("keep", False)])
def test_what_p_of_an_element_is(mapped, absorption, words):
    explorer = mapped.explore_clusters(absorption=absorption)
    explorer.select(np.indices((32, 40))[1] > 25)
    details = explorer._view.panels.details.get_text()
    assert "p: of each element alone" in details
    assert ("beyond absorption" in details) is words


def test_a_dead_picture_says_what_to_do(mapped):
    pytest.importorskip("matplotlib_inline")
    before = plt.get_backend()
    try:
        plt.switch_backend("module://matplotlib_inline.backend_inline")
        with pytest.warns(UserWarning, match="%matplotlib widget") as told:
            mapped.explore_clusters()
    finally:
        plt.switch_backend(before)
    assert len([w for w in told if "%matplotlib widget" in str(w.message)]) == 1
    assert told[0].filename == __file__
