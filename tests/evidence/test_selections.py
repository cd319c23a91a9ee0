"""Pixels chosen by eye in one half of the counts, tested in the other."""

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_clusterquant.composition.fitting import LinearFit
from hyperspy_clusterquant.counts.packed import thin
from hyperspy_clusterquant.evidence.judgement import Compared
from hyperspy_clusterquant.evidence.selections import (
    Asked,
    corrected_for,
    judge_selection,
    verdict_on_selection,
)
from hyperspy_clusterquant.evidence.verdicts import Verdict

THREE = LinearFit(np.eye(3), np.eye(3), [0, 1, 2])
N_MAPS, N_PIXELS, N_CHOSEN = 200, 600, 80


def percent(areas, covariance):
    total = areas.sum()
    jacobian = (np.eye(len(areas)) - np.outer(areas / total, np.ones(len(areas)))) / total
    return 100 * areas / total, 1e4 * jacobian @ covariance @ jacobian.T


def sums(counts, chosen):
    return np.array([counts[chosen].sum(axis=0), counts[~chosen].sum(axis=0)])


def verdicts(expected, rng, split, n_maps=N_MAPS):
    """Kinds on pixels with most of the first element in the half that is looked at."""
    kinds, p_values = [], []
    for _ in range(n_maps):
        counts = rng.poisson(expected, (N_PIXELS, 3))
        looked_at = rng.binomial(counts, 0.5) if split else counts
        other = counts - looked_at if split else counts
        share = looked_at[:, 0] / np.maximum(looked_at.sum(axis=1), 1)
        chosen = np.zeros(N_PIXELS, dtype=bool)
        chosen[np.argsort(share)[-N_CHOSEN:]] = True
        judged = judge_selection(
            sums(looked_at, chosen), sums(other, chosen), [N_CHOSEN, N_PIXELS - N_CHOSEN], THREE,
            percent, [0], Compared(THREE),
        )  # fmt: skip
        kind, p_value = verdict_on_selection(judged, 0.05)
        kinds.append(kind)
        p_values.append(p_value)
    return np.array([kind is Verdict.DISTINCT for kind in kinds]), np.array(p_values)


def test_what_was_chosen_by_eye_is_called_distinct_as_often_as_level_says(rng):
    distinct, p_values = verdicts([10.0, 20.0, 30.0], rng, split=True)
    assert 0.02 <= distinct.mean() <= 0.08
    assert abs(p_values.mean() - 0.5) < 0.08
    assert abs(np.mean(p_values < 0.5) - 0.5) < 0.12


def test_without_the_split_it_is_nearly_always(rng):
    assert verdicts([10.0, 20.0, 30.0], rng, split=False, n_maps=40)[0].mean() > 0.95


def test_what_differs_is_found(rng):
    """Two of 100 atoms, 100 counts in a pixel, 500 pixels: half of the counts are tested."""
    others, chosen = np.array([30.0, 20.0, 50.0]), np.array([32.0, 19.43, 48.57])
    found = []
    for _ in range(60):
        second = np.array([rng.poisson(0.5 * 500 * chosen), rng.poisson(0.5 * 3500 * others)])
        judged = judge_selection(second, second, [500, 3500], THREE, percent, [0], Compared(THREE))
        found.append(verdict_on_selection(judged, 0.05)[0] is Verdict.DISTINCT)
    assert np.mean(found) >= 0.9
    error = judged.difference[0, 1] - (chosen - others)
    assert (np.abs(error) < 4 * judged.difference_std[0, 1]).all()


def test_each_choice_after_a_verdict_has_its_price(rng):
    second = np.array([[300, 400, 500], [3400, 4000, 4600]])
    judged = judge_selection(second, second, [10, 100], THREE, percent, [0], Compared(THREE))
    (kind, p), (later, corrected) = (
        verdict_on_selection(corrected_for(judged, n), 0.05) for n in (1, 12)
    )
    assert p == 2 * judged.p_values[0, 1]
    assert kind is Verdict.DISTINCT
    assert later is Verdict.SAME
    assert corrected == pytest.approx(min(12 * 13 * p / 2, 1))
    of_elements = corrected_for(judged, 3).element_p_values[0, 1]
    np.testing.assert_allclose(of_elements, np.minimum(12 * judged.element_p_values[0, 1], 1))
    tiny = replace(judged, p_values=judged.p_values * 1e-9)
    assert verdict_on_selection(corrected_for(tiny, 1000), 0.05)[0] is Verdict.DISTINCT


def test_of_many_choices_hardly_any_is_falsely_distinct(rng):
    """The third of 25 in each of 200 maps, or any of them: not more often than the level."""
    any_distinct = []
    for _ in range(200):
        counts = rng.poisson([10.0, 20.0, 30.0], (25, 20, 3)).sum(axis=1)
        kinds = []
        for number in range(25):
            both = np.array([counts[number], counts.sum(axis=0) - counts[number]])
            judged = judge_selection(both, both, [20, 480], THREE, percent, [0], Compared(THREE))
            kinds.append(verdict_on_selection(corrected_for(judged, number + 1), 0.05)[0])
        any_distinct.append(Verdict.DISTINCT in kinds)
    # Four standard deviations above the level; the p-values times n alone give 0.16.
    assert np.mean(any_distinct) <= 0.05 + 4 * (0.05 * 0.95 / 200) ** 0.5


def test_a_question_is_counted_once():
    asked, mask = Asked(), np.eye(3, dtype=bool)
    assert [asked.number_of(of, "Cu") for of in (mask, ~mask, mask)] == [1, 2, 1]
    assert asked.number_of(mask, "Zn") == 3
    asked.at_least(7)
    assert len(asked) == 7
    assert asked.number_of(~mask, "Zn") == 8
    assert asked.number_of(mask, "Zn") == 3


def test_nothing_to_compare():
    empty = np.zeros((2, 3))
    judged = judge_selection(empty, empty, [5, 5], THREE, percent, [0], Compared(THREE))
    kind, p_value = verdict_on_selection(judged, 0.05)
    assert kind is Verdict.EMPTY
    assert np.isnan(p_value)


def test_both_halves_are_independent(rng):
    """The reason for it all: the halves of Poisson counts know nothing of one another."""
    from scipy import sparse

    counts = sparse.csr_array(rng.poisson(4.0, (4000, 5)))
    first, second = (half.toarray() for half in thin(counts, rng))
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.03
