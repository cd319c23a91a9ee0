import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_clusterquant.plotting.style import cluster_colours


@pytest.fixture
def stack(clustered):
    """Three maps as one, each mirrored, of the same result."""
    import hyperspy.api as hs

    s = hs.stack([clustered, clustered.inav[:, ::-1], clustered.inav[::-1]])
    s.cluster_pca_gmm(n_clusters=4, binning=1)
    return s


def test_clusters_shaded_by_their_memberships(clustered):
    result = clustered.clusters["pca_gmm"]
    ax = clustered.plot_clusters(shade=True)
    alpha = ax.images[0].get_alpha()
    for k in range(4):
        of_cluster = result.labels == k
        np.testing.assert_array_equal(alpha[of_cluster], result.memberships[k][of_cluster])
    # In single precision, their sum is 1 and a little more.
    merged = clustered.plot_clusters(result.merge([0, 1, 2, 3]), shade=True)
    assert merged.images[0].get_alpha().max() == 1
    dropped = result.drop([0, 1, 2, 3])
    assert clustered.plot_clusters(dropped, shade=True).images[0].get_alpha().max() == 1


def test_maps_of_a_stack_all_or_one(stack):
    result = stack.clusters["pca_gmm"]
    axes = stack.plot_clusters()
    assert [ax.get_title(loc="left") for ax in axes] == ["index 0", "index 1", "index 2"]
    for ax, labels in zip(axes, result.labels, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), labels)
    _, given = plt.subplots()
    one = stack.plot_clusters(ax=given, index=2, shade=True)
    assert one is given
    np.testing.assert_array_equal(one.images[0].get_array(), result.labels[2])
    share = np.mean(result.labels[2][result.labels[2] > -2] == 0)
    assert one.get_legend().get_texts()[0].get_text() == f"cluster 0 ({share:.0%})"
    with pytest.raises(ValueError, match="stack of 3 maps: say which one"):
        stack.plot_clusters(ax=given)


def test_other_pictures_of_a_stack_are_of_one_of_its_maps(stack):
    result = stack.clusters["pca_gmm"]
    ax = stack.plot_cluster_memberships(index=1)[2]
    shown = ax.images[0].get_array().filled(np.nan)
    kept = result.labels[1] != -2
    np.testing.assert_array_equal(shown[kept], result.memberships[2, 1][kept])
    assert np.isnan(shown[~kept]).all()
    maps = stack.map_significance(["Cu_Ka", "Fe_Ka", "S_Ka"], binning=1)
    drawn = maps.plot(index=2)[1].images[0].get_array().filled(np.nan)
    np.testing.assert_array_equal(drawn, maps.images[1, 2])
    ax = stack.plot_cluster_elements(xray_lines=["Fe_Ka"], index=1)[0]
    np.testing.assert_array_equal(ax.images[0].get_array(), result.labels[1])


def test_some_spectra_as_counts_in_a_range(clustered):
    counts = clustered.get_cluster_spectra(weights="hard").data
    energy = clustered.axes_manager.signal_axes[0].axis
    result = clustered.clusters["pca_gmm"].rename({3: "remnant"})
    ax = clustered.plot_cluster_spectra(
        result, "hard", clusters=["remnant", 1], normalize=False, log=False, energy_range=(2, 4)
    )
    assert ax.get_xlim() == (2, 4)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["remnant", "cluster 1"]
    for line, k in zip(ax.lines, (3, 1), strict=True):
        assert line.get_color() == cluster_colours(4)[k]
        np.testing.assert_array_equal(line.get_ydata(), counts[k, energy >= 0.1])
    assert ax.get_ylabel() == "Counts"


@pytest.mark.parametrize("normalize", [True, False])
def test_difference_to_another_cluster(clustered, normalize):
    spectra = clustered.get_cluster_spectra(weights="hard").data.astype(float)
    spectra = spectra[:, clustered.axes_manager.signal_axes[0].axis >= 0.1]
    ax = clustered.plot_cluster_spectra(weights="hard", difference_to=2, normalize=normalize)
    curves = [line for line in ax.lines if line.get_label().startswith("cluster")]
    totals = spectra.sum(axis=1)
    for line, k in zip(curves, (0, 1, 3), strict=True):
        expected = spectra[k] - spectra[2] * totals[k] / totals[2]
        expected = expected / totals[k] if normalize else expected
        np.testing.assert_allclose(line.get_ydata(), expected, atol=1e-9)
    assert ax.get_yscale() == "linear"
    assert "less cluster 2" in ax.get_ylabel()


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"energy_range": (30, 40)}, "holds no spectrum"),
        ({"energy_range": (5, 2)}, "lowest, highest"),
        ({"difference_to": 0, "log": True}, "no logarithm"),
        ({"difference_to": "none"}, "none"),
        ({"clusters": [7]}, "7"),
    ],
)
def test_what_cannot_be_drawn_says_why(clustered, how, says):
    with pytest.raises(ValueError, match=says):
        clustered.plot_cluster_spectra(**how)


def test_pictures_of_a_line_scan(clustered):
    line = clustered.inav[:, 20]
    labels = line.clusters["pca_gmm"].labels
    ax = line.plot_clusters(shade=True)
    assert ax.get_xlabel() == "x (nm)"
    heights = sum(patch.get_data().values for patch in ax.patches)
    assert heights[labels == -2].tolist() == [1] * np.count_nonzero(labels == -2)
    axes = line.plot_cluster_memberships()
    assert len(axes) == 4
    assert len(line.plot_cluster_elements()) == 9
    line.plot_cluster_scores().figure.canvas.draw()


def test_pictures_do_without_units_names_and_elements(clustered):
    s = clustered
    for axis in s.axes_manager.navigation_axes:
        axis.units, axis.name = "", ""
    del s.metadata.Sample
    result = s.clusters["pca_gmm"].rename({0: "<b>ß & co</b>", 1: "x" * 60})
    figures = [
        s.plot_clusters(result), s.plot_cluster_spectra(result), s.plot_cluster_scores(result),
        *s.plot_cluster_memberships(result), *s.plot_cluster_elements(result, xray_lines=["S_Ka"]),
    ]  # fmt: skip
    for ax in figures:
        ax.figure.canvas.draw()
    with pytest.raises(ValueError, match="There is no line to draw"):
        s.plot_cluster_elements()
