"""Learning pixels in two halves of the counts: is there a border between two clusters?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hyperspy_clusterquant.clusters.borders import change_at_border
from hyperspy_clusterquant.clusters.components import project
from hyperspy_clusterquant.clusters.departures import line_directions
from hyperspy_clusterquant.counts.bins import BIN_PIXELS, bin_parts
from hyperspy_clusterquant.counts.packed import group_rows, row_sums, thin

#: Learning pixels up to which borders between clusters are looked for.
MOST_IN_HALVES = 2**16
#: Standard deviations by which the two sides of a border differ in half of the counts.
BORDER_SIGNIFICANCE = 5.0
#: How much more must change at a border than inside, and over how many learning pixels labels are
#: averaged there: of 40 slopes of 0.5 to 2 shot noises of a learning pixel, 0 to 8 have a border.
STEEPER, BORDER_SIGMA = 2.0, 1.5
#: Share of the difference of two clusters that lines of the elements must explain at a border.
DECLARED = 0.3
#: Share of learning pixels of a cluster, and how many at least, that have neighbours of it only:
#: the mixed pixels of an interface are a band without any.
INNER_SHARE, FEWEST_INNER = 0.2, 8


@dataclass(frozen=True, eq=False)
class Halves:
    """Learning pixels seen in two independent halves of the counts.

    Attributes
    ----------
    first, second : array (learning pixels, n_components)
        Scores times doses.
    first_doses, second_doses : array (learning pixels,)
    positions : array of int (learning pixels,)
        Flat numbers of the bins on the grid.
    shape : tuple of int
        Of the grid.
    declared : array (n_components, n_components) or None
        How much of each direction lies along the lines of the elements; None if they are not known.
    """

    first: np.ndarray
    second: np.ndarray
    first_doses: np.ndarray
    second_doses: np.ndarray
    positions: np.ndarray
    shape: tuple
    declared: np.ndarray | None = None

    def only(self, chosen):
        """The same of some learning pixels."""
        arrays = (self.first, self.second, self.first_doses, self.second_doses, self.positions)
        return Halves(*(array[chosen] for array in arrays), self.shape, self.declared)

    def have_border(self, scores, one, other):
        """Whether the composition changes at the border of two clusters, more than inside them.

        Only of what lies along the lines of the elements, if these are known: film and
        contamination have borders, too. The first half and its neighbours tell on which side each
        learning pixel of the two is, the second what it holds. Where noise made the two, it holds
        the same on both sides; along a gradient, more changes inside than at the border.

        Parameters
        ----------
        scores : array (learning pixels, n_components)
        one, other : array of bool (learning pixels,)
            Members.
        """
        inside = one | other
        means = scores[one].mean(axis=0), scores[other].mean(axis=0)
        spread = sum(np.cov(scores[m].T, ddof=0) * m.sum() for m in (one, other)) / inside.sum()
        spread = np.atleast_2d(spread) + 1e-3 * np.eye(scores.shape[1])
        direction = np.linalg.solve(spread, means[1] - means[0])
        direction /= max(np.linalg.norm(direction), 1e-12)
        step = means[1] - means[0]
        if self.declared is not None and step @ self.declared @ step < DECLARED * (step @ step):
            return False
        middle = 0.5 * (means[0] + means[1]) @ direction
        images = np.zeros((4, *self.shape))
        flat = images.reshape(4, -1)
        where = self.positions[inside]
        flat[:, where] = (
            self.first[inside] @ direction, self.first_doses[inside],
            self.second[inside] @ direction, self.second_doses[inside],
        )  # fmt: skip
        around = [ndimage.uniform_filter(image, 3, mode="constant") for image in images[:2]]
        labels = np.full(self.shape, -1)
        there = images[1] + images[3] > 0
        labels[there] = (around[0] > middle * around[1])[there]
        for side in (0, 1):
            members = labels == side
            inner = ndimage.binary_erosion(members, np.ones((3,) * members.ndim))
            if inner.sum() < max(INNER_SHARE * members.sum(), FEWEST_INNER):
                return False
        # Noise in the labels would make a border of a slope: more neighbours tell where it is.
        around = [ndimage.gaussian_filter(image, BORDER_SIGMA) for image in images[:2]]
        labels[there] = (around[0] > middle * around[1])[there]
        at_border, within = change_at_border(images[2], images[3], labels, 1, 0)
        steep = at_border > STEEPER * max(within, 0)
        return steep and self._is_significant(images, labels)

    def _is_significant(self, images, labels):
        """Whether the second half differs between the two sides beyond noise."""
        rests, doses = images[2:]
        levels, variances = [], []
        for side in (0, 1):
            chosen = labels == side
            total = max(doses[chosen].sum(), 1e-9)
            level = rests[chosen].sum() / total
            variances.append(np.sum((rests - level * doses)[chosen] ** 2) / total**2)
            levels.append(level)
        return abs(levels[1] - levels[0]) > BORDER_SIGNIFICANCE * np.sqrt(sum(variances))


def halves_of(learning, profiles=None):
    """Scores of the measured learning pixels from two independent halves of the counts, `Halves`.

    `profiles` are lines of the elements, (n_elements, channels). None where there are so many that
    borders are not looked for.
    """
    if len(learning.doses) > MOST_IN_HALVES or not learning.scores.shape[1]:
        return None
    pixels, bin_of_pixel = learning.pixels, learning.bin_of_pixel
    found = pixels.blocks.map(
        _first_half, learning.reduction, learning.seed,
        of_pixels=[bin_of_pixel], parts=bin_parts(bin_of_pixel, BIN_PIXELS),
    )  # fmt: skip
    projected, doses = map(np.concatenate, zip(*found, strict=True))
    whole = learning.reduction
    total = learning.doses[:, None] * (learning.scores / np.sqrt(whole.dose))
    first = projected - doses[:, None] * (np.sqrt(whole.share) @ whole.components)
    declared = None
    if profiles is not None:
        along = line_directions(learning, profiles).T @ whole.components
        declared = along.T @ along
    shape = [-(-size // learning.binning) for size in learning.keep.shape]
    places = [index // learning.binning for index in np.nonzero(learning.keep)]
    return Halves(
        first * np.sqrt(whole.dose),
        (total - first) * np.sqrt(whole.dose),
        doses,
        learning.doses - doses,
        np.unique(np.ravel_multi_index(places, shape)),
        tuple(shape),
        declared,
    ).only(learning.measured)


def _first_half(pixel_counts, bins, reduction, seed):
    """The first of the thinned halves of whole bins along the components, and its doses."""
    first = bins.min()
    binned = group_rows(pixel_counts, bins - first, bins.max() - first + 1)
    half, _ = thin(binned, np.random.default_rng([seed, 2, first]))
    return project(half, reduction), row_sums(half)
