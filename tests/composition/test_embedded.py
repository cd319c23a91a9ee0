from dataclasses import MISSING, fields, replace

import numpy as np
import pytest
import samples
import simulation
import xraylib

from hyperspy_clusterquant import ClusterResult
from hyperspy_clusterquant.clusters.phases import PhaseSpectra
from hyperspy_clusterquant.composition.embedded import Embedded, take_out_hosts
from hyperspy_clusterquant.composition.intensities import (
    LineChoice,
    measure,
    measure_windows,
)

ENERGY = 0.01 * np.arange(1, 1201)
LINES = ("Cr_Ka", "Fe_Ka", "Ni_Ka", "Ti_Ka", "V_Ka")
ELEMENTS = ("Cr", "Fe", "Ni", "Ti", "V")
FE = ELEMENTS.index("Fe")
NAMES = ("carbide", "matrix", "film")
#: Counts of the alpha lines.
CARBIDE = np.array([2e4, 0.0, 0.0, 3e5, 1e5])
MATRIX = np.array([4e5, 1.5e6, 2e5, 0.0, 0.0])
FILM = np.array([0.0, 3e4, 3e5, 0.0, 0.0])
#: Part of the matrix's spectrum in that of the carbide.
AMOUNT = 0.3


def phases_of(spectra, modes=None):
    """Phases of which nothing is uncertain but their counts, and what modes say."""
    spectra = np.array(spectra, dtype=float)
    n, channels = spectra.shape
    # Of what else there is to say of phases, there is nothing.
    nothing = {f.name: np.zeros((n, 0)) for f in fields(PhaseSpectra) if f.default is MISSING}
    given = {
        "members": spectra,
        "member_variances": spectra,
        "phases": spectra,
        "spectra": spectra,
        "covariances": np.eye(n)[:, :, None] * spectra,
        "modes": np.zeros((0, n, channels)) if modes is None else modes,
        "directions": np.zeros((0, channels)),
        "scatter_std": np.zeros(n),
        "as_summed": np.zeros(n, dtype=bool),
        "undecided": np.zeros(n, dtype=bool),
        "areas": np.ones(n),
        "member_areas": np.ones(n),
        "width": 1.0,
        "width_std": 0.1,
    }
    return PhaseSpectra(**(nothing | given))


#: Where lines are in spectra of boxes, and what is beside them, in keV.
PEAKS = np.array([[low, low + 0.3] for low in (1.0, 2.0, 3.0, 4.0, 5.0)])
BESIDE = np.array([[low - 0.2, low, low + 0.3, low + 0.5] for low in PEAKS[:, 0]])


def boxes(areas, background=20.0):
    """A spectrum that windows measure without any error: boxes on a flat background."""
    spectrum = np.full(len(ENERGY), background)
    for (low, high), area in zip(PEAKS, areas, strict=True):
        inside = np.abs(ENERGY - (low + high) / 2 + 0.005) < 0.151
        spectrum[inside] += area / inside.sum()
    return spectrum


def in_windows(spectra):
    choice = LineChoice(ENERGY, LINES, (), 130.0, 200.0)
    spectra = np.array(spectra, dtype=float)
    return measure_windows(spectra, spectra, choice, PEAKS, BESIDE)


def peaks(areas, background=3e5):
    """A spectrum of peaks whose areas are known, on bremsstrahlung."""
    continuum = (200 - ENERGY) / ENERGY * np.exp(-((0.6 / ENERGY) ** 2))
    spectrum = background * continuum / continuum.sum()
    for element, area in zip(ELEMENTS, areas, strict=True):
        spectrum += area * simulation.family(ENERGY, element, "K", 130.0)
    return spectrum


def fitted(spectra):
    spectra = np.array(spectra, dtype=float)
    return measure(spectra, spectra, LineChoice(ENERGY, LINES, (), 130.0, 200.0))


KINDS = {"windows": (boxes, in_windows), "model": (peaks, fitted)}


def taken_out(phases, measured, *asked):
    left = take_out_hosts(phases, measured, NAMES[: len(phases.spectra)], asked)
    return left, left.with_uncertain_amounts(left.measured)


# --- known amounts ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_remains_is_the_phase_without_its_host(kind):
    make, measured_by = KINDS[kind]
    alone, matrix = make(CARBIDE), make(MATRIX)
    phases = phases_of([alone + AMOUNT * matrix, matrix])
    measured = measured_by(phases.spectra)
    left, found = taken_out(phases, measured, Embedded(0, (1,), ("Fe",)))
    rtol = 1e-9 if kind == "windows" else 5e-3
    held = CARBIDE > 0
    np.testing.assert_allclose(found.areas[0, held], CARBIDE[held], rtol=rtol)
    # Nickel goes with iron, all but what counts leave uncertain.
    assert found.unconstrained[0, 2] == pytest.approx(0, abs=0.2 * found.std[0, 2])
    assert found.areas[0, FE] == found.unconstrained[0, FE] == found.std[0, FE] == 0
    assert not found.covariances[0, FE].any()
    # The host stays as it is.
    np.testing.assert_array_equal(found.areas[1], measured.areas[1])
    np.testing.assert_array_equal(found.covariances[1], measured.covariances[1])
    (each,) = left.embedded
    np.testing.assert_allclose(each.amounts, [AMOUNT], rtol=rtol)
    share = AMOUNT * matrix.sum() / (alone + AMOUNT * matrix).sum()
    assert each.share == pytest.approx(share, rel=rtol)
    relative = each.amounts_std[0] / each.amounts[0]
    assert each.share_std / each.share == pytest.approx(relative, rel=1e-6)
    # The counts of iron in both make it uncertain; a fit counts those of all its lines.
    iron = np.sqrt(1 / (AMOUNT * MATRIX[FE]) + 1 / MATRIX[FE])
    assert relative == pytest.approx(iron, rel=0.05 if kind == "windows" else 0.15)
    np.testing.assert_allclose(left.variances[0], alone + AMOUNT * matrix + AMOUNT**2 * matrix,
                               rtol=1e-2)  # fmt: skip
    np.testing.assert_array_equal(left.variances[1], matrix)


def test_parts_of_the_spectrum_are_fitted_too():
    alone, matrix = peaks(CARBIDE), peaks(MATRIX)
    phases = phases_of([alone + AMOUNT * matrix, matrix])
    measured = fitted(phases.spectra)
    left, found = taken_out(phases, measured, Embedded(0, (1,), ("Fe",)))
    (each,) = left.embedded
    used = measured.used
    assert each.whole is measured.fits[0]
    np.testing.assert_allclose(each.subtracted.counts, each.amounts[0] * matrix[used])
    # The variances of fits are smooth, these for noise that there is not.
    variance = each.amounts[0] ** 2 * matrix[used]
    assert each.subtracted.variance.sum() == pytest.approx(variance.sum(), rel=0.01)
    added = found.fits[0].counts + each.subtracted.counts
    np.testing.assert_allclose(added, each.whole.counts, rtol=1e-9)
    areas = each.subtracted.areas[measured.positions]
    np.testing.assert_allclose(areas, AMOUNT * MATRIX, rtol=0.01, atol=0.002 * MATRIX.sum())
    # Windows have no fits.
    phases = phases_of([boxes(CARBIDE + AMOUNT * MATRIX), boxes(MATRIX)])
    left, _ = taken_out(phases, in_windows(phases.spectra), Embedded(0, (1,), ("Fe",)))
    assert left.embedded[0].whole is left.embedded[0].subtracted is None


@pytest.mark.parametrize("kind", KINDS)
def test_two_hosts(kind):
    make, measured_by = KINDS[kind]
    alone, matrix, film = make(CARBIDE), make(MATRIX), make(FILM)
    phases = phases_of([alone + AMOUNT * matrix + 0.5 * film, matrix, film])
    left, found = taken_out(phases, measured_by(phases.spectra), Embedded(0, (2, 1), ("Ni", "Fe")))
    (each,) = left.embedded
    np.testing.assert_allclose(each.amounts, [0.5, AMOUNT], rtol=5e-3)
    np.testing.assert_allclose(found.areas[0], CARBIDE, rtol=5e-3, atol=0.2 * found.std.max())
    assert found.areas[0, [1, 2]].tolist() == [0, 0]
    share = (0.5 * film + AMOUNT * matrix).sum() / phases.spectra[0].sum()
    assert each.share == pytest.approx(share, rel=5e-3)


def test_hosts_that_lie_in_others_themselves():
    """As the beam sees them: what is taken off is a host with all that is in its pixels."""
    film, matrix, alone = boxes(FILM), boxes(MATRIX), boxes(CARBIDE)
    of_matrix = matrix + 0.2 * film
    phases = phases_of([alone + AMOUNT * of_matrix, of_matrix, film])
    asked = Embedded(0, (1,), ("Fe",)), Embedded(1, (2,), ("Ni",))
    without_nickel = MATRIX * [1, 1, 0, 1, 1]
    phases.spectra[:2] -= np.array([[AMOUNT], [1]]) * boxes(MATRIX - without_nickel, 0.0)
    measured = in_windows(phases.spectra)
    for order in (asked, asked[::-1]):
        left, found = taken_out(phases, measured, *order)
        np.testing.assert_allclose(found.areas[0], CARBIDE, rtol=1e-9, atol=1e-3)
        np.testing.assert_allclose(found.areas[1], without_nickel, rtol=1e-9, atol=1e-3)
        assert [each.cluster for each in left.embedded] == [each.cluster for each in order]


def test_nothing_changes_where_nothing_is_asked():
    phases = phases_of([boxes(CARBIDE), boxes(MATRIX)])
    measured = in_windows(phases.spectra)
    left, found = taken_out(phases, measured)
    assert found == measured
    assert left.embedded == ()
    np.testing.assert_array_equal(left.variances, phases.spectra)
    lower, upper, embedded = left.ranges(dict.fromkeys(LINES, 1.0), np.ones((2, 5)))
    assert np.isnan([lower, upper]).all()
    assert embedded == ()


def test_remaining_areas_are_as_uncertain_as_they_are_said_to_be(rng):
    """Coverage of one std over noisy spectra: 68 %."""
    truth = np.add(CARBIDE, [0, 0, 6e4, 0, 0]) / 300
    alone, matrix = boxes(truth, 2.0), boxes(MATRIX / 300, 2.0)
    z, of_amounts = [], []
    for counts in rng.poisson([alone + AMOUNT * matrix, matrix], (400, 2, len(ENERGY))):
        phases = phases_of(counts)
        left, found = taken_out(phases, in_windows(counts), Embedded(0, (1,), ("Fe",)))
        z.append((found.unconstrained[0] - truth) / np.where(truth > 0, found.std[0], 1.0))
        (each,) = left.embedded
        of_amounts.append((each.amounts - AMOUNT) / each.amounts_std)
    others = [0, 2, 3, 4]
    inside = np.mean(np.abs(z) < 1, axis=0)[others]
    assert (np.abs(inside - 0.675) < 0.075).all()
    assert np.mean(np.abs(of_amounts) < 1) == pytest.approx(0.675, abs=0.075)
    assert np.array(z)[:, FE].tolist() == [0.0] * 400


def test_the_share_of_hosts_that_look_alike_is_known_better_than_theirs(rng):
    """What one has more of a line, the other has less: their sum scatters little."""
    hosts = boxes(MATRIX / 100, 2.0), boxes(np.array([3e3, 1.2e4, 4e3, 0.0, 0.0]), 2.0)
    alone = boxes(CARBIDE * [0, 0, 0, 1, 1] / 100, 2.0)
    shares, stds = [], []
    for counts in rng.poisson([alone + 0.3 * sum(hosts), *hosts], (100, 3, len(ENERGY))):
        asked = Embedded(0, (1, 2), ("Fe", "Ni"))
        left, _ = taken_out(phases_of(counts), in_windows(counts), asked)
        shares.append(left.embedded[0].share)
        stds.append(left.embedded[0].share_std)
    assert np.mean(stds) == pytest.approx(np.std(shares), rel=0.5)


def test_noisy_spectra_of_peaks(rng):
    alone, matrix = peaks(CARBIDE / 10, 3e4), peaks(MATRIX / 10, 3e4)
    z = []
    for _ in range(6):
        phases = phases_of(rng.poisson([alone + AMOUNT * matrix, matrix]))
        _, found = taken_out(phases, fitted(phases.spectra), Embedded(0, (1,), ("Fe",)))
        others = [0, 2, 3, 4]
        z.append(((found.unconstrained[0] - CARBIDE / 10) / np.maximum(found.std[0], 1))[others])
    assert (np.abs(z) < 3.5).all()
    assert 0.5 < np.sqrt(np.mean(np.square(z))) < 1.5


def test_what_the_scale_leaves_open_is_uncertain_about_amounts():
    """Areas of fits are known less well than their counts."""
    phases = phases_of([boxes(CARBIDE) + AMOUNT * boxes(MATRIX), boxes(MATRIX)])
    measured = in_windows(phases.spectra)
    more = np.zeros((2, 5, 5))
    more[0, FE, FE], more[1, FE, FE] = 2e3**2, 3e3**2
    less_known = replace(measured, covariances=measured.covariances + more)
    asked = Embedded(0, (1,), ("Fe",))
    known, uncertain = (
        taken_out(phases, of, asked)[0].embedded[0].amounts_std for of in (measured, less_known)
    )
    added = np.hypot(2e3, AMOUNT * 3e3) / MATRIX[FE]
    np.testing.assert_allclose(uncertain, np.hypot(known, added), rtol=1e-6)


# --- blur and labels ----------------------------------------------------------------------


def test_what_is_uncertain_by_mixing_goes_through_the_amounts():
    """One mode that changes both spectra: what remains changes as its derivative says."""
    alone, matrix = boxes(CARBIDE), boxes(MATRIX)
    changes = np.array([[3e3, 9e3, 0.0, -2e3, 1e3], [-1e3, 2e3, 4e3, 0.0, 0.0]])
    mode = np.array([boxes(of, 0.0) for of in changes])
    phases = phases_of([alone + AMOUNT * matrix, matrix], mode[None])
    measured = in_windows(phases.spectra)
    left, _ = taken_out(phases, measured, Embedded(0, (1,), ("Fe",)))
    mixing = left.mixing(phases, measured.weights)

    def remaining(step):
        cluster = CARBIDE + AMOUNT * MATRIX + step * changes[0]
        host = MATRIX + step * changes[1]
        return cluster - cluster[FE] / host[FE] * host

    slope = (remaining(1e-3) - remaining(-1e-3)) / 2e-3
    assert slope[FE] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(mixing[0], np.outer(slope, slope), rtol=1e-4, atol=1)
    assert not mixing[0, FE].any()
    np.testing.assert_allclose(mixing[1], np.outer(changes[1], changes[1]), rtol=1e-6, atol=1)
    # What is measured of the modes is uncertain about the amounts.
    quiet = phases_of(phases.spectra)
    calm, _ = taken_out(quiet, measured, Embedded(0, (1,), ("Fe",)))
    moved = (changes[0, FE] - AMOUNT * changes[1, FE]) / MATRIX[FE]
    std = np.hypot(calm.embedded[0].amounts_std, moved)
    np.testing.assert_allclose(left.embedded[0].amounts_std, std, rtol=1e-6)
    # Not of what pixels hold: what blur brings of the host goes with the rest of it.
    pixels, _ = taken_out(replace(phases, is_unmixed=False), measured, Embedded(0, (1,), ("Fe",)))
    np.testing.assert_allclose(pixels.embedded[0].amounts_std, calm.embedded[0].amounts_std)


def test_how_much_of_the_host_blur_brings_is_no_longer_uncertain():
    alone, matrix = boxes(CARBIDE), boxes(MATRIX)
    mode = np.array([0.1 * matrix, 0.0 * matrix])
    phases = phases_of([alone + AMOUNT * matrix, matrix], mode[None])
    measured = in_windows(phases.spectra)
    left, _ = taken_out(phases, measured, Embedded(0, (1,), ("Fe",)))
    np.testing.assert_allclose(left.mixing(phases, measured.weights)[0], 0, atol=1e-6)
    # Without that knowledge it is.
    left, _ = taken_out(phases, measured, Embedded(0, (1,), ()))
    mixing = left.mixing(phases, measured.weights)[0]
    np.testing.assert_allclose(np.sqrt(np.diag(mixing)), 0.1 * MATRIX, rtol=1e-6, atol=1e-3)


# --- unknown amounts ----------------------------------------------------------------------


def atomic_percent(areas, k):
    masses = [xraylib.AtomicWeight(xraylib.SymbolToAtomicNumber(e)) for e in ELEMENTS]
    atoms = areas * k / masses
    return 100 * atoms / atoms.sum()


@pytest.mark.parametrize("kind", KINDS)
def test_ranges_hold_the_phase_and_what_its_pixels_hold(kind):
    make, measured_by = KINDS[kind]
    k = np.array([1.2, 1.4, 1.6, 1.05, 1.1])
    phases = phases_of([make(CARBIDE) + AMOUNT * make(MATRIX), make(MATRIX)])
    measured = measured_by(phases.spectra)
    left, found = taken_out(phases, measured, Embedded(0, (1,), ()))
    assert found == measured
    factors = np.array([[1.1, 1.0, 1.0, 1.0, 1.2], [1, 1, 1, 1, 1]])
    for factor in (np.ones((2, 5)), factors):
        lower, upper, (each,) = left.ranges(dict(zip(LINES, k, strict=True)), factor)
        for areas in (CARBIDE, CARBIDE + 0.5 * AMOUNT * MATRIX, CARBIDE + AMOUNT * MATRIX):
            percent = atomic_percent(areas, k * factor[0])
            assert ((lower[0] <= percent + 0.05) & (percent <= upper[0] + 0.05)).all()
        # As much may be taken off until iron and nickel are negative by what the host may vary,
        # 5 %, and by what noise does not in 99 %: 2.58 standard deviations, of two lines.
        most = AMOUNT / (1 - 0.05 * 2.58 / np.sqrt(2))
        assert each.most[0] == pytest.approx(most, rel=0.01)
        end = np.maximum(CARBIDE + (AMOUNT - each.most[0]) * MATRIX, 0)
        pixels = atomic_percent(CARBIDE + AMOUNT * MATRIX, k * factor[0])
        ends = np.sort([atomic_percent(end, k * factor[0]), pixels], axis=0)
        np.testing.assert_allclose([lower[0], upper[0]], ends, atol=0.6)
        assert np.isnan(lower[1]).all()
        assert np.isnan(upper[1]).all()
        assert each.amounts is None
        assert np.isnan(each.share)


def test_one_amount_is_known_and_another_is_not():
    alone, matrix, film = boxes(CARBIDE), boxes(MATRIX), boxes(FILM)
    phases = phases_of([alone + AMOUNT * matrix, matrix, film + 0.1 * matrix])
    measured = in_windows(phases.spectra)
    asked = Embedded(2, (1,), ()), Embedded(0, (1,), ("Fe",))
    left, found = taken_out(phases, measured, *asked)
    np.testing.assert_allclose(found.areas[0], CARBIDE, rtol=1e-9, atol=1e-3)
    np.testing.assert_allclose(found.areas[2], FILM + 0.1 * MATRIX, rtol=1e-9)
    lower, upper, embedded = left.ranges(dict.fromkeys(LINES, 1.0), np.ones((3, 5)))
    assert np.isnan(lower).all(axis=1).tolist() == [True, True, False]
    assert np.isnan(upper).all(axis=1).tolist() == [True, True, False]
    assert embedded[1] == left.embedded[1]
    assert embedded[0].most[0] > 0.1


# --- a foil of steel ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def steel():
    """A foil with discs through a part of it, and clusters as they truly are."""
    s = samples.steel(300.0, size=64)
    truth = s.metadata.Ground_truth
    labels = np.asarray(truth.labels)
    memberships = (labels == np.arange(4)[:, None, None]).astype(float)
    names = tuple(truth.phase_names)
    result = ClusterResult(
        "true", "assigned", labels, memberships, np.zeros((labels.size, 1)), [2.0], 1.0,
        cluster_names=names,
    )  # fmt: skip

    def quantified(**options):
        return s.cluster_quantification(
            result, kfactors=truth.kfactors, extra_elements=["C", "Au"], **options
        )

    compositions = np.asarray(truth.compositions)
    assert list(truth.elements) == sorted(truth.elements)
    return quantified, dict(zip(names, compositions, strict=True))


def test_a_carbide_in_steel_that_holds_no_iron(steel):
    quantified, compositions = steel
    table = quantified(embedded={"NbC": "matrix"}, absent={"NbC": ["Fe"]})
    found, std = table.atomic_percent[1], table.std[1]
    assert (np.abs(found - compositions["NbC"]) < 2 + 2 * std).all()
    assert std.max() < 4
    assert found[table.elements.index("Fe")] == std[table.elements.index("Fe")] == 0
    # Without that, a third of it was steel.
    mixed = quantified().atomic_percent[1]
    assert (np.abs(mixed - compositions["NbC"]) > 30).any()
    assert 0.3 < table.embedded[0].share < 0.9
    # All is as before where nothing was taken off.
    matrix = compositions["matrix"]
    assert (np.abs(table.atomic_percent[0] - matrix) < 0.5 + 2 * table.std[0]).all()


@pytest.mark.parametrize("name", ["NbC", "MnS", "M23C6"])
def test_the_truth_of_phases_in_steel_is_possible(steel, name):
    quantified, compositions = steel
    table = quantified(embedded=dict.fromkeys(("NbC", "MnS", "M23C6"), "matrix"))
    lower, upper = (ends[table.cluster_names.index(name)] for ends in table.embedded_range)
    assert ((lower <= compositions[name]) & (compositions[name] <= upper)).all()
    # Something is known all the same.
    assert (upper - lower).min() < 10
    assert (upper - lower).max() < 70
