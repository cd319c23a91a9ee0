"""What is compared of a signal's spectra, and what absorption and drift may do to it."""

import numpy as np
import pytest

from hyperspy_clusterquant import data
from hyperspy_clusterquant.composition.intensities import measure
from hyperspy_clusterquant.signals.comparing import dose_variation, what_to_compare
from hyperspy_clusterquant.signals.options import read_choice


@pytest.fixture(scope="module")
def s():
    return data.six_cation_sulfide(48, 1024, 200, seed=3)


def asked(s, absorption, lines=("Cu_Ka", "Fe_Ka", "S_Ka")):
    sums = s.data.sum(axis=(0, 1))[None].astype(float)
    choice = read_choice(s, list(lines), ("C", "O"))
    measured = measure(sums, sums, choice)
    return what_to_compare(s, sums, choice, measured, lines, absorption)


def test_other_families_of_the_same_elements_are_compared(s):
    compared, names = asked(s, "ignore")
    assert names[:3] == ("Cu_Ka", "Fe_Ka", "S_Ka")
    assert set(names[3:]) == {"Cu_La", "Fe_La"}
    areas = dict(zip(names, compared.lines.areas(s.data.sum(axis=(0, 1)))[0], strict=True))
    assert all(area > 0 for area in areas.values())
    assert set(compared.changes.absorbers) == {"Cu", "Fe", "S"}


def test_kept_absorption_compares_the_lines_alone(s):
    compared, names = asked(s, "keep")
    assert names == ("Cu_Ka", "Fe_Ka", "S_Ka")
    assert compared.changes is None


def test_density_is_that_of_the_metadata_if_it_is_there(s):
    of = s.deepcopy()
    sums = s.data.sum(axis=(0, 1)).astype(float)
    by_elements = asked(of, "ignore")[0].changes.of(sums, 0.5)
    of.metadata.set_item("Sample.density", 4.5)
    said = asked(of, "ignore")[0].changes.of(sums, 0.5)
    # Between those of sulfur and of copper, in g/cm3.
    density = 4.5 * by_elements[2].max() / said[2].max()
    assert 2.07 < density < 8.96
    # First order in the density, second order in its square.
    np.testing.assert_allclose(said[4] / by_elements[4].max(),
                               by_elements[4] / by_elements[4].max() * (4.5 / density) ** 2,
                               atol=1e-9)  # fmt: skip


def test_without_angles_only_drift_is_allowed_for(s):
    of = s.deepcopy()
    of.metadata.Acquisition_instrument.TEM.Detector.EDS.elevation_angle = np.nan
    changes = asked(of, "ignore")[0].changes
    assert changes.absorbers == {}
    assert len(changes.of(s.data.sum(axis=(0, 1)).astype(float), 0.5)) == 2


def test_variation_of_the_dose_is_without_noise(rng):
    """Counts of pixels whose dose is 1 or 3, and of even ones."""

    class Pixels:
        keep = np.ones((64, 64), dtype=bool)
        per_pixel = 20.0

        def __init__(self, dose):
            self.totals = rng.poisson(dose).ravel().astype(float)

    halves = np.where(np.arange(64) < 32, 10.0, 30.0) * np.ones((64, 1))
    # 10 on either side of 20, of 30 at most.
    assert dose_variation(Pixels(halves)) == pytest.approx(1 / 3, rel=0.2)
    assert dose_variation(Pixels(np.full((64, 64), 20.0))) < 0.04
