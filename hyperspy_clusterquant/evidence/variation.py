"""Do the counts of X-ray lines vary more than shot noise and thickness explain?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse, stats

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.counts.bins import BIN_PIXELS, bin_parts, bin_pixels
from hyperspy_clusterquant.counts.packed import group_rows

#: Powers of the weights whose sums over the counts tell the moments of q.
POWERS = (2, 3, 4, 6)
#: Bins from which a sum over them is normally distributed; of fewer, the signs are drawn so often.
MANY_BINS, N_FLIPS = 200, 9999
#: Fewest bins of pixels that can be compared.
FEWEST_BINS = 8
#: Standard deviations that the variances of two lines are above zero if they have a correlation.
SURE = 2.0
#: Below it, a distribution is as good as normal.
LEAST_SKEWNESS = 1e-3


@dataclass(frozen=True, eq=False)
class LineWeights:
    """Weights of the channels in what is asked of each bin of pixels.

    Attributes
    ----------
    net : array (n_lines, channels)
        Counts to net counts of the lines.
    beyond_dose : array (n_lines, n_lines)
        Net counts to what each line has beyond its share of all lines, in rows.
    beyond : array (n_lines, n_lines)
        The same beyond what absorption and drift make of it, too, as far as they can be told.
    left : array (n_lines,)
        Variance of it that absorption and drift of the size that is plausible still bring, for a
        map of one bin.
    """

    net: np.ndarray
    beyond_dose: np.ndarray
    beyond: np.ndarray
    left: np.ndarray

    @classmethod
    def of_map(cls, net, total, directions=None):
        r"""From the weights of the net counts, and the summed spectrum of the map.

        What directions D bring is estimated from all lines together and taken off, as the dose
        is. With V the covariance of the net counts, C = [areas, D], and P the inverse variance of
        the amounts (0 for the dose, 1 for directions), that leaves
        :math:`1 - C (C^T V^{-1} C + P)^{-1} C^T V^{-1}` of them.

        Parameters
        ----------
        net : array (n_lines, channels)
        total : array (channels,)
        directions : array (n_directions, channels), optional
            Changes of the summed spectrum as large as they typically may be in a bin, that are no
            chemistry.
        """
        areas, n = net @ total, len(net)
        of_dose = np.eye(n) - np.outer(areas / areas.sum(), np.ones(n))
        if directions is None or not len(directions):
            return cls(net, of_dose, of_dose, np.zeros(n))
        along = directions @ net.T
        both = np.column_stack([areas, along.T])
        # Lines without any counts have no variance, and say nothing.
        towards = both.T @ np.linalg.pinv((net * total) @ net.T, rcond=1e-12, hermitian=True)
        prior = np.diag(np.r_[0.0, np.ones(len(along))])
        beyond = np.eye(n) - both @ np.linalg.pinv(towards @ both + prior) @ towards
        return cls(net, of_dose, beyond, ((beyond @ along.T) ** 2).sum(axis=1))

    @property
    def pairs(self):
        """Positions of the lines of each pair, each line with itself among them."""
        return np.triu_indices(len(self.net))

    @property
    def asked(self):
        """Weights whose sums over the counts are tested against nothing but noise."""
        return self.net, self.beyond_dose @ self.net, self.beyond @ self.net

    @property
    def operator(self):
        """Everything that is linear in the counts, array (n_values, channels)."""
        first, second = self.pairs
        powers = [w**k for w in self.asked for k in POWERS]
        return np.concatenate([self.net, self.net[first] * self.net[second], *powers])


@dataclass(frozen=True, eq=False)
class Correlations(Frozen):
    """Correlations of lines, their standard uncertainties, and p-values of "none".

    Arrays (n_lines, n_lines), symmetric; NaN where there is none.
    """

    values: np.ndarray
    std: np.ndarray
    p_values: np.ndarray

    @property
    def interval(self):
        """Lowest and highest correlation that two standard uncertainties and [-1, 1] allow.

        Array (2, n_lines, n_lines).
        """
        away = np.array([-2.0, 2.0])[:, None, None] * self.std
        return np.clip(self.values + away, -1, 1)

    def first(self, n):
        """The same of the first n lines."""
        return Correlations(self.values[:n, :n], self.std[:n, :n], self.p_values[:n, :n])


@dataclass(frozen=True, eq=False)
class LineVariation(Frozen):
    """Variation of the lines between the bins of a map.

    The fields are described where users see them, in `MapSignificance`. Correlations beyond
    thickness are NaN for less than three lines, and not to be used for less than four.
    """

    dispersion: np.ndarray
    dispersion_beyond_thickness: np.ndarray
    p_values_no_variation: np.ndarray
    p_values_with_absorption: np.ndarray
    p_values: np.ndarray
    variation: np.ndarray
    variation_std: np.ndarray
    correlations_beyond_noise: Correlations
    correlations_beyond_thickness: Correlations

    def first(self, n: int) -> LineVariation:
        """The same of the first n lines."""
        return LineVariation(**{name: of.first(n) if isinstance(of, Correlations) else of[:n]
                                for name, of in vars(self).items()})  # fmt: skip


def n_values(n_lines):
    """Numbers that are kept of each bin of pixels."""
    return n_lines + n_lines * (n_lines + 1) // 2 + 3 * len(POWERS) * n_lines


def line_variation(sums, weights, bin_sizes):
    r"""Variation of lines beyond shot noise, and beyond thickness.

    With w the weights of a line (its background taken off), the net counts of a bin are
    :math:`y = \sum_c w_c` over its counts c. The sum over pairs of **different** counts,

    .. math:: q = y^2 - \sum_c w_c^2 = \sum_{c \ne c'} w_c w_{c'},

    has no shot noise: its mean is zero if y has the mean zero, and its variance is then
    :math:`2 (\sum w^2)^2`. For "no variation at all", y is taken less the mean of the map. For
    "none beyond dose and thickness", y is what a line has beyond its share of the counts of all
    lines, whose mean is zero if the composition is everywhere the same. The sum of q
    over the bins is distributed like a chi-square that is shifted and scaled to the
    same three moments. For two lines, :math:`q = y y' - \sum_c w_c w'_c`, and its sum is compared
    with its spread; y is there what a line has beyond its share of the counts of the others, so
    that neither of the two is in what they are compared with.

    What absorption and drift bring is taken off as the dose is, see `LineWeights.of_map`. Of what
    is plausible, that leaves a little, and all if there are too few lines to tell it from
    chemistry; the sum of q must exceed this.

    Parameters
    ----------
    sums : array (n_bins, n_values)
        Of each bin: its counts times `weights.operator`.
    weights : LineWeights
    bin_sizes : array (n_bins,)
        Pixels of each bin.

    Returns
    -------
    LineVariation
    """
    n = len(weights.net)
    first, second = weights.pairs
    net, packed, powers = np.split(sums, np.cumsum([n, len(first)]), axis=1)
    asked = powers.reshape(len(sums), 3, len(POWERS), n).transpose(1, 2, 0, 3)
    of_net, of_dose, of_beyond = asked
    products = np.empty((len(sums), n, n))
    products[:, first, second] = products[:, second, first] = packed
    bins = _Bins(net, products, bin_sizes)
    dose = net.sum(axis=1) / bins.totals.sum()
    own = np.array([bins.beyond(row, row, dose) for row in weights.beyond])
    with_absorption = [bins.beyond(row, row, dose).sum() for row in weights.beyond_dose]
    each = np.array([bins.flat(k, k).sum() for k in range(n)])
    beyond = own.sum(axis=1) - weights.left * (dose**2).sum()
    expected = bins.totals**2 * (dose**2).sum()
    relative = np.sqrt(np.maximum(beyond, 0) / expected)
    spread = np.sqrt((own**2).sum(axis=1)) / expected
    of_pairs = np.full((2, 3, n, n), np.nan)
    for i, j in zip(*np.triu_indices(n, 1), strict=True):
        of_pairs[..., i, j] = of_pairs[..., j, i] = bins.correlations(i, j)
    return LineVariation(
        dispersion=1 + each / of_net[0].sum(axis=0),
        dispersion_beyond_thickness=1 + beyond / of_beyond[0].sum(axis=0),
        p_values_no_variation=_p_values(each, of_net),
        p_values_with_absorption=_p_values(np.array(with_absorption), of_dose),
        p_values=_p_values(beyond, of_beyond),
        variation=relative,
        variation_std=np.where(relative > 0, spread / np.maximum(2 * relative, 1e-300), np.nan),
        correlations_beyond_noise=Correlations(*of_pairs[0]),
        correlations_beyond_thickness=Correlations(*of_pairs[1]),
    )


class _Bins:
    """Net counts of lines in bins, and the shot noise of their products."""

    def __init__(self, net, products, sizes):
        self.net, self.products, self.totals = net, products, net.sum(axis=0)
        self.share = sizes / sizes.sum()
        self.level = net - np.outer(self.share, self.totals)

    def flat(self, i, j):
        """Excess of the net counts of two lines."""
        return _excess(self.level[:, i], self.level[:, j], self.products[:, i, j], self.share)

    def beyond(self, one, other, leverage):
        """Excess of what two rows of coefficients make of the net counts."""
        noise = np.einsum("i,bij,j->b", one, self.products, other)
        return _excess(self.net @ one, self.net @ other, noise, leverage)

    def correlations(self, i, j):
        """Of two lines, see `_correlation`: beyond noise, and beyond thickness."""
        beyond_noise = _correlation(self.flat(i, j), self.flat(i, i), self.flat(j, j))
        rest = np.ones(len(self.totals))
        rest[[i, j]] = 0
        reference = self.totals @ rest
        if not reference > 0:
            return np.array([beyond_noise, np.full(3, np.nan)])
        one, other = (np.eye(len(rest))[k] - self.totals[k] / reference * rest for k in (i, j))
        dose = self.net @ rest / reference
        pairs = (one, other), (one, one), (other, other)
        return np.array([beyond_noise, _correlation(*(self.beyond(*p, dose) for p in pairs))])


def _excess(one, other, noise, leverage):
    """Products of two residuals of each bin less their shot noise.

    Residuals that sum to zero over the map, because the mean or the share that is taken off was
    found from them, have a little less than their noise: by twice the leverage of the bin.
    """
    return one * other - noise * (1 - 2 * leverage) - leverage**2 * noise.sum()


def _p_values(statistics, powers):
    """Probability that the sums of q (n_lines,) are as large or larger by chance, one-sided.

    `powers` (n_powers, n_bins, n_lines): sums of the powers of the weights over a bin's counts.
    """
    p2, p3, p4, p6 = powers
    # Sums over different counts, as in q: only they are right on average where counts are few.
    variance = 2 * (p2**2 - p4).sum(axis=0)
    third = (8 * (p2**3 - 3 * p2 * p4 + 2 * p6) + 4 * (p3**2 - p6)).sum(axis=0)
    known = variance > 0
    scaled = np.where(known, statistics / np.sqrt(np.where(known, variance, 1.0)), np.nan)
    skewness = np.where(known, third / np.where(known, variance, 1.0) ** 1.5, 0.0)
    freedom = 8 / np.maximum(skewness, LEAST_SKEWNESS) ** 2
    return stats.chi2.sf(freedom + scaled * np.sqrt(2 * freedom), freedom)


def _correlation(both, first, second):
    """Correlation, its standard uncertainty, and the p-value of "none"; NaN where undefined."""
    spread = np.sqrt((both**2).sum())
    if not spread > 0:
        return np.full(3, np.nan)
    if len(both) < MANY_BINS:
        beyond = np.abs(_signs(len(both)) @ both) >= abs(both.sum()) * (1 - 1e-9)
        p = (1 + np.count_nonzero(beyond)) / (1 + N_FLIPS)
    else:
        p = 2 * stats.norm.sf(abs(both.sum()) / spread)
    own = first.sum(), second.sum()
    if any(q.sum() <= SURE * np.sqrt((q**2).sum()) for q in (first, second)):
        return np.array([np.nan, np.nan, p])
    length = np.sqrt(own[0] * own[1])
    r = both.sum() / length
    influence = both / length - 0.5 * r * (first / own[0] + second / own[1])
    return np.array([np.clip(r, -1, 1), np.sqrt((influence**2).sum()), p])


@lru_cache(maxsize=1)
def _signs(n_bins):
    """Signs of the bins in each flip, the same for all pairs of lines: at most 16 MB."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (N_FLIPS, n_bins))
    signs.setflags(write=False)
    return signs


@one_blas_thread()
def compare_bins(pixels, net, total, factors, directions=None):
    """Variation of lines between bins of pixels of several sizes, in one pass over the counts.

    Parameters
    ----------
    pixels : PixelCounts
        Each channel a feature of its own.
    net : array (n_lines, channels)
        Weights that turn counts into net counts of lines.
    total : array (channels,)
        Summed counts of the pixels.
    factors : sequence of int
        Pixels of a bin along each axis, each a multiple of the one before.
    directions : array (n_directions, channels), optional
        As of `LineWeights.of_map`.

    Returns
    -------
    variations : list of LineVariation
    n_bins : list of int

    Raises
    ------
    ValueError
        If there are too few bins to compare.
    """
    used = pixels.channels >= 0
    directions = None if directions is None else directions[:, used]
    weights = LineWeights.of_map(net[:, used], total[used], directions)
    bin_of_pixel, n_bins = bin_pixels(pixels.keep, factors[0])
    if n_bins < FEWEST_BINS:
        raise ValueError(
            f"There are only {n_bins} bins of {factors[0]} pixels along each axis to compare; at "
            f"least {FEWEST_BINS} are needed. Choose a smaller `binning`, or mask less."
        )
    sums = pixels.blocks.map(
        _bin_sums, weights.operator,
        of_pixels=[bin_of_pixel], parts=bin_parts(bin_of_pixel, BIN_PIXELS),
    )  # fmt: skip
    sums, sizes = np.concatenate(sums), np.bincount(bin_of_pixel, minlength=n_bins)
    variations, all_bins = [line_variation(sums, weights, sizes)], [n_bins]
    for factor in factors[1:]:
        coarser, n_bins = bin_pixels(pixels.keep, factor)
        # Every finer bin lies in one coarser bin.
        of_bin = np.empty(len(sizes), dtype=int)
        of_bin[bin_of_pixel] = coarser
        together = sparse.csr_array((np.ones(len(sizes)), (of_bin, np.arange(len(sizes)))))
        sums, sizes = together @ sums, np.bincount(of_bin, sizes, n_bins)
        bin_of_pixel = coarser
        variations.append(line_variation(sums, weights, sizes))
        all_bins.append(n_bins)
    return variations, all_bins


@one_blas_thread()
def net_counts(pixels, net):
    """Net counts of lines on the map, array of float32 (n_lines, map shape).

    Of `pixels` and `net` as in `compare_bins`; NaN where pixels are left out.
    """
    found = pixels.blocks.map(_net_counts, net[:, pixels.channels >= 0])
    images = np.full((len(net), *pixels.keep.shape), np.nan, dtype=np.float32)
    images[:, pixels.keep] = np.concatenate(found).T
    return images


def _net_counts(pixel_counts, net):
    return (pixel_counts @ net.T).astype(np.float32)


def _bin_sums(pixel_counts, bins, operator):
    """Linear combinations of the counts of consecutive bins, array (n_bins, n_values)."""
    first = bins.min()
    return group_rows(pixel_counts, bins - first, bins.max() - first + 1) @ operator.T
