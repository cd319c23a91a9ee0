import numpy as np
import pytest

from hyperspy_clusterquant.composition.design import Design, Scale
from hyperspy_clusterquant.composition.peaks import fit_peaks
from hyperspy_clusterquant.xrays.detectors import escape_share
from hyperspy_clusterquant.xrays.emission import Family, line_families

ENERGY = np.arange(110, 1000) * 0.01


def line(name, energy):
    return Family(name, np.array([energy]), np.array([1.0]))


#: The second and third overlap: 60 eV apart at 130 eV full width.
FAMILIES = (line("A_Ka", 2.3), line("B_Ka", 6.40), line("C_Ka", 6.46), line("D_Ka", 8.0))
DESIGN = Design(ENERGY, FAMILIES, Scale(), 200.0)
CONTINUUM = 30 * (1 - 0.5 * np.exp(-ENERGY)) / ENERGY


def gaussian(centre, resolution=130.0):
    """Independent of the design: sampled, with the width of silicon detectors."""
    sigma = np.sqrt(resolution**2 + 2500 * (centre - 5.8987)) / 1000 / 2.35482
    return 0.01 * np.exp(-0.5 * ((ENERGY - centre) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


PROFILES = np.array([gaussian(family.energies[0]) for family in FAMILIES])


def test_noise_free_areas_are_exact():
    areas = np.array([5000.0, 800.0, 1200.0, 300.0])
    fit = fit_peaks(areas @ PROFILES + CONTINUUM, areas @ PROFILES + CONTINUUM, DESIGN)
    np.testing.assert_allclose(fit.areas, areas, rtol=3e-3)
    # Escape and pile-up, which this spectrum lacks, may take a fraction of a count.
    np.testing.assert_allclose(fit.background + fit.artefacts, CONTINUUM, rtol=0.05)
    np.testing.assert_allclose(fit.model, areas @ PROFILES + CONTINUUM, rtol=0.05)


def test_areas_are_unbiased_and_covered_by_their_std(rng):
    """Repeat the measurement: mean, scatter and correlation are as stated, at low counts too."""
    areas = np.array([2000.0, 400.0, 600.0, 60.0])
    mean = areas @ PROFILES + CONTINUUM
    fits = []
    for _ in range(300):
        spectrum = rng.poisson(mean).astype(float)
        fits.append(fit_peaks(spectrum, spectrum, DESIGN))
    found = np.array([fit.unconstrained for fit in fits])
    stated = np.mean([fit.covariance for fit in fits], axis=0)
    error = found.std(axis=0) / np.sqrt(len(fits))
    assert (np.abs(found.mean(axis=0) - areas) < 4 * error).all()
    np.testing.assert_allclose(found.std(axis=0), np.sqrt(np.diag(stated)), rtol=0.14)
    scatter = np.cov(found.T)
    correlation = [c[1, 2] / np.sqrt(c[1, 1] * c[2, 2]) for c in (scatter, stated)]
    assert correlation[0] < -0.5
    assert correlation[0] == pytest.approx(correlation[1], abs=0.1)


def test_membership_weighted_sums_have_the_right_std(rng):
    """Half of the pixels count with weight 0.3: variance sum(w^2 n), not sum(w n)."""
    areas = np.array([3000.0, 500.0, 500.0, 100.0])
    mean = (areas @ PROFILES + CONTINUUM) / 2
    found, stated = [], []
    for _ in range(200):
        full, light = rng.poisson(mean), rng.poisson(mean)
        fit = fit_peaks(full + 0.3 * light, full + 0.09 * light, DESIGN)
        found.append(fit.areas)
        stated.append(np.sqrt(np.diag(fit.covariance)))
    np.testing.assert_allclose(np.std(found, axis=0), np.mean(stated, axis=0), rtol=0.17)


def test_a_line_of_pixels_that_hardly_belong_has_the_variance_of_their_weight(rng):
    """The second line comes from pixels of weight 0.1 alone, so its variance is a tenth."""
    own, foreign = 4000 * PROFILES[0] + CONTINUUM / 2, 9000 * PROFILES[3] + CONTINUUM / 2
    found, stated = [], []
    for _ in range(200):
        a, b = rng.poisson(own), rng.poisson(foreign)
        fit = fit_peaks(a + 0.1 * b, a + 0.01 * b, DESIGN)
        found.append(fit.areas[[0, 3]])
        stated.append(np.sqrt(np.diag(fit.covariance))[[0, 3]])
    np.testing.assert_allclose(np.std(found, axis=0), np.mean(stated, axis=0), rtol=0.17)


def test_absent_elements_are_zero_within_their_uncertainty(rng):
    """Of estimates of nothing, half are negative before the bound, and they scatter as stated."""
    mean = np.array([2000.0, 500.0, 0.0, 0.0]) @ PROFILES + CONTINUUM
    pulls = []
    for _ in range(150):
        spectrum = rng.poisson(mean).astype(float)
        fit = fit_peaks(spectrum, spectrum, DESIGN)
        assert (fit.areas >= 0).all()
        np.testing.assert_array_equal(fit.areas, np.maximum(fit.unconstrained, 0))
        pulls.append(fit.unconstrained[3] / np.sqrt(fit.covariance[3, 3]))
    assert np.mean(pulls) == pytest.approx(0, abs=0.3)
    assert np.std(pulls) == pytest.approx(1, abs=0.15)


def test_an_empty_spectrum_has_no_areas():
    fit = fit_peaks(np.zeros(len(ENERGY)), np.zeros(len(ENERGY)), DESIGN)
    assert np.isnan(fit.areas).all()


@pytest.mark.parametrize(("escape", "pile_up"), [(1.0, 0.0), (1.7, 0.0), (0.0, 0.004)])
def test_escape_and_pile_up_do_not_pass_for_elements(escape, pile_up):
    """A strong line has an escape peak and a sum peak where other elements have their lines."""
    strong = 2e6
    centre = 5.0
    families = (
        line("strong_Ka", centre),
        line("escape_Ka", centre - 1.74),
        line("sum_Ka", 2 * centre - 0.05),
    )
    energy = np.arange(110, 1200) * 0.01
    design = Design(energy, families, Scale(), 200.0)

    def peak(position, share):
        sigma = np.sqrt(130**2 + 2500 * (position - 5.8987)) / 1000 / 2.35482
        shape = np.exp(-0.5 * ((energy - position) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
        return strong * share * 0.01 * shape

    share = escape_share(np.array([centre]))[0]
    counts = peak(centre, 1.0) + peak(centre - 1.74, escape * share) + 2000 / energy
    if pile_up:
        total = counts.sum()
        sums = np.convolve(counts, counts) / total * pile_up
        at = 2 * energy[0] + 0.01 * np.arange(len(sums))
        counts = counts + np.interp(energy, at, sums, left=0, right=0)
    fit = fit_peaks(counts, counts, design)
    std = np.sqrt(np.diag(fit.covariance))
    assert fit.areas[0] == pytest.approx(strong, rel=2e-3)
    # Less than a tenth of what the artefact holds is taken for an element.
    assert fit.areas[1] < max(0.1 * escape * share * strong, 3 * std[1])
    assert fit.areas[2] < max(0.1 * pile_up * strong, 3 * std[2])


def test_background_is_never_negative_and_follows_absorption():
    energy = np.arange(30, 1200) * 0.01
    truth = 3e4 * (200 - energy) / energy * np.exp(-((0.6 / energy) ** 2))
    design = Design(energy, (), Scale(), 200.0)
    fit = fit_peaks(truth, truth, design)
    assert (design.background >= 0).all()
    np.testing.assert_allclose(fit.model[energy > 0.4], truth[energy > 0.4], rtol=4e-3)
    np.testing.assert_allclose(fit.model[energy > 1.5], truth[energy > 1.5], rtol=1e-3)


@pytest.mark.parametrize("scale", [Scale(bend=0.03), Scale(offset=-0.03, gain=0.002)])
def test_pile_up_lies_at_twice_the_energy_whatever_the_axis(scale):
    energy = 0.01 * np.arange(30, 1600)
    design = Design(energy, (line("Fe_Ka", 6.40),), scale, 200.0)
    counts = 3e6 * design.profiles[0] + 1.0
    sums = 9000 * design.profile(np.array([12.80]), [1.0]) * 130 / 184
    fit = fit_peaks(counts + sums, counts + sums, design)
    found = design.true_energy[np.argmax(fit.artefacts * (energy > 8))]
    assert found == pytest.approx(12.80, abs=0.02)


def test_an_absent_m_line_scatters_around_zero(rng):
    """M beta follows M alpha, but no more closely than counts can tell."""
    families = (line("Fe_Ka", 6.40), *line_families("Au_Ma", 200.0))
    design = Design(ENERGY, families, Scale(), 200.0)
    mean = 2e4 * design.profiles[0] + 50 / ENERGY
    pulls = []
    for _ in range(100):
        spectrum = rng.poisson(mean).astype(float)
        fit = fit_peaks(spectrum, spectrum, design)
        pulls.append(fit.unconstrained[1] / np.sqrt(fit.covariance[1, 1]))
    assert np.mean(pulls) == pytest.approx(0, abs=0.3)
    assert np.std(pulls) == pytest.approx(1, abs=0.25)
