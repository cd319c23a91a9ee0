import numpy as np
import pytest
from scipy import ndimage, sparse, special

from hyperspy_clusterquant.clusters import selection
from hyperspy_clusterquant.clusters.selection import (
    evidence_of,
    own_counts,
    projected_change,
    summed_change,
)

#: Of three phases in five channels, the last of which was not looked at when pixels were labelled.
LABEL_SPECTRA = np.array(
    [[0.5, 0.3, 0.15, 0.05, 0.0], [0.2, 0.3, 0.45, 0.05, 0.0], [0.3, 0.1, 0.2, 0.4, 0.0]]
)
#: Contents of pixels, and what each counts for: the phase with most, or both if there is no such.
PURE_AND_MIXED = np.array(
    [
        (1, 0, 0), (0, 1, 0), (0, 0, 1),
        (0.25, 0.75, 0), (0.5, 0.5, 0), (0.75, 0.25, 0),
        (0.25, 0, 0.75), (0.5, 0, 0.5), (0.75, 0, 0.25),
        (0, 0.25, 0.75), (0, 0.5, 0.5), (0, 0.75, 0.25),
    ]
)  # fmt: skip
COUNT_FOR = np.array(
    [
        (1, 0, 0), (0, 1, 0), (0, 0, 1),
        (0, 1, 0), (0.5, 0.5, 0), (1, 0, 0),
        (0, 0, 1), (0.5, 0, 0.5), (1, 0, 0),
        (0, 0, 1), (0, 0.5, 0.5), (0, 1, 0),
    ]
)  # fmt: skip


@pytest.fixture
def keep():
    keep = np.ones((6, 7), dtype=bool)
    keep[2, 3:5] = keep[5, 0] = False
    return keep


@pytest.fixture
def counts(rng, keep):
    """Few of each pixel, of all phases."""
    spectra = LABEL_SPECTRA + np.array([0, 0, 0, 0, 0.2])
    return rng.poisson(5 * spectra[rng.integers(0, 3, np.count_nonzero(keep))])


def gaussian_weights(keep, sigma):
    """Weight of each kept pixel in the average around each."""
    averages = []
    for place in np.argwhere(keep):
        image = np.zeros(keep.shape)
        image[tuple(place)] = 1
        averages.append(ndimage.gaussian_filter(image, sigma, mode="constant")[keep])
    return np.array(averages).T


def posterior(counts, before):
    """Memberships by Bayes' rule, from log-odds of the contents without the counts."""
    likelihood = np.prod((PURE_AND_MIXED @ LABEL_SPECTRA[:, :4]) ** counts[..., None, :4], axis=-1)
    weights = likelihood * np.exp(before)
    return weights @ COUNT_FOR / weights.sum(axis=-1, keepdims=True)


def without_one(counts):
    """Pixel, channel, number of counts, and the pixel's spectrum with one count less."""
    for pixel, channel in zip(*np.nonzero(counts), strict=True):
        less = counts[pixel].copy()
        less[channel] -= 1
        yield pixel, channel, counts[pixel, channel], less


def of_evidence(counts, evidence):
    """`own_counts` of all pixels, parts one below the other: rows, channels, counts, changes."""
    parts = list(
        own_counts(
            sparse.csr_array(counts), evidence.memberships,
            evidence.favour, evidence.own, evidence.states, evidence.logs,
        )
    )  # fmt: skip
    rows = np.concatenate([part.pixels[part.pixel_of] for part in parts])
    channels, numbers = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("channel", "counts")
    )
    return rows, channels, numbers, np.hstack([part.change for part in parts]), parts


def check_every_count(counts, evidence, expected):
    """Against the changes (pixels, channels, n_clusters), zero where there are no counts."""
    rows, channels, numbers, change, _ = of_evidence(counts, evidence)
    places = list(zip(rows, channels, strict=True))
    assert len(places) == len(set(places))
    np.testing.assert_array_equal(numbers, counts[rows, channels])
    np.testing.assert_allclose(change.T, expected[rows, channels], atol=2e-6)
    # In what is passed over, a count makes no difference.
    passed_over = expected.copy()
    passed_over[rows, channels] = 0
    assert np.abs(passed_over).max() < 1e-3
    return rows


@pytest.mark.parametrize("sigma", [0.0, 1.2])
def test_each_count_taken_away_by_hand(rng, keep, counts, sigma):
    memberships = rng.dirichlet(np.ones(3), len(counts))
    evidence = evidence_of(memberships, LABEL_SPECTRA, keep, sigma, False)
    if sigma > 0:  # what neighbours say, without the pixel itself
        weights = gaussian_weights(keep, sigma)
        np.fill_diagonal(weights, 0)
        favour = 6 * (weights @ memberships) / weights.sum(axis=1, keepdims=True)
    else:
        favour = np.tile(np.log(memberships.mean(axis=0)), (len(counts), 1))
    before = favour @ PURE_AND_MIXED.T - 3.0 * (PURE_AND_MIXED.max(axis=1) < 1)
    expected = np.zeros((*counts.shape, 3))
    for pixel, channel, _, less in without_one(counts):
        change = posterior(counts[pixel], before[pixel]) - posterior(less, before[pixel])
        expected[pixel, channel] = change
    assert np.abs(expected).max() > 0.2
    assert not expected[:, 4].any()
    rows = check_every_count(counts, evidence, expected)
    assert len(rows) > 100


@pytest.mark.parametrize("sigma", [0.0, 1.2])
def test_each_count_taken_away_where_neighbours_are_pooled(keep, counts, sigma):
    """The counts of a pixel are in its neighbours' sums too: only its own membership is asked."""
    weights = np.eye(len(counts))
    if sigma > 0:
        weights = gaussian_weights(keep, sigma)
        # As many pixels as the average is worth, and as if there were no holes in it.
        weights *= 4 * np.pi * sigma**2 / weights.sum(axis=1, keepdims=True)
    logs = np.log(LABEL_SPECTRA[:, :4])
    prior = np.log([0.5, 0.2, 0.3])

    def pooled(counts):
        return special.softmax(weights @ counts[:, :4] @ logs.T + prior, axis=1)

    evidence = evidence_of(pooled(counts), LABEL_SPECTRA, keep, sigma, True)
    assert evidence.favour.size == 0
    expected = np.zeros((*counts.shape, 3))
    for pixel, channel, _, less in without_one(counts):
        other = counts.copy()
        other[pixel] = less
        expected[pixel, channel] = (pooled(counts) - pooled(other))[pixel]
    assert np.abs(expected).max() > 0.2
    check_every_count(counts, evidence, expected)


@pytest.mark.parametrize("is_pooled", [False, True])
def test_of_noise_there_is_nothing_to_select(rng, keep, counts, is_pooled):
    """Pixels that are noise in part count in part."""
    memberships = rng.dirichlet(np.ones(3), len(counts))
    if is_pooled:
        full = evidence_of(memberships, LABEL_SPECTRA, keep, 0.0, True)
    else:
        full = evidence_of(memberships, LABEL_SPECTRA, keep, 1.2, False)
    in_clusters = rng.choice([0.0, 0.4, 1.0], len(counts))
    of_noise = selection.Evidence(
        (memberships * in_clusters[:, None]).astype(np.float32),
        full.states, full.logs, full.favour, full.own,
    )  # fmt: skip
    rows, channels, _, change, _ = of_evidence(counts, full)
    expected = np.zeros((*counts.shape, 3))
    expected[rows, channels] = change.T * in_clusters[rows, None]
    rows, channels, _, change, _ = of_evidence(counts, of_noise)
    found = np.zeros_like(expected)
    found[rows, channels] = change.T
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert (in_clusters[rows] > 0).all()
    assert set(in_clusters[rows]) == {0.4, 1.0}


@pytest.mark.parametrize("is_pooled", [False, True])
@pytest.mark.parametrize("spectra", [np.ones((3, 5)), np.tile(LABEL_SPECTRA[0], (3, 1))])
def test_spectra_that_are_alike_select_nothing(rng, keep, counts, spectra, is_pooled):
    memberships = rng.dirichlet(np.ones(3), len(counts))
    evidence = evidence_of(memberships, spectra, keep, 1.2, is_pooled)
    rows, _, _, change, _ = of_evidence(counts, evidence)
    # No count decides anything, so none is looked at.
    assert len(rows) == 0
    assert change.size == 0


@pytest.mark.parametrize("together", [1, 20, 10**6])
def test_parts_give_the_same_as_all_in_one(rng, keep, counts, monkeypatch, together):
    memberships = rng.dirichlet(np.ones(3), len(counts))
    evidence = evidence_of(memberships, LABEL_SPECTRA, keep, 1.2, False)
    *expected, parts = of_evidence(counts, evidence)
    assert len(parts) == 1
    monkeypatch.setattr(selection, "COUNTS_TOGETHER", together)
    *found, parts = of_evidence(counts, evidence)
    n_entries = len(expected[0])
    assert len(parts) > 1 or together > n_entries
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    # Not much more than was asked for: those of one pixel stay together.
    assert max(len(part.counts) for part in parts) <= min(together + 5, n_entries)
    pixels = np.concatenate([part.pixels for part in parts])
    assert len(pixels) == len(set(pixels))


def test_where_all_is_decided_nothing_is_looked_at(keep, counts):
    memberships = np.eye(3)[np.arange(len(counts)) % 3]
    evidence = evidence_of(memberships, LABEL_SPECTRA, keep, 0.0, True)
    (found,) = own_counts(
        sparse.csr_array(counts), evidence.memberships, evidence.favour,
        evidence.own, evidence.states, evidence.logs,
    )  # fmt: skip
    assert found.pixels.size == found.counts.size == 0
    assert projected_change(found, np.ones((5, 2))).shape == (0, 3, 2)
    np.testing.assert_array_equal(summed_change(found.change, found, 5), np.zeros((3, 5)))


def test_sums_of_changes_in_loops(rng, keep, counts):
    memberships = rng.dirichlet(np.ones(3), len(counts))
    evidence = evidence_of(memberships, LABEL_SPECTRA, keep, 1.2, False)
    (found,) = of_evidence(counts, evidence)[-1]
    basis = rng.normal(size=(5, 2))
    along = np.zeros((len(found.pixels), 3, 2))
    over_pixels = np.zeros((3, 5))
    for entry, (place, channel) in enumerate(zip(found.pixel_of, found.channel, strict=True)):
        n = counts[found.pixels[place], channel]
        for k in range(3):
            along[place, k] += n * found.change[k, entry] * basis[channel]
            over_pixels[k, channel] += n * found.change[k, entry]
    np.testing.assert_allclose(projected_change(found, basis), along, atol=1e-5)
    np.testing.assert_allclose(summed_change(found.change, found, 5), over_pixels)
    # Of any rows, such as those of phases that are more than the clusters.
    np.testing.assert_allclose(summed_change(2 * found.change[:1], found, 5), 2 * over_pixels[:1])


@pytest.mark.parametrize("is_pooled", [False, True])
def test_on_average_no_count_is_used_twice(rng, is_pooled):
    """Counts that choose their pixels lie outward of what is expected of these; mended ones not.

    Poisson counts of known expectation, labelled one draw after the other.
    """
    n_draws, shape, sigma = 400, (8, 8), 1.0 if is_pooled else 0.0
    keep = np.ones(shape, dtype=bool)
    shares = np.array([[0.4, 0.4, 0.2], [0.3, 0.4, 0.3]])
    expected = rng.uniform(4, 12, (64, 1)) * shares[np.arange(64) // 40]
    draws = rng.poisson(expected, (n_draws, *expected.shape))
    prior = np.log([0.6, 0.4])
    if is_pooled:
        weights = gaussian_weights(keep, sigma)
        weights *= 4 * np.pi * sigma**2 / weights.sum(axis=1, keepdims=True)
        memberships = special.softmax(weights @ draws @ np.log(shares).T + prior, axis=2)
        evidence = evidence_of(memberships[0], shares, keep, sigma, True)
        favour = evidence.favour
    else:
        states = np.array([(1, 0), (0, 1), (0.25, 0.75), (0.5, 0.5), (0.75, 0.25)])
        before = states @ prior - [0, 0, 3, 3, 3]
        chances = special.softmax(draws @ np.log(states @ shares).T + before, axis=2)
        memberships = chances @ [(1, 0), (0, 1), (0, 1), (0.5, 0.5), (1, 0)]
        evidence = evidence_of(memberships[0], shares, keep, sigma, False)
        np.testing.assert_array_equal(evidence.states, states)
        favour = np.tile(prior, (len(expected), 1))
    plain = np.einsum("dpc,dpk->dkc", draws, memberships)
    mended = plain.copy()
    for draw in range(n_draws):
        for found in own_counts(
            sparse.csr_array(draws[draw]), memberships[draw], favour, evidence.own,
            evidence.states, evidence.logs,
        ):  # fmt: skip
            mended[draw] -= summed_change(found.change, found, 3)
    wanted = np.einsum("pc,dpk->dkc", expected, memberships)

    def off(sums):
        """Mean difference in standard errors."""
        difference = sums - wanted
        return difference.mean(axis=0) / (difference.std(axis=0) / np.sqrt(n_draws))

    assert np.abs(off(mended)).max() < 4
    # Outward: what tells the phases apart is more in the one and less in the other.
    assert off(plain)[0, 0] > 4
    assert off(plain)[1, 2] > 4
    # No count is lost.
    np.testing.assert_allclose(mended.sum(axis=1), draws.sum(axis=1), rtol=1e-4)
