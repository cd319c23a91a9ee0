import matplotlib.pyplot as plt
import numpy as np
import tables

from hyperspy_clusterquant.plotting import plot_residuals


def test_maps_of_residuals():
    maps = np.where(
        np.arange(24).reshape(4, 6) < 20, np.linspace(-30, 10, 24).reshape(4, 6), np.nan
    )
    regions = np.full((4, 6), -1)
    regions[:2, :2] = 0
    axes = plot_residuals(
        [maps, maps], regions, tables.AXES, ("core", "shell"), ("Ca_Ka", "Fe_Ka"),
        np.array([1e-9, np.nan]), np.array([True, False]),
    )  # fmt: skip
    assert len(axes) == 2
    assert axes[0].get_title(loc="left") == "core: varies inside, p < 1e-4"
    assert axes[1].get_title(loc="left") == "shell: cannot be told"
    drawn = axes[0].images[0]
    np.testing.assert_array_equal(drawn.get_array().filled(np.nan), maps)
    low, high = drawn.get_clim()
    assert low == -high
    assert len(axes[0].collections) == 1  # the outline
    assert not axes[1].collections
    axes[0].figure.canvas.draw()


def test_line_scan_and_given_axes():
    _, given = plt.subplots(1, 1, squeeze=False)
    axes = plot_residuals(
        [np.linspace(-1, 1, 9)], np.zeros(9, dtype=int), (), ("a",), ("S_Ka",), np.array([0.01]),
        np.array([True]), given.ravel(),
    )  # fmt: skip
    assert axes[0] is given[0, 0]
    axes[0].figure.canvas.draw()
