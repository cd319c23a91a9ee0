"""Pixels that somebody chose against others, in counts that the choice has not seen."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from hyperspy_clusterquant.evidence.judgement import judge
from hyperspy_clusterquant.evidence.matching import Halves
from hyperspy_clusterquant.evidence.p_values import holm_of_pairs
from hyperspy_clusterquant.evidence.verdicts import verdicts_of_pairs


def judge_selection(first, second, sizes, lines, composition, seed, compared):
    """Test whether chosen pixels differ in composition from others.

    Whatever the choice looked at, as long as that was the first half of the counts, it tells
    nothing of the noise in the second half, in which the two are compared like two clusters.

    Parameters
    ----------
    first, second : array (2, channels)
        Counts of the chosen pixels and of the others, in the half that the choice has seen and in
        the other one.
    sizes : sequence of int
        Pixels of both.
    lines, composition, seed, compared
        As of `judgement.judge`.

    Returns
    -------
    Judged
        Of two clusters, the first of which was chosen.
    """
    sizes = np.asarray(sizes)
    halves = Halves(
        first=first[None],
        second=second[None],
        found=np.ones((1, 2), dtype=bool),
        pixels=np.diag(sizes)[None],
        sizes=sizes,
        split_sizes=sizes[None],
    )
    return judge(halves, lines, composition, seed, compared)


class Asked:
    """What was tested in a half of the counts, in order."""

    def __init__(self):
        self._known = []

    def read(self):
        """What was tested, a list of texts."""
        return self._known

    def write(self, known):
        """Keep what was tested."""
        self._known = known

    def __len__(self):
        return len(self.read())

    def number_of(self, *what):
        """Number of a test, by arrays and texts that say what is tested: the same when repeated."""
        told = hashlib.sha1(usedforsecurity=False)
        for of in what:
            told.update(of.tobytes() if isinstance(of, np.ndarray) else str(of).encode())
        known, key = self.read(), told.hexdigest()[:16]
        if key not in known:
            known = [*known, key]
            self.write(known)
        return 1 + known.index(key)

    def at_least(self, n_tested):
        """Remember that so many were tested, perhaps on a copy of the map."""
        known = self.read()
        if len(known) < n_tested:
            self.write([*known, *[""] * (n_tested - len(known))])


def price_of(number):
    """What the p-value of the n-th test is multiplied by, see `corrected_for`; of none, 1."""
    return max(number * (number + 1), 1)


def corrected_for(judged, number):
    """The same with the p-values of the n-th test of those that were made in a half of the counts.

    How many will follow, nobody knows. So the n-th p-value is multiplied by n (n + 1): that any of
    them is too small has a probability of no more than the sum of level / (n (n + 1)), which is
    the level, however many there are. What is tested may not follow from the numbers of the tests
    before; for that, no correction helps.

    Parameters
    ----------
    judged : Judged
    number : int
        n, from 1; 0: no correction.

    Returns
    -------
    Judged

    References
    ----------
    D. P. Foster and R. A. Stine, J. R. Stat. Soc. B 70 (2008) 429, on tests in a row; C. Dwork et
    al., Science 349 (2015) 636, on choices that follow the tests of others.
    """
    p_values, with_absorption, of_elements = (
        np.minimum(p * price_of(number), 1.0)
        for p in (judged.p_values, judged.p_values_with_absorption, judged.element_p_values)
    )
    return replace(
        judged,
        p_values=p_values,
        adjusted_p_values=holm_of_pairs(p_values),
        p_values_with_absorption=with_absorption,
        element_p_values=of_elements,
    )


def verdict_on_selection(judged, level):
    """The verdict on chosen pixels, and their p-value.

    Parameters
    ----------
    judged : Judged
        From `judge_selection`, after `corrected_for` if it is not the first.
    level : float

    Returns
    -------
    kind : Verdict
    p_value : float
        NaN if nothing could be compared.
    """
    no_pair = np.zeros((2, 2), dtype=bool)
    kinds = verdicts_of_pairs(judged, np.ones(2), no_pair[0], level, no_pair)
    return kinds[0, 1], float(judged.p_values[0, 1])
