"""The same question asked again: what is varied, and how the answers are compared."""

import itertools
from dataclasses import fields, replace

import numpy as np
import pytest

from hyperspy_clusterquant import data
from hyperspy_clusterquant._frozen import FrozenDict
from hyperspy_clusterquant.clusters.assign import Assignment
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.clusters.pca_gmm import PcaGmm
from hyperspy_clusterquant.clusters.recipe import Recipe
from hyperspy_clusterquant.clusters.umap_hdbscan import UmapHdbscan
from hyperspy_clusterquant.counts.features import every_channel
from hyperspy_clusterquant.counts.pixels import read_pixels
from hyperspy_clusterquant.evidence.repeats import (
    NUMBER,
    VARIED,
    Variation,
    as_varied,
    compare,
    labels_again,
    match_one_to_one,
    other_bins,
    variations,
)

CHOSEN = FrozenDict(
    seed=3, binning_used=4, neighbourhood_used=1.5, components_are="spectrum", n_clusters_found=4,
    n_components_found=2,
)  # fmt: skip
#: What is known of pixels, energies and sample, none of it as it is by default.
KNOWN = Recipe(
    normalize=False, energy_range=(0.2, 10), exclude_lines=["C"], navigation_mask="array",
    elements=("Cu", "Fe"), beam_energy=80.0, energy_resolution=140.0,
)  # fmt: skip
OF_SEED = Variation("seed", "seed 1", PcaGmm())


def jaccard(one, other):
    """Of two sets of pixels."""
    return np.sum(one & other) / np.sum(one | other)


@pytest.mark.parametrize("seed", range(5))
def test_matches_are_the_best_of_all_pairings(seed):
    rng = np.random.default_rng(seed)
    reference, labels = rng.integers(-1, 3, 60), rng.integers(-1, 4, 60)
    labels[:30] = (reference[:30] + 1) % 4  # or nothing is alike
    number = match_one_to_one(reference, labels, 3)
    index = np.array([[jaccard(reference == k, labels == c) for c in range(4)] for k in range(3)])
    best = max(
        itertools.permutations(range(4), 3), key=lambda p: sum(index[k, p[k]] for k in range(3))
    )
    expected = np.full(4, -1)
    for k, c in enumerate(best):
        expected[c] = k if index[k, c] > 0.1 else -1
    assert number.tolist() == expected.tolist()


def rand_index(one, other):
    """Adjusted Rand index, pair of pixels by pair of pixels."""
    pairs = list(itertools.combinations(range(len(one)), 2))
    a = np.array([one[i] == one[j] for i, j in pairs])
    b = np.array([other[i] == other[j] for i, j in pairs])
    by_chance = a.sum() * b.sum() / len(pairs)
    return (np.sum(a & b) - by_chance) / ((a.sum() + b.sum()) / 2 - by_chance)


def test_what_is_joined_split_lost_and_new_is_told():
    reference = np.repeat([0, 1, 2, 3, -1], [20, 12, 8, 6, 10])
    # 0 and 1 are one; a third of 2 is split off; 3 is noise; noise is a cluster.
    labels = np.repeat([2, 2, 0, 1, -1, 3], [20, 12, 5, 3, 6, 10])
    repeat, same = compare(OF_SEED, reference, labels, 4)
    assert (repeat.kind, repeat.what, repeat.n_clusters) == ("seed", "seed 1", 4)
    assert repeat.joined == ((0, 1),)
    assert repeat.split == (2,)
    assert repeat.lost == (3,)
    assert repeat.n_new == 1
    np.testing.assert_allclose(repeat.jaccard, [20 / 32, 0, 5 / 8, 0])
    assert repeat.ari == pytest.approx(rand_index(reference, labels))
    np.testing.assert_array_equal(same, np.repeat([1, 0, 1, 0, 0, 0], [20, 12, 5, 3, 6, 10]))


def test_other_numbers_are_the_same_clusters():
    reference = np.array([0, 0, 1, 1, 2, -1])
    repeat, same = compare(OF_SEED, reference, np.array([2, 2, 0, 0, 1, -1]), 3)
    assert same.all()
    assert repeat.ari == 1
    assert (repeat.joined, repeat.lost, repeat.split, repeat.n_new) == ((), (), (), 0)


def test_clusters_in_pieces_that_are_no_cluster_of_the_reference():
    """Each of ten clusters goes to ten others in equal parts: none is found again."""
    reference, labels = (of.ravel() for of in np.indices((10, 11)))
    repeat, same = compare(OF_SEED, reference, labels, 10)
    assert not same.any()
    assert repeat.lost == tuple(range(10))
    assert repeat.n_new == 11


def test_nothing_found_at_all():
    reference = np.array([0, 0, 1, -1])
    repeat, same = compare(OF_SEED, reference, np.full(4, -1), 2)
    assert repeat.n_clusters == 0
    assert repeat.lost == (0, 1)
    assert same.tolist() == [False, False, False, True]


def test_what_somebody_merged_may_be_found_in_parts():
    reference, labels = np.repeat([0, 1], [9, 5]), np.repeat([0, 2, 1], [5, 4, 5])
    repeat, same = compare(OF_SEED, reference, labels, 2, regrouped=True)
    assert same.all()
    assert repeat.ari == 1
    assert repeat.n_clusters == 3
    assert not compare(OF_SEED, reference, labels, 2)[1].all()


# --- what is varied -----------------------------------------------------------------------


def test_every_variation_changes_one_thing():
    sample = {f.name: getattr(KNOWN, f.name) for f in fields(Recipe) if f.name != "chosen"}
    recipe = PcaGmm(**sample, n_clusters="bic", chosen=CHOSEN)
    found = variations(recipe, VARIED, 0, [2, 8])
    assert [v.what for v in found] == [
        "seed 4", "seed 5", "seed 6", "bins of 2 pixels", "bins of 8 pixels", "umap_hdbscan",
    ]  # fmt: skip
    assert [v.kind for v in found] == ["seed"] * 3 + ["binning"] * 2 + ["workflow"]
    asked = replace(recipe, random_state=3, chosen=FrozenDict())
    for v in found[:3]:
        assert replace(v.recipe, random_state=3) == asked
    for v in found[3:5]:
        assert replace(v.recipe, binning="auto", neighbourhood="auto") == asked
        assert v.recipe.neighbourhood == 1.5
    assert found[-1].recipe == UmapHdbscan(**sample | {"random_state": 3})


@pytest.mark.parametrize("random_state", [0, 1, 2**31, 2**32 - 1])
def test_seeds_are_others(random_state):
    own = CHOSEN | {"seed": 2**32 - 2}
    found = variations(PcaGmm(chosen=own), ["seed"], random_state)
    seeds = {v.recipe.random_state for v in found}
    assert len(seeds) == 3
    assert own["seed"] not in seeds


def test_a_number_that_was_told_is_kept_but_where_it_is_searched_for():
    found = variations(PcaGmm(n_clusters=5, chosen=CHOSEN), VARIED, 0, [2])
    asked = {v.kind: getattr(v.recipe, "n_clusters", None) for v in found}
    assert asked == {"seed": 5, "binning": 5, "workflow": None, NUMBER: "auto"}
    assert variations(PcaGmm(n_clusters=5, chosen=CHOSEN), ["counts"], 0, [2]) == []


def test_sizes_that_were_told_are_those_of_the_map_as_it_is():
    """A map that was binned by two: the recipe still says what was asked of the old one."""
    recipe = UmapHdbscan(binning=8, neighbourhood=3.0, n_components=2, chosen=CHOSEN)
    (one, *_) = variations(recipe, ["seed"], 0)
    assert (one.recipe.binning, one.recipe.neighbourhood) == (4, 1.5)
    assert one.recipe.n_components == 2


def test_clusters_of_another_map_are_not_searched_for():
    recipe = Assignment(spectra=np.ones((2, 3)), spectra_energy=np.arange(3.0), chosen=CHOSEN)
    assert variations(recipe, VARIED, 0, [2]) == []


@pytest.mark.parametrize(
    ("used", "kind", "ndim", "smallest", "weakest", "expected"),
    [
        (4, "spectrum", 2, 10_000, 100.0, [2, 8]),
        (1, "spectrum", 2, 10_000, 100.0, [2]),
        (3, "spectrum", 2, 10_000, 100.0, [2, 6]),
        (4, "spectrum", 2, 25 * 64 - 1, 100.0, [2]),  # the smallest cluster is lost
        (4, "spectrum", 2, 25 * 64, 15.9, [8]),  # the weakest component is
        (4, "spectrum", 2, 25 * 64, 16.0, [2, 8]),
        (3, "spectrum", 2, 10_000, 9.0, [2, 6]),
        (4, "spectrum", 1, 25 * 8, 8.0, [2, 8]),
        (4, "weak in lines", 2, 10_000, 100.0, [8]),
        (1, "spectrum", 2, 10_000, 0.0, [2]),  # no component
    ],
)
def test_bins_are_those_that_the_data_allow(used, kind, ndim, smallest, weakest, expected):
    recipe = PcaGmm(chosen=CHOSEN | {"binning_used": used, "components_are": kind})
    assert other_bins(recipe, ndim, smallest, weakest) == expected


def test_results_that_do_not_say_their_bins_have_no_others():
    assert other_bins(PcaGmm(), 2, 10_000, 10.0) == []


@pytest.mark.parametrize("vary", ["noise", ["seed", "bins"], [], None])
def test_only_what_can_be_varied(vary):
    with pytest.raises(ValueError, match=r"`vary` must name one or several"):
        as_varied(vary)
    assert as_varied("seed") == ("seed",)
    assert as_varied(["workflow", "counts"]) == ("counts", "workflow")


@pytest.mark.parametrize("method", ["cluster_pca_gmm", "cluster_umap_hdbscan"])
def test_the_same_recipe_gives_the_same_labels(method):
    """Nothing but what is varied is another one: the way back to the counts is the same."""
    s = data.six_cation_sulfide(size=40, channels=512, counts_per_pixel=100)
    result = getattr(s, method)(exclude_lines=["C"], random_state=5, show_progressbar=False)
    recipe = replace(result.recipe, chosen=FrozenDict())
    energy = s.axes_manager.signal_axes[0].axis
    pixels = read_pixels(
        s.data, energy, every_channel(energy, None), result.labels == MASKED, lambda *_: None
    )
    labels = labels_again(pixels, recipe)
    np.testing.assert_array_equal(labels, result.labels[pixels.keep])
