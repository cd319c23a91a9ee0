"""What a workflow finds, of pixels and then on the map."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.counts.passes import sum_weighted


@dataclass(frozen=True, eq=False)
class Clustering:
    """What a workflow finds; arrays are of the kept pixels, or of the map after `on_map`.

    Attributes
    ----------
    recipe : Recipe
        With what it chose.
    labels : array of int (pixels)
        -1 = noise, -2 = left out.
    memberships : array (pixels, n_clusters), or (n_clusters, map shape)
    scores : array (kept pixels, n_components)
    eigenvalues : array (n_leading,)
    noise_edge : float
    embedding, landmarks : arrays or None
    label_spectra : array (n_clusters, channels) or None
        Spectra by whose likelihood pixels were labelled, zero where they were not looked at.
    spectra : array (n_clusters, channels) or None
        Summed counts of the clusters.
    """

    recipe: object
    labels: np.ndarray
    memberships: np.ndarray
    scores: np.ndarray
    eigenvalues: np.ndarray
    noise_edge: float
    label_spectra: np.ndarray | None
    embedding: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    spectra: np.ndarray | None = None

    def on_map(self, data, keep, progress):
        """The same with arrays of the map, and the sums of the clusters: one pass over `data`."""
        n_clusters = self.memberships.shape[1]
        labels = np.full(keep.shape, MASKED, dtype=np.int32)
        labels[keep] = self.labels
        maps = np.zeros((n_clusters, *keep.shape), dtype=np.float32)
        for image, of_cluster in zip(maps, self.memberships.T, strict=True):
            image[keep] = np.clip(of_cluster, 0, 1)
        progress("spectra")
        members = labels.ravel() == np.arange(n_clusters)[:, None]
        spectra = sum_weighted(data, members, lambda share: progress("spectra", share))
        recipe = self.recipe.with_chosen(n_clusters_found=n_clusters)
        return replace(self, recipe=recipe, labels=labels, memberships=maps, spectra=spectra)


def spread_over_channels(values, channels):
    """Values of features on the channels that are counted to each, in equal parts.

    Parameters
    ----------
    values : array (n, features)
    channels : array of int (channels,)
        Feature of each, -1 = none.

    Returns
    -------
    array (n, channels)
        Zero where a channel is counted to none.
    """
    n_channels = np.bincount(channels[channels >= 0], minlength=values.shape[1])
    parts = values / np.maximum(n_channels, 1)
    return np.where(channels >= 0, parts[:, channels], 0.0)
