"""From a map of counts to the counts of the pixels that take part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant._checks import as_keep, check_some_kept
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.counts.blocked import BlockedCounts
from hyperspy_clusterquant.counts.features import SAMPLE_FROM
from hyperspy_clusterquant.counts.masks import VACUUM, vacuum_mask
from hyperspy_clusterquant.counts.packed import row_sums
from hyperspy_clusterquant.counts.passes import collect_features, masked_pixels


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

    def summed_to(self, channels):
        """The same, of which each channel is a feature, with features of several channels.

        `channels`, array of int (channels,): feature that each is counted to, -1 = none.
        """
        blocks = self.blocks.only(groups=channels[self.channels >= 0])
        totals = np.concatenate(blocks.map(row_sums))
        return replace(self, blocks=blocks, totals=totals, channels=channels)

    @property
    def per_pixel(self):
        """Mean counts of a pixel."""
        return self.totals.mean()


def read_pixels(data, energy, channels, navigation_mask, progress, needed=True):
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
        Pixels to leave out: True = left out; ``"auto"`` = vacuum, found from the counts where
        lines are, see `features.SAMPLE_FROM`. Pixels that a masked array masks, in one channel
        or all, are left out in any case.
    progress : callable
        Called with the name of the stage and the share of it that is done.
    needed : bool
        Whether it is an error if there are no counts.

    Returns
    -------
    PixelCounts
    """
    shape = data.shape[:-1]
    automatic = isinstance(navigation_mask, str)
    if automatic and navigation_mask != "auto":
        raise ValueError(
            "`navigation_mask` must be 'auto' (vacuum is left out), None (nothing is), or an "
            "array or a signal of True (left out) and False with the map's shape, not "
            f"{navigation_mask!r}."
        )
    keep = as_keep(None if automatic else navigation_mask, shape)
    check_some_kept(keep, automatic)
    progress("counts")
    masked = masked_pixels(data)
    if masked is not None:
        keep &= ~masked
        if not keep.any():
            raise ValueError(
                "No pixel is left: the data are a masked array, and a pixel with a masked channel "
                "is left out like those of `navigation_mask`. If channels are masked in all "
                "pixels, crop them with s.isig and unmask the others: s.data = s.data.data."
            )
    stored = collect_features(data, channels, lambda share: progress("counts", share), keep, energy)
    totals = np.concatenate(stored.map(row_sums))
    if automatic:
        n_known = np.count_nonzero(keep)
        of_lines = _where_lines_are(stored, totals, energy, channels).reshape(shape)
        keep &= ~vacuum_mask(of_lines)
        check_some_kept(keep, automatic)
        _warn_of_much_vacuum(1 - np.count_nonzero(keep) / n_known, of_lines)
    totals = totals[keep.ravel()]
    if needed and totals.sum() == 0:
        raise ValueError(
            "The pixels that are not masked hold no counts in the chosen energies. Check "
            "`navigation_mask`, `energy_range` and `exclude_lines`."
        )
    return PixelCounts(keep, stored.only(keep.ravel()), totals, channels, energy)


def _where_lines_are(stored, totals, energy, channels):
    """Counts of each pixel in the features where lines are; in all if these hold none."""
    lines = np.unique(channels[(channels >= 0) & (energy >= SAMPLE_FROM)])
    if not 0 < len(lines) <= channels.max():
        return totals
    groups = np.full(channels.max() + 1, -1)
    groups[lines] = 0
    of_lines = np.concatenate(stored.only(groups=groups).map(row_sums))
    return of_lines if of_lines.any() else totals


def _warn_of_much_vacuum(share, totals):
    """Tell the user if the automatic mask leaves out more than half of the map."""
    if share > 0.5:
        descending = np.cumsum(np.sort(totals, axis=None)[::-1])
        n_half = 1 + np.searchsorted(descending, 0.5 * descending[-1])
        warn(
            f"{share:.0%} of the map are left out as vacuum, with less than {VACUUM:.0%} of the "
            f"sample's counts; half of all counts are in {n_half} of {totals.size} pixels. Of "
            "particles on vacuum, that is right. If sample is missing in s.plot_clusters(), pass "
            "navigation_mask=None, or a mask of your own (True = left out)."
        )


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
