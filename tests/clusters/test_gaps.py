import numpy as np
from planted import blobs, one_hot
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant.clusters.gaps import join_without_gap


def test_a_torn_cloud_is_joined_and_a_real_gap_kept(rng):
    scores, truth = blobs(rng, [[0, 0], [9, 0]], n=900)
    # Tear each of the two blobs into three pieces, as an embedding would.
    pieces = 3 * truth + np.clip((scores[:, 1] + 1.5) // 1.0, 0, 2).astype(int)
    joined = join_without_gap(scores, one_hot(pieces))
    assert joined.shape[1] == 2
    assert adjusted_rand_score(truth, joined.argmax(axis=1)) == 1.0


def test_tearing_a_single_cloud_leaves_one_cluster(rng):
    wrong = 0
    for _ in range(50):
        scores = rng.standard_normal((1000, 2))
        angle = rng.uniform(0, np.pi)
        pieces = np.digitize(scores @ [np.cos(angle), np.sin(angle)], [-1.0, 0.0, 1.0])
        wrong += join_without_gap(scores, one_hot(pieces)).shape[1] > 1
    assert wrong <= 2


def test_noise_in_the_gap_closes_it(rng):
    scores, truth = blobs(rng, [[0.0], [8.0]], n=300)
    between = rng.normal(4, 2.5, (3000, 1))
    memberships = np.concatenate([one_hot(truth), np.zeros((3000, 2))])
    together = join_without_gap(np.concatenate([scores, between]), memberships)
    assert together.shape[1] == 1
    assert join_without_gap(scores, one_hot(truth)).shape[1] == 2


def test_a_small_cluster_is_not_lost_to_the_spread_of_a_large_one(rng):
    large = rng.normal(0, [12, 1], (3000, 2))
    small = rng.normal([0, 11], 1, (60, 2))
    pieces = np.r_[np.clip((large[:, 0] + 18) // 6, 0, 5).astype(int), np.full(60, 6)]
    joined = join_without_gap(np.concatenate([large, small]), one_hot(pieces))
    assert joined.shape[1] == 2
    assert joined[3000:].any(axis=0).sum() == 1


def test_no_more_is_joined_than_wanted(rng):
    scores = rng.standard_normal((900, 1))
    pieces = np.digitize(scores[:, 0], [-0.5, 0.5])
    assert join_without_gap(scores, one_hot(pieces), 2).shape[1] == 2
