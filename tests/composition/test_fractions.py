from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from tables import composition, covariance
from xraylib import AtomicWeight

from hyperspy_clusterquant.composition.embedded import Embedded
from hyperspy_clusterquant.composition.fractions import (
    Amounts,
    atoms,
    atoms_per_count,
    bulk,
    counts_and_areas,
)
from hyperspy_clusterquant.xrays.kfactors import KFactors

K = np.array([1.45, 5.08])
MASSES = np.array([AtomicWeight(26), AtomicWeight(78)])
#: Counts of 60 pixels, and what they hold of three phases, the last of which is no cluster.
TOTALS = np.random.default_rng(3).poisson(50, 60).astype(float)
SHARES = np.random.default_rng(4).dirichlet([0.5, 0.5, 0.2], 60).T
AREAS = np.array([[100.0, 200.0], [300.0, 40.0]])


def phases(shares=SHARES, **more):
    """Two clusters and the rest, with what is uncertain about their blur."""
    n = len(shares)
    change = np.zeros((2, n))
    change[:, :2] = [[25.0, -25.0], [0.0, 40.0]]
    given = {
        "shares": shares,
        "area_shares": shares[::-1],
        "count_modes": change,
        "area_modes": change / 60,
        "spectra": np.array([[500.0, 700.0, 0.0], [800.0, 100.0, 100.0]]),
    }
    return SimpleNamespace(**(given | more))


def table(**more):
    """Compositions of the two that follow from counts of their lines."""
    amounts = more.get("intensities", AREAS) * K / MASSES
    amounts = amounts * more.get("absorption_factors", 1.0)
    total = np.maximum(amounts.sum(axis=1, keepdims=True), 1e-300)
    percent = np.where(total > 1e-300, 100 * amounts / total, np.nan)
    return composition(**({"intensities": AREAS, "atomic_percent": percent} | more))


def test_shares_of_the_map_are_those_of_its_pixels():
    counts, areas = counts_and_areas(phases(), TOTALS)
    np.testing.assert_array_equal(counts.pixels, SHARES)
    of_map = sum(n * share for n, share in zip(TOTALS, SHARES.T, strict=True)) / TOTALS.sum()
    np.testing.assert_allclose(counts.total, of_map)
    np.testing.assert_array_equal(areas.pixels, SHARES[::-1])
    np.testing.assert_allclose(areas.total, SHARES[::-1].mean(axis=1))
    for each in (counts, areas):
        assert each.total.sum() == pytest.approx(1)
        # What one phase has more, others have less.
        np.testing.assert_allclose(each.covariance.sum(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(each.std**2, np.diag(each.covariance))
        assert (each.std > 0).all()


def test_nothing_is_less_than_certain():
    rounded = Amounts(np.ones((2, 3)), np.ones(2) / 2, np.diag([-1e-18, 4e-4]))
    assert rounded.std.tolist() == [0, 0.02]


def test_errors_of_shares_are_those_of_many_maps(rng):
    """Pure pixels: shot noise of their counts, and modes of the blur, drawn again and again."""
    pure = (np.arange(60) % 3 == np.arange(3)[:, None]).astype(float)
    of = phases(pure)
    counts, areas = counts_and_areas(of, TOTALS)
    blur = rng.normal(size=(40_000, 2))
    drawn = rng.poisson(pure @ TOTALS, (40_000, 3)) + blur @ of.count_modes
    drawn /= drawn.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(counts.covariance, np.cov(drawn.T), rtol=0.05, atol=2e-6)
    # Of areas there is no shot noise.
    drawn = pure.sum(axis=1) + blur @ of.area_modes
    drawn /= drawn.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(areas.covariance, np.cov(drawn.T), rtol=0.05, atol=2e-6)


@pytest.mark.parametrize("factors", [np.ones((2, 2)), np.array([[1.3, 1.0], [1.1, 2.0]])])
def test_atoms_are_those_of_the_counts(factors):
    """Count by count; what is in no cluster has no composition, and no atoms."""
    found = atoms(phases(), TOTALS, table(absorption_factors=factors))
    per_count = (AREAS * factors * K / MASSES).sum(axis=1) / [1200, 1000]
    assert found.pixels.shape == (2, 60)
    for pixel, share in zip(found.pixels.T, SHARES.T, strict=True):
        expected = share[:2] * per_count
        np.testing.assert_allclose(pixel, expected / expected.sum())
    expected = (SHARES[:2] * TOTALS).sum(axis=1) * per_count
    np.testing.assert_allclose(found.total, expected / expected.sum())


def test_pixels_in_no_cluster_have_no_atoms():
    shares = SHARES.copy()
    shares[:, 7] = [0, 0, 1]
    found = atoms(phases(shares), TOTALS, table())
    assert np.isnan(found.pixels[:, 7]).all()
    assert np.isfinite(np.delete(found.pixels, 7, axis=1)).all()
    assert np.isfinite(found.total).all()
    assert found.total.sum() == pytest.approx(1)


def test_errors_of_atoms_are_those_of_many_maps(rng):
    pure = (np.arange(60) % 2 == np.arange(2)[:, None]).astype(float)
    of, std = phases(pure), np.array([[3.0, 5.0], [8.0, 1.0]])
    found = atoms(of, TOTALS, table(intensities_std=std))
    n = 40_000
    counts = rng.poisson(pure @ TOTALS, (n, 2)) + rng.normal(size=(n, 2)) @ of.count_modes
    areas = AREAS + std * rng.normal(size=(n, 2, 2))
    drawn = counts * (areas * K / MASSES).sum(axis=2) / [1200, 1000]
    drawn /= drawn.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.covariance, np.cov(drawn.T), rtol=0.05)
    assert found.std == pytest.approx(drawn.std(axis=0), rel=0.03)


def in_hosts(k_amounts, k_std=0.0):
    """The second cluster in the first, amounts of which are taken off it."""
    amounts = np.atleast_1d(k_amounts).astype(float)
    return Embedded(1, (0,), ("Fe",), amounts, np.full(len(amounts), k_std))


def test_what_is_taken_off_an_embedded_phase_is_counted_to_its_host():
    """A foil of which some pixels hold a precipitate through a part of it."""
    host, own = np.array([300.0, 20.0, 80.0]), np.array([0.0, 150.0, 50.0])
    # A pixel of the host, and one of the precipitate with 0.4 of the host around it.
    seen = np.array([host, own + 0.4 * host])
    areas = np.array([[host[0], host[1]], [own[0], own[1]]])
    n_host, n_own = 50, 10
    shares = np.repeat(np.eye(2), [n_host, n_own], axis=0).T
    totals = np.repeat(seen.sum(axis=1), [n_host, n_own])
    of = phases(shares, spectra=seen * [[n_host], [n_own]])
    known = table(
        intensities=areas * [[n_host], [n_own]],
        embedded=(in_hosts(0.4 * n_own / n_host),),
    )
    found = atoms(of, totals, known)
    in_host, in_own = (areas * K / MASSES).sum(axis=1)
    expected = np.array([n_host * in_host + n_own * 0.4 * in_host, n_own * in_own])
    np.testing.assert_allclose(found.total, expected / expected.sum())
    np.testing.assert_allclose(found.pixels[:, 0], [1, 0])
    expected = np.array([0.4 * in_host, in_own])
    np.testing.assert_allclose(found.pixels[:, -1], expected / expected.sum())
    # If it is not known how much, its pixels are taken as they are.
    unknown = replace(known, embedded=(Embedded(1, (0,), ()),))
    np.testing.assert_array_equal(
        atoms(of, totals, unknown).total, atoms(of, totals, replace(known, embedded=())).total
    )


def test_uncertain_amounts_of_hosts_make_atoms_uncertain():
    std = np.array([[3.0, 5.0], [8.0, 1.0]])
    of_host, own = (AREAS * K / MASSES).sum(axis=1)
    per_count, variances = atoms_per_count(
        phases(), table(intensities_std=std, embedded=(in_hosts(0.25, 0.02),))
    )
    np.testing.assert_allclose(
        per_count, [[of_host / 1200, 0], [0.25 * of_host / 1000, own / 1000]]
    )
    noise = ((std * K / MASSES) ** 2).sum(axis=1)
    np.testing.assert_allclose(
        variances, [[noise[0] / 1200**2, 0], [(0.02 * of_host / 1000) ** 2, noise[1] / 1000**2]]
    )


def test_a_phase_without_lines_has_no_atoms():
    """Nor does its composition, which there is none of, count in that of the map."""
    empty = table(intensities=np.array([[100.0, 200.0], [0.0, 0.0]]))
    assert np.isnan(empty.atomic_percent[1]).all()
    found = atoms(phases(), TOTALS, empty)
    np.testing.assert_allclose(found.total, [1, 0])
    percent, of_bulk = bulk(found, empty)
    np.testing.assert_allclose(percent, empty.atomic_percent[0])
    assert np.isfinite(of_bulk).all()


def test_the_map_holds_what_its_phases_do(rng):
    """With errors of shares, of compositions and of k-factors, drawn again and again."""
    relative = np.array([0.0, 0.05])
    known = table(
        covariance_counting=covariance([0.5, 0.3]),
        covariance_mixing=covariance([0.2, 0.6]),
        kfactors=KFactors({"Fe_Ka": 1.45, "Pt_La": 5.08}, {"Pt_La": 0.05}),
    )
    share = Amounts(
        None, np.array([0.7, 0.3]), np.array([[0.02**2, -(0.02**2)], [-(0.02**2), 0.02**2]])
    )
    percent, of_bulk = bulk(share, known)
    np.testing.assert_allclose(
        percent, 0.7 * known.atomic_percent[0] + 0.3 * known.atomic_percent[1]
    )
    assert percent.sum() == pytest.approx(100)
    n = 200_000
    shares = 0.7 + 0.02 * rng.normal(size=n)
    iron = known.atomic_percent[:, 0] + np.hypot([0.5, 0.3], [0.2, 0.6]) * rng.normal(size=(n, 2))
    iron = shares * iron[:, 0] + (1 - shares) * iron[:, 1]
    # Another k-factor makes the same of the map as of a single spectrum.
    platinum = (100 - iron) * (1 + relative[1] * rng.normal(size=n))
    iron = 100 * iron / (iron + platinum)
    assert np.sqrt(of_bulk[0, 0]) == pytest.approx(iron.std(), rel=0.02)
    np.testing.assert_allclose(of_bulk, of_bulk[0, 0] * np.array([[1, -1], [-1, 1]]), rtol=1e-9)
