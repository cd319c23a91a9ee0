"""From a map of counts to the counts of the pixels that take part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant import _checks, blocks, counts, reduction


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
        seed = _checks.as_int("random_state", self.random_state, minimum=0)
        if seed >= 2**32:
            raise ValueError(f"`random_state` must be less than 2**32, not {seed}.")


@dataclass(frozen=True)
class PixelCounts:
    """The counts of the pixels that take part, as sparse features."""

    keep: np.ndarray
    blocks: blocks.BlockedCounts
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


def read(data, setting, progress, width=counts.FEATURE_WIDTH):
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
        _checks.check_choice("navigation_mask", setting.navigation_mask, ("auto",))
    else:
        keep = _checks.as_keep(setting.navigation_mask, shape)
        _checks.check_some_kept(keep, automatic)
    progress("counts")
    used = counts.channel_mask(setting.energy, setting.energy_range, setting.excluded)
    channels = counts.merge_channels(setting.energy, used, width)
    stored = blocks.collect_features(data, channels, lambda share: progress("counts", share))
    totals = np.concatenate(stored.map(reduction.row_sums))
    if automatic:
        keep = ~counts.vacuum_mask(totals.reshape(shape))
        _checks.check_some_kept(keep, automatic)
    totals = totals[keep.ravel()]
    if totals.sum() == 0:
        raise ValueError(
            "The pixels that are not masked hold no counts in the chosen energies. Check "
            "`navigation_mask`, `energy_range` and `exclude_lines`."
        )
    return PixelCounts(keep, stored.only(keep.ravel()), totals, channels)
