"""Workflow 2: whitened scores embedded with UMAP, clustered with HDBSCAN."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hyperspy_clusterquant._checks import as_int, check_choice
from hyperspy_clusterquant.clusters.causes import undeclared_causes
from hyperspy_clusterquant.clusters.density import PROPOSED_SHARE, density_clusters
from hyperspy_clusterquant.clusters.embedding import (
    draw_landmarks,
    embedding_stage,
    nearest_landmarks,
    umap_embedding,
    voted,
)
from hyperspy_clusterquant.clusters.halves import halves_of
from hyperspy_clusterquant.clusters.learning import how_divided, learn
from hyperspy_clusterquant.clusters.recipe import Recipe
from hyperspy_clusterquant.clusters.refine import refine_best
from hyperspy_clusterquant.clusters.starts import FEW_PIXELS, most_separated, several

#: Fewest landmarks in a cluster that HDBSCAN may propose: fewer show no significant gap.
PROPOSED_PIXELS = 10
#: Landmarks in the smallest cluster that is looked for. More of them propose no other clusters.
LANDMARKS_IN_SMALLEST = 150
#: Learning pixels among which gaps between clusters are looked for.
MOST_SEEN = 2**16
#: Landmarks up to which they are embedded with several seeds: which clumps UMAP makes of so few
#: depends on the seed, and one embedding takes half a second.
FEW_LANDMARKS = 1500
TOO_FEW_FOR_TWO = "The pixels are too few for two clusters of the smallest size, so there is one."


@dataclass(frozen=True, eq=False, kw_only=True)
class UmapHdbscan(Recipe):
    """Workflow 2.

    HDBSCAN proposes clusters down to 3 % of the landmarks, or to half of a smaller
    `min_cluster_size`, because many pixels of a small phase are mixed. Those without a gap between
    them are joined. When all pixels are labelled, clusters below `min_cluster_size` are left out,
    which makes the outcome depend on that size only where a cluster is smaller. Smaller phases
    that are lost in bins or among landmarks are found as places that the others do not explain.

    Attributes
    ----------
    min_cluster_size
        As the user wrote it.
    smallest : int, float or "auto"
        The same in pixels of the map (int) or as a fraction of the kept pixels.
    is_repeated : bool
        Whether it is done again, perhaps on a part of the map that is smaller than `smallest`.
    n_dimensions, n_neighbors, min_dist, metric
        As in `umap.UMAP`.
    min_samples, cluster_selection_method, cluster_selection_epsilon
        As in `hdbscan.HDBSCAN`.
    n_landmarks : int
        Learning pixels that are embedded at most.
    """

    min_cluster_size: object = "auto"
    smallest: object = "auto"
    is_repeated: bool = False
    n_dimensions: int = 4
    n_neighbors: int = 30
    min_dist: float = 0.0
    metric: object = "euclidean"
    min_samples: int | None = None
    cluster_selection_method: str = "eom"
    cluster_selection_epsilon: float = 0.0
    n_landmarks: int = 20_000

    workflow: ClassVar[str] = "umap_hdbscan"
    needed: ClassVar[tuple] = (
        "min_cluster_size", "smallest_cluster_pixels", "n_dimensions", "n_neighbors", "min_dist",
        "metric", "min_samples", "cluster_selection_method", "cluster_selection_epsilon",
        "n_landmarks",
    )  # fmt: skip
    hidden: ClassVar[tuple] = (*Recipe.hidden, "smallest", "is_repeated")

    def __post_init__(self):
        super().__post_init__()
        check_choice("cluster_selection_method", self.cluster_selection_method, ("eom", "leaf"))
        if not self.cluster_selection_epsilon >= 0:
            raise ValueError(
                "`cluster_selection_epsilon` is a distance in the embedding, 0 or more, not "
                f"{self.cluster_selection_epsilon!r}."
            )
        if not 0 <= self.min_dist <= 1:
            raise ValueError(f"`min_dist` must be between 0 and 1, not {self.min_dist!r}.")
        minima = {"n_dimensions": 1, "n_neighbors": 2, "n_landmarks": 100, "min_samples": 1}
        for name, minimum in minima.items():
            value = getattr(self, name)
            if name != "min_samples" or value is not None:
                object.__setattr__(self, name, as_int(name, value, minimum=minimum))

    def run(self, pixels, progress):
        """See `Recipe.run`."""
        # Learn.
        learning = learn(pixels, self, progress)
        share = self._smallest_share(learning)
        smallest = 0 if self.smallest == "auto" else round(share * learning.keep.sum())
        n_components = learning.scores.shape[1]
        how = {"profiles": self.line_profiles(pixels.energy)}
        how["complete"] = self.n_components != 0 and self.normalize and share <= 0.5
        # Without signal, UMAP makes clumps out of noise; and one cluster needs no search.
        one = np.ones((len(learning.scores), 1))
        starts, embedded, remarks = [(one, np.zeros(len(one), dtype=bool))], {}, []
        if share > 0.5:
            remarks = [TOO_FEW_FOR_TWO]
        elif n_components > 0:
            # Cluster.
            dense = self._dense_clusters(learning, share, how["profiles"], progress)
            starts, remarks = dense.starts, dense.remarks
            embedded = {"embedding": dense.embedding, "landmarks": dense.first_pixels(learning)}
        # Refine.
        refined, tried = refine_best(learning, starts, progress, smallest, **how)
        n_found = refined.memberships.shape[1]
        if share <= 0.5 and n_found and self.n_components != 0:
            remarks += how_divided(n_found, n_components, tried)
        causes = undeclared_causes(learning, refined.label_spectra, how["profiles"])
        recipe = self.with_chosen(
            smallest_cluster_pixels=smallest or 3**learning.keep.ndim,
            remarks=[*remarks, *refined.remarks, *causes],
            **(dense.chosen if embedded else {}),
        )
        return learning.clustering(recipe, refined, **embedded)

    @classmethod
    def of_result(cls, result, **more):
        """See `Recipe.of_result`."""
        known = result.parameters
        automatic = known["min_cluster_size"] == "auto"
        smallest = "auto" if automatic else known["smallest_cluster_pixels"]
        return super().of_result(result, smallest=smallest, **more)

    def repeat(self, seed):
        """See `Recipe.repeat`."""
        return replace(super().repeat(seed), is_repeated=True)

    def _smallest_share(self, learning):
        """Smallest cluster as a share of the kept pixels."""
        smallest, n_kept = self.smallest, learning.keep.sum()
        if isinstance(smallest, str):
            check_choice("min_cluster_size", smallest, ("auto",))
            return max(PROPOSED_SHARE, PROPOSED_PIXELS / len(learning.scores))
        if np.isscalar(smallest) and 0 < smallest < 1:
            return float(smallest)
        pixels = as_int("min_cluster_size", smallest, minimum=2)
        if self.is_repeated:  # perhaps on a part of the map
            pixels = min(pixels, n_kept)
        if pixels > n_kept:
            raise ValueError(
                f"min_cluster_size={pixels} is more than the {n_kept} pixels that are not masked."
            )
        return pixels / n_kept

    def _dense_clusters(self, learning, share, profiles, progress):
        """Clusters of learning pixels, `share` the smallest that is wanted."""
        measured = np.flatnonzero(learning.measured)
        wanted = share / 2 if share < PROPOSED_SHARE else PROPOSED_SHARE
        needed = max(round(LANDMARKS_IN_SMALLEST / wanted), 2 * (self.min_samples or 0))
        n_landmarks = min(self.n_landmarks, needed)
        drawn = draw_landmarks(len(measured), n_landmarks, learning.rng)
        landmarks = measured[drawn]
        if self.min_samples is not None and self.min_samples >= len(landmarks):
            raise ValueError(
                f"`min_samples` must be less than the {len(landmarks)} learning pixels that are "
                f"embedded, not {self.min_samples}. It is of the order of 10; leave it out if in "
                "doubt."
            )
        proposed = max(round(wanted * len(landmarks)), PROPOSED_PIXELS)
        seen = np.union1d(drawn, draw_landmarks(len(measured), MOST_SEEN, learning.rng))
        known, among_seen = learning.scores[measured[seen]], np.searchsorted(seen, drawn)
        halves = halves_of(learning, profiles) if len(seen) == len(measured) else None

        def start(seed):
            progress(embedding_stage())
            embedding = umap_embedding(
                known[among_seen],
                self.n_dimensions,
                self.n_neighbors,
                self.min_dist,
                self.metric,
                seed,
            )
            progress("clusters")
            starts, n_proposed, size = density_clusters(
                embedding, known, proposed, self.min_samples, self.cluster_selection_method,
                self.cluster_selection_epsilon, learning.fewest_spectra, halves,
                None if len(drawn) == len(seen) else among_seen,
            )  # fmt: skip
            return starts, embedding, n_proposed, size

        # Maps of few pixels are started several times as a whole.
        if len(landmarks) > FEW_LANDMARKS or len(learning.bin_of_pixel) <= FEW_PIXELS:
            found = [start(learning.seed)]
        else:
            found = several(start, lambda of: of[0][0].shape[1], learning.seed)
        separated = [starts[0] for starts, *_ in found]
        best = most_separated(
            [of.shape[1] for of in separated],
            [np.where(of.any(axis=1), of.argmax(axis=1), -1) for of in separated],
        )
        starts, embedding, n_proposed, size = found[best]
        return _Dense(
            [_of_all(learning, landmarks, measured[seen], start) for start in starts],
            landmarks, embedding, n_proposed, size,
        )  # fmt: skip


def _of_all(learning, landmarks, seen, known):
    """Memberships of all learning pixels from those that were seen, and which are noise."""
    memberships = np.zeros((len(learning.scores), known.shape[1]))
    memberships[seen] = known
    rest = np.setdiff1d(np.flatnonzero(learning.measured), seen)
    if len(rest):
        nearest = nearest_landmarks(learning.scores[landmarks], learning.scores[rest])
        memberships[rest] = voted(memberships[landmarks], nearest)
    return memberships, ~memberships.any(axis=1)


@dataclass(frozen=True)
class _Dense:
    """Clusters of learning pixels by density, and how they were found.

    `starts` are memberships and noise in the clusters that are separated and, if these are too
    few, in as many as the components need.
    """

    starts: list
    landmarks: np.ndarray
    embedding: np.ndarray
    n_proposed: int
    smallest: int

    @property
    def chosen(self):
        """What a result says of them; with its embedding, HDBSCAN's tree can be made again."""
        return {
            "hdbscan_clusters": self.n_proposed,
            "hdbscan_min_cluster_size": self.smallest,
            "landmarks_used": len(self.landmarks),
        }

    def first_pixels(self, learning):
        """Flat pixel numbers of the first pixel of each landmark."""
        first_pixel = np.full(len(learning.scores), learning.keep.size)
        np.minimum.at(first_pixel, learning.bin_of_pixel, np.flatnonzero(learning.keep))
        return first_pixel[self.landmarks]

    @property
    def remarks(self):
        """What is to be said of how they were found."""
        most = self.starts[-1][0].shape[1]
        if most == self.n_proposed:
            return []
        joined = f"{self.n_proposed} clumps of the embedding were joined to {most}"
        return [f"{joined}: no gap in the scores and no border on the map separates the others."]
