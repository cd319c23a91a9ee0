"""Edges between phases along a line, on arrays."""

import numpy as np
import pytest
from scipy import special

from hyperspy_clusterquant.composition.edges import WIDTH_10_90, find_edges, without_blur
from hyperspy_clusterquant.composition.profile import Steps

POSITION = np.arange(28.0)
LINE = Steps(np.arange(28), POSITION, np.arange(28), 1.0)
LABELS = (POSITION > 15.5).astype(int)
AMOUNTS = np.where(LABELS, 0.7, 1.0)


def profile(sigma, place=15.5, noise=0.0, rng=None):
    """At% of three elements through an edge between phases with different amounts of atoms."""
    share = special.ndtr((POSITION - place) / sigma)
    amounts = (1 - share)[:, None] * [30.0, 20.0, 50.0] + share[:, None] * 0.7 * [2.0, 48.0, 50.0]
    percent = 100 * amounts / amounts.sum(axis=1, keepdims=True)
    std = np.full(percent.shape, max(noise, 1e-3))
    if noise:
        percent = percent + noise * rng.standard_normal(percent.shape)
    return percent, std


def test_width_from_10_to_90_percent():
    x = np.linspace(-5, 5, 100001)
    rise = special.ndtr(x)
    assert np.ptp(x[(rise > 0.1) & (rise < 0.9)]) == pytest.approx(WIDTH_10_90, abs=2e-4)


@pytest.mark.parametrize("sigma", [0.6, 1.3, 2.5])
@pytest.mark.parametrize("place", [15.5, 15.2, 15.9])
def test_an_edge_without_noise(sigma, place):
    (edge,) = find_edges(LINE, LABELS, *profile(sigma, place), AMOUNTS, 1.0)
    assert edge.position == pytest.approx(place, abs=1e-2)
    assert edge.sigma == pytest.approx(sigma, rel=1e-2)
    assert edge.sides == (0, 1)
    # 28 at% of the first and the second element: one of these.
    assert edge.element in (0, 1)


@pytest.mark.parametrize("sigma", [0.8, 1.5])
def test_edges_scatter_as_they_say(sigma, rng):
    found = []
    for _ in range(150):
        percent, std = profile(sigma, 15.5, 0.8, rng)
        (edge,) = find_edges(LINE, LABELS, percent, std, AMOUNTS, sigma)
        found.append([edge.position, edge.position_std, edge.sigma, edge.sigma_std])
    position, position_std, width, width_std = np.transpose(found)
    assert abs(position.mean() - 15.5) < 4 * position.std() / np.sqrt(150)
    assert abs(width.mean() - sigma) < 0.03 * sigma
    assert 0.8 < position.std() / np.median(position_std) < 1.2
    assert 0.8 < width.std() / np.median(width_std) < 1.2
    assert 0.6 < np.mean(np.abs(width - sigma) < width_std) < 0.76


def test_what_steps_average_is_not_part_of_the_edge():
    """Steps of four pixels: the means over these are fitted, not the middle."""
    along = np.arange(112.0)
    steps = Steps(np.arange(112), along, (along // 4).astype(int), 4.0)
    share = special.ndtr((along - 61.3) / 2.2)
    percent = steps.mean(100 * share)
    percent = np.stack([percent, 100 - percent], axis=1)
    labels = (steps.distance > 61).astype(int)
    (edge,) = find_edges(steps, labels, percent, np.full((28, 2), 0.1), np.ones(28), 2.0)
    assert edge.position == pytest.approx(61.3, abs=0.01)
    assert edge.sigma == pytest.approx(2.2, rel=0.01)


def test_edges_are_where_labels_change_for_good():
    percent, std = profile(1.0)
    labels = np.zeros(28, dtype=int)
    labels[9:11] = 1  # two steps are too few
    labels[14:17] = -1  # in no cluster: the edge is between its neighbours
    labels[17:] = 2
    labels[24:26] = 3
    (edge,) = find_edges(LINE, labels, percent, std, AMOUNTS, 1.0)
    assert edge.sides == (0, 2)
    labels[8:11] = 1  # three are enough
    edges = find_edges(LINE, labels, percent, std, AMOUNTS, 1.0)
    assert [edge.sides for edge in edges] == [(0, 1), (1, 0), (0, 2)]
    assert find_edges(LINE, np.zeros(28, dtype=int), percent, std, AMOUNTS, 1.0) == []
    assert find_edges(LINE, np.full(28, -1), percent, std, AMOUNTS, 1.0) == []


def test_fits_end_in_the_middle_between_edges():
    """Two edges of different widths, each found beside the other."""
    share = special.ndtr((POSITION - 7.5) / 0.7) - special.ndtr((POSITION - 19.5) / 1.6)
    percent = np.stack([100 * share, 100 - 100 * share], axis=1)
    labels = ((POSITION > 7.5) & (POSITION < 19.5)).astype(int)
    edges = find_edges(LINE, labels, percent, np.full((28, 2), 0.05), np.ones(28), 1.0)
    assert [edge.position for edge in edges] == pytest.approx([7.5, 19.5], abs=0.02)
    assert [edge.sigma for edge in edges] == pytest.approx([0.7, 1.6], rel=0.02)


def test_edges_that_cannot_be_fitted():
    percent, std = profile(1.0)
    three = (np.arange(28) // 3) % 2  # only three steps from middle to middle
    edges = find_edges(LINE, three, percent, std, AMOUNTS, 1.0)
    assert len(edges) == 8  # the last run has one step
    assert np.isnan([edge.sigma for edge in edges[1:-1]]).all()
    assert edges[2].position == pytest.approx(8.5)
    assert 0 < edges[2].position_std < 1
    unknown = np.full(percent.shape, np.nan)
    (edge,) = find_edges(LINE, LABELS, unknown, unknown, AMOUNTS, 1.0)
    assert np.isnan(edge.sigma)
    assert edge.position == 15.5


def test_steps_without_composition_are_passed_over():
    percent, std = profile(1.3)
    percent[[3, 17]], std[[3, 17]] = np.nan, np.nan
    (edge,) = find_edges(LINE, LABELS, percent, std, AMOUNTS, 1.0)
    assert edge.sigma == pytest.approx(1.3, rel=0.01)


def test_the_element_that_differs_most_significantly():
    percent, std = profile(1.0)
    std = std * [30.0, 1.0, 1.0]
    (edge,) = find_edges(LINE, LABELS, percent, std, AMOUNTS, 1.0)
    assert edge.element == 1
    (edge,) = find_edges(LINE, LABELS, percent, std[:, [1, 0, 2]], AMOUNTS, 1.0)
    assert edge.element == 0


# --- without the blur -------------------------------------------------------------------


def test_widths_subtract_as_squares(rng):
    width, std = without_blur(5.0, 0.1, 3.0, 0.05)
    assert width == pytest.approx(4.0)
    drawn = rng.normal(5.0, 0.1, 20000) ** 2 - rng.normal(3.0, 0.05, 20000) ** 2
    assert std == pytest.approx(np.sqrt(drawn).std(), rel=0.05)


def test_what_the_blur_explains_may_still_be_something(rng):
    width, std = without_blur(2.0, 0.2, 2.1, 0.1)
    assert width == 0
    # 68 % of what the truth may be, of which nothing was known but that it is not below zero.
    square = 4.0 - 2.1**2 + 2 * np.hypot(2.0 * 0.2, 2.1 * 0.1) * rng.standard_normal(400000)
    assert std == pytest.approx(np.sqrt(np.quantile(square[square > 0], 0.6827)), rel=0.01)


def test_the_uncertainty_is_continuous_at_nothing():
    below, above = (without_blur(w, 0.2, 2.0, 0.1) for w in (2.0 - 1e-9, 2.0 + 1e-9))
    assert below[1] == pytest.approx(above[1], rel=1e-3)
    assert above[0] < 0.01


def test_an_unknown_width_leaves_nothing_known():
    assert np.isnan(without_blur(np.nan, np.nan, 2.0, 0.1)).all()
