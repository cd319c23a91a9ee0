"""Where the pixels of a cluster depart from its mean composition, and between what they lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hyperspy_clusterquant.evidence.nested import of_many

#: Lines depart alike if they do so with this part of the standard deviations of the first.
ALIKE = 0.95
#: Standard deviations with which a departure is plain in a square of pixels.
PLAIN = 6.0
#: A departure reaches as far as it is half as strong as where it is strongest.
HALF = 0.5
#: Part of the pixels that a range of compositions leaves out at either end.
BEYOND_RANGE = 0.05
#: Part of the variance of squares that is variation where a range is read from them.
FROM_VARIATION = 0.5


@dataclass(frozen=True, eq=False)
class Departure:
    """Where a cluster departs most from its mean composition.

    Attributes
    ----------
    line : int
        Number of the line that departs most.
    pixels : array of int
        Flat numbers of the pixels on the map.
    size : float
        Of the line there, over what is expected, less one.
    p_value : float
        With all the places, scales and lines that were looked at.
    scale : int
        Of the tile that departs most, in pixels.
    """

    line: int
    pixels: np.ndarray
    size: float
    p_value: float
    scale: int


def around(residuals, line, scale):
    """Departure of a line in a square around each pixel, relative, (n_pixels,)."""
    values = in_squares(residuals, residuals.values[:, line], scale)
    expected = in_squares(residuals, residuals.totals * residuals.gains[line], scale)
    known = expected > 0
    return np.where(known, values / np.where(known, expected, 1.0), np.nan)


def in_squares(residuals, values, scale):
    """Mean of values (n_pixels,) in a square around each pixel, zero where there is none."""
    where = residuals.where - residuals.where.min(axis=1, keepdims=True)
    image = np.zeros(where.max(axis=1) + 1)
    image[tuple(where)] = values
    return ndimage.uniform_filter(image, int(scale), mode="constant")[tuple(where)]


def range_of(residuals, varies):
    """Lowest and highest departure of each line without noise, relative, arrays (n_lines,).

    At the finest scale at which the spread of squares is at least as much variation as noise. What
    noise adds to it is taken out by shrinking towards the mean.
    """
    ends = np.full((2, varies.relative.shape[1]), np.nan)
    for line in range(ends.shape[1]):
        for scale, true in zip(varies.scales, varies.relative[:, line], strict=True):
            values = around(residuals, line, scale)
            values = values[np.isfinite(values)]
            spread = values.std() if len(values) else 0.0
            if spread > 0 and true**2 > FROM_VARIATION * spread**2:
                mean = values.mean()
                ends[:, line] = np.quantile(values, [BEYOND_RANGE, 1 - BEYOND_RANGE]) - mean
                ends[:, line] = mean + min(true / spread, 1.0) * ends[:, line]
                break
    return np.maximum(ends, -1.0)


def shares_of(residuals, varies):
    """Departures of all lines around each pixel, and the standard deviations of their noise.

    Relative, arrays (n_lines, n_pixels) and (n_lines,), at the finest scale at which the spread of
    any line is at least as much variation as noise; NaN if there is none.
    """
    n_lines = varies.relative.shape[1]
    for scale, true in zip(varies.scales, varies.relative, strict=True):
        images = np.array([around(residuals, line, scale) for line in range(n_lines)])
        spread = _variance(images)
        if (true**2 > FROM_VARIATION * spread).any():
            return images, np.sqrt(np.maximum(spread - np.nan_to_num(true) ** 2, 0.0))
    return np.full((n_lines, len(residuals.totals)), np.nan), np.full(n_lines, np.nan)


def _variance(images):
    """Variance over the pixels that are known, (n_images,); 0 where none is."""
    known = np.isfinite(images)
    n_known = np.maximum(known.sum(axis=1), 1)
    values = np.where(known, images, 0.0)
    mean = values.sum(axis=1) / n_known
    return np.where(known, (values - mean[:, None]) ** 2, 0.0).sum(axis=1) / n_known


def composition_ranges(percent, shares, noise):
    """Between which amounts of elements pixels lie, without noise; arrays (n_elements,).

    Parameters
    ----------
    percent : array (n_elements,)
        Mean composition.
    shares : array (n_elements, n_pixels)
        Relative departures of the elements' shares of the counts; zero where they are not known.
    noise : array (n_elements,)
        Standard deviations of the noise in these.

    Returns
    -------
    lower, upper
        NaN where noise is more of the spread than variation.
    """
    known = np.isfinite(shares).all(axis=0)
    amounts = percent[:, None] * np.maximum(1 + shares[:, known], 0.0)
    amounts *= 100 / np.maximum(amounts.sum(axis=0), 1e-300)
    part = percent / 100
    own = part * (1 - part) * noise
    of_all = np.sum((part * noise) ** 2)
    of_noise = 1e4 * (own**2 + part**2 * (of_all - (part * noise) ** 2))
    ends = np.full((2, len(percent)), np.nan)
    for n, values in enumerate(amounts):
        spread = values.var() if len(values) else 0.0
        if spread > 0 and of_noise[n] < FROM_VARIATION * spread:
            mean, kept = values.mean(), np.sqrt(1 - of_noise[n] / spread)
            quantiles = np.quantile(values, [BEYOND_RANGE, 1 - BEYOND_RANGE])
            ends[:, n] = mean + kept * (quantiles - mean)
    return ends


def strongest_departure(residuals, beyond_dose, strongest, flat, model):
    """The strongest departure of all lines, and the pixels around it that depart in its sense."""
    comparable = np.array(model.confounded.all() | ~model.confounded)
    comparable &= np.isfinite([peak.p for peak in strongest])
    z = np.where(comparable, [abs(peak.z) for peak in strongest], 0.0)
    line = int(z.argmax())
    members = strongest[line].pixels
    # Where few ways to vary are left, several lines depart alike: of these, the one that does most.
    alike = comparable & (z > ALIKE * z[line])
    own = np.abs(beyond_dose.values[members].sum(axis=0))
    own /= np.sqrt(np.maximum(beyond_dose.squares[members].sum(axis=0), 1e-300))
    line = int(np.where(alike, own, -1.0).argmax())
    peak, sign = strongest[line], np.sign(strongest[line].z)
    if not len(peak.pixels):
        return None
    # As fine as it is still plain where it departs.
    n_axes = np.count_nonzero(np.ptp(residuals.where, axis=1) > 0)
    scale = int(np.ceil(peak.scale * min((PLAIN / abs(peak.z)) ** (2 / max(n_axes, 1)), 1.0)))
    values = sign * in_squares(residuals, residuals.values[:, line], scale)
    totals = in_squares(residuals, residuals.totals, scale)
    departs = values / np.maximum(totals, 1e-300)
    top = peak.pixels[(values / np.sqrt(np.maximum(totals, 1e-300)))[peak.pixels].argmax()]
    where = residuals.where - residuals.where.min(axis=1, keepdims=True)
    image = np.zeros(where.max(axis=1) + 1, dtype=bool)
    image[tuple(where)] = departs >= HALF * departs[top]
    regions, _ = ndimage.label(image, np.ones((3,) * image.ndim))
    members = np.flatnonzero(regions[tuple(where)] == regions[tuple(where[:, top])])
    expected = beyond_dose.gains[line] * residuals.totals[members].sum()
    # Beyond absorption, a line that hardly differs from it seems to vary with all others.
    size = beyond_dose.values[members, line].sum() / expected if expected > 0 else np.nan
    n_lines = min(np.count_nonzero(comparable), model.n_free)
    return Departure(line, flat[members], float(size), float(of_many(peak.p, n_lines)), peak.scale)
