"""Splits of the counts: the parts are all of it, and what is learned is the same for any chunks."""

import numpy as np
import pytest

from hyperspy_clusterquant import data
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.clusters.pca_gmm import PcaGmm
from hyperspy_clusterquant.counts.features import channel_mask, every_channel
from hyperspy_clusterquant.counts.pixels import read_pixels, sum_labels
from hyperspy_clusterquant.evidence import splits
from hyperspy_clusterquant.evidence.kept_labels import KeptLabels
from hyperspy_clusterquant.evidence.splits import half_labels, split_again


@pytest.fixture(scope="module")
def sulfide():
    s = data.six_cation_sulfide(size=48, channels=512, counts_per_pixel=200)
    s.cluster_pca_gmm(4, exclude_lines=["C"], show_progressbar=False)
    return s


def recipe_and_pixels(s, result):
    """What is to be repeated, and the counts of all channels."""
    recipe = result.recipe.repeat(0)
    energy = s.axes_manager.signal_axes[0].axis
    channels = every_channel(energy, recipe.energy_range)
    mask = result.labels == MASKED
    return recipe, read_pixels(s.data, energy, channels, mask, lambda *_: None)


def test_halves_are_all_the_counts(sulfide):
    result = sulfide.clusters["pca_gmm"]
    recipe, pixels = recipe_and_pixels(sulfide, result)
    split = split_again(pixels, recipe, [0, 0])
    energy = sulfide.axes_manager.signal_axes[0].axis
    for k in range(4):
        members = np.zeros(result.labels.shape, dtype=bool)
        members[pixels.keep] = split.labels == k
        total = sulfide.data[members].sum(axis=0)
        np.testing.assert_array_equal((split.first + split.second)[k], total * (energy >= 0.1))
    # Also in the energies that the clusters are not learned from.
    carbon = np.abs(energy - 0.277) < 0.03
    assert split.first[:, carbon].sum() > 100


def test_the_same_clusters_come_back(sulfide):
    result = sulfide.clusters["pca_gmm"]
    recipe, pixels = recipe_and_pixels(sulfide, result)
    labels, _ = half_labels(pixels, recipe, [0, 0])
    assert np.mean(labels == result.labels[pixels.keep]) > 0.9


def test_masked_pixels_and_energies_stay_out(sulfide):
    mask = np.zeros((48, 48), dtype=bool)
    mask[:10] = True
    result = sulfide.cluster_pca_gmm(
        4, navigation_mask=mask, energy_range=(0.05, 8.0), name="masked", show_progressbar=False
    )
    _, pixels = recipe_and_pixels(sulfide, result)
    assert np.array_equal(pixels.keep, ~mask)
    sums = sum_labels(pixels, np.zeros(pixels.keep.sum(), dtype=int), 1)
    energy = sulfide.axes_manager.signal_axes[0].axis
    np.testing.assert_array_equal(sums[0], sulfide.data[10:].sum(axis=(0, 1)) * (energy >= 0.05))


def test_clusters_are_learned_on_the_first_half_only(sulfide, monkeypatch):
    """What the workflow is given are the counts of the first half, and of no other."""
    result = sulfide.clusters["pca_gmm"]
    recipe, pixels = recipe_and_pixels(sulfide, result)
    given, run = [], PcaGmm.run

    def watched(self, to_learn, progress):
        given.append(sum(to_learn.blocks.map(lambda counts: counts.sum())))
        assert to_learn.totals.sum() == given[0]
        return run(self, to_learn, progress)

    monkeypatch.setattr(PcaGmm, "run", watched)
    split = split_again(pixels, recipe, [0, 0])
    energy = sulfide.axes_manager.signal_axes[0].axis
    used = channel_mask(energy, None, recipe.excluded)
    first, second = split.first[:, used].sum(), split.second[:, used].sum()
    assert given[0] == pytest.approx(first)
    assert abs(first - second) < 5 * np.sqrt(first + second)


def test_who_asks_for_the_same_half_again_does_not_wait(sulfide, monkeypatch):
    monkeypatch.setattr(splits, "_kept", KeptLabels())
    recipe, pixels = recipe_and_pixels(sulfide, sulfide.clusters["pca_gmm"])
    first, _ = half_labels(pixels, recipe, [0, 5])
    monkeypatch.setattr(PcaGmm, "run", lambda *_: pytest.fail("learned twice"))
    again, half = half_labels(pixels, recipe, [0, 5])
    assert np.array_equal(again, first)
    assert 0 < half.blocks.sum(lambda counts: counts.sum()) < pixels.totals.sum()
