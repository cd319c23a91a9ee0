import numpy as np
import pytest


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
