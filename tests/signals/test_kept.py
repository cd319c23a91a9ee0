"""The mapping of results that a map has."""

import pytest


@pytest.fixture
def three(clustered):
    """A map with three results."""
    clustered.cluster_pca_gmm(n_clusters=2, name="two")
    clustered.cluster_umap_hdbscan(n_landmarks=500)
    return clustered


def test_it_is_a_mapping_with_the_newest_last(three):
    names = ["pca_gmm", "two", "umap_hdbscan"]
    clusters = three.clusters
    assert list(clusters) == clusters._ipython_key_completions_() == names
    assert len(clusters) == 3
    assert "two" in clusters
    assert "three" not in clusters
    assert dict(clusters) == clusters
    assert [result.name for result in clusters.values()] == names
    assert clusters.get("three") is None
    with pytest.raises(KeyError, match=r"no result 'three'; there are .*'two'"):
        clusters["three"]
    assert three.clusters["two"] is three.clusters["two"]


def test_it_prints_a_table(three):
    head, _, *rows, _ = repr(three.clusters).splitlines()
    assert head.split() == ["name", "workflow", "clusters", "components"]
    assert [row.split()[:3] for row in rows[:2]] == [
        ["pca_gmm", "pca_gmm", "4"], ["two", "pca_gmm", "2"],
    ]  # fmt: skip
    assert rows[2].startswith("umap_hdbscan  umap_hdbscan")
    three.clusters.remove(*three.clusters)
    assert repr(three.clusters) == "no clustering results"


def test_results_can_be_removed(three):
    shown = three.learning_results
    clusters = three.clusters
    clusters.remove("pca_gmm")
    assert list(clusters) == ["two", "umap_hdbscan"]
    assert shown.cluster_algorithm == "umap_hdbscan"
    clusters.remove("umap_hdbscan")
    assert shown.cluster_labels is shown.cluster_sum_signals is shown.cluster_algorithm is None
    assert three.get_cluster_spectra().axes_manager.navigation_size == 2
    clusters.remove("two")
    assert not three.metadata.has_item("Clusters")
    for names in (("two",), ()):
        with pytest.raises(ValueError, match=r"of those there are: \[\]"):
            clusters.remove(*names)


def test_several_results_are_removed_or_none(three):
    with pytest.raises(ValueError, match=r"'pca_gmm', 'two', 'umap_hdbscan'.*got .*'three'"):
        three.clusters.remove("two", "three")
    assert len(three.clusters) == 3
    three.clusters.remove(["two", "umap_hdbscan"])
    assert list(three.clusters) == ["pca_gmm"]


def test_what_hyperspy_found_itself_stays(three):
    three.learning_results.cluster_algorithm = "kmeans"
    three.clusters.remove("umap_hdbscan")
    assert three.learning_results.cluster_labels is not None


def test_assigning_says_which_method_does_it(three):
    with pytest.raises(AttributeError, match=r"s\.keep_clusters\(result, name="):
        three.clusters = {}
    with pytest.raises(TypeError, match=r"s\.keep_clusters\(result, name='mine'\)"):
        three.clusters["mine"] = three.clusters["two"]
    with pytest.raises(TypeError, match=r"s\.clusters\.remove\('two'\)"):
        del three.clusters["two"]
    assert len(three.clusters) == 3


def test_ipython_completes_the_names(three):
    """With its default settings, which evaluate no properties."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.user_ns["three"] = three
    _, found = shell.Completer.complete(line_buffer='three.clusters["')
    assert found == list(three.clusters)
    InteractiveShell.clear_instance()
