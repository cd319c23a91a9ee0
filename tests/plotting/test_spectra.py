import matplotlib.pyplot as plt
import numpy as np

from hyperspy_clusterquant.plotting.style import cluster_colours


def test_spectra_are_shares_in_the_colours_of_the_map(clustered):
    ax = clustered.plot_cluster_spectra()
    # Those of phases are negative by noise where there is nothing.
    spectra = np.maximum(clustered.get_cluster_spectra(weights="phase").data, 0)
    curves = [line for line in ax.lines if line.get_label().startswith("cluster")]
    energy = clustered.axes_manager.signal_axes[0].axis
    assert [line.get_color() for line in curves] == cluster_colours(4)
    for curve, spectrum in zip(curves, spectra, strict=True):
        shown = spectrum[energy >= 0.1]
        np.testing.assert_allclose(curve.get_ydata(), shown / shown.sum())
    marked = {text.get_text() for text in ax.texts}
    assert {"S Kα", "Fe Kα", "Ag Lα", "Cd Lα"} <= marked


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
