import numpy as np

from hyperspy_clusterquant.plotting import plot_profile

DISTANCE = np.array([0.0, 1.0, 2.5, 3.5])
PERCENT = np.array([[10.0, 90.0], [20.0, 80.0], [40.0, 60.0], [41.0, 59.0]])
STD = np.array([[1.0, 2.0]]) * np.ones((4, 1))


def band(collection):
    """Lower and upper end of a band at each distance, (n, 2)."""
    corners = collection.get_paths()[0].vertices
    return np.array([
        [y.min(), y.max()] for y in (corners[corners[:, 0] == x, 1] for x in DISTANCE)
    ])  # fmt: skip


def test_bands_are_one_standard_deviation_wide():
    ax = plot_profile(DISTANCE, PERCENT, STD, ("Al", "Ga"), "nm")
    for n, (line, collection) in enumerate(zip(ax.lines, ax.collections, strict=True)):
        np.testing.assert_array_equal(line.get_xdata(), DISTANCE)
        np.testing.assert_array_equal(line.get_ydata(), PERCENT[:, n])
        ends = PERCENT[:, n, None] + STD[:, n, None] * [-1, 1]
        np.testing.assert_allclose(band(collection), ends)
        assert line.get_color() != ax.lines[1 - n].get_color()
    assert ax.get_xlabel() == "Distance (nm)"
    assert ax.get_ylabel() == "Composition (at%)"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Al", "Ga"]


def test_without_the_blur_lines_and_dots():
    sharp = PERCENT + np.array([-3.0, 3.0])
    ax = plot_profile(DISTANCE, PERCENT, STD, ("Al", "Ga"), "nm", sharp, 2 * STD)
    dots = [bars.lines[0] for bars in ax.containers]
    for n, of in enumerate(dots):
        np.testing.assert_array_equal(of.get_ydata(), PERCENT[:, n])
        segments = ax.containers[n].lines[2][0].get_segments()
        np.testing.assert_allclose([s[:, 1] for s in segments], PERCENT[:, n, None] + [
            [-STD[0, n], STD[0, n]]
        ])  # fmt: skip
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(lines["Ga"].get_ydata(), sharp[:, 1])
    assert lines["Ga"].get_color() == dots[1].get_color()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Al", "Ga"]


def test_interfaces_are_marked_over_their_widths():
    interfaces = [(1.2, 0.8), (3.0, np.nan)]
    ax = plot_profile(DISTANCE, PERCENT, STD, ("Al", "Ga"), "nm", interfaces=interfaces)
    marked = [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]
    assert marked == [1.2, 3.0]
    (span,) = ax.patches
    ends = ax.transData.inverted().transform(span.get_window_extent().get_points())[:, 0]
    np.testing.assert_allclose(ends, [1.2 - 0.4, 1.2 + 0.4])


def test_steps_without_composition_leave_a_gap():
    percent = PERCENT.copy()
    percent[1] = np.nan
    ax = plot_profile(DISTANCE, percent, STD, ("Al", "Ga"), "px", ax=None)
    assert np.isnan(ax.lines[0].get_ydata()[1])
    ax.figure.canvas.draw()
