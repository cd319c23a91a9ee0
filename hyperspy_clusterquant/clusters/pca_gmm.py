"""Workflow 1: whitened scores clustered with a Gaussian mixture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hyperspy_clusterquant._checks import as_int, check_choice, check_n_clusters
from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.clusters.causes import undeclared_causes
from hyperspy_clusterquant.clusters.halves import halves_of
from hyperspy_clusterquant.clusters.learning import NO_SIGNAL, how_divided, learn
from hyperspy_clusterquant.clusters.mixture import (
    least_bic,
    mixture_memberships,
    separated_groups,
)
from hyperspy_clusterquant.clusters.recipe import Recipe
from hyperspy_clusterquant.clusters.refine import refine_best

DROPPED = "{} of {} clusters hold no pixel and were dropped."


@dataclass(frozen=True, eq=False, kw_only=True)
class PcaGmm(Recipe):
    """Workflow 1.

    Attributes
    ----------
    n_clusters : int, "auto" or "bic"
        Number of clusters or the criterion that chooses it.
    covariance_type, n_init
        As in `sklearn.mixture.GaussianMixture`.
    is_repeated : bool
        Whether `n_clusters` is the number that ``"auto"`` started from, to be completed again.
    """

    n_clusters: object = "auto"
    covariance_type: str = "full"
    n_init: int = 3
    is_repeated: bool = False

    workflow: ClassVar[str] = "pca_gmm"
    needed: ClassVar[tuple] = ("n_clusters", "covariance_type", "n_init")
    hidden: ClassVar[tuple] = (*Recipe.hidden, "is_repeated")

    def __post_init__(self):
        super().__post_init__()
        check_choice("covariance_type", self.covariance_type, ("full", "tied", "diag", "spherical"))
        as_int("n_init", self.n_init, minimum=1)
        check_n_clusters(self.n_clusters, np.inf)

    def run(self, pixels, progress):
        """See `Recipe.run`."""
        # Learn.
        learning = learn(pixels, self, progress)
        measured = learning.measured
        n_clusters = check_n_clusters(self.n_clusters, np.count_nonzero(measured))
        # Cluster.
        progress("clusters")
        profiles = self.line_profiles(pixels.energy)
        asked, criterion, remarks = n_clusters, {}, []
        starts = [np.ones((np.count_nonzero(measured), 1))]
        if learning.scores.shape[1] > 0:
            starts, criterion = self._starts(n_clusters, learning, profiles)
        automatic = asked == "auto" or self.is_repeated
        complete = automatic and self.n_components != 0 and self.normalize
        # Refine.
        refined, tried = refine_best(
            learning, [_of_all(learning, known) for known in starts], progress,
            profiles=profiles, complete=complete,
        )  # fmt: skip
        n_found = refined.memberships.shape[1]
        criterion["n_clusters_start"] = n_start = tried[-1]
        if self.n_components != 0 and (automatic or not learning.scores.shape[1]):
            remarks += how_divided(n_found, learning.scores.shape[1], tried)
        remarks += refined.remarks
        remarks += undeclared_causes(learning, refined.label_spectra, profiles)
        if n_found < n_start and not isinstance(asked, str):
            remarks.append(DROPPED.format(n_start - n_found, n_start))
        return learning.clustering(self.with_chosen(**criterion, remarks=remarks), refined)

    def _starts(self, n_clusters, learning, profiles):
        """Memberships of measured learning pixels to start from, and the criterion if one chose.

        What has no gap may still be found as places that the others do not explain; if too few
        clusters are found for the components, it is started from as many.
        """
        fit = (self.covariance_type, int(self.n_init), learning.seed)
        scores = learning.scores[learning.measured]
        if not isinstance(n_clusters, str):
            return [mixture_memberships(scores, n_clusters, *fit, learning.rng)], {}
        if n_clusters == "bic":
            chosen, curve = least_bic(scores, *fit, learning.rng)
            starts = [mixture_memberships(scores, chosen, *fit, learning.rng)]
        else:
            found = separated_groups(
                scores, learning.fewest_spectra, *fit, learning.rng, halves_of(learning, profiles)
            )
            curve, starts = found.curve, found.starts
        return starts, {"criterion": n_clusters, "criterion_curve": curve.tolist()}

    def repeat(self, seed):
        """See `Recipe.repeat`."""
        again = super().repeat(seed)
        if not isinstance(self.n_clusters, str):
            return again
        if self.n_clusters == "auto" and "n_clusters_start" in self.chosen:
            return replace(again, n_clusters=self.chosen["n_clusters_start"], is_repeated=True)
        # A result that does not say how many it found has them searched for again.
        return replace(again, n_clusters=self.chosen.get("n_clusters_found", self.n_clusters))

    def warn_of_fewer(self, n_found):
        """Warn if there are not as many clusters as the user asked for."""
        asked = self.n_clusters
        if isinstance(asked, str) or n_found == asked:
            return
        if self.chosen["n_components_found"] == 0:
            warn(
                f"{NO_SIGNAL} It was returned instead of the {asked} asked for. To force them all "
                "the same, pass n_components=2, say; to look for weaker differences, bin more or "
                "measure longer."
            )
        else:
            warn(
                f"{DROPPED.format(asked - n_found, asked)} Ask for fewer, or let the data decide "
                "with n_clusters='auto'."
            )


def _of_all(learning, known):
    """Memberships of all learning pixels from those of measured ones; no pixel is noise."""
    # A pixel of which little is known belongs to each cluster as much as the map does.
    memberships = np.tile(known.mean(axis=0), (len(learning.scores), 1))
    memberships[learning.measured] = known
    return memberships, np.zeros(len(memberships), dtype=bool)
