"""Counts: from channels to features, from the map to the pixels that count.

Everything here works on plain arrays. Counts are kept as a sparse
(pixels, features) matrix: a pixel of a STEM-EDX map holds 1 to 200 counts in
thousands of channels, so nearly all of the cube is zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import interpolate, ndimage, sparse

#: Channels below this energy (keV) hold the detector's noise peak, not X-rays.
LOWEST_ENERGY = 0.1
#: Channels are merged into features up to this width (keV), a quarter of a
#: peak's full width: no information is lost and the covariance stays small.
FEATURE_WIDTH = 0.032
#: Values of a block that are looked at together: 4 MB to 32 MB, which stay near the processor.
LOOKED_AT = 2**22


@dataclass(frozen=True, eq=False)
class PackedCounts:
    """Sparse counts of some pixels in the least memory: mostly 3 bytes for each that is not zero.

    scipy's sparse arrays need 8; they are made from this where they are worked on.

    Attributes
    ----------
    n_features : int
        Number of features.
    ends : array of int (pixels + 1,)
        Where the entries of each pixel begin and end.
    features : array of unsigned int (entries,)
        Feature of each entry.
    values : array of unsigned int (entries,)
        Its counts.
    """

    n_features: int
    ends: np.ndarray
    features: np.ndarray
    values: np.ndarray

    @classmethod
    def pack(cls, counts):
        """From a `scipy.sparse.csr_array` of whole numbers."""
        return cls(
            counts.shape[1],
            counts.indptr.astype(np.int64 if counts.nnz >= 2**31 else np.int32),
            counts.indices.astype(np.min_scalar_type(max(counts.shape[1] - 1, 0))),
            counts.data.astype(np.min_scalar_type(counts.data.max() if counts.nnz else 0)),
        )

    def unpack(self):
        """As a `scipy.sparse.csr_array` (pixels, features) of int32."""
        return sparse.csr_array(
            (self.values.astype(np.int32), self.features.astype(np.int32), self.ends),
            shape=(len(self), self.n_features),
        )

    def rows(self, start, end):
        """The pixels from `start` to `end`."""
        ends = self.ends[start : end + 1]
        entries = slice(ends[0], ends[-1])
        return PackedCounts(
            self.n_features, ends - ends[0], self.features[entries], self.values[entries]
        )

    def __len__(self):
        return len(self.ends) - 1

    @property
    def arrays(self):
        """What is to be stored."""
        return self.ends, self.features, self.values

    def __sizeof__(self):
        return sum(array.nbytes for array in self.arrays)


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
    edges, new_edges = (_channel_edges(axis) for axis in (energy, new_energy))
    collected = np.concatenate([np.zeros((len(spectra), 1)), np.cumsum(spectra, axis=1)], axis=1)
    # Monotone, so that no channel becomes negative, and smooth inside the channels.
    below = interpolate.PchipInterpolator(edges, collected, axis=1)
    return np.diff(below(np.clip(new_edges, edges[0], edges[-1])), axis=1)


def _channel_edges(energy):
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
        flat = np.flatnonzero(part if part.dtype == bool else part != 0)
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


def check_counts(counts):
    """Raise a ValueError that says why unless `counts` holds counts."""
    if counts.size == 0 or (counts.dtype.kind in "ub" and counts.dtype.itemsize < 4):
        return
    advice = (
        "Clustering rests on Poisson statistics and needs the raw counts of the detector, "
        "before any normalisation, background subtraction or smoothing."
    )
    if counts.dtype.kind not in "ubif":
        raise ValueError(f"Counts must be real numbers, not {counts.dtype}. {advice}")
    if counts.dtype.kind == "f":
        n_bad = counts.size - np.count_nonzero(np.isfinite(counts))
        if n_bad:
            raise ValueError(
                f"The data hold NaN or infinite values ({n_bad} in one block). {advice} Replace "
                "them first, for example with numpy.nan_to_num, or crop them away."
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


def vacuum_mask(totals, fraction=0.05):
    """Find the pixels with nothing in them from the total counts.

    The totals are averaged over just as many neighbours as it takes to tell a pixel
    at twice the threshold from one below it, but over a Gaussian of at most 2
    pixels, so that the mask works at 1 count per pixel. Pixels with less than `fraction`
    of the level of the sample are vacuum. That level is where half of all counts are:
    it depends neither on how much of the map the sample covers, nor on a few hot pixels.
    Pixels that differ from the threshold by no more than noise are judged together with their
    neighbours of that kind, so that an area near the threshold has no speckles.

    Parameters
    ----------
    totals : array (map shape)
        Counts per pixel.
    fraction : float
        Share of the sample's counts below which a pixel is vacuum.

    Returns
    -------
    array of bool (map shape)
        True = vacuum (left out). Pixels without a single count in their
        neighbourhood are always left out.
    """
    totals = np.asarray(totals, dtype=float)
    if not totals.any():
        return np.ones(totals.shape, dtype=bool)
    ascending = np.sort(totals, axis=None)
    collected = np.cumsum(ascending)
    middle = ascending[np.searchsorted(collected, 0.5 * collected[-1])]
    # Less one: a count is found more often in a pixel that happens to have one more.
    level = max(middle - 1, totals.mean())
    # Ten counts at the threshold; a Gaussian averages (4 pi sigma^2)^(n/2) pixels.
    n_pixels = 10.0 / (fraction * level)
    sigma = min(n_pixels ** (1 / totals.ndim) / np.sqrt(4 * np.pi), 2.0)
    smooth = ndimage.gaussian_filter(totals, sigma, mode="nearest") if n_pixels > 1 else totals
    threshold = fraction * level
    below = (smooth < threshold) | (smooth <= 0)
    averaged = max((4 * np.pi * sigma**2) ** (totals.ndim / 2), 1.0)
    clearly_below = smooth + 3 * np.sqrt(np.maximum(smooth, 1 / averaged) / averaged) < threshold
    above = (smooth - threshold) / np.sqrt(threshold / averaged)
    # In a large map chance alone takes a few pixels that far; an area of them is no chance,
    # nor are twice as many standard deviations.
    clearly_below = _areas(clearly_below, 4 * averaged)
    clearly_above = _areas(above > 3, 4 * averaged, certain=above > 6)
    undecided = ~clearly_below & ~clearly_above & (smooth > 0)
    regions, n_regions = ndimage.label(undecided)
    mostly_below = ndimage.mean(below, regions, np.arange(n_regions + 1)) > 0.5
    return np.where(undecided, mostly_below[regions], below)


def _areas(chosen, n_pixels, certain=False):
    """Of the chosen pixels, those in connected areas that are large or hold a certain one."""
    areas, n_areas = ndimage.label(chosen)
    sizes = np.bincount(areas.ravel(), minlength=n_areas + 1)
    real = sizes > n_pixels
    real[np.unique(areas[chosen & certain])] = True
    return chosen & real[areas]


def thin(counts, rng):
    """Split counts into two independent halves by binomial thinning.

    Parameters
    ----------
    counts : scipy.sparse.csr_array of int (pixels, features)
        Poisson counts X.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    tuple of scipy.sparse.csr_array
        A ~ Binomial(X, 1/2) and X - A: independent if X is Poisson.

    References
    ----------
    A. Neufeld, A. Dharamshi, L. L. Gao and D. Witten, Biostatistics 25 (2022) 270.
    """
    first = counts.copy()
    first.data = rng.binomial(counts.data, 0.5).astype(counts.dtype)
    second = counts.copy()
    second.data = counts.data - first.data
    return first, second


def bin_pixels(keep, factor):
    """Numbers of the learning pixels that the kept pixels are binned into.

    Parameters
    ----------
    keep : array of bool (map shape)
        Pixels that take part.
    factor : int
        Binning factor along every navigation axis; the last bin of an axis
        may hold fewer pixels.

    Returns
    -------
    bin_of_pixel : array of int (kept pixels,)
        Dense numbers 0 .. n_bins - 1 in the order of the map.
    n_bins : int
    """
    shape = [-(-size // factor) for size in keep.shape]
    coarse = np.ravel_multi_index([index // factor for index in np.nonzero(keep)], shape)
    occupied, bin_of_pixel = np.unique(coarse, return_inverse=True)
    return bin_of_pixel, len(occupied)


def bin_parts(bin_of_pixel, n_pixels):
    """Divide pixels so that no bin is.

    Parameters
    ----------
    bin_of_pixel : array of int (kept pixels,)
        From `bin_pixels`.
    n_pixels : int
        Pixels of a part, or less than a bin more.

    Returns
    -------
    list of array of int
        Ascending numbers of the pixels of each part, which are those of consecutive bins.

    Examples
    --------
    >>> bin_parts(np.array([0, 0, 1, 1, 0, 0, 1, 1, 2, 2]), 4)
    [array([0, 1, 4, 5]), array([2, 3, 6, 7]), array([8, 9])]
    """
    before = np.cumsum(np.bincount(bin_of_pixel))
    part_of_bin = np.unique((before - 1) // n_pixels, return_inverse=True)[1]
    part = part_of_bin[bin_of_pixel]
    order = np.argsort(part, kind="stable")
    return np.split(order, np.cumsum(np.bincount(part))[:-1])


def sum_rows(counts, group_of_row, n_groups):
    """Sum the rows of sparse counts that belong to the same group, (n_groups, columns)."""
    n_rows = counts.shape[0]
    indicator = sparse.csr_array(
        (np.ones(n_rows, dtype=counts.dtype), (group_of_row, np.arange(n_rows))),
        shape=(n_groups, n_rows),
    )
    return sparse.csr_array(indicator @ counts)


def sum_columns(counts, group_of_column, n_groups):
    """Sum the columns of sparse counts that belong to the same group, (rows, n_groups)."""
    merged = sparse.csr_array(
        (counts.data, group_of_column[counts.indices].astype(np.int32), counts.indptr),
        shape=(counts.shape[0], n_groups),
        copy=True,
    )
    merged.sum_duplicates()
    return merged
