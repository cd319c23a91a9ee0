"""Clusters, scores and selections as colours of pixels, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Bins along each side of the picture of scores: fewer for few pixels.
FEWEST_BINS, MOST_BINS = 48, 192
#: Share of the pixels of a cluster, and of all, that may lie outside of the picture on each side.
OUTSIDE_OF_CLUSTER, OUTSIDE = 0.02, 0.0005
#: Opacity of what is not selected where something is.
VEIL = 0.62
SELECTED = (214, 39, 40, 255)


def colour_table(colours, noise, masked):
    """Colours as bytes (n_clusters + 2, 4): of each label, the last two of -2 and -1."""
    from matplotlib.colors import to_rgba_array

    table = to_rgba_array([*colours, masked, noise])
    return np.rint(255 * table).astype(np.uint8)


def label_image(labels, table):
    """Colours of the pixels of a map, array of bytes (map shape, 4)."""
    return table[labels]


def veil(mask):
    """White over what is not selected, array of bytes (map shape, 4); clear if nothing is."""
    image = np.zeros((*mask.shape, 4), dtype=np.uint8)
    if mask.any():
        image[..., :3] = 255
        image[..., 3] = np.where(mask, 0, round(255 * VEIL))
    return image


@dataclass(frozen=True, eq=False)
class ScoreGrid:
    """The picture of scores: which bin of it each pixel is in.

    Attributes
    ----------
    extent : tuple of float
        Left, right, bottom and top end.
    n_bins : int
        Along each side.
    bins : array of int (pixels,)
        Of each pixel, row by row from the bottom; -1 = outside.
    order, starts : arrays of int
        Pixels in the order of their bins, and where each bin begins among them.
    """

    extent: tuple
    n_bins: int
    bins: np.ndarray
    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, plane, labels):
        """From places (pixels, 2) and labels (pixels,)."""
        n_bins = int(np.clip(0.6 * np.sqrt(len(plane)), FEWEST_BINS, MOST_BINS))
        lows, highs = [], []
        for k in [None, *np.unique(labels)]:
            points = plane if k is None else plane[labels == k]
            out = OUTSIDE if k is None else OUTSIDE_OF_CLUSTER
            if len(points):
                low, high = np.quantile(points, [out, 1 - out], axis=0)
                lows.append(low)
                highs.append(high)
        low, high = np.min(lows, axis=0), np.max(highs, axis=0)
        margin = 0.06 * np.maximum(high - low, 1e-6)
        low, high = low - margin, high + margin
        column, row = np.floor((plane - low) / (high - low) * n_bins).astype(int).T
        inside = (column >= 0) & (column < n_bins) & (row >= 0) & (row < n_bins)
        bins = np.where(inside, row * n_bins + column, -1)
        order = np.argsort(bins, kind="stable")
        starts = np.searchsorted(bins[order], np.arange(n_bins**2 + 1))
        return cls((low[0], high[0], low[1], high[1]), n_bins, bins, order, starts)

    def nearest(self, x, y, plane):
        """Number of the pixel nearest to a place, among those of its bin; None if it is empty."""
        left, right, bottom, top = self.extent
        column = int((x - left) / (right - left) * self.n_bins)
        row = int((y - bottom) / (top - bottom) * self.n_bins)
        if not (0 <= column < self.n_bins and 0 <= row < self.n_bins):
            return None
        of_bin = row * self.n_bins + column
        pixels = self.order[self.starts[of_bin] : self.starts[of_bin + 1]]
        if not len(pixels):
            return None
        return int(pixels[np.argmin(((plane[pixels] - (x, y)) ** 2).sum(axis=1))])

    def counts(self, of_pixels=None):
        """Pixels in each bin, array (n_bins, n_bins); of some if a mask (pixels,) is given."""
        bins = self.bins if of_pixels is None else self.bins[of_pixels]
        return np.bincount(bins[bins >= 0], minlength=self.n_bins**2).reshape(2 * (self.n_bins,))

    def density_image(self, labels, table):
        """Bins in the mean colour of their pixels, the darker the more there are, as bytes."""
        total = self.counts()
        colour = np.zeros((*total.shape, 3))
        for k in np.unique(labels):
            colour += self.counts(labels == k)[..., None] * table[k, :3].astype(float)
        colour /= np.maximum(total, 1)[..., None]
        strength = np.log1p(total) / np.log1p(max(total.max(), 1))
        # Even a single pixel is seen.
        opacity = np.where(total > 0, 0.25 + 0.75 * strength, 0.0)[..., None]
        image = np.full((*total.shape, 4), 255, dtype=np.uint8)
        image[..., :3] = np.rint(opacity * colour + (1 - opacity) * 255)
        return image

    def selected_image(self, selected):
        """Bins with selected pixels (mask of pixels) in red, the stronger the more, as bytes."""
        image = np.zeros((self.n_bins, self.n_bins, 4), dtype=np.uint8)
        if selected.any():
            chosen, total = self.counts(selected), self.counts()
            share = (chosen / np.maximum(total, 1))[..., None]
            image[...] = (255, 255, 255, round(255 * VEIL))
            red = np.rint((1 - share) * 255 + share * SELECTED).astype(np.uint8)
            red[..., 3] = 255
            image = np.where(chosen[..., None] > 0, red, image)
        return image
