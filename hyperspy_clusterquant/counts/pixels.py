"""From a map of counts to the counts of the pixels that take part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant._checks import as_int, as_keep, check_choice, check_some_kept
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.counts.blocked import BlockedCounts
from hyperspy_clusterquant.counts.features import (
    FEATURE_WIDTH,
    LOWEST_ENERGY,
    channel_mask,
    merge_channels,
)
from hyperspy_clusterquant.counts.masks import vacuum_mask
from hyperspy_clusterquant.counts.packed import row_sums
from hyperspy_clusterquant.counts.passes import collect_features


@dataclass(frozen=True)
class PixelCounts:
    """The counts of the pixels that take part, as sparse features."""

    keep: np.ndarray
    blocks: BlockedCounts
    totals: np.ndarray
    channels: np.ndarray

    def on_channels(self, values):
        """Values of features (..., features), each of one channel, on all channels of the map."""
        used = self.channels >= 0
        spread = np.zeros((*values.shape[:-1], len(used)))
        spread[..., used] = values
        return spread

    @property
    def per_pixel(self):
        """Mean counts of a pixel."""
        return self.totals.mean()


def read_pixels(data, setting, progress, width=FEATURE_WIDTH):
    """Read the counts of a map once and leave out what is masked.

    Parameters
    ----------
    data : numpy or dask array (map shape, channels)
        Counts.
    setting : Setting
        What to use of the data.
    progress : callable
        Called with the name of the stage and the share of it that is done.
    width : float
        Width in keV of the features that channels are merged into; 0 = each channel is one.

    Returns
    -------
    PixelCounts
    """
    shape = data.shape[:-1]
    automatic = isinstance(setting.navigation_mask, str)
    if automatic:
        check_choice("navigation_mask", setting.navigation_mask, ("auto",))
    else:
        keep = as_keep(setting.navigation_mask, shape)
        check_some_kept(keep, automatic)
    progress("counts")
    used = channel_mask(setting.energy, setting.energy_range, setting.excluded)
    channels = merge_channels(setting.energy, used, width)
    stored = collect_features(data, channels, lambda share: progress("counts", share))
    totals = np.concatenate(stored.map(row_sums))
    if automatic:
        keep = ~vacuum_mask(totals.reshape(shape))
        check_some_kept(keep, automatic)
    totals = totals[keep.ravel()]
    if totals.sum() == 0:
        raise ValueError(
            "The pixels that are not masked hold no counts in the chosen energies. Check "
            "`navigation_mask`, `energy_range` and `exclude_lines`."
        )
    return PixelCounts(keep, stored.only(keep.ravel()), totals, channels)


@dataclass(frozen=True)
class Setting:
    """What all workflows are told about the data."""

    energy: np.ndarray
    normalize: bool = True
    energy_range: tuple | None = None
    excluded: tuple = ()
    navigation_mask: object = "auto"
    n_components: object = "auto"
    binning: object = "auto"
    neighbourhood: object = "auto"
    random_state: int | None = 0
    #: Gives the shapes of the elements' lines, (n_lines, channels) or None, if they are needed.
    line_profiles: object = None
    #: "auto", or what it was found to be before: "spectrum", "weak in spectrum", "weak in lines".
    components_are: str = "auto"

    def __post_init__(self):
        if self.random_state is None:
            return
        seed = as_int("random_state", self.random_state, minimum=0)
        if seed >= 2**32:
            raise ValueError(f"`random_state` must be less than 2**32, not {seed}.")


def sum_members(pixel_counts, memberships):
    """Summed counts of clusters, array (n_clusters, features)."""
    return memberships.T @ pixel_counts.astype(float)


@one_blas_thread()
def read_channels(data, setting, progress):
    """Read the counts of all channels once, also of those that clusters are not learned from.

    Parameters
    ----------
    data : numpy or dask array (map shape, channels)
        Counts.
    setting : Setting
        What the clusters are learned with.
    progress : callable
        Called with the name of the stage and the share of it that is done.

    Returns
    -------
    PixelCounts
        Each channel a feature of its own.
    """
    lowest = min((LOWEST_ENERGY, *(setting.energy_range or ())))
    everything = replace(setting, energy_range=(lowest, np.inf), excluded=())
    return read_pixels(data, everything, progress, width=0.0)


@one_blas_thread()
def sum_labels(pixels, labels, n_clusters):
    """Summed counts of clusters.

    Parameters
    ----------
    pixels : PixelCounts
        From `read_channels`.
    labels : array of int (kept pixels,)
    n_clusters : int

    Returns
    -------
    array (n_clusters, channels)
    """
    members = labels[:, None] == np.arange(n_clusters)
    return pixels.on_channels(pixels.blocks.sum(sum_members, of_pixels=[members]))
