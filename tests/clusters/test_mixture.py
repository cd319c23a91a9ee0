import numpy as np
import pytest
from planted import blobs
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant.clusters.mixture import MAX_CLUSTERS, choose_n_clusters, fit_mixture


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
