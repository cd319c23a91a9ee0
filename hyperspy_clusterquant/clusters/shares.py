"""Shares of phases in pixels: their arithmetic, without any counts."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import ndimage

#: Pixels that are worked on together.
PART_PIXELS = 2**16


def normalised(blurred, rates):
    """Shares of phases, (n_phases, pixels), from blurred memberships and rates."""
    amounts = rates[:, None] * blurred
    return amounts / np.maximum(amounts.sum(axis=0), 1e-12)


def at_borders(shares):
    """Derivatives of the shares by the rate of one phase beside that of another, for each pair."""
    for k, other in itertools.combinations(range(len(shares)), 2):
        change = np.zeros_like(shares)
        change[k] = shares[k] * shares[other]
        change[other] = -change[k]
        yield change


def area_shares(shares, dose_rates):
    """Shares of phases in the area of pixels, from those in their counts, (n_phases, pixels)."""
    areas = shares / dose_rates[:, None]
    return areas / np.maximum(areas.sum(axis=0), 1e-300)


def area_change(shares, change, dose_rates):
    """Change of the phases' areas in pixels, (n_phases,), with one of the shares in counts."""
    total = np.maximum((shares / dose_rates[:, None]).sum(axis=0), 1e-300)
    change = change / dose_rates[:, None] / total
    return (change - area_shares(shares, dose_rates) * change.sum(axis=0)).sum(axis=1)


def through_shares(change, shares, own_factor, rates):
    """Change of shares with a change of their pixels' own memberships.

    Parameters
    ----------
    change : array (n_phases, ...)
        Of the memberships.
    shares : array (n_phases, ...)
    own_factor : array (...)
        From `PixelShares.own_factor`.
    rates : array (n_phases,)

    Returns
    -------
    array (n_phases, ...)
    """
    change = change * rates.reshape(-1, *[1] * (change.ndim - 1))
    return (change - shares * change.sum(axis=0)) * own_factor


def solve(products, sums):
    """Solution P of G P = S, also where phases cannot be told apart."""
    length = np.sqrt(np.maximum(np.diag(products), 1e-300))
    scaled = np.linalg.pinv(products / np.outer(length, length), rcond=1e-9, hermitian=True)
    return (scaled / length[:, None]) @ (sums / length[:, None])


def blur(memberships, keep, widths):
    """Columns of values at the kept pixels blurred over the map, (n_columns, kept pixels).

    In single precision.
    """
    image = np.zeros(keep.shape)
    blurred = np.empty((memberships.shape[1], len(memberships)), dtype=np.float32)
    for row, column in zip(blurred, memberships.T, strict=True):
        image[keep] = column
        row[:] = ndimage.gaussian_filter(image, widths, mode="reflect")[keep]
    return blurred


def rates_of(values):
    """Rates of the phases, (n_phases,)."""
    return np.exp(np.append(0.0, values[1:]))


def own_weights(size, width, pooled=0.0):
    """Weight of each pixel along an axis in the Gaussian average there, (size,).

    Of what was pooled before, with another Gaussian, in units of its own weight in that.
    """
    reach = int(4 * width + 0.5) + int(4 * pooled + 0.5) + 1
    length = min(size, 4 * reach + 1)  # beyond, all are like the one in the middle
    before = np.eye(length)
    if pooled > 0:
        before = ndimage.gaussian_filter1d(before, pooled, axis=0, mode="constant")
    after = (
        ndimage.gaussian_filter1d(before, width, axis=0, mode="reflect") if width > 0 else before
    )
    weights = np.diag(after) / np.diag(before)
    middle = length // 2
    return np.concatenate(
        [weights[:middle], np.full(size - length, weights[middle]), weights[middle:]]
    )


def parts_of(n_pixels, n_phases=1):
    """Slices of some pixels after the other, of fewer the more phases there are."""
    size = max(16 * PART_PIXELS // max(n_phases, 4) ** 2, 1)
    return (slice(start, start + size) for start in range(0, n_pixels, size))
