import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from scipy import ndimage

from hyperspy_clusterquant.plotting.style import cluster_colours


@pytest.fixture(scope="module")
def _embedded(_sulfide):
    s = _sulfide.deepcopy()
    s.cluster_umap_hdbscan()
    return s


@pytest.fixture
def embedded(_embedded):
    return _embedded.deepcopy()


def outlines(ax):
    return [of for of in ax.collections[1:] if of.get_paths()]


def test_scores_on_the_plane_that_separates_clusters(clustered):
    result = clustered.clusters["pca_gmm"]
    ax = clustered.plot_cluster_scores()
    shown = ax.collections[0].get_array()
    assert shown.sum() == pytest.approx(len(result.scores), rel=0.02)
    assert [to_hex(of.get_edgecolor()[0]).upper() for of in outlines(ax)] == cluster_colours(4)
    # No outline in another: the phases are far apart.
    boxes = [of.get_paths()[0].get_extents() for of in outlines(ax)]
    assert not any(a.overlaps(b) for n, a in enumerate(boxes) for b in boxes[:n])
    _, given = plt.subplots()
    assert clustered.plot_cluster_scores(result.merge([0, 1]), given) is given
    assert len(outlines(given)) == 3


def test_embedding_and_tree_of_workflow_2(embedded):
    result = embedded.clusters["umap_hdbscan"]
    ax = embedded.plot_cluster_scores(space="embedding")
    assert ax.collections[0].get_array().sum() == pytest.approx(len(result.landmarks), rel=0.02)
    assert "embedding" in ax.get_xlabel()
    ax = embedded.plot_cluster_tree()
    colours = [to_hex(of.get_facecolor()[0]).upper() for of in ax.collections]
    leaves = [colour for colour in colours if colour in cluster_colours(result.n_clusters)]
    # As many leaves as were joined to the clusters, and every cluster is there.
    assert len(leaves) == result.parameters["hdbscan_clusters"]
    assert set(leaves) == set(cluster_colours(result.n_clusters))
    assert ax.get_xlim() == (0, len(result.landmarks))


def test_tree_of_a_saved_map_and_none_of_a_part(embedded, tmp_path):
    import hyperspy.api as hs

    embedded.save(tmp_path / "map.hspy")
    loaded = hs.load(tmp_path / "map.hspy")
    before, after = (s.plot_cluster_tree() for s in (embedded, loaded))
    for one, other in zip(before.collections, after.collections, strict=True):
        np.testing.assert_array_equal(one.get_paths()[0].vertices, other.get_paths()[0].vertices)
    part = embedded.inav[:30]
    assert outlines(part.plot_cluster_scores(space="embedding"))
    with pytest.raises(ValueError, match="of all its landmarks"):
        part.plot_cluster_tree()


def test_what_has_no_scores_or_embedding_says_so(clustered):
    with pytest.raises(ValueError, match="has no embedding"):
        clustered.plot_cluster_scores(space="embedding")
    with pytest.raises(ValueError, match="has no embedding"):
        clustered.plot_cluster_tree()
    with pytest.raises(ValueError, match="`space` must be one of"):
        clustered.plot_cluster_scores(space="pca")
    forced = clustered.cluster_pca_gmm(1, n_components=0, name="none")
    with pytest.raises(ValueError, match="no component above shot noise"):
        clustered.plot_cluster_scores(forced)


@pytest.mark.parametrize("lazy", [False, True])
def test_element_maps_are_counts_in_windows(clustered, lazy):
    windows = clustered.estimate_integration_windows(2.0, ["Fe_Ka", "S_Ka"])
    background = clustered.estimate_background_windows([5.0, 2.0], xray_lines=["Fe_Ka", "S_Ka"])
    expected = clustered.get_lines_intensity(
        ["Fe_Ka", "S_Ka"], integration_windows=windows, background_windows=background
    )
    s = clustered.as_lazy() if lazy else clustered
    axes = s.plot_cluster_elements(xray_lines=["Fe_Ka", "S_Ka"])
    kept = s.clusters["pca_gmm"].labels != -2
    for ax, of_exspy in zip(axes[2:], expected, strict=True):
        shown = ax.images[0].get_array().filled(np.nan)
        np.testing.assert_allclose(shown[kept], of_exspy.data[kept], atol=1e-6)
        assert np.isnan(shown[~kept]).all()
    assert "not smoothed" in axes[0].figure.get_suptitle()


def test_smoothing_is_said_and_takes_nothing_from_what_is_left_out(clustered):
    raw = clustered.plot_cluster_elements(xray_lines=["S_Ka"])[2].images[0].get_array()
    axes = clustered.plot_cluster_elements(xray_lines=["S_Ka"], smoothing=1.5)
    smooth = axes[2].images[0].get_array()
    assert "smoothed, σ = 1.5 px" in axes[0].figure.get_suptitle()
    kept = ~np.ma.getmaskarray(raw) & np.isfinite(raw.filled(np.nan))
    far = ndimage.binary_erosion(kept, iterations=7, border_value=1)
    plain = ndimage.gaussian_filter(np.where(kept, raw.filled(0), 0.0), 1.5)
    np.testing.assert_allclose(smooth.filled(np.nan)[far], plain[far], rtol=1e-3)
    edge = kept & ~ndimage.binary_erosion(kept, border_value=1)
    # Without the weights, pixels beside those left out would be about half as bright.
    assert smooth.filled(np.nan)[edge].mean() > 1.3 * plain[edge].mean()


def test_overlay_is_of_lines_that_tell_clusters_apart(clustered):
    axes = clustered.plot_cluster_elements()
    chosen = {text.get_text() for text in axes[1].get_legend().get_texts()}
    # One of silver and cadmium, which are in one phase, and copper or iron, manganese or zinc.
    assert len(chosen) == 3
    assert len(chosen & {"Ag Lα", "Cd Lα"}) == 1
    assert len(chosen & {"Fe Kα", "Cu Kα"}) == 1
    given = clustered.plot_cluster_elements(overlay=["S_Ka"])
    assert [t.get_text() for t in given[1].get_legend().get_texts()] == ["S Kα"]
    for overlay in (["Ni_Ka"], [], ["S_Ka", "Fe_Ka", "Cu_Ka", "Zn_Ka"]):
        with pytest.raises(ValueError, match="one to three of the lines"):
            clustered.plot_cluster_elements(overlay=overlay)
    with pytest.raises(ValueError, match="outside of the energy axis"):
        clustered.plot_cluster_elements(xray_lines=["Zr_Ka"])
    with pytest.raises(ValueError, match="a length in pixels"):
        clustered.plot_cluster_elements(smoothing=-1)
