import numpy as np
import pytest

from hyperspy_clusterquant.quantification import peaks

ENERGY = np.arange(20, 1000) * 0.01


def gaussian(centre, sigma=0.05):
    return 0.01 * np.exp(-0.5 * ((ENERGY - centre) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


#: The second and third overlap: 60 eV apart at 118 eV full width.
PROFILES = np.array([gaussian(2.3), gaussian(6.40), gaussian(6.46), gaussian(8.0)])
BACKGROUND = peaks.background_basis(ENERGY)
CONTINUUM = 20 * (1 - 0.5 * np.exp(-ENERGY)) / ENERGY


def test_noise_free_areas_are_exact():
    areas = np.array([5000.0, 800.0, 1200.0, 300.0])
    fit = peaks.fit_peaks(
        areas @ PROFILES + 3 * BACKGROUND[0], areas @ PROFILES + 3.0, PROFILES, BACKGROUND
    )
    np.testing.assert_allclose(fit.areas, areas, rtol=1e-6)
    np.testing.assert_allclose(fit.background, 3.0, rtol=1e-6)


def test_areas_are_unbiased_and_covered_by_their_std(rng):
    """Repeat the measurement: mean, scatter and correlation are as stated, at low counts too."""
    areas = np.array([2000.0, 400.0, 600.0, 60.0])
    mean = areas @ PROFILES + CONTINUUM
    fits = []
    for _ in range(400):
        spectrum = rng.poisson(mean).astype(float)
        fits.append(peaks.fit_peaks(spectrum, spectrum, PROFILES, BACKGROUND))
    found = np.array([fit.areas for fit in fits])
    stated = np.mean([fit.covariance for fit in fits], axis=0)
    error = found.std(axis=0) / np.sqrt(len(fits))
    assert (np.abs(found.mean(axis=0) - areas) < 4 * error).all()
    np.testing.assert_allclose(found.std(axis=0), np.sqrt(np.diag(stated)), rtol=0.12)
    scatter = np.cov(found.T)
    correlation = [c[1, 2] / np.sqrt(c[1, 1] * c[2, 2]) for c in (scatter, stated)]
    assert correlation[0] < -0.5
    assert correlation[0] == pytest.approx(correlation[1], abs=0.05)


def test_membership_weighted_sums_have_the_right_std(rng):
    """Half of the pixels count with weight 0.3: variance sum(w^2 n), not sum(w n)."""
    areas = np.array([3000.0, 500.0, 500.0, 100.0])
    mean = (areas @ PROFILES + CONTINUUM) / 2
    found, stated = [], []
    for _ in range(200):
        full, light = rng.poisson(mean), rng.poisson(mean)
        fit = peaks.fit_peaks(full + 0.3 * light, full + 0.09 * light, PROFILES, BACKGROUND)
        found.append(fit.areas)
        stated.append(np.sqrt(np.diag(fit.covariance)))
    np.testing.assert_allclose(np.std(found, axis=0), np.mean(stated, axis=0), rtol=0.17)


def test_absent_elements_are_zero_within_their_uncertainty(rng):
    mean = np.array([2000.0, 500.0, 0.0, 0.0]) @ PROFILES + CONTINUUM
    for _ in range(20):
        spectrum = rng.poisson(mean).astype(float)
        fit = peaks.fit_peaks(spectrum, spectrum, PROFILES, BACKGROUND)
        assert (fit.areas >= 0).all()
        assert (fit.areas[2:] < 5 * np.sqrt(np.diag(fit.covariance))[2:]).all()


def test_an_empty_spectrum_has_no_areas():
    fit = peaks.fit_peaks(np.zeros(980), np.zeros(980), PROFILES, BACKGROUND)
    assert np.isnan(fit.areas).all()


def test_background_windows_need_not_be_symmetric():
    slope = 100 - 8 * ENERGY
    windows, sides = np.array([[4.0, 4.4]]), np.array([[3.0, 3.4, 4.5, 4.7]])
    area, _ = peaks.integrate_windows(ENERGY, slope, slope, windows, sides)
    assert area[0] == pytest.approx(0, abs=1)


def test_windows_subtract_the_background_and_know_their_variance(rng):
    mean = np.array([4000.0, 0, 0, 500.0]) @ PROFILES + CONTINUUM
    windows = np.array([[2.15, 2.45], [7.85, 8.15]])
    sides = np.array([[1.8, 2.0, 2.6, 2.8], [7.4, 7.6, 8.4, 8.6]])
    trials = []
    for _ in range(400):
        spectrum = rng.poisson(mean).astype(float)
        trials.append(peaks.integrate_windows(ENERGY, spectrum, spectrum, windows, sides))
    found, variances = np.array(trials).transpose(1, 0, 2)
    np.testing.assert_allclose(found.mean(axis=0), [4000, 500], rtol=0.01)
    np.testing.assert_allclose(found.var(axis=0), variances.mean(axis=0), rtol=0.25)
