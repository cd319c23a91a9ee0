"""From the counts of pixels to learning pixels and their scores: what all workflows share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant.clusters.clustering import Clustering, spread_over_channels
from hyperspy_clusterquant.clusters.components import (
    Reduction,
    check_n_components,
    cross_products,
    find_axes,
    line_basis,
    project,
    whitened_scores,
)
from hyperspy_clusterquant.clusters.neighbours import automatic_neighbourhood, neighbourhood_width
from hyperspy_clusterquant.clusters.recipe import versions
from hyperspy_clusterquant.counts.bins import BIN_PIXELS, bin_parts, bin_pixels, choose_binning
from hyperspy_clusterquant.counts.features import merge_sparse_features
from hyperspy_clusterquant.counts.packed import column_sums, group_rows, thin
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
#: Components whose scores spread by twice the shot noise of a learning pixel make clusters.
STRONG_COMPONENT = 4.0


#: Share of one cluster from which a learning pixel is taken as pure.
PURE = 0.95

NO_SIGNAL = "Nothing varies beyond shot noise, so there is one cluster."
CONTINUOUS = (
    "Gaps in the scores and borders on the map separate {} of the {} clusters; more are there "
    "because the components need as many spectra. The composition may change gradually between "
    "those without a gap."
)
UNDIVIDED = (
    "Composition varies beyond shot noise, but no gap or border divides it, so there is one "
    "cluster. See s.cluster_homogeneity(), or ask for a number of clusters."
)


def how_divided(n_found, n_components, starts):
    """What is to be said of the number of clusters found.

    Parameters
    ----------
    n_found, n_components : int
    starts : list of int
        Numbers of clusters that it was started from: those that are separated, and if it came to
        that, as many as the components need.
    """
    if n_found == 1:
        return [UNDIVIDED if n_components else NO_SIGNAL]
    return [CONTINUOUS.format(starts[0], n_found)] if len(starts) > 1 else []


@dataclass(frozen=True)
class Learning:
    """The map, its learning pixels and their scores.

    Attributes
    ----------
    pixels : PixelCounts
        Of the map, with features merged where counts are few.
    bin_of_pixel : array of int (kept pixels,)
        Learning pixel of each.
    doses : array (learning pixels,)
        Their counts.
    reduction : Reduction
        Counts to scores.
    scores, pixel_scores : array (learning pixels or kept pixels, n_components)
    nuisance_scores : array (learning pixels, n)
        The same along what is no chemistry.
    binning : int
    sigma : float
        Width of the neighbourhood in pixels.
    seed : int
    rng : numpy.random.Generator
    products : array (features, features)
        Cross-products of thinned halves that the components were found from.
    components_are : {"spectrum", "weak in spectrum", "weak in lines"}
    film : array (n, channels)
        Lines of what is on every specimen and of no interest, see `Recipe.film_profiles`.
    departures : tuple of arrays (features,)
        Whitened directions in which places differ that the components do not explain.
    """

    pixels: PixelCounts
    bin_of_pixel: np.ndarray
    doses: np.ndarray
    reduction: Reduction
    scores: np.ndarray
    pixel_scores: np.ndarray
    nuisance_scores: np.ndarray
    binning: int
    sigma: float
    seed: int
    rng: np.random.Generator
    products: np.ndarray
    components_are: str = "spectrum"
    film: np.ndarray | None = None
    departures: tuple = ()

    @property
    def subspace(self):
        """Orthonormal directions of all that is known to differ, (features, n)."""
        columns = [*self.reduction.components.T, *self.departures]
        if not columns:
            return np.zeros((len(self.reduction.share), 0))
        left, sizes, _ = np.linalg.svd(np.stack(columns, axis=1), full_matrices=False)
        return left[:, sizes > 1e-3]

    def nuisance_inside(self, memberships):
        """How far what is no chemistry varies inside of clusters, covariance (n, n) per count.

        Of memberships (kept pixels, n_clusters), beyond shot noise.
        """
        n_bins, scores = len(self.doses), self.nuisance_scores.astype(float)
        in_bins = [np.bincount(self.bin_of_pixel, column, n_bins) for column in memberships.T]
        shares = np.stack(in_bins, axis=1)
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
        # What mixed learning pixels differ in is chemistry.
        shares[shares.max(axis=1) < PURE] = 0
        weights = shares * self.doses[:, None]
        total = np.maximum(weights.sum(), 1e-9)
        centres = weights.T @ scores / np.maximum(weights.sum(axis=0), 1e-9)[:, None]
        second = (scores.T * weights.sum(axis=1)) @ scores
        between = (centres.T * weights.sum(axis=0)) @ centres
        noise = (weights.sum(axis=1) / np.maximum(self.doses, 1)).sum() * self.reduction.dose
        beyond = (second - between - noise * np.eye(scores.shape[1])) / total
        values, vectors = np.linalg.eigh(beyond)
        return (vectors * np.maximum(values, 0)) @ vectors.T / self.reduction.dose

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
    def fewest_spectra(self):
        """Spectra whose mixtures can make the components: one more than there are strong ones.

        Where none is strong, one more than there are significant ones.
        """
        values = self.reduction.eigenvalues[: self.scores.shape[1]]
        edge = self.reduction.noise_edge
        strong = np.count_nonzero(values > max(edge, STRONG_COMPONENT))
        if self.is_weak or not strong:
            strong = np.count_nonzero(values > edge)
        return 1 + int(strong)

    def clustering(self, recipe, refined, **more):
        """What was found from it as a `Clustering`, with what was chosen in learning."""
        chosen = {
            "n_components_found": self.reduction.components.shape[1],
            "n_significant": self.n_significant,
            "components_are": self.components_are,
            "binning_used": self.binning,
            "neighbourhood_used": self.sigma,
            "learning_pixels": len(self.scores),
            "counts_per_learning_pixel": float(self.doses.mean()),
            "seed": self.seed,
            "versions": versions(),
        }
        return Clustering(
            recipe=recipe.with_chosen(**chosen),
            labels=refined.labels,
            memberships=refined.memberships,
            label_spectra=spread_over_channels(refined.label_spectra, self.pixels.channels),
            scores=self.pixel_scores,
            eigenvalues=self.reduction.eigenvalues,
            noise_edge=self.reduction.noise_edge,
            **more,
        )

    @property
    def n_significant(self):
        """Number of components above the noise."""
        return int(np.count_nonzero(self.reduction.eigenvalues > self.reduction.noise_edge))


def learn(pixels, recipe, progress):
    """Learning pixels and scores from the counts of pixels, see `Learning`."""
    film = recipe.film_profiles(pixels.energy)
    return replace(_learned(pixels, recipe, progress), film=film)


def _learned(pixels, recipe, progress):
    """Bin and reduce the counts of pixels.

    Parameters
    ----------
    pixels : PixelCounts
    recipe : Recipe
        Of which all is used that every workflow is asked.
    progress : callable
        Called with the name of the stage.

    Returns
    -------
    Learning
    """
    seed = recipe.seed
    progress("components")
    totals = pixels.blocks.sum(column_sums)
    groups = merge_sparse_features(totals)
    share = np.bincount(groups, totals) / totals.sum()
    channels = np.append(groups, -1)[pixels.channels]
    pixels = replace(pixels, blocks=pixels.blocks.only(groups=groups), channels=channels)
    check_n_components(recipe.n_components, groups.max() + 1)
    binning = choose_binning(recipe.binning, pixels.per_pixel, pixels.keep)
    sigma = neighbourhood_width(
        recipe.neighbourhood, binning > 1, pixels.per_pixel, pixels.keep.ndim
    )
    nuisance = recipe.nuisance(np.bincount(groups, totals), pixels.energy, channels)
    if recipe.components_are == "weak in lines":
        basis = _sample_basis(pixels, share, recipe, nuisance)
        if basis is not None:
            return _reduce(pixels, share, nuisance, recipe, binning, sigma, seed, basis)
    learning = _reduce(pixels, share, nuisance, recipe, binning, sigma, seed)
    if not recipe.normalize or recipe.n_components in (0, "elbow"):
        return learning
    if recipe.components_are != "auto":
        return replace(learning, components_are=recipe.components_are)
    if learning.reduction.eigenvalues[0] >= WANTED_EIGENVALUE or _stands_out(learning):
        return learning
    return _enlarged(_weak(learning, recipe), recipe)


def _stands_out(learning):
    """Whether some learning pixels differ from the others far beyond noise: a rare phase."""
    scores = learning.scores[:, : learning.n_significant]
    # In units of the noise of each of them, not of a typical one.
    scores = scores * np.sqrt(learning.doses / learning.reduction.dose)[:, None]
    # The few counts of thin ones are not normally distributed.
    scores = scores[learning.doses > FAIR_SHARE * np.median(learning.doses)]
    return np.count_nonzero((np.abs(scores) > FAR).any(axis=1)) >= FEWEST_FAR


def _weak(learning, recipe):
    """Components among the lines of the declared elements, if more are found there.

    The ratios of a few lines have less noise than a whole spectrum, so weaker differences
    are seen. They are looked for in larger and larger bins.
    """
    pixels, share = learning.pixels, learning.reduction.share
    nuisance = learning.reduction.nuisance
    basis = _sample_basis(pixels, share, recipe, nuisance)
    binning, products = learning.binning, learning.products
    while basis is not None:
        found = _reduce(
            pixels,
            share,
            nuisance,
            recipe,
            binning,
            learning.sigma,
            learning.seed,
            basis,
            products,
        )
        if found.n_significant >= max(learning.n_significant, 1):
            return found
        binning, products = 2 * binning, None
        if (
            learning.n_significant
            or recipe.binning != "auto"
            or bin_pixels(learning.keep, binning)[1] < FEWEST_PIXELS
        ):
            break
    return learning


def _sample_basis(pixels, share, recipe, nuisance):
    """Directions in which the ratios of the elements' lines change, None if they are not known."""
    profiles = recipe.line_profiles(pixels.energy)
    if profiles is None:
        return None
    used = pixels.channels >= 0
    indicator = pixels.channels[used][:, None] == np.arange(len(share))
    basis = line_basis(profiles[:, used] @ indicator, share, nuisance)
    wanted = recipe.n_components
    enough = basis.shape[1] > 0 if isinstance(wanted, str) else wanted <= basis.shape[1]
    return basis if enough else None


def _enlarged(learning, recipe):
    """Weak components in bins so large that the clusters stand apart, if there are any.

    The neighbourhood becomes so wide that pixels can be told from one another.
    """
    in_lines = learning.reduction.basis is not None
    weak = "weak in lines" if in_lines else "weak in spectrum"
    automatic = recipe.n_components == "auto"
    if not learning.n_significant:
        # Components that the user insists on are noise, and are treated like weak ones.
        return learning if automatic else replace(learning, components_are=weak)
    keep, binning, sigma = learning.keep, learning.binning, learning.sigma
    # The eigenvalue goes with the counts of a learning pixel.
    larger = max(WANTED_EIGENVALUE / learning.reduction.eigenvalues[0], 1.0)
    if recipe.binning == "auto":
        most = int((keep.sum() / FEWEST_PIXELS) ** (1 / keep.ndim))
        wanted = int(np.ceil(binning * larger ** (1 / keep.ndim)))
        binning = max(min(wanted, most), binning)
    if recipe.neighbourhood == "auto":
        sigma = automatic_neighbourhood(
            learning.pixels.per_pixel, keep.ndim, larger * learning.doses.mean()
        )
    if automatic:
        recipe = replace(recipe, n_components=learning.n_significant)
    wider = replace(learning, sigma=sigma)
    enlarged = rebinned(wider, recipe, binning)
    if not enlarged.n_significant and binning > learning.binning:
        # What is there grows with the counts, so this was chance.
        if automatic:
            return rebinned(wider, replace(recipe, n_components=0), learning.binning)
        return replace(learning, components_are=weak)
    return replace(enlarged, components_are=weak)


def rebinned(learning, recipe, binning):
    """The same components sought in bins of another size."""
    return _reduce(
        learning.pixels, learning.reduction.share, learning.reduction.nuisance, recipe, binning,
        learning.sigma, learning.seed, learning.reduction.basis,
    )  # fmt: skip


def _reduce(pixels, share, nuisance, recipe, binning, sigma, seed, basis=None, products=None):
    """Bin the pixels and find the components of the bins, whose products may be known."""
    bin_of_pixel, n_bins = bin_pixels(pixels.keep, binning)
    doses = np.bincount(bin_of_pixel, pixels.totals, n_bins)
    if products is None:
        products = pixels.blocks.sum(
            _thinned_products, share, None if recipe.normalize else doses.mean() / 2, seed,
            of_pixels=[bin_of_pixel], parts=bin_parts(bin_of_pixel, BIN_PIXELS),
        )  # fmt: skip
    reduced = find_axes(
        products, share, doses, recipe.n_components, recipe.normalize, basis, nuisance
    )
    wide, n_components = reduced, reduced.components.shape[1]
    if nuisance is not None:
        wide = replace(reduced, components=np.hstack([reduced.components, nuisance]))
    projected = np.concatenate(pixels.blocks.map(project, wide))
    in_bins = [np.bincount(bin_of_pixel, column, n_bins) for column in projected.T]
    in_bins = np.reshape(in_bins, (projected.shape[1], n_bins)).T
    scores = whitened_scores(in_bins, doses, wide).astype(np.float32)
    return Learning(
        pixels=pixels,
        bin_of_pixel=bin_of_pixel,
        doses=doses,
        reduction=reduced,
        scores=scores[:, :n_components],
        pixel_scores=whitened_scores(projected[:, :n_components], pixels.totals, reduced),
        nuisance_scores=scores[:, n_components:],
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
    binned = group_rows(pixel_counts, bins - first, bins.max() - first + 1)
    # A stream for each part: the parts are the same for any chunks and blocks of the map.
    halves = thin(binned, np.random.default_rng([seed, 1, first]))
    return cross_products(*halves, share, mean_dose)
