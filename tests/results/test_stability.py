import warnings
from dataclasses import replace

import numpy as np
import pytest
import tables
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant.clusters.pca_gmm import PcaGmm
from hyperspy_clusterquant.evidence.repeats import Variation
from hyperspy_clusterquant.evidence.verdicts import Stability
from hyperspy_clusterquant.results.clusters import ClusterResult
from hyperspy_clusterquant.results.stability import stability_of


@pytest.fixture
def result():
    labels = np.array([[0, 0, 0, 0], [1, 1, -1, -2]])
    memberships = (labels == np.arange(2)[:, None, None]).astype(float)
    return ClusterResult("a", "pca_gmm", labels, memberships, np.zeros((7, 1)), [2.0], 1.0)


def test_other_numbers_are_the_same_labels(result):
    found = stability_of(result, [np.array([1, 1, 1, 1, 0, 0, -1])] * 3)
    np.testing.assert_allclose(found.jaccard, 1)
    np.testing.assert_allclose(found.ari, 1)
    np.testing.assert_array_equal(found.agreement, [[1, 1, 1, 1], [1, 1, 1, np.nan]])
    assert found.verdicts == ("stable", "stable")


def test_what_changes_is_counted_per_cluster_and_pixel(result):
    """In one of two, half of the first cluster goes to the second."""
    same = np.array([0, 0, 0, 0, 1, 1, -1])
    found = stability_of(result, [same, np.array([0, 0, 1, 1, 1, 1, -1])])
    np.testing.assert_allclose(found.jaccard, [[1, 1], [0.5, 0.5]])
    np.testing.assert_array_equal(found.agreement[0], [1, 1, 0.5, 0.5])
    assert found.verdicts == ("stable", "stable")
    assert found.per_cluster.tolist() == [0.75, 0.75]
    assert "2 times half of the counts" in repr(found)
    assert list(found.to_dataframe()["lowest"]) == [0.5, 0.5]


def test_cluster_that_does_not_come_back(result):
    found = stability_of(result, [np.zeros(7, dtype=int)] * 2)
    assert found.jaccard[:, 1].tolist() == [0, 0]
    assert found.verdicts[1] == "not stable"


def test_stability_of_no_pixel_is_printed():
    table = replace(tables.stable(), agreement=np.full((4, 6), np.nan))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert repr(table).endswith("- of the pixels keep their cluster")


def test_kinds_and_words():
    table = replace(tables.stable(), jaccard=np.array([[0.9, 0.6, 0.1]]))
    assert table.kinds == (Stability.STABLE, Stability.DOUBTFUL, Stability.UNSTABLE)
    assert table.verdicts == ("stable", "doubtful", "not stable")


def test_agreement_is_a_map_with_the_axes():
    table = tables.stable()
    image = table.agreement_map()
    np.testing.assert_array_equal(image.data, table.agreement)
    assert image.axes_manager[0].units == "nm"


# --- what is varied with all of the counts ------------------------------------------------

REFERENCE = np.array([0, 0, 0, 0, 1, 1, -1])
JOINED = np.array([0, 0, 0, 0, 0, 0, -1])
SPLIT = np.array([0, 0, 0, 2, 1, 1, -1])
RECIPE = PcaGmm()


def again(**of):
    """Labels by what was varied."""
    return [(Variation(kind, what, RECIPE), labels) for kind, each in of.items()
            for what, labels in each.items()]  # fmt: skip


EVERY = again(
    seed={"seed 1": REFERENCE, "seed 2": REFERENCE, "seed 3": SPLIT},
    binning={"bins of 2 pixels": REFERENCE},
    workflow={"umap_hdbscan": JOINED},
)
VARY = ("counts", "seed", "binning", "workflow")


def test_number_of_clusters_with_the_range_of_what_was_found(result):
    found = stability_of(result, [REFERENCE], EVERY, VARY)
    assert found.repeats == ("seed 1", "seed 2", "seed 3", "bins of 2 pixels", "umap_hdbscan")
    assert found.n_clusters_found.tolist() == [2, 2, 3, 2, 1]
    assert found.number == "2 (1-3)"
    assert stability_of(result, [REFERENCE], EVERY[:2], VARY).number == "2"
    assert stability_of(result, [REFERENCE]).number == "2"


def test_consensus_weighs_alike_what_was_varied(result):
    """The fourth pixel leaves in one of three seeds, the second cluster in the workflow."""
    found = stability_of(result, [REFERENCE], EVERY, VARY)
    expected = [[1, 1, 1, 11 / 12], [3 / 4, 3 / 4, 1, np.nan]]
    np.testing.assert_allclose(found.consensus, expected, rtol=1e-6)
    assert found.undecided == 0
    np.testing.assert_array_equal(found.agreement[0], [1, 1, 1, 1])  # of halves, as before
    without = stability_of(result, [], EVERY, VARY[1:])
    np.testing.assert_allclose(without.consensus[0, 3], 8 / 9, rtol=1e-6)
    only = stability_of(result, [], again(workflow={"umap_hdbscan": JOINED}), ["workflow"])
    assert only.undecided == pytest.approx(2 / 7)
    np.testing.assert_array_equal(only.consensus_map().data, only.consensus)
    np.testing.assert_array_equal(only.plot().images[0].get_array().filled(np.nan), only.consensus)


def test_rand_index_of_each_kind_is_the_median(result):
    found = stability_of(result, [REFERENCE], EVERY, VARY)
    assert found.ari_of["counts"] == found.ari_of["seed"] == found.ari_of["binning"] == 1
    assert found.ari_of["workflow"] == pytest.approx(adjusted_rand_score(REFERENCE, JOINED))
    assert list(found.to_dataframe()["workflow"]) == pytest.approx([4 / 6, 0])


def test_what_was_found_is_told_in_words(result):
    named = result.rename({1: "core"})
    found = stability_of(named, [REFERENCE], EVERY, VARY)
    changed = f"29% of the pixels change (ARI {found.ari_of['workflow']:.2f})"
    assert found.summary == (
        "Number of clusters: 2 (1-3).",
        "Other seeds find 2 to 3; 5% of the pixels change (ARI 1.00).",
        "Other bins agree (ARI 1.00).",
        f"The other workflow (umap_hdbscan) finds 1, joins 'cluster 0' and 'core'; {changed}.",
    )
    text = repr(found)
    assert all(sentence in text for sentence in found.summary)
    assert "seeds" in text.splitlines()[0]
    undecided = stability_of(named, [], [EVERY[-1]], ["workflow"])
    assert undecided.summary[-1].startswith("Undecided: 29% of the pixels")


def test_what_half_of_the_counts_do_not_find_is_told(result):
    found = stability_of(result, [np.zeros(7, dtype=int)] * 2)
    assert found.summary == ("Half of the counts do not find 'cluster 1' again.",)
    assert found.summary[0] not in repr(found), "the table says it"
    both = stability_of(result, [np.zeros(7, dtype=int)] * 2, EVERY, VARY)
    assert both.summary[:2] == (*found.summary, "Number of clusters: 2 (1-3).")


def test_splits_and_what_is_lost_are_told_if_half_of_the_repeats_say_so(result):
    noise = np.array([0, 0, 0, 0, -1, -1, -1])
    found = stability_of(
        result, [], again(seed={"seed 1": SPLIT, "seed 2": SPLIT, "seed 3": noise}), ["seed"]
    )
    assert found.summary[1].startswith("Other seeds find 1 to 3, split 'cluster 0'; ")
    other = stability_of(result, [], again(workflow={"umap_hdbscan": noise}), ["workflow"])
    assert "finds 1, does not find 'cluster 1'; 29%" in other.summary[1]
    new = again(workflow={"umap_hdbscan": np.array([0, 0, 0, 0, -1, -1, 1])})
    assert "finds as many, does not find 'cluster 1', adds 1; 43%" in stability_of(
        result, [], new, ["workflow"]
    ).summary[1]  # fmt: skip


def test_a_number_that_was_told_is_compared_with_what_is_found(result):
    repeats = again(
        seed={"seed 1": REFERENCE},
        workflow={"umap_hdbscan": REFERENCE},
        number={"n_clusters='auto'": SPLIT},
    )
    found = stability_of(result, [REFERENCE], repeats, VARY)
    assert found.number == "2 (2-3)"
    assert found.summary[1] == "The number was told; the search for it finds 3."
    assert "number" not in found.ari_of
    assert np.nanmin(found.consensus) == 1  # labels of the search are no repeat


def test_what_could_not_be_varied_is_told(result):
    found = stability_of(result, [], EVERY[:2], ("seed", "binning"))
    assert found.summary[2] == "Other bins: counts and pixels allow for none."


def test_without_halves_there_is_no_verdict(result):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = stability_of(result, [], EVERY, VARY[1:])
        assert found.kinds == (None, None)
        assert found.verdicts == ("-", "-")
        assert np.isnan(found.per_cluster).all()
        assert np.isnan(found.agreement).all()
        assert np.isnan(found.to_dataframe()["lowest"]).all()
    assert "overlap" not in repr(found)
    assert "half of the counts" not in repr(found)


def test_one_cluster_has_no_rand_index(result):
    one = result.merge([0, 1])
    found = stability_of(one, [], again(seed={"a": np.array([0, 0, 0, 0, 0, -1, -1])}), ["seed"])
    assert found.summary[1] == "Other seeds find as many; 14% of the pixels change."
    assert found.summary[2].startswith("Undecided: 14% of the pixels")


def test_clusters_that_somebody_merged_are_compared_as_they_are(result):
    """The search finds the two again, which are one now."""
    known = replace(result, parameters={"n_clusters_found": 2})
    merged = known.merge([0, 1])
    found = stability_of(merged, [], again(seed={"seed 1": REFERENCE}), ["seed"])
    assert np.nanmin(found.consensus) == 1
    assert found.number == "1 (1-2)"
