import matplotlib.pyplot as plt

from hyperspy_clusterquant.plotting.files import axes_for_file, panels_for_file, save_axes


def test_a_figure_for_a_file_opens_none(tmp_path):
    ax = axes_for_file((4, 3))
    ax.plot([0, 1])
    save_axes(ax, tmp_path / "a.png", dpi=50)
    assert plt.get_fignums() == []
    height, width = plt.imread(tmp_path / "a.png").shape[:2]
    assert 100 < width <= 220
    assert 80 < height <= 170


def test_panels_for_a_file_open_none(tmp_path):
    axes = panels_for_file(5, (2.6, 2.0))
    assert len(axes) == len(axes[0].figure.axes) == 5
    save_axes(axes[0], tmp_path / "a.png", dpi=50)
    assert plt.get_fignums() == []
