"""The half of a map that was looked at is remembered with the map: see also `test_exploring`."""

import numpy as np
import pytest

from hyperspy_clusterquant import data
from hyperspy_clusterquant.counts.features import every_channel
from hyperspy_clusterquant.counts.pixels import read_pixels
from hyperspy_clusterquant.signals.halves import HalfOfMap, counts_in, half_of, without


@pytest.fixture
def mapped():
    s = data.six_cation_sulfide(size=(18, 24), channels=256, counts_per_pixel=120)
    s.clusters_from_labels(np.arange(18)[:, None] // 9 * np.ones((1, 24), dtype=int))
    return s


def test_pixels_that_are_left_out_do_not_change_the_half_of_others(mapped, rng):
    energy = 0.04 * np.arange(256)
    whole = read_pixels(mapped.data, energy, every_channel(energy), None, lambda *_: None)
    mask = rng.random((18, 24)) < 0.4
    rest, half = without(whole, mask), half_of(whole, [5])
    assert counts_in(rest) == mapped.data[~mask][:, 3:].sum() == rest.totals.sum()
    assert counts_in(without(half, mask)) == counts_in(half_of(rest, [5]))
    assert abs(counts_in(half) / counts_in(whole) - 0.5) < 0.01


def test_it_survives_results_that_come_and_go(mapped):
    recipe = mapped.clusters["by_hand"].recipe
    known = HalfOfMap(mapped)
    assert known.known is None
    assert len(known) == 0
    mapped.explore_clusters(random_state=4)
    known.number_of("a")
    mapped.remove_clusters("by_hand")
    assert not mapped.clusters
    assert len(HalfOfMap(mapped.deepcopy())) == 1
    assert known.seed(recipe, None)[0] == 4
    with pytest.raises(ValueError, match="random_state=4"):
        known.seed(recipe, 5)
