"""The whole flow of each workflow, from a map of counts to labels and memberships."""

from __future__ import annotations

import importlib.metadata
import warnings

import numpy as np
from scipy import sparse

from hyperspy_clusterquant import _checks, blocks, clustering, counts, labelling, reduction
from hyperspy_clusterquant.learning import LEARNING_COUNTS, learn, neighbourhood_width, read

#: Components whose scores spread by twice the shot noise of a learning pixel make clusters.
STRONG_COMPONENT = 4.0
#: Fewest landmarks in a cluster that HDBSCAN may propose.
PROPOSED_PIXELS = 10
#: Rounds of fitting the clusters' spectra at full resolution, and the mean change of the
#: memberships at which they end.
MOST_ROUNDS, SETTLED = 5, 2e-3
#: Share of a spectrum's counts that must lie in the energies of the map to be assigned.
ENERGY_OVERLAP = 0.9

NO_SIGNAL = "Nothing varies beyond shot noise, so there is one cluster."
TOO_FEW_FOR_TWO = "The pixels are too few for two clusters of the smallest size, so there is one."
ALL_NOISE = (
    "Every pixel is noise: no cluster reaches `min_cluster_size`. Try a smaller one, or workflow 1."
)


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
        Called with the name of each stage, and the share of it that is done.

    Returns
    -------
    dict
        Arguments of `results.ClusterResult` that the data decide.
    """
    _checks.check_choice("covariance_type", covariance_type, ("full", "tied", "diag", "spherical"))
    n_init = _checks.as_int("n_init", n_init, minimum=1)
    if n_clusters not in ("auto", "bic"):
        n_clusters = _checks.check_n_clusters(n_clusters, np.inf)
    learning = learn(data, setting, progress)
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
        scores = learning.scores[learning.filled]
        fit = (covariance_type, n_init, learning.seed)
        if isinstance(n_clusters, str):
            found["criterion"] = n_clusters
            n_clusters, curve = clustering.choose_n_clusters(
                scores, n_clusters, _fewest_spectra(learning), *fit, learning.rng
            )
            found["criterion_curve"] = curve.tolist()
        known = clustering.mixture_memberships(scores, n_clusters, *fit)
        # A pixel without counts belongs to each cluster as much as the map does.
        memberships = np.tile(known.mean(axis=0), (n_pixels, 1))
        memberships[learning.filled] = known
    no_noise = np.zeros(n_pixels, dtype=bool)
    result = _to_pixels(data, learning, memberships, no_noise, found, progress)
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


def _fewest_spectra(learning):
    """Spectra whose mixtures can make the strong components: one more than there are."""
    values = learning.reduction.eigenvalues[: learning.scores.shape[1]]
    strong = values > max(learning.reduction.noise_edge, STRONG_COMPONENT)
    return 1 + int(np.count_nonzero(strong))


def cluster_umap_hdbscan(
    data, setting, min_cluster_size, n_dimensions, n_neighbors, min_dist, metric,
    min_samples, cluster_selection_method, cluster_selection_epsilon, n_landmarks, progress,
):  # fmt: skip
    """Workflow 2: whitened scores embedded with UMAP, clustered with HDBSCAN.

    HDBSCAN proposes clusters down to 3 % of the landmarks. Those without a gap between them are
    joined, and of the rest those below `min_cluster_size` are noise, which makes the
    outcome depend on that size only where a cluster is smaller.

    Parameters
    ----------
    data, setting, progress
        As in `cluster_pca_gmm`.
    min_cluster_size : int, float or "auto"
        Smallest cluster in pixels of the map (int) or as a fraction of the kept pixels.
    n_dimensions, n_neighbors, min_dist, metric
        As in `umap.UMAP`.
    min_samples, cluster_selection_method, cluster_selection_epsilon
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
    if not cluster_selection_epsilon >= 0:
        raise ValueError(
            "`cluster_selection_epsilon` is a distance in the embedding, 0 or more, not "
            f"{cluster_selection_epsilon!r}."
        )
    if not 0 <= min_dist <= 1:
        raise ValueError(f"`min_dist` must be between 0 and 1, not {min_dist!r}.")
    n_dimensions = _checks.as_int("n_dimensions", n_dimensions, minimum=1)
    n_neighbors = _checks.as_int("n_neighbors", n_neighbors, minimum=2)
    n_landmarks = _checks.as_int("n_landmarks", n_landmarks, minimum=100)
    learning = learn(data, setting, progress)
    n_pixels, n_components = learning.scores.shape
    filled = np.flatnonzero(learning.filled)
    landmarks = filled[clustering.draw_landmarks(len(filled), n_landmarks, learning.rng)]
    proposed = max(round(clustering.PROPOSED_SHARE * len(landmarks)), PROPOSED_PIXELS)
    if isinstance(min_cluster_size, str):
        _checks.check_choice("min_cluster_size", min_cluster_size, ("auto",))
        smallest = proposed
    else:
        share = _smallest_share(min_cluster_size, learning.keep.sum())
        smallest = max(round(share * len(landmarks)), 2)
        proposed = min(proposed, smallest)
    found = {"smallest_cluster_pixels": round(smallest / len(landmarks) * learning.keep.sum())}
    embedding = None
    if n_components == 0 or len(landmarks) < 2 * smallest:
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
        memberships, n_proposed = clustering.density_clusters(
            embedding, known, proposed, min_samples, cluster_selection_method,
            cluster_selection_epsilon, _fewest_spectra(learning),
        )  # fmt: skip
        n_joined = memberships.shape[1]
        memberships = clustering.drop_small(memberships, smallest)
        n_found = memberships.shape[1]
        found |= {"hdbscan_clusters": n_proposed, "remarks": []}
        if n_joined < n_proposed:
            found["remarks"].append(
                f"{n_proposed} clumps of the embedding were joined to {n_joined}: no gap in the "
                "scores separates the others."
            )
        if n_found == 0:
            found["remarks"].append(ALL_NOISE)
        elif n_found < n_joined:
            found["remarks"].append(
                f"{n_joined - n_found} of {n_joined} clusters hold fewer pixels than "
                "`min_cluster_size` and are noise."
            )
        is_noise = ~memberships.any(axis=1)
        if len(landmarks) < n_pixels:
            memberships, is_noise = clustering.extend_from_landmarks(
                known, memberships, learning.scores
            )
            memberships[~learning.filled] = 0
            is_noise[~learning.filled] = True
    result = _to_pixels(data, learning, memberships, is_noise, found, progress)
    if embedding is not None:
        first_pixel = np.full(n_pixels, learning.keep.size)
        np.minimum.at(first_pixel, learning.bin_of_pixel, np.flatnonzero(learning.keep))
        result |= {"embedding": embedding, "landmarks": first_pixel[landmarks]}
    return result


def _smallest_share(min_cluster_size, n_kept):
    """Smallest cluster as a share of the kept pixels."""
    if np.isscalar(min_cluster_size) and 0 < min_cluster_size < 1:
        return float(min_cluster_size)
    pixels = _checks.as_int("min_cluster_size", min_cluster_size, minimum=2)
    if pixels > n_kept:
        raise ValueError(
            f"min_cluster_size={pixels} is more than the {n_kept} pixels that are not masked."
        )
    return pixels / n_kept


def _to_pixels(data, learning, memberships, is_noise, found, progress):
    """From learning pixels to the full-resolution map, as arguments of a result.

    `memberships` are those of the learning pixels, and `is_noise` tells which of them
    are noise. Every pixel is labelled by its own counts and its neighbours. Noise are the
    pixels of noisy learning pixels that are no mixture of clusters either.
    """
    progress("labels")
    n_clusters = memberships.shape[1]
    scores = learning.scores
    if learning.binning > 1:
        scores = reduction.project(learning.pixel_counts, learning.reduction)
    noise = np.full(len(learning.bin_of_pixel), n_clusters == 0)
    in_noise = is_noise[learning.bin_of_pixel]
    memberships = memberships[learning.bin_of_pixel]
    shares = memberships
    if n_clusters > 1:
        memberships, shares = _fit_at_full_resolution(learning, memberships, in_noise)
    if n_clusters and in_noise.any():
        noise = in_noise & labelling.unexplained_pixels(
            scores, reduction.row_sums(learning.pixel_counts), shares, ~in_noise,
            learning.keep, learning.sigma,
        )  # fmt: skip
        memberships[noise] = 0
    labels = np.where(noise, -1, memberships.argmax(axis=1) if n_clusters else -1)
    labels, memberships, _ = clustering.drop_empty_and_sort(labels, memberships)
    return _on_map(data, learning.keep, labels, memberships, scores, progress) | {
        "eigenvalues": learning.reduction.eigenvalues,
        "noise_edge": learning.reduction.noise_edge,
        "parameters": found
        | {
            "n_components_found": learning.reduction.components.shape[1],
            "n_significant": learning.n_significant,
            "binning_used": learning.binning,
            "neighbourhood_used": learning.sigma,
            "learning_pixels": len(learning.scores),
            "counts_per_learning_pixel": float(learning.counts.sum() / len(learning.scores)),
            "seed": learning.seed,
            "versions": _versions(),
        },
    }


def _fit_at_full_resolution(learning, memberships, in_noise):
    """Memberships and shares of pixels, their clusters' spectra fitted in turn with them.

    Expectation-maximisation from the memberships of the learning pixels: what the clusters are at
    the end does not depend on chance in how they were found.
    """
    pixel_counts, start = learning.pixel_counts, None
    for _ in range(MOST_ROUNDS):
        known = np.where(in_noise[:, None], 0, memberships)
        spectra = known.T @ pixel_counts
        sizes = np.maximum(known.sum(axis=0), 1e-9)
        rates = None if learning.reduction.normalize else spectra.sum(axis=1) / sizes
        updated, shares = _posterior(
            pixel_counts, spectra, sizes, rates, learning.keep, learning.sigma, start
        )
        change = np.abs(updated - memberships).mean()
        memberships = start = updated
        if change < SETTLED:
            break
    return memberships, shares


def _posterior(pixel_counts, spectra, sizes, rates, keep, sigma, start=None):
    """Memberships and shares of pixels whose counts come from clusters with these spectra."""
    states = labelling.mixing_states(len(spectra))
    evidence = labelling.log_likelihoods(
        pixel_counts,
        states @ labelling.cluster_shares(spectra),
        None if rates is None else states @ rates,
    )
    return labelling.posterior(evidence, states, sizes / sizes.sum(), keep, sigma, start)


def _on_map(data, keep, labels, memberships, scores, progress):
    """Labels, memberships and scores of kept pixels as arrays of the map, and cluster sums."""
    n_clusters = memberships.shape[1]
    label_map = np.full(keep.shape, -2)
    label_map[keep] = labels
    maps = np.zeros((n_clusters, *keep.shape), dtype=np.float32)
    maps[:, keep] = np.clip(memberships.T, 0, 1)
    progress("spectra")
    members = label_map.ravel() == np.arange(n_clusters)[:, None]
    return {
        "labels": label_map,
        "memberships": maps,
        "scores": scores,
        "spectra": blocks.sum_weighted(data, members, lambda share: progress("spectra", share)),
    }


def assign_clusters(data, setting, spectra, energy, progress):
    """Label a map with the clusters that were learned on another one.

    Parameters
    ----------
    data, setting, progress
        As in `cluster_pca_gmm`; of the setting, what concerns learning is not used.
    spectra : array (n_clusters, channels of the other map)
        Summed counts of the clusters.
    energy : array (channels of the other map,)
        Energies of the channels in keV.

    Returns
    -------
    dict
        Arguments of `results.ClusterResult` that the data decide.

    Raises
    ------
    ValueError
        If the energies of the two maps do not fit.
    """
    pixels = read(data, setting, progress)
    progress("labels")
    used = pixels.channels >= 0
    known = counts.rebin_spectra(spectra, energy, setting.energy)
    before = spectra[:, counts.channel_mask(energy, setting.energy_range, setting.excluded)].sum()
    if known[:, used].sum() < ENERGY_OVERLAP * before:
        raise ValueError(
            f"The energies of the map, {setting.energy[0]:.3g} to {setting.energy[-1]:.3g} keV, "
            f"hold only {known[:, used].sum() / before:.0%} of the counts that the clusters were "
            f"learned from, at {energy[0]:.3g} to {energy[-1]:.3g} keV. Check the energy axes; "
            "learn again with an `energy_range` that both maps cover."
        )
    # Nothing is known of the clusters where their map had no channels.
    step = (energy[-1] - energy[0]) / max(len(energy) - 1, 1)
    used &= (setting.energy > energy[0] - step / 2) & (setting.energy < energy[-1] + step / 2)
    channels = np.where(used, pixels.channels, -1)
    known = known[:, used] @ sparse.csr_array(
        (np.ones(used.sum()), (np.arange(used.sum()), channels[used])),
        shape=(used.sum(), pixels.features.shape[1]),
    )
    covered = np.unique(channels[used])
    pixel_counts, known = pixels.features[:, covered], known[:, covered]
    groups = counts.merge_sparse_features(reduction.column_sums(pixel_counts))
    n_groups = groups.max() + 1
    pixel_counts = counts.sum_columns(pixel_counts, groups, n_groups)
    known = counts.sum_columns(sparse.csr_array(known), groups, n_groups).toarray()
    sigma = neighbourhood_width(
        setting.neighbourhood, pixels.per_pixel < LEARNING_COUNTS, pixels.per_pixel,
        pixels.keep.ndim,
    )  # fmt: skip
    memberships, _ = _posterior(pixel_counts, known, np.ones(len(known)), None, pixels.keep, sigma)
    scores, doses = labelling.discriminant_scores(pixel_counts, labelling.cluster_shares(known))
    scores *= np.sqrt(max(np.median(doses), 1.0))
    labels = memberships.argmax(axis=1)
    return _on_map(data, pixels.keep, labels, memberships, scores, progress) | {
        "eigenvalues": np.zeros(0),
        "noise_edge": np.nan,
        "parameters": {"neighbourhood_used": sigma, "versions": _versions()},
    }


def _versions():
    packages = (
        "hyperspy-clusterquant", "hyperspy", "exspy", "numpy", "scipy", "scikit-learn",
        "umap-learn", "hdbscan",
    )  # fmt: skip
    return {package: importlib.metadata.version(package) for package in packages}
