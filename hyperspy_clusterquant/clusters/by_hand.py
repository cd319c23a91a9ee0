"""Regions that were drawn by hand, or on another image, as clusters of a map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hyperspy_clusterquant.clusters.clustering import Clustering
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.clusters.likelihood import cluster_shares, discriminant_scores
from hyperspy_clusterquant.clusters.recipe import Recipe, versions
from hyperspy_clusterquant.counts.features import merge_sparse_features
from hyperspy_clusterquant.counts.packed import column_sums
from hyperspy_clusterquant.counts.pixels import sum_members

#: Scores of so many directions are kept: of a thousand regions, all would outweigh the counts.
MOST_SCORES = 20


@dataclass(frozen=True, eq=False, kw_only=True)
class ByHand(Recipe):
    """Labels that somebody gave: done again on other counts, they are the same.

    Attributes
    ----------
    labels : array of int (map shape)
        0 .. n_clusters - 1, -1 = in none, -2 = left out; on one half of the counts, if they were
        drawn there.
    n_clusters : int
        Also those without a pixel on a part of the map.
    drawn_on : {"outside", "half", "outside, half", "all"}
        What was looked at when they were drawn: not known, and perhaps another image; one half of
        the counts; of some the one, of others the other; all counts.
    """

    binning: object = 1
    neighbourhood: object = 0.0
    n_components: object = 0
    absorption: str = "ignore"
    labels: np.ndarray
    n_clusters: int
    drawn_on: str = "outside"

    workflow: ClassVar[str] = "by hand"
    searches: ClassVar[bool] = False
    follows_counts: ClassVar[bool] = False
    hidden: ClassVar[tuple] = (
        *Recipe.hidden, "labels", "n_clusters", "n_components", "binning", "neighbourhood",
        "normalize", "absorption", "random_state", "navigation_mask",
    )  # fmt: skip

    @classmethod
    def of_result(cls, result, **more):
        """See `Recipe.of_result`."""
        labels = result.labels if result.half_labels is None else result.half_labels
        given = {
            "labels": labels,
            "n_clusters": max(int(labels.max(initial=-1)) + 1, result.n_clusters),
        }
        return super().of_result(result, **given, **more)

    def cluster(self, data, energy, navigation_mask, progress):
        """See `Recipe.cluster`; what the labels leave out is left out."""
        return super().cluster(data, energy, self.labels == MASKED, progress)

    @property
    def half_seed(self):
        """Seed of the half of the counts that the regions were drawn on, or None."""
        return self.chosen.get("half_seed") if "half" in self.drawn_on else None

    def repeat(self, seed):
        """See `Recipe.repeat`: the same regions, drawn on the same half."""
        return replace(super().repeat(seed), chosen=self.chosen)

    def run(self, pixels, progress):
        """See `Recipe.run`. The scores are along the directions in which the regions differ."""
        progress("labels")
        labels = self.labels[pixels.keep]
        members = labels[:, None] == np.arange(self.n_clusters)
        groups = merge_sparse_features(pixels.blocks.sum(column_sums))
        counts = pixels.blocks.only(groups=groups)
        known = cluster_shares(counts.sum(sum_members, of_pixels=[members]))
        scores, doses = map(np.concatenate, zip(*counts.map(_first_scores, known), strict=True))
        scores *= np.sqrt(max(np.median(doses), 1.0))
        return Clustering(
            recipe=self.with_chosen(versions=versions()),
            labels=labels,
            memberships=members.astype(np.float32),
            label_spectra=None,
            scores=scores,
            eigenvalues=np.zeros(0),
            noise_edge=np.nan,
        )


def _first_scores(counts, shares):
    """`discriminant_scores` along the directions in which the regions differ most."""
    scores, doses = discriminant_scores(counts, shares)
    return scores[:, :MOST_SCORES].copy(), doses
