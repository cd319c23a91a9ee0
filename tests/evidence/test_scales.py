"""Bins of all sizes: the same as each size by itself, and what they see together."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse, stats

from hyperspy_clusterquant.counts.bins import bin_pixels
from hyperspy_clusterquant.evidence.p_values import combine_p_values
from hyperspy_clusterquant.evidence.scales import choose_scales, combine_scales
from hyperspy_clusterquant.evidence.variation import LineWeights, compare_bins, line_variation

SIZE = 32
KEEP = np.ones((SIZE, SIZE), dtype=bool)
#: Three lines of two channels each, without background.
NET = np.kron(np.eye(3), [1.0, 1.0])
SPECTRUM = np.array([1.0, 1.0, 3.0, 3.0, 6.0, 6.0])


class Blocks:
    """Counts in memory, as `PixelCounts` passes over them."""

    def __init__(self, counts):
        self.counts = counts

    def map(self, function, *given, of_pixels, parts):
        return [
            function(sparse.csr_array(self.counts[p]), *(of[p] for of in of_pixels), *given)
            for p in parts
        ]


def pixels(counts, keep=KEEP):
    return SimpleNamespace(
        keep=keep, channels=np.arange(counts.shape[1]), blocks=Blocks(counts.astype(float))
    )


def compare(counts, factors, keep=KEEP):
    return compare_bins(pixels(counts, keep), NET, counts.sum(axis=0).astype(float), factors)


def drawn(rng, loss=0.0):
    """Counts of a map whose last line is lost evenly from left to right."""
    spectrum = np.tile(SPECTRUM, (SIZE, SIZE, 1))
    spectrum[..., 4:] *= 1 - loss * (np.arange(SIZE) / (SIZE - 1) - 0.5)[:, None]
    return rng.poisson(spectrum).reshape(-1, 6)


def test_coarser_bins_are_those_of_the_pixels(rng):
    """In one pass, against each size by itself; some pixels are left out, the map is no square."""
    keep = rng.random((29, 22)) > 0.2
    counts = rng.poisson(SPECTRUM, (keep.sum(), 6))
    found, n_bins = compare(counts, [1, 2, 4], keep)
    for factor, variation, n in zip([1, 2, 4], found, n_bins, strict=True):
        bins, known_n = bin_pixels(keep, factor)
        assert n == known_n
        summed = np.array([np.bincount(bins, column, n) for column in counts.T]).T
        weights = LineWeights.of_map(NET, counts.sum(axis=0).astype(float))
        powers = [w**k for w in weights.asked for k in (2, 3, 4, 6)]
        first, second = np.triu_indices(3)
        operator = np.vstack([NET, NET[first] * NET[second], *powers])
        known = line_variation(summed @ operator.T, weights, np.bincount(bins))
        np.testing.assert_allclose(variation.p_values, known.p_values, rtol=1e-9)
        np.testing.assert_allclose(variation.variation, known.variation, rtol=1e-9)


def test_p_values_of_all_scales_are_uniform_without_variation(rng):
    p = []
    for _ in range(150):
        together, _ = combine_scales(*compare(drawn(rng), [1, 2, 4, 8]))
        p.append(np.r_[together.p_values, together.correlations_beyond_thickness.p_values[0, 1]])
    for column in np.transpose(p):
        assert stats.kstest(column, "uniform").pvalue > 0.01
        assert 0.01 < np.mean(column < 0.05) < 0.1


def test_even_loss_is_seen_at_the_scale_of_the_map(rng):
    """No pixel shows it, all together do; and the amount is right."""
    loss, shares, p = 0.3, [], []
    for _ in range(12):
        found, n_bins = compare(drawn(rng, loss), [1, 2, 4, 8])
        together, clearest = combine_scales(found, n_bins)
        p.append([found[0].p_values[2], together.p_values[2]])
        shares.append(found[2].variation[2])
        assert 0 <= clearest.min() <= clearest.max() <= 3
    p = np.array(p)
    assert np.median(p[:, 0]) > 0.02
    assert np.median(p[:, 1]) < 1e-3
    # Of what it has in relation to all three, which it is 0.6 of.
    known = loss / np.sqrt(12) * 0.4
    assert np.mean(shares) == pytest.approx(known, rel=0.25)


def test_what_is_combined_and_where_the_rest_is_from(rng):
    found, n_bins = compare(drawn(rng, 0.4), [1, 2, 4, 8])
    together, clearest = combine_scales(found, n_bins)
    p = np.array([of.p_values for of in found])
    np.testing.assert_allclose(together.p_values, combine_p_values(p))
    for line, scale in enumerate(clearest):
        assert p[scale, line] == p[:, line].min()
        assert together.variation[line] == found[scale].variation[line]
        assert together.dispersion[line] == found[scale].dispersion[line]
    # Of 16 bins, pairs of lines are not compared.
    pairs = np.array([of.correlations_beyond_noise.p_values for of in found[:3]])
    np.testing.assert_allclose(
        together.correlations_beyond_noise.p_values, combine_p_values(pairs), equal_nan=True
    )
    alone, clearest = combine_scales(found[:1], n_bins[:1])
    assert alone is found[0]
    assert clearest.tolist() == [0, 0, 0]


def test_scales_that_are_looked_at():
    assert choose_scales("auto", 100.0, KEEP, 50) == [1, 2, 4, 8]
    assert choose_scales("auto", 2.0, KEEP, 50) == [4, 8]
    assert choose_scales(3, 100.0, KEEP, 50) == [3]
    assert choose_scales("auto", 100.0, KEEP, 2**22)[0] == 16 / 2  # memory; too few bins of 16
    assert choose_scales("auto", 0.001, KEEP, 50) == [8]
    assert choose_scales("auto", 100.0, np.ones(40, dtype=bool), 50) == [1, 2, 4]
    assert choose_scales("auto", 100.0, np.ones((2, 2), dtype=bool), 50) == [1]
    with pytest.raises(TypeError, match="binning"):
        choose_scales("all", 100.0, KEEP, 50)
