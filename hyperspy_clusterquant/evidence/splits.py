"""Count splitting: the same clusters learned again on half of the counts.

Thinned halves of Poisson counts are independent. What is learned on the first half is therefore
tested fairly on the second one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.counts.features import (
    channel_mask,
    merge_channels,
    merge_sparse_features,
)
from hyperspy_clusterquant.counts.packed import row_sums
from hyperspy_clusterquant.counts.pixels import PixelCounts, Setting, sum_labels


@dataclass(frozen=True)
class Repeat:
    """A clustering that can be done again on other counts of the same pixels.

    Attributes
    ----------
    setting : Setting
        With the pixels, components, binning and neighbourhood that were used.
    workflow : callable
        Takes counts of pixels, the setting and a callable for the progress, see `workflows`.
    """

    setting: Setting
    workflow: Callable


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


def _learned_channels(setting):
    """Feature of each channel that clusters are learned from, -1 = none."""
    used = channel_mask(setting.energy, setting.energy_range, setting.excluded)
    return merge_channels(setting.energy, used)


def features_of(setting, total):
    """Feature of each channel, merged where counts are few, as clusters are learned from them.

    Parameters
    ----------
    setting : Setting
    total : array (channels,)
        Summed counts of the map.

    Returns
    -------
    array of int (channels,)
        -1 = none.
    """
    channels = _learned_channels(setting)
    used = channels >= 0
    groups = merge_sparse_features(np.bincount(channels[used], total[used]))
    return np.append(groups, -1)[channels]


@one_blas_thread()
def half_labels(pixels, repeat, seed):
    """Clusters of one thinned half of the counts.

    Parameters
    ----------
    pixels : PixelCounts
        From `read_channels`.
    repeat : Repeat
    seed : sequence of int
        Of the thinning.

    Returns
    -------
    labels : array of int (kept pixels,)
        -1 = noise.
    half : PixelCounts
        The half they were learned on, of all channels.
    """
    setting = repeat.setting
    half = replace(pixels, blocks=pixels.blocks.thinned(seed))
    channels = _learned_channels(setting)
    features = half.blocks.only(groups=channels[pixels.channels >= 0])
    totals = np.concatenate(features.map(row_sums))
    to_learn = PixelCounts(pixels.keep, features, totals, channels)
    found = repeat.workflow(to_learn, setting, lambda stage, share=0.0: None)
    return found["labels"], half


def split_again(pixels, repeat, seed):
    """Learn the clusters again on one half of the counts, and sum both halves.

    Parameters
    ----------
    pixels, repeat, seed
        As of `half_labels`.

    Returns
    -------
    Split
    """
    labels, half = half_labels(pixels, repeat, seed)
    n_clusters = labels.max(initial=-1) + 1
    first = sum_labels(half, labels, n_clusters)
    return Split(labels, first, sum_labels(pixels, labels, n_clusters) - first)
