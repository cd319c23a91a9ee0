"""Are the clusters distinct? What several count splits say, for users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from hyperspy_clusterquant._checks import cluster_number
from hyperspy_clusterquant._text import Coloured, Told, p_text
from hyperspy_clusterquant.evidence.judgement import Judged
from hyperspy_clusterquant.evidence.verdicts import (
    MergerKind,
    Verdict,
    found_empty,
    verdicts_of_pairs,
)
from hyperspy_clusterquant.plotting import plot_pairs
from hyperspy_clusterquant.plotting.pairs import colour_of
from hyperspy_clusterquant.plotting.style import cluster_colours
from hyperspy_clusterquant.results.clusters import ClusterResult

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Whether p-values of regions by hand hold, by what was looked at when they were drawn.
DRAWN_ON = {
    "outside": "The regions were given, and not found in the counts: the p-values hold if they "
    "were drawn without looking at the counts of this map, as on a HAADF image.",
    "all": "The regions were drawn on the counts that they are tested with: the p-values are too "
    "small. Draw them on one half of the counts, s.explore_clusters(result, honest=True).",
    "half": "The regions were drawn on one half of the counts and are tested in the other one. {n}",
    "outside, half": "Some regions were given, others drawn on one half of the counts; all are "
    "tested in the other one. The p-values hold if the given ones were drawn without looking at "
    "the counts of this map. {n}",
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SignificanceTable(Told, Judged):
    """Whether the clusters of a result differ in composition, tested by count splitting.

    Everything of pairs is for the cluster in the row and that in the column.

    Attributes
    ----------
    result : ClusterResult
        What was tested.
    elements : tuple of str
        Elements whose lines are compared.
    n_splits : int
        Splits made.
    level : float
        Of the verdicts.
    p_values : array (n_clusters, n_clusters)
        Of "same composition, whatever the dose, thickness, absorption and drift". Symmetric; NaN on
        the diagonal and where there is nothing to compare.
    adjusted_p_values : array (n_clusters, n_clusters)
        Corrected for the number of pairs (Holm), as the verdicts use them.
    p_values_with_absorption : array (n_clusters, n_clusters)
        The same if all that absorption and drift of the energy axis change is composition.
    n_tested : array of int (n_clusters, n_clusters)
        Splits in which both clusters of a pair were found again and compared.
    difference : array (n_clusters, n_clusters, n_elements)
        Composition of the row less that of the column in at%. The k-factors scale it; the p-values
        do not depend on them.
    difference_covariance : array (n_clusters, n_clusters, n_elements, n_elements)
        Covariance of `difference` from the counts. Too large where the clusters are not the same in
        all splits.
    element_p_values : array (n_clusters, n_clusters, n_elements)
        Of "no difference in this element", corrected for the number of elements.
    detected : array of bool (n_clusters, n_elements)
        Whether the counts of the element exceed zero by more than noise does in 95 of 100 cases.
    holds : array of bool (n_clusters,)
        Whether each cluster holds any of the elements beyond noise.
    overlap : array (n_clusters,)
        Agreement (Jaccard's index) of each cluster with what was found in half of the counts,
        mean over the splits.
    explained_by_counts : array (n_clusters,)
        Share of the separation from the cluster that is nearest in composition that total counts
        alone explain: 1 = thickness or dose, near 0 = chemistry.
    nearest : array of int (n_clusters,)
        That cluster, -1 if there is none.
    consolidated : ClusterResult
        The result with clusters merged that are not distinct, not found again, or interfaces.
    mergers : tuple of Merger
        What was merged and why.
    gradual_width : array (n_clusters, n_clusters)
        Pixels over which the composition changes from the inner part of one cluster to that of the
        other, where no border is between them; NaN where there is one, or they do not touch.
    n_asked : int
        Of regions that were drawn on one half of the counts, n: how many selections and tables
        were tested in the other one, with this. All p-values are multiplied by n (n + 1). Else 0.
    """

    result: ClusterResult
    elements: tuple
    n_splits: int
    level: float
    overlap: np.ndarray
    explained_by_counts: np.ndarray
    nearest: np.ndarray
    consolidated: ClusterResult
    mergers: tuple
    gradual_width: np.ndarray
    n_asked: int = 0

    @property
    def cluster_names(self) -> tuple[str, ...]:
        """Names of the clusters, tuple of str."""
        return self.result.cluster_names

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return self.result.n_clusters

    @property
    def z(self) -> np.ndarray:
        """Standard deviations of a normal distribution that have the p-value, both tails.

        Array (n_clusters, n_clusters); beyond 37 it is no longer told apart.
        """
        return stats.norm.isf(np.maximum(self.p_values, 1e-300) / 2)

    @property
    def effect_size(self) -> np.ndarray:
        """Atoms in 100 that would have to be others: half the sum of the absolute differences.

        Array (n_clusters, n_clusters) in at%.
        """
        return 0.5 * np.abs(self.difference).sum(axis=2)

    @property
    def effect_size_std(self) -> np.ndarray:
        """Standard uncertainty of `effect_size`, with the correlations of the elements."""
        signs = np.sign(self.difference)
        variance = np.einsum("...i,...ij,...j", signs, self.difference_covariance, signs)
        return 0.5 * np.sqrt(np.maximum(variance, 0))

    @property
    def kinds(self) -> np.ndarray:
        """What it means for each pair, array of Verdict (n_clusters, n_clusters)."""
        joined = [k for m in self.mergers if m.kind == MergerKind.INTERFACE for k in m.clusters[0]]
        interfaces = np.isin(np.arange(self.n_clusters), joined)
        gradual = np.isfinite(self.gradual_width)
        return verdicts_of_pairs(self, self.overlap, interfaces, self.level, gradual)

    @property
    def verdicts(self) -> np.ndarray:
        """The same in words, array of str (n_clusters, n_clusters), "" = itself."""
        words = self.kinds
        is_empty = found_empty(self, self.overlap)
        for pair, kind in np.ndenumerate(words):
            # What is below its limit in both is not what they differ in.
            differ = (self.element_p_values[pair] < self.level) & self.detected[list(pair)].any(
                axis=0
            )
            some = [] if differ.all() else [self.elements[k] for k in np.flatnonzero(differ)]
            words[pair] = kind.words(some, [self.cluster_names[k] for k in pair if is_empty[k]])
        return words

    def is_distinct(self, i: int | str, j: int | str) -> bool:
        """Whether the compositions of two clusters, given by number or name, differ."""
        what = f"the result {self.result.name!r}"
        pair = tuple(cluster_number(key, self.cluster_names, what) for key in (i, j))
        return bool(self.adjusted_p_values[pair] < self.level)

    def to_dataframe(self) -> pd.DataFrame:
        """One row for each pair of clusters, as a `pandas.DataFrame`."""
        import pandas as pd

        rows = []
        verdicts, z, effect = self.verdicts, self.z, self.effect_size
        for i, j in zip(*np.triu_indices(self.n_clusters, 1), strict=True):
            row = {
                "first": self.cluster_names[i],
                "second": self.cluster_names[j],
                "verdict": verdicts[i, j],
                "p": self.p_values[i, j],
                "adjusted p": self.adjusted_p_values[i, j],
                "z": z[i, j],
                "effect (at%)": effect[i, j],
                "splits": self.n_tested[i, j],
            }
            for e, element in enumerate(self.elements):
                row[f"{element} (at%)"] = self.difference[i, j, e]
                row[f"{element} std"] = self.difference_std[i, j, e]
            rows.append(row)
        return pd.DataFrame(rows)

    def _told(self):
        n = self.n_clusters
        if n < 2:
            return [f"<SignificanceTable {self.result.name!r}: one cluster, nothing to compare>",
                    *self.result.findings.get("homogeneity", ())]  # fmt: skip
        head = ("pair", "p", "z", "effect (at%)", "verdict")
        rows = [head]
        kinds, verdicts, z, colours = self.kinds, self.verdicts, self.z, cluster_colours(n)
        effect, effect_std = self.effect_size, self.effect_size_std
        for i, j in zip(*np.triu_indices(n, 1), strict=True):
            known = np.isfinite(self.p_values[i, j])
            rows.append(
                (
                    Coloured(
                        f"{self.cluster_names[i]} - {self.cluster_names[j]}",
                        colours[i],
                        colours[j],
                    ),
                    p_text(self.adjusted_p_values[i, j]) if known else "",
                    (f"{z[i, j]:.1f}" if z[i, j] < 37 else "> 37") if known else "",
                    f"{effect[i, j]:.2g} ± {effect_std[i, j]:.1g}"
                    if np.isfinite(effect[i, j])
                    else "",
                    Coloured(verdicts[i, j], colour_of(kinds[i, j])),
                )
            )
        parts = [rows, "", self._cluster_rows()]
        parts += self._without_border()
        for merger in self.mergers:
            joined, to = (" + ".join(self.cluster_names[k] for k in ks) for ks in merger.clusters)
            parts.append(f"merged: {joined} with {to} ({merger.reason})")
        parts.append(
            f"p corrected for the number of pairs; splits of the counts: {self.n_splits}; "
            f"{self.consolidated.n_clusters} of {n} clusters remain in .consolidated"
        )
        known = self.result.parameters
        if known.get("drawn_on") in DRAWN_ON:
            before = (
                f"Tested in it before: {self.n_asked - 1}, so all p-values are multiplied by "
                f"{self.n_asked * (self.n_asked + 1)}."
            )
            parts.append(DRAWN_ON[known["drawn_on"]].format(n=before))
        return [*parts, *self.result.findings.get("homogeneity", ())]

    def _without_border(self):
        """Sentences on pairs between which the composition changes gradually."""
        axis = self.result.axes[-1] if self.result.axes else {}
        scale, units = axis.get("scale", 1.0), axis.get("units") or "pixels"
        units = "pixels" if units == "<undefined>" else units
        scale = 1.0 if units == "pixels" else abs(scale)
        sentences, kinds = [], self.kinds
        for i, j in zip(*np.triu_indices(self.n_clusters, 1), strict=True):
            if kinds[i, j] is Verdict.GRADUAL:
                first, second = self.cluster_names[i], self.cluster_names[j]
                width = self.gradual_width[i, j] * scale
                sentences.append(
                    f"no border between {first} and {second}: the composition changes over about "
                    f"{width:.2g} {units}; each of them is a range of compositions, which "
                    "cluster_homogeneity tells of both together (merge them)"
                )
        return sentences

    def _cluster_rows(self):
        rows = [("cluster", "found again (overlap)", "explained by total counts alone")]
        colours = cluster_colours(self.n_clusters)
        for k, name in enumerate(map(Coloured, self.cluster_names, colours)):
            share, nearest = self.explained_by_counts[k], self.nearest[k]
            explained = "-"
            if np.isfinite(share) and np.isfinite(self.p_values[k, nearest]):
                other = self.cluster_names[nearest]
                explained = f"{share:.0%} of the separation from {other}, which is no chemistry"
                # Of two that are distinct, dose is not why, however much of it there is.
                if self.is_distinct(k, nearest):
                    explained = f"no, distinct from {other}"
            rows.append((name, f"{self.overlap[k]:.2f}", explained))
        return rows

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the pairs of clusters with their verdicts.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot_pairs(
            self.kinds, self.effect_size, self.adjusted_p_values, self.cluster_names, ax
        )
