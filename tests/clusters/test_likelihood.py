import numpy as np
import pytest
from scipy import sparse

from hyperspy_clusterquant.clusters.likelihood import (
    gain_over_mixtures,
    lead_over_mixtures,
)


def gains_of(x, labels, spectra):
    x = sparse.csr_array(x)
    leads = sum(
        lead_over_mixtures(x[part], labels[part], spectra)
        for part in np.array_split(np.arange(len(labels)), 2)
    )
    return gain_over_mixtures(leads, np.bincount(labels, minlength=len(spectra)))


def test_a_mixture_of_two_gains_nothing_and_a_third_phase_does(rng):
    shares = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    share_of_a = rng.choice([0.25, 0.5, 0.75], 400)
    x = np.concatenate(
        [
            rng.poisson(50 * np.repeat(shares, 400, axis=0)),
            rng.poisson(50 * np.outer(share_of_a, shares[0]))
            + rng.poisson(50 * np.outer(1 - share_of_a, shares[1])),
        ]
    )
    labels = np.repeat(np.arange(4), 400)
    spectra = np.array([x[labels == k].sum(axis=0) for k in range(4)])
    gains = gains_of(x, labels, spectra)
    # A phase's Kullback-Leibler divergence from the best mixture of two others, by hand.
    mixture = 0.5 * shares[0] + 0.5 * shares[1]
    expected = 50 * np.sum(shares[2] * np.log(shares[2] / mixture))
    assert gains[2] == pytest.approx(expected, rel=0.25)
    assert gains[3] < 0
    twins = np.where(labels == 2, rng.choice([2, 4], len(labels)), labels)
    spectra = np.array([x[twins == k].sum(axis=0) for k in range(5)])
    gains = gains_of(x, twins, spectra)
    np.testing.assert_allclose(gains[[2, 4]], 0, atol=0.1)


def test_one_cluster_has_nothing_to_be_better_than(rng):
    x = rng.poisson(5, (20, 3))
    assert gains_of(x, np.zeros(20, int), np.ones((1, 3))).tolist() == [np.inf]
