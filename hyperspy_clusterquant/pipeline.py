"""The whole flow of each workflow, from a map of counts to labels and memberships."""

from __future__ import annotations

import importlib.metadata
import warnings
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from hyperspy_clusterquant import _checks, blocks, clustering, counts, reduction

#: "auto" bins until a learning pixel holds this many counts ...
LEARNING_COUNTS = 400
#: ... but leaves this many pixels to learn from.
LEARNING_PIXELS = 1000
#: Share of the learning pixels that "auto" takes as the smallest cluster.
SMALLEST_CLUSTER = 0.03

NO_SIGNAL = "Nothing varies beyond shot noise, so there is one cluster."
TOO_FEW_FOR_TWO = "The pixels are too few for two clusters of the smallest size, so there is one."
ALL_NOISE = "HDBSCAN calls every pixel noise. Try a smaller `min_cluster_size`, or workflow 1."


@dataclass(frozen=True)
class Setting:
    """What both workflows are told about the data."""

    energy: np.ndarray
    normalize: bool = True
    energy_range: tuple | None = None
    excluded: tuple = ()
    navigation_mask: object = "auto"
    n_components: object = "auto"
    binning: object = "auto"
    neighbourhood: object = "auto"
    random_state: int | None = 0


@dataclass(frozen=True)
class Learning:
    """The map, its learning pixels and their scores."""

    keep: np.ndarray
    pixel_counts: sparse.csr_array
    counts: sparse.csr_array
    bin_of_pixel: np.ndarray
    reduction: reduction.Reduction
    scores: np.ndarray
    binning: int
    sigma: float
    seed: int
    rng: np.random.Generator

    @property
    def filled(self):
        """Learning pixels that hold counts: one without them says nothing about composition."""
        return reduction.row_sums(self.counts) > 0


def cluster_pca_gmm(data, setting, n_clusters, covariance_type, n_init, progress):
    """Workflow 1: whitened scores clustered with a Gaussian mixture.

    Parameters
    ----------
    data : numpy or dask array (map shape, channels)
        Counts.
    setting : Setting
        What to use of the data, and how.
    n_clusters : int, "auto" or "bic"
        Number of clusters or the criterion that chooses it.
    covariance_type, n_init
        As in `sklearn.mixture.GaussianMixture`.
    progress : callable
        Called with the name of each stage as it begins.

    Returns
    -------
    dict
        Arguments of `results.ClusterResult` that the data decide.
    """
    _checks.check_choice("covariance_type", covariance_type, ("full", "tied", "diag", "spherical"))
    n_init = _checks.as_int("n_init", n_init, minimum=1)
    learning = _learn(data, setting, progress)
    n_pixels, n_components = learning.scores.shape
    n_clusters = _checks.check_n_clusters(n_clusters, np.count_nonzero(learning.filled))
    found = {}
    progress("clusters")
    if n_components == 0:
        memberships = np.ones((n_pixels, 1))
        found["remarks"] = [NO_SIGNAL]
        if not isinstance(n_clusters, str) and n_clusters > 1:
            warnings.warn(
                f"{NO_SIGNAL} It was returned instead of the {n_clusters} asked for. To force "
                "them all the same, pass n_components=2, say; to look for weaker differences, "
                "bin more or measure longer.",
                UserWarning,
                stacklevel=3,
            )
    else:
        if isinstance(n_clusters, str):
            n_clusters, curve = clustering.choose_n_clusters(
                learning.scores[learning.filled],
                n_clusters,
                covariance_type,
                n_init,
                learning.seed,
                learning.rng,
            )
            found["criterion_curve"] = curve.tolist()
        known = clustering.mixture_memberships(
            learning.scores[learning.filled], n_clusters, covariance_type, n_init, learning.seed
        )
        # A pixel without counts belongs to each cluster as much as the map does.
        memberships = np.tile(known.mean(axis=0), (n_pixels, 1))
        memberships[learning.filled] = known
    result = _to_pixels(learning, memberships, np.zeros(n_pixels, dtype=bool), found, progress)
    n_found = len(result["memberships"])
    if n_components > 0 and n_found < n_clusters:
        remark = f"{n_clusters - n_found} of {n_clusters} clusters hold no pixel and were dropped."
        result["parameters"].setdefault("remarks", []).append(remark)
        warnings.warn(
            f"{remark} Ask for fewer, or let the data decide with n_clusters='auto'.",
            UserWarning,
            stacklevel=3,
        )
    return result


def cluster_umap_hdbscan(
    data, setting, min_cluster_size, n_dimensions, n_neighbors, min_dist, metric,
    min_samples, cluster_selection_method, n_landmarks, progress,
):  # fmt: skip
    """Workflow 2: whitened scores embedded with UMAP, clustered with HDBSCAN.

    Parameters
    ----------
    data, setting, progress
        As in `cluster_pca_gmm`.
    min_cluster_size : int, float or "auto"
        Smallest cluster in pixels of the map (int) or as a fraction of the kept pixels.
    n_dimensions, n_neighbors, min_dist, metric
        As in `umap.UMAP`.
    min_samples, cluster_selection_method
        As in `hdbscan.HDBSCAN`.
    n_landmarks : int
        Most pixels that UMAP and HDBSCAN learn from.

    Returns
    -------
    dict
        Arguments of `results.ClusterResult` that the data decide.
    """
    _checks.check_choice("cluster_selection_method", cluster_selection_method, ("eom", "leaf"))
    if min_samples is not None:
        min_samples = _checks.as_int("min_samples", min_samples, minimum=1)
    if not 0 <= min_dist <= 1:
        raise ValueError(f"`min_dist` must be between 0 and 1, not {min_dist!r}.")
    n_dimensions = _checks.as_int("n_dimensions", n_dimensions, minimum=1)
    n_neighbors = _checks.as_int("n_neighbors", n_neighbors, minimum=2)
    n_landmarks = _checks.as_int("n_landmarks", n_landmarks, minimum=100)
    learning = _learn(data, setting, progress)
    n_pixels, n_components = learning.scores.shape
    smallest = _smallest_cluster(min_cluster_size, learning, n_pixels)
    filled = np.flatnonzero(learning.filled)
    landmarks = filled[clustering.draw_landmarks(len(filled), n_landmarks, learning.rng)]
    smallest_of_landmarks = max(round(smallest * len(landmarks) / n_pixels), 2)
    found = {"smallest_cluster_pixels": round(smallest * learning.keep.sum() / n_pixels)}
    embedding = None
    if n_components == 0 or len(landmarks) < 2 * smallest_of_landmarks:
        # Without signal, UMAP makes clumps out of noise; and one cluster needs no search.
        memberships, is_noise = np.ones((n_pixels, 1)), np.zeros(n_pixels, dtype=bool)
        found["remarks"] = [NO_SIGNAL if n_components == 0 else TOO_FEW_FOR_TWO]
    else:
        progress("UMAP embedding")
        known = learning.scores[landmarks]
        embedding = reduction.umap_embedding(
            known, n_dimensions, n_neighbors, min_dist, metric, learning.seed
        )
        progress("clusters")
        memberships = clustering.hdbscan_memberships(
            embedding, smallest_of_landmarks, min_samples, cluster_selection_method
        )
        n_found = memberships.shape[1]
        memberships = clustering.merge_without_gap(known, memberships)
        found["hdbscan_clusters"] = n_found
        if n_found == 0:
            found["remarks"] = [ALL_NOISE]
        elif memberships.shape[1] < n_found:
            remark = f"{n_found} clumps of the embedding were joined to {memberships.shape[1]}"
            found["remarks"] = [f"{remark}: no gap in the scores separates the others."]
        is_noise = ~memberships.any(axis=1)
        if len(landmarks) < n_pixels:
            memberships, is_noise = clustering.extend_from_landmarks(
                known, memberships, learning.scores
            )
            memberships[~learning.filled] = 0
            is_noise[~learning.filled] = True
    result = _to_pixels(learning, memberships, is_noise, found, progress)
    if embedding is not None:
        first_pixel = np.full(n_pixels, learning.keep.size)
        np.minimum.at(first_pixel, learning.bin_of_pixel, np.flatnonzero(learning.keep))
        result |= {"embedding": embedding, "landmarks": first_pixel[landmarks]}
    return result


def _learn(data, setting, progress):
    """Read the counts, mask, bin, reduce: what both workflows share."""
    shape = data.shape[:-1]
    automatic = isinstance(setting.navigation_mask, str)
    if automatic:
        _checks.check_choice("navigation_mask", setting.navigation_mask, ("auto",))
    else:
        keep = _checks.as_keep(setting.navigation_mask, shape)
        _checks.check_some_kept(keep, automatic)
    seed = setting.random_state
    if seed is None:
        seed = int(np.random.default_rng().integers(2**31))
    seed = _checks.as_int("random_state", seed, minimum=0)
    if seed >= 2**32:
        raise ValueError(f"`random_state` must be less than 2**32, not {seed}.")
    rng = np.random.default_rng(seed)

    progress("counts")
    used = counts.channel_mask(setting.energy, setting.energy_range, setting.excluded)
    features = blocks.collect_features(data, counts.merge_channels(setting.energy, used))
    if automatic:
        keep = ~counts.vacuum_mask(reduction.row_sums(features).reshape(shape))
        _checks.check_some_kept(keep, automatic)
    pixel_counts = features[np.flatnonzero(keep)]
    n_counts = pixel_counts.sum()
    if n_counts == 0:
        raise ValueError(
            "The pixels that are not masked hold no counts in the chosen energies. Check "
            "`navigation_mask`, `energy_range` and `exclude_lines`."
        )

    progress("components")
    counts_per_pixel = n_counts / keep.sum()
    binning = _binning(setting.binning, counts_per_pixel, keep)
    groups = counts.merge_sparse_features(reduction.column_sums(pixel_counts))
    pixel_counts = counts.sum_columns(pixel_counts, groups, groups.max() + 1)
    bin_of_pixel, n_bins = counts.bin_pixels(keep, binning)
    learning_counts = counts.sum_rows(pixel_counts, bin_of_pixel, n_bins)
    reduced = reduction.reduce_counts(
        learning_counts, counts.thin(learning_counts, rng), setting.n_components, setting.normalize
    )
    return Learning(
        keep=keep,
        pixel_counts=pixel_counts,
        counts=learning_counts,
        bin_of_pixel=bin_of_pixel,
        reduction=reduced,
        scores=reduction.project(learning_counts, reduced),
        binning=binning,
        sigma=_sigma(setting.neighbourhood, binning, counts_per_pixel, keep.ndim),
        seed=seed,
        rng=rng,
    )


def _binning(binning, counts_per_pixel, keep):
    """Smallest factor with a learnable number of counts per pixel, or the user's."""
    if binning != "auto":
        return _checks.as_int("binning", binning, minimum=1)
    wanted = (LEARNING_COUNTS / counts_per_pixel) ** (1 / keep.ndim)
    allowed = (keep.sum() / LEARNING_PIXELS) ** (1 / keep.ndim)
    return max(int(min(np.ceil(wanted), np.floor(allowed))), 1)


def _sigma(neighbourhood, binning, counts_per_pixel, n_dim):
    """Width over which the evidence of binned maps is pooled, or the user's."""
    if neighbourhood != "auto":
        if not np.isscalar(neighbourhood) or isinstance(neighbourhood, str) or neighbourhood < 0:
            raise ValueError(
                "`neighbourhood` must be 'auto' or a Gaussian sigma of 0 or more pixels, not "
                f"{neighbourhood!r}."
            )
        return float(neighbourhood)
    return clustering.automatic_neighbourhood(counts_per_pixel, n_dim) if binning > 1 else 0.0


def _smallest_cluster(min_cluster_size, learning, n_pixels):
    """Smallest cluster in learning pixels."""
    if isinstance(min_cluster_size, str):
        _checks.check_choice("min_cluster_size", min_cluster_size, ("auto",))
        return max(SMALLEST_CLUSTER * n_pixels, 10)
    if np.isscalar(min_cluster_size) and 0 < min_cluster_size < 1:
        return float(min_cluster_size) * n_pixels
    pixels = _checks.as_int("min_cluster_size", min_cluster_size, minimum=2)
    n_kept = learning.keep.sum()
    if pixels > n_kept:
        raise ValueError(
            f"min_cluster_size={pixels} is more than the {n_kept} pixels that are not masked."
        )
    return pixels * n_pixels / n_kept


def _to_pixels(learning, memberships, is_noise, found, progress):
    """From learning pixels to the full-resolution map, as arguments of a result.

    Binned or pooled, every pixel is labelled by its own counts under the clusters'
    spectra; its memberships keep the strength that its learning pixel has.
    """
    progress("labels")
    if learning.binning > 1 or learning.sigma > 0:
        if memberships.shape[1]:
            spectra = (sparse.csr_array(memberships.T) @ learning.counts).toarray()
            prior = memberships.mean(axis=0)
            rates = None
            if not learning.reduction.normalize:
                n_pixels = np.bincount(learning.bin_of_pixel)
                rates = spectra.sum(axis=1) / np.maximum(n_pixels @ memberships, 1e-9)
            posterior = clustering.likelihood_memberships(
                learning.pixel_counts, spectra, prior / prior.sum(), learning.keep,
                learning.sigma, rates,
            )  # fmt: skip
            strength = np.minimum(memberships.sum(axis=1), 1.0)[learning.bin_of_pixel]
            memberships = posterior * strength[:, None]
        else:
            memberships = np.zeros((len(learning.bin_of_pixel), 0))
        is_noise = is_noise[learning.bin_of_pixel]
        scores = reduction.project(learning.pixel_counts, learning.reduction)
    else:
        scores = learning.scores
    if memberships.shape[1]:
        labels = np.where(is_noise, -1, memberships.argmax(axis=1))
    else:
        labels = np.full(len(memberships), -1)
    labels, memberships, order = clustering.drop_empty_and_sort(labels, memberships)
    shape = learning.keep.shape
    label_map = np.full(shape, -2)
    label_map[learning.keep] = labels
    maps = np.zeros((len(order), *shape), dtype=np.float32)
    maps[:, learning.keep] = np.clip(memberships.T, 0, 1)
    return {
        "labels": label_map,
        "memberships": maps,
        "scores": scores,
        "eigenvalues": learning.reduction.eigenvalues,
        "noise_edge": learning.reduction.noise_edge,
        "parameters": found
        | {
            "n_components_found": learning.reduction.components.shape[1],
            "n_significant": int(
                np.count_nonzero(learning.reduction.eigenvalues > learning.reduction.noise_edge)
            ),
            "binning_used": learning.binning,
            "neighbourhood_used": learning.sigma,
            "learning_pixels": len(learning.scores),
            "counts_per_learning_pixel": float(learning.counts.sum() / len(learning.scores)),
            "seed": learning.seed,
            "versions": {
                package: importlib.metadata.version(package)
                for package in (
                    "hyperspy-clusterquant", "hyperspy", "exspy", "numpy", "scipy",
                    "scikit-learn", "umap-learn", "hdbscan",
                )
            },
        },
    }  # fmt: skip
