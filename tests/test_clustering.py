import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant import clustering, counts


def blobs(rng, centres, n=400):
    centres = np.asarray(centres, dtype=float)
    scores = rng.standard_normal((n * len(centres), centres.shape[1])) + np.repeat(centres, n, 0)
    return scores, np.repeat(np.arange(len(centres)), n)


def one_hot(labels):
    return (labels[:, None] == np.arange(labels.max() + 1)).astype(float)


def test_mixture_recovers_blobs_and_their_overlap(rng):
    scores, truth = blobs(rng, [[0, 0], [3.5, 0], [0, 4.5]], n=4000)
    mixture = clustering.gaussian_mixture(scores, 3, "full", 3, 0)
    responsibilities = mixture.predict_proba(scores)
    assert adjusted_rand_score(truth, responsibilities.argmax(axis=1)) > 0.8
    # Of what is said to belong with 80 to 90 %, as much does.
    matched = [np.bincount(truth[responsibilities.argmax(1) == k]).argmax() for k in range(3)]
    said = (responsibilities > 0.8) & (responsibilities < 0.9)
    belongs = truth[:, None] == np.array(matched)
    assert belongs[said].mean() == pytest.approx(responsibilities[said].mean(), abs=0.05)


@pytest.mark.parametrize("n_clusters", [1, 2, 4])
def test_number_of_clusters_by_both_criteria(n_clusters, rng):
    scores, _ = blobs(rng, [[0, 0], [8, 0], [0, 8], [8, 8]][:n_clusters])
    for criterion in ("auto", "bic"):
        found, curve = clustering.choose_n_clusters(scores, criterion, "full", 3, 0, rng)
        assert found == n_clusters
        assert len(curve) == clustering.MAX_CLUSTERS


def test_mixed_pixels_between_two_phases_are_no_third(rng):
    """The integrated completed likelihood is drawn less to interfaces than the BIC."""
    mixed = np.linspace(0, 8, 200)[:, None] + rng.standard_normal((200, 1))
    pure, _ = blobs(rng, [[0.0], [8.0]], n=500)
    scores = np.concatenate([pure, mixed])
    assert clustering.choose_n_clusters(scores, "auto", "full", 3, 0, rng)[0] == 2
    assert clustering.choose_n_clusters(scores, "bic", "full", 3, 0, rng)[0] > 2


def test_density_clusters_and_noise(rng):
    points, truth = blobs(rng, [[0, 0], [20, 0]])
    stray = rng.uniform([-60, 40], [60, 160], (30, 2))
    memberships = clustering.hdbscan_memberships(np.concatenate([points, stray]), 50, None, "eom")
    assert memberships.shape == (830, 2)
    assert memberships.max() <= 1
    labels = memberships[:800].argmax(axis=1)
    assert adjusted_rand_score(truth, labels) > 0.99
    assert not memberships[800:].any()


def test_a_torn_cloud_is_joined_and_a_real_gap_kept(rng):
    scores, truth = blobs(rng, [[0, 0], [9, 0]], n=900)
    # Tear each of the two blobs into three pieces, as an embedding would.
    pieces = 3 * truth + np.clip((scores[:, 1] + 1.5) // 1.0, 0, 2).astype(int)
    joined = clustering.merge_without_gap(scores, one_hot(pieces))
    assert joined.shape[1] == 2
    assert adjusted_rand_score(truth, joined.argmax(axis=1)) == 1.0


def test_tearing_a_single_cloud_leaves_one_cluster(rng):
    wrong = 0
    for _ in range(50):
        scores = rng.standard_normal((1000, 2))
        angle = rng.uniform(0, np.pi)
        pieces = np.digitize(scores @ [np.cos(angle), np.sin(angle)], [-1.0, 0.0, 1.0])
        wrong += clustering.merge_without_gap(scores, one_hot(pieces)).shape[1] > 1
    assert wrong <= 2


def test_noise_in_the_gap_closes_it(rng):
    scores, truth = blobs(rng, [[0.0], [8.0]], n=300)
    between = rng.normal(4, 2.5, (3000, 1))
    memberships = np.concatenate([one_hot(truth), np.zeros((3000, 2))])
    together = clustering.merge_without_gap(np.concatenate([scores, between]), memberships)
    assert together.shape[1] == 1
    assert clustering.merge_without_gap(scores, one_hot(truth)).shape[1] == 2


def test_other_points_follow_their_nearest_landmarks(rng):
    scores, truth = blobs(rng, [[0, 0], [15, 0], [0, 15]])
    landmarks = clustering.draw_landmarks(len(scores), 300, rng)
    assert len(np.unique(landmarks)) == 300
    known = one_hot(truth)[landmarks]
    known[truth[landmarks] == 2] = 0  # noise
    memberships, is_noise = clustering.extend_from_landmarks(scores[landmarks], known, scores)
    assert np.array_equal(is_noise, truth == 2)
    assert np.array_equal(memberships[truth < 2].argmax(axis=1), truth[truth < 2])


def test_likelihood_memberships_are_posterior_probabilities(rng):
    """Bayes' rule by hand, and calibration: of what is said with 0.8-0.9, as much is true."""
    shares = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
    prior = np.array([0.7, 0.3])
    truth = (rng.random(40_000) < prior[1]).astype(int)
    x = rng.poisson(8 * shares[truth])
    memberships = clustering.likelihood_memberships(
        counts.to_features(x, np.arange(3), 3), 1e9 * shares, prior, np.ones(40_000, bool), 0.0
    )
    by_hand = prior * np.prod(shares ** x[:, None, :], axis=2)
    np.testing.assert_allclose(memberships, by_hand / by_hand.sum(axis=1, keepdims=True), rtol=1e-4)
    said = (memberships > 0.8) & (memberships < 0.9)
    belongs = truth[:, None] == [0, 1]
    assert belongs[said].mean() == pytest.approx(memberships[said].mean(), abs=0.02)


def test_pooling_neighbours_helps_where_counts_are_few(rng):
    shares = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
    truth = np.zeros((64, 64), int)
    truth[:, 32:] = 1
    keep = np.ones((64, 64), bool)
    keep[:5] = False
    x = rng.poisson(2 * shares[truth[keep]])
    alone, pooled = (
        clustering.likelihood_memberships(
            counts.to_features(x, np.arange(3), 3), 1e6 * shares, np.array([0.5, 0.5]), keep, sigma
        ).argmax(axis=1)
        for sigma in (0.0, 2.0)
    )
    assert np.mean(alone == truth[keep]) < 0.85
    assert np.mean(pooled == truth[keep]) > 0.97


def test_clusters_are_numbered_by_size_without_gaps():
    labels = np.array([2, 2, 2, 0, 0, -1])
    memberships = np.arange(18.0).reshape(6, 3)
    new, sorted_memberships, order = clustering.drop_empty_and_sort(labels, memberships)
    assert new.tolist() == [0, 0, 0, 1, 1, -1]
    assert order.tolist() == [2, 0]
    assert np.array_equal(sorted_memberships, memberships[:, [2, 0]])
