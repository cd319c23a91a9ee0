import matplotlib.pyplot as plt
import numpy as np
import pytest
import tables
from matplotlib.colors import to_hex
from scipy import stats

from hyperspy_clusterquant.plotting import plot_composition_matrix, plot_ternary
from hyperspy_clusterquant.plotting.compositions import ELLIPSE
from hyperspy_clusterquant.plotting.style import cluster_colours


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


def test_matrix_shows_every_number_with_its_uncertainty():
    table = tables.composition()
    ax = table.plot_heatmap()
    np.testing.assert_array_equal(ax.images[0].get_array(), table.atomic_percent)
    texts = {text.get_position(): text.get_text() for text in ax.texts}
    assert texts[0, 0] == "25.41\n± 0.50"
    assert texts[1, 1].startswith("< ")  # not detected
    assert [t.get_text() for t in ax.get_yticklabels()] == ["core", "the_shell"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["Fe", "Pt"]
    _, given = plt.subplots()
    assert table.plot_heatmap(given) is given


def test_matrix_of_a_cluster_without_counts():
    percent = np.array([[np.nan, np.nan], [40.0, 60.0]])
    ax = plot_composition_matrix(percent, [["-", "-"], ["40", "60"]], ["a", "b"], ["X", "Y"], "at%")
    ax.figure.canvas.draw()
    assert ax.images[0].get_clim()[1] == 60


def test_corners_and_middle_of_the_triangle():
    shares = np.array([*100 * np.eye(3), [100 / 3] * 3])
    names = ("left", "right", "top", "middle")
    ax = plot_ternary(shares, np.zeros((4, 3, 3)), ("A", "B", "C+D"), names)
    points = {line.get_label(): line.get_xydata()[0] for line in ax.lines}
    top = np.sqrt(3) / 2
    for name, place in (("left", (0, 0)), ("right", (1, 0)), ("top", (0.5, top)),
                        ("middle", (0.5, top / 3))):  # fmt: skip
        np.testing.assert_allclose(points[name], place, atol=1e-12)
    assert {"A (at%)", "B (at%)", "C+D (at%)"} <= {text.get_text() for text in ax.texts}
    ax.figure.canvas.draw()


def test_ellipses_hold_what_they_say(rng):
    covariance = np.array([[6.0, -2.0, -4.0], [-2.0, 3.0, -1.0], [-4.0, -1.0, 5.0]]) / 2
    shares = np.array([[30.0, 30.0, 40.0]])
    ax = plot_ternary(shares, covariance[None], ("A", "B", "C"), ("a",))
    outline = ax.patches[-1]
    drawn = rng.multivariate_normal(shares[0], covariance, 20_000) / 100
    places = np.stack([drawn[:, 1] + drawn[:, 2] / 2, np.sqrt(3) / 2 * drawn[:, 2]], axis=1)
    inside = outline.get_path().contains_points(places)
    assert inside.mean() == pytest.approx(0.683, abs=0.015)
    assert stats.chi2(2).cdf(ELLIPSE**2) == pytest.approx(0.683, abs=0.001)
    assert to_hex(outline.get_edgecolor()).upper() == cluster_colours(1)[0]


def test_cluster_that_holds_none_of_the_three():
    shares = np.array([[np.nan] * 3, [20.0, 30.0, 50.0]])
    covariances = np.stack([np.full((3, 3), np.nan), np.eye(3)])
    ax = plot_ternary(shares, covariances, ("A", "B", "C"), ("none", "some"))
    ax.figure.canvas.draw()
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["none", "some"]
