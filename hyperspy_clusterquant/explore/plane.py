"""The plane among the scores in which clusters lie apart best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import linalg

from hyperspy_clusterquant.clusters.learning import learn
from hyperspy_clusterquant.clusters.likelihood import cluster_shares, discriminant_scores
from hyperspy_clusterquant.counts.features import merge_sparse_features
from hyperspy_clusterquant.counts.packed import column_sums
from hyperspy_clusterquant.counts.pixels import sum_members

#: Part of the variance along an axis that is added to it, so that one without any does no harm.
LEAST_VARIANCE = 1e-6


def scores_of(pixels, labels, n_clusters, recipe):
    """Whitened scores in which clusters differ, and components where these are fewer than two.

    Parameters
    ----------
    pixels : PixelCounts
        Of all channels, of the counts that are looked at.
    labels : array of int (kept pixels,)
    n_clusters : int
    recipe : Recipe
        Which energies are looked at, and what is no chemistry.

    Returns
    -------
    array (kept pixels, n_scores)
        In units of a typical pixel's shot noise.
    """
    looked_at = pixels.summed_to(recipe.channels(pixels.energy))
    groups = merge_sparse_features(looked_at.blocks.sum(column_sums))
    counts = looked_at.blocks.only(groups=groups)
    found = [np.zeros((len(labels), 0))]
    there = np.unique(labels[labels >= 0])
    if len(there) > 1:
        members = labels[:, None] == there
        shares = cluster_shares(counts.sum(sum_members, of_pixels=[members]))
        scores, doses = map(
            np.concatenate, zip(*counts.map(discriminant_scores, shares), strict=True)
        )
        found.append(scores * np.sqrt(max(np.median(doses), 1.0)))
    if sum(of.shape[1] for of in found) < 2:
        asked = replace(recipe, n_components=2, neighbourhood=0.0, components_are="spectrum")
        found.append(learn(looked_at, asked, lambda stage, share=0.0: None).pixel_scores)
    return np.concatenate(found, axis=1)


def best_plane(scores, labels):
    """Two linear combinations of scores in which clusters lie apart best.

    These are the leading discriminants of Fisher: the variance between the clusters is as large as
    can be beside that within. Of one cluster, or of two in the second direction, the directions
    follow in which the pixels of the clusters differ most among themselves.

    Parameters
    ----------
    scores : array (pixels, n_scores)
    labels : array of int (pixels,)
        Negative = none.

    Returns
    -------
    array (pixels, 2)

    References
    ----------
    R. A. Fisher, Ann. Eugen. 7 (1936) 179; C. R. Rao, J. R. Stat. Soc. B 10 (1948) 159.
    """
    n_scores = scores.shape[1]
    if n_scores < 2:
        return np.hstack([scores, np.zeros((len(scores), 2 - n_scores))])
    there, sizes = np.unique(labels[labels >= 0], return_counts=True)
    means = np.array([scores[labels == k].mean(axis=0) for k in there]).reshape(-1, n_scores)
    if not len(there):
        return scores[:, :2]
    inside = labels >= 0
    residual = scores[inside] - means[np.searchsorted(there, labels[inside])]
    within = residual.T @ residual / max(len(residual), 1)
    within += LEAST_VARIANCE * max(np.trace(within), 1e-12) * np.eye(n_scores)
    centred = means - np.average(means, axis=0, weights=sizes)
    # Every cluster counts alike, or the largest two would decide.
    _, vectors = linalg.eigh(centred.T @ centred, within)
    n_between = min(len(there) - 1, 2)
    axes = vectors[:, ::-1][:, :n_between]
    if n_between < 2:
        axes = np.hstack([axes, _along(within, axes)[:, : 2 - n_between]])
    axes = axes / np.linalg.norm(axes, axis=0)
    # The sign is arbitrary: fix it, so that pictures repeat.
    strongest = np.abs(axes).argmax(axis=0)
    return scores @ (axes * np.sign(axes[strongest, range(2)]))


def _along(within, axes):
    """Directions of the largest variance within clusters, beside some axes, (n_scores, n)."""
    basis = linalg.null_space(axes.T) if axes.shape[1] else np.eye(len(within))
    _, vectors = np.linalg.eigh(basis.T @ within @ basis)
    return basis @ vectors[:, ::-1]
