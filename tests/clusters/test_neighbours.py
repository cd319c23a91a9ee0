import numpy as np
import pytest
from scipy import sparse

from hyperspy_clusterquant.clusters.likelihood import (
    log_likelihoods,
    mixing_states,
)
from hyperspy_clusterquant.clusters.neighbours import (
    MIXTURE_PENALTY,
    mean_field,
    unexplained_pixels,
)
from hyperspy_clusterquant.counts.stores import Store, StoredArrays

SHARES = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])


def label(x, keep, sigma, prior=(0.5, 0.5), shares=SHARES):
    states = mixing_states(len(shares))
    evidence = log_likelihoods(sparse.csr_array(x), states @ shares)
    blocks = CountedBlocks.of(evidence, 3)
    return mean_field(blocks, states, np.asarray(prior), keep, sigma)


def test_posterior_is_bayes_rule(rng):
    """By hand, over pure and mixed pixels."""
    x = rng.poisson(8 * SHARES[rng.integers(0, 2, 500)])
    prior = np.array([0.7, 0.3])
    memberships, shares = label(x, np.ones(500, bool), 0.0, prior)
    contents = [(1, 0), (0, 1), (0.25, 0.75), (0.5, 0.5), (0.75, 0.25)]
    belongs = np.array([(1, 0), (0, 1), (0, 1), (0.5, 0.5), (1, 0)])
    weight = np.array(
        [
            np.prod((v @ SHARES) ** x, axis=1)
            * np.prod(prior ** np.array(v))
            * (1 if max(v) == 1 else np.exp(-MIXTURE_PENALTY))
            for v in np.array(contents, dtype=float)
        ]
    ).T
    weight /= weight.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(memberships, weight @ belongs, rtol=1e-6)
    np.testing.assert_allclose(shares, weight @ np.array(contents), rtol=1e-6)


@pytest.mark.parametrize("shape", [(4096,), (64, 64), (16, 16, 16)])
def test_neighbours_help_where_counts_are_few(rng, shape):
    truth = np.zeros(shape, int)
    truth[shape[0] // 2 :] = 1
    keep = np.ones(shape, bool)
    keep[:1] = False
    x = rng.poisson(2 * SHARES[truth[keep]])
    alone, helped = (label(x, keep, sigma)[0].argmax(axis=1) for sigma in (0.0, 1.5))
    assert np.mean(alone == truth[keep]) < 0.85
    assert np.mean(helped == truth[keep]) > (0.9 if len(shape) == 1 else 0.97)


def test_an_interface_is_no_third_phase(rng):
    """Half of A and half of B looks like C; that it may be a mixture keeps it with its own."""
    shares = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.42, 0.42, 0.16]])
    share_of_a = np.clip(np.linspace(4, -3, 40), 0, 1)[:, None, None]
    x = rng.poisson(300 * (share_of_a * shares[0] + (1 - share_of_a) * shares[1]), (40, 40, 3))
    memberships, _ = label(x.reshape(-1, 3), np.ones((40, 40), bool), 1.5, shares=shares)
    labels = memberships.argmax(axis=1).reshape(40, 40)
    pure = log_likelihoods(sparse.csr_array(x.reshape(-1, 3)), shares).argmax(axis=1)
    assert np.mean(pure == 2) > 0.05
    assert np.mean(labels == 2) < np.mean(pure == 2) / 3
    truth = np.where(share_of_a[:, :, 0] > 0.5, 0, 1)
    assert np.mean(labels == truth) > 0.95


def test_single_pixels_with_strong_evidence_stay(rng):
    truth = np.zeros((30, 30), int)
    truth[::6, ::6] = 1
    x = rng.poisson(200 * SHARES[truth.ravel()])
    memberships, _ = label(x, np.ones((30, 30), bool), 1.5)
    assert np.mean(memberships.argmax(axis=1) == truth.ravel()) > 0.995


def test_what_no_mixture_explains_is_unexplained(rng):
    scores = rng.standard_normal((2000, 2))
    shares = np.repeat(np.eye(2), 1000, axis=0)
    scores[1000:] += [20, 0]
    foreign = rng.choice(2000, 50, replace=False)
    scores[foreign] += [0, 15]
    learned = np.ones(2000, bool)
    learned[foreign] = False
    half = np.flatnonzero(learned)[:20]  # a mixture of the two is explained
    scores[half], shares[half] = [10, 0], 0.5
    learned[half] = False
    keep = np.ones(2000, bool)
    found = unexplained_pixels(scores, np.ones(2000), 1.0, shares, learned, keep, 0.0)
    assert found[foreign].all()
    assert not found[half].any()
    # Noise brings one in a thousand so far: two of the 2000, and by chance not seven.
    assert found[learned].sum() < 7


def test_mixtures_of_two_are_explained_but_not_of_three(rng):
    """Also where the shares of a pixel are said wrong: its neighbours may mislead."""
    corners = np.array([[0.0, 0.0], [30.0, 0.0], [0.0, 30.0]])
    labels = np.repeat([0, 1, 2], 500)
    scores = corners[labels] + rng.standard_normal((1500, 2))
    scores[:20] = [15, 15]  # between the second and the third
    scores[20:40] = [9, 9]  # of all three
    learned = np.arange(1500) >= 40
    keep = np.ones(1500, bool)
    found = unexplained_pixels(scores, np.ones(1500), 1.0, np.eye(3)[labels], learned, keep, 0.0)
    assert not found[:20].any()
    assert found[20:40].all()


def test_what_is_unexplained_is_judged_in_units_of_shot_noise(rng):
    """Four times the dose at half the noise: the share of what lies farther out is the same."""
    doses = np.repeat([50.0, 200.0], 20_000)
    scores = rng.standard_normal((40_000, 2)) * np.sqrt(50 / doses)[:, None]
    learned = np.zeros(40_000, bool)
    keep, shares = np.ones(40_000, bool), np.ones((40_000, 1))
    found = unexplained_pixels(scores, doses, 50.0, shares, learned, keep, 0.0)
    for part in (found[:20_000], found[20_000:]):
        assert part.sum() == pytest.approx(20, abs=14)  # one in a thousand, three sigma


class CountedBlocks(StoredArrays):
    """Blocks that know how often they were asked for."""

    n_loaded = 0

    @classmethod
    def of(cls, evidence, n_blocks):
        store = Store()
        return cls([store.put(block) for block in np.array_split(evidence, n_blocks)])

    def __getitem__(self, number):
        self.n_loaded += 1
        return super().__getitem__(number)


def test_no_block_is_loaded_but_for_what_is_in_it(rng):
    """Each pixel alone: once."""
    states = mixing_states(2)
    evidence = log_likelihoods(sparse.csr_array(rng.poisson(20 * SHARES)), states @ SHARES)
    blocks = CountedBlocks.of(evidence, 2)
    mean_field(blocks, states, np.ones(2) / 2, np.ones(2, bool), 0.0)
    assert blocks.n_loaded == 2


def test_pixels_that_do_not_change_are_left_alone(rng, monkeypatch):
    """The same as with all pixels in every iteration, and blocks are not loaded for nothing."""
    truth = np.arange(6400).reshape(80, 80) // 80 >= 76  # the last rows
    x = rng.poisson(20 * SHARES[truth.ravel().astype(int)])
    states = mixing_states(2)
    evidence = log_likelihoods(sparse.csr_array(x), states @ SHARES)
    blocks = CountedBlocks.of(evidence, 20)
    keep = np.ones((80, 80), bool)
    memberships, shares = mean_field(blocks, states, np.ones(2) / 2, keep, 1.5)
    monkeypatch.setattr("hyperspy_clusterquant.clusters.neighbours.UNCHANGED", -1.0)
    every = CountedBlocks.of(evidence, 20)
    expected = mean_field(every, states, np.ones(2) / 2, keep, 1.5)
    assert blocks.n_loaded < every.n_loaded
    np.testing.assert_allclose(memberships, expected[0], atol=2e-3)
    np.testing.assert_allclose(shares, expected[1], atol=2e-3)
