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


def test_landmarks_propose_and_all_points_are_searched_for_gaps(rng):
    """Clumps of few landmarks that nothing separates in the scores of all points."""
    centres = [[0, 0], [0, 6], [14, 0]]
    scores, truth = blobs(rng, centres)
    landmarks = np.sort(rng.choice(len(scores), len(scores) // 3, replace=False))
    # The embedding tears the second cluster in two, of which no gap is to be seen.
    torn = np.where((truth == 1) & (scores[:, 0] > 0), 3, truth)[landmarks]
    embedding = rng.standard_normal((len(landmarks), 2)) + 30 * np.c_[torn, torn**2]
    (memberships,), n_proposed, _ = density_clusters(
        embedding, scores, 20, 5, "leaf", 0.0, landmarks=landmarks
    )
    assert n_proposed >= 4
    assert memberships.shape == (len(scores), 3)
    clustered = memberships.any(axis=1)
    assert clustered.mean() > 0.9
    labels = memberships.argmax(axis=1)
    assert adjusted_rand_score(truth[clustered], labels[clustered]) > 0.98
    # What was embedded keeps what HDBSCAN said of it.
    whole = density_clusters(embedding, scores[landmarks], 20, 5, "leaf", 0.0)[0][0]
    assert np.array_equal(whole.any(axis=1), memberships[landmarks].any(axis=1))
