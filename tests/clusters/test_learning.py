"""Differences as weak as shot noise: found among the lines of the elements, not made up."""

import numpy as np
import pytest
import samples

from hyperspy_clusterquant import compare_clusterings, data

PARTICLES = {"size": 96, "channels": 1024, "counts_per_pixel": 100}


def ari(s, result):
    truth = np.asarray(s.metadata.Ground_truth.labels)
    return compare_clusterings(np.where(truth >= 0, result.labels, -2), truth).ari


WORKFLOWS = ["cluster_pca_gmm", "cluster_umap_hdbscan"]


@pytest.mark.parametrize("workflow", WORKFLOWS)
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


# --- what is no chemistry ---------------------------------------------------------------


@pytest.mark.parametrize("name", list(samples.COMPOUNDS))
def test_a_wedge_is_one_cluster(name):
    """From 20 to 300 nm of one compound: soft lines are absorbed, and ratios change."""
    s = samples.absorbed(name)
    for workflow in WORKFLOWS:
        assert getattr(s, workflow)(exclude_lines=["C"]).n_clusters == 1
    # It is there to be seen by who looks at it.
    kept = s.cluster_pca_gmm(exclude_lines=["C"], absorption="keep", name="kept")
    assert kept.parameters["n_significant"] > 0


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_two_compositions_in_a_wedge_are_two_clusters(workflow):
    """Ni45Al55 in NiAl, which differ less than the thin and the thick end do."""
    s = samples.absorbed("NiAl", contrast=5.0)
    result = getattr(s, workflow)(exclude_lines=["C"])
    assert result.n_clusters == 2
    assert ari(s, result) > 0.5


@pytest.mark.parametrize("workflow", WORKFLOWS)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_more_counts_never_find_less(workflow, seed):
    """An element that was not declared, in half of the map, at 50 to 400 counts a pixel."""
    agreement = []
    for counts in (50, 100, 200, 400):
        s = samples.light_element(counts, seed)
        result = getattr(s, workflow)(exclude_lines=["C"])
        assert result.n_clusters == 2
        agreement.append(ari(s, result))
    assert agreement[0] > 0.7
    # Of pixels at borders it may be one or the other.
    assert np.diff(agreement).min() > -0.02


def test_nuisance_inside_is_what_varies_beyond_noise():
    """Nothing in a foil; in a wedge what its columns, of one thickness each, differ in."""
    flat, _ = samples.learned(samples.two_phases(0, 60.0, size=64), absorption="ignore")
    s = samples.absorbed("NiAl", 200.0)
    wedge, _ = samples.learned(s, absorption="ignore")
    found = [
        learning.nuisance_inside(np.ones((len(learning.pixels.totals), 1)))
        for learning in (flat, wedge)
    ]
    for matrix in found:
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
        assert np.linalg.eigvalsh(matrix).min() > -1e-12
    # In units of the noise of a pixel.
    assert flat.pixels.per_pixel * np.linalg.eigvalsh(found[0]).max() < 0.1
    columns = s.data.sum(axis=0, dtype=float)
    used = wedge.pixels.channels >= 0
    features = np.array([np.bincount(wedge.pixels.channels[used], x[used]) for x in columns])
    doses = features.sum(axis=1)
    share = features.sum(axis=0) / doses.sum()
    scores = (features / doses[:, None] - share) / np.sqrt(share) @ wedge.reduction.nuisance
    weights = doses / doses.sum()
    expected = (scores.T * weights) @ scores - np.eye(scores.shape[1]) * len(doses) / doses.sum()
    largest = [np.linalg.eigvalsh(matrix).max() for matrix in (found[1], expected)]
    assert largest[0] == pytest.approx(largest[1], rel=0.15)
    assert wedge.pixels.per_pixel * largest[1] > 0.5
