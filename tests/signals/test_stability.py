"""Clusters that are looked for again, as a user calls it."""

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant import data

WITH_ALL_COUNTS = ["seed", "binning", "workflow"]


@pytest.fixture(scope="module")
def asked():
    """Four phases whose number was searched for, and what came of asking again."""
    s = data.six_cation_sulfide(size=44, channels=512, counts_per_pixel=100)
    result = s.cluster_pca_gmm(exclude_lines=["C"])
    before = s.data.copy(), result
    s.cluster_pca_gmm(2, exclude_lines=["C"], name="newest")
    return s, before, s.cluster_stability("pca_gmm", n_resamples=2)


def test_repeats_are_what_a_user_would_call(asked):
    s, (_, result), found = asked
    s, same = s.deepcopy(), {"exclude_lines": ["C"]}
    sigma = result.parameters["neighbourhood_used"]
    calls = {
        **{f"seed {k}": s.cluster_pca_gmm(random_state=k, **same) for k in (1, 2, 3)},
        "bins of 2 pixels": s.cluster_pca_gmm(binning=2, neighbourhood=sigma, **same),
        "umap_hdbscan": s.cluster_umap_hdbscan(**same),
    }
    assert found.repeats == tuple(calls)
    assert found.n_clusters_found.tolist() == [of.n_clusters for of in calls.values()]
    keep = result.labels > -2
    for repeat, of in zip(found.repeated, calls.values(), strict=True):
        expected = adjusted_rand_score(result.labels[keep], of.labels[keep])
        assert repeat.ari == pytest.approx(expected)
    found_by_all = [result.n_clusters, *found.n_clusters_found]
    low, high = min(found_by_all), max(found_by_all)
    assert found.number == ("4" if low == high else f"4 ({low}-{high})")


def test_four_phases_are_four_whatever_the_seed(asked):
    _, (_, result), found = asked
    assert result.n_clusters == 4
    assert found.n_clusters_found[:3].tolist() == [4, 4, 4]
    assert found.ari_of["seed"] > 0.95
    assert set(found.agreement_of) == {"counts", *WITH_ALL_COUNTS}
    kinds = np.array([found.agreement_of[kind] for kind in found.agreement_of])
    np.testing.assert_allclose(found.consensus, kinds.sum(axis=0) / 4, rtol=1e-6)
    assert found.undecided < 0.05
    assert found.verdicts == ("stable",) * 4


def test_the_result_says_it_from_then_on(asked, tmp_path):
    s, (counts, result), found = asked
    np.testing.assert_array_equal(s.data, counts)
    told = s.clusters["pca_gmm"]
    assert told.findings["stability"] == found.summary
    assert all(sentence in repr(told) for sentence in found.summary)
    assert f"Number of clusters: {found.number}." in found.summary
    np.testing.assert_array_equal(told.labels, result.labels)
    assert list(s.clusters) == ["pca_gmm", "newest"], "it is no newer result"
    s.cluster_stability("pca_gmm", 1, vary="counts")
    assert s.clusters["pca_gmm"].findings == told.findings, "halves alone say less"
    assert not s.clusters["newest"].findings
    assert repr(result) == repr(told), "what the user holds says it"
    assert result == s.clusters["pca_gmm"]
    s.save(tmp_path / "map.hspy")
    loaded = hs.load(tmp_path / "map.hspy")
    assert loaded.clusters["pca_gmm"].findings == told.findings
    assert s.deepcopy().clusters["pca_gmm"].findings == told.findings
    for other in (s.inav[:24], s.rebin(scale=(2, 2, 1))):
        assert not other.clusters["pca_gmm"].findings
    assert s.inav[:].clusters["pca_gmm"].findings == told.findings


def test_what_is_asked_of_other_clusters_is_not_kept_with_these(clustered):
    merged = clustered.clusters["pca_gmm"].merge([0, 1])
    said = clustered.cluster_stability(merged, vary=["binning"]).summary
    assert merged.findings["stability"] == said != ()
    assert "stability" not in clustered.clusters["pca_gmm"].findings


def test_told_too_many_the_search_says_how_many(asked):
    """Pixels keep the clusters that are there, not the further ones that were asked for."""
    s, _, four = asked
    s = s.deepcopy()
    eight = s.cluster_pca_gmm(8, exclude_lines=["C"], name="eight")
    found = s.cluster_stability(eight, vary=["seed", "workflow"])
    assert found.repeats[-2:] == ("umap_hdbscan", "n_clusters='auto'")
    of_workflow, of_search = found.n_clusters_found[-2:]
    assert of_search == 4
    assert found.n_clusters_found[:3].tolist() == [8, 8, 8]
    assert found.number == f"8 ({min(of_workflow, 4)}-8)"
    assert "The number was told; the search for it finds 4." in found.summary
    for kind in ("seed", "workflow"):
        of_eight, of_four = (np.nanmean(of.agreement_of[kind]) for of in (found, four))
        assert of_eight < of_four - 0.02
    assert "The number was told" in repr(s.clusters["eight"])


def test_eager_and_lazy_are_the_same(clustered):
    lazy = clustered.as_lazy()
    lazy.data = da.from_array(clustered.data, chunks=(13, 64, 200))
    vary = ["counts", "binning"]
    one, other = (s.cluster_stability(n_resamples=1, vary=vary) for s in (clustered, lazy))
    assert one == other
    assert one.summary == other.summary == lazy.clusters["pca_gmm"].findings["stability"]
    np.testing.assert_array_equal(one.consensus, other.consensus)


def test_halves_are_what_they_are_alone(clustered):
    """What is varied with all of the counts does not change them."""
    every, halves = (
        clustered.cluster_stability(n_resamples=1, vary=vary)
        for vary in (("counts", "binning"), "counts")
    )
    np.testing.assert_array_equal(every.agreement, halves.agreement)
    np.testing.assert_array_equal(every.jaccard, halves.jaccard)
    np.testing.assert_array_equal(halves.consensus, halves.agreement)
    assert halves.number == "4"
    assert halves.summary == ()


def test_clusters_of_another_map_are_looked_for_in_halves_only(clustered):
    other = data.six_cation_sulfide(size=40, channels=512, counts_per_pixel=400, seed=5)
    assigned = other.assign_clusters(clustered.clusters["pca_gmm"])
    found = other.cluster_stability(assigned, 2)
    assert (found.per_cluster > 0.5).any()
    assert found.repeats == ()
    with pytest.raises(ValueError, match=r"Nothing of seed, workflow can be varied.*'counts'"):
        other.cluster_stability(assigned, vary=["seed", "workflow"])


def test_one_composition_stays_one_cluster():
    s = data.seven_cation_nanoparticles(48, 512, 60)
    s.cluster_pca_gmm(exclude_lines=["C"])
    found = s.cluster_stability(vary=["seed", "workflow"])
    assert found.number == "1"
    assert found.undecided == 0
    assert found.summary[1] == "Other seeds agree."


def test_line_scan(sulfide):
    single = sulfide.inav[:, 20]
    result = single.cluster_pca_gmm(2, binning=1)
    found = single.cluster_stability(result, 1, vary=["counts", "seed", "binning"])
    assert found.agreement.shape == found.consensus.shape == (64,)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"n_resamples": 1.5}, TypeError, "whole number"),
        ({"random_state": -1}, ValueError, "at least 0"),
        ({"vary": ["bins"]}, ValueError, "`vary` must name one or several"),
        ({"result": "none"}, ValueError, "no result 'none'"),
    ],
)
def test_bad_input(clustered, given, error, message):
    with pytest.raises(error, match=message):
        clustered.cluster_stability(**given)


def test_without_clusters_there_is_nothing_to_look_for(clustered):
    with pytest.raises(ValueError, match="no cluster"):
        clustered.cluster_stability(clustered.clusters["pca_gmm"].drop([0, 1, 2, 3]))


def test_progress_has_a_stage_for_each_repeat(clustered, capsys):
    clustered.cluster_stability(n_resamples=1, vary=["counts", "binning"], show_progressbar=True)
    shown = capsys.readouterr().err
    for stage in ("half 1", "bins of 2 pixels", "n_clusters='auto'"):
        assert f"Stability: {stage}" in shown
