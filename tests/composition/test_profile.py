"""Steps along a line, and the blur taken out of what they hold, on arrays."""

import numpy as np
import pytest
import xraylib
from scipy import integrate, ndimage, special, stats

from hyperspy_clusterquant.composition.profile import (
    MOST_NOISE,
    Steps,
    averaged,
    blur_along,
    deblur,
    percent_of_steps,
    steps_along,
)

LINE_SCAN = Steps(np.arange(48), np.arange(48.0), np.arange(48), 1.0)


def positions_of(shape, sizes=(1.0, 1.0)):
    """Centres of pixels, x first, of a map with this array shape."""
    row, column = np.indices(shape)
    return np.array([column.ravel() * sizes[0], row.ravel() * sizes[1]])


def steps(shape, line, width, step=1.0, sizes=(1.0, 1.0), keep=None):
    keep = np.ones(np.prod(shape), dtype=bool) if keep is None else keep
    return steps_along(
        positions_of(shape, sizes), np.array(sizes), np.reshape(line, (2, 2)), width, step, keep
    )


# --- steps ------------------------------------------------------------------------------


def test_rows_of_pixels_along_an_axis():
    found = steps((5, 8), (1, 2, 6, 2), 3.0)
    np.testing.assert_allclose(found.distance, np.arange(6))
    assert found.sizes.tolist() == [3] * 6
    rows, columns = np.unravel_index(found.pixels, (5, 8))
    assert set(rows) == {1, 2, 3}
    np.testing.assert_array_equal(found.number, columns - 1)
    assert found.spacing == 1.0


@pytest.mark.parametrize("start", [0.5, 0.3, 0.7])
def test_a_line_that_begins_between_pixels_takes_one_of_each_column(start):
    # 0.5 puts every pixel at the border of two steps: all must go the same way.
    found = steps((3, 30), (start, 1, start + 20, 1), 1.0)
    assert (found.sizes == 1).all()
    np.testing.assert_allclose(np.diff(found.distance), 1.0)
    columns = found.pixels % 30
    np.testing.assert_allclose(found.distance, columns - start, atol=1e-9)


def test_half_a_pixel_is_the_same_side_everywhere():
    """Tenths are no binary numbers: half of them lie a little below, half above the border."""
    found = steps((3, 60), (0.05, 0.1, 5.05, 0.1), 0.1, 0.1, (0.1, 0.1))
    assert (found.sizes == 1).all()
    np.testing.assert_allclose(np.diff(found.distance), 0.1)


def test_steps_of_an_oblique_line_by_brute_force():
    shape, sizes, width, step = (40, 50), (1.5, 0.7), 4.1, 1.3
    ends = np.array([10.2, 3.3, 61.0, 21.5])
    found = steps(shape, ends, width, step, sizes)
    length = np.hypot(ends[2] - ends[0], ends[3] - ends[1])
    expected = {}
    for pixel in range(40 * 50):
        x, y = (pixel % 50) * 1.5, (pixel // 50) * 0.7
        along = ((x - ends[0]) * (ends[2] - ends[0]) + (y - ends[1]) * (ends[3] - ends[1])) / length
        across = (x - ends[0]) * (ends[3] - ends[1]) - (y - ends[1]) * (ends[2] - ends[0])
        nearest = min(range(int(length / step) + 2), key=lambda k: abs(along - k * step))
        if abs(across / length) > width / 2 or along < -step / 2 or nearest * step > length:
            continue
        expected.setdefault(nearest, []).append((pixel, along))
    assert found.cells.tolist() == sorted(expected)
    for n, cell in enumerate(sorted(expected)):
        pixels, along = zip(*expected[cell], strict=True)
        assert found.pixels[found.number == n].tolist() == list(pixels)
        assert found.distance[n] == pytest.approx(np.mean(along))
        assert found.sizes[n] == len(pixels)


def test_pixels_that_the_line_crosses_beside_their_centres():
    # Between rows 2 and 3, nearer to 2, and thinner than its distance from both.
    found = steps((6, 10), (0, 2.4, 9, 2.4), 0.1)
    assert (found.pixels // 10).tolist() == [2] * 10
    # A staircase: of every column the pixel that the line passes nearest to.
    found = steps((20, 30), (0, 2, 29, 14), 0.01)
    rows, columns = np.unravel_index(found.pixels, (20, 30))
    middle = 2 + 12 * columns / 29
    assert np.abs(rows - middle).max() <= 0.5 * (1 + 12 / 29)
    assert (found.sizes == 1).mean() > 0.9


def test_steps_without_pixels_are_left_out():
    # Pixels three times as high as wide: along y, two of three steps of a pixel's width are empty.
    found = steps((7, 9), (4, 0, 4, 18), 2.0, 1.0, (1.0, 3.0))
    np.testing.assert_allclose(found.distance, np.arange(0, 19, 3))
    assert found.sizes.tolist() == [3] * 7
    assert found.spacing == 3.0
    keep = np.ones((5, 8), dtype=bool)
    keep[:, 4] = False
    keep[0] = False
    found = steps((5, 8), (0, 1, 7, 1), 3.0, keep=keep.ravel())
    np.testing.assert_allclose(found.distance, [0, 1, 2, 3, 5, 6, 7])
    assert found.sizes.tolist() == [2] * 7


def test_a_line_scan_has_one_dimension():
    positions = np.arange(20.0)[None] * 0.5
    found = steps_along(
        positions, np.array([0.5]), np.array([[2.0], [6.0]]), 0.0, 0.5, np.ones(20, dtype=bool)
    )
    assert found.pixels.tolist() == list(range(4, 13))
    # Backwards, the distance runs the other way.
    back = steps_along(
        positions, np.array([0.5]), np.array([[6.0], [2.0]]), 0.0, 0.5, np.ones(20, dtype=bool)
    )
    assert back.pixels.tolist() == found.pixels.tolist()
    np.testing.assert_allclose(back.along, 4.0 - found.along)


def test_majority_of_labels():
    found = steps((4, 6), (0, 1.5, 5, 1.5), 4.0)
    labels = np.array(
        [[0, 1, -1, -2, 2, 2], [0, 1, -1, -2, 2, 0], [0, 1, 3, -1, 1, 0], [1, 0, -1, -2, 1, 0]]
    )
    assert found.majority(labels.ravel()[found.pixels])[[0, 1, 2, 3, 5]].tolist() == [
        0, 1, 3, -1, 0,
    ]  # fmt: skip


# --- the kernel -------------------------------------------------------------------------


def test_kernel_of_a_step_is_an_error_function():
    kernel = LINE_SCAN.kernel(1.7)
    sharp = (np.arange(48) >= 20).astype(float)
    expected = special.ndtr((np.arange(48) - 19.5) / 1.7)
    np.testing.assert_allclose(kernel @ sharp, expected, atol=1e-5)
    np.testing.assert_allclose(kernel.sum(axis=1), 1.0)


def test_ends_are_mirrors():
    # A long ramp of steps, blurred on a profile that goes on in the mirror.
    values = np.random.default_rng(0).random(48)
    longer = np.concatenate([values[::-1], values, values[::-1]])
    position = np.arange(-48, 96)
    for k in (0, 1, 47):
        weights = special.ndtr((position + 0.5 - k) / 3.0) - special.ndtr((position - 0.5 - k) / 3)
        assert LINE_SCAN.kernel(3.0)[k] @ values == pytest.approx(weights @ longer, abs=1e-4)


def test_kernel_of_an_oblique_line_by_integration():
    found = steps((40, 40), (4, 5, 33, 27), 5.0, 1.6)
    kernel, blur = found.kernel(1.1), 1.1
    assert kernel.shape == (len(found.cells), found.cells[-1] + 1)
    # The grid lies where the pixels do on average.
    shift = (found.along - found.cell * 1.6).mean()
    for k, cell in ((8, 8), (8, 9), (9, 7)):
        low, high = (cell - 0.5) * 1.6 + shift, (cell + 0.5) * 1.6 + shift
        seen = [
            integrate.quad(lambda x, t=t: stats.norm.pdf(x, t, blur), low, high)[0]
            for t in found.along[found.number == k]
        ]
        assert kernel[k, cell] == pytest.approx(np.mean(seen), abs=1e-5)


@pytest.mark.parametrize("width", [0.6, 0.8, 1.5])
def test_blur_along_is_that_of_an_error_function(width):
    """Labels of pixels that a Gaussian filter blurs, as error function."""
    blurred = ndimage.gaussian_filter1d((np.arange(48) >= 20).astype(float), width)
    blur, blur_std = blur_along(LINE_SCAN, width, 0.05)

    def misfit(sigma):
        return np.abs(special.ndtr((np.arange(48) - 19.5) / sigma) - blurred).max()

    assert misfit(blur) < 0.005
    assert misfit(blur) < 0.3 * misfit(width)
    step = 1e-4
    slope = (blur_along(LINE_SCAN, width + step, 0)[0] - blur) / step
    assert blur_std == pytest.approx(0.05 * slope, rel=1e-2)


def test_blur_along_of_next_to_nothing():
    blur, _ = blur_along(LINE_SCAN, 0.2, 0.1)
    assert 0 < blur < 0.3


# --- compositions -----------------------------------------------------------------------


def test_percent_of_steps():
    lines, k = ("Cu_Ka", "Fe_Ka", "S_Ka"), {"Cu_Ka": 1.9, "Fe_Ka": 1.4, "S_Ka": 1.0}
    masses = np.array([xraylib.AtomicWeight(z) for z in (29, 26, 16)])
    per_atom = masses / [1.9, 1.4, 1.0]
    atoms = np.array([[25.0, 25.0, 50.0], [10.0, 40.0, 50.0], [1.0, 0.0, 0.5]])
    areas = 100 * atoms * per_atom
    covariances = np.array([np.diag(row + 1) for row in areas])
    covariances[2] *= 1e6  # of next to nothing
    percent, std = percent_of_steps(areas, covariances, lines, k)
    np.testing.assert_allclose(percent[:2], atoms[:2], rtol=1e-4)
    assert np.isnan(percent[2]).all()
    assert np.isnan(std[2]).all()
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_normal(areas[0], covariances[0], 20000) / per_atom
    scatter = (100 * drawn / drawn.sum(axis=1, keepdims=True)).std(axis=0)
    np.testing.assert_allclose(std[0], scatter, rtol=0.03)


def test_variances_are_averaged_and_above_zero():
    variances = np.zeros((30, 2))
    variances[10:20, 0] = 5.0
    smooth = averaged(variances)
    assert (smooth > 0).all()
    assert smooth[15, 0] == pytest.approx(5.0, rel=0.05)
    assert smooth[:, 0].sum() == pytest.approx(50.0, rel=1e-3)


def counts_of_layers(rng, sigma, rate):
    """Areas of two lines in steps through layers, as an error function of `sigma` blurs them."""
    position = np.arange(68)
    edges = np.array([15.5, 27.5, 39.5, 51.5])
    share = special.ndtr((position[:, None] - edges) / sigma) @ [1, -1, 1, -1]
    sharp = (position[:, None] > edges).sum(axis=1) % 2
    pure = rate * np.array([[300.0, 500.0], [20.0, 700.0]])
    mean = pure[0] + share[:, None] * (pure[1] - pure[0])
    areas = rng.poisson(mean).astype(float)
    return pure[sharp], areas, np.einsum("ke,ef->kef", areas, np.eye(2))


LAYERS = Steps(np.arange(68), np.arange(68.0), np.arange(68), 1.0)


@pytest.mark.parametrize(("sigma", "rate"), [(0.7, 10), (1.5, 1), (1.5, 30), (3.0, 3)])
def test_deblurred_is_closer_to_what_is_there(sigma, rate, rng):
    kernel = LAYERS.kernel(sigma)
    errors = []
    for _ in range(20):
        truth, areas, covariances = counts_of_layers(rng, sigma, rate)
        sharp, _ = deblur(areas, covariances, kernel)
        errors.append([np.sqrt(np.mean((of - truth) ** 2)) for of in (areas, sharp)])
    blurred, found = np.mean(errors, axis=0)
    assert found < 0.92 * blurred
    # Cross-validation never leaves the noise unbounded.
    assert np.max(errors, axis=0)[1] < 1.3 * blurred


def test_deblurred_scatters_as_it_says(rng):
    kernel, found, stated = LAYERS.kernel(1.5), [], []
    for _ in range(150):
        _, areas, covariances = counts_of_layers(rng, 1.5, 3)
        sharp, spread = deblur(areas, covariances, kernel)
        found.append(sharp)
        stated.append(np.sqrt(np.einsum("kee->ke", spread)))
    scatter, stated = np.std(found, axis=0), np.mean(stated, axis=0)
    # In the plateaus; at the edges, how strong the penalty is chosen adds to it.
    plateau = np.r_[4:12, 20:24, 32:36, 44:48, 56:64]
    ratio = scatter[plateau] / stated[plateau]
    assert 0.85 < np.median(ratio) < 1.25
    raw = np.sqrt(np.einsum("kee->ke", covariances)).mean(axis=0)
    assert (stated.mean(axis=0) < 1.05 * MOST_NOISE * raw).all()


def test_covariances_of_two_lines_go_along(rng):
    """Two lines whose errors are opposite before are so after, and their sum is known exactly."""
    truth, areas, _ = counts_of_layers(rng, 1.5, 3)
    areas = np.stack([areas[:, 0], 4000 - areas[:, 0]], axis=1)
    covariances = truth[:, 0, None, None] * np.array([[1.0, -1.0], [-1.0, 1.0]])
    sharp, spread = deblur(areas, covariances, LAYERS.kernel(1.5))
    np.testing.assert_allclose(sharp.sum(axis=1), 4000, rtol=1e-6)
    np.testing.assert_allclose(spread.sum(axis=(1, 2)), 0, atol=1e-6 * spread.max())


def test_covariances_of_lines_that_are_smoothed_differently(rng):
    """Layers in one line, nothing but noise in the other, and half of the noise in common."""
    kernel, found, stated = LAYERS.kernel(1.5), [], []
    truth, _, _ = counts_of_layers(rng, 1.5, 10)
    mean = np.stack([kernel @ truth[:, 0], np.full(68, 3000.0)], axis=1)
    covariances = np.full((68, 1, 1), 900.0) * np.array([[1.0, 0.5], [0.5, 1.0]])
    for _ in range(150):
        noise = rng.multivariate_normal([0, 0], covariances[0], 68)
        sharp, spread = deblur(mean + noise, covariances, kernel)
        found.append(sharp)
        stated.append(spread)
    found, stated = np.array(found) - np.mean(found, axis=0), np.mean(stated, axis=0)
    scatter = np.einsum("rke,rkf->kef", found, found) / 149
    plateau = np.r_[4:12, 20:24, 32:36, 44:48, 56:64]
    together = scatter[plateau, 0, 1].mean()
    assert together == pytest.approx(stated[plateau, 0, 1].mean(), rel=0.3)
    assert together < 0.5 * 0.5 * stated[plateau, 0, 0].mean()


def test_nothing_of_a_line_stays_nothing(rng):
    _, areas, covariances = counts_of_layers(rng, 1.5, 3)
    areas[:, 1], covariances[:, 1, 1] = 0.0, 0.0
    sharp, spread = deblur(areas, covariances, LAYERS.kernel(1.5))
    np.testing.assert_allclose(sharp[:, 1], 0, atol=1e-9)
    assert np.isfinite(sharp).all()
    assert (spread[:, 1, 1] == 0).all()


def test_what_lies_between_steps_is_bridged(rng):
    """Steps without pixels are on the grid, and what is there follows from their neighbours."""
    _, areas, covariances = counts_of_layers(rng, 1.5, 100)
    there = np.arange(68) % 3 != 2
    some = Steps(np.flatnonzero(there), np.flatnonzero(there) * 1.0, np.flatnonzero(there), 1.0)
    kernel = some.kernel(1.5)
    assert kernel.shape == (there.sum(), 68)
    sharp, _ = deblur(areas[there], covariances[there], kernel)
    whole, _ = deblur(areas, covariances, LAYERS.kernel(1.5))
    middle = ~there[4:12]
    np.testing.assert_allclose(sharp[4:12][middle], whole[4:12][middle], rtol=0.05)
