"""Workflow 1: whitened scores clustered with a Gaussian mixture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hyperspy_clusterquant._checks import as_int, check_choice, check_n_clusters
from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.clusters.learning import CONTINUOUS, NO_SIGNAL, learn
from hyperspy_clusterquant.clusters.mixture import choose_n_clusters, mixture_memberships
from hyperspy_clusterquant.clusters.recipe import Recipe
from hyperspy_clusterquant.clusters.refine import refine

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
    """

    n_clusters: object = "auto"
    covariance_type: str = "full"
    n_init: int = 3

    workflow: ClassVar[str] = "pca_gmm"
    needed: ClassVar[tuple] = ("n_clusters", "covariance_type", "n_init")

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
        criterion, remarks = {}, [NO_SIGNAL]
        n_components = learning.scores.shape[1]
        memberships = np.ones((len(learning.scores), 1))
        if n_components > 0:
            scores = learning.scores[measured]
            fit = (self.covariance_type, int(self.n_init), learning.seed)
            n_clusters, criterion, remarks = self._number(n_clusters, scores, fit, learning)
            known = mixture_memberships(scores, n_clusters, *fit, learning.rng)
            # A pixel of which little is known belongs to each cluster as much as the map does.
            memberships = np.tile(known.mean(axis=0), (len(learning.scores), 1))
            memberships[measured] = known
        memberships = memberships[learning.bin_of_pixel]
        # Refine.
        no_noise = np.zeros(len(memberships), dtype=bool)
        refined = refine(learning, memberships, no_noise, progress)
        remarks += refined.remarks
        n_found = refined.memberships.shape[1]
        if n_components > 0 and n_found < n_clusters:
            remarks.append(DROPPED.format(n_clusters - n_found, n_clusters))
        return learning.clustering(self.with_chosen(**criterion, remarks=remarks), refined)

    def _number(self, n_clusters, scores, fit, learning):
        """Number of clusters, the criterion that chose it if one did, and what is to be said."""
        if not isinstance(n_clusters, str):
            return n_clusters, {}, []
        chosen, n_separated, curve = choose_n_clusters(
            scores, n_clusters, learning.fewest_spectra, *fit, learning.rng
        )
        remarks = [CONTINUOUS.format(n_separated, chosen)] if n_separated < chosen else []
        return chosen, {"criterion": n_clusters, "criterion_curve": curve.tolist()}, remarks

    def repeat(self, seed):
        """See `Recipe.repeat`."""
        again = super().repeat(seed)
        if not isinstance(self.n_clusters, str):
            return again
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
