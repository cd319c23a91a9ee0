import matplotlib.pyplot as plt

from hyperspy_clusterquant.plotting.files import axes_for_file, save_axes


def test_a_figure_for_a_file_opens_none(tmp_path):
    ax = axes_for_file((4, 3))
    ax.plot([0, 1])
    save_axes(ax, tmp_path / "a.png", dpi=50)
    assert plt.get_fignums() == []
    height, width = plt.imread(tmp_path / "a.png").shape[:2]
    assert 100 < width <= 220
    assert 80 < height <= 170
