import numpy as np
import pytest

from hyperspy_clusterquant import LazyClusteredEDSSpectrum, data


@pytest.mark.parametrize("make", [data.six_cation_sulfide, data.seven_cation_nanoparticles])
def test_phantoms_are_what_they_say(make):
    s = make(size=(40, 64), channels=600, counts_per_pixel=50, seed=3)
    again = make(size=(40, 64), channels=600, counts_per_pixel=50, seed=3)
    other = make(size=(40, 64), channels=600, counts_per_pixel=50, seed=4)
    assert s.data.shape == (40, 64, 600)
    assert np.array_equal(s.data, again.data)
    assert not np.array_equal(s.data, other.data)
    assert s.data.dtype == np.uint8
    truth = s.metadata.Ground_truth
    sample = truth.labels >= 0
    assert s.data[sample].sum() / sample.sum() == pytest.approx(50, rel=0.05)
    np.testing.assert_allclose(truth.compositions.sum(axis=1), 100)
    assert truth.thickness.shape == truth.labels.shape
    assert set(np.unique(truth.labels)) <= set(range(-2, len(truth.phase_names)))


def test_phantoms_hold_poisson_noise():
    """The totals scatter about sample times thickness plus film as counts do."""
    s = data.seven_cation_nanoparticles(size=96, channels=512, counts_per_pixel=100)
    thickness = np.asarray(s.metadata.Ground_truth.thickness, dtype=float).ravel()
    totals = s.data.sum(axis=-1, dtype=float).ravel()
    design = np.stack([thickness, np.ones_like(thickness)], axis=1)
    expected = design @ np.linalg.lstsq(design, totals, rcond=None)[0]
    # 9216 pixels: the standard deviation of the mean is 0.015.
    assert np.mean((totals - expected) ** 2 / expected) == pytest.approx(1, abs=0.06)


def test_phantoms_of_a_detector_that_the_metadata_do_not_know():
    """Peaks lie where they were put, in a map whose metadata say nothing of it."""
    options = {"size": 24, "counts_per_pixel": 20_000}
    plain = data.seven_cation_nanoparticles(**options).sum()
    moved = data.seven_cation_nanoparticles(
        **options, energy_offset=-30.0, energy_gain=0.002, resolution=150.0
    ).sum()
    axis = plain.axes_manager.signal_axes[0].axis
    near = (axis > 7.85) & (axis < 8.25)  # Cu Ka

    def centre_and_width(s):
        counts = s.data[near] - min(s.data[near][0], s.data[near][-1])
        centre = (counts * axis[near]).sum() / counts.sum()
        return centre, np.sqrt((counts * (axis[near] - centre) ** 2).sum() / counts.sum())

    (before, narrow), (after, wide) = centre_and_width(plain), centre_and_width(moved)
    # The energy of a channel is lower by 30 eV and higher by 0.2 % than it says.
    assert after - before == pytest.approx(0.030 - 0.002 * 8.04, abs=0.003)
    assert wide > 1.05 * narrow
    eds = moved.metadata.Acquisition_instrument.TEM.Detector.EDS
    assert eds.energy_resolution_MnKa == 130


@pytest.mark.parametrize("phantom", [data.six_cation_sulfide, data.seven_cation_nanoparticles])
def test_lazy_phantoms_are_the_same_sample(phantom):
    eager, lazy = (phantom(size=40, channels=512, seed=2, lazy=lazy) for lazy in (False, True))
    assert type(lazy) is LazyClusteredEDSSpectrum
    truth, same = eager.metadata.Ground_truth, lazy.metadata.Ground_truth
    assert np.array_equal(truth.labels, same.labels)
    assert np.array_equal(truth.thickness, same.thickness)
    again = lazy.deepcopy()
    lazy.compute(show_progressbar=False)
    again.compute(show_progressbar=False)
    assert np.array_equal(lazy.data, again.data)
    assert lazy.data.dtype == eager.data.dtype
    for axes in ((0, 1), 2):
        one, other = (s.data.sum(axis=axes, dtype=float) for s in (eager, lazy))
        chi2 = ((one - other) ** 2 / np.maximum(one + other, 1)).sum() / one.size
        assert chi2 < 1.3
