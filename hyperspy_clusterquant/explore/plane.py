"""The plane among the scores in which clusters lie apart best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hyperspy_clusterquant.clusters.learning import learn
from hyperspy_clusterquant.clusters.likelihood import cluster_shares, discriminant_scores
from hyperspy_clusterquant.clusters.planes import separating_plane
from hyperspy_clusterquant.counts.features import merge_sparse_features
from hyperspy_clusterquant.counts.packed import column_sums
from hyperspy_clusterquant.counts.pixels import sum_members


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


def best_plane(scores, labels, n_clusters):
    """Two linear combinations of scores in which clusters lie apart best, `separating_plane`.

    Parameters
    ----------
    scores : array (pixels, n_scores)
    labels : array of int (pixels,)
        Negative = none.
    n_clusters : int

    Returns
    -------
    array (pixels, 2)
        In the units of the scores; zeros for a second one that there is not.
    """
    plane = np.zeros((len(scores), 2))
    if scores.shape[1]:
        directions = separating_plane(scores, labels, n_clusters)
        directions = directions / np.linalg.norm(directions, axis=0)
        plane[:, : directions.shape[1]] = scores @ directions
    return plane
