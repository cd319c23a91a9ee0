import numpy as np
import pytest
import simulation

from hyperspy_clusterquant import theoretical_kfactors
from hyperspy_clusterquant.composition.design import Design, Scale
from hyperspy_clusterquant.composition.fitting import fit_spectra
from hyperspy_clusterquant.xrays.lines import alpha_lines, known_elements, known_families

ENERGY = 0.01 * np.arange(110, 1200)
COMPOSITION = simulation.SIX_CATION["chalcopyrite"]
KFACTORS = theoretical_kfactors([simulation.quantified_line(e) for e in COMPOSITION])


def area(fitted, alpha, spectrum=0):
    fit = fitted.fits[spectrum]
    return fit.areas[[family.alpha for family in fit.design.families].index(alpha)]


def test_a_peak_in_one_spectrum_alone_is_found(rng):
    """One small spectrum of four holds titanium; the sum hardly shows it."""
    mean = simulation.spectrum(ENERGY, COMPOSITION, KFACTORS)
    titanium = simulation.family(ENERGY, "Ti", "K", 130.0)
    counts = np.array([rng.poisson(n * mean) for n in (3e6, 3e6, 3e6, 2e4)]).astype(float)
    counts[3] += rng.poisson(400 * titanium)

    def families(elements):
        return known_families(alpha_lines(elements, 0.95, 12.1), 200.0)

    design = Design(ENERGY, families(tuple(COMPOSITION)), Scale(), 200.0)
    others = [e for e in known_elements() if e not in COMPOSITION]
    fitted = fit_spectra(counts, counts, design, {e: families([e]) for e in others})
    assert [peak.line for peak in fitted.unexplained] == ["Ti_Ka"]
    assert len({len(f.areas) for f in fitted.fits}) == 1
    assert area(fitted, "Ti_Ka", 3) == pytest.approx(400, abs=100)
