"""Sums of both halves of the counts."""

import numpy as np

from hyperspy_clusterquant.explore.halves import Halves


def test_sums_of_both_halves_are_those_of_the_map(mapped, counts, half, rng):
    halves = Halves(counts, half)
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        mask = rng.random((18, 24)) < share
        first, second = halves.sums(mask)
        expected = mapped.data[mask & counts.keep].sum(axis=0)
        np.testing.assert_array_equal((first + second)[10:], expected[10:])
        if share > 0.3:
            assert abs(first.sum() / expected.sum() - 0.5) < 0.02
    alone = Halves(counts, None)
    np.testing.assert_array_equal(alone.sums(mask)[0], alone.sums(mask)[1])
