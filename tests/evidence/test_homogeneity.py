"""Variation inside clusters of small maps that are drawn from a known truth."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage, stats

from hyperspy_clusterquant.counts.pixels import read_pixels
from hyperspy_clusterquant.evidence.homogeneity import Question, look_inside

ENERGY = 0.1 * np.arange(1, 13)
#: Three lines of two channels, each with two of background.
NET = np.kron(np.eye(3), [-1.0, 1.0, 1.0, -1.0])
BACKGROUND = np.full(12, 0.02)
LINES = np.kron(np.eye(3), [0.0, 0.5, 0.5, 0.0])
FIRST = BACKGROUND + np.array([0.2, 0.3, 0.26]) @ LINES
SECOND = BACKGROUND + np.array([0.5, 0.06, 0.2]) @ LINES
SIZE = 24


def none(spectrum):
    return np.zeros((0, 12))


def look(counts, labels, shares=None, directions=none, phases=(FIRST, SECOND), bends=False):
    """What is found in counts of phases (spectra, per count) in their true shares."""
    pixels = read_pixels(
        counts, ENERGY, np.arange(12), np.zeros(labels.shape, bool), lambda *_: None
    )
    n_clusters = labels.max() + 1
    if shares is None:
        shares = (labels == np.arange(n_clusters)[:, None, None]).astype(float)
    known = SimpleNamespace(
        phases=1e4 * np.array(phases[: len(shares)]),
        spectra=np.zeros((n_clusters, 12)),
        shares=shares.reshape(len(shares), -1),
        totals=pixels.totals,
    )
    question = Question(NET, [0, 1, 2], directions, bends, 0.05)
    return look_inside(pixels, labels.ravel(), known, question)


def doses(rng):
    return rng.gamma(5, 0.2, (SIZE, SIZE, 1))


@pytest.mark.parametrize("per_pixel", [8, 150])
def test_uniform_for_one_composition(rng, per_pixel):
    labels = np.zeros((SIZE, SIZE), dtype=int)
    found = [look(rng.poisson(per_pixel * doses(rng) * FIRST), labels)[0][0] for _ in range(60)]
    for p in ([one.p_value for one in found], [one.p_values[0] for one in found]):
        assert stats.kstest(p, "uniform").pvalue > 1e-3
        assert np.mean(np.array(p) < 0.05) < 0.12
    assert all(one.n_pixels == SIZE**2 for one in found)


def blurred_halves(width=1.5):
    labels = np.zeros((SIZE, SIZE), dtype=int)
    labels[:, SIZE // 2 :] = 1
    share = ndimage.gaussian_filter((labels == 0).astype(float), width)
    return labels, np.array([share, 1 - share])


def test_blurred_border_is_no_finding(rng):
    """Two phases at 300 counts: pixels at the border do not take part."""
    labels, shares = blurred_halves()
    p, n_pixels = [], []
    for _ in range(40):
        mixed = np.moveaxis(shares, 0, -1) @ np.array([FIRST, SECOND])
        found, spectra = look(rng.poisson(300 * doses(rng) * mixed), labels, shares)
        p += [one.p_value for one in found]
        n_pixels += [one.n_pixels for one in found]
    assert stats.kstest(p, "uniform").pvalue > 1e-3
    assert np.mean(np.array(p) < 0.05) < 0.12
    assert min(n_pixels) > SIZE**2 / 4
    assert max(n_pixels) < SIZE * (SIZE // 2 - 3)
    assert spectra.shape == (2, 12)


def test_border_that_is_not_taken_out_is_a_finding(rng):
    """The same, with shares that know nothing of the blur: the test above can fail."""
    labels, shares = blurred_halves()
    mixed = np.moveaxis(shares, 0, -1) @ np.array([FIRST, SECOND])
    found, _ = look(rng.poisson(300 * doses(rng) * mixed), labels)
    assert all(one.p_value < 1e-6 for one in found)


def test_direction_is_no_finding_and_chemistry_beside_it_is(rng):
    labels = np.zeros((SIZE, SIZE), dtype=int)
    wedge = np.linspace(0, 0.5, SIZE)[:, None] * np.array([0.6, 0, 0]) @ LINES
    change = np.array([0.6, 0, 0]) @ LINES

    def direction(spectrum):
        total = spectrum.sum()
        return (total * 0.2 * change / 0.3)[None]

    counts = rng.poisson(200 * doses(rng) * (FIRST - 0.2 * wedge[:, None]))
    found = look(counts, labels, directions=direction)[0][0]
    assert found.p_value > 1e-3
    assert (found.dose_p_values < 1e-6).any()
    assert np.isnan(found.p_values[0])
    assert not found.told[0]
    spot = counts.copy()
    spot[5:11, 8:14] += rng.poisson(30 * LINES[1], (6, 6, 12))
    found = look(spot, labels, directions=direction)[0][0]
    assert found.p_value < 1e-6
    assert found.departure.line in (1, 2)
    rows, columns = np.unravel_index(found.departure.pixels, labels.shape)
    assert abs(rows.mean() - 7.5) < 1.5
    assert abs(columns.mean() - 10.5) < 1.5


def test_two_lines_and_a_direction_cannot_be_told(rng):
    """But if more varies than the direction can make."""
    labels = np.zeros((SIZE, SIZE), dtype=int)

    def seen(most):
        def direction(spectrum):
            return (spectrum.sum() * most * np.array([0.2, 0, 0]) @ LINES)[None]

        change = np.kron(rng.choice([-1, 1], (6, 6)), np.ones((4, 4)))[..., None]
        expected = FIRST + 0.2 * 0.2 * change * LINES[0]
        pixels = rng.poisson(200 * doses(rng) * expected)
        pixels = pixels[..., :8]
        energy = ENERGY[:8]
        read = read_pixels(
            pixels, energy, np.arange(8), np.zeros(labels.shape, bool), lambda *_: None
        )
        known = SimpleNamespace(
            phases=FIRST[None, :8], spectra=np.zeros((1, 8)), shares=np.ones((1, SIZE**2)),
            totals=read.totals,
        )  # fmt: skip
        question = Question(NET[:2, :8], [0, 1], lambda s: direction(s)[:, :8], False, 0.05)
        return look_inside(read, labels.ravel(), known, question)[0][0]

    large = seen(1.0)
    assert np.isnan(large.p_value)
    assert (large.dose_p_values < 1e-6).all()
    assert not large.told.any()
    small = seen(0.05)
    assert small.p_value < 1e-6
    assert small.told.any()


def test_size_place_and_map_of_a_spot(rng):
    labels = np.zeros((SIZE, SIZE), dtype=int)
    labels[:, :4] = 1
    expected = np.where((labels == 0)[..., None], FIRST, SECOND)
    expected[8:14, 12:18] += 0.2 * LINES[0]
    found, _ = look(rng.poisson(150 * doses(rng) * expected), labels)
    spot = found[0].departure
    assert found[0].p_value < 1e-6
    assert found[1].p_value > 1e-3
    assert spot.line == 0
    inside = np.zeros((SIZE, SIZE), dtype=bool)
    inside[8:14, 12:18] = True
    overlap = inside.ravel()[spot.pixels]
    assert overlap.mean() > 0.7
    assert 20 < len(spot.pixels) < 50
    assert 0.6 < spot.size < 1.0  # twice as much, of 1.2 times as many counts
    image = np.full(SIZE**2, np.nan)
    image[found[0].pixels] = found[0].images[0]
    assert np.isnan(image.reshape(SIZE, SIZE)[:, :4]).all()
    assert np.nanmean(image[inside.ravel()]) > 5 * abs(np.nanmean(image[~inside.ravel()]))
    assert found[0].scales[0] in (2, 4, 8)


def test_small_clusters_are_unknown(rng):
    labels = np.zeros((SIZE, SIZE), dtype=int)
    labels[:3, :3] = 1
    found, _ = look(rng.poisson(50 * doses(rng) * FIRST), labels, phases=(FIRST, FIRST))
    assert np.isfinite(found[0].p_value)
    assert np.isnan(found[1].p_value)
    assert found[1].departure is None
    assert found[1].n_pixels == 9
    nothing, _ = look(np.zeros((SIZE, SIZE, 12), dtype=int) + (labels == 1)[..., None], labels)
    assert np.isnan(nothing[0].p_value)
