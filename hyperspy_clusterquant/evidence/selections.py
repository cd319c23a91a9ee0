"""Pixels that somebody chose against others, in counts that the choice has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hyperspy_clusterquant.evidence.judgement import judge
from hyperspy_clusterquant.evidence.matching import Halves
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


def verdict_on_selection(judged, level, n_asked=1):
    """The verdict on chosen pixels, and their p-value corrected for the choices before.

    Who sees the verdict on a choice may choose the next one after it. Like a p-value of several
    tests after Bonferroni, that of the n-th choice is therefore multiplied by n.

    Parameters
    ----------
    judged : Judged
        From `judge_selection`.
    level : float
    n_asked : int
        Choices that were tested, with this one.

    Returns
    -------
    kind : Verdict
    p_value : float
        NaN if nothing could be compared.

    References
    ----------
    C. Dwork et al., Science 349 (2015) 636, on choices that follow the tests of others.
    """
    corrected = replace(
        judged,
        adjusted_p_values=np.minimum(judged.p_values * n_asked, 1.0),
        p_values_with_absorption=np.minimum(judged.p_values_with_absorption * n_asked, 1.0),
    )
    no_pair = np.zeros((2, 2), dtype=bool)
    kinds = verdicts_of_pairs(corrected, np.ones(2), no_pair[0], level, no_pair)
    return kinds[0, 1], float(corrected.adjusted_p_values[0, 1])
