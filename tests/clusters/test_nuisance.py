"""Directions of absorption and drift, against spectra with more of it, made without them."""

import numpy as np
import pytest
import samples
import simulation
from scipy import special

from hyperspy_clusterquant.clusters.nuisance import (
    in_features,
    nuisance_directions,
    orthogonal,
    orthonormal,
    separate,
)
from hyperspy_clusterquant.counts.features import merge_channels

#: Below, a detector sees too little to tell what it changes.
ENERGY = 0.2 + 0.01 * np.arange(1000)
SAMPLES = samples.COMPOUNDS
#: Path to the detector per thickness, at a take-off angle of 22 degrees.
COSECANT = 1 / np.sin(np.deg2rad(22))
#: Nanometres to centimetres.
CM = 1e-7
COUNTS = 1e6


def photons(element, percent, energy=ENERGY, resolution=130.0):
    """Counts of all lines of an element, K and L as they are ionised."""
    return percent * sum(
        simulation.alpha_share(element, shell)
        * simulation.family(energy, element, shell, resolution)
        for shell in ("KL" if element in ("Cu", "Fe", "Ni") else "K")
    )


def parts(composition, gain=0.0, offset=0.0, resolution=130.0):
    """Lines and background of a specimen as thin as can be, one count together.

    Peaks are sampled, shells ionised after Bethe, and the background is Kramers'.
    """
    true = ENERGY * (1 + gain) + offset
    lines = np.sum([photons(e, percent, true, resolution) for e, percent in composition.items()], 0)
    true = np.maximum(true, 0.02)
    background = (200 - true) / true * np.exp(-((0.45 / true) ** 2.5))
    return 0.85 * lines / lines.sum(), 0.15 * background / background.sum()


def slab(composition, density, thickness, of_background=1.0):
    """Spectrum of a slab, absorbed from everywhere in it, per thickness."""
    lines, background = parts(composition)
    mu = samples.attenuation(composition, ENERGY)
    x = mu * density * thickness * CM * COSECANT
    seen = special.exprel(-x)  # (1 - exp(-x)) / x
    return lines * seen + background * special.exprel(-of_background * x)


def shares_of(counts):
    """Share of each channel."""
    return counts / counts.sum()


def left_of(change, share, directions):
    """Length of a change of shares, whitened, and of what no direction holds of it."""
    fixed = orthonormal(directions, share)
    root = np.sqrt(share)
    whitened = orthogonal(change / root, root[:, None])
    return np.linalg.norm(whitened), np.linalg.norm(orthogonal(whitened, fixed))


def directions_in(spectrum, elements, **more):
    return nuisance_directions(COUNTS * spectrum, ENERGY, elements, 200.0, 130.0, **more)


@pytest.mark.parametrize("name", list(SAMPLES))
def test_a_little_more_thickness_is_a_direction(name):
    """The slope of the spectrum of a slab with thickness, by finite difference."""
    composition, density = SAMPLES[name]
    mean = shares_of(slab(composition, density, 100.0))
    slope = shares_of(slab(composition, density, 105.0)) - shares_of(
        slab(composition, density, 95.0)
    )
    given, left = left_of(slope, mean, directions_in(mean, list(composition), drift=False))
    assert left < 0.2 * given


@pytest.mark.parametrize("name", list(SAMPLES))
@pytest.mark.parametrize("of_background", [0.0, 1.0])
def test_a_wedge_hardly_changes_but_along_the_directions(name, of_background):
    """From 20 to 300 nm, far beyond the first order, also if the background is not absorbed."""
    composition, density = SAMPLES[name]
    thicknesses = np.linspace(20, 300, 8)
    wedge = [slab(composition, density, t, of_background) for t in thicknesses]
    mean = shares_of(thicknesses @ wedge)
    directions = directions_in(mean, list(composition))
    lengths = np.array([left_of(shares_of(one) - mean, mean, directions) for one in wedge])
    given, left = np.sqrt((lengths**2).sum(axis=0))
    assert left < 0.2 * given


@pytest.mark.parametrize(
    ("name", "element"), [("NiAl", "Al"), ("sulfide", "Cu"), ("sulfide", "Fe"), ("sulfide", "S")]
)
def test_a_change_of_composition_is_kept(name, element):
    """Of 5 at% more of an element. (Of Al2O3 hardly: its two lines have one ratio.)"""
    composition, density = SAMPLES[name]
    rest = 100 - composition[element]
    other = {e: x * (rest - 5) / rest for e, x in composition.items()} | {
        element: composition[element] + 5
    }
    one, two = (shares_of(slab(of, density, 100.0)) for of in (composition, other))
    mean = (one + two) / 2
    given, left = left_of(two - one, mean, directions_in(mean, list(composition)))
    assert left > 0.9 * given


@pytest.mark.parametrize(("offset", "gain"), [(0.001, 0.0), (0.0, 5e-4), (-0.001, 3e-4)])
def test_a_drift_of_the_axis_is_a_direction(offset, gain):
    composition = SAMPLES["sulfide"][0]
    before, after = (
        shares_of(sum(parts(composition, sign * gain, sign * offset))) for sign in (-1, 1)
    )
    mean = shares_of(sum(parts(composition)))
    drift = directions_in(mean, list(composition), absorption=False)
    assert drift.shape == (2, 1000)
    given, left = left_of(after - before, mean, drift)
    assert left < 0.1 * given


def test_drift_is_the_derivative_in_counts():
    """Not only its shape: a drift of 1 eV changes the counts by a thousandth of the direction."""
    composition = SAMPLES["sulfide"][0]
    before, after = (COUNTS * sum(parts(composition, 0, offset)) for offset in (-5e-4, 5e-4))
    mean = sum(parts(composition))
    offset, gain = directions_in(mean, list(composition), absorption=False)
    near_lines = (ENERGY > 6.0) & (ENERGY < 8.5)
    change = (after - before)[near_lines]
    found = 1e-3 * offset[near_lines]
    assert found @ change / (change @ change) == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(gain, ENERGY * offset)


def test_which_directions_are_asked_for():
    composition = SAMPLES["NiAl"][0]
    mean = sum(parts(composition))
    both = directions_in(mean, ["Al", "Ni"])
    absorbed = directions_in(mean, ["Al", "Ni"], drift=False)
    drift = directions_in(mean, ["Al", "Ni"], absorption=False)
    np.testing.assert_array_equal(both, np.concatenate([absorbed, drift]))
    assert directions_in(mean, ["Al", "Ni"], absorption=False, drift=False).shape == (0, 1000)
    # Without lines of the sample, nothing is known of what absorbs.
    assert directions_in(mean, ["Li"], drift=False).shape == (0, 1000)


@pytest.mark.parametrize("factor", [0.1, 100.0])
def test_directions_do_not_depend_on_the_scale_of_the_counts(factor):
    composition, density = SAMPLES["NiAl"]
    mean = shares_of(slab(composition, density, 100.0))
    one, other = (
        orthonormal(nuisance_directions(counts * mean, ENERGY, ["Al", "Ni"], 200.0, 130.0), mean)
        for counts in (COUNTS, factor * COUNTS)
    )
    # The same space: what of one does not lie in the other is little.
    assert np.linalg.norm(orthogonal(one, other), axis=0).max() < 0.1


def test_merged_features_give_the_same_as_channels():
    composition, density = SAMPLES["NiAl"]
    mean = shares_of(slab(composition, density, 100.0))
    channels = merge_channels(ENERGY, ENERGY > 0.15)
    indicator = channels[:, None] == np.arange(channels.max() + 1)
    known = dict(elements=["Al", "Ni"], beam_energy=200.0, resolution=130.0)
    of_channels = nuisance_directions(np.where(channels >= 0, COUNTS * mean, 0), ENERGY, **known)
    of_features = nuisance_directions(COUNTS * mean @ indicator, ENERGY, **known, channels=channels)
    assert of_channels.shape == of_features.shape == (7, 1000)
    share = shares_of(mean @ indicator)
    one, other = (
        orthonormal(directions @ indicator, share) for directions in (of_channels, of_features)
    )
    assert np.linalg.norm(orthogonal(one, other), axis=0).max() < 0.15


def test_lines_and_background_are_separated():
    """Into the parts that the spectrum was made of."""
    composition = SAMPLES["sulfide"][0]
    lines, background = parts(composition)
    every = np.arange(1000)
    found = separate(
        COUNTS * (lines + background), ENERGY, list(composition), 200.0, 130.0, (), every
    )
    assert found.background.sum() == pytest.approx(COUNTS * background.sum(), rel=0.05)
    by_name = dict(zip(found.elements, np.zeros(len(found.elements)), strict=True))
    for element, family in zip(found.elements, found.families, strict=True):
        by_name[element] += family.sum()
    of_elements = {e: photons(e, percent).sum() for e, percent in composition.items()}
    for element, of_element in of_elements.items():
        expected = COUNTS * 0.85 * of_element / sum(of_elements.values())
        assert by_name[element] == pytest.approx(expected, rel=0.05)
    assert by_name["C"] + by_name["O"] < 0.01 * COUNTS


def test_values_of_channels_are_summed_in_features():
    channels = np.array([-1, 0, 0, 1, 2, 2, 2, -1])
    values = np.arange(16.0).reshape(2, 8)
    np.testing.assert_array_equal(in_features(values, channels), [[3, 3, 15], [19, 11, 39]])


def test_orthonormal_directions(rng):
    share = shares_of(np.where(np.arange(30) < 2, 0, rng.random(30)))
    given = rng.standard_normal((3, 30))
    # Depends on the others; a change of the dose; nothing.
    given = np.vstack([given, given[0] - 2 * given[1], 3 * share, np.zeros(30)])
    basis = orthonormal(given, share)
    assert basis.shape == (30, 3)
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(np.sqrt(share) @ basis, 0, atol=1e-9)
    # The span is that of the whitened ones.
    seen = share > 0
    whitened = np.zeros((30, 4))
    whitened[seen] = (given[:4, seen] / np.sqrt(share[seen])).T
    rest = orthogonal(whitened, np.column_stack([basis, np.sqrt(share)]))
    np.testing.assert_allclose(rest, 0, atol=1e-9)
    assert orthonormal(np.zeros((0, 30)), share).shape == (30, 0)
