import numpy as np


def test_scree_plot_tells_signal_from_noise(clustered):
    result = clustered.clusters["pca_gmm"]
    ax = clustered.plot_cluster_scree()
    signal = next(line for line in ax.lines if line.get_label().startswith("signal"))
    assert np.array_equal(signal.get_ydata(), result.eigenvalues[: result.n_components])
    edge = next(line for line in ax.lines if line.get_label() == "edge of the noise")
    assert edge.get_ydata()[0] == result.noise_edge
