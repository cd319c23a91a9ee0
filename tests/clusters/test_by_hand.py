"""Labels that were given, as a workflow."""

import numpy as np

from hyperspy_clusterquant.clusters.by_hand import ByHand
from hyperspy_clusterquant.counts.features import every_channel
from hyperspy_clusterquant.counts.pixels import read_pixels


def test_the_same_whatever_the_counts(rng):
    labels = np.array([[0, 0, 1], [1, -1, -2]])
    recipe = ByHand(labels=labels, n_clusters=3)
    energy = 0.05 * np.arange(1, 41)
    for counts in rng.poisson(3.0, (2, 2, 3, 40)):
        found = recipe.repeat(5).cluster(counts, energy, None, lambda *_: None)
        np.testing.assert_array_equal(found.labels, labels)
        # The third has no pixel here, as on a part of a map.
        assert found.memberships.shape == (3, 2, 3)
        np.testing.assert_array_equal(found.memberships.argmax(0)[labels >= 0], labels[labels >= 0])
        np.testing.assert_array_equal(found.spectra[1], counts[labels == 1].sum(axis=0))
        assert found.spectra[2].sum() == 0
        assert found.label_spectra is None
        assert len(found.scores) == 5


def test_scores_lie_along_what_the_regions_differ_in(rng):
    energy = 0.05 * np.arange(1, 41)
    shape = np.ones((2, 40))
    shape[1, 10:15] = 4.0
    labels = rng.integers(0, 2, 400)
    counts = rng.poisson(2 * shape[labels])
    pixels = read_pixels(counts, energy, every_channel(energy), None, lambda *_: None)
    recipe = ByHand(labels=labels, n_clusters=2)
    scores = recipe.run(pixels, lambda *_: None).scores
    assert scores.shape == (400, 1)
    low, high = (scores[labels == k, 0] for k in (0, 1))
    assert abs(low.mean() - high.mean()) > 3
    # In units of a typical pixel's shot noise.
    assert 0.7 < low.std() < 1.4
