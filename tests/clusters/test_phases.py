from dataclasses import replace
from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage, sparse

from hyperspy_clusterquant.clusters import blur as blurring
from hyperspy_clusterquant.clusters.blur import FittedShares, PixelShares
from hyperspy_clusterquant.clusters.likelihood import log_likelihoods, mixing_states
from hyperspy_clusterquant.clusters.neighbours import mean_field
from hyperspy_clusterquant.clusters.phases import PhaseSpectra, phase_spectra
from hyperspy_clusterquant.clusters.selection import evidence_of
from hyperspy_clusterquant.counts.pixels import read_pixels
from hyperspy_clusterquant.counts.stores import Store, StoredArrays

CHANNELS = 20
#: Of four phases, each with peaks of its own on what all have.
SPECTRA = np.full((4, CHANNELS), 0.3)
for _peak in range(12):
    SPECTRA[_peak % 4, 1 + _peak] += 1.5 + _peak % 5
    SPECTRA[(_peak + 1) % 4, 1 + _peak] += 1.0
SPECTRA /= SPECTRA.sum(axis=1, keepdims=True)


def regions(shape, n_phases, rng, size=3.0):
    """Random labels in patches."""
    fields = [ndimage.gaussian_filter(rng.normal(size=shape), size) for _ in range(n_phases)]
    return np.argmax(fields, axis=0)


def expected_counts(labels, width, dose=200.0, rates=None):
    """Counts that a Gaussian beam brings of each pixel; pixels of -1 are vacuum."""
    n_phases = labels.max() + 1
    rates = np.ones(n_phases) if rates is None else np.asarray(rates)
    fractions = [
        ndimage.gaussian_filter((labels == k).astype(float), width) for k in range(n_phases)
    ]
    return dose * np.einsum("k,k...,kc->...c", rates, fractions, SPECTRA[:n_phases])


def one_hot(labels, n_clusters):
    return (labels.reshape(-1, 1) == np.arange(n_clusters)).astype(float)


class Blocks:
    """All counts in a few parts, where nothing is chosen, kept or sent."""

    def __init__(self, counts, n_blocks):
        self.parts = np.array_split(np.arange(len(counts)), n_blocks)
        self.counts = [sparse.csr_array(counts[part]) for part in self.parts]

    def map(self, kernel, *shared, of_pixels=()):
        return [
            kernel(counts, *(of[part] for of in of_pixels), *shared)
            for part, counts in zip(self.parts, self.counts, strict=True)
        ]

    def sum(self, kernel, *shared, of_pixels=()):
        return sum(self.map(kernel, *shared, of_pixels=of_pixels))


def phases_of(counts, memberships, evidence=None, scales=None, keep=None, n_blocks=1):
    """`phase_spectra` of a map of counts, with labels that these did not choose."""
    keep = np.ones(counts.shape[:-1], dtype=bool) if keep is None else keep
    counts = counts[keep].astype(int)
    pixels = SimpleNamespace(
        blocks=Blocks(counts, n_blocks), keep=keep, totals=counts.sum(axis=1).astype(float)
    )
    if evidence is None:
        nothing = np.ones((memberships.shape[1], counts.shape[1]))
        evidence = evidence_of(memberships, nothing, keep, 0.0, True)
    scales = np.ones(keep.ndim) if scales is None else scales
    return phase_spectra(pixels, memberships, evidence, scales, lambda *_: None)


@pytest.fixture
def exact(monkeypatch):
    """As if the model of the blur were known to be right."""
    for name in ("WIDTH_MODEL", "BORDER_MODEL", "AREA_MODEL"):
        monkeypatch.setattr(blurring, name, 0.0)


@pytest.fixture
def fixed(monkeypatch):
    """Width and rates that are known."""

    def fix(width, rates):
        values = np.append(width, np.log(rates[1:]) - np.log(rates[0]))
        monkeypatch.setattr(PixelShares, "fit", lambda model: FittedShares.of(model, values))

    return fix


def chi_squared(off, variances):
    """Over the channels, divided by their number; off in counts."""
    return np.mean(off**2 / variances, axis=-1)


def test_spectra_of_phases_come_back(exact):
    rng = np.random.default_rng(5)
    labels = regions((48, 48), 3, rng)
    counts = rng.poisson(expected_counts(labels, 1.0, rates=[1.0, 1.6, 0.8]))
    found = phases_of(counts, one_hot(labels, 3))
    assert found.width == pytest.approx(1.0, rel=0.03)
    assert not found.as_summed.any()
    np.testing.assert_array_equal(found.spectra, found.phases)
    # What is wrong with the counts of the phases is in all channels alike.
    truth = SPECTRA[:3] * found.spectra.sum(axis=1, keepdims=True)
    every = np.eye(CHANNELS)
    of_blur = np.einsum("kckc->kc", found.mixing_covariance(every))
    chi2 = chi_squared(found.spectra - truth, found.variances + of_blur)
    members = SPECTRA[:3] * found.members.sum(axis=1, keepdims=True)
    plain = chi_squared(found.members - members, found.member_variances)
    assert (chi2 > 0.3).all()
    assert (chi2 < 2).all()
    assert (plain > 10).all()


def test_spectra_are_weighted_sums_of_counts(rng):
    """If labels are not of these counts, and whatever is taken for a phase."""
    labels = regions((20, 24), 3, rng)
    counts = rng.poisson(expected_counts(labels, 0.8))
    memberships = rng.dirichlet(np.ones(3) / 5, labels.size)
    for of in (one_hot(labels, 3), memberships):
        found = phases_of(counts, of)
        flat = counts.reshape(-1, CHANNELS)
        np.testing.assert_allclose(found.spectra, found.weights @ flat, rtol=1e-5)
        np.testing.assert_allclose(found.members, of.T @ flat, rtol=1e-5)
        np.testing.assert_allclose(found.areas, found.weights.sum(axis=1), rtol=1e-5)
        expected = np.einsum("ki,li,ic->klc", found.weights, found.weights, flat)
        largest = expected.max()
        np.testing.assert_allclose(found.covariances, expected, rtol=1e-4, atol=1e-6 * largest)
        np.testing.assert_allclose(found.variances, found.weights**2 @ flat, rtol=1e-4)


def test_covariances_are_those_of_maps_drawn_again(fixed):
    rng = np.random.default_rng(2)
    labels = regions((16, 16), 3, rng, 2.0)
    rates = np.array([1.0, 1.5, 0.8])
    fixed(0.8, rates)
    expected = expected_counts(labels, 0.8, 100.0, rates)
    memberships = one_hot(labels, 3)
    maps = [phases_of(rng.poisson(expected), memberships) for _ in range(200)]
    assert not np.any([of.as_summed for of in maps])
    drawn = np.array([of.spectra for of in maps])
    drawn -= drawn.mean(axis=0)
    seen = np.einsum("mkc,mlc->klc", drawn, drawn) / (len(maps) - 1)
    said = np.mean([of.covariances for of in maps], axis=0)
    std = np.sqrt(np.einsum("kkc->kc", said))
    correlations = seen / (std[:, None] * std[None])
    wanted = said / (std[:, None] * std[None])
    np.testing.assert_allclose(correlations, wanted, atol=0.35)
    np.testing.assert_allclose(correlations.mean(axis=2), wanted.mean(axis=2), atol=0.1)


def test_one_cluster_is_its_sum(rng):
    counts = rng.poisson(expected_counts(np.zeros((15, 17), dtype=int), 0.0))
    found = phases_of(counts, np.ones((15 * 17, 1)))
    total = counts.sum(axis=(0, 1))[None]
    for spectra in (found.members, found.phases, found.spectra, found.variances):
        np.testing.assert_allclose(spectra, total)
    assert np.isnan(found.width)
    assert np.isnan(found.width_std)
    np.testing.assert_allclose(found.areas, 15 * 17)
    np.testing.assert_allclose(found.shares, 1)
    np.testing.assert_allclose(found.mixing_covariance(np.eye(CHANNELS)), 0, atol=1e-6)


def test_noise_is_a_phase_of_its_own(exact):
    """Pixels in no cluster that hold another material."""
    rng = np.random.default_rng(4)
    labels = regions((48, 48), 3, rng)
    counts = rng.poisson(expected_counts(labels, 1.0))
    found = phases_of(counts, one_hot(labels, 2))
    assert found.phases.shape == (3, CHANNELS)
    assert found.shares.shape == (3, labels.size)
    assert found.spectra.shape == (2, CHANNELS)
    assert found.covariances.shape == (2, 2, CHANNELS)
    assert found.width == pytest.approx(1.0, rel=0.05)
    truth = SPECTRA[:2] * found.spectra.sum(axis=1, keepdims=True)
    of_blur = np.einsum("kckc->kc", found.mixing_covariance(np.eye(CHANNELS)))
    chi2 = chi_squared(found.spectra - truth, found.variances + of_blur)
    assert (chi2 > 0.3).all()
    assert (chi2 < 2).all()
    rest = found.phases[2] / found.phases[2].sum()
    np.testing.assert_allclose(rest, SPECTRA[2], atol=0.01)
    # The same as if it were a cluster.
    known = phases_of(counts, one_hot(labels, 3))
    np.testing.assert_allclose(found.phases, known.phases)


def test_a_few_pixels_of_noise_are_no_phase(rng):
    labels = regions((48, 48), 2, rng)
    memberships = one_hot(labels, 2)
    memberships[77] = 0
    found = phases_of(rng.poisson(expected_counts(labels, 1.0)), memberships)
    assert found.phases.shape == (2, CHANNELS)


@pytest.fixture(scope="module")
def found():
    """Of three phases of a map that is blurred."""
    rng = np.random.default_rng(7)
    labels = regions((32, 32), 3, rng)
    return phases_of(rng.poisson(expected_counts(labels, 1.0)), one_hot(labels, 3))


def test_covariances_of_sums_of_channels(found, rng):
    found = replace(found, scatter_std=np.array([30.0, 0.0, 7.0]))
    weights = rng.normal(size=(5, CHANNELS))
    counting = found.counting_covariance(weights)
    mixing = found.mixing_covariance(weights)
    expected = np.zeros((2, 3, 5, 3, 5))
    for k, s, l, t in np.ndindex(3, 5, 3, 5):  # noqa: E741
        for c in range(CHANNELS):
            expected[0, k, s, l, t] += weights[s, c] * weights[t, c] * found.covariances[k, l, c]
        for mode in found.modes:
            expected[1, k, s, l, t] += (weights[s] @ mode[k]) * (weights[t] @ mode[l])
        for of in found.directions:
            together = (weights[s] @ of) * (weights[t] @ of)
            expected[1, k, s, l, t] += (k == l) * found.scatter_std[k] ** 2 * together
    np.testing.assert_allclose(counting, expected[0], rtol=1e-8, atol=1e-6)
    np.testing.assert_allclose(mixing, expected[1], rtol=1e-8, atol=1e-6)
    for covariance in (counting, mixing):
        assert covariance.shape == (3, 5, 3, 5)
        square = covariance.reshape(15, 15)
        np.testing.assert_allclose(square, square.T)
        lowest, *_, highest = np.linalg.eigvalsh(square)
        assert highest > 0
        assert lowest > -1e-9 * highest


def test_what_is_mixed_into_members_is_uncertain(found):
    sums = PhaseSpectra.of_members(found)
    np.testing.assert_array_equal(sums.spectra, found.members)
    np.testing.assert_array_equal(sums.areas, found.member_areas)
    np.testing.assert_array_equal(sums.variances, found.member_variances)
    for k, other in np.ndindex(3, 3):
        if k != other:
            assert not sums.covariances[k, other].any()
    assert len(sums.modes) == len(found.modes) + 3
    np.testing.assert_array_equal(sums.modes[:-3], found.modes)
    for k, mode in enumerate(sums.modes[-3:]):
        assert not np.delete(mode, k, axis=0).any()
        # What the members hold beside the phase, which is known here.
        truth = found.members[k] - SPECTRA[k] * found.members[k].sum()
        noise = np.sqrt(found.member_variances[k] + found.variances[k])
        assert (np.abs(mode[k] - truth) < 5 * noise).all()
        assert np.abs(mode[k]).max() > 5 * noise.max()
    halves = PhaseSpectra.of_members(found, found.members / 2, found.member_variances / 4)
    np.testing.assert_array_equal(halves.spectra, found.members / 2)
    np.testing.assert_allclose(halves.modes[-3:], sums.modes[-3:] / 2)
    np.testing.assert_array_equal(halves.variances, found.member_variances / 4)


def test_a_film_is_taken_off_pixel_by_pixel(exact):
    """Under all of a map lies what the cluster of its support holds alone."""
    rng = np.random.default_rng(8)
    labels = regions((48, 48), 3, rng)
    film = SPECTRA[3] * 60
    particles = expected_counts(labels, 1.0, 150.0, [0.0, 1.0, 2.0])
    found = phases_of(rng.poisson(particles + film), one_hot(labels, 3))
    mended = found.without_background(0)
    np.testing.assert_array_equal(mended.spectra[0], found.spectra[0])
    np.testing.assert_array_equal(mended.covariances[0, 0], found.covariances[0, 0])
    for k in (1, 2):
        part = found.areas[k] / found.areas[0]
        difference = found.spectra[k] - part * found.spectra[0]
        np.testing.assert_allclose(mended.spectra[k], difference)
        np.testing.assert_allclose(
            mended.variances[k],
            found.covariances[k, k] - 2 * part * found.covariances[k, 0]
            + part**2 * found.covariances[0, 0],
        )  # fmt: skip
        n_modes = len(found.modes)
        np.testing.assert_allclose(
            mended.modes[:n_modes, k], found.modes[:, k] - part * found.modes[:, 0], atol=1e-9
        )
        # What scatters of the film scatters in all, each for itself beside it.
        stds = found.scatter_std[k] ** 2 + part**2 * found.scatter_std[0] ** 2
        scatter = np.sum(mended.modes[n_modes:, k] ** 2, axis=0)
        np.testing.assert_allclose(scatter, stds * np.sum(found.directions**2, axis=0))
    np.testing.assert_array_equal(mended.scatter_std, 0)
    for k in (1, 2):
        # What is left is the particle alone, with the counts of its pixels.
        truth = SPECTRA[k] * mended.spectra[k].sum()
        assert truth.sum() == pytest.approx(found.areas[k] * [150.0, 300.0][k - 1], rel=0.01)
        of_blur = np.einsum("cc->c", mended.mixing_covariance(np.eye(CHANNELS))[k, :, k])
        chi2 = chi_squared(mended.spectra[k] - truth, mended.variances[k] + of_blur)
        assert 0.3 < chi2 < 2
        with_film = found.spectra[k] - SPECTRA[k] * found.spectra[k].sum()
        assert chi_squared(with_film, found.variances[k] + of_blur) > 10
    one, two = (mended.covariances[pair] for pair in ((1, 2), (2, 1)))
    np.testing.assert_allclose(one, two)
    of_all = mended.covariances.transpose(2, 0, 1)
    assert (np.linalg.eigvalsh(of_all).min(axis=1) > -1e-9 * of_all.max()).all()


@pytest.mark.parametrize("seed", range(4))
def test_pure_clusters_are_their_sums(seed):
    """Without blur, nothing is mixed into their pixels."""
    rng = np.random.default_rng(seed)
    labels = regions((40, 40), 3, rng)
    found = phases_of(rng.poisson(expected_counts(labels, 0.0, 60.0)), one_hot(labels, 3))
    # What the model would take out is less than the noise that doing so adds.
    scale = found.members.sum(axis=1) / found.phases.sum(axis=1)
    mixed_in = found.members - found.phases * scale[:, None]
    assert (chi_squared(mixed_in, found.member_variances) < 1).all()
    truth = SPECTRA[:3] * found.spectra.sum(axis=1, keepdims=True)
    of_blur = np.einsum("kckc->kc", found.mixing_covariance(np.eye(CHANNELS)))
    chi2 = chi_squared(found.spectra - truth, found.variances + of_blur)
    assert (chi2 > 0.3).all()
    assert (chi2 < 2).all()
    assert found.as_summed.any()
    assert not found.scatter_std[found.as_summed].any()
    others, of_members = np.split(found.modes, [len(found.modes) - found.as_summed.sum()])
    assert not others[:, found.as_summed].any()
    for mode, k in zip(of_members, np.flatnonzero(found.as_summed), strict=True):
        np.testing.assert_array_equal(found.spectra[k], found.members[k])
        np.testing.assert_array_equal(found.variances[k], found.member_variances[k])
        np.testing.assert_array_equal(found.weights[k], (labels == k).ravel())
        assert found.areas[k] == np.sum(labels == k)
        # That something may be mixed in is all that is uncertain about it.
        expected = mixed_in * (np.arange(3) == k)[:, None]
        np.testing.assert_allclose(mode, expected, atol=1e-3 * found.members.max())


def test_bursts_of_noise_are_no_phase_that_is_mixed():
    """Single pixels with many counts of their own, which the beam did not blur."""
    rng = np.random.default_rng(9)
    labels = regions((48, 48), 2, rng, 4.0)
    expected = expected_counts(labels, 1.2)
    labels[5::8, 5::8] = 2
    expected[labels == 2] = 1000 * SPECTRA[2]
    found = phases_of(rng.poisson(expected), one_hot(labels, 3))
    # With their neighbours' part taken out, they would be something else by far.
    mixed_in = found.members[2] - found.phases[2] * found.members[2].sum() / found.phases[2].sum()
    assert chi_squared(mixed_in, found.member_variances[2]) > 10
    assert found.as_summed.tolist() == [False, False, True]
    assert found.undecided.tolist() == [False, False, True]
    np.testing.assert_array_equal(found.spectra[2], found.members[2])
    assert found.areas[2] == 36
    truth = SPECTRA[2] * found.spectra[2].sum()
    assert chi_squared(found.spectra[2] - truth, found.variances[2]) < 2


# --- labels that were chosen by the counts ------------------------------------------------


def test_sums_of_what_counts_have_chosen(rng, fixed):
    """Dense, count by count: memberships without it, and the shares that follow from them."""
    labels = regions((11, 10), 3, rng, 1.5)
    keep = np.zeros(labels.shape, dtype=bool)
    keep[2:-2, 1:-1] = True  # so far inside that they are not mirrored
    keep[4, 3] = keep[8, 8] = False
    flat = rng.poisson(expected_counts(labels, 0.8, 8.0))[keep]
    counts = np.zeros((*keep.shape, CHANNELS))
    counts[keep] = flat
    label_spectra = 0.5 * SPECTRA[:3] + 0.5 * SPECTRA[:3].mean(axis=0)
    chances = np.exp(flat @ np.log(label_spectra).T)
    memberships = chances / chances.sum(axis=1, keepdims=True)
    noise = np.array([4, 30, 31])  # is a phase too, that has nothing to choose
    memberships[noise] = 0
    rates = np.array([1.0, 1.5, 0.8, 1.2])
    fixed(0.9, rates)
    evidence = evidence_of(memberships, label_spectra, keep, 0.0, True)
    found = phases_of(counts, memberships, evidence, [1.0, 0.5], keep)
    memberships = np.hstack([memberships, memberships.sum(axis=1, keepdims=True) == 0])

    def shares_with(pixel, change):
        image = np.zeros((4, *keep.shape))
        image[:, keep] = memberships.T
        where = tuple(np.argwhere(keep)[pixel])
        image[(slice(None), *where)] += change
        seen = [ndimage.gaussian_filter(of, [0.9, 0.45])[where] for of in image]
        return rates * seen / np.sum(rates * seen)

    shares = np.array([shares_with(n, 0) for n in range(len(flat))])
    np.testing.assert_allclose(found.shares, shares.T, atol=1e-9)
    totals = flat.sum(axis=1)
    members, sums, exact = np.zeros((3, 4, CHANNELS))
    for pixel, channel in zip(*np.nonzero(flat), strict=True):
        n, own = flat[pixel, channel], memberships[pixel]
        less = own / np.append(label_spectra[:, channel], 1.0)
        less /= less.sum()
        members[:, channel] += n * less
        moved = (shares_with(pixel, 1e-6 * (own - less)) - shares[pixel]) / 1e-6
        sums[:, channel] += n * (shares[pixel] - moved)
        exact[:, channel] += n * shares_with(pixel, less - own)
    np.testing.assert_allclose(found.members, members[:3], rtol=1e-4)
    to_phases = np.linalg.inv((shares.T * totals) @ shares) * (shares.T @ totals)[:, None]
    np.testing.assert_allclose(found.phases, to_phases @ sums, rtol=1e-3, atol=1e-2)
    plain = to_phases @ shares.T @ flat
    assert np.abs(found.phases - plain).max() > 3
    # First order is enough: what is left is small beside what was taken off.
    left, taken = found.phases - to_phases @ exact, found.phases - plain
    assert np.linalg.norm(left) < 0.2 * np.linalg.norm(taken)


def test_sums_are_those_of_what_is_expected():
    """Of pixels that their own counts have chosen: on average, over many pixels."""
    rng = np.random.default_rng(6)
    labels = regions((160, 160), 2, rng)
    shares = 0.15 * SPECTRA + 0.85 * SPECTRA[:2].mean(axis=0)
    expected = 20 * shares[labels.ravel()]
    counts = rng.poisson(expected)
    chances = np.exp(counts @ np.log(shares[:2]).T)
    memberships = chances / chances.sum(axis=1, keepdims=True)
    keep = np.ones(labels.shape, dtype=bool)
    evidence = evidence_of(memberships, shares[:2], keep, 0.0, True)
    found = phases_of(counts.reshape(*labels.shape, -1), memberships, evidence)
    truth = memberships.T @ expected
    std = np.sqrt(truth)
    assert np.abs((found.members - truth) / std).max() < 4.5
    assert np.abs((memberships.T @ counts - truth) / std).max() > 8
    np.testing.assert_allclose(found.members.sum(axis=0), counts.sum(axis=0), rtol=1e-4)


def test_phases_of_what_counts_have_chosen_come_back():
    """Labels from counts and neighbours, without blur: what is mixed in is wrong labels only."""
    rng = np.random.default_rng(6)
    labels = regions((128, 128), 2, rng)
    shares = 0.4 * SPECTRA + 0.6 * SPECTRA[:2].mean(axis=0)
    counts = rng.poisson(20 * shares[labels])
    states, keep = mixing_states(2), np.ones(labels.shape, dtype=bool)
    likelihoods = log_likelihoods(
        sparse.csr_array(counts.reshape(-1, CHANNELS)), states @ shares[:2]
    )
    blocks = StoredArrays([Store().put(likelihoods)])
    memberships, _ = mean_field(blocks, states, np.ones(2) / 2, keep, 1.5)
    memberships = memberships.astype(float)
    evidence = evidence_of(memberships, shares[:2], keep, 1.5, False)
    results = phases_of(counts, memberships, evidence), phases_of(counts, memberships)
    chi2 = []
    for found in results:
        truth = shares[:2] * found.spectra.sum(axis=1, keepdims=True)
        of_blur = np.einsum("kckc->kc", found.mixing_covariance(np.eye(CHANNELS)))
        chi2.append(chi_squared(found.spectra - truth, found.variances + of_blur))
    assert (chi2[0] < 2.5).all()
    # If it is not known how they were chosen, the spectra lie too far apart.
    assert chi2[1].max() > 4


@pytest.mark.parametrize("is_pooled", [False, True])
def test_blocks_give_the_same_as_all_in_one(rng, is_pooled):
    labels = regions((24, 20), 3, rng)
    expected = expected_counts(labels, 0.8, 20.0)
    counts = rng.poisson(expected).astype(np.uint8)
    mask = np.zeros(labels.shape, dtype=bool)
    mask[:3] = mask[10, 4:9] = True
    memberships = rng.dirichlet(np.ones(3) / 3, np.count_nonzero(~mask))
    memberships[::50] = 0
    evidence = evidence_of(memberships, SPECTRA[:3], ~mask, 1.0, is_pooled)
    one = phases_of(counts, memberships, evidence, [1.0, 1.0], ~mask)
    data = da.from_array(counts, chunks=(5, 7, CHANNELS))
    energy = 0.3 + 0.01 * np.arange(CHANNELS)
    pixels = read_pixels(data, energy, np.arange(CHANNELS), mask, lambda *_: None)
    stages = []
    read = phase_spectra(
        pixels, memberships, evidence, [1.0, 1.0], lambda stage, *_: stages.append(stage)
    )
    assert stages == ["blur", "phase spectra"]
    for found in (read, phases_of(counts, memberships, evidence, [1.0, 1.0], ~mask, n_blocks=4)):
        assert found.width == pytest.approx(one.width)
        for name in ("members", "phases", "spectra", "covariances", "modes", "weights", "areas"):
            wanted = getattr(one, name)
            largest = np.abs(wanted).max()
            np.testing.assert_allclose(getattr(found, name), wanted, rtol=1e-4, atol=1e-4 * largest)
