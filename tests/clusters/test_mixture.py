import numpy as np
import pytest
from planted import blobs
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant.clusters.mixture import (
    MAX_CLUSTERS,
    fit_mixture,
    least_bic,
    separated_groups,
)


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
    found, curve = least_bic(scores, "full", 3, 0, rng)
    assert found == n_clusters
    assert len(curve) == MAX_CLUSTERS
    groups = separated_groups(scores, 1, "full", 3, 0, rng)
    assert [start.shape for start in groups.starts] == [(len(scores), n_clusters)]
    assert len(groups.curve) == MAX_CLUSTERS


def test_mixed_pixels_between_two_phases_are_no_third(rng):
    """Interface pixels fill no gap, but the BIC gives them a cluster of their own."""
    mixed = np.linspace(0, 8, 200)[:, None] + rng.standard_normal((200, 1))
    pure, _ = blobs(rng, [[0.0], [8.0]], n=500)
    scores = np.concatenate([pure, mixed])
    assert separated_groups(scores, 1, "full", 3, 0, rng).starts[0].shape[1] == 2
    assert least_bic(scores, "full", 3, 0, rng)[0] > 2


def test_more_groups_than_are_tried_first_are_found(rng):
    scores, _ = blobs(rng, [[9 * i, 9 * j] for i in range(3) for j in range(4)], n=60)
    groups = separated_groups(scores, 1, "full", 5, 0, rng)
    assert len(groups.curve) > MAX_CLUSTERS
    assert abs(groups.starts[0].shape[1] - 12) <= 1


def test_phases_that_mix_without_a_gap_need_a_spectrum_each(rng):
    """A triangle filled evenly has no gap, but three corners."""
    corners = np.array([[0.0, 0.0], [12.0, 0.0], [0.0, 12.0]])
    scores = rng.dirichlet([1, 1, 1], 2000) @ corners + rng.standard_normal((2000, 2))
    fit = ("full", 3, 0, rng)
    assert [s.shape[1] for s in separated_groups(scores, 1, *fit).starts] == [1]
    first, second = separated_groups(scores, 3, *fit).starts
    assert (first.shape[1], second.shape[1]) == (1, 3)
    np.testing.assert_allclose(second.sum(axis=1), 1, atol=1e-5)


def test_few_pixels_make_few_clusters(rng):
    scores, _ = blobs(rng, [[0.0], [30.0], [60.0]], n=5)
    groups = separated_groups(scores, 3, "full", 3, 0, rng)
    assert [start.shape for start in groups.starts] == [(15, 1)]


def test_groups_that_are_joined_keep_the_memberships_of_their_gaussians(rng):
    """Of a square filled evenly and a blob: the square needs several, and is one group."""
    square, blob = rng.uniform(0, 12, (3000, 2)), rng.normal([30, 6], 1, (500, 2))
    scores = np.concatenate([square, blob])
    (start,) = separated_groups(scores, 1, "full", 3, 0, rng).starts
    np.testing.assert_allclose(start.sum(axis=1), 1, atol=1e-5)
    truth = np.repeat([0, 1], [3000, 500])
    assert adjusted_rand_score(truth, start.argmax(axis=1)) > 0.99


def test_more_pixels_than_are_looked_at_all_get_memberships(rng, monkeypatch):
    scores, truth = blobs(rng, [[0, 0], [9, 0]], n=1500)
    whole = separated_groups(scores, 1, "full", 3, 0, rng).starts[0]
    monkeypatch.setattr("hyperspy_clusterquant.clusters.mixture.SELECTION_PIXELS", 800)
    drawn = separated_groups(scores, 1, "full", 3, 0, rng).starts[0]
    assert drawn.shape == whole.shape == (3000, 2)
    assert adjusted_rand_score(truth, drawn.argmax(axis=1)) > 0.99
