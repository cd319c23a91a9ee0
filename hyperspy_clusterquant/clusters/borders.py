"""How composition changes from one cluster to the next: at a border, or everywhere."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import ndimage

from hyperspy_clusterquant.clusters.labels import borders
from hyperspy_clusterquant.clusters.likelihood import cluster_shares

#: Distances (pixels) from a border between which it is near: beyond the blur and wrong labels.
NEAR = (1.5, 3.5)
#: Fewest pixels of a cluster near a border, and beyond, to say how composition changes there.
FEWEST = 8
#: Standard deviations by which more must change inside of two clusters than at their border.
GRADUAL_SIGNIFICANCE = 3.0
#: An interface is narrower than this share of what it separates ...
NARROW = 0.5
#: ... and its spectrum as near to a mixture of the two, in units of their distance.
LIKE_A_MIXTURE = 0.15


def whitened(spectra, share):
    """Spectra as differences from the mean in units of shot noise, (n_clusters, features)."""
    return (cluster_shares(spectra) - share) / np.sqrt(share)


def change_at_border(rests, doses, labels, one, other):
    """Change of composition at the border of two clusters, and inside of them.

    Parameters
    ----------
    rests, doses : array (map shape)
        Counts along what separates the two, and all counts.
    labels : array of int (map shape)
    one, other : int
        The clusters.

    Returns
    -------
    at_border, inside : float
        Change of rests per dose from near the border in one to near it in the other; and from
        near it to farther in, of both together. Zero where there are too few pixels.
    """
    (near_one, far_one), (near_other, far_other) = (
        (_level(rests, doses, near)[0], _level(rests, doses, far)[0])
        for near, far, _ in _near_and_far(labels, one, other)
    )
    at_border = near_one - near_other
    inside = (far_one - near_one) + (near_other - far_other)
    return float(at_border), float(inside)


def _near_and_far(labels, one, other):
    """Pixels of two clusters near their border and farther in, two masks for each.

    And by how many pixels these are farther from the border.
    """
    for k, neighbour in ((one, other), (other, one)):
        own = labels == k
        distance = ndimage.distance_transform_edt(labels != neighbour)
        near = own & (distance > NEAR[0]) & (distance <= NEAR[1])
        if near.sum() < FEWEST:
            near = own
        far = own & (distance > NEAR[1])
        far = far if far.sum() >= FEWEST else near
        yield near, far, distance[far].mean() - distance[near].mean() if own.any() else 0.0


def _level(rests, doses, chosen):
    """Rest per dose of some pixels, and its variance as they scatter."""
    dose = max(doses[chosen].sum(), 1e-9)
    level = rests[chosen].sum() / dose
    return level, np.sum((rests[chosen] - level * doses[chosen]) ** 2) / dose**2


def gradual_widths(pixels, labels, spectra):
    """How far it is from one cluster to another where no border is between them.

    Parameters
    ----------
    pixels : PixelCounts
    labels : array of int (kept pixels,)
    spectra : array (n_clusters, features)
        Summed counts.

    Returns
    -------
    array (n_clusters, n_clusters)
        Pixels over which the composition changes from the mean of the inner part of one to that of
        the other. NaN where more of it changes at their border, where they have none, and where
        noise does not let it be told.
    """
    n_clusters = len(spectra)
    widths = np.full((n_clusters, n_clusters), np.nan)
    if n_clusters < 2:
        return widths
    image = np.full(pixels.keep.shape, -2)
    image[pixels.keep] = labels
    weights = (cluster_shares(spectra) / cluster_shares(spectra.sum(axis=0)[None])).T
    along = np.concatenate(pixels.blocks.map(counts_along, weights))
    doses = np.zeros(pixels.keep.shape)
    doses[pixels.keep] = pixels.totals
    touch = borders(image, n_clusters) > 0
    for one, other in itertools.combinations(range(n_clusters), 2):
        if not touch[one, other]:
            continue
        rests = np.zeros(pixels.keep.shape)
        rests[pixels.keep] = along[:, one] - along[:, other]
        parts = list(_near_and_far(image, one, other))
        (near_one, far_one), (near_other, far_other) = (
            [_level(rests, doses, chosen) for chosen in both[:2]] for both in parts
        )
        at_border = near_one[0] - near_other[0]
        total = far_one[0] - far_other[0]
        # The border has to change less than the inner parts, beyond noise.
        noise = np.sqrt(4 * (near_one[1] + near_other[1]) + far_one[1] + far_other[1])
        if total - 2 * at_border > GRADUAL_SIGNIFICANCE * noise:
            # Labels follow noise at the border, so how steep it is, the inner parts tell.
            width = sum(part[2] for part in parts) * total / (total - at_border)
            widths[one, other] = widths[other, one] = width
    return widths


def counts_along(counts, weights):
    """Weighted sums of the counts of pixels."""
    return counts @ weights


def interfaces(labels, points):
    """Clusters that are no more than the interface of two others.

    Their spectrum is a mixture of the two, and they lie between them as a band that is less than
    half as wide. (A layer of its own as narrow as that is not told from the blur of a border.)

    Parameters
    ----------
    labels : array of int (map shape)
    points : array (n_clusters, features)
        Whitened spectra.

    Returns
    -------
    int or None
        The smallest of them.
    """
    n_clusters = len(points)
    sizes = np.bincount(labels[labels >= 0], minlength=n_clusters)
    bands = Bands(labels)
    for k in np.argsort(sizes, kind="stable"):
        others = [i for i in range(n_clusters) if i != k and sizes[i] > 0]
        if sizes[k] == 0 or len(others) < 2:
            continue
        for one, other in itertools.combinations(others, 2):
            if _like_a_mixture(points[k], points[one], points[other]) and bands.lies_between(
                k, one, other
            ):
                return int(k)
    return None


class Bands:
    """Which clusters of a map are narrow bands between two others.

    Parameters
    ----------
    labels : array of int (map shape)
    """

    def __init__(self, labels):
        self._labels = labels
        self._widths = {}

    def width(self, k):
        """Mean width of a cluster in pixels."""
        if k not in self._widths:
            inside = np.pad(self._labels == k, 1)
            # The mean distance to the edge of a band is a quarter of its width.
            self._widths[k] = 4 * ndimage.distance_transform_edt(inside).sum() / inside.sum()
        return self._widths[k]

    def lies_between(self, k, one, other):
        """Whether a cluster is a band between two others, less than half as wide as they are."""
        most = NARROW * min(self.width(one), self.width(other))
        if self.width(k) > most:
            return False
        between = sum(ndimage.distance_transform_edt(self._labels != i) for i in (one, other))
        return np.median(between[self._labels == k]) - 1 <= most


def _like_a_mixture(point, one, other):
    """Whether a point lies on the line between two others, near neither."""
    step = other - one
    length = step @ step
    share = (point - one) @ step / max(length, 1e-12)
    if not 0.1 < share < 0.9:
        return False
    away = point - one - share * step
    return away @ away < LIKE_A_MIXTURE**2 * length
