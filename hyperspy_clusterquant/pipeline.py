"""The whole flow of each workflow, from a map of counts to labels and memberships on it."""

from __future__ import annotations

import warnings

import numpy as np

from hyperspy_clusterquant import _checks, blocks, workflows
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.pixels import read


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
    _checks.check_choice("covariance_type", covariance_type, ("full", "tied", "diag", "spherical"))
    n_init = _checks.as_int("n_init", n_init, minimum=1)
    if n_clusters not in ("auto", "bic"):
        n_clusters = _checks.check_n_clusters(n_clusters, np.inf)
    pixels = read(data, setting, progress)
    found = workflows.gaussian_mixture(
        pixels, setting, n_clusters, covariance_type, n_init, progress
    )
    _warn_of_fewer(n_clusters, found)
    return _on_map(data, pixels.keep, found, progress)


def _warn_of_fewer(n_clusters, found):
    """Warn if there are not as many clusters as the user asked for."""
    n_found = found["memberships"].shape[1]
    if isinstance(n_clusters, str) or n_found == n_clusters:
        return
    if found["scores"].shape[1] == 0:
        message = (
            f"{workflows.NO_SIGNAL} It was returned instead of the {n_clusters} asked for. To "
            "force them all the same, pass n_components=2, say; to look for weaker differences, "
            "bin more or measure longer."
        )
    else:
        message = (
            f"{workflows.DROPPED.format(n_clusters - n_found, n_clusters)} Ask for fewer, or let "
            "the data decide with n_clusters='auto'."
        )
    warnings.warn(message, UserWarning, stacklevel=4)


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
    pixels = read(data, setting, progress)
    found = workflows.umap_hdbscan(pixels, setting, min_cluster_size, density, progress)
    return _on_map(data, pixels.keep, found, progress)


@one_blas_thread()
def assign_clusters(data, setting, spectra, energy, progress):
    """Label a map with the clusters that were learned on another one.

    Parameters
    ----------
    data, progress
        As in `cluster_pca_gmm`.
    setting, spectra, energy
        As in `workflows.assignment`.

    Returns
    -------
    dict
        As of `cluster_pca_gmm`.
    """
    pixels = read(data, setting, progress)
    found = workflows.assignment(pixels, setting, spectra, energy, progress)
    return _on_map(data, pixels.keep, found, progress)


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
    spectra = blocks.sum_weighted(data, members, lambda share: progress("spectra", share))
    return found | {"labels": labels, "memberships": maps, "spectra": spectra}
