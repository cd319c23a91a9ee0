"""Workflow 2: whitened scores embedded with UMAP, clustered with HDBSCAN."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hyperspy_clusterquant._checks import as_int, check_choice
from hyperspy_clusterquant.clusters.density import PROPOSED_SHARE, density_clusters
from hyperspy_clusterquant.clusters.embedding import (
    draw_landmarks,
    draw_rare_landmarks,
    extend_from_landmarks,
    umap_embedding,
)
from hyperspy_clusterquant.clusters.gaps import join_without_gap
from hyperspy_clusterquant.clusters.learning import CONTINUOUS, NO_SIGNAL, learn, rebinned
from hyperspy_clusterquant.clusters.recipe import Recipe
from hyperspy_clusterquant.clusters.refine import refine

#: Fewest landmarks in a cluster that HDBSCAN may propose: fewer show no significant gap.
PROPOSED_PIXELS = 10
#: Learning pixels that the smallest cluster should hold, or bins are made smaller for it.
FEWEST_OF_SMALLEST = 25
#: Landmarks of the smallest cluster that are enough of them.
RARE_LANDMARKS = 100
#: Distance, in units of their spread, of two small clusters that are told apart: the halves of a
#: normal distribution are 2.6 apart, those of an even one 3.5.
CHANCE_DISTANCE = 4.0
TOO_FEW_FOR_TWO = "The pixels are too few for two clusters of the smallest size, so there is one."


@dataclass(frozen=True, eq=False, kw_only=True)
class UmapHdbscan(Recipe):
    """Workflow 2.

    HDBSCAN proposes clusters down to 3 % of the landmarks, or to half of a smaller
    `min_cluster_size`, because many pixels of a small phase are mixed. Those without a gap between
    them are joined. When all pixels are labelled, clusters below `min_cluster_size` are left out,
    which makes the outcome depend on that size only where a cluster is smaller. A phase of that
    size may be lost in the bins that "auto" chose for weak pixels; then small clusters are
    searched for once more in smaller bins. Or too few of it may be among the landmarks; then
    they are searched for among landmarks that are drawn evenly over the space of the scores.

    Attributes
    ----------
    min_cluster_size
        As the user wrote it.
    smallest : int, float or "auto"
        The same in pixels of the map (int) or as a fraction of the kept pixels.
    searches : tuple of int or None
        Sizes of the bins in which small clusters are searched for once more; None = as needed.
    n_dimensions, n_neighbors, min_dist, metric
        As in `umap.UMAP`.
    min_samples, cluster_selection_method, cluster_selection_epsilon
        As in `hdbscan.HDBSCAN`.
    n_landmarks : int
        Learning pixels that are embedded at most.
    """

    min_cluster_size: object = "auto"
    smallest: object = "auto"
    searches: tuple | None = None
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
    hidden: ClassVar[tuple] = (*Recipe.hidden, "smallest", "searches")

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
        smallest = round(share * learning.keep.sum())
        n_components = learning.scores.shape[1]
        if n_components == 0 or share > 0.5:
            # Without signal, UMAP makes clumps out of noise; and one cluster needs no search.
            remark = NO_SIGNAL if n_components == 0 else TOO_FEW_FOR_TWO
            one = np.ones((learning.keep.sum(), 1))
            refined = refine(learning, one, np.zeros(len(one), dtype=bool), progress)
            recipe = self.with_chosen(
                smallest_cluster_pixels=smallest, remarks=[remark, *refined.remarks]
            )
            return learning.clustering(recipe, refined)
        # Cluster.
        dense = self._dense_clusters(learning, share, progress)
        memberships = dense.memberships[learning.bin_of_pixel]
        in_noise = dense.is_noise[learning.bin_of_pixel]
        searched = []
        for finer in self._finer(learning, share):
            if not dense.n_joined or not finer.scores.shape[1]:
                break
            progress("small clusters")
            again = self._dense_clusters(finer, share, progress, rare=True)
            small = _small_clusters(again, finer.scores)[finer.bin_of_pixel]
            memberships = _with_small(memberships, small)
            in_noise &= ~small.any(axis=1)
            searched.append(finer.binning)
        # Refine.
        refined = refine(learning, memberships, in_noise, progress, smallest)
        first_pixel = np.full(len(learning.scores), learning.keep.size)
        np.minimum.at(first_pixel, learning.bin_of_pixel, np.flatnonzero(learning.keep))
        recipe = self.with_chosen(
            smallest_cluster_pixels=smallest,
            hdbscan_clusters=dense.n_proposed,
            remarks=[*dense.remarks, *refined.remarks],
            **({"binning_small": searched} if searched else {}),
        )
        return learning.clustering(
            recipe, refined, embedding=dense.embedding, landmarks=first_pixel[dense.landmarks]
        )

    @classmethod
    def of_result(cls, result, **more):
        """See `Recipe.of_result`."""
        known = result.parameters
        automatic = known["min_cluster_size"] == "auto"
        smallest = "auto" if automatic else known["smallest_cluster_pixels"]
        return super().of_result(result, smallest=smallest, **more)

    def repeat(self, seed):
        """See `Recipe.repeat`; every search for small clusters is made again, and no other."""
        return replace(super().repeat(seed), searches=self.chosen.get("binning_small", ()))

    def _smallest_share(self, learning):
        """Smallest cluster as a share of the kept pixels."""
        smallest, n_kept = self.smallest, learning.keep.sum()
        if isinstance(smallest, str):
            check_choice("min_cluster_size", smallest, ("auto",))
            return max(PROPOSED_SHARE, PROPOSED_PIXELS / len(learning.scores))
        if np.isscalar(smallest) and 0 < smallest < 1:
            return float(smallest)
        pixels = as_int("min_cluster_size", smallest, minimum=2)
        if self.searches is not None:  # done again, perhaps on a part of the map
            pixels = min(pixels, n_kept)
        if pixels > n_kept:
            raise ValueError(
                f"min_cluster_size={pixels} is more than the {n_kept} pixels that are not masked."
            )
        return pixels / n_kept

    def _finer(self, learning, share):
        """Learning pixels in which small clusters are searched for once more.

        Sizes of bins halve from one to the next, until there are learning pixels enough: a cluster
        that is too small or too thin for one may have too few counts to be seen in the next but
        one.
        """
        if self.searches is not None:
            binnings = self.searches
        else:
            binning, keep = learning.binning, learning.keep
            binnings = [binning] if self._too_few_landmarks(learning, share) else []
            wanted = FEWEST_OF_SMALLEST / share
            finest = max(int((keep.sum() / wanted) ** (1 / keep.ndim)), 1)
            while self.binning == "auto" and binning > finest:
                binning = max(-(-binning // 2), finest)
                binnings.append(binning)
        for binning in binnings:
            same = binning == learning.binning
            yield learning if same else rebinned(learning, self, binning)

    def _too_few_landmarks(self, learning, share):
        """Whether landmarks drawn at random hold too few of the smallest cluster."""
        return self.n_landmarks < min(np.count_nonzero(learning.measured), RARE_LANDMARKS / share)

    def _dense_clusters(self, learning, share, progress, rare=False):
        """Clusters of learning pixels, `share` the smallest that is wanted, perhaps a rare one."""
        measured = np.flatnonzero(learning.measured)
        if rare and self._too_few_landmarks(learning, share):
            scores = learning.scores[measured]
            drawn = draw_rare_landmarks(scores, self.n_landmarks, learning.rng)
        else:
            drawn = draw_landmarks(len(measured), self.n_landmarks, learning.rng)
        landmarks = measured[drawn]
        if self.min_samples is not None and self.min_samples >= len(landmarks):
            raise ValueError(
                f"`min_samples` must be less than the {len(landmarks)} learning pixels that there "
                f"are, not {self.min_samples}. It is of the order of 10; leave it out if in doubt."
            )
        wanted = share / 2 if share < PROPOSED_SHARE else PROPOSED_SHARE
        proposed = max(round(wanted * len(landmarks)), PROPOSED_PIXELS)
        progress("UMAP embedding")
        known = learning.scores[landmarks]
        embedding = umap_embedding(
            known, self.n_dimensions, self.n_neighbors, self.min_dist, self.metric, learning.seed
        )
        progress("clusters")
        memberships, n_proposed = density_clusters(
            embedding, known, proposed, self.min_samples, self.cluster_selection_method,
            self.cluster_selection_epsilon, learning.fewest_spectra,
        )  # fmt: skip
        n_joined = memberships.shape[1]
        n_separated = join_without_gap(known, memberships).shape[1]
        is_noise = ~memberships.any(axis=1)
        if len(landmarks) < len(learning.scores):
            memberships, is_noise = extend_from_landmarks(known, memberships, learning.scores)
            memberships[~learning.measured] = 0
            is_noise[~learning.measured] = True
        return _Dense(
            memberships, is_noise, landmarks, embedding, n_proposed, n_joined, n_separated
        )


@dataclass(frozen=True)
class _Dense:
    """Clusters of learning pixels by density, and how they were found."""

    memberships: np.ndarray
    is_noise: np.ndarray
    landmarks: np.ndarray
    embedding: np.ndarray
    n_proposed: int
    n_joined: int
    n_separated: int

    @property
    def remarks(self):
        """What is to be said of how they were found."""
        remarks = []
        if self.n_joined < self.n_proposed:
            remarks.append(
                f"{self.n_proposed} clumps of the embedding were joined to {self.n_joined}: no gap "
                "in the scores separates the others."
            )
        if self.n_separated < self.n_joined:
            remarks.append(CONTINUOUS.format(self.n_separated, self.n_joined))
        return remarks


def _small_clusters(dense, scores):
    """Of the clusters, those below the default size: ones for their learning pixels.

    Those nearer to each other than `CHANCE_DISTANCE` are one: in so few pixels chance makes gaps.
    """
    labels = np.where(dense.is_noise, -1, dense.memberships.argmax(axis=1))
    members = labels[:, None] == np.arange(dense.n_joined)
    members = members[:, members.any(axis=0) & (members.mean(axis=0) < PROPOSED_SHARE)]
    while members.shape[1] > 1:
        pairs = list(itertools.combinations(range(members.shape[1]), 2))
        apart = [_distance(*(scores[members[:, k]] for k in pair)) for pair in pairs]
        if min(apart) >= CHANCE_DISTANCE:
            break
        one, other = pairs[int(np.argmin(apart))]
        members[:, one] |= members[:, other]
        members = np.delete(members, other, axis=1)
    return members.astype(float)


def _distance(first, second):
    """Distance of two groups of points in units of their standard deviation along it."""
    step = second.mean(axis=0) - first.mean(axis=0)
    length = np.linalg.norm(step)
    along = [group @ step / max(length, 1e-12) for group in (first, second)]
    squares = sum(((values - values.mean()) ** 2).sum() for values in along)
    return length / np.sqrt(max(squares / (len(first) + len(second)), 1e-12))


def _with_small(memberships, small):
    """Memberships of pixels, and small clusters found in finer bins in the place of the same.

    Two small clusters are the same if they share more than half of the pixels of the lesser. The
    finer one is taken, unless it is less than half as large.
    """
    sizes, finer_sizes = memberships.sum(axis=0), small.sum(axis=0)
    same = memberships.T @ small > 0.5 * np.minimum.outer(sizes, finer_sizes)
    same &= (sizes < PROPOSED_SHARE * len(memberships))[:, None]
    worse = same & (finer_sizes < 0.5 * sizes[:, None])
    small = small[:, ~worse.any(axis=0)]
    coarse = memberships[:, ~(same & ~worse).any(axis=1)]
    return np.hstack([np.where(small.any(axis=1)[:, None], 0, coarse), small])
