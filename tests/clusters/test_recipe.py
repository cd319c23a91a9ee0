"""What is asked and chosen, as an object: run, read back, repeated, binned."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from hyperspy_clusterquant import data
from hyperspy_clusterquant.clusters.catalogue import WORKFLOWS
from hyperspy_clusterquant.clusters.pca_gmm import PcaGmm
from hyperspy_clusterquant.clusters.recipe import Recipe
from hyperspy_clusterquant.clusters.umap_hdbscan import UmapHdbscan
from hyperspy_clusterquant.results.resampled import binned


@pytest.fixture(scope="module")
def results():
    s = data.six_cation_sulfide(size=(40, 48), channels=512, counts_per_pixel=200)
    first = s.cluster_pca_gmm(n_clusters=4, exclude_lines=["C"], energy_range=(0.3, 5.0))
    s.cluster_umap_hdbscan("3000 nm^2", metric="euclidean")
    s.assign_clusters(first, name="assigned")
    return s, s.clusters


@pytest.mark.parametrize("name", ["pca_gmm", "umap_hdbscan", "assigned"])
def test_parameters_are_the_readable_view_of_the_recipe(results, name):
    result = results[1][name]
    recipe = result.recipe
    assert type(recipe) is WORKFLOWS[result.workflow]
    written = json.loads(json.dumps(result.parameters))
    assert recipe.parameters == written
    # A second time, as from a file.
    again = replace(result, parameters=written).recipe
    assert again == recipe
    assert pickle.loads(pickle.dumps(recipe)) == recipe


def test_what_was_asked_and_what_was_chosen_are_told_apart(results):
    recipe = results[1]["pca_gmm"].recipe
    assert (recipe.n_clusters, recipe.exclude_lines) == (4, ("C",))
    assert recipe.energy_range == (0.3, 5.0)
    assert recipe.binning == "auto"
    assert recipe.chosen["binning_used"] >= 1
    assert recipe.elements == ("Ag", "Cd", "Cu", "Fe", "Mn", "S", "Zn")
    dense = results[1]["umap_hdbscan"].recipe
    assert dense.min_cluster_size == "3000 nm^2"
    # Pixels of 25 x 25 nm.
    assert dense.smallest == dense.chosen["smallest_cluster_pixels"] == round(3000 / 25**2)


def test_a_repeat_asks_for_what_was_chosen(results):
    recipe = results[1]["umap_hdbscan"].recipe
    again = recipe.repeat(7)
    assert again.random_state == 7
    assert again.binning == recipe.chosen["binning_used"]
    assert again.neighbourhood == recipe.chosen["neighbourhood_used"]
    assert again.n_components == recipe.chosen["n_components_found"]
    assert not again.chosen
    # The one it was made from stays as it was.
    assert recipe.random_state == 0


def test_a_number_that_was_found_is_asked_for_in_a_repeat():
    s = data.six_cation_sulfide(size=40, channels=512, counts_per_pixel=300)
    recipe = s.cluster_pca_gmm().recipe
    assert recipe.n_clusters == "auto"
    assert recipe.repeat(0).n_clusters == recipe.chosen["n_clusters_found"] == 4
    assert PcaGmm().repeat(0).n_clusters == "auto"


def test_recipes_follow_the_bins_of_a_map():
    known = {
        "binning_used": 4, "neighbourhood_used": 3.0, "smallest_cluster_pixels": 90,
    }  # fmt: skip
    binned = UmapHdbscan(chosen=known).for_bins((2, 2))
    assert binned.chosen == {
        "binning_used": 2, "neighbourhood_used": 1.5, "smallest_cluster_pixels": 22,
    }  # fmt: skip
    again = binned.repeat(0)
    assert (again.binning, again.neighbourhood) == (2, 1.5)
    assert PcaGmm().for_bins((2, 2)) == PcaGmm()


def test_a_recipe_cannot_be_changed_and_checks_what_it_is_told():
    recipe = PcaGmm(exclude_lines=["C"])
    with pytest.raises(AttributeError):
        recipe.n_clusters = 3
    with pytest.raises(TypeError, match="cannot be changed"):
        recipe.chosen["seed"] = 1
    for wrong, match in (
        ({"n_clusters": "many"}, "`n_clusters` must be"),
        ({"random_state": 2**32}, "less than"),
        ({"energy_range": (3, 1)}, "lowest, highest"),
        ({"covariance_type": "round"}, "`covariance_type` must be"),
    ):
        with pytest.raises(ValueError, match=match):
            PcaGmm(**wrong)
    with pytest.raises(TypeError, match="not a workflow"):
        Recipe().run(None, None)


def test_results_that_do_not_say_how_they_were_made_say_so(results):
    s, known = results
    by_hand = replace(known["pca_gmm"], parameters={})
    with pytest.raises(ValueError, match="does not say how it was made"):
        _ = by_hand.recipe
    foreign = replace(known["pca_gmm"], workflow="k-means")
    with pytest.raises(ValueError, match="made by 'k-means', which cannot be done again"):
        s.cluster_stability(foreign, 1)
    assert binned(by_hand, (2, 2), by_hand.axes).parameters == {}
    newer = replace(
        known["pca_gmm"], parameters=known["pca_gmm"].parameters | {"n_clusters": "gap"}
    )
    with pytest.raises(ValueError, match="'pca_gmm' was made in a way that this version does not"):
        _ = newer.recipe
    assert binned(newer, (2, 2), newer.axes).parameters["n_clusters"] == "gap"


def test_results_of_before_recipes_are_repeated_with_what_the_map_says(results):
    """They do not hold elements, beam energy and resolution."""
    s, known = results
    new = ("elements", "beam_energy", "energy_resolution")
    old = replace(
        known["pca_gmm"],
        parameters={k: v for k, v in known["pca_gmm"].parameters.items() if k not in new},
    )
    expected = s.cluster_stability(known["pca_gmm"], 1, vary="counts")
    found = s.cluster_stability(old, 1, vary="counts")
    np.testing.assert_array_equal(found.agreement, expected.agreement)


def test_a_rare_phase_is_found_again_in_a_repeat():
    """Two grains of titanium, in bins of two pixels too few: they are found as departures.

    The search for what bins do not show was not repeated once, and the grains were called "not
    stable", with an overlap of zero.
    """
    s = data.six_cation_sulfide(80, 512, 25)
    rare = np.zeros((80, 80), bool)
    rare[20:25, 21:26] = rare[45:50, 10:15] = True
    energy = s.axes_manager.signal_axes[0].axis
    titanium = np.exp(-0.5 * ((energy - 4.51) / 0.05) ** 2)
    counts = np.random.default_rng(0).poisson(25 * titanium / titanium.sum(), (50, 512))
    s.data[rare] += counts.astype(s.data.dtype)
    result = s.cluster_umap_hdbscan(25, exclude_lines=["C"])
    assert result.parameters["binning_used"] == 2
    grains = int(np.bincount(result.labels[rare] + 2).argmax() - 2)
    assert 45 <= result.sizes[grains] <= 60
    stable = s.cluster_stability(result, n_resamples=1, vary="counts")
    assert stable.per_cluster[grains] > 0.9


def test_a_repeat_does_not_complain_of_a_smaller_map(results):
    """Of a part of the map, the smallest cluster that was asked for may be all there is."""
    recipe = results[1]["umap_hdbscan"].recipe
    assert not recipe.is_repeated
    assert recipe.repeat(1).is_repeated


def test_an_excluded_line_that_hides_an_element_is_fitted_out():
    """Pt M lies on P K and S K; C K on nothing, so that it keeps its window."""
    known = {"beam_energy": 200.0, "exclude_lines": ("C", "Pt")}
    hidden, seen = PcaGmm(elements=("S",), **known), PcaGmm(elements=("Fe",), **known)
    assert hidden.fitted_out == ("Pt_Ma",)
    assert seen.fitted_out == ()

    def covers(recipe, energy):
        return any(low < energy < high for low, high in recipe.excluded)

    for energy, of_hidden in ((2.05, False), (2.307, False), (0.277, True), (9.44, True)):
        assert covers(hidden, energy) == of_hidden
    assert covers(seen, 2.05)
    # An element that is excluded itself hides nothing that is to be seen.
    assert PcaGmm(elements=("C",), **known).fitted_out == ()


def test_nuisances_of_a_recipe_are_orthonormal_and_no_change_of_dose():
    energy = 0.2 + 0.02 * np.arange(512)
    channels = np.arange(512) // 2
    totals = np.random.default_rng(0).poisson(1e4 * np.exp(-energy[::2])) + 100.0
    ignoring = PcaGmm(absorption="ignore", elements=("Cu", "S"), beam_energy=200.0)
    found = ignoring.nuisance(totals, energy, channels)
    np.testing.assert_allclose(found.T @ found, np.eye(found.shape[1]), atol=1e-9)
    np.testing.assert_allclose(np.sqrt(totals) @ found, 0, atol=1e-6)
    assert found.shape[1] >= 3
    # Nothing is known of absorption, nothing is excluded, or thickness is a signal.
    for recipe in (
        replace(ignoring, absorption="keep"),
        replace(ignoring, elements=()),
        replace(ignoring, beam_energy=None),
        replace(ignoring, normalize=False),
    ):
        assert recipe.nuisance(totals, energy, channels) is None
    # Bursts below the lines of usual elements are left out, unless an element has lines there.
    lower = replace(ignoring, absorption="keep").nuisance(totals, energy - 0.12, channels)
    assert set(np.flatnonzero(np.abs(lower).sum(axis=1) > 0.5)) == {0, 1, 2}
    boron = replace(ignoring, absorption="keep", elements=("B", "Cu"))
    assert boron.nuisance(totals, energy - 0.12, channels) is None
    excluding = replace(ignoring, absorption="keep", exclude_lines=("C",))
    assert excluding.nuisance(totals, energy, channels).shape == (256, 1)
    with pytest.raises(ValueError, match="`absorption` must be"):
        PcaGmm(absorption="no")
