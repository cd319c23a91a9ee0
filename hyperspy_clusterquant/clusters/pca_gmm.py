"""Workflow 1: whitened scores clustered with a Gaussian mixture."""

from __future__ import annotations

import warnings

import numpy as np

from hyperspy_clusterquant._checks import as_int, check_choice, check_n_clusters
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.clusters.learning import learn
from hyperspy_clusterquant.clusters.mixture import choose_n_clusters, mixture_memberships
from hyperspy_clusterquant.clusters.refine import to_pixels
from hyperspy_clusterquant.counts.passes import sum_weighted
from hyperspy_clusterquant.counts.pixels import read_pixels

#: Components whose scores spread by twice the shot noise of a learning pixel make clusters.
STRONG_COMPONENT = 4.0
NO_SIGNAL = "Nothing varies beyond shot noise, so there is one cluster."
DROPPED = "{} of {} clusters hold no pixel and were dropped."
CONTINUOUS = (
    "Gaps in the scores separate {} of the {} clusters; more are there because the components need "
    "as many spectra. The composition may change gradually between those without a gap."
)


def gaussian_mixture(pixels, setting, n_clusters, covariance_type, n_init, progress):
    """Workflow 1: whitened scores clustered with a Gaussian mixture.

    Parameters
    ----------
    pixels : PixelCounts
        Counts of the pixels that take part.
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
        Arguments of `results.ClusterResult` that the data decide; `labels` (kept pixels,) and
        `memberships` (kept pixels, n_clusters).
    """
    learning = learn(pixels, setting, progress)
    n_components = learning.scores.shape[1]
    n_clusters = check_n_clusters(n_clusters, np.count_nonzero(learning.measured))
    found = {}
    progress("clusters")
    if n_components == 0:
        memberships = np.ones((len(learning.scores), 1))
        found["remarks"] = [NO_SIGNAL]
    else:
        scores = learning.scores[learning.measured]
        fit = (covariance_type, n_init, learning.seed)
        if isinstance(n_clusters, str):
            found["criterion"] = n_clusters
            n_clusters, n_separated, curve = choose_n_clusters(
                scores, n_clusters, _fewest_spectra(learning), *fit, learning.rng
            )
            found["criterion_curve"] = curve.tolist()
            if n_separated < n_clusters:
                found["remarks"] = [CONTINUOUS.format(n_separated, n_clusters)]
        known = mixture_memberships(scores, n_clusters, *fit, learning.rng)
        # A pixel of which little is known belongs to each cluster as much as the map does.
        memberships = np.tile(known.mean(axis=0), (len(learning.scores), 1))
        memberships[learning.measured] = known
    memberships = memberships[learning.bin_of_pixel]
    no_noise = np.zeros(len(memberships), dtype=bool)
    result = to_pixels(learning, memberships, no_noise, found, progress)
    n_found = result["memberships"].shape[1]
    if n_components > 0 and n_found < n_clusters:
        result["parameters"]["remarks"].append(DROPPED.format(n_clusters - n_found, n_clusters))
    return result


def _fewest_spectra(learning):
    """Spectra whose mixtures can make the strong components: one more than there are."""
    values = learning.reduction.eigenvalues[: learning.scores.shape[1]]
    edge = learning.reduction.noise_edge
    strong = values > (edge if learning.is_weak else max(edge, STRONG_COMPONENT))
    return 1 + int(np.count_nonzero(strong))


@one_blas_thread()
def cluster_pca_gmm(data, setting, n_clusters, covariance_type, n_init, progress):
    """Workflow 1: whitened scores clustered with a Gaussian mixture.

    Parameters
    ----------
    data : numpy or dask array (map shape, channels)
        Counts.
    setting : Setting
        What to use of the data, and how.
    n_clusters, covariance_type, n_init
        As in `workflows.gaussian_mixture`.
    progress : callable
        Called with the name of each stage, and the share of it that is done.

    Returns
    -------
    dict
        Arguments of `results.ClusterResult` that the data decide.
    """
    check_choice("covariance_type", covariance_type, ("full", "tied", "diag", "spherical"))
    n_init = as_int("n_init", n_init, minimum=1)
    if n_clusters not in ("auto", "bic"):
        n_clusters = check_n_clusters(n_clusters, np.inf)
    pixels = read_pixels(data, setting, progress)
    found = gaussian_mixture(pixels, setting, n_clusters, covariance_type, n_init, progress)
    _warn_of_fewer(n_clusters, found)
    return _on_map(data, pixels.keep, found, progress)


def _warn_of_fewer(n_clusters, found):
    """Warn if there are not as many clusters as the user asked for."""
    n_found = found["memberships"].shape[1]
    if isinstance(n_clusters, str) or n_found == n_clusters:
        return
    if found["scores"].shape[1] == 0:
        message = (
            f"{NO_SIGNAL} It was returned instead of the {n_clusters} asked for. To "
            "force them all the same, pass n_components=2, say; to look for weaker differences, "
            "bin more or measure longer."
        )
    else:
        message = (
            f"{DROPPED.format(n_clusters - n_found, n_clusters)} Ask for fewer, or let "
            "the data decide with n_clusters='auto'."
        )
    warnings.warn(message, UserWarning, stacklevel=4)


def _on_map(data, keep, found, progress):
    """Labels and memberships of kept pixels as arrays of the map, and the sums of the clusters."""
    n_clusters = found["memberships"].shape[1]
    labels = np.full(keep.shape, -2, dtype=np.int32)
    labels[keep] = found["labels"]
    maps = np.zeros((n_clusters, *keep.shape), dtype=np.float32)
    for image, of_cluster in zip(maps, found["memberships"].T, strict=True):
        image[keep] = np.clip(of_cluster, 0, 1)
    progress("spectra")
    members = labels.ravel() == np.arange(n_clusters)[:, None]
    spectra = sum_weighted(data, members, lambda share: progress("spectra", share))
    return found | {"labels": labels, "memberships": maps, "spectra": spectra}
