"""Every verdict that a test can give: its words, and the rule by which it is given."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant.evidence.p_values import holm_of_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence


class Verdict(Enum):
    """Verdicts on a pair of clusters; the values are their words.

    A new one takes a member here, its rule in ``verdicts_of_pairs``, and a colour in
    ``plotting.pairs``.
    """

    ITSELF = ""
    DISTINCT = "distinct{only}"
    INTERFACE = "distinct{only}, but an interface"
    UNSTABLE = "distinct{only}, but not stable"
    GRADUAL = "distinct{only}, but gradual: no border"
    ABSORBED = "cannot be told from absorption or drift"
    SAME = "not distinguishable: merge"
    LOST = "not tested: half of the counts do not find both"
    EMPTY = "not comparable: none of the elements in {empty}"

    def words(self, elements: Sequence[str] = (), empty: Sequence[str] = ()) -> str:
        """The words for a pair.

        Parameters
        ----------
        elements : sequence of str
            The only ones that differ; none if all do.
        empty : sequence of str
            Names of the clusters that hold none of the elements.

        Examples
        --------
        >>> Verdict.INTERFACE.words(["Cu", "Zn"])
        'distinct in Cu, Zn only, but an interface'
        """
        only = f" in {', '.join(elements)} only" if elements else ""
        return self.value.format(only=only, empty=" and ".join(empty))


class Stability(Enum):
    """Verdicts on a cluster that was looked for again; the values are their words."""

    STABLE = "stable"
    DOUBTFUL = "doubtful"
    UNSTABLE = "not stable"

    @classmethod
    def of(cls, overlap):
        """The verdict on a cluster that is found again with some overlap (Jaccard's index)."""
        if overlap >= STABLE:
            return cls.STABLE
        return cls.DOUBTFUL if overlap >= DOUBTFUL else cls.UNSTABLE


class MergerKind(StrEnum):
    """Why one cluster is joined to another."""

    LOST = "lost"  # half of the counts put it there
    SAME = "same"  # not distinguishable
    ABSORBED = "absorbed"  # not distinguishable from absorption
    INTERFACE = "interface"  # of two others


#: Overlap from which a cluster that is found again is called stable, and below which it is another
#: one each time.
STABLE, DOUBTFUL = 0.75, 0.5


def verdicts_of_pairs(judged, overlap, interfaces, level, gradual):
    """The verdict on each pair of clusters, array of Verdict (n_clusters, n_clusters).

    Parameters
    ----------
    judged : Judged
    overlap : array (n_clusters,)
        Jaccard's index of each cluster with those found in halves of the counts.
    interfaces : array of bool (n_clusters,)
        Clusters that were joined to others as interfaces.
    level : float
        Of the p-values, corrected for the number of pairs.
    gradual : array of bool (n_clusters, n_clusters)
        Pairs between which the composition changes without a border.
    """
    distinct = judged.adjusted_p_values < level
    with_absorption = holm_of_pairs(judged.p_values_with_absorption) < level
    verdicts = np.full(distinct.shape, Verdict.SAME, dtype=object)
    for verdict, where in (  # the last that fits
        (Verdict.LOST, judged.n_tested == 0),
        (Verdict.EMPTY, _either(found_empty(judged, overlap))),
        (Verdict.ABSORBED, with_absorption & ~distinct),
        (Verdict.DISTINCT, distinct),
        (Verdict.GRADUAL, distinct & gradual),
        (Verdict.UNSTABLE, distinct & _either(overlap < DOUBTFUL)),
        (Verdict.INTERFACE, distinct & _either(interfaces)),
        (Verdict.ITSELF, np.eye(len(distinct), dtype=bool)),
    ):
        verdicts[where] = verdict
    return verdicts


def found_empty(judged, overlap):
    """Clusters that are found again but hold none of the elements, array of bool (n_clusters,)."""
    return (overlap > 0) & ~judged.holds


def _either(clusters):
    """Pairs of which the first or the second is among some clusters."""
    return np.logical_or.outer(clusters, clusters)
