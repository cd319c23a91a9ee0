"""Count splitting: the same clusters learned again on half of the counts.

Thinned halves of Poisson counts are independent. What is learned on the first half is therefore
tested fairly on the second one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.counts.features import merge_sparse_features
from hyperspy_clusterquant.counts.pixels import sum_labels
from hyperspy_clusterquant.evidence.kept_labels import KeptLabels, key_of

_kept = KeptLabels()


@dataclass(frozen=True, eq=False)
class Split:
    """Clusters of one half of the counts, and what they are in both halves.

    Attributes
    ----------
    labels : array of int (kept pixels,)
        Clusters of the first half, -1 = noise.
    first, second : array (n_clusters, channels)
        Their summed counts in each half.
    """

    labels: np.ndarray
    first: np.ndarray
    second: np.ndarray


def learned_features(recipe, energy, total):
    """Feature of each channel, merged where counts are few, as clusters are learned from them.

    Parameters
    ----------
    recipe : Recipe
    energy : array (channels,)
        In keV.
    total : array (channels,)
        Summed counts of the map.

    Returns
    -------
    array of int (channels,)
        -1 = none.
    """
    channels = recipe.channels(energy)
    used = channels >= 0
    groups = merge_sparse_features(np.bincount(channels[used], total[used]))
    return np.append(groups, -1)[channels]


def half_labels(pixels, recipe, seed):
    """Clusters of one thinned half of the counts.

    Parameters
    ----------
    pixels : PixelCounts
        Each channel a feature of its own, see `features.every_channel`.
    recipe : Recipe
        The clustering to repeat, see `Recipe.repeat`.
    seed : sequence of int
        Of the thinning.

    Returns
    -------
    labels : array of int (kept pixels,)
        -1 = noise.
    half : PixelCounts
        The half they were learned on, of all channels.
    """
    half = replace(pixels, blocks=pixels.blocks.thinned(seed))
    return labels_on(half, recipe), half


@one_blas_thread()
def labels_on(half, recipe):
    """Clusters of a half of the counts, array of int (kept pixels,), see `half_labels`."""

    def found():
        to_learn = half.summed_to(recipe.channels(half.energy))
        return recipe.run(to_learn, lambda stage, share=0.0: None).labels

    return _kept.find(key_of(half, recipe), found)


def split_again(pixels, recipe, seed):
    """Learn the clusters again on one half of the counts, and sum both halves.

    Parameters
    ----------
    pixels, recipe, seed
        As of `half_labels`.

    Returns
    -------
    Split
    """
    return split_of(pixels, *half_labels(pixels, recipe, seed))


def split_of(pixels, labels, half):
    """The `Split` of counts into a half and the other, with clusters of the first."""
    n_clusters = labels.max(initial=-1) + 1
    first = sum_labels(half, labels, n_clusters)
    return Split(labels, first, sum_labels(pixels, labels, n_clusters) - first)
