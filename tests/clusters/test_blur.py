import numpy as np
import pytest
from scipy import ndimage

from hyperspy_clusterquant.clusters import blur as module
from hyperspy_clusterquant.clusters import shares as arithmetic
from hyperspy_clusterquant.clusters.blur import (
    NARROWEST,
    STARTS,
    WIDEST,
    FittedShares,
    PixelShares,
)
from hyperspy_clusterquant.clusters.shares import (
    area_change,
    area_shares,
    blur,
    rates_of,
    solve,
    through_shares,
)

#: Of three phases in eight channels.
SPECTRA = np.array(
    [
        [0.30, 0.10, 0.05, 0.20, 0.05, 0.10, 0.15, 0.05],
        [0.05, 0.30, 0.15, 0.05, 0.20, 0.05, 0.10, 0.10],
        [0.10, 0.05, 0.35, 0.05, 0.05, 0.25, 0.05, 0.10],
    ]
)


@pytest.fixture
def exact(monkeypatch):
    """As if the model itself were known to be right: what is uncertain is shot noise only."""
    for name in ("WIDTH_MODEL", "BORDER_MODEL", "COUNT_MODEL", "AREA_MODEL"):
        monkeypatch.setattr(module, name, 0.0)


def regions(shape, rng, size=3.0):
    """Random labels of three phases in patches."""
    fields = [ndimage.gaussian_filter(rng.normal(size=shape), size) for _ in SPECTRA]
    return np.argmax(fields, axis=0)


def directions(spectra):
    """Directions in which they differ, along which the noise of a count has the variance 1."""
    mean = spectra.mean(axis=0)
    return np.linalg.qr((spectra / np.sqrt(mean)).T)[0] / np.sqrt(mean)[:, None]


def expected_counts(labels, widths, rates, spectra=SPECTRA):
    """Counts that a Gaussian beam brings of each pixel, without `hyperspy_clusterquant`."""
    fractions = [
        ndimage.gaussian_filter((labels == k).astype(float), widths) for k in range(len(rates))
    ]
    return np.einsum("k,k...,kc->...c", rates, fractions, spectra)


def shares_of(counts, memberships, keep, scales, spectra=SPECTRA):
    """`PixelShares` of memberships, or hard labels of a map, that counts did not choose."""
    basis = directions(spectra)
    if memberships.ndim != 2 or len(memberships) != len(counts):
        memberships = (memberships[keep][:, None] == np.arange(len(spectra))).astype(float)
    shape = 0, len(spectra), basis.shape[1]
    return PixelShares(
        memberships=memberships,
        keep=keep,
        scales=scales,
        totals=counts.sum(axis=1).astype(float),
        projected=counts @ basis,
        spread=counts @ np.sum(basis**2, axis=1),
        undecided=np.zeros(0, dtype=int),
        change=np.zeros(shape),
    )


def phantom(rng, shape=(40, 48), widths=1.0, scales=None, rates=(1.0, 1.0, 1.0), dose=1000, **more):
    """`PixelShares` of a map with hard labels, blurred and drawn."""
    labels = regions(shape, rng, **more)
    keep = np.ones(shape, dtype=bool)
    expected = dose * expected_counts(labels, widths, np.asarray(rates))
    scales = np.ones(len(shape)) if scales is None else scales
    return shares_of(rng.poisson(expected[keep]), labels, keep, scales)


@pytest.fixture
def soft(rng):
    """A small one with memberships between 0 and 1, a hole, and pixels that are longer one way."""
    keep = np.ones((9, 11), dtype=bool)
    keep[3:5, 4:6] = keep[8, 0] = False
    n = np.count_nonzero(keep)
    counts = rng.poisson(30, (n, 8))
    return shares_of(counts, rng.dirichlet(np.ones(3), n), keep, [1.0, 0.5])


VALUES = np.array([1.3, 0.4, -0.5])
RATES = np.exp([0.0, 0.4, -0.5])


# --- the model ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "widths"),
    [((60,), [1.1]), ((12, 15), [1.4, 0.7]), ((3, 9, 10), [0.0, 1.0, 1.0]), ((8, 9), [0.0, 0.0])],
)
def test_blur_is_that_of_the_whole_map(rng, shape, widths):
    keep = rng.random(shape) > 0.2
    values = rng.random((np.count_nonzero(keep), 2))
    found = blur(values, keep, widths)
    # By sums over what surrounds each pixel: at its borders, the map goes on as in a mirror, and
    # what is left out is zero.
    expected = np.zeros((2, *shape))
    expected[:, keep] = values.T
    for axis, width in enumerate(widths, 1):
        if width > 0:
            reach = int(4 * width + 0.5)
            kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
            around = np.pad(np.arange(shape[axis - 1]), reach, mode="symmetric")
            around = np.lib.stride_tricks.sliding_window_view(around, len(kernel))
            near = np.moveaxis(expected, axis, 0)[around]
            mean = np.tensordot(kernel / kernel.sum(), near, axes=(0, 1))
            expected = np.moveaxis(mean, 0, axis)
    np.testing.assert_allclose(found, expected[:, keep], rtol=1e-6)
    for row, column in zip(found, values.T, strict=True):
        image = np.zeros(shape)
        image[keep] = column
        np.testing.assert_allclose(row, ndimage.gaussian_filter(image, widths)[keep], rtol=1e-6)


def test_shares_are_blurred_memberships_times_rates(soft):
    shares = soft.shares(VALUES)
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    assert (shares > 0).all()
    image = np.zeros((3, *soft.keep.shape))
    image[:, soft.keep] = soft.memberships.T
    # Half as many pixels in the same length along the second axis.
    seen = np.array([ndimage.gaussian_filter(of, (1.3, 0.65)) for of in image])
    amounts = seen[:, soft.keep] * RATES[:, None]
    np.testing.assert_allclose(shares, amounts / amounts.sum(axis=0))
    chosen = np.array([3, 17, 50])
    np.testing.assert_allclose(soft.shares(VALUES, chosen), shares[:, chosen])


def test_derivatives_of_shares(soft):
    for n, found in enumerate(soft.derivatives(VALUES)):
        step = 1e-4 * (np.arange(3) == n)
        expected = (soft.shares(VALUES + step) - soft.shares(VALUES - step)) / 2e-4
        np.testing.assert_allclose(found, expected, atol=1e-3)
        assert np.abs(expected).max() > 0.02


@pytest.mark.parametrize("scales", [[1.0, 1.0], [1.0, 0.5], [0.0, 1.0]])
def test_what_a_pixel_owes_to_its_own_membership(rng, soft, scales):
    """Memberships of single pixels changed a little, and the map blurred again."""
    soft.scales = np.array(scales)
    number = np.full(soft.keep.shape, -1)
    number[soft.keep] = np.arange(len(soft.totals))
    # So far inside that they are not mirrored.
    pixels = number[[3, 4, 5, 3], [3, 3, 7, 7]]
    change = rng.normal(size=(len(pixels), 3, 3))

    def shares_with(pixel, more):
        image = np.zeros((3, *soft.keep.shape))
        image[:, soft.keep] = soft.memberships.T
        where = tuple(np.argwhere(number == pixel)[0])
        image[(slice(None), *where)] += more
        widths = VALUES[0] * soft.scales
        seen = [ndimage.gaussian_filter(of, widths)[where] for of in image]
        return RATES * seen / np.sum(RATES * seen)

    expected = np.empty((3, len(pixels), 3))
    for n, column in np.ndindex(len(pixels), 3):
        step = 1e-6 * change[n, :, column]
        sides = shares_with(pixels[n], step), shares_with(pixels[n], -step)
        expected[:, n, column] = (sides[0] - sides[1]) / 2e-6
    shares = soft.shares(VALUES)
    found = through_shares(
        change.transpose(1, 0, 2), shares[:, pixels, None],
        soft.own_factor(VALUES)[pixels, None], rates_of(VALUES),
    )  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert np.abs(found).max() > 0.1
    # It is taken off the sums that the spectra are made of.
    soft.undecided, soft.change = pixels, change
    sums, products = soft.sums(VALUES)
    wanted = shares @ soft.projected - expected.sum(axis=1)
    np.testing.assert_allclose(sums, wanted, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(products, (shares * soft.totals) @ shares.T)


def test_fitness_is_that_of_least_squares(soft):
    """With the best spectra of some shares, found by another way."""

    def chi_squared(values):
        weights = np.sqrt(soft.totals)[:, None]
        wanted = soft.projected / weights
        terms = weights * soft.shares(values).T
        spectra = np.linalg.lstsq(terms, wanted, rcond=None)[0]
        return np.sum((wanted - terms @ spectra) ** 2)

    def prior(values):
        means = soft.memberships.T @ soft.totals / soft.memberships.sum(axis=0)
        rates = values[1:] - np.log(means[1:] / means[0])
        return (values[0] - 1) ** 2 / 5**2 + np.sum(rates**2) / 0.3**2

    other = np.array([0.7, 0.1, 0.2])
    expected = chi_squared(other) + prior(other) - chi_squared(VALUES) - prior(VALUES)
    assert soft.fitness(VALUES) - soft.fitness(other) == pytest.approx(expected / 2, rel=1e-6)


# --- the search ---------------------------------------------------------------------------

#: Shape, widths along the axes, and pixels in the unit of the width.
MAPS = {
    "map": ((40, 48), np.array([1.0, 1.0]), [1.0, 1.0]),
    "line scan": ((1500,), np.array([1.0]), [1.0]),
    "stack": ((4, 24, 28), np.array([0.0, 1.0, 1.0]), [0.0, 1.0, 1.0]),
    "long pixels": ((32, 64), np.array([0.5, 1.0]), [0.5, 1.0]),
}


@pytest.mark.parametrize("width", [0.6, 1.0, 1.8])
@pytest.mark.parametrize("kind", MAPS)
def test_the_width_of_a_blur_is_found(rng, exact, kind, width):
    shape, along, scales = MAPS[kind]
    found = phantom(rng, shape, width * along, scales).fit()
    assert found.width == pytest.approx(width, rel=0.02)
    assert 0 < found.width_std < 0.02 * width
    np.testing.assert_allclose(found.values[1:], 0, atol=0.06)


def test_no_blur_is_found_where_there_is_none(rng):
    found = phantom(rng, widths=0.0).fit()
    assert NARROWEST <= found.width < 0.35
    # No more of the neighbours than that.
    assert np.abs(found.shares.max(axis=0) - 1).max() < 0.03


def test_vacuum_beside_the_sample_is_no_phase(rng):
    """Pixels at its edge have fewer counts, of the same phases."""
    labels = regions((48, 48), rng)
    row, column = np.indices(labels.shape)
    labels[(row - 24) ** 2 + (column - 20) ** 2 > 19**2] = -1
    keep = labels >= 0
    expected = 1000 * expected_counts(labels, 1.2, np.ones(3))
    found = shares_of(rng.poisson(expected[keep]), labels, keep, [1.0, 1.0]).fit()
    assert found.width == pytest.approx(1.2, rel=0.03)


def test_rates_of_phases_with_more_counts_are_found(rng):
    """Mean counts of the pixels, with which the search begins, are those of mixtures."""
    model = phantom(rng, rates=(1.0, 2.0, 0.5), widths=1.3)
    assert np.abs(np.exp(model.before[1:]) / [2, 0.5] - 1).max() > 0.1
    found = model.fit()
    np.testing.assert_allclose(np.exp(found.values[1:]), [2, 0.5], rtol=0.04)
    assert found.width == pytest.approx(1.3, rel=0.03)


def test_rates_stand_for_boundaries_drawn_beside_where_they_are(rng):
    """Straight ones, a quarter of a pixel off: without rates, spectra would be mixed."""
    fine = np.zeros((40, 400))
    fine[:, 102:203] = fine[:, 302:] = 1  # of ten to a pixel
    seen = ndimage.gaussian_filter1d(fine, 10.0, axis=1, mode="nearest")
    part = seen.reshape(40, 40, 10).mean(axis=2)[..., None]
    counts = rng.poisson(2000 * ((1 - part) * SPECTRA[0] + part * SPECTRA[1]))
    labels = np.zeros((40, 40), dtype=int)
    labels[:, 10:20] = labels[:, 30:] = 1
    keep = np.ones(labels.shape, dtype=bool)
    model = shares_of(counts[keep], labels, keep, [1.0, 1.0], SPECTRA[:2])
    found = model.fit()
    basis = directions(SPECTRA[:2])
    np.testing.assert_allclose(found.spectra, SPECTRA[:2] @ basis, atol=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_the_search_only_climbs_and_ends_on_top(seed):
    rng = np.random.default_rng(seed)
    model = phantom(
        rng,
        (20, 24),
        rng.uniform(0.4, 2.5),
        rates=rng.uniform(0.3, 3, 3),
        dose=rng.choice([5, 300]),
    )
    starts = [model.fitness(np.append(width, model.before[1:])) for width in STARTS]
    reached = []
    fitness = model.fitness
    model.fitness = lambda values: reached.append(fitness(values)) or reached[-1]
    found = model.fit().values
    best = fitness(found)
    assert best >= max(starts)
    # Nothing higher was seen on the way, and there is nothing higher around.
    assert best >= max(reached) - 1e-2
    for n in range(3):
        for size in (-0.05, 0.05):
            tried = found + size * (np.arange(3) == n)
            if NARROWEST <= tried[0] <= WIDEST:
                assert fitness(tried) < best + 1e-2


def test_a_slope_that_misleads_is_not_followed(rng, monkeypatch):
    model = phantom(rng, (20, 24), 1.2)
    start = max((np.append(width, model.before[1:]) for width in STARTS), key=model.fitness)
    slope = model._gradient
    monkeypatch.setattr(model, "_gradient", lambda values: -slope(values))
    np.testing.assert_array_equal(model.fit().values, start)


def test_one_phase_has_all_shares(rng):
    keep = np.ones((12, 12), dtype=bool)
    counts = rng.poisson(50, (144, 8))
    model = shares_of(counts, np.zeros((12, 12), dtype=int), keep, [1.0, 1.0], SPECTRA[:1])
    found = model.fit()
    np.testing.assert_allclose(found.shares, 1)
    expected = (counts @ directions(SPECTRA[:1])).sum(axis=0) / counts.sum()
    np.testing.assert_allclose(found.spectra, expected[None])


# --- what is uncertain --------------------------------------------------------------------


def test_spectra_are_weighted_sums_of_counts(soft):
    found = FittedShares.of(soft, VALUES)
    terms = soft.shares(VALUES)
    products = (terms * soft.totals) @ terms.T
    weights = np.linalg.solve(products, terms)
    np.testing.assert_allclose(found.inverse, np.linalg.inv(products), rtol=1e-5)
    np.testing.assert_allclose(found.shares, terms, rtol=1e-6)
    np.testing.assert_allclose(found.spectra, weights @ soft.projected, rtol=1e-5)
    # Shot noise of counts whose totals are known: a multinomial's, not Poisson's.
    known = soft.totals * np.sum((terms.T @ found.spectra) ** 2, axis=1)
    pixel_noise = np.maximum(soft.spread - known, 0)
    np.testing.assert_allclose(found.pixel_noise, pixel_noise, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.noise, weights**2 @ pixel_noise, rtol=1e-4)
    assert found.width == VALUES[0]


def test_parts_give_the_same_as_all_in_one(rng, monkeypatch):
    """Soft memberships that counts have chosen in part, and more places than one."""
    labels = regions((20, 24), rng)
    keep = rng.random(labels.shape) > 0.1
    counts = rng.poisson(100 * expected_counts(labels, 1.2, RATES))[keep]
    memberships = 0.9 * (labels[keep][:, None] == np.arange(3)) + 0.1 / 3
    results = []
    for size in (10**6, 37):
        monkeypatch.setattr(arithmetic, "PART_PIXELS", size)
        model = shares_of(counts, memberships, keep, [1.0, 1.0])
        model.undecided = np.arange(0, len(counts), 3)
        chosen = np.random.default_rng(4).normal(size=(len(model.undecided), 3, 3))
        model.change = chosen - chosen.mean(axis=1, keepdims=True)
        results.append(model.fit())
    one, other = results
    for name in vars(one):
        wanted = getattr(one, name)
        if "modes" in name:  # whose signs mean nothing
            wanted, found = (np.abs(getattr(of, name)) for of in results)
        else:
            found = getattr(other, name)
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3 * np.abs(wanted).max())


def test_modes_are_what_another_width_and_other_rates_would_change(rng, exact):
    """Without noise, the change of the spectra is that of the model solved with other values."""
    labels = regions((24, 28), rng)
    keep = np.ones(labels.shape, dtype=bool)
    image = np.array([labels == k for k in range(3)], dtype=float)
    seen = RATES[:, None] * blur(image[:, keep].T, keep, [1.3, 1.3])
    counts = 100 * (seen.T @ SPECTRA)
    model = shares_of(counts, labels, keep, [1.0, 1.0])
    found = FittedShares.of(model, VALUES)
    basis = directions(SPECTRA)
    np.testing.assert_allclose(found.spectra, SPECTRA @ basis, rtol=1e-6, atol=1e-8)

    def solved(values):
        terms = model.shares(values).T * np.sqrt(model.totals)[:, None]
        wanted = model.projected / np.sqrt(model.totals)[:, None]
        return np.linalg.lstsq(terms, wanted, rcond=None)[0].ravel()

    def slopes(of):
        steps = 0.01 * np.eye(3)
        return np.array([(of(VALUES + step) - of(VALUES - step)) / 0.02 for step in steps])

    of_spectra = slopes(solved)
    changes = (found.modes @ found.spectra).reshape(len(found.modes), -1)
    # Of labels that are hard there is no other reading, and borders are where they are drawn.
    np.testing.assert_allclose(changes[3:], 0, atol=1e-6)
    # The first are of a width and rates ...
    amounts = np.linalg.lstsq(of_spectra.T, changes[:3].T, rcond=None)[0]
    largest = np.abs(changes).max()
    np.testing.assert_allclose(of_spectra.T @ amounts, changes[:3].T, atol=0.02 * largest)
    assert np.linalg.norm(amounts[0]) == pytest.approx(found.width_std, rel=0.02)
    # ... of which the counts of the phases change, and their areas.
    dose = [np.sum(model.totals[labels[keep] == k]) / np.sum(labels == k) for k in range(3)]
    np.testing.assert_allclose(found.dose_rates, np.divide(dose, dose[0]))

    def areas(values):
        of_phases = model.shares(values) / found.dose_rates[:, None]
        return np.sum(of_phases / of_phases.sum(axis=0), axis=1)

    for modes, of in (
        (found.count_modes, lambda values: model.shares(values) @ model.totals),
        (found.area_modes, areas),
    ):
        expected = (slopes(of).T @ amounts).T
        np.testing.assert_allclose(modes[:3], expected, atol=0.03 * np.abs(expected).max())


def test_shares_of_areas(rng):
    """A phase with twice the counts per pixel that has half of the counts has a third of it."""
    shares, dose = np.array([[0.5], [0.5]]), np.array([1.0, 2.0])
    np.testing.assert_allclose(area_shares(shares, dose), [[2 / 3], [1 / 3]])
    shares = rng.dirichlet(np.ones(3), 7).T
    dose = np.array([1.0, 2.5, 0.4])
    change = rng.normal(size=shares.shape)
    change -= change.mean(axis=0)
    moved = area_shares(shares + 1e-6 * change, dose) - area_shares(shares - 1e-6 * change, dose)
    expected = moved.sum(axis=1) / 2e-6
    np.testing.assert_allclose(area_change(shares, change, dose), expected, rtol=1e-4)


def test_the_model_itself_is_uncertain(rng, monkeypatch):
    """However many the counts."""
    monkeypatch.setattr(module, "WIDTH_MODEL", 0.2)
    found = phantom(rng, widths=1.5, dose=100000).fit()
    assert found.width_std == pytest.approx(0.2 * found.width, rel=0.05)


def test_borders_of_two_phases_may_lie_elsewhere(rng, monkeypatch):
    """As with another rate of the one: a mode of its own for each pair of phases."""
    monkeypatch.setattr(module, "BORDER_MODEL", 0.1)
    monkeypatch.setattr(module, "COUNT_MODEL", 0.3)
    monkeypatch.setattr(module, "AREA_MODEL", 0.3)
    labels = regions((24, 28), rng)
    keep = np.ones(labels.shape, dtype=bool)
    counts = rng.poisson(500 * expected_counts(labels, 1.2, np.ones(3)))[keep]
    found = shares_of(counts, labels, keep, [1.0, 1.0]).fit()
    pairs = [[0, 1], [0, 2], [1, 2]]
    assert len(found.modes) == 3 + 1 + len(pairs)
    for n, pair in enumerate(pairs, 4):
        (third,) = {0, 1, 2} - set(pair)
        for mode in (found.count_modes[n], found.area_modes[n]):
            assert np.abs(mode).max() > 1
            assert mode.sum() == pytest.approx(0, abs=1e-9 * np.abs(mode).max())
            assert abs(mode[third]) < 0.05 * np.abs(mode).max()
    # Of two, it is the rate.
    model = shares_of(counts, np.minimum(labels, 1), keep, [1.0, 1.0], SPECTRA[:2])
    found = FittedShares.of(model, VALUES[:2])
    more, less = (model.shares(VALUES[:2] - [0, step]) for step in (0.01, -0.01))
    change = (more - less) / 0.02
    np.testing.assert_allclose(found.count_modes[3], 0.3 * change @ model.totals, rtol=1e-3)
    taken_over = (model.shares(VALUES[:2]) * model.totals) @ change.T
    expected = -0.1 * found.inverse @ taken_over
    np.testing.assert_allclose(found.modes[3], expected, rtol=1e-3)


def test_another_reading_of_soft_labels_is_a_mode():
    """Of mixtures with two sides alike, rates and width change nothing of it: it is all left."""
    keep = np.ones((16, 16), dtype=bool)
    shares = np.repeat([[0.8, 0.2], [0.2, 0.8]], 128, axis=0)
    model = shares_of(100 * shares @ SPECTRA[:2], shares, keep, [0.0, 0.0], SPECTRA[:2])
    found = FittedShares.of(model, np.array([1.0, 0.0]))
    # A little of the way to labels of the most probable phase, solved again.
    nearer = shares + 1e-4 * (shares.round() - shares)
    solved = np.linalg.lstsq(nearer * 10, model.projected / 10, rcond=None)[0]
    expected = (solved - SPECTRA[:2] @ directions(SPECTRA[:2])) / 1e-4
    change = found.modes[2] @ found.spectra
    np.testing.assert_allclose(change, expected, rtol=1e-3, atol=1e-6)
    assert np.abs(change).max() > 0.1


def test_what_the_width_makes_of_a_reading_is_no_reading(rng, exact):
    """Labels that are soft as if the beam had blurred them: hard ones with a wider beam."""
    labels = regions((40, 48), rng)
    keep = np.ones(labels.shape, dtype=bool)
    hard = (labels[keep][:, None] == np.arange(3)).astype(float)
    memberships = blur(hard, keep, [0.7, 0.7]).T.astype(float)
    memberships /= memberships.sum(axis=1, keepdims=True)
    counts = 300 * expected_counts(labels, 1.2, np.ones(3))[keep]
    model = shares_of(counts, memberships, keep, [1.0, 1.0])
    found = model.fit()
    left = found.modes[3] @ found.spectra
    blurred = blur((memberships == memberships.max(axis=1)[:, None]) * 1.0, keep, [found.width] * 2)
    amounts = rates_of(found.values)[:, None] * blurred
    change = amounts / amounts.sum(axis=0) - found.shares
    of_all = -found.inverse @ (found.shares * model.totals) @ change.T @ found.spectra
    assert np.linalg.norm(left) < 0.3 * np.linalg.norm(of_all)


def test_width_and_spectra_scatter_as_they_say(exact):
    """Maps with the same truth, drawn again and again."""
    rng = np.random.default_rng(3)
    labels = regions((40, 48), rng)
    keep = np.ones(labels.shape, dtype=bool)
    rates = np.array([1.0, 1.5, 0.7])
    image = np.array([labels == k for k in range(3)], dtype=float)
    seen = rates[:, None] * blur(image[:, keep].T, keep, [1.0, 1.0])
    expected = 200 * (seen.T @ SPECTRA)
    basis = directions(SPECTRA)
    # Of the counts of a pixel whose number is known: the noise of that number is none of it.
    noise = expected @ np.sum(basis**2, axis=1)
    noise -= np.sum((expected @ basis) ** 2, axis=1) / expected.sum(axis=1)
    widths, errors = [], []
    for _ in range(60):
        found = shares_of(rng.poisson(expected), labels, keep, [1.0, 1.0]).fit()
        widths.append((found.width - 1.0) / found.width_std)
        of_modes = np.sum((found.modes @ found.spectra) ** 2, axis=(0, 2))
        off = np.sum((found.spectra - SPECTRA @ basis) ** 2, axis=1)
        errors.append(off / (of_modes + (found.inverse @ found.shares) ** 2 @ noise))
    assert abs(np.mean(widths)) < 0.5
    assert 0.7 < np.std(widths) < 1.4
    np.testing.assert_allclose(np.mean(errors, axis=0), 1, atol=0.35)


@pytest.mark.parametrize("size", [0.0, 0.15])
def test_places_that_differ_are_told_from_noise(rng, size):
    """The first of two phases has another composition in each eight by eight pixels."""
    labels = np.repeat([[0, 1]], 64, axis=0).repeat(64, axis=1)
    keep = np.ones(labels.shape, dtype=bool)
    offsets = size * rng.standard_normal((8, 16)) * (np.arange(16) < 8)
    dose = np.where(np.arange(128) % 64 < 24, 100, 200)[:, None]
    part = labels + offsets.repeat(8, axis=0).repeat(8, axis=1)
    expected = dose * (SPECTRA[0] + part[..., None] * (SPECTRA[1] - SPECTRA[0]))
    model = shares_of(
        rng.poisson(np.maximum(expected, 0)[keep]), labels, keep, [1.0, 1.0], SPECTRA[:2]
    )
    found = FittedShares.of(model, np.array([NARROWEST, 0.0]))
    known = model.totals * np.sum((found.shares.T @ found.spectra) ** 2, axis=1)
    counting = (found.inverse @ found.shares) ** 2 @ (model.spread - known)
    # That of a mean over places with weights, of the compositions that were drawn.
    weights = np.tile(np.repeat([100, 200], [3, 5]), (8, 1))
    drawn = offsets[:, :8] - np.average(offsets[:, :8], weights=weights)
    step = (SPECTRA[1] - SPECTRA[0]) @ directions(SPECTRA[:2])
    variance = (step @ step) * np.sum((weights * drawn) ** 2) / np.sum(weights) ** 2
    assert found.scatter[0] == pytest.approx(variance / counting[0], rel=0.1, abs=0.5)
    assert found.scatter[1] < 0.5


# --- the solution -------------------------------------------------------------------------


def test_solution_where_there_is_one(rng):
    half = rng.normal(size=(4, 9)) * np.array([[1e-3], [1.0], [1e4], [1.0]])
    products, sums = half @ half.T, rng.normal(size=(4, 5))
    np.testing.assert_allclose(solve(products, sums), np.linalg.inv(products) @ sums, rtol=1e-6)


def test_solution_where_phases_cannot_be_told_apart():
    shares = np.array([[1.0, 1.0, 0.0], [3.0, 3.0, 0.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]])
    products, sums = shares @ shares.T, shares @ [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    found = solve(products, sums)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(products @ found, sums, atol=1e-9)
    # Of what is known nothing is lost, and of what is not there nothing is said.
    np.testing.assert_allclose(found[2], [2.5, 3.0])
    np.testing.assert_allclose(found[3], 0, atol=1e-9)
    assert np.abs(found[:2]).max() < 2
