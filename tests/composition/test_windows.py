import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant.composition.windows import window_weights

exspy_data = pytest.importorskip("exspy.data")


@pytest.mark.parametrize("line_width", [[2.0, 2.0], [5.0, 2.0]])
def test_the_same_counts_as_exspy(line_width):
    s = exspy_data.EDS_TEM_FePt_nanoparticles()
    s.add_lines()
    background = s.estimate_background_windows(line_width)
    theirs = s.get_lines_intensity(background_windows=background, plot_result=False)
    peaks = s.estimate_integration_windows(2.0, ["Fe_Ka", "Pt_La"])
    axis = s.axes_manager.signal_axes[0].axis
    weights = window_weights(axis, np.array(peaks), np.array(background))
    np.testing.assert_allclose(weights @ s.data, [image.data[0] for image in theirs])


def test_windows_subtract_the_background_and_know_their_variance(rng):
    energy = np.arange(20, 1000) * 0.01
    peak = 0.01 * np.exp(-0.5 * ((energy - 2.3) / 0.05) ** 2) / (0.05 * np.sqrt(2 * np.pi))
    mean = 4000 * peak + 30.0
    where, sides = np.array([[2.1, 2.5]]), np.array([[1.7, 2.0, 2.6, 2.9]])
    weights = window_weights(energy, where, sides)
    trials = rng.poisson(mean, (400, len(energy)))
    found, variances = trials @ weights.T, trials @ (weights**2).T
    assert found.mean() == pytest.approx(4000, rel=0.002)
    assert found.var() == pytest.approx(variances.mean(), rel=0.2)


def test_exspys_documented_composition():
    s = exspy_data.EDS_TEM_FePt_nanoparticles()
    s.set_signal_type("EDS_TEM_clustered")
    hs.set_log_level("ERROR")
    q = s.cluster_quantification(kfactors={"Fe_Ka": 1.450226, "Pt_La": 5.075602}, method="windows")
    np.testing.assert_allclose(q.atomic_percent[0], [15.41, 84.59], atol=0.005)
