"""What the pictures show is what the results hold."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from hyperspy_clusterquant import compare_clusterings
from hyperspy_clusterquant.plotting.style import cluster_colours, line_label


def test_map_shows_labels_legend_and_scale_bar(clustered):
    ax = clustered.plot_clusters()
    result = clustered.clusters["pca_gmm"]
    image = ax.images[0]
    assert np.array_equal(image.get_array(), result.labels)
    colours = image.cmap(image.norm(result.labels))
    for k, colour in enumerate(cluster_colours(4)):
        np.testing.assert_allclose(colours[result.labels == k], [to_rgba(colour)] * result.sizes[k])
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend[0].startswith("cluster 0 (")
    assert legend[-1] == "left out"
    bar = next(a for a in ax.artists if hasattr(a, "size_bar"))
    length = bar.size_bar.get_children()[0].get_width() * clustered.axes_manager["x"].scale
    assert length == pytest.approx(200)
    assert bar.txt_label.get_text() == "200 nm"


def test_map_of_a_line_scan_and_in_given_axes(clustered):
    figure, ax = plt.subplots()
    line = clustered.inav[:, 5]
    assert line.plot_clusters(ax=ax) is ax
    assert ax.images[0].get_array().shape == (1, 64)
    figure.canvas.draw()


def test_spectra_are_shares_in_the_colours_of_the_map(clustered):
    ax = clustered.plot_cluster_spectra()
    spectra = clustered.get_cluster_spectra().data
    curves = [line for line in ax.lines if line.get_label().startswith("cluster")]
    energy = clustered.axes_manager.signal_axes[0].axis
    assert [line.get_color() for line in curves] == cluster_colours(4)
    for curve, spectrum in zip(curves, spectra, strict=True):
        shown = spectrum[energy >= 0.1]
        np.testing.assert_allclose(curve.get_ydata(), shown / shown.sum())
    marked = {text.get_text() for text in ax.texts}
    assert {"S Kα", "Fe Kα", "Ag Lα", "Cd Lα"} <= marked


def test_scree_plot_tells_signal_from_noise(clustered):
    result = clustered.clusters["pca_gmm"]
    ax = clustered.plot_cluster_scree()
    signal = next(line for line in ax.lines if line.get_label().startswith("signal"))
    assert np.array_equal(signal.get_ydata(), result.eigenvalues[: result.n_components])
    edge = next(line for line in ax.lines if line.get_label() == "edge of the noise")
    assert edge.get_ydata()[0] == result.noise_edge


def test_composition_bars_have_error_bars(clustered):
    table = clustered.cluster_quantification(kfactors=clustered.metadata.Ground_truth.kfactors)
    ax = table.plot()
    bars = [c for c in ax.containers if hasattr(c, "patches")]
    assert len(bars) == 4
    heights = [[patch.get_height() for patch in bar.patches] for bar in bars]
    np.testing.assert_allclose(heights, np.where(table.detected, table.atomic_percent, 0))
    assert table.detected[1].all()
    segments = bars[1].errorbar.lines[2][0].get_segments()
    lengths = [segment[1, 1] - segment[0, 1] for segment in segments]
    lower, upper = table.interval()
    np.testing.assert_allclose(lengths, (upper - lower)[1])
    np.testing.assert_allclose(lengths, 2 * table.std[1], rtol=2e-3)


def test_what_is_not_detected_has_a_bar_up_to_its_interval(clustered):
    k = clustered.metadata.Ground_truth.kfactors.as_dictionary() | {"Ni_Ka": 1.8}
    clustered.add_elements(["Ni"])
    table = clustered.cluster_quantification(kfactors=k, extra_elements=["C", "Au"])
    nickel = table.elements.index("Ni")
    absent = int(np.flatnonzero(~table.detected[:, nickel])[0])
    bars = [c for c in table.plot().containers if hasattr(c, "patches")]
    assert bars[absent].patches[nickel].get_height() == 0
    (_, low), (_, high) = bars[absent].errorbar.lines[2][0].get_segments()[nickel]
    assert low == 0
    assert high == pytest.approx(table.interval()[1][absent, nickel])


def test_peak_fit_shows_counts_model_and_residual(clustered):
    table = clustered.cluster_quantification(
        kfactors=clustered.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"]
    )
    fit = table.fits[2]
    top, below = table.plot_fit(2)
    drawn = {line.get_label(): line for line in top.lines}
    np.testing.assert_array_equal(drawn["model"].get_ydata(), fit.model)
    np.testing.assert_array_equal(drawn["background"].get_ydata(), fit.background)
    counted = fit.counts > 0
    np.testing.assert_array_equal(drawn["counts"].get_ydata()[counted], fit.counts[counted])
    np.testing.assert_array_equal(below.lines[0].get_ydata(), fit.residual)
    names = {text.get_text() for text in top.texts}
    assert {"Ag Lα", "Cd Lα", "S Kα", "Cu Kα"} <= names
    _, axes = plt.subplots(2, 1)
    assert table.plot_fit(0, axes=axes)[0] is axes[0]


def test_many_clusters_have_colours():
    assert len(cluster_colours(30)) == 30


def test_pictures_of_tests(clustered):
    result = clustered.clusters["pca_gmm"]
    table = clustered.cluster_significance(n_splits=1)
    ax = table.plot()
    shown = {text.get_text() for text in ax.texts}
    assert len(ax.texts) == 12
    assert f"{table.effect_size[0, 1]:.2g} at%\np < 1e-4" in shown
    assert [t.get_text() for t in ax.get_yticklabels()] == list(result.cluster_names)

    comparison = compare_clusterings(result, result.merge([0, 1]))
    table_ax, map_ax = comparison.plot()
    assert {t.get_text() for t in table_ax.texts} == set(map(str, comparison.contingency.ravel()))
    image = map_ax.images[0].get_array()
    assert np.array_equal(image == 1, comparison.disagreement == 1)

    stability = clustered.cluster_stability(n_resamples=2)
    ax = stability.plot()
    np.testing.assert_array_equal(ax.images[0].get_array().filled(np.nan), stability.agreement)


def test_names_of_lines():
    assert line_label("Ga_Ka") == "Ga Kα"
    assert line_label("Ag_La") == "Ag Lα"


def test_maps_of_lines_with_their_significance(clustered):
    table = clustered.map_significance()
    axes = table.plot()
    assert len(axes) == 7
    for ax, line, image in zip(axes, table.xray_lines, table.images, strict=True):
        assert ax.get_title(loc="left").startswith(line.split("_")[0])
        assert "varies beyond thickness\np < 1e-4" in ax.get_title(loc="left")
        np.testing.assert_array_equal(ax.images[0].get_array().filled(np.nan), image)
    ax = table.plot_correlations()
    position = [t.get_text() for t in ax.get_xticklabels()].index("Fe Kα")
    other = [t.get_text() for t in ax.get_yticklabels()].index("Cu Kα")
    written = f"{table.correlation[position, other]:+.2f}"
    assert any(t.get_text().startswith(written) for t in ax.texts)
    figure, axes = plt.subplots(1, 7)
    assert table.plot(axes)[0] is axes[0]
    line = clustered.inav[:, 20].map_significance(binning=1)
    assert line.plot()[0].images[0].get_array().shape == (1, 64)
    figure.canvas.draw()
