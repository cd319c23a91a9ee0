"""Do the labels stay the same when the clusters are learned again?"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._frozen import Frozen, FrozenDict
from hyperspy_clusterquant._text import Coloured, Told, beside
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.evidence.matching import contingency_table, jaccard_indices, match_labels
from hyperspy_clusterquant.evidence.repeats import NUMBER, compare
from hyperspy_clusterquant.evidence.verdicts import Stability
from hyperspy_clusterquant.images import image
from hyperspy_clusterquant.plotting import map_of, plot_agreement
from hyperspy_clusterquant.plotting.style import cluster_colours
from hyperspy_clusterquant.plotting.thumbnails import grey_picture

if TYPE_CHECKING:
    import pandas as pd
    from hyperspy.signals import BaseSignal
    from matplotlib.axes import Axes

#: Adjusted Rand index from which two clusterings are said to agree: of two equal clusters, 1.3 % of
#: the pixels are in the other one then, which is what borders are wide.
AGREE = 0.95
#: Consensus below which a pixel is undecided: more of the repeats than not put it elsewhere.
UNDECIDED = 0.5
#: Smallest share of pixels that is not 0.0 % in a sentence.
LEAST_SAID = 0.0005
#: What was varied, as a column of the table and as the subject of a sentence.
_WORDS = {
    "seed": ("seeds", "Other seeds"),
    "binning": ("bins", "Other bins"),
    "workflow": ("workflow", "The other workflow"),
}


@dataclass(frozen=True, eq=False, repr=False)
class ClusterStability(Told, Frozen):
    """How well clusters are found again in halves of the counts, and by other ways to ask.

    Attributes
    ----------
    cluster_names : tuple of str
    jaccard : array (n_resamples, n_clusters)
        Pixels that a cluster and the one found again in half of the counts have in common, of all
        that either has.
    ari : array (n_resamples,)
        Adjusted Rand index of all labels in halves of the counts.
    agreement : array of float32 (map shape)
        Share of the halves in which the pixel is in the same cluster; NaN where left out.
    axes : tuple of dict
        Navigation axes of the map.
    repeated : tuple of Repeat
        What all of the counts gave with another seed, in other bins, by the other workflow.
    agreement_of : FrozenDict
        As `agreement`, by what was varied: of "counts", "seed", "binning" and "workflow" those that
        could be.
    varied : tuple of str
        Those that were asked for.
    remarks : tuple of str
        What cannot be repeated and why, sentences.
    """

    cluster_names: tuple
    jaccard: np.ndarray
    ari: np.ndarray
    agreement: np.ndarray
    axes: tuple
    repeated: tuple = ()
    agreement_of: dict = field(default_factory=FrozenDict)
    varied: tuple = ("counts",)
    remarks: tuple = ()

    # --- of halves ------------------------------------------------------------------------

    @property
    def per_cluster(self) -> np.ndarray:
        """Mean of Jaccard's index for each cluster, array (n_clusters,); NaN without halves."""
        return self._halves.mean(axis=0)

    @property
    def _halves(self):
        return self.jaccard if len(self.jaccard) else np.full((1, len(self.cluster_names)), np.nan)

    @property
    def kinds(self) -> tuple[Stability | None, ...]:
        """What it means for each cluster, a tuple of Stability; of None without halves."""
        if not len(self.jaccard):
            return (None,) * len(self.cluster_names)
        return tuple(map(Stability.of, self.per_cluster))

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The same in words, a tuple of str."""
        return tuple("-" if kind is None else kind.value for kind in self.kinds)

    # --- of all repeats -------------------------------------------------------------------

    @property
    def repeats(self) -> tuple[str, ...]:
        """What was varied in each repeat with all of the counts, a tuple of str."""
        return tuple(repeat.what for repeat in self.repeated)

    @property
    def n_clusters_found(self) -> np.ndarray:
        """Clusters that each of `repeats` found, array of int."""
        return np.array([repeat.n_clusters for repeat in self.repeated], dtype=int)

    @property
    def number(self) -> str:
        """Number of clusters, and the range of what was found, such as "4 (3-5)".

        Where the number was told, only what searched for it is counted.
        """
        own = len(self.cluster_names)
        found = [own, *(repeat.n_clusters for repeat in self._searches)]
        return f"{own}" if min(found) == max(found) else f"{own} ({min(found)}-{max(found)})"

    @property
    def _searches(self):
        """Repeats in which the number of clusters was searched for."""
        told = self._of(NUMBER)
        return [*told, *self._of("workflow")] if told else self.repeated

    def _of(self, kind):
        return [repeat for repeat in self.repeated if repeat.kind == kind]

    @property
    def ari_of(self) -> dict[str, float]:
        """Median of the adjusted Rand indices by what was varied, a dictionary."""
        indices = {"counts": self.ari} | {k: [r.ari for r in self._of(k)] for k in _WORDS}
        return {kind: float(np.median(of)) for kind, of in indices.items() if len(of)}

    @cached_property
    def consensus(self) -> np.ndarray:
        """Share of the repeats in which the pixel keeps its cluster, array of float32 (map shape).

        What was varied counts alike, however many repeats there are of it. NaN where left out.
        """
        if not self.agreement_of:
            return self.agreement
        return np.stack([*self.agreement_of.values()]).mean(axis=0, dtype=np.float32)

    @property
    def undecided(self) -> float:
        """Share of the pixels that more of the repeats than not put elsewhere."""
        known = self.consensus[np.isfinite(self.consensus)]
        return float(np.mean(known < UNDECIDED)) if known.size else np.nan

    # --- in words -------------------------------------------------------------------------

    @property
    def summary(self) -> tuple[str, ...]:
        """What was found, a tuple of sentences."""
        lost = [k for k, kind in enumerate(self.kinds) if kind is Stability.UNSTABLE]
        halves = [f"Half of the counts do not find {self._named(lost)} again."] if lost else []
        return (*halves, *self._of_all_counts())

    def _of_all_counts(self):
        """Sentences on what was varied with all of the counts."""
        if not self.repeated:
            return [*self.remarks]
        said = [*self.remarks, f"Number of clusters: {self.number}."]
        if told := self._of(NUMBER):
            said.append(f"The number was told; the search for it finds {told[0].n_clusters}.")
        said += [self._sentence(kind) for kind in _WORDS if kind in self.varied]
        if self.undecided >= LEAST_SAID:
            said.append(
                f"Undecided: {_percent(self.undecided)} of the pixels, which more of the repeats "
                "than not put elsewhere."
            )
        return said

    def _sentence(self, kind):
        """What came of varying one thing."""
        subject, repeats = _WORDS[kind][1], self._of(kind)
        if not repeats:
            return f"{subject}: counts and pixels allow for none."
        one = kind == "workflow" and len(repeats) == 1
        if kind == "workflow":
            subject = subject if one else "The workflows"
            subject += f" ({', '.join(repeat.what for repeat in repeats)})"
        ending = "s" if one else ""
        own, found = len(self.cluster_names), sorted({repeat.n_clusters for repeat in repeats})
        # With one cluster, the index is 1 if all pixels agree and 0 if one does not.
        index = f" (ARI {self.ari_of[kind]:.2f})" if own > 1 else ""
        changed = 1 - np.nanmean(self.agreement_of[kind])
        how = self._changes(repeats, ending)
        # Also a small cluster may be lost, which the index hardly sees.
        if found == [own] and not how and (self.ari_of[kind] >= AGREE or not changed):
            return f"{subject} agree{ending}{index}."
        numbers = "as many" if found == [own] else " to ".join(map(str, found[:1] + found[1:][-1:]))
        return (
            f"{subject} find{ending} {', '.join([numbers, *how])}; {_percent(changed)} of the "
            f"pixels change{index}."
        )

    def _changes(self, repeats, ending):
        """What becomes of clusters in at least half of the repeats, in words."""

        def usual(name):
            each = [what for repeat in repeats for what in getattr(repeat, name)]
            return [what for what in dict.fromkeys(each) if 2 * each.count(what) >= len(repeats)]

        does = "does" if ending else "do"
        joined = [f"join{ending} {self._named(group)}" for group in usual("joined")]
        split = [f"split{ending} {self._named(usual('split'))}"] if usual("split") else []
        lost = [f"{does} not find {self._named(usual('lost'))}"] if usual("lost") else []
        n_new = int(np.median([repeat.n_new for repeat in repeats]))
        return [*joined, *split, *lost, *([f"add{ending} {n_new}"] if n_new else [])]

    def _named(self, clusters):
        """Clusters by their names."""
        return " and ".join(f"'{self.cluster_names[k]}'" for k in clusters)

    def to_dataframe(self) -> pd.DataFrame:
        """One row for each cluster, as a `pandas.DataFrame`."""
        import pandas as pd

        return pd.DataFrame(
            {
                "overlap": self.per_cluster,
                "lowest": self._halves.min(axis=0),
                "highest": self._halves.max(axis=0),
                "verdict": self.verdicts,
                **{kind: self._overlap(kind) for kind in self._compared},
            },
            index=list(self.cluster_names),
        )

    @property
    def _compared(self):
        """What was varied with all of the counts."""
        return [kind for kind in _WORDS if self._of(kind)]

    def _overlap(self, kind):
        """Mean of Jaccard's index with all of the counts, array (n_clusters,)."""
        return np.mean([repeat.jaccard for repeat in self._of(kind)], axis=0)

    def _told(self):
        rows = [("cluster", "overlap", "lowest", "", *(_WORDS[k][0] for k in self._compared))]
        names = map(Coloured, self.cluster_names, cluster_colours(len(self.cluster_names)))
        rows += zip(
            names, _numbers(self.per_cluster), _numbers(self._halves.min(axis=0)),
            self.verdicts, *(_numbers(self._overlap(k)) for k in self._compared), strict=True,
        )  # fmt: skip
        if not len(self.jaccard):
            return [[(row[0], *row[4:]) for row in rows], *self._of_all_counts()]
        known = np.isfinite(self.agreement).any()
        keep = f"{np.nanmean(self.agreement):.1%}" if known else "-"
        halves = (
            f"{len(self.jaccard)} times half of the counts; ARI {self.ari.mean():.2f}; "
            f"{keep} of the pixels keep their cluster"
        )
        return [rows, halves, *self._of_all_counts()]

    def _repr_html_(self):
        where = "where pixels keep their cluster: white = always"
        picture = grey_picture(self.consensus, self.axes, where, 180)
        return beside(picture, self._told())

    # --- as pictures ----------------------------------------------------------------------

    def agreement_map(self) -> BaseSignal:
        """Where the labels are stable in halves, as a HyperSpy image of `agreement`."""
        return image(self.agreement, self.axes, "Agreement")

    def consensus_map(self) -> BaseSignal:
        """Where the labels stay the same whatever is varied, as a HyperSpy image of `consensus`."""
        return image(self.consensus, self.axes, "Consensus")

    def plot(self, ax: Axes | None = None, *, index: int = 0) -> Axes:
        """Draw where the labels stay the same: `consensus`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.
        index : int
            Number of the map that is drawn of a stack.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot_agreement(map_of(self.consensus, index), self.axes, ax)


def _numbers(values):
    return [f"{value:.2f}" for value in values]


def _percent(share):
    """A share as text, in tenths where it is less than one in a hundred."""
    return f"{share:.0%}" if share >= 0.0095 else f"{share:.1%}"


def stability_of(result, resampled, again=(), varied=("counts",), remarks=()):
    """Compare the labels of a result with those found again.

    Parameters
    ----------
    result : ClusterResult
    resampled : iterable of array of int (kept pixels,)
        Labels found again in halves, in any numbering; taken one after the other.
    again : iterable of (Variation, array of int (kept pixels,))
        What was varied with all of the counts, and the labels that it gave.
    varied : tuple of str
        What was to be varied.
    remarks : tuple of str
        See `ClusterStability`.

    Returns
    -------
    ClusterStability
    """
    from sklearn.metrics import adjusted_rand_score

    keep = result.labels != MASKED
    reference, n = result.labels[keep], result.n_clusters
    jaccard, ari, same = [], [], {}
    for labels in resampled:
        labels = np.append(match_labels(reference, labels, n), -1)[labels]
        table = contingency_table(reference, labels, n, n)
        jaccard.append(np.diag(jaccard_indices(table, reference, labels)))
        ari.append(adjusted_rand_score(reference, labels))
        same.setdefault("counts", []).append(labels == reference)
    regrouped = result.parameters.get("n_clusters_found", n) != n
    repeated = []
    for variation, labels in again:
        repeat, unchanged = compare(variation, reference, labels, n, regrouped)
        repeated.append(repeat)
        if variation.kind != NUMBER:
            same.setdefault(variation.kind, []).append(unchanged)

    def on_map(shares):
        spread = np.full(keep.shape, np.nan, dtype=np.float32)
        spread[keep] = shares
        return spread

    agreement_of = {kind: on_map(np.mean(each, axis=0)) for kind, each in same.items()}
    return ClusterStability(
        result.cluster_names,
        np.array(jaccard).reshape(-1, n),
        np.array(ari),
        agreement_of.get("counts", on_map(np.nan)),
        result.axes,
        tuple(repeated),
        agreement_of,
        varied,
        remarks,
    )
