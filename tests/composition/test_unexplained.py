import numpy as np
import pytest
import simulation

from hyperspy_clusterquant import theoretical_kfactors
from hyperspy_clusterquant.composition.design import Design, Scale
from hyperspy_clusterquant.composition.fitting import fit_spectra
from hyperspy_clusterquant.composition.unexplained import SIGNIFICANT
from hyperspy_clusterquant.xrays.lines import alpha_lines, known_elements, known_families

ENERGY = 0.01 * np.arange(110, 1200)
COMPOSITION = simulation.SIX_CATION["chalcopyrite"]
KFACTORS = theoretical_kfactors([simulation.quantified_line(e) for e in COMPOSITION])


def fit(counts, declared):
    def families(elements):
        return known_families(alpha_lines(elements, 0.95, 12.1), 200.0)

    design = Design(ENERGY, families(declared), Scale(), 200.0)
    others = [e for e in known_elements() if e not in declared]
    return fit_spectra(counts[None], counts[None], design, {e: families([e]) for e in others})


def area(fitted, alpha, spectrum=0):
    fit = fitted.fits[spectrum]
    return fit.areas[[family.alpha for family in fit.design.families].index(alpha)]


def test_noise_is_no_peak(rng):
    mean = 2e5 * simulation.spectrum(ENERGY, COMPOSITION, KFACTORS)
    found = [
        fit(rng.poisson(mean).astype(float), tuple(COMPOSITION)).unexplained for _ in range(60)
    ]
    assert sum(map(len, found)) == 0


@pytest.mark.parametrize("hidden", ["Fe", "Cu", "S"])
def test_an_element_that_is_not_declared_is_named_and_does_not_harm_the_others(hidden):
    counts = 1e6 * simulation.spectrum(ENERGY, COMPOSITION, KFACTORS)
    declared = tuple(element for element in COMPOSITION if element != hidden)
    whole, part = fit(counts, tuple(COMPOSITION)), fit(counts, declared)
    assert f"{hidden}_Ka" in [peak.line for peak in part.unexplained]
    for element in declared:
        alpha = simulation.quantified_line(element)
        before, after = area(whole, alpha), area(part, alpha)
        std = np.sqrt(np.diag(part.covariances[0]))
        names = [f.alpha for f in part.fits[0].design.families]
        assert after == pytest.approx(before, abs=2 * std[names.index(alpha)]), element


def test_gold_of_the_grid_is_found_beneath_sulfur(rng):
    mean = 3e5 * simulation.spectrum(ENERGY, COMPOSITION, KFACTORS, extra={"Au": 0.03})
    counts = rng.poisson(mean).astype(float)
    fitted = fit(counts, tuple(COMPOSITION))
    assert {peak.line for peak in fitted.unexplained} == {"Au_Ma", "Au_La"}
    assert "2.12 keV: Au_Ma?" in map(str, fitted.unexplained)
    declared = fit(counts, (*COMPOSITION, "Au"))
    assert not declared.unexplained
    assert area(fitted, "S_Ka") == pytest.approx(area(declared, "S_Ka"), rel=1e-3)


def test_a_line_of_no_element():
    counts = 1e6 * simulation.spectrum(ENERGY, COMPOSITION, KFACTORS)
    counts += (
        4000 * 0.01 / (0.06 * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((ENERGY - 7.25) / 0.06) ** 2)
    )
    fitted = fit(counts, tuple(COMPOSITION))
    (peak,) = fitted.unexplained
    assert peak.energy == pytest.approx(7.25, abs=0.03)
    assert peak.significance > SIGNIFICANT
    assert str(peak).startswith("7.2")


@pytest.mark.parametrize("position", [4.20, 4.215, 4.235])
@pytest.mark.parametrize("counts", [3e3, 3e4, 3e5, 3e6])
def test_a_peak_of_nothing_is_one_peak_however_strong(position, counts, rng):
    mean = 1e5 * simulation.family(ENERGY, "Fe", "K", 130.0)
    mean += 1e5 * simulation.family(ENERGY, "S", "K", 130.0) + 500 / ENERGY
    sigma = np.sqrt(130**2 + 2500 * (position - 5.8987)) / 1000 / 2.35482
    shape = np.exp(-0.5 * ((ENERGY - position) / sigma) ** 2) * 0.01 / sigma / np.sqrt(2 * np.pi)
    fitted = fit(rng.poisson(mean + counts * shape).astype(float), ("Fe", "S"))
    (peak,) = fitted.unexplained
    assert peak.energy == pytest.approx(position, abs=0.02)
    assert peak.counts == pytest.approx(counts, rel=0.15)


def test_weak_lines_of_declared_elements_are_not_unexplained(rng):
    """L-eta of platinum with three times the counts that theory gives it; and a line of nothing."""
    energy = 0.01 * np.arange(110, 1500)

    def peak(position, counts):
        sigma = np.sqrt(130**2 + 2500 * (position - 5.8987)) / 1000 / 2.35482
        shape = np.exp(-0.5 * ((energy - position) / sigma) ** 2)
        return counts * shape * 0.01 / sigma / np.sqrt(2 * np.pi)

    def named(counts):
        def families(elements):
            return known_families(alpha_lines(elements, 0.95, 15.2), 200.0)

        design = Design(energy, families(("Pt",)), Scale(), 200.0)
        others = {e: families([e]) for e in known_elements() if e != "Pt"}
        found = fit_spectra(counts[None], counts[None], design, others).unexplained
        return [round(peak.energy, 1) for peak in found]

    mean = 1e5 * simulation.family(energy, "Pt", "L", 130.0) + 2000 / energy
    assert named(rng.poisson(mean + peak(9.97, 1500)).astype(float)) == []
    assert named(rng.poisson(mean + peak(5.0, 1500)).astype(float)) == [5.0]
