"""Which of several starts is taken, of runs that are made up and of small maps."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import samples
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant.clusters.clustering import Clustering
from hyperspy_clusterquant.clusters.recipe import Recipe
from hyperspy_clusterquant.clusters.starts import (
    FEW_PIXELS,
    mean_agreement,
    most_replicable,
    most_separated,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Made(Recipe):
    """Finds what it was told to, one after the other."""

    seeds: ClassVar[list] = []
    found: ClassVar[list] = []

    def run(self, pixels, progress):
        labels = np.array(self.found[len(self.seeds)])
        self.seeds.append(self.seed)
        memberships = np.eye(labels.max() + 1)[labels]
        known = {"seed": self.seed, "remarks": ["first"]}
        return Clustering(
            self.with_chosen(**known), labels, memberships, np.zeros((len(labels), 2)),
            np.ones(2), 0.5, np.zeros((1, 3)),
        )  # fmt: skip


HALVES, OTHERS, ONE = [0] * 6 + [1] * 6, [0, 1] * 6, [0] * 12


def taken(*found, n=1, **given):
    Made.seeds.clear()
    Made.found[:] = [labels * n for labels in found]
    recipe = Made(random_state=3, **given)
    return recipe, most_replicable(recipe, None, lambda *_: None)


def test_what_most_starts_find_is_taken():
    recipe, best = taken(OTHERS, HALVES, ONE, HALVES, HALVES)
    assert best.labels.tolist() == HALVES
    assert len(set(Made.seeds)) == 5
    assert best.recipe.chosen["start"] == 1
    assert best.recipe.chosen["seed"] == 3
    assert best.recipe.random_state == recipe.random_state
    first, said = best.recipe.chosen["remarks"]
    assert first == "first"
    assert said == (
        "The counts of so few pixels do not decide: 4 of 5 starts with other seeds find as many "
        "clusters, 1 finds 1. The most replicable was taken; it agrees with the others by an ARI "
        "of 0.47."
    )


def test_nothing_is_said_where_all_agree():
    _, best = taken(*[HALVES] * 3)
    assert len(Made.seeds) == 3
    assert best.recipe.chosen["remarks"] == ("first",)
    assert best.recipe.chosen["start"] == 0


def test_large_maps_take_one_start():
    _, best = taken(HALVES, n=FEW_PIXELS // 12 + 1)
    assert len(Made.seeds) == 1
    assert "start" not in best.recipe.chosen


def test_agreement_is_the_mean_of_all_pairs():
    labels = [HALVES, OTHERS, ONE, [0] * 5 + [1] * 7]
    expected = [
        np.mean([adjusted_rand_score(a, b) for j, b in enumerate(labels) if j != i])
        for i, a in enumerate(labels)
    ]
    np.testing.assert_allclose(mean_agreement(labels), expected)


@pytest.mark.parametrize("workflow", ["cluster_pca_gmm", "cluster_umap_hdbscan"])
def test_small_maps_are_repeatable_and_found_whatever_the_seed(workflow):
    s = samples.two_phases(25, 100.0, size=24)
    cluster = getattr(s, workflow)
    found = [cluster(random_state=seed, exclude_lines=["C"]).labels for seed in (0, 0, 1)]
    np.testing.assert_array_equal(found[0], found[1])
    assert adjusted_rand_score(found[0].ravel(), found[2].ravel()) > 0.9
    (result,) = s.clusters.values()
    assert "start" in result.parameters


@pytest.mark.parametrize(
    ("numbers", "taken"),
    [
        ([2, 3, 3], 1),  # the largest number that two starts find
        ([2, 2, 3], 0),
        ([2, 3, 4], 2),  # no two: the largest
        ([1], 0),
    ],
)
def test_number_that_is_found_twice(numbers, taken):
    labels = [np.arange(24) * n // 24 for n in numbers]
    assert most_separated(numbers, labels) == taken


def test_of_those_with_the_number_the_one_that_agrees_most():
    labels = [np.array(OTHERS), np.array(HALVES), np.array([0] * 5 + [1] * 7)]
    assert most_separated([2, 2, 2], labels) == mean_agreement(labels).argmax() != 0
