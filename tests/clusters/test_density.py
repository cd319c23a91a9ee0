import numpy as np
from planted import blobs
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant.clusters.density import density_clusters


def test_density_clusters_and_noise(rng):
    points, truth = blobs(rng, [[0, 0], [20, 0]])
    stray = rng.uniform([-60, 40], [60, 160], (30, 2))
    points = np.concatenate([points, stray])
    memberships, n_proposed = density_clusters(points, points, 50, None, "eom", 0.0)
    assert n_proposed >= 2
    assert memberships.shape == (830, 2)
    assert memberships.max() <= 1
    labels = memberships[:800].argmax(axis=1)
    assert adjusted_rand_score(truth, labels) > 0.99
    assert not memberships[800:].any()
