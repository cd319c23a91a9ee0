"""Do the labels stay the same when the clusters are learned again?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant._text import Told
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.evidence.matching import contingency_table, jaccard_indices, match_labels
from hyperspy_clusterquant.evidence.verdicts import Stability
from hyperspy_clusterquant.images import image
from hyperspy_clusterquant.plotting import plot_agreement


@dataclass(frozen=True, eq=False, repr=False)
class ClusterStability(Told, Frozen):
    """How well clusters are found again in halves of the counts.

    Attributes
    ----------
    cluster_names : tuple of str
    jaccard : array (n_resamples, n_clusters)
        Pixels that a cluster and the one found again have in common, of all that either has.
    ari : array (n_resamples,)
        Adjusted Rand index of all labels.
    agreement : array of float32 (map shape)
        Share of the resamples in which the pixel is in the same cluster; NaN where left out.
    axes : tuple of dict
        Navigation axes of the map.
    """

    cluster_names: tuple
    jaccard: np.ndarray
    ari: np.ndarray
    agreement: np.ndarray
    axes: tuple

    @property
    def per_cluster(self):
        """Mean of Jaccard's index for each cluster, array (n_clusters,)."""
        return self.jaccard.mean(axis=0)

    @property
    def kinds(self):
        """What it means for each cluster, a tuple of Stability."""
        return tuple(map(Stability.of, self.per_cluster))

    @property
    def verdicts(self):
        """The same in words, a tuple of str."""
        return tuple(kind.value for kind in self.kinds)

    def to_dataframe(self):
        """One row for each cluster, as a `pandas.DataFrame`."""
        import pandas as pd

        return pd.DataFrame(
            {
                "overlap": self.per_cluster,
                "lowest": self.jaccard.min(axis=0),
                "highest": self.jaccard.max(axis=0),
                "verdict": self.verdicts,
            },
            index=list(self.cluster_names),
        )

    def _told(self):
        rows = [("cluster", "overlap", "lowest", "")]
        rows += [
            (name, f"{mean:.2f}", f"{lowest:.2f}", verdict)
            for name, mean, lowest, verdict in zip(
                self.cluster_names, self.per_cluster, self.jaccard.min(axis=0), self.verdicts,
                strict=True,
            )
        ]  # fmt: skip
        known = np.isfinite(self.agreement).any()
        keep = f"{np.nanmean(self.agreement):.1%}" if known else "-"
        summary = (
            f"{len(self.jaccard)} times half of the counts; ARI {self.ari.mean():.2f}; "
            f"{keep} of the pixels keep their cluster"
        )
        return [rows, summary]

    def agreement_map(self):
        """Where the labels are stable, as a HyperSpy image of `agreement`."""
        return image(self.agreement, self.axes, "Agreement")

    def plot(self, ax=None):
        """Draw where the labels are stable.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot_agreement(self.agreement, self.axes, ax)


def stability_of(result, resampled):
    """Compare the labels of a result with those found again.

    Parameters
    ----------
    result : ClusterResult
    resampled : iterable of array of int (kept pixels,)
        Labels found again, in any numbering; taken one after the other.

    Returns
    -------
    ClusterStability
    """
    from sklearn.metrics import adjusted_rand_score

    keep = result.labels != MASKED
    reference, n = result.labels[keep], result.n_clusters
    jaccard, ari = [], []
    same = np.zeros(len(reference), dtype=int)
    for labels in resampled:
        labels = np.append(match_labels(reference, labels, n), -1)[labels]
        table = contingency_table(reference, labels, n, n)
        jaccard.append(np.diag(jaccard_indices(table, reference, labels)))
        ari.append(adjusted_rand_score(reference, labels))
        same += labels == reference
    agreement = np.full(keep.shape, np.nan, dtype=np.float32)
    agreement[keep] = same / len(ari)
    return ClusterStability(
        result.cluster_names, np.array(jaccard), np.array(ari), agreement, result.axes
    )
