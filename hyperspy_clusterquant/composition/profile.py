"""Composition along a line: pixels to steps, and the blur of the beam taken out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg, ndimage, special

from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.composition.compose import SURE, amount_per_count, atomic_percent

#: Part of a step by which pixels at the border of two are rounded, so that all go the same way.
ROUNDING = 1e-6
#: Reach of a Gaussian kernel in standard deviations.
REACH = 5.0
#: Strengths of the penalty that are tried, in units of what makes it as large as the misfit, and
#: how much more noise there may be without the blur. Cross-validation judges what is seen through
#: the blur, where noise beyond all bounds does not show.
STRENGTHS = np.logspace(-9, 6, 151)
MOST_NOISE = 2.0
#: Standard deviation in steps over which the variances are averaged that weigh steps. By their own,
#: steps with too few counts would weigh more.
AVERAGED = 2.0
#: Narrowest blur that is told from none: its standard deviation in distances of pixels.
NARROWEST = 0.25


@dataclass(frozen=True, eq=False)
class Steps:
    """Pixels beside a line, put into steps along it.

    Attributes
    ----------
    pixels : array of int (n_pixels,)
        Flat numbers of the pixels in the map.
    along : array (n_pixels,)
        Distance of each from the beginning of the line, along it.
    cell : array of int (n_pixels,)
        Where it lies on the grid of all steps, of which some may hold no pixel.
    step : float
        Length of a step.
    """

    pixels: np.ndarray
    along: np.ndarray
    cell: np.ndarray
    step: float

    @cached_property
    def cells(self):
        """Places on the grid that hold pixels, ascending: the steps, array of int (n_steps,)."""
        return np.unique(self.cell)

    @cached_property
    def number(self):
        """Step of each pixel, array of int (n_pixels,)."""
        return np.searchsorted(self.cells, self.cell)

    @cached_property
    def sizes(self):
        """Pixels of each step, array of int (n_steps,)."""
        return np.bincount(self.number)

    @cached_property
    def distance(self):
        """Where the pixels of each step lie on average, array (n_steps,)."""
        return self.mean(self.along)

    @property
    def spacing(self):
        """Distance of the pixels from one another along the line."""
        along = np.sort(self.along)
        gaps = np.diff(along)
        gaps = gaps[gaps > ROUNDING * self.step]
        return float(np.median(gaps)) if len(gaps) else self.step

    def mean(self, values):
        """Mean of values of the pixels in each step, array (n_steps,)."""
        return np.bincount(self.number, values) / self.sizes

    def majority(self, labels):
        """Most frequent label (0, 1, ...) of the pixels of each step; -1 if none has one."""
        n_labels = max(int(labels.max(initial=-1)) + 1, 1)
        found = labels >= 0
        numbers = self.number[found] * n_labels + labels[found]
        counted = np.bincount(numbers, minlength=len(self.cells) * n_labels).reshape(-1, n_labels)
        return np.where(counted.any(axis=1), counted.argmax(axis=1), -1)

    def kernel(self, blur):
        """What a beam sees of each place on the grid in each step, (n_steps, n_cells).

        Rows sum to one. What lies beyond the ends is as before them, seen in a mirror.

        Parameters
        ----------
        blur : float
            Gaussian sigma of the beam along the line.
        """
        cells, n_cells = self.cells, int(self.cells[-1] - self.cells[0]) + 1
        # The grid lies where the pixels do.
        inside = self.along - self.cell * self.step
        inside = (inside - inside.mean()) / self.step
        reach = int(np.ceil(REACH * blur / self.step)) + 1
        around = np.arange(-reach, reach + 1)
        ends = (np.append(around, reach + 1) - 0.5 - inside[:, None]) * (self.step / blur)
        seen = np.diff(special.ndtr(ends), axis=1)
        place = (self.cell[:, None] - cells[0] + around) % (2 * n_cells)
        place = np.minimum(place, 2 * n_cells - 1 - place)
        flat = self.number[:, None] * n_cells + place
        kernel = np.bincount(flat.ravel(), seen.ravel(), len(cells) * n_cells)
        kernel = kernel.reshape(len(cells), n_cells)
        return kernel / kernel.sum(axis=1, keepdims=True)


def steps_along(positions, sizes, line, width, step, keep):
    """Pixels beside a line, each in the nearest step along it.

    A pixel belongs to the line if its centre is within half the width, or if none of the step is
    and the line passes through this one next to its centre.

    Parameters
    ----------
    positions : array (n_dimensions, pixels)
        Of the centres of the pixels.
    sizes : array (n_dimensions,)
        Of a pixel.
    line : array (2, n_dimensions)
        Its ends.
    width, step : float
        Across the line and along it, in the units of the positions.
    keep : array of bool (pixels,)
        Pixels that take part.

    Returns
    -------
    Steps
    """
    start, end = np.asarray(line, dtype=float)
    length = np.linalg.norm(end - start)
    direction = (end - start) / length
    from_start = positions - start[:, None]
    along = direction @ from_start
    across = np.linalg.norm(from_start - direction[:, None] * along, axis=0)
    cell = np.floor(along / step + 0.5 + ROUNDING).astype(int)
    last = int(np.floor(length / step + ROUNDING))
    candidates = keep & (cell >= 0) & (cell <= last)
    inside = candidates & (across <= width / 2 + ROUNDING * step)
    normal = np.sqrt(np.maximum(1 - direction**2, 0.0))
    touched = candidates & (across <= (sizes @ normal) / 2 + ROUNDING * step)
    others = np.flatnonzero(touched & ~np.isin(cell, cell[inside]))
    others = others[np.argsort(across[others], kind="stable")]
    nearest = others[np.unique(cell[others], return_index=True)[1]]
    pixels = np.union1d(np.flatnonzero(inside), nearest)
    return Steps(pixels, along[pixels], cell[pixels], float(step))


def blur_along(steps, width, width_std):
    """Gaussian sigma of the beam along a line, and its standard deviation.

    The width is that with which the labels of whole pixels were blurred, as if these were points.
    A sharp edge that lies between two rows of them is narrower by a twelfth of the square of their
    distance than a Gaussian of that width makes it.
    """
    floor = (NARROWEST * steps.spacing) ** 2
    blur = float(np.sqrt(max(width**2 - steps.spacing**2 / 12, floor)))
    return blur, float(width_std * width / blur)


# --- compositions -----------------------------------------------------------------------


def percent_of_steps(areas, covariances, lines, kfactors):
    """Compositions in at% and standard deviations; NaN where there is too little of everything.

    Parameters
    ----------
    areas : array (n_steps, n_lines)
        May be negative.
    covariances : array (n_steps, n_lines, n_lines)
    lines : tuple of str
    kfactors : mapping

    Returns
    -------
    percent, std : array (n_steps, n_lines)
    """
    percent, std = np.full((2, *areas.shape), np.nan)
    per_count = amount_per_count(lines, kfactors, "atomic")
    variances = np.einsum("e,kef,f->k", per_count, covariances, per_count)
    for k in np.flatnonzero(areas @ per_count > SURE * np.sqrt(variances)):
        percent[k], covariance = atomic_percent(areas[k], covariances[k], lines, kfactors)
        std[k] = np.sqrt(np.diag(covariance))
    return percent, std


@one_blas_thread()
def deblur(areas, covariances, kernel):
    """Areas of lines as they were before a kernel blurred them, and their covariances.

    Least squares of each line by itself, weighted with its variances, with a penalty on second
    differences (Tikhonov) that generalised cross-validation chooses, among those with which there
    is no more than `MOST_NOISE` times the noise.

    Parameters
    ----------
    areas : array (n_steps, n_lines)
    covariances : array (n_steps, n_lines, n_lines)
        Steps are independent of one another.
    kernel : array (n_steps, n_cells)

    Returns
    -------
    areas : array (n_cells, n_lines)
    covariances : array (n_cells, n_lines, n_lines)
        From the counts. What the penalty smooths is not in them.

    References
    ----------
    G. H. Golub, M. Heath and G. Wahba, Technometrics 21 (1979) 215.
    """
    variances = averaged(np.einsum("kee->ke", covariances))
    operators = [
        _unblurring(kernel, own, variance)
        for own, variance in zip(areas.T, variances.T, strict=True)
    ]
    sharp = np.stack([o @ own for o, own in zip(operators, areas.T, strict=True)], axis=1)
    spread = np.empty((*sharp.shape, sharp.shape[1]))
    for e, one in enumerate(operators):
        for f, other in enumerate(operators[: e + 1]):
            spread[:, e, f] = spread[:, f, e] = (one * other) @ covariances[:, e, f]
    return sharp, spread


def averaged(variances):
    """Variances (n_steps, ...) averaged with those of neighbouring steps, all above zero."""
    smooth = ndimage.gaussian_filter1d(variances, AVERAGED, axis=0, mode="nearest")
    mean = smooth.mean(axis=0)
    return np.maximum(smooth, np.where(mean > 0, 1e-6 * mean, 1.0))


def _unblurring(kernel, values, variances):
    """What turns values of steps into those before the kernel, array (n_cells, n_steps)."""
    weighted = kernel / np.sqrt(variances)[:, None]
    data, n_cells = values / np.sqrt(variances), kernel.shape[1]
    information = weighted.T @ weighted
    second = np.diff(np.eye(n_cells), 2, axis=0)
    penalty = second.T @ second
    penalty *= np.trace(information) / np.trace(penalty)
    # In these directions, misfit and penalty are shares of their sum.
    shares, directions = linalg.eigh(information, information + penalty)
    shares = np.clip(shares, 0.0, 1.0)
    seen = weighted @ directions
    along = seen.T @ data
    variance_of = np.mean(directions**2, axis=0) * shares

    def damped(strength):
        return 1 / np.maximum(shares + strength * (1 - shares), 1e-300)

    def noise(strength):
        return variance_of @ damped(strength) ** 2

    def score(strength):
        factors = damped(strength)
        misfit = np.mean((data - seen @ (factors * along)) ** 2)
        left = 1 - np.sum(shares * factors) / len(data)
        return misfit / max(left, 1e-6) ** 2

    quiet = [s for s in STRENGTHS[::-1] if noise(s) <= MOST_NOISE**2 * variances.mean()]
    best = min(quiet or STRENGTHS[-1:], key=score)
    return (directions * damped(best)) @ (seen / np.sqrt(variances)[:, None]).T
