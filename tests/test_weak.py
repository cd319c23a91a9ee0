"""Differences as weak as shot noise: found among the lines of the elements, not made up."""

import numpy as np
import pytest

from hyperspy_clusterquant import compare_clusterings, data
from hyperspy_clusterquant.clusters.components import Axes, denoised, line_basis

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


def test_line_basis_holds_ratios_only(rng):
    """Neither the dose nor all lines together are a direction; every ratio is."""
    profiles = rng.random((4, 60)) ** 8
    background = np.full(60, 0.02)
    mean = np.array([3.0, 2, 1, 0.5]) @ profiles + background
    share = mean / mean.sum()
    basis = line_basis(profiles, share)
    assert basis.shape == (60, 3)
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(np.sqrt(share) @ basis, 0, atol=1e-9)
    other = (np.array([3.0, 2.2, 1, 0.5]) @ profiles + background) / mean.sum()
    assert np.abs(((other - share) / np.sqrt(share)) @ basis).max() > 1e-3


def test_denoised_spectra_differ_along_the_components_only(rng):
    profiles = rng.random((4, 60)) ** 8
    mean = profiles.sum(axis=0) + 0.1
    share = mean / mean.sum()
    basis = line_basis(profiles, share)
    axes = Axes(share, basis[:, :1], np.ones(1), 0.5, 1.0, True, basis)
    spectra = rng.poisson(1e4 * np.array([share, share]))
    found = denoised(spectra, axes)
    np.testing.assert_allclose(found.sum(axis=1), spectra.sum(axis=1))
    whitened = (found / found.sum(axis=1, keepdims=True) - share) / np.sqrt(share)
    rest = whitened - (whitened @ basis[:, :1]) @ basis[:, :1].T
    np.testing.assert_allclose(rest, 0, atol=1e-9)
