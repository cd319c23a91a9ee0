from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.optimize import minimize

from hyperspy_clusterquant.plotting.line_labels import LineLabels, spread
from hyperspy_clusterquant.plotting.spectra import plot_spectra

ENERGY = np.linspace(0.1, 20, 2000)
CROWDED = {f"X{n}_Ka": 0.25 + 0.06 * n for n in range(14)} | {"Cu_Ka": 8.04, "Zr_Ka": 15.77}


def check_labels(ax):
    """No name on another, none outside of the axes, none missing."""
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    frame = ax.get_window_extent()
    for box in boxes:
        assert frame.x0 <= box.x0
        assert box.x1 <= frame.x1
        assert frame.y0 <= box.y0
        assert box.y1 <= frame.y1
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    return boxes


@pytest.mark.parametrize("size", [(8.5, 4.2), (4, 3), (3, 2)])
@pytest.mark.parametrize("log", [True, False])
def test_names_stay_apart_and_inside_in_every_size(size, log):
    _, ax = plt.subplots(figsize=size)
    values = np.exp(-ENERGY)[None] * 1e5
    plot_spectra(ENERGY, values, ["a"], CROWDED, ax=ax, log=log)
    check_labels(ax)
    names = [text.get_text() for text in ax.texts]
    assert sorted(names) == sorted(f"{line[:-3]} Kα" for line in CROWDED)


def test_names_move_with_the_window_and_the_zoom():
    figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
    plot_spectra(ENERGY, np.ones((1, 2000)) * 100, ["a"], CROWDED, ax=ax)
    check_labels(ax)
    before = [text.get_position() for text in ax.texts]
    figure.set_size_inches(4, 3)
    check_labels(ax)
    ax.set_ylim(1, 1e9)
    check_labels(ax)
    assert before != [text.get_position() for text in ax.texts]


@pytest.mark.parametrize("end", [0.3, 9.99])
def test_a_line_at_the_edge_has_its_name(end):
    ax = plot_spectra(
        ENERGY, np.ones((1, 2000)), ["a"], {"N_Ka": end, "S_Ka": 2.3}, energy_range=(0.3, 9.99)
    )
    check_labels(ax)
    assert {text.get_text() for text in ax.texts} == {"N Kα", "S Kα"}
    beyond = plot_spectra(ENERGY, np.ones((1, 2000)), ["a"], {"S_Ka": 2.3}, energy_range=(3, 9))
    assert not beyond.texts


def test_leaders_point_at_their_lines():
    _, ax = plt.subplots(figsize=(6, 3))
    ax.set_xlim(0, 10)
    ax.set_ylim(0, 10)
    labels = LineLabels(ax, ["b", "a"], [7.0, 3.0], [4.0, 2.0])
    ax.figure.canvas.draw()
    for segment, x, foot in zip(labels.leaders.get_segments(), (3.0, 7.0), (2.0, 4.0), strict=True):
        end = ax.transData.inverted().transform(segment[-1])
        assert end[0] == pytest.approx(x, abs=1e-6)
        assert foot < end[1] < foot + 1
    assert [text.get_text() for text in ax.texts] == ["a", "b"]
    middles = [text.get_window_extent().get_points()[:, 0].mean() for text in ax.texts]
    np.testing.assert_allclose(middles, ax.transData.transform([[3, 0], [7, 0]])[:, 0], atol=2)


def test_no_lines_no_names():
    ax = plot_spectra(ENERGY, np.ones((1, 2000)), ["a"], {})
    ax.figure.canvas.draw()
    assert not ax.texts


@pytest.mark.parametrize(
    "wanted", [[1.0, 2.0, 8.0], [4.0, 4.1, 4.2, 4.3], [0.0, 0.1, 9.9, 10.0], [5.0]]
)
def test_places_are_as_near_as_can_be(wanted):
    """Compared with a general optimiser under the same constraints."""
    found = spread(np.array(wanted), 1.0, 0.0, 10.0)
    constraints = {"type": "ineq", "fun": lambda x: np.diff(x) - 1.0}
    best = minimize(
        lambda x: np.sum((x - wanted) ** 2), np.linspace(0, 10, len(wanted)),
        bounds=[(0, 10)] * len(wanted), constraints=constraints if len(wanted) > 1 else (),
        tol=1e-10,
    )  # fmt: skip
    np.testing.assert_allclose(found, best.x, atol=2e-3)
