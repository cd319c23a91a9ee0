"""The verdict on a selection in words."""

import numpy as np
import pytest

from hyperspy_clusterquant.evidence.verdicts import Verdict
from hyperspy_clusterquant.results.selection import SelectionVerdict


def verdict(kind, p_value=0.01, honest=True, n_asked=1, of_elements=(0.001, 0.6)):
    return SelectionVerdict(
        n_pixels=12, against="the rest of 'a'", n_against=300, elements=("Cu", "S"), kind=kind,
        p_value=p_value, n_asked=n_asked, level=0.05, composition=np.array([60.0, 40.0]),
        composition_std=np.ones(2), difference=np.array([2.0, -2.0]),
        difference_std=np.array([0.5, 0.5]), element_p_values=np.array(of_elements), honest=honest,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (verdict(Verdict.DISTINCT), "distinct in Cu only"),
        (verdict(Verdict.DISTINCT, of_elements=(0.001, 0.002)), "distinct"),
        (verdict(Verdict.DISTINCT, of_elements=(0.07, 0.2)), "distinct, but in no single element"),
        (verdict(Verdict.SAME, 0.4), "not distinguishable"),
        (verdict(Verdict.ABSORBED, 0.4), "cannot be told from absorption or drift"),
        (verdict(Verdict.EMPTY, np.nan), "not comparable"),
        (verdict(None, np.nan), "declare at least two elements"),
        (verdict(Verdict.DISTINCT, honest=False), "chosen and compared in the same counts"),
    ],
)
def test_words(made, words):
    assert words in made.words
    assert words in repr(made)
    assert made.is_distinct == (made.honest and made.kind is Verdict.DISTINCT)
    assert made.honest or np.isnan([made.p_value, *made.element_p_values]).all()


def test_it_tells_numbers_and_how_many_were_tested():
    text = repr(verdict(Verdict.DISTINCT))
    assert text.startswith("12 pixels against the rest of 'a' (300 pixels): distinct in Cu only")
    assert "(p 0.01)" in text
    assert "60.00 ± 1.00" in text
    assert "+2.00 ± 0.50" in text
    assert "corrected for 3 selections" in repr(verdict(Verdict.DISTINCT, n_asked=3))
    # No p-value of a test that is none.
    assert "0.01" not in repr(verdict(Verdict.DISTINCT, honest=False))
    assert "<table" in verdict(Verdict.SAME)._repr_html_()
