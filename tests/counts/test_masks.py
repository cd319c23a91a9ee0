import numpy as np
import pytest
from scipy import ndimage

from hyperspy_clusterquant.counts.masks import vacuum_mask, without_hot_pixels


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


# --- pixels that are bright alone -------------------------------------------------------------


def disc(size, share):
    """A round particle that covers a share of the map."""
    y, x = np.indices((size, size)) - 0.45 * size
    return y**2 + x**2 < share * size**2 / np.pi


def with_hot_pixels(totals, share, times, block, rng):
    """Some pixels, in squares of `block`, that count so many times what the sample does."""
    totals = totals.astype(float)
    level = totals[totals > 0].mean()
    hot = np.zeros(totals.shape, dtype=bool)
    for _ in range(max(round(share * totals.size / block**2), 1)):
        row, column = (rng.integers(0, n - block + 1) for n in totals.shape)
        place = np.s_[row : row + block, column : column + block]
        totals[place], hot[place] = times * level, True
    return totals, hot


@pytest.mark.parametrize("per_pixel", [1, 5, 100])
@pytest.mark.parametrize("times", [10, 100, 1e3, 1e5])
@pytest.mark.parametrize(("share", "block"), [(0.001, 1), (0.005, 1), (0.03, 1), (0.01, 2)])
def test_a_few_hot_pixels_do_not_mask_the_sample(share, block, times, per_pixel, rng):
    for size in (32, 128) if block == 1 else (128,):
        full = rng.poisson(per_pixel, (size, size))
        assert not vacuum_mask(with_hot_pixels(full, share, times, block, rng)[0]).any()
        hole = np.indices((size, size))[1] < size // 2
        half = rng.poisson(np.where(hole, 0.002 * per_pixel, per_pixel))
        totals, hot = with_hot_pixels(half, share, times, block, rng)
        mask = vacuum_mask(totals)
        assert not mask[~hole].any()
        if times >= 100 and size > 32:
            # What is hot is kept, wherever it is: it does have counts.
            far = hole & ~ndimage.binary_dilation(~hole | hot, iterations=5)
            assert mask[far].mean() > 0.99


@pytest.mark.parametrize("per_pixel", [5, 100])
@pytest.mark.parametrize("times", [1, 20, 1e4])
def test_a_small_particle_is_no_hot_pixel(times, per_pixel, rng):
    """It covers 2 % of the map, beside pixels as bright, or brighter, that are alone."""
    for size in (64, 200):
        truth = disc(size, 0.02)
        totals = rng.poisson(np.where(truth, per_pixel, 0.003 * per_pixel))
        totals, hot = with_hot_pixels(totals, 0.004, times, 1, rng)
        mask = vacuum_mask(totals)
        away = ~ndimage.binary_dilation(truth | hot, iterations=6)
        assert mask[away].mean() > 0.97
        assert not mask[ndimage.binary_erosion(truth)].any()


@pytest.mark.parametrize("diameter", [3, 5, 8])
@pytest.mark.parametrize("per_pixel", [20, 200, 1e5])
def test_many_small_particles_are_the_sample(diameter, per_pixel, rng):
    y, x = np.indices((128, 128)) % 20 - 10
    truth = np.hypot(y, x) <= diameter / 2
    assert truth.mean() < 0.15
    mask = vacuum_mask(rng.poisson(np.where(truth, per_pixel, 1e-3 * per_pixel)))
    assert not mask[truth].any()
    assert mask[~ndimage.binary_dilation(truth, iterations=3)].mean() > 0.95


@pytest.mark.parametrize("length", [11, 60])
@pytest.mark.parametrize("row", [0, 30])
def test_a_burst_of_noise_along_a_line_of_the_scan(row, length, rng):
    totals = rng.poisson(1.0, (64, 64))
    totals[row, 2 : 2 + length] += rng.poisson(2e3, length)
    assert not vacuum_mask(totals).any()


def test_two_levels_of_a_sample(rng):
    """Film of a fifth of the sample, and a thick particle of 50 times the film on 1 % of it."""
    particle = disc(96, 0.2)
    assert not vacuum_mask(rng.poisson(np.where(particle, 100, 20))).any()
    assert not vacuum_mask(rng.poisson(np.where(disc(96, 0.01), 1000, 20))).any()


@pytest.mark.parametrize("times", [1, 100, 1e5])
def test_hot_pixels_of_line_scans_and_stacks(times, rng):
    line = rng.poisson(np.where(np.arange(400) < 150, 0.02, 20)).astype(float)
    line[[40, 200, 201, 333]] = 20 * times
    mask = vacuum_mask(line)
    assert mask[:30].all()
    assert not mask[160:].any()
    stack = rng.poisson(np.where(np.arange(40) < 15, 0.02, 20) * np.ones((3, 40, 1)))
    stack = stack.astype(float)
    stack[1, 5, 7] = stack[2, 30, 8:10] = stack[0, 20, 20] = 20 * times
    mask = vacuum_mask(stack)
    assert mask[:, :, :12].mean() > 0.9
    assert not mask[:, :, 18:].any()


def test_pixels_that_are_all_there_is():
    totals = np.zeros((32, 32))
    totals[5, 7] = totals[20, 3] = 500
    mask = vacuum_mask(totals)
    assert not mask[[5, 20], [7, 3]].any()
    assert mask[10:15].all()


def test_shot_noise_is_not_hot(rng):
    for per_pixel in (0.01, 0.1, 1, 10, 1000):
        totals = rng.poisson(per_pixel, (256, 256)).astype(float)
        assert without_hot_pixels(totals) is totals
