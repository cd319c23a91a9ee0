import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_clusterquant.plotting import plot_peak_fit, plot_spectra
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


ENERGY = np.linspace(0.1, 10, 100)
LINES = {"S_Ka": 2.3, "Cu_Ka": 8.04}


def test_axis_stays_at_one_count_whatever_the_noise():
    counts = np.full((1, 100), 1e-36)
    counts[0, 20:40] = 1e5
    for values, one in ((counts, None), (counts / counts.sum(), 1 / counts.sum())):
        ax = plot_spectra(ENERGY, values, ["a"], LINES, one_count=one)
        assert ax.get_ylim()[0] == pytest.approx(1.0 if one is None else one)
    empty = plot_spectra(ENERGY, 0 * counts, ["a"], LINES)
    assert empty.get_ylim()[0] == 1
    empty.figure.canvas.draw()


def test_offsets_lift_by_decades_or_by_heights():
    values = np.array([[1.0, 10.0, 4.0], [2.0, 5.0, 3.0], [1.0, 1.0, 1.0]])
    energy = np.array([1.0, 2.0, 3.0])
    log = plot_spectra(energy, values, "abc", {}, offset=2)
    linear = plot_spectra(energy, values, "abc", {}, offset=0.5, log=False)
    for n, (of_log, of_linear) in enumerate(zip(log.lines, linear.lines, strict=True)):
        np.testing.assert_allclose(of_log.get_ydata(), values[n] * 100**n)
        np.testing.assert_allclose(of_linear.get_ydata(), values[n] + 5 * n)
    # As they lie above one another.
    assert [t.get_text() for t in log.get_legend().get_texts()] == ["c", "b", "a"]
    assert "lifted" in log.get_ylabel()


def test_energy_range_and_differences():
    values = np.sin(ENERGY)[None]
    ax = plot_spectra(
        ENERGY, values, ["a"], LINES, log=False, energy_range=(2, 5), colours=["#123456"]
    )
    assert ax.get_xlim() == (2, 5)
    assert ax.get_ylim()[0] < -0.95
    assert ax.lines[0].get_color() == "#123456"
    assert [t.get_text() for t in ax.texts] == ["S Kα"]


def fit(**more):
    model = (
        1 + 100 * np.exp(-((ENERGY - 2.3) ** 2) / 0.02) + 50 * np.exp(-((ENERGY - 8) ** 2) / 0.02)
    )
    curves = np.stack([model * (ENERGY < 5), model * (ENERGY > 5)]) - 1
    nothing = np.zeros(100)
    return plot_peak_fit(
        ENERGY, np.round(model), model, nothing + 1, nothing, nothing, ["S_Ka", "8.0_line"],
        curves, "fit", **more,
    )  # fmt: skip


def test_part_of_a_fit_with_or_without_what_is_unexplained():
    top, below = fit()
    assert {text.get_text() for text in top.texts} == {"S Kα", "?"}
    top, below = fit(named=["S_Ka"])
    assert {text.get_text() for text in top.texts} == {"S Kα"}
    assert len(top.lines) == len(fit()[0].lines)
    top, below = fit(energy_range=(7, 9))
    assert top.get_xlim() == below.get_xlim() == (7, 9)
    assert {text.get_text() for text in top.texts} == {"?"}
    assert top.get_ylim()[0] >= 1
    top.figure.canvas.draw()
