"""A result on other pixels of its map: on a part of them, in another order, or on bins of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hyperspy_clusterquant.clusters.labels import MASKED, NOISE
from hyperspy_clusterquant.clusters.recipe import chosen_for_bins


def taken(result, pixels, axes):
    """A result on a part of the pixels of its map, or on all of them in another order.

    Numbers and names of the clusters stay, also of those that are not on it.

    Parameters
    ----------
    result : ClusterResult
    pixels : array of int (new map shape)
        Flat numbers of the map's pixels, each at most once.
    axes : sequence of dict
        Navigation axes of the new map.
    """
    pixels = np.asarray(pixels)
    labels = result.labels.ravel()
    kept_number = np.cumsum(labels != MASKED) - 1
    kept = pixels.ravel()[labels[pixels.ravel()] != MASKED]
    embedding = landmarks = None
    if result.landmarks is not None:
        new_number = np.full(labels.size, -1)
        new_number[pixels.ravel()] = np.arange(pixels.size)
        inside = new_number[result.landmarks] >= 0
        landmarks = new_number[result.landmarks[inside]]
        embedding = result.embedding[inside]
    return replace(
        result if pixels.size == labels.size else _without_spectra(result),
        **_without_half(result),
        labels=labels[pixels],
        memberships=result.memberships.reshape(result.n_clusters, labels.size)[:, pixels],
        scores=result.scores[kept_number[kept]],
        embedding=embedding,
        landmarks=landmarks,
        axes=axes,
    )


def binned(result, factors, axes):
    """A result on its map binned by whole factors.

    Memberships and scores are averaged over the kept pixels of each bin; its label is
    its largest membership, or noise where most of its pixels are.

    Parameters
    ----------
    result : ClusterResult
    factors : sequence of int
        Factor of each array axis; pixels beyond a whole number of bins are cropped.
    axes : sequence of dict
        Navigation axes of the new map.
    """
    shape = [size // f for size, f in zip(result.labels.shape, factors, strict=True)]
    crop = tuple(slice(0, n * f) for n, f in zip(shape, factors, strict=True))
    split = [number for n, f in zip(shape, factors, strict=True) for number in (n, f)]
    inner = tuple(range(1, 2 * len(shape), 2))

    def total(image):
        return image[crop].reshape(split).sum(axis=inner)

    kept = result.labels != MASKED
    n_kept = np.maximum(total(kept), 1)
    memberships = np.array([total(m) for m in result.memberships]).reshape(-1, *shape) / n_kept
    scores = np.zeros((result.n_components, *result.labels.shape))
    scores[:, kept] = result.scores.T
    filled = total(kept) > 0
    scores = [(total(image) / n_kept)[filled] for image in scores]
    labels = memberships.argmax(axis=0) if result.n_clusters else np.full(shape, NOISE)
    labels[total(result.labels == NOISE) > 0.5 * n_kept] = NOISE
    labels[total(kept) == 0] = MASKED
    return replace(
        _without_spectra(result),
        label_spectra=None,
        half_labels=None,
        parameters=chosen_for_bins(_without_half(result)["parameters"], factors),
        labels=labels,
        memberships=memberships,
        scores=np.array(scores).reshape(result.n_components, np.count_nonzero(filled)).T,
        embedding=None,
        landmarks=None,
        axes=axes,
    )


def _without_half(result):
    """That the half of the counts that regions were drawn on is none of the new map's counts."""
    known = result.parameters
    if "half" in known.get("drawn_on", ""):
        known = known | {"drawn_on": "all"}
    return {"half_labels": None, "parameters": known}


def _without_spectra(result):
    """A result whose spectra are not of its map any more; other maps are still assigned by them.

    Nor is what tests found on its map.
    """
    known = dict(zip(("learned_spectra", "learned_energy"), result.reference, strict=True))
    return replace(result, spectra=None, findings={}, **known)
