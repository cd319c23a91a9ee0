"""From a map of counts to the counts of the pixels that take part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant._checks import as_keep, check_choice, check_some_kept
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.counts.blocked import BlockedCounts
from hyperspy_clusterquant.counts.masks import vacuum_mask
from hyperspy_clusterquant.counts.packed import row_sums
from hyperspy_clusterquant.counts.passes import collect_features


@dataclass(frozen=True)
class PixelCounts:
    """The counts of the pixels that take part, as sparse features.

    Attributes
    ----------
    keep : array of bool (map shape)
        Pixels that take part.
    blocks : BlockedCounts
        Their counts.
    totals : array (kept pixels,)
        Counts of each.
    channels : array of int (channels,)
        Feature that each channel is counted to, -1 = none.
    energy : array (channels,)
        In keV.
    """

    keep: np.ndarray
    blocks: BlockedCounts
    totals: np.ndarray
    channels: np.ndarray
    energy: np.ndarray

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


def read_pixels(data, energy, channels, navigation_mask, progress):
    """Read the counts of a map once and leave out what is masked.

    Parameters
    ----------
    data : numpy or dask array (map shape, channels)
        Counts.
    energy : array (channels,)
        In keV.
    channels : array of int (channels,)
        Feature that each channel is counted to, -1 = none, see `features.merge_channels`.
    navigation_mask : "auto", None or array of bool (map shape)
        Pixels to leave out: True = left out; ``"auto"`` = vacuum.
    progress : callable
        Called with the name of the stage and the share of it that is done.

    Returns
    -------
    PixelCounts
    """
    shape = data.shape[:-1]
    automatic = isinstance(navigation_mask, str)
    if automatic:
        check_choice("navigation_mask", navigation_mask, ("auto",))
    else:
        keep = as_keep(navigation_mask, shape)
        check_some_kept(keep, automatic)
    progress("counts")
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
    return PixelCounts(keep, stored.only(keep.ravel()), totals, channels, energy)


def sum_members(pixel_counts, memberships):
    """Summed counts of clusters, array (n_clusters, features)."""
    return memberships.T @ pixel_counts.astype(float)


@one_blas_thread()
def sum_labels(pixels, labels, n_clusters):
    """Summed counts of clusters.

    Parameters
    ----------
    pixels : PixelCounts
        Each channel a feature of its own, see `features.every_channel`.
    labels : array of int (kept pixels,)
    n_clusters : int

    Returns
    -------
    array (n_clusters, channels)
    """
    members = labels[:, None] == np.arange(n_clusters)
    return pixels.on_channels(pixels.blocks.sum(sum_members, of_pixels=[members]))
