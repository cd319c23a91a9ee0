"""From the counts of pixels to learning pixels and their scores: what all workflows share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant.clusters.components import (
    Axes,
    check_n_components,
    cross_products,
    find_axes,
    line_basis,
    project,
    whitened_scores,
)
from hyperspy_clusterquant.clusters.neighbours import automatic_neighbourhood, neighbourhood_width
from hyperspy_clusterquant.counts.bins import BIN_PIXELS, bin_parts, bin_pixels, choose_binning
from hyperspy_clusterquant.counts.features import merge_sparse_features
from hyperspy_clusterquant.counts.packed import column_sums, sum_rows, thin
from hyperspy_clusterquant.counts.pixels import PixelCounts

#: Counts of a learning pixel, as a share of the median, from which weak components are learned.
FAIR_SHARE = 0.5
#: So many learning pixels, so many standard deviations from the mean, are no noise.
FEWEST_FAR, FAR = 4, 6.0
#: Fewest learning pixels where weak components are sought.
FEWEST_PIXELS = 64
#: Eigenvalue that weak components should reach in bins that are large enough: clusters of half
#: of the map each are then four times the shot noise apart.
WANTED_EIGENVALUE = 4.0


@dataclass(frozen=True)
class Learning:
    """The map, its learning pixels and their scores."""

    pixels: PixelCounts
    bin_of_pixel: np.ndarray
    doses: np.ndarray
    reduction: Axes
    scores: np.ndarray
    pixel_scores: np.ndarray
    binning: int
    sigma: float
    seed: int
    rng: np.random.Generator
    products: np.ndarray
    components_are: str = "spectrum"

    @property
    def is_weak(self):
        """Whether shot noise is as large as what separates the clusters."""
        return self.components_are != "spectrum"

    @property
    def keep(self):
        """Pixels of the map that take part."""
        return self.pixels.keep

    @property
    def measured(self):
        """Learning pixels to learn from: those with counts, and if it is hard, with many."""
        least = FAIR_SHARE * np.median(self.doses) if self.is_weak else 0
        return self.doses > least

    @property
    def n_significant(self):
        """Number of components above the noise."""
        return int(np.count_nonzero(self.reduction.eigenvalues > self.reduction.noise_edge))


def learn(pixels, setting, progress):
    """Bin and reduce the counts of pixels.

    Parameters
    ----------
    pixels : PixelCounts
        From `read`.
    setting, progress
        As in `read`.

    Returns
    -------
    Learning
    """
    seed = setting.random_state
    seed = int(np.random.default_rng().integers(2**31)) if seed is None else int(seed)
    progress("components")
    totals = pixels.blocks.sum(column_sums)
    groups = merge_sparse_features(totals)
    share = np.bincount(groups, totals) / totals.sum()
    pixels = replace(pixels, blocks=pixels.blocks.only(groups=groups))
    check_n_components(setting.n_components, groups.max() + 1)
    binning = choose_binning(setting.binning, pixels.per_pixel, pixels.keep)
    sigma = neighbourhood_width(
        setting.neighbourhood, binning > 1, pixels.per_pixel, pixels.keep.ndim
    )
    if setting.components_are == "weak in lines":
        basis = _line_basis(pixels, share, setting, groups)
        if basis is not None:
            return _reduce(pixels, share, setting, binning, sigma, seed, basis)
    learning = _reduce(pixels, share, setting, binning, sigma, seed)
    if not setting.normalize or setting.n_components in (0, "elbow"):
        return learning
    if setting.components_are != "auto":
        return replace(learning, components_are=setting.components_are)
    if learning.reduction.eigenvalues[0] >= WANTED_EIGENVALUE or _stands_out(learning):
        return learning
    return _enlarged(_weak(learning, setting, groups), setting)


def _stands_out(learning):
    """Whether some learning pixels differ from the others far beyond noise: a rare phase."""
    scores = learning.scores[:, : learning.n_significant]
    # In units of the noise of each of them, not of a typical one.
    scores = scores * np.sqrt(learning.doses / learning.reduction.dose)[:, None]
    # The few counts of thin ones are not normally distributed.
    scores = scores[learning.doses > FAIR_SHARE * np.median(learning.doses)]
    return np.count_nonzero((np.abs(scores) > FAR).any(axis=1)) >= FEWEST_FAR


def _weak(learning, setting, groups):
    """Components among the lines of the declared elements, if more are found there.

    The ratios of a few lines have less noise than a whole spectrum, so weaker differences
    are seen. They are looked for in larger and larger bins.
    """
    pixels, share = learning.pixels, learning.reduction.share
    basis = _line_basis(pixels, share, setting, groups)
    binning, products = learning.binning, learning.products
    while basis is not None:
        found = _reduce(
            pixels, share, setting, binning, learning.sigma, learning.seed, basis, products
        )
        if found.n_significant >= max(learning.n_significant, 1):
            return found
        binning, products = 2 * binning, None
        if (
            learning.n_significant
            or setting.binning != "auto"
            or bin_pixels(learning.keep, binning)[1] < FEWEST_PIXELS
        ):
            break
    return learning


def _line_basis(pixels, share, setting, groups):
    """Directions in which the ratios of the elements' lines change, None if they are not known."""
    profiles = setting.line_profiles() if setting.line_profiles is not None else None
    if profiles is None:
        return None
    used = pixels.channels >= 0
    indicator = groups[pixels.channels[used]][:, None] == np.arange(len(share))
    basis = line_basis(profiles[:, used] @ indicator, share)
    wanted = setting.n_components
    enough = basis.shape[1] > 0 if isinstance(wanted, str) else wanted <= basis.shape[1]
    return basis if enough else None


def _enlarged(learning, setting):
    """Weak components in bins so large that the clusters stand apart, if there are any.

    The neighbourhood becomes so wide that pixels can be told from one another.
    """
    in_lines = learning.reduction.basis is not None
    weak = "weak in lines" if in_lines else "weak in spectrum"
    automatic = setting.n_components == "auto"
    if not learning.n_significant:
        # Components that the user insists on are noise, and are treated like weak ones.
        return learning if automatic else replace(learning, components_are=weak)
    keep, binning, sigma = learning.keep, learning.binning, learning.sigma
    # The eigenvalue goes with the counts of a learning pixel.
    larger = max(WANTED_EIGENVALUE / learning.reduction.eigenvalues[0], 1.0)
    if setting.binning == "auto":
        most = int((keep.sum() / FEWEST_PIXELS) ** (1 / keep.ndim))
        wanted = int(np.ceil(binning * larger ** (1 / keep.ndim)))
        binning = max(min(wanted, most), binning)
    if setting.neighbourhood == "auto":
        sigma = automatic_neighbourhood(
            learning.pixels.per_pixel, keep.ndim, larger * learning.doses.mean()
        )
    if automatic:
        setting = replace(setting, n_components=learning.n_significant)

    def reduce(setting, binning):
        return _reduce(
            learning.pixels, learning.reduction.share, setting, binning, sigma, learning.seed,
            learning.reduction.basis,
        )  # fmt: skip

    enlarged = reduce(setting, binning)
    if not enlarged.n_significant and binning > learning.binning:
        # What is there grows with the counts, so this was chance.
        if automatic:
            return reduce(replace(setting, n_components=0), learning.binning)
        return replace(learning, components_are=weak)
    return replace(enlarged, components_are=weak)


def learn_finer(learning, setting, wanted):
    """Learning pixels in smaller bins, until there are `wanted` of them, if "auto" binned more.

    Sizes halve from one to the next: a cluster that is too small or too thin for one may
    have too few counts to be seen in the next but one.

    Yields
    ------
    Learning
        Nothing if they are small enough already, or if the user chose their size.
    """
    keep = learning.keep
    binning = learning.binning
    finest = max(int((keep.sum() / wanted) ** (1 / keep.ndim)), 1)
    while setting.binning == "auto" and binning > finest:
        binning = max(-(-binning // 2), finest)
        share = learning.reduction.share
        yield _reduce(
            learning.pixels, share, setting, binning, learning.sigma, learning.seed,
            learning.reduction.basis,
        )  # fmt: skip


def _reduce(pixels, share, setting, binning, sigma, seed, basis=None, products=None):
    """Bin the pixels and find the components of the bins, whose products may be known."""
    bin_of_pixel, n_bins = bin_pixels(pixels.keep, binning)
    doses = np.bincount(bin_of_pixel, pixels.totals, n_bins)
    if products is None:
        products = pixels.blocks.sum(
            _thinned_products, share, None if setting.normalize else doses.mean() / 2, seed,
            of_pixels=[bin_of_pixel], parts=bin_parts(bin_of_pixel, BIN_PIXELS),
        )  # fmt: skip
    reduced = find_axes(products, share, doses, setting.n_components, setting.normalize, basis)
    projected = np.concatenate(pixels.blocks.map(project, reduced))
    in_bins = [np.bincount(bin_of_pixel, column, n_bins) for column in projected.T]
    in_bins = np.reshape(in_bins, (projected.shape[1], n_bins)).T
    return Learning(
        pixels=pixels,
        bin_of_pixel=bin_of_pixel,
        doses=doses,
        reduction=reduced,
        scores=whitened_scores(in_bins, doses, reduced).astype(np.float32),
        pixel_scores=whitened_scores(projected, pixels.totals, reduced),
        binning=binning,
        sigma=sigma,
        seed=seed,
        rng=np.random.default_rng(seed),
        products=products,
        components_are="spectrum" if basis is None else "weak in lines",
    )


def _thinned_products(pixel_counts, bins, share, mean_dose, seed):
    """Cross-products of the thinned halves of whole bins."""
    first = bins.min()
    binned = sum_rows(pixel_counts, bins - first, bins.max() - first + 1)
    # A stream for each part: the parts are the same for any chunks and blocks of the map.
    halves = thin(binned, np.random.default_rng([seed, 1, first]))
    return cross_products(*halves, share, mean_dose)
