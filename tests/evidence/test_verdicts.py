from types import SimpleNamespace

import numpy as np
import pytest

from hyperspy_clusterquant.evidence.verdicts import (
    MergerKind,
    Stability,
    Verdict,
    verdicts_of_pairs,
)


def judged(p, n_tested=((5, 5), (5, 5)), holds=(True, True), with_absorption=None):
    alone = p if with_absorption is None else with_absorption
    return SimpleNamespace(
        p_values_with_absorption=np.array([[np.nan, alone], [alone, np.nan]]),
        adjusted_p_values=np.array([[np.nan, p], [p, np.nan]]),
        n_tested=np.array(n_tested),
        holds=np.array(holds),
    )


NONE = np.zeros(2, dtype=bool)
FOUND = np.array([0.9, 0.8])


@pytest.mark.parametrize(
    ("of", "overlap", "interfaces", "verdict"),
    [
        (judged(1e-9), FOUND, NONE, Verdict.DISTINCT),
        (judged(0.2), FOUND, NONE, Verdict.SAME),
        (judged(np.nan), FOUND, NONE, Verdict.SAME),
        (judged(1e-9), np.array([0.9, 0.4]), NONE, Verdict.UNSTABLE),
        (judged(1e-9), np.array([0.9, 0.4]), np.array([True, False]), Verdict.INTERFACE),
        (judged(0.2), FOUND, np.array([True, False]), Verdict.SAME),
        (judged(0.2, with_absorption=1e-9), FOUND, NONE, Verdict.ABSORBED),
        (judged(1e-9, with_absorption=0.2), FOUND, NONE, Verdict.DISTINCT),
        (judged(np.nan, np.zeros((2, 2))), FOUND, NONE, Verdict.LOST),
        (judged(np.nan, np.zeros((2, 2)), (True, False)), FOUND, NONE, Verdict.EMPTY),
        (judged(np.nan, np.zeros((2, 2)), (True, False)), np.array([1, 0]), NONE, Verdict.LOST),
        (judged(1e-9, holds=(True, False)), FOUND, NONE, Verdict.DISTINCT),
    ],
)
def test_verdict_on_a_pair(of, overlap, interfaces, verdict):
    border = np.zeros((2, 2), dtype=bool)
    found = verdicts_of_pairs(of, overlap, interfaces, 0.05, border)
    assert found[0, 1] is found[1, 0] is verdict
    assert found[0, 0] is found[1, 1] is Verdict.ITSELF
    # Without a border, what is distinct and found again is gradual, and nothing else changes.
    found = verdicts_of_pairs(of, overlap, interfaces, 0.05, ~border)
    gradual = Verdict.GRADUAL if verdict is Verdict.DISTINCT else verdict
    assert found[0, 1] is found[1, 0] is gradual


def test_words_of_pairs():
    some, empty = ["Cu", "Zn"], ["film", "hole"]
    words = {verdict.name: verdict.words(some, empty) for verdict in Verdict}
    assert words == {
        "ITSELF": "",
        "DISTINCT": "distinct in Cu, Zn only",
        "INTERFACE": "distinct in Cu, Zn only, but an interface",
        "UNSTABLE": "distinct in Cu, Zn only, but not stable",
        "GRADUAL": "distinct in Cu, Zn only, but gradual: no border",
        "ABSORBED": "cannot be told from absorption or drift",
        "SAME": "not distinguishable: merge",
        "LOST": "not tested: half of the counts do not find both",
        "EMPTY": "not comparable: none of the elements in film and hole",
    }
    assert Verdict.DISTINCT.words() == "distinct"
    assert Verdict.INTERFACE.words() == "distinct, but an interface"


@pytest.mark.parametrize(
    ("overlap", "word"),
    [(1.0, "stable"), (0.75, "stable"), (0.74, "doubtful"), (0.5, "doubtful"), (0, "not stable")],
)
def test_stability_of_a_cluster(overlap, word):
    assert Stability.of(overlap).value == word


def test_kinds_of_mergers_are_their_words():
    assert [str(kind) for kind in MergerKind] == ["lost", "same", "absorbed", "interface"]
    assert MergerKind.SAME == "same"
