"""Labels that are found once, and again when what they depend on is other."""

from dataclasses import replace

import numpy as np
import pytest

from hyperspy_clusterquant import data
from hyperspy_clusterquant.clusters.pca_gmm import PcaGmm
from hyperspy_clusterquant.counts.features import every_channel
from hyperspy_clusterquant.counts.pixels import read_pixels
from hyperspy_clusterquant.evidence.kept_labels import KeptLabels, key_of


def labels(number, size=1000):
    return np.full(size, number)


def test_labels_are_made_once_and_copied():
    kept, made = KeptLabels(), []

    def make():
        made.append(1)
        return labels(3)

    first = kept.find("a", make)
    first[:] = 7
    assert np.array_equal(kept.find("a", make), labels(3))
    assert len(made) == 1


def test_those_that_were_not_used_for_longest_go_first():
    kept = KeptLabels(most_bytes=2 * 4000)
    for key, number in (("a", 0), ("b", 1), ("a", 0), ("c", 2)):
        kept.find(key, lambda number=number: labels(number))
    with pytest.raises(ZeroDivisionError):  # made again
        kept.find("b", lambda: 1 / 0)
    assert np.array_equal(kept.find("a", lambda: 1 / 0), labels(0))


def test_labels_that_are_too_large_are_given_but_not_kept():
    kept = KeptLabels(most_bytes=100)
    assert np.array_equal(kept.find("a", lambda: labels(1)), labels(1))
    assert np.array_equal(kept.find("a", lambda: labels(2)), labels(2))
    # Nor do smaller ones go for them.
    kept.find("small", lambda: labels(3, size=10))
    kept.find("a", lambda: labels(1))
    assert np.array_equal(kept.find("small", lambda: 1 / 0), labels(3, size=10))


@pytest.fixture(scope="module")
def counts():
    return data.six_cation_sulfide(size=24, channels=256).data


def pixels_of(counts, keep=None):
    energy = 0.02 * np.arange(counts.shape[-1])
    mask = None if keep is None else ~keep
    channels = every_channel(energy, None)
    return read_pixels(counts, energy, channels, mask, lambda *_: None)


def test_the_key_is_of_counts_pixels_energies_and_recipe(counts):
    recipe, pixels = PcaGmm(n_clusters=4), pixels_of(counts)
    key = key_of(pixels, recipe)
    assert key_of(pixels_of(counts.copy()), PcaGmm(n_clusters=4)) == key
    moved = counts.copy()
    moved[0, 0, 50] += 1
    moved[0, 1, 50] -= moved[0, 1, 50] > 0
    swapped = counts.copy()
    swapped[..., [115, 120]] = swapped[..., [120, 115]]  # at a line and beside it
    keep = np.ones((24, 24), dtype=bool)
    keep[3, 3] = False
    half = replace(pixels, blocks=pixels.blocks.thinned([0, 7, 0]))
    another = replace(pixels, blocks=pixels.blocks.thinned([0, 7, 1]))
    keys = {
        key,
        key_of(pixels_of(moved), recipe),
        key_of(pixels_of(swapped), recipe),
        key_of(pixels_of(counts, keep), recipe),
        key_of(pixels, PcaGmm(n_clusters=4, energy_range=(0.3, 5.0))),
        key_of(pixels, PcaGmm(n_clusters=5)),
        key_of(half, recipe),
        key_of(another, recipe),
    }
    assert len(keys) == 8
