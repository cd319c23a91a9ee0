import numpy as np
from planted import blobs
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant.clusters.density import density_clusters


def test_density_clusters_and_noise(rng):
    points, truth = blobs(rng, [[0, 0], [20, 0]])
    stray = rng.uniform([-60, 40], [60, 160], (30, 2))
    points = np.concatenate([points, stray])
    (memberships,), n_proposed, fewest = density_clusters(points, points, 50, None, "eom", 0.0)
    assert n_proposed >= 2
    assert fewest in (50, 83)  # leaves of two sizes are tried
    assert memberships.shape == (830, 2)
    assert memberships.max() <= 1
    labels = memberships[:800].argmax(axis=1)
    assert adjusted_rand_score(truth, labels) > 0.99
    assert not memberships[800:].any()


def test_as_many_clusters_as_the_components_need_are_another_start(rng):
    """A cloud that the embedding tears: one cluster by gaps, and leaves joined to three."""
    scores = rng.standard_normal((1500, 2))
    sector = np.digitize(np.arctan2(*scores.T), [-1, 1])
    embedding = rng.standard_normal((1500, 2)) + 20 * np.array([[0, 0], [1, 0], [0, 1]])[sector]
    one, three = density_clusters(embedding, scores, 40, 5, "leaf", 0.0, n_spectra=3)[0]
    assert (one.shape, three.shape) == ((1500, 1), (1500, 3))
    clustered = three.any(axis=1)
    assert adjusted_rand_score(sector[clustered], three[clustered].argmax(axis=1)) > 0.99
    # A start is enough where as many are separated.
    assert len(density_clusters(embedding, embedding, 40, 5, "leaf", 0.0, n_spectra=3)[0]) == 1
