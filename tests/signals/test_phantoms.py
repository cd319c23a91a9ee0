"""The main job on phantoms: five seeds each, against the truth they carry."""

import numpy as np
import pytest

from hyperspy_clusterquant import compare_clusterings, data

SEEDS = range(5)


def agreement(result, s):
    truth = np.asarray(s.metadata.Ground_truth.labels)
    return compare_clusterings(np.where(truth >= 0, result.labels, -2), truth)


def worst_element(s, result, matched):
    """Largest difference in at% between the clusters and the phases they match."""
    table = s.cluster_quantification(result, kfactors=s.metadata.Ground_truth.kfactors)
    truth = s.metadata.Ground_truth
    order = [list(truth.elements).index(element) for element in table.elements]
    return max(
        np.abs(table.atomic_percent[k] - truth.compositions[phase][order]).max()
        for k, phase in matched.items()
    )


@pytest.fixture(scope="module")
def sulfides():
    found = []
    for seed, counts_per_pixel in zip(SEEDS, (150, 165, 180, 190, 200), strict=True):
        s = data.six_cation_sulfide(128, 1024, counts_per_pixel, seed)
        s.cluster_pca_gmm(n_clusters=4)
        s.cluster_umap_hdbscan()
        found.append(s)
    return found


def test_rank_of_the_sulfide(sulfides):
    for s in sulfides:
        assert {r.parameters["n_significant"] for r in s.clusters.values()} <= {2, 3}


def test_workflow_2_finds_four_phases_unaided(sulfides):
    assert sum(s.clusters["umap_hdbscan"].n_clusters == 4 for s in sulfides) >= 4


@pytest.mark.parametrize("workflow", ["pca_gmm", "umap_hdbscan"])
def test_labels_and_compositions_of_the_sulfide(sulfides, workflow):
    ari, errors = [], []
    for s in sulfides:
        result = s.clusters[workflow]
        comparison = agreement(result, s)
        ari.append(comparison.ari)
        if result.n_clusters == 4:
            errors.append(worst_element(s, result, comparison.matched))
    assert np.median(ari) >= 0.75
    assert len(errors) >= 4
    assert max(errors) < 3


@pytest.mark.parametrize("seed", SEEDS)
def test_particles_of_one_composition_are_one_cluster(seed):
    s = data.seven_cation_nanoparticles(128, 1024, seed=seed)
    result = s.cluster_umap_hdbscan(exclude_lines=["C"])
    assert result.parameters["n_significant"] == 0
    assert result.n_clusters == 1
    truth = np.asarray(s.metadata.Ground_truth.labels)
    assert np.mean((result.labels == 0) == (truth == 0)) > 0.95
