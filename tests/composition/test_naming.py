"""Names of peaks that nobody declared: only where all lines of an element agree."""

import numpy as np
import pytest
import simulation

from hyperspy_clusterquant.composition.calibration import calibrate
from hyperspy_clusterquant.composition.design import Design, Scale
from hyperspy_clusterquant.composition.fitting import fit_spectra
from hyperspy_clusterquant.composition.naming import name_peak
from hyperspy_clusterquant.composition.unexplained import LeftOver, find_peak
from hyperspy_clusterquant.xrays.lines import alpha_lines, known_elements, known_families

ENERGY = 0.01 * np.arange(110, 2000)
IRON = 2e5 * simulation.family(ENERGY, "Fe", "K", 130.0) + 2000 / ENERGY


def families(elements):
    return known_families(alpha_lines(elements, 0.95, 20.2), 200.0)


def candidates(declared):
    return {e: families([e]) for e in known_elements() if e not in declared}


def line(energy, counts):
    sigma = np.sqrt(130**2 + 2500 * (energy - 5.8987)) / 1000 / 2.35482
    shape = np.exp(-0.5 * ((ENERGY - energy) / sigma) ** 2)
    return 0.01 * counts * shape / (sigma * np.sqrt(2 * np.pi))


def found(counts, declared=("Fe",)):
    """Names of what is found, and the energies of what has none."""
    design = Design(ENERGY, families(declared), Scale(), 200.0)
    fitted = fit_spectra(counts[None], counts[None], design, candidates(declared))
    return [peak.line or round(peak.energy, 1) for peak in fitted.unexplained]


@pytest.mark.parametrize(
    ("element", "shells"),
    [("S", "K"), ("Mo", "LK"), ("Pb", "ML"), ("Br", "LK"), ("Ag", "L"), ("Ti", "K"), ("W", "ML")],
)
def test_an_element_is_named_by_its_lines(element, shells, rng):
    """Sulfur, molybdenum and lead have peaks within 50 eV, but other lines elsewhere."""
    theory = {"Mo": {"L": 1, "K": 1}, "Pb": {"M": 1, "L": 1}, "Br": {"L": 1, "K": 1}}
    mean = IRON.copy()
    for shell in shells:
        area = 8000 * theory.get(element, {}).get(shell, 1)
        mean = mean + area * simulation.family(ENERGY, element, shell, 130.0)
    names = found(rng.poisson(mean).astype(float))
    assert names
    assert {str(name).partition("_")[0] for name in names} == {element}


def test_a_peak_whose_element_lacks_its_other_lines_has_no_name(rng):
    """At the energy of L alpha of bromine and K alpha of aluminium lies neither."""
    mean = IRON + line(1.55, 5000)  # 65 eV above aluminium, M alpha of ytterbium nearby
    (name,) = found(rng.poisson(mean).astype(float))
    assert name == pytest.approx(1.55, abs=0.06)
    mean = IRON + line(11.92, 3000)  # K alpha of bromine without its K beta
    assert found(rng.poisson(mean).astype(float)) != ["Br_Ka"]


def test_a_weak_peak_is_a_common_element_or_none(rng):
    """Cobalt's peak lies beside L alpha of erbium, which is rare."""
    mean = IRON / 50 + line(6.93, 150)
    names = [found(rng.poisson(mean).astype(float)) for _ in range(5)]
    named = {name for of in names for name in of if isinstance(name, str)}
    assert named == {"Co_Ka"}


def test_what_is_declared_is_not_found(rng):
    """Of tungsten in silicide: lines of either lie beneath the other's."""
    mean = IRON + 3e4 * simulation.family(ENERGY, "W", "L", 130.0)
    mean = mean + 3e4 * simulation.family(ENERGY, "W", "M", 130.0) + line(1.74, 20000)
    assert found(rng.poisson(mean).astype(float), ("Fe", "W", "Si")) == []


def test_sulfur_beneath_molybdenum_is_found_if_it_is_strong(rng):
    mean = IRON + 2e4 * simulation.family(ENERGY, "Mo", "L", 130.0)
    mean = mean + 1e4 * simulation.family(ENERGY, "Mo", "K", 130.0)
    assert found(rng.poisson(mean).astype(float), ("Fe", "Mo")) == []
    mean = mean + 6e4 * simulation.family(ENERGY, "S", "K", 130.0)
    assert found(rng.poisson(mean).astype(float), ("Fe", "Mo")) == ["S_Ka"]


def test_a_lone_peak_says_nothing_about_the_axis():
    """A line of nothing, 30 eV beside what was declared nowhere, and an axis that is off."""
    counts = IRON + line(4.0, 20000)
    nominal = Scale()
    design = Design(ENERGY, families(("Fe",)), nominal, 200.0)
    fit = calibrate(counts, counts, design, nominal).fit
    peak = find_peak(LeftOver(fit))
    assert peak.energy == pytest.approx(4.0, abs=0.02)
    assert name_peak(LeftOver(fit), peak, candidates(("Fe",)), 200.0) is None
    shifted = Design(ENERGY, fit.design.families, Scale(offset=-0.02), 200.0)
    moved = np.interp(ENERGY + 0.02, ENERGY, counts)
    fitted = fit_spectra(moved[None], moved[None], shifted, candidates(("Fe",)))
    assert fitted.calibration.shift(6.4) == pytest.approx(20, abs=1)
