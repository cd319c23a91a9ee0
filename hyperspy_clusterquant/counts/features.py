"""From channels to features: which take part, what they are merged to, what counts are."""

from __future__ import annotations

import numpy as np
from scipy import interpolate, sparse

#: Channels below this energy (keV) hold the detector's noise peak, not X-rays.
LOWEST_ENERGY = 0.1
#: Where the sample is, is told by counts from this energy (keV) on: above it lie the lines of usual
#: elements (carbon's at 0.277). What some detectors count below comes in bursts in a few pixels.
SAMPLE_FROM = 0.2
#: Channels are merged into features up to this width (keV), a quarter of a
#: peak's full width: no information is lost and the covariance stays small.
FEATURE_WIDTH = 0.032
#: Values of a block that are looked at together: 4 MB to 32 MB, which stay near the processor.
LOOKED_AT = 2**22


def channel_mask(energy, energy_range=None, excluded=()):
    """Channels that take part in the clustering.

    Parameters
    ----------
    energy : array (channels,)
        Energy of each channel in keV, ascending.
    energy_range : tuple of float, optional
        Lowest and highest energy in keV. Default: everything above 0.1 keV,
        where the noise (strobe) peak ends.
    excluded : iterable of tuple of float
        (low, high) windows in keV to leave out.

    Returns
    -------
    array of bool (channels,)
        True = used.

    Raises
    ------
    ValueError
        If no channel is left.

    Examples
    --------
    >>> channel_mask(np.array([0.0, 0.2, 0.3, 0.4]), excluded=[(0.25, 0.35)])
    array([False,  True, False,  True])
    """
    low, high = (LOWEST_ENERGY, np.inf) if energy_range is None else energy_range
    used = (energy >= low) & (energy <= high)
    for window_low, window_high in excluded:
        used &= (energy < window_low) | (energy > window_high)
    if not used.any():
        raise ValueError(
            f"No energy channel is left: the axis runs from {energy[0]:.3g} to "
            f"{energy[-1]:.3g} keV, `energy_range` asks for {low:.3g} to {high:.3g} keV "
            f"and {len(list(excluded))} windows are excluded. Widen `energy_range` or "
            "exclude fewer lines."
        )
    return used


def merge_channels(energy, used, width=FEATURE_WIDTH):
    """Number the features that neighbouring used channels are merged into.

    Parameters
    ----------
    energy : array (channels,)
        Energy in keV.
    used : array of bool (channels,)
        Channels to keep; a feature never spans a channel that is left out.
    width : float
        Largest width of a feature in keV.

    Returns
    -------
    array of int (channels,)
        Feature of each channel, -1 where the channel is not used.

    Examples
    --------
    >>> merge_channels(np.arange(6) * 0.01, np.array([1, 1, 1, 1, 0, 1], bool), 0.02)
    array([ 0,  0,  1,  1, -1,  2])
    """
    step = (energy[-1] - energy[0]) / max(len(energy) - 1, 1)
    factor = max(int(width / step + 1e-9), 1)
    starts = np.flatnonzero(used & ~np.r_[False, used[:-1]])
    run_start = starts[np.cumsum(np.isin(np.arange(len(used)), starts))[used] - 1]
    position = (np.flatnonzero(used) - run_start) // factor
    new = np.r_[True, (np.diff(run_start) != 0) | (np.diff(position) != 0)]
    features = np.full(len(used), -1)
    features[used] = np.cumsum(new) - 1
    return features


def low_features(energy, channels):
    """Features that lie below the lines of usual elements, see `SAMPLE_FROM`.

    Parameters
    ----------
    energy : array (channels,)
        In keV.
    channels : array of int (channels,)
        Feature of each, -1 = none.

    Returns
    -------
    array of int
    """
    highest = np.zeros(channels.max(initial=-1) + 1)
    used = channels >= 0
    np.maximum.at(highest, channels[used], energy[used])
    return np.flatnonzero(highest < SAMPLE_FROM)


def every_channel(energy, energy_range=None):
    """Features of one channel each, from the lowest energy of X-rays or of `energy_range` (keV)."""
    lowest = min((LOWEST_ENERGY, *(energy_range or ())))
    return merge_channels(energy, channel_mask(energy, (lowest, np.inf)), width=0.0)


def merge_sparse_features(totals, minimum=100):
    """Number the groups of neighbouring features that hold enough counts together.

    Whitened residuals of features with a handful of counts in the whole map are far
    from normal and drown weak components.

    Parameters
    ----------
    totals : array (features,)
        Counts of each feature in the kept pixels.
    minimum : float
        Counts that every group reaches, if the map holds as many.

    Returns
    -------
    array of int (features,)
        Group of each feature, ascending from 0.

    Examples
    --------
    >>> merge_sparse_features(np.array([500, 60, 70, 3, 0, 200, 1]))
    array([0, 1, 1, 2, 2, 2, 2])
    """
    groups = np.empty(len(totals), dtype=int)
    group, collected = 0, 0.0
    for feature, total in enumerate(totals):
        groups[feature] = group
        collected += total
        if collected >= minimum:
            group, collected = group + 1, 0.0
    # What is left over at the end is too little for a group of its own.
    return np.minimum(groups, max(group - 1, 0))


def rebin_spectra(spectra, energy, new_energy):
    """Spectra on another energy axis; their counts are kept.

    Parameters
    ----------
    spectra : array (n, channels)
        Counts.
    energy : array (channels,)
        Centres of the channels in keV, evenly spaced.
    new_energy : array (new channels,)
        Centres of the new channels in keV, evenly spaced.

    Returns
    -------
    array (n, new channels)
        Zero outside the old axis.

    Examples
    --------
    >>> rebin_spectra(np.array([[4.0, 4.0, 4.0, 4.0]]), np.arange(4.0), np.array([0.5, 2.5]))
    array([[8., 8.]])
    """
    edges, new_edges = (_borders(axis) for axis in (energy, new_energy))
    collected = np.concatenate([np.zeros((len(spectra), 1)), np.cumsum(spectra, axis=1)], axis=1)
    # Monotone, so that no channel becomes negative, and smooth inside the channels.
    below = interpolate.PchipInterpolator(edges, collected, axis=1)
    return np.diff(below(np.clip(new_edges, edges[0], edges[-1])), axis=1)


def _borders(energy):
    step = (energy[-1] - energy[0]) / max(len(energy) - 1, 1)
    return energy[0] + step * (np.arange(len(energy) + 1) - 0.5)


def to_features(counts, features, n_features):
    """Sparse features of a block of counts.

    Parameters
    ----------
    counts : array or scipy.sparse.csr_array (pixels, channels)
        Counts of any real dtype.
    features : array of int (channels,)
        From `merge_channels`.
    n_features : int
        Number of features.

    Returns
    -------
    scipy.sparse.csr_array (pixels, n_features) of int32

    Raises
    ------
    ValueError
        If the block holds anything but counts, see `check_counts`.
    """
    if sparse.issparse(counts):
        check_counts(counts.data)
        counts = counts.tocoo()
        return _features_of_entries(
            counts.coords[0],
            counts.coords[1],
            counts.data,
            features,
            (counts.shape[0], n_features),
        )
    n_pixels, n_channels = counts.shape
    step = max(LOOKED_AT // max(n_channels, 1), 1)
    parts = []
    for start in range(0, n_pixels, step):
        part = np.ascontiguousarray(counts[start : start + step])
        check_counts(part)
        # A flat search in booleans is several times faster than numpy's in two dimensions.
        flat = np.flatnonzero(part != 0)
        pixel, channel = np.divmod(flat, n_channels)
        parts.append(
            _features_of_entries(
                pixel, channel, part.ravel()[flat], features, (len(part), n_features)
            )
        )
    if len(parts) == 1:
        return parts[0]
    return sparse.vstack(parts or [sparse.csr_array((0, n_features), dtype=np.int32)], "csr")


def _features_of_entries(pixel, channel, values, features, shape):
    """Sparse features of counts that are not zero, given in the order of the pixels."""
    feature = features[channel]
    used = feature >= 0
    if not used.all():
        pixel, feature, values = pixel[used], feature[used], values[used]
    block = sparse.csr_array(
        (
            values.astype(np.int32),
            feature.astype(np.int32),
            np.searchsorted(pixel, np.arange(shape[0] + 1)).astype(np.int32),
        ),
        shape=shape,
    )
    block.sum_duplicates()
    return block


def check_numbers(dtype):
    """Raise a ValueError if data are True and False."""
    if dtype.kind == "b":
        raise ValueError(
            "The data are True and False, but the counts of the detector are needed, as numbers, "
            "also where there is at most one. If True does stand for one count: "
            's.change_dtype("uint8").'
        )


def check_counts(counts):
    """Raise a ValueError that says why unless `counts` holds counts."""
    if counts.size == 0 or (counts.dtype.kind == "u" and counts.dtype.itemsize < 4):
        return
    advice = (
        "Clustering rests on Poisson statistics and needs the raw counts of the detector, "
        "before any normalisation, background subtraction or smoothing."
    )
    check_numbers(counts.dtype)
    if counts.dtype.kind not in "uif":
        raise ValueError(f"Counts must be real numbers, not {counts.dtype}. {advice}")
    if counts.dtype.kind == "f":
        n_bad = counts.size - np.count_nonzero(np.isfinite(counts))
        if n_bad:
            raise ValueError(
                f"The data hold NaN or infinite values ({n_bad} in one block). {advice} Replace "
                "them first, for example with numpy.nan_to_num, or crop them away. If they were "
                "masked before s.as_lazy(), which makes NaN of that: take the mask of the pixels, "
                "mask = s.data.mask.any(axis=-1), and s.data = s.data.filled(0) before it, and "
                "pass navigation_mask=mask."
            )
    if counts.max() >= 2**31:
        raise ValueError(
            f"The data hold values up to {counts.max():.4g}, more than any detector counts in a "
            f"channel of a pixel. {advice}"
        )
    if counts.min() < 0:
        raise ValueError(f"The data hold negative values (lowest: {counts.min():.4g}). {advice}")
    if counts.dtype.kind == "f" and np.any(counts != np.rint(counts)):
        example = counts[counts != np.rint(counts)].flat[0]
        raise ValueError(
            f"The data hold values that are not whole numbers (such as {example:.4g}). {advice} "
            "If they are counts up to rounding, round them: s.data = s.data.round()."
        )
