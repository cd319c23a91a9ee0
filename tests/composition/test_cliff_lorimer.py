import numpy as np

from hyperspy_clusterquant.composition.cliff_lorimer import (
    atomic_fractions,
    fraction_covariance,
    fraction_covariance_from_kfactors,
    weight_fractions,
)


def test_intensities_of_a_known_composition_give_it_back():
    atomic = np.array([0.25, 0.25, 0.5])
    masses = np.array([63.546, 55.845, 32.06])
    k = np.array([1.94, 1.6, 1.0])
    weight = atomic * masses / (atomic * masses).sum()
    intensities = 1234 * weight / k
    np.testing.assert_allclose(weight_fractions(intensities, k), weight)
    np.testing.assert_allclose(atomic_fractions(intensities, k, masses), atomic)


def test_exspy_gives_the_same_weight_percent():
    import hyperspy.api as hs

    intensities, k = np.array([300.0, 500.0, 100.0]), np.array([1.0, 2.0, 3.0])
    s = hs.signals.Signal1D(np.ones((2, 64)))
    s.set_signal_type("EDS_TEM")
    signals = []
    for line, value in zip(["Al_Ka", "Zn_Ka", "Zr_La"], intensities, strict=True):
        image = hs.signals.BaseSignal(np.full(2, value)).T
        image.metadata.set_item("Sample.xray_lines", [line])
        signals.append(image)
    exspy = s.quantification(signals, "CL", list(k), "weight", navigation_mask=None)
    np.testing.assert_allclose(
        [image.data[0] for image in exspy], 100 * weight_fractions(intensities, k)
    )


def test_no_counts_have_no_composition():
    assert np.isnan(weight_fractions(np.zeros(3), np.ones(3))).all()


def test_covariance_by_repetition(rng):
    """Correlated intensities and k-factors drawn many times: the scatter is as propagated."""
    mean = np.array([4000.0, 2500.0, 900.0])
    covariance = np.array([[5000.0, -1500, 0], [-1500, 4000, 300], [0, 300, 1000]])
    factors = np.array([1.0, 2.1, 3.0])
    fractions = weight_fractions(mean, factors)
    draws = rng.multivariate_normal(mean, covariance, 50_000)
    scatter = np.cov([weight_fractions(d, factors) for d in draws], rowvar=False)
    stated = fraction_covariance(fractions, factors, mean, covariance)
    np.testing.assert_allclose(scatter, stated, rtol=0.05, atol=2e-7)

    relative = np.array([0.0, 0.02, 0.05])
    draws = factors * (1 + relative * rng.standard_normal((50_000, 3)))
    scatter = np.cov([weight_fractions(mean, d) for d in draws], rowvar=False)
    stated = fraction_covariance_from_kfactors(fractions, relative)
    np.testing.assert_allclose(scatter, stated, rtol=0.06, atol=1e-6)
