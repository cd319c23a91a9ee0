"""Workflow 2: whitened scores embedded with UMAP, clustered with HDBSCAN."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant._checks import as_int, check_choice
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.clusters.density import PROPOSED_SHARE, density_clusters
from hyperspy_clusterquant.clusters.embedding import (
    draw_landmarks,
    draw_rare_landmarks,
    extend_from_landmarks,
    umap_embedding,
)
from hyperspy_clusterquant.clusters.gaps import join_without_gap
from hyperspy_clusterquant.clusters.learning import learn, learn_finer
from hyperspy_clusterquant.clusters.pca_gmm import CONTINUOUS, NO_SIGNAL, _fewest_spectra, _on_map
from hyperspy_clusterquant.clusters.refine import to_pixels
from hyperspy_clusterquant.counts.pixels import read_pixels

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


@dataclass(frozen=True)
class DensitySetting:
    """What UMAP and HDBSCAN are told; names as in `umap.UMAP` and `hdbscan.HDBSCAN`."""

    n_dimensions: int
    n_neighbors: int
    min_dist: float
    metric: str
    min_samples: int | None
    cluster_selection_method: str
    cluster_selection_epsilon: float
    n_landmarks: int

    def __post_init__(self):
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


def umap_hdbscan(pixels, setting, min_cluster_size, density, progress):
    """Workflow 2: whitened scores embedded with UMAP, clustered with HDBSCAN.

    HDBSCAN proposes clusters down to 3 % of the landmarks, or to half of a smaller
    `min_cluster_size`, because many pixels of a small phase are mixed. Those without a gap between
    them are joined. When all pixels are labelled, clusters below `min_cluster_size` are left out,
    which makes the outcome depend on that size only where a cluster is smaller. A phase of that
    size may be lost in the bins that "auto" chose for weak pixels; then small clusters are
    searched for once more in smaller bins. Or too few of it may be among the landmarks; then
    they are searched for among landmarks that are drawn evenly over the space of the scores.

    Parameters
    ----------
    pixels, setting, progress
        As in `gaussian_mixture`.
    min_cluster_size : int, float or "auto"
        Smallest cluster in pixels of the map (int) or as a fraction of the kept pixels.
    density : DensitySetting
        What UMAP and HDBSCAN are told.

    Returns
    -------
    dict
        As of `gaussian_mixture`.
    """
    learning = learn(pixels, setting, progress)
    share = _smallest_share(min_cluster_size, learning)
    smallest = round(share * learning.keep.sum())
    found = {"smallest_cluster_pixels": smallest}
    n_components = learning.scores.shape[1]
    if n_components == 0 or share > 0.5:
        # Without signal, UMAP makes clumps out of noise; and one cluster needs no search.
        found["remarks"] = [NO_SIGNAL if n_components == 0 else TOO_FEW_FOR_TWO]
        one = np.ones((learning.keep.sum(), 1))
        no_noise = np.zeros(len(one), dtype=bool)
        return to_pixels(learning, one, no_noise, found, progress)
    dense = _dense_clusters(learning, share, density, progress)
    found |= {"hdbscan_clusters": dense.n_proposed, "remarks": []}
    if dense.n_joined < dense.n_proposed:
        found["remarks"].append(
            f"{dense.n_proposed} clumps of the embedding were joined to {dense.n_joined}: no gap "
            "in the scores separates the others."
        )
    if dense.n_separated < dense.n_joined:
        found["remarks"].append(CONTINUOUS.format(dense.n_separated, dense.n_joined))
    memberships = dense.memberships[learning.bin_of_pixel]
    in_noise = dense.is_noise[learning.bin_of_pixel]
    searches = [learning] if _too_few_landmarks(learning, share, density) else []
    for finer in itertools.chain(
        searches, learn_finer(learning, setting, FEWEST_OF_SMALLEST / share)
    ):
        if not dense.n_joined or not finer.scores.shape[1]:
            break
        progress("small clusters")
        again = _dense_clusters(finer, share, density, progress, rare=True)
        small = _small_clusters(again, finer.scores)[finer.bin_of_pixel]
        memberships = _with_small(memberships, small)
        in_noise &= ~small.any(axis=1)
        found.setdefault("binning_small", []).append(finer.binning)
    result = to_pixels(learning, memberships, in_noise, found, progress, smallest)
    first_pixel = np.full(len(learning.scores), learning.keep.size)
    np.minimum.at(first_pixel, learning.bin_of_pixel, np.flatnonzero(learning.keep))
    return result | {"embedding": dense.embedding, "landmarks": first_pixel[dense.landmarks]}


def _too_few_landmarks(learning, share, density):
    """Whether landmarks drawn at random hold too few of the smallest cluster."""
    return density.n_landmarks < min(np.count_nonzero(learning.measured), RARE_LANDMARKS / share)


def _dense_clusters(learning, share, density, progress, rare=False):
    """Clusters of learning pixels, `share` the smallest that is wanted, perhaps a rare one."""
    measured = np.flatnonzero(learning.measured)
    n_landmarks = density.n_landmarks
    if rare and _too_few_landmarks(learning, share, density):
        scores = learning.scores[measured]
        landmarks = measured[draw_rare_landmarks(scores, n_landmarks, learning.rng)]
    else:
        landmarks = measured[draw_landmarks(len(measured), n_landmarks, learning.rng)]
    if density.min_samples is not None and density.min_samples >= len(landmarks):
        raise ValueError(
            f"`min_samples` must be less than the {len(landmarks)} learning pixels that there are, "
            f"not {density.min_samples}. It is of the order of 10; leave it out if in doubt."
        )
    wanted = share / 2 if share < PROPOSED_SHARE else PROPOSED_SHARE
    proposed = max(round(wanted * len(landmarks)), PROPOSED_PIXELS)
    progress("UMAP embedding")
    known = learning.scores[landmarks]
    embedding = umap_embedding(
        known, density.n_dimensions, density.n_neighbors, density.min_dist, density.metric,
        learning.seed,
    )  # fmt: skip
    progress("clusters")
    memberships, n_proposed = density_clusters(
        embedding, known, proposed, density.min_samples, density.cluster_selection_method,
        density.cluster_selection_epsilon, _fewest_spectra(learning),
    )  # fmt: skip
    n_joined = memberships.shape[1]
    n_separated = join_without_gap(known, memberships).shape[1]
    is_noise = ~memberships.any(axis=1)
    if len(landmarks) < len(learning.scores):
        memberships, is_noise = extend_from_landmarks(known, memberships, learning.scores)
        memberships[~learning.measured] = 0
        is_noise[~learning.measured] = True
    return _Dense(memberships, is_noise, landmarks, embedding, n_proposed, n_joined, n_separated)


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


def _smallest_share(min_cluster_size, learning):
    """Smallest cluster as a share of the kept pixels."""
    if isinstance(min_cluster_size, str):
        check_choice("min_cluster_size", min_cluster_size, ("auto",))
        return max(PROPOSED_SHARE, PROPOSED_PIXELS / len(learning.scores))
    n_kept = learning.keep.sum()
    if np.isscalar(min_cluster_size) and 0 < min_cluster_size < 1:
        return float(min_cluster_size)
    pixels = as_int("min_cluster_size", min_cluster_size, minimum=2)
    if pixels > n_kept:
        raise ValueError(
            f"min_cluster_size={pixels} is more than the {n_kept} pixels that are not masked."
        )
    return pixels / n_kept


@one_blas_thread()
def cluster_umap_hdbscan(data, setting, min_cluster_size, density, progress):
    """Workflow 2: whitened scores embedded with UMAP, clustered with HDBSCAN.

    Parameters
    ----------
    data, setting, progress
        As in `cluster_pca_gmm`.
    min_cluster_size, density
        As in `workflows.umap_hdbscan`.

    Returns
    -------
    dict
        As of `cluster_pca_gmm`.
    """
    pixels = read_pixels(data, setting, progress)
    found = umap_hdbscan(pixels, setting, min_cluster_size, density, progress)
    return _on_map(data, pixels.keep, found, progress)
