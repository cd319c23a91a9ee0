"""Differences as weak as shot noise: found among the lines of the elements, not made up."""

import numpy as np
import pytest

from hyperspy_clusterquant import compare_clusterings, data

PARTICLES = {"size": 96, "channels": 1024, "counts_per_pixel": 100}


def ari(s, result):
    truth = np.asarray(s.metadata.Ground_truth.labels)
    return compare_clusterings(np.where(truth >= 0, result.labels, -2), truth).ari


@pytest.mark.parametrize("workflow", ["cluster_pca_gmm", "cluster_umap_hdbscan"])
def test_one_composition_stays_one_cluster(workflow):
    for seed in range(3):
        s = data.seven_cation_nanoparticles(**PARTICLES, seed=40 + seed)
        assert getattr(s, workflow)(exclude_lines=["C"]).n_clusters == 1


def test_cores_with_more_of_one_element_are_found():
    for seed in range(3):
        s = data.seven_cation_nanoparticles(**PARTICLES, seed=40 + seed, core={"Cu": 4.0})
        result = s.cluster_pca_gmm(2, exclude_lines=["C"])
        assert result.parameters["components_are"] == "weak in lines"
        assert ari(s, result) > 0.6


def test_cores_are_found_by_default():
    s = data.seven_cation_nanoparticles(**PARTICLES, seed=41, core={"Cu": 6.0})
    result = s.cluster_pca_gmm(exclude_lines=["C"])
    assert result.n_clusters == 2
    assert ari(s, result) > 0.7


def test_without_declared_elements_there_are_no_lines_to_look_among():
    s = data.seven_cation_nanoparticles(**PARTICLES, seed=40, core={"Cu": 2.0})
    s.set_elements([])
    with pytest.warns(UserWarning, match="Nothing varies"):
        result = s.cluster_pca_gmm(2, exclude_lines=["C"])
    assert result.n_clusters == 1
    assert result.parameters["components_are"] == "spectrum"


def test_what_the_user_sets_is_kept():
    s = data.seven_cation_nanoparticles(**PARTICLES, seed=40, core={"Cu": 4.0})
    result = s.cluster_pca_gmm(2, exclude_lines=["C"], binning=3, neighbourhood=2.0)
    assert result.parameters["binning_used"] == 3
    assert result.parameters["neighbourhood_used"] == 2.0


def test_strong_components_are_left_as_they_are(clustered):
    assert clustered.clusters["pca_gmm"].parameters["components_are"] == "spectrum"


@pytest.mark.parametrize("element", ["Au", "Pt", "U"])
def test_heavy_elements_do_not_stop_the_search(element):
    """Their M shells have several families of lines."""
    s = data.seven_cation_nanoparticles(**PARTICLES, seed=40)
    s.add_elements([element])
    assert s.cluster_pca_gmm(exclude_lines=["C"]).n_clusters == 1
