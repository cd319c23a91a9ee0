import numpy as np
import pytest
from scipy import ndimage

from hyperspy_clusterquant.counts.masks import vacuum_mask


@pytest.mark.parametrize("per_pixel", [1, 5, 200])
def test_vacuum_is_found_at_any_dose(per_pixel, rng):
    truth = np.zeros((128, 128), dtype=bool)
    truth[30:70, 20:90] = True
    mean = np.where(truth, 0.005 * per_pixel, per_pixel)
    mask = vacuum_mask(rng.poisson(mean))
    # Smoothing at low dose blurs the edge; away from it nothing may be wrong.
    inner = ndimage.binary_erosion(truth, iterations=5) | ~ndimage.binary_dilation(
        truth, iterations=5
    )
    assert np.array_equal(mask[inner], truth[inner])
    assert np.mean(mask != truth) < (0.05 if per_pixel < 10 else 0.001)


def test_a_hole_just_below_the_threshold_has_no_speckles(rng):
    """Counts of the JEOL map: hole, film and particle."""
    mean = np.full((256, 256), 0.65)
    mean[:, :80] = 0.072
    mean[100:, 150:] = 3.1
    mask = vacuum_mask(rng.poisson(mean))
    assert mask[:, :75].mean() > 0.99
    assert not mask[:, 85:].any()


@pytest.mark.parametrize("level", [2, 20, 40])
@pytest.mark.parametrize("hole_rows", [24, 60])
def test_thin_sample_beside_a_hole_is_kept_and_the_hole_is_not(level, hole_rows, rng):
    """The thin half holds 8 % of the counts of the thick one, the hole in it 0.1 %."""
    mean = np.full((96, 96), float(level))
    mean[:, 48:] = 0.08 * level
    mean[:hole_rows, 48:] = 0.001 * level
    mask = vacuum_mask(rng.poisson(mean))
    assert mask[: hole_rows - 3, 53:].mean() > 0.98
    assert mask[hole_rows + 4 :, 48:].mean() < 0.2
    assert not mask[:, :48].any()


@pytest.mark.parametrize("background", [0.1, 1.0])
def test_small_particles_in_much_vacuum(background, rng):
    truth = np.ones((128, 128), dtype=bool)
    truth[40:70, 40:70] = False
    mask = vacuum_mask(rng.poisson(np.where(truth, background, 100)))
    assert np.mean(mask != truth) < 0.01


def test_a_map_without_vacuum_keeps_every_pixel(rng):
    thickness = np.linspace(0.2, 2.0, 64) * np.ones((64, 1))
    assert not vacuum_mask(rng.poisson(20 * thickness)).any()


def test_an_empty_map_is_all_vacuum():
    assert vacuum_mask(np.zeros((4, 4))).all()
