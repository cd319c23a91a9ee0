import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant.clusters.density import density_clusters
from hyperspy_clusterquant.clusters.embedding import (
    draw_landmarks,
    draw_rare_landmarks,
    extend_from_landmarks,
)
from hyperspy_clusterquant.clusters.gaps import join_without_gap
from hyperspy_clusterquant.clusters.labels import drop_empty_and_sort
from hyperspy_clusterquant.clusters.mixture import MAX_CLUSTERS, choose_n_clusters, fit_mixture


def blobs(rng, centres, n=400):
    centres = np.asarray(centres, dtype=float)
    scores = rng.standard_normal((n * len(centres), centres.shape[1])) + np.repeat(centres, n, 0)
    return scores, np.repeat(np.arange(len(centres)), n)


def one_hot(labels):
    return (labels[:, None] == np.arange(labels.max() + 1)).astype(float)


def test_mixture_recovers_blobs_and_their_overlap(rng):
    scores, truth = blobs(rng, [[0, 0], [3.5, 0], [0, 4.5]], n=4000)
    mixture = fit_mixture(scores, 3, "full", 3, 0)
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
        found, _, curve = choose_n_clusters(scores, criterion, 1, "full", 3, 0, rng)
        assert found == n_clusters
        assert len(curve) == MAX_CLUSTERS


def test_mixed_pixels_between_two_phases_are_no_third(rng):
    """Interface pixels fill no gap, but the BIC gives them a cluster of their own."""
    mixed = np.linspace(0, 8, 200)[:, None] + rng.standard_normal((200, 1))
    pure, _ = blobs(rng, [[0.0], [8.0]], n=500)
    scores = np.concatenate([pure, mixed])
    assert choose_n_clusters(scores, "auto", 1, "full", 3, 0, rng)[0] == 2
    assert choose_n_clusters(scores, "bic", 1, "full", 3, 0, rng)[0] > 2


def test_more_groups_than_are_tried_first_are_found(rng):
    scores, _ = blobs(rng, [[9 * i, 9 * j] for i in range(3) for j in range(4)], n=60)
    found, _, curve = choose_n_clusters(scores, "auto", 1, "full", 5, 0, rng)
    assert len(curve) > MAX_CLUSTERS
    assert abs(found - 12) <= 1


def test_phases_that_mix_without_a_gap_need_a_spectrum_each(rng):
    """A triangle filled evenly has no gap, but three corners."""
    corners = np.array([[0.0, 0.0], [12.0, 0.0], [0.0, 12.0]])
    scores = rng.dirichlet([1, 1, 1], 2000) @ corners + rng.standard_normal((2000, 2))
    fit = ("full", 3, 0, rng)
    assert choose_n_clusters(scores, "auto", 1, *fit)[0] == 1
    assert choose_n_clusters(scores, "auto", 3, *fit)[0] == 3


def test_few_pixels_make_few_clusters(rng):
    scores, _ = blobs(rng, [[0.0], [30.0], [60.0]], n=5)
    assert choose_n_clusters(scores, "auto", 3, "full", 3, 0, rng)[0] == 1


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


def test_other_points_follow_their_nearest_landmarks(rng):
    scores, truth = blobs(rng, [[0, 0], [15, 0], [0, 15]])
    landmarks = draw_landmarks(len(scores), 300, rng)
    assert len(np.unique(landmarks)) == 300
    known = one_hot(truth)[landmarks]
    known[truth[landmarks] == 2] = 0  # noise
    memberships, is_noise = extend_from_landmarks(scores[landmarks], known, scores)
    assert np.array_equal(is_noise, truth == 2)
    assert np.array_equal(memberships[truth < 2].argmax(axis=1), truth[truth < 2])


@pytest.mark.parametrize("n_components", [1, 3, 8])
def test_a_rare_kind_keeps_its_chance_among_the_landmarks(n_components, rng):
    """Thirty points in 60000: at random, one of 2000 landmarks; here, enough for a cluster."""
    common = rng.standard_normal((60_000, n_components))
    common[:, 0] += 12.0 * rng.integers(0, 3, 60_000)
    rare = rng.standard_normal((30, n_components))
    rare[:, 0] -= 12.0
    scores = np.concatenate([common, rare]).astype(np.float32)
    landmarks = draw_rare_landmarks(scores, 2000, rng)
    assert len(np.unique(landmarks)) == len(landmarks)
    assert 1800 < len(landmarks) <= 2000
    assert np.sum(landmarks >= 60_000) >= 10
    shares = np.bincount(np.round(scores[landmarks[landmarks < 60_000], 0] / 12).astype(int) + 1)
    assert shares.max() < 0.5 * len(landmarks)


def test_clusters_are_numbered_by_size_without_gaps():
    labels = np.array([2, 2, 2, 0, 0, -1])
    memberships = np.arange(18.0).reshape(6, 3)
    new, sorted_memberships, order = drop_empty_and_sort(labels, memberships)
    assert new.tolist() == [0, 0, 0, 1, 1, -1]
    assert order.tolist() == [2, 0]
    assert np.array_equal(sorted_memberships, memberships[:, [2, 0]])
