"""The model of the explorer: counts in two halves, the selection, what becomes of edits."""

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_clusterquant.composition.fitting import LinearFit
from hyperspy_clusterquant.evidence.judgement import Compared
from hyperspy_clusterquant.explore.session import Question, Session


@pytest.fixture
def session(mapped, counts, half):
    result = mapped.clusters["by_hand"]
    return Session(result, _on(counts, result), result.recipe, None, _on(half, result))


def _on(counts, result):
    """The counts of the pixels of a result."""
    keep = result.labels != -2
    return replace(counts, keep=keep, blocks=counts.blocks.only(keep=keep.ravel()))


def test_spectra_of_selection_and_others(session, rng):
    for against in ("cluster", "rest"):
        session.against = against
        session.select(rng.random((18, 24)) < 0.2)
        others, words = session.others
        assert not (others & session.mask).any()
        if against == "rest":
            np.testing.assert_array_equal(others, session.keep & ~session.mask)
        else:
            assert len(np.unique(session.labels[others])) == 1
            assert "'region 1'" in words
        for spectrum, mask in zip(session.spectra, (session.mask, others), strict=True):
            np.testing.assert_array_equal(spectrum, session.counts._summed(mask)[0])


def test_a_whole_cluster_is_compared_with_the_rest(session):
    session.select(session.labels == 0)
    assert session.others[1] == "the rest of the map"
    session.select(np.ones((18, 24), dtype=bool))
    assert not session.others[0].any()
    assert np.isnan(session.verdict().p_value)


def test_verdicts_are_counted_once(session, rng):
    two = np.zeros((2, 256))
    two[0, 70:90], two[1, 110:130] = 1, 1
    lines = LinearFit(two, two, [0, 1])
    session.question = Question(
        ("Ag", "S"), lines, lambda areas, own: (100 * areas / areas.sum(), own), Compared(lines)
    )
    assert session.verdict() is None
    session.select(rng.random((18, 24)) < 0.2)
    assert session.verdict() is session.verdict()
    assert session.n_asked == 1
    session.against = "rest"
    assert session.verdict().n_asked == 2


def test_the_result_without_edits_is_the_one_explored(session, mapped):
    assert session.result is session.source
    session.select(session.labels == 0)
    session.editor.new(session.mask, "a")
    changed = session.result
    assert changed is session.result
    session.editor.undo()
    assert session.result is session.source


def test_numbers_of_the_result_are_dense_in_both_labels(session, rng):
    mask = rng.random((18, 24)) < 0.15
    session.select(mask)
    session.editor.new(session.mask, "a")
    session.editor.drop([0])
    result = session.result
    assert result.cluster_names == ("region 0", "a")
    assert set(np.unique(result.labels)) <= {-2, -1, 0, 1}
    np.testing.assert_array_equal(result.labels == 1, session.mask)
    # Here, what is drawn and what all counts say are the same.
    np.testing.assert_array_equal(result.half_labels, result.labels)
    np.testing.assert_array_equal(result.memberships.sum(axis=0), result.labels >= 0)
    assert result.parameters["drawn_on"] == "outside, half"
    assert result.recipe.half_seed == (0,)
    assert [entry["edit"] for entry in result.parameters["history"]] == ["new", "drop"]
    assert result.parameters["history"][1]["clusters"] == ("region 1",)
