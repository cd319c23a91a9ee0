"""Sums of both halves of the counts."""

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_clusterquant import data
from hyperspy_clusterquant.counts.features import every_channel
from hyperspy_clusterquant.counts.pixels import read_pixels
from hyperspy_clusterquant.explore.halves import Halves


@pytest.fixture(scope="module")
def mapped():
    s = data.six_cation_sulfide(size=(18, 24), channels=256, counts_per_pixel=120)
    s.clusters_from_labels(np.where(s.metadata.Ground_truth.labels == 0, 0, 1))
    return s


@pytest.fixture(scope="module")
def counts(mapped):
    energy = 0.04 * np.arange(256)
    return read_pixels(mapped.data, energy, every_channel(energy), None, lambda *_: None)


def _half(counts):
    return replace(counts, blocks=counts.blocks.thinned([3]))


def test_sums_of_both_halves_are_those_of_the_map(mapped, counts, rng):
    halves = Halves(counts, _half(counts))
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        mask = rng.random((18, 24)) < share
        first, second = halves.sums(mask)
        expected = mapped.data[mask & counts.keep].sum(axis=0)
        np.testing.assert_array_equal((first + second)[10:], expected[10:])
        if share > 0.3:
            assert abs(first.sum() / expected.sum() - 0.5) < 0.02
    alone = Halves(counts, None)
    np.testing.assert_array_equal(alone.sums(mask)[0], alone.sums(mask)[1])
