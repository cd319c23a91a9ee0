import numpy as np
import pytest
from scipy import optimize

from hyperspy_clusterquant.composition import phases
from hyperspy_clusterquant.composition.phases import (
    LineAreas,
    amounts_until_absent,
    largest_amount,
    negativity,
    possible_compositions,
)

NAMES = ("carbide", "matrix", "ferrite")
ELEMENTS = ("Cr", "Fe", "Nb", "Ni", "Mo")
#: Counts of lines of a phase and of two that it may lie in.
EMBEDDED = np.array([0.0, 0.0, 4000.0, 0.0, 900.0])
MATRIX = np.array([9000.0, 40000.0, 0.0, 4000.0, 0.0])
FERRITE = np.array([1000.0, 30000.0, 0.0, 300.0, 2000.0])
CR, FE, NB, NI, MO = range(5)
#: 99 % of a chi-square of one line lie below the square of this many standard deviations.
SURE_OF_99 = 2.5758


def shot_noise(*areas):
    """Independent counts, each as uncertain as counts are."""
    areas = np.array(areas, dtype=float)
    return with_variances(areas, np.maximum(areas, 1.0))


def with_variances(areas, variances):
    n, m = areas.shape
    covariance = np.zeros((n, m, n, m))
    for k in range(n):
        covariance[k, :, k] = np.diag(variances[k])
    return LineAreas(NAMES[:n], ELEMENTS[:m], areas, covariance)


def correlated(areas, seed=7, relative=1.0):
    """Areas of which each is as uncertain as counts are, and correlated with all others."""
    areas = np.array(areas, dtype=float)
    n = areas.size
    mixed = np.random.default_rng(seed).standard_normal((n, 3 * n))
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    std = relative * np.sqrt(np.maximum(areas.ravel(), 30.0))
    covariance = mixed @ mixed.T * np.outer(std, std)
    return LineAreas(
        NAMES[: len(areas)], ELEMENTS, areas, covariance.reshape(*areas.shape, *areas.shape)
    )


def fractions(areas, covariance):
    """At% and their std for lines that all give as many counts for an atom."""
    areas = np.maximum(areas, 0.0)
    total = areas.sum()
    if not total > 0:
        return np.full((2, len(areas)), np.nan)
    share = areas / total
    variance = [
        (unit - x) @ covariance @ (unit - x) / total**2
        for unit, x in zip(np.eye(len(areas)), share, strict=True)
    ]
    return 100 * share, 100 * np.sqrt(np.maximum(variance, 0.0))


def percent(areas):
    return 100 * np.asarray(areas) / np.sum(areas)


# --- sums over clusters -------------------------------------------------------------------


def test_sums_over_clusters_by_hand():
    lines = correlated([EMBEDDED, MATRIX, FERRITE])
    weights = lines.without(0, [2, 1], [0.3, 0.1])
    np.testing.assert_array_equal(weights, [1.0, -0.1, -0.3])
    areas, covariance = lines.combined(weights)
    np.testing.assert_allclose(areas, EMBEDDED - 0.1 * MATRIX - 0.3 * FERRITE)
    by_hand = np.zeros((5, 5))
    for k in range(3):
        for j in range(3):
            by_hand += weights[k] * weights[j] * lines.covariance[k, :, j]
    np.testing.assert_allclose(covariance, by_hand)


# --- as much as makes elements vanish -----------------------------------------------------


def test_one_host_and_one_absent_line():
    """A ratio of two counts, and its uncertainty by hand."""
    lines = shot_noise(EMBEDDED + 0.2 * MATRIX, MATRIX)
    found = amounts_until_absent(lines, 0, [1], [FE])
    cluster, host = 0.2 * MATRIX[FE], MATRIX[FE]
    np.testing.assert_allclose(found.amounts, [0.2], rtol=1e-9)
    std = 0.2 * np.sqrt(1 / cluster + 1 / host)
    np.testing.assert_allclose(found.std, [std], rtol=1e-6)
    assert found.absent == [FE]
    # Any other line loses the host's ratio to iron, as often as iron is wrong.
    change = np.eye(5)
    change[:, FE] -= MATRIX / MATRIX[FE]
    np.testing.assert_allclose(found.through, change, atol=1e-9)


@pytest.mark.parametrize("absent", [[FE, NI], [NI, FE, CR]])
def test_several_absent_lines_are_weighed_by_all_covariances(absent):
    """The minimum of chi-square by a search, with the noise that the answer itself has."""
    disturbed = EMBEDDED + 0.2 * MATRIX + [60.0, -150.0, 10.0, 45.0, 5.0]
    lines = correlated([disturbed, MATRIX])
    found = amounts_until_absent(lines, 0, [1], absent)
    areas, (of_cluster, of_host) = lines.areas, lines.areas[:, absent]

    def noise(amount):
        c = lines.covariance
        of = c[0, :, 0] - amount * (c[0, :, 1] + c[1, :, 0]) + amount**2 * c[1, :, 1]
        return of[np.ix_(absent, absent)]

    amount = 0.0
    for _ in range(50):
        fixed = noise(amount)

        def chi_square(x, fixed=fixed):
            left = of_cluster - x * of_host
            return left @ np.linalg.solve(fixed, left)

        amount = optimize.minimize_scalar(chi_square, bounds=(0, 1), method="bounded",
                                          options={"xatol": 1e-12}).x  # fmt: skip
    np.testing.assert_allclose(found.amounts, [amount], rtol=1e-6)
    std = 1 / np.sqrt(of_host @ np.linalg.solve(noise(amount), of_host))
    np.testing.assert_allclose(found.std, [std], rtol=1e-4)
    # No line alone would give the same.
    alone = areas[0, absent] / areas[1, absent]
    assert np.abs(alone / amount - 1).min() > 1e-3


def test_two_hosts_and_two_absent_lines_are_two_equations():
    lines = shot_noise(EMBEDDED + 0.2 * MATRIX + 0.1 * FERRITE, MATRIX, FERRITE)
    found = amounts_until_absent(lines, 0, [1, 2], [FE, NI])
    np.testing.assert_allclose(found.amounts, [0.2, 0.1], rtol=1e-6)
    # In the order in which the hosts are named.
    swapped = amounts_until_absent(lines, 0, [2, 1], [FE, NI])
    np.testing.assert_allclose(swapped.amounts, [0.1, 0.2], rtol=1e-6)
    np.testing.assert_allclose(swapped.std, found.std[::-1], rtol=1e-6)
    # Equations: A a = c with the covariance A^-1 V A^-T.
    inverse = np.linalg.inv(np.array([MATRIX, FERRITE])[:, [FE, NI]].T)
    _, covariance = lines.combined(np.array([1, -0.2, -0.1]))
    of_amounts = inverse @ covariance[np.ix_([FE, NI], [FE, NI])] @ inverse.T
    np.testing.assert_allclose(found.std, np.sqrt(np.diag(of_amounts)), rtol=1e-4)


def test_two_hosts_and_three_absent_lines():
    """Least squares of whitened lines."""
    absent = [CR, FE, NI]
    lines = correlated([EMBEDDED + 0.2 * MATRIX + 0.3 * FERRITE, MATRIX, FERRITE])
    noisy = lines.areas.copy()
    noisy[0] += [40.0, -100.0, 0.0, 30.0, 0.0]
    lines = LineAreas(lines.names, lines.elements, noisy, lines.covariance)
    found = amounts_until_absent(lines, 0, [1, 2], absent)
    amounts = np.zeros(2)
    for _ in range(50):
        _, covariance = lines.combined(np.array([1, *-amounts]))
        whiten = np.linalg.inv(np.linalg.cholesky(covariance[np.ix_(absent, absent)]))
        design = whiten @ noisy[1:, absent].T
        amounts = np.linalg.lstsq(design, whiten @ noisy[0, absent], rcond=None)[0]
    np.testing.assert_allclose(found.amounts, amounts, rtol=1e-5)
    std = np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
    np.testing.assert_allclose(found.std, std, rtol=1e-4)


def drawn(lines, rng, n=400):
    """Areas drawn with the joint covariance, (n, n_clusters, n_lines)."""
    size = lines.areas.size
    root = np.linalg.cholesky(lines.covariance.reshape(size, size))
    return lines.areas + (rng.standard_normal((n, size)) @ root.T).reshape(n, *lines.areas.shape)


@pytest.mark.parametrize(
    ("hosts", "amounts", "absent"),
    [([1], [0.2], [FE]), ([1], [0.2], [CR, FE, NI]), ([1, 2], [0.2, 0.3], [CR, FE, NI])],
    ids=["one line", "three lines", "two hosts"],
)
def test_coverage(hosts, amounts, absent, rng):
    """Amounts and remaining areas lie within one std as often as they should: 68 %."""
    of_hosts = np.array([MATRIX, FERRITE])[: len(hosts)]
    truth = np.add(EMBEDDED, [0.0, 0.0, 0.0, 0.0, 500.0])
    lines = correlated([truth + np.array(amounts) @ of_hosts, *of_hosts])
    of_amounts, of_areas = [], []
    others = [n for n in range(5) if n not in absent]
    for areas in drawn(lines, rng):
        draw = LineAreas(lines.names, lines.elements, areas, lines.covariance)
        found = amounts_until_absent(draw, 0, hosts, absent)
        of_amounts.append((found.amounts - amounts) / found.std)
        left, covariance = draw.combined(draw.without(0, hosts, found.amounts))
        std = np.sqrt(np.diag(found.through @ covariance @ found.through.T))
        of_areas.append((left - truth)[others] / std[others])
    for z in (of_amounts, of_areas):
        assert (np.abs(share_inside(z) - 0.675) < 0.075).all()
        # Without a bias that would be seen.
        assert (np.abs(np.mean(z, axis=0)) < 4 / np.sqrt(len(z))).all()


def share_inside(z):
    return np.mean(np.abs(z) < 1, axis=0)


def test_nothing_is_taken_off_if_less_than_nothing_is_there():
    """Noise left the absent line negative: amounts are not."""
    carbide = np.add(EMBEDDED, [0.0, -25.0, 0.0, 0.0, 0.0])
    lines = with_variances(np.array([carbide, MATRIX]), np.full((2, 5), 20.0**2))
    found = amounts_until_absent(lines, 0, [1], [FE])
    assert found.amounts.tolist() == [0.0]
    # How much of it there may be is still known as well as the iron.
    np.testing.assert_allclose(found.std, [20 / MATRIX[FE]], rtol=1e-6)
    np.testing.assert_array_equal(found.through, np.eye(5))
    # Of two hosts, one may be there and one not.
    lines = shot_noise(EMBEDDED + 0.2 * MATRIX - 0.001 * FERRITE, MATRIX, FERRITE)
    found = amounts_until_absent(lines, 0, [1, 2], [FE, NI])
    assert found.amounts[1] == 0
    without_the_other = amounts_until_absent(lines, 0, [1], [FE, NI])
    np.testing.assert_allclose(found.amounts[:1], without_the_other.amounts, rtol=1e-6)
    np.testing.assert_allclose(found.through, without_the_other.through, atol=1e-6)


def test_hosts_must_hold_what_is_absent():
    lines = shot_noise(EMBEDDED + 0.2 * MATRIX, MATRIX)
    message = "how much of matrix is in carbide: matrix itself holds no Mo beyond its noise"
    with pytest.raises(ValueError, match=message):
        amounts_until_absent(lines, 0, [1], [MO])
    # One of two is enough for a host, and none is told of both.
    assert amounts_until_absent(lines, 0, [1], [MO, FE]).amounts[0] == pytest.approx(0.2, rel=1e-3)
    with pytest.raises(ValueError, match="holds no Nb and Mo beyond"):
        amounts_until_absent(lines, 0, [1], [NB, MO])
    # So must the second host.
    only_iron = shot_noise(EMBEDDED + 0.2 * MATRIX, FERRITE, [0.0, 0.0, 0.0, 4000.0, 0.0])
    with pytest.raises(ValueError, match="how much of ferrite is in carbide: ferrite itself"):
        amounts_until_absent(only_iron, 0, [1, 2], [FE])


@pytest.mark.parametrize(("area", "is_there"), [(120.0, True), (80.0, False)])
def test_a_host_holds_what_is_three_standard_deviations(area, is_there):
    host = np.array([MATRIX, MATRIX])
    host[1, MO] = area
    variances = np.full((2, 5), 33.0**2)
    lines = with_variances(np.array([EMBEDDED - [0, 0, 0, 0, 900], host[1]]), variances)
    if is_there:
        amounts_until_absent(lines, 0, [1], [MO])
    else:
        with pytest.raises(ValueError, match="holds no Mo"):
            amounts_until_absent(lines, 0, [1], [MO])


def test_nothing_may_become_negative():
    """Iron is in the carbide, whatever is said of it."""
    carbide, matrix = [100.0, 500.0, 900.0], [2000.0, 5000.0, 0.0]
    # Chromium would be 100 - 0.1 * 2000, with the variance 100 + 0.01 * 2000 of counts,
    # 0.4^2 (500 + 0.01 * 5000) of the amount, and (0.05 * 200)^2 as the matrix may vary.
    message = (
        r"carbide cannot be free of Fe: without as much of matrix as that takes, it would hold "
        r"less than nothing \(Cr -100 ± 18 counts\)"
    )
    with pytest.raises(ValueError, match=message):
        amounts_until_absent(shot_noise(carbide, matrix), 0, [1], [FE])
    # Two lines that contradict each other: one of them would be negative.
    with pytest.raises(ValueError, match=r"free of Cr and Fe: .*\(Cr -\d+ ± \d+ counts\)"):
        amounts_until_absent(shot_noise(carbide, matrix), 0, [1], [CR, FE])
    matrix = [2000.0, 5000.0, 4000.0]
    with pytest.raises(ValueError, match=r"\(Cr -300 ± \d+ counts, Nb -700 ± \d+ counts\)"):
        amounts_until_absent(shot_noise([100.0, 1000.0, 100.0], matrix), 0, [1], [FE])
    hosts = [3000.0, 5000.0, 2000.0], [100.0, 3000.0, 2000.0]
    with pytest.raises(ValueError, match=r"as much of matrix and ferrite as that takes.*\(Nb -"):
        amounts_until_absent(shot_noise([100.0, 2000.0, 9.0], *hosts), 0, [1, 2], [FE, CR])


@pytest.mark.parametrize(("missing", "is_refused"), [(0.1, False), (0.2, True)])
def test_hosts_may_vary_by_some_percent(missing, is_refused):
    """Without noise, 5 % are one standard deviation."""
    carbide = EMBEDDED + 0.2 * MATRIX
    carbide[CR] *= 1 - missing
    lines = with_variances(np.array([carbide, MATRIX]), np.full((2, 5), 1e-4))
    if is_refused:
        with pytest.raises(ValueError, match="Cr -360 ± 90 counts"):
            amounts_until_absent(lines, 0, [1], [FE])
    else:
        np.testing.assert_allclose(amounts_until_absent(lines, 0, [1], [FE]).amounts, [0.2])


def test_one_absent_line_does_not_tell_two_hosts_apart():
    """Nickel comes from either: any of many amounts makes it vanish, and they leave other things.

    Either that is refused, or the amounts are as uncertain as they are.
    """
    truth = np.array([200.0, 800.0, 0.0])
    hosts = np.array([[7000.0, 0.0, 3000.0], [2000.0, 0.0, 8000.0]])
    lines = shot_noise(truth + 0.03 * hosts.sum(axis=0), *hosts)
    try:
        found = amounts_until_absent(lines, 0, [1, 2], [2])
    except ValueError:
        return
    assert (np.abs(found.amounts - 0.03) < 3 * found.std).all()


# --- ranges -------------------------------------------------------------------------------


def test_nothing_is_negative_if_nothing_is_taken_off():
    assert negativity(correlated([EMBEDDED + 1, MATRIX]), 0, [1], np.zeros(1)) == pytest.approx(0)
    one = negativity(shot_noise(EMBEDDED + 0.2 * MATRIX, MATRIX), 0, [1], np.array([0.1]))
    assert one == pytest.approx(0, abs=1e-12)


def test_negativity_of_independent_lines_is_the_sum_of_their_squares():
    lines = shot_noise(EMBEDDED + 0.2 * MATRIX, MATRIX, FERRITE)
    amounts = np.array([0.15, 0.1])
    taken = amounts @ [MATRIX, FERRITE]
    left = lines.areas[0] - taken
    variance = lines.areas[0] + amounts**2 @ np.maximum([MATRIX, FERRITE], 1) + (0.05 * taken) ** 2
    negative = left < 0
    assert 0 < negative.sum() < 5
    expected = np.sum(left[negative] ** 2 / variance[negative])
    assert negativity(lines, 0, [1, 2], amounts) == pytest.approx(expected, rel=1e-9)


def test_negativity_of_correlated_lines_is_the_nearest_of_what_is_possible():
    """By a search over all areas that are not negative."""
    lines = correlated([EMBEDDED + 0.2 * MATRIX, MATRIX])
    amount = 0.203
    left, covariance = lines.combined(np.array([1, -amount]))
    covariance = covariance + np.diag((0.05 * amount * MATRIX) ** 2)
    information = np.linalg.inv(covariance)

    def distance(u):
        off = left - u**2
        return off @ information @ off

    start = np.sqrt(np.maximum(left, 1.0))
    expected = optimize.minimize(distance, start, method="BFGS", options={"gtol": 1e-9}).fun
    found = negativity(lines, 0, [1], np.array([amount]))
    assert found > 0.001
    assert found == pytest.approx(expected, rel=1e-4)
    # Lines that are correlated are not what they are alone.
    alone = np.sum(np.minimum(left, 0) ** 2 / np.diag(covariance))
    assert abs(found / alone - 1) > 0.01


def test_the_largest_amount_is_that_of_the_first_line_to_vanish(monkeypatch):
    """Without noise, and with a host that does not vary, it is the smallest ratio."""
    carbide = EMBEDDED + 0.2 * MATRIX + [1000.0, 0.0, 0.0, 300.0, 0.0]
    lines = with_variances(np.array([carbide, MATRIX]), np.full((2, 5), 1e-8))
    there = MATRIX > 0
    ratios = carbide[there] / MATRIX[there]
    assert np.sort(ratios)[0] * 1.15 < np.sort(ratios)[1]
    # Iron of the host may be 5 % less beside the carbide, and 2.58 times that.
    expected = ratios.min() / (1 - 0.05 * SURE_OF_99)
    assert largest_amount(lines, 0, [1], [1.0]) == pytest.approx(expected, rel=1e-4)
    monkeypatch.setattr(phases, "HOST_VARIES", 0.0)
    assert largest_amount(lines, 0, [1], [1.0]) == pytest.approx(ratios.min(), rel=1e-6)
    # In units of what the shares are.
    assert largest_amount(lines, 0, [1], [0.5]) == pytest.approx(2 * ratios.min(), rel=1e-6)


def test_the_largest_amount_of_a_mixture(monkeypatch):
    monkeypatch.setattr(phases, "HOST_VARIES", 0.0)
    mixture = 0.3 * MATRIX + 0.7 * FERRITE
    carbide = EMBEDDED + 0.4 * mixture + [500.0, 0.0, 0.0, 900.0, 0.0]
    lines = with_variances(np.array([carbide, MATRIX, FERRITE]), np.full((3, 5), 1e-8))
    there = mixture > 0
    expected = np.min(carbide[there] / mixture[there])
    assert largest_amount(lines, 0, [1, 2], [0.3, 0.7]) == pytest.approx(expected, rel=1e-6)
    # A host without counts of any line could be there in any amount, and changes nothing.
    empty = with_variances(np.array([carbide, 0 * MATRIX]), np.full((2, 5), 1e-8))
    assert largest_amount(empty, 0, [1], [1.0]) == 0


def test_noise_makes_the_largest_amount_larger(monkeypatch):
    """The line is negative by 2.58 standard deviations of what is left of it."""
    monkeypatch.setattr(phases, "HOST_VARIES", 0.0)
    carbide = EMBEDDED / 20 + 0.01 * MATRIX + [500.0, 0.0, 0.0, 200.0, 0.0]
    found = largest_amount(shot_noise(carbide, MATRIX), 0, [1], [1.0])

    def beyond(amount):
        std = np.sqrt(carbide[FE] + amount**2 * MATRIX[FE])
        return carbide[FE] - amount * MATRIX[FE] + SURE_OF_99 * std

    expected = optimize.brentq(beyond, 0, 1)
    assert expected > 1.1 * carbide[FE] / MATRIX[FE]
    assert found == pytest.approx(expected, rel=1e-4)


#: Phases that a host holds no part of, a part of, and all elements of, in counts.
KINDS = {
    "of other elements": np.array([0.0, 0.0, 82.0, 0.0, 18.0]),
    "of the same and others": np.array([40.0, 5.0, 55.0, 0.0, 0.0]),
    "of the same elements": np.array([30.0, 55.0, 0.0, 15.0, 0.0]),
}
SHARES = [0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9]


def contains(found, truth):
    lower, upper, _ = found
    return ((lower <= truth + 1e-9) & (truth <= upper + 1e-9)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", SHARES)
def test_the_truth_is_possible_with_one_host(kind, share, rng):
    """Whatever share of the counts is of the host, and however many counts there are."""
    truth = percent(KINDS[kind])
    for counts in (3e3, 1e5, 1e7):
        mean = counts * ((1 - share) * truth + share * percent(MATRIX)) / 100
        exact = shot_noise(mean, MATRIX)
        found = possible_compositions(exact, 0, [1], fractions)
        assert contains(found, truth)
        # What the pixels hold is possible, too, and so is the true amount of the host.
        assert contains(found, percent(mean))
        assert found[2][0] >= share * counts / MATRIX.sum() * (1 - 1e-9)
    inside = [
        contains(
            possible_compositions(
                shot_noise(rng.poisson(mean), rng.poisson(MATRIX)), 0, [1], fractions
            ),
            truth,
        )
        for mean in np.repeat([2e4 * ((1 - share) * truth + share * percent(MATRIX)) / 100], 15, 0)
    ]
    assert np.mean(inside) >= 0.9


#: Of the first of two hosts in the counts of both.
OF_THE_FIRST = [0.0, 0.125, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("of_the_first", OF_THE_FIRST)
@pytest.mark.parametrize("share", SHARES[::3])
def test_the_truth_is_possible_with_two_hosts(share, of_the_first):
    for kind in ("of other elements", "of the same and others"):
        truth = percent(KINDS[kind])
        mixture = of_the_first * percent(MATRIX) + (1 - of_the_first) * percent(FERRITE)
        mean = 2e4 * ((1 - share) * truth + share * mixture) / 100
        lines = shot_noise(mean, MATRIX, FERRITE)
        lower, upper, most = found = possible_compositions(lines, 0, [1, 2], fractions)
        assert (lower <= upper).all()
        assert contains(found, truth)
        assert contains(found, percent(mean))
        # Each alone is one of the mixtures; beside the other there is hardly more of it, as far as
        # that may vary.
        alone = np.array([largest_amount(lines, 0, [host], [1.0]) for host in (1, 2)])
        assert (most >= 0.999 * alone - 1e-4).all()
        assert (most <= 1.1 * alone + 1e-3).all()


@pytest.mark.parametrize("of_the_first", [0.06, 0.2, 0.44])
@pytest.mark.parametrize("share", [0.6, 0.9])
def test_the_truth_is_possible_with_two_hosts_of_different_elements(share, of_the_first):
    """Both hosts end where the truth lies, in a corner of what is possible."""
    one, other = np.array([50.0, 0, 0, 50, 0]), np.array([0, 50.0, 0, 50, 0])
    truth = np.array([0.0, 0, 100, 0, 0])
    mixture = of_the_first * one + (1 - of_the_first) * other
    mean = 1e4 * ((1 - share) * truth + share * mixture)
    lines = shot_noise(mean, 3e4 * one, 3e4 * other)
    assert contains(possible_compositions(lines, 0, [1, 2], fractions), truth)


@pytest.mark.parametrize("counts", [1e3, 1e4, 1e5, 1e6])
def test_of_a_cluster_like_its_host_nothing_is_known(counts, rng):
    """What lies in it may be as little as one likes, of anything that the host holds."""
    held = MATRIX > 0
    for cluster, host in (
        (counts * percent(MATRIX) / 100, 3 * counts * percent(MATRIX) / 100),
        rng.poisson([counts * percent(MATRIX) / 100, 3 * counts * percent(MATRIX) / 100]),
    ):
        lower, upper, most = possible_compositions(shot_noise(cluster, host), 0, [1], fractions)
        np.testing.assert_array_equal(lower, 0)
        np.testing.assert_array_equal(upper[held], 100)
        assert most[0] == pytest.approx(1 / 3, rel=0.25)


def test_ranges_are_narrow_where_little_is_possible():
    """Little of the host's main element leaves little of the host."""
    share = 0.01
    mean = 1e7 * ((1 - share) * percent(EMBEDDED) + share * percent(MATRIX)) / 100
    lower, upper, most = possible_compositions(shot_noise(mean, MATRIX), 0, [1], fractions)
    assert (upper - lower).max() < 1.5
    assert most[0] == pytest.approx(share * 1e7 / MATRIX.sum(), rel=0.2)


def test_ranges_are_wider_by_what_noise_does_to_all_elements_together():
    """Where the counts of the host leave no room, they are what noise leaves."""
    lines = shot_noise(EMBEDDED, MATRIX)
    value, std = fractions(EMBEDDED, lines.covariance[0, :, 0])
    lower, upper, most = possible_compositions(lines, 0, [1], lambda *_: (value, std))
    # 95 % for five elements are 99 % for each, which are 2.576 standard deviations.
    np.testing.assert_allclose(lower, np.clip(value - 2.576 * std, 0, 100), atol=1e-3)
    np.testing.assert_allclose(upper, np.clip(value + 2.576 * std, 0, 100), atol=1e-3)
    assert most[0] < 0.001
