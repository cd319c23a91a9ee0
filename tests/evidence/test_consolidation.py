from dataclasses import replace

import numpy as np
import pytest

from hyperspy_clusterquant.composition.fitting import LinearFit
from hyperspy_clusterquant.evidence.consolidation import consolidate, interface
from hyperspy_clusterquant.evidence.judgement import Compared
from hyperspy_clusterquant.evidence.matching import Halves

LINES = LinearFit(np.eye(4), np.eye(4), [0, 1, 2, 3])
FEATURES = np.arange(4)
A, B = np.array([50, 30, 15, 5.0]), np.array([10, 20, 30, 40.0])
NAMES = ("one", "other", "between")


def halves_of(rng, spectra, sizes, n_splits=3):
    expected = np.array(spectra) * np.array(sizes)[:, None]
    first, second = rng.poisson(expected, (2, n_splits, *expected.shape)).astype(float)
    sizes = np.asarray(sizes)
    found = np.ones((n_splits, len(sizes)), dtype=bool)
    pixels = np.tile(np.diag(sizes), (n_splits, 1, 1))
    return Halves(first, second, found, pixels, sizes, np.tile(sizes, (n_splits, 1)))


def bands(width):
    """Two halves of a map with a band of some width between them."""
    labels = np.zeros((60, 60), dtype=int)
    labels[:, 30:] = 1
    labels[:, 30 - width // 2 : 30 + (width + 1) // 2] = 2
    return labels


def sizes(labels):
    return np.bincount(labels.ravel())


def test_narrow_mixture_between_two_clusters_is_an_interface(rng):
    labels = bands(2)
    halves = halves_of(rng, [A, B, 0.3 * A + 0.7 * B], sizes(labels))
    pair, reason = interface(halves, FEATURES, labels, NAMES)
    assert pair == (2, 1)
    assert "a mixture of one (3" in reason
    assert "%) and other" in reason
    differs = float(reason.split()[-1].removesuffix("%"))
    assert differs < 1


@pytest.mark.parametrize(("difference", "is_one"), [(0.02, True), (0.15, False)])
def test_interface_may_differ_a_little_from_a_mixture(rng, difference, is_one):
    """With so many counts that the smallest misfit is worth a spectrum of its own."""
    labels = bands(2)
    mixture = 0.3 * A + 0.7 * B
    off = mixture * (1 + difference * np.array([1, -1, 1, -1]))
    halves = halves_of(rng, 1000 * np.array([A, B, off]), sizes(labels))
    pair, reason = interface(halves, FEATURES, labels, NAMES)
    assert (pair == (2, 1)) == is_one
    if is_one:
        # What another share of the two explains of it is none of the difference.
        differs = float(reason.split()[-1].removesuffix("%"))
        assert 0.5 < differs < 2.1


def test_narrow_band_of_a_third_composition_is_a_phase(rng):
    labels = bands(2)
    third = np.array([20, 50, 10, 20.0])
    halves = halves_of(rng, [A, B, third], sizes(labels))
    assert interface(halves, FEATURES, labels, NAMES) == (None, None)


def test_wide_band_of_a_mixture_is_a_phase(rng):
    """A solid solution may have a composition between two others."""
    labels = bands(20)
    halves = halves_of(rng, [A, B, 0.5 * A + 0.5 * B], sizes(labels))
    assert interface(halves, FEATURES, labels, NAMES) == (None, None)


def test_inclusions_of_a_mixture_in_one_of_them_are_no_interface(rng):
    labels = bands(0)
    labels[5:9, 3:7] = labels[40:44, 3:7] = 2
    halves = halves_of(rng, [A, B, 0.5 * A + 0.5 * B], sizes(labels))
    assert interface(halves, FEATURES, labels, NAMES) == (None, None)


def merge_all(halves, labels, names):
    return consolidate(halves, Compared(LINES), FEATURES, labels, names, 0.05, [0])


def test_clusters_that_are_not_distinguishable_are_merged_and_recorded(rng):
    labels = np.repeat([0, 1, 2, 3], 400).reshape(40, 40)
    halves = halves_of(rng, [A, B, A, A], sizes(labels))
    groups, mergers = merge_all(halves, labels, tuple("abcd"))
    assert sorted(map(sorted, groups)) == [[0, 2, 3], [1]]
    assert len(mergers) == 2
    assert all("not distinguishable: p = " in merger.reason for merger in mergers)


def test_distinct_clusters_stay(rng):
    labels = np.repeat([0, 1, 2], [600, 600, 400]).reshape(40, 40)
    halves = halves_of(rng, [A, B, np.array([20, 50, 10, 20.0])], sizes(labels))
    groups, mergers = merge_all(halves, labels, NAMES)
    assert groups == [[0], [1], [2]]
    assert mergers == []


def test_cluster_that_is_not_found_again_goes_where_its_pixels_go(rng):
    labels = np.repeat([0, 1, 2], [700, 600, 300]).reshape(40, 40)
    halves = halves_of(rng, [A, B, np.array([20, 50, 10, 20.0])], sizes(labels))
    pixels = halves.pixels.copy()
    pixels[:, 2] = [50, 190, 60]
    split_sizes = pixels.sum(axis=1)
    halves = replace(halves, pixels=pixels, split_sizes=split_sizes)
    groups, mergers = merge_all(halves, labels, NAMES)
    assert groups == [[0], [1, 2]]
    assert "an overlap of only 0.20" in mergers[0].reason


def test_cluster_that_no_split_finds_goes_where_its_pixels_go(rng):
    """Also if what they go to is not larger than what it keeps, or nothing was compared."""
    labels = np.repeat([0, 1, 2], [700, 600, 300]).reshape(40, 40)
    halves = halves_of(rng, [A, B, np.array([20, 50, 10, 20.0])], sizes(labels))
    pixels, found, second = halves.pixels.copy(), halves.found.copy(), halves.second.copy()
    pixels[:, 2], found[:, 2], second[:, 2] = [260, 40, 0], False, 0
    halves = replace(
        halves, pixels=pixels, found=found, second=second, split_sizes=pixels.sum(axis=1)
    )
    groups, mergers = merge_all(halves, labels, NAMES)
    assert groups == [[0, 2], [1]]
    assert mergers[0].kind == "lost"
    assert "an overlap of only 0.00" in mergers[0].reason


def test_cluster_that_keeps_most_of_its_pixels_stays(rng):
    """Its boundary is not sharp, but in other counts it differs from both that share its pixels."""
    labels = np.repeat([0, 1, 2], [700, 600, 300]).reshape(40, 40)
    halves = halves_of(rng, [A, B, np.array([20, 50, 10, 20.0])], sizes(labels))
    pixels = halves.pixels.copy()
    pixels[:, 2] = [90, 80, 130]
    halves = replace(halves, pixels=pixels, split_sizes=pixels.sum(axis=1))
    assert merge_all(halves, labels, NAMES) == ([[0], [1], [2]], [])
