"""Borders on the map, seen in one half of the counts and judged by the other."""

import numpy as np
import pytest
from planted import one_hot
from samples import learned, two_phases
from scipy import ndimage

from hyperspy_clusterquant.clusters.gaps import join_without_gap
from hyperspy_clusterquant.clusters.halves import Halves, halves_of


def halves(rng, composition, counts=100, n_features=20):
    """Halves of the counts of a map, and its scores, from a composition along one direction.

    In units of the shot noise of a pixel with `counts`.
    """
    share = np.full(n_features, 1 / n_features)
    direction = np.resize([1.0, -1.0], n_features) / np.sqrt(n_features)
    change = composition.ravel()[:, None] * direction * np.sqrt(share) / np.sqrt(counts)
    doses = counts * rng.uniform(0.6, 1.4, composition.size)[:, None]
    drawn = [rng.poisson(doses / 2 * (share + change)) for _ in range(2)]
    # Two directions, of which one holds noise only.
    axes = np.stack([direction, np.repeat([1.0, -1.0], n_features // 2) / np.sqrt(n_features)], 1)
    rests = [
        np.sqrt(counts) * (x - x.sum(axis=1, keepdims=True) * share) / np.sqrt(share) @ axes
        for x in drawn
    ]
    first, second = (x.sum(axis=1).astype(float) for x in drawn)
    scores = (rests[0] + rests[1]) / (first + second)[:, None]
    positions = np.arange(composition.size)
    return Halves(*rests, first, second, positions, composition.shape), scores


def domains(rng, size, width):
    """Two kinds of domain, of -1 and 1, that a beam blurs."""
    field = ndimage.gaussian_filter(rng.standard_normal((size, size)), 5)
    return ndimage.gaussian_filter(np.where(field > np.median(field), 1.0, -1.0), width)


def test_noise_has_no_border(rng):
    """Whether it is cut by its scores or by what neighbours have in common."""
    for _ in range(25):
        known, scores = halves(rng, np.zeros((48, 48)))
        smooth = ndimage.gaussian_filter(scores[:, 0].reshape(48, 48), 2).ravel()
        for cut in (scores[:, 0], smooth):
            assert not known.have_border(scores, cut > 0, cut <= 0)


@pytest.mark.parametrize("steepness", [0.5, 1.0, 2.0, 4.0, 8.0])
def test_a_gradient_has_no_border(rng, steepness):
    """From half to eight times the shot noise on both sides: where it is seen, and where not."""
    ramp = np.linspace(-steepness, steepness, 48)
    found = 0
    for _ in range(10):
        for composition in (np.tile(ramp, (48, 1)), np.add.outer(ramp, ramp) / 2):
            known, scores = halves(rng, composition)
            upper = composition.ravel() > 0
            found += known.have_border(scores, upper, ~upper)
    assert found <= 1


@pytest.mark.parametrize("width", [0.0, 0.8])
def test_domains_without_a_gap_have_a_border(rng, width):
    """Two shot noises apart, so that no valley lies between their scores."""
    for _ in range(5):
        composition = domains(rng, 64, width)
        known, scores = halves(rng, composition)
        # The whole sees the two about as well as a mixture of Gaussians would.
        upper = scores[:, 0] > 0
        pieces = one_hot(upper.astype(int))
        assert join_without_gap(scores, pieces).shape[1] == 1
        assert known.have_border(scores, upper, ~upper)
        assert join_without_gap(scores, pieces, halves=known).shape[1] == 2


def test_a_band_without_an_inside_has_no_border(rng):
    """The mixed pixels of an interface, two or three wide."""
    composition = np.zeros((48, 48))
    composition[:, 10::16] = composition[:, 11::16] = 4.0
    known, scores = halves(rng, composition)
    band = composition.ravel() > 0
    assert not known.have_border(scores, band, ~band)


def test_only_those_of_two_clusters_decide_on_their_border(rng):
    """A third one beside a gradient makes no border of it."""
    ramp = np.linspace(-4, 4, 48)
    composition = np.tile(np.append(ramp, np.full(16, 9.0)), (48, 1))
    known, scores = halves(rng, composition)
    low, high = composition.ravel() < 0, (composition.ravel() >= 0) & (composition.ravel() < 5)
    assert not known.have_border(scores, low, high)
    third = composition.ravel() > 5
    assert known.have_border(scores, high, third)


def test_halves_of_some_pixels(rng):
    known, _ = halves(rng, np.zeros((8, 8)))
    chosen = np.arange(64) % 3 == 0
    part = known.only(chosen)
    assert part.shape == (8, 8)
    np.testing.assert_array_equal(part.positions, np.flatnonzero(chosen))
    np.testing.assert_array_equal(part.second, known.second[chosen])


# --- of a map ---------------------------------------------------------------------------


def test_halves_are_independent_and_make_the_whole():
    """Inside of each of two phases, what differs from pixel to pixel is noise."""
    s = two_phases(10, 100.0, size=96)
    learning, _ = learned(s, n_components=1, binning=2, navigation_mask=None)
    halves = halves_of(learning)
    assert halves.shape == (48, 48)
    doses = halves.first_doses + halves.second_doses
    np.testing.assert_array_equal(doses, learning.doses[learning.measured])
    both = (halves.first + halves.second) / doses[:, None]
    np.testing.assert_allclose(both, learning.scores[learning.measured], atol=1e-3)
    truth = np.asarray(s.metadata.Ground_truth.labels)
    for kind in range(2):
        inner = ndimage.binary_erosion(truth == kind, iterations=3)[::2, ::2].ravel()
        noises = []
        for part, dose in (
            (halves.first[inner, 0], halves.first_doses[inner]),
            (halves.second[inner, 0], halves.second_doses[inner]),
        ):
            # Poisson noise of a sum of counts goes with the root of the dose.
            rest = part - dose * (part.sum() / dose.sum())
            noises.append(rest / np.sqrt(dose * learning.reduction.dose))
        # The two phases have more or less of the lines that the component rests on.
        np.testing.assert_allclose(np.std(noises, axis=1), 1, atol=0.15)
        assert abs(np.corrcoef(noises)[0, 1]) < 3.5 / np.sqrt(inner.sum())


def test_halves_know_where_their_pixels_are():
    """Dark bins are not learned from if it is hard; the others lie where they were."""
    s = two_phases(6, 40.0, size=64)
    s.data[:8] = 0
    learning, _ = learned(s, n_components=1, binning=2)
    halves = halves_of(learning)
    image = np.zeros(halves.shape)
    image.ravel()[halves.positions] = halves.first_doses + halves.second_doses
    used = learning.pixels.channels >= 0
    counts = s.data[..., used].sum(axis=-1).reshape(32, 2, 32, 2).sum(axis=(1, 3))
    there = image > 0
    np.testing.assert_array_equal(image[there], counts[there])
    assert not there[:4].any()
    assert there[4:].mean() > 0.9
