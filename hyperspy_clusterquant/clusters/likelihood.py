"""Likelihood of the counts of pixels under clusters and mixtures of them."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import special

#: Shares that the first of two phases has in a mixed pixel.
MIXTURES = (0.25, 0.5, 0.75)
#: Log-likelihoods lower than the best by more than this are all the same: impossible.
IMPOSSIBLE = -30000.0


def cluster_shares(spectra):
    """Share of each feature in the counts of each cluster, none of them zero.

    Parameters
    ----------
    spectra : array (n_clusters, features)
        Summed counts.

    Returns
    -------
    array (n_clusters, features)
    """
    # One pseudo-count per cluster, spread like the map's mean, keeps the logarithm finite.
    mean = spectra.sum(axis=0) + 1e-9
    shares = spectra + mean / mean.sum()
    return shares / shares.sum(axis=1, keepdims=True)


def log_likelihoods(counts, shares, rates=None):
    r"""Poisson log-likelihood of each pixel's counts under each cluster's spectrum.

    Up to a constant of the pixel, :math:`\sum_j X_{ij} \log p_{kj}`, and with `rates` also
    :math:`N_i \log r_k - r_k`.

    Parameters
    ----------
    counts : scipy.sparse.csr_array (pixels, features)
        Counts X.
    shares : array (n_clusters, features)
        From `cluster_shares`.
    rates : array (n_clusters,), optional
        Counts per pixel of each cluster, where clusters may differ in dose as well.

    Returns
    -------
    array (pixels, n_clusters)
        The largest of each pixel is zero.
    """
    evidence = counts @ np.log(shares).T
    if rates is not None:
        doses = np.asarray(counts.sum(axis=1), dtype=float).reshape(-1, 1)
        evidence += doses * np.log(np.maximum(rates, 1e-9)) - rates
    return evidence - evidence.max(axis=1, keepdims=True)


def packed_likelihoods(counts, shares, rates=None):
    """`log_likelihoods` in half precision, exact to a thousandth of their distance to the best."""
    return np.maximum(log_likelihoods(counts, shares, rates), IMPOSSIBLE).astype(np.float16)


def discriminant_scores(counts, shares):
    r"""Composition of each pixel along the directions in which the clusters differ.

    :math:`V^T (x_i / N_i - p) / \sqrt{p}` with orthonormal V that span the clusters'
    whitened spectra: times the root of :math:`N_i`, its shot noise is 1.

    Parameters
    ----------
    counts : scipy.sparse.csr_array (pixels, features)
        Counts x with sums N.
    shares : array (n_clusters, features)
        From `cluster_shares`; their mean is p.

    Returns
    -------
    scores : array (pixels, n_clusters - 1 or fewer)
        Zero where a pixel has no counts.
    doses : array (pixels,)
        N.
    """
    mean = shares.mean(axis=0)
    root = np.sqrt(mean)
    _, lengths, axes = np.linalg.svd((shares - mean) / root, full_matrices=False)
    axes = axes[lengths > 1e-9].T / root[:, None]
    doses = np.asarray(counts.sum(axis=1), dtype=float).ravel()
    scores = (counts @ axes) / np.maximum(doses, 1)[:, None] - mean @ axes
    scores[doses == 0] = 0
    return scores, doses


def mixing_states(n_clusters):
    """Contents that a pixel can have: one phase, or two of them in one of the `MIXTURES`.

    Parameters
    ----------
    n_clusters : int
        Number of phases.

    Returns
    -------
    array (n_states, n_clusters)
        Share of each phase; first the pure states in order.

    Examples
    --------
    >>> mixing_states(2)
    array([[1.  , 0.  ],
           [0.  , 1.  ],
           [0.25, 0.75],
           [0.5 , 0.5 ],
           [0.75, 0.25]])
    """
    pure = np.eye(n_clusters)
    mixed = [
        share * pure[k] + (1 - share) * pure[other]
        for k, other in itertools.combinations(range(n_clusters), 2)
        for share in MIXTURES
    ]
    return np.array([*pure, *mixed])


def lead_over_mixtures(counts, labels, spectra, rates=None):
    """How much better clusters explain their pixels than one or two others would, in sums.

    Parameters
    ----------
    counts : scipy.sparse.csr_array (pixels, features)
        Counts.
    labels : array of int (pixels,)
        Cluster of each pixel, -1 = none.
    spectra : array (n_clusters, features)
        Summed counts of the clusters.
    rates : array (n_clusters,), optional
        As in `log_likelihoods`.

    Returns
    -------
    array (n_clusters, n_clusters + n_pairs)
        Log-likelihood of a pixel under its cluster less that under each cluster, and each
        pair in any of the `MIXTURES`, summed over the pixels of the cluster.
    """
    n_clusters = len(spectra)
    states = mixing_states(n_clusters)
    likelihood = log_likelihoods(
        counts, states @ cluster_shares(spectra), None if rates is None else states @ rates
    )
    pure, mixed = likelihood[:, :n_clusters], likelihood[:, n_clusters:]
    pairs = special.logsumexp(mixed.reshape(len(labels), -1, len(MIXTURES)), axis=2)
    alternatives = np.hstack([pure, pairs - np.log(len(MIXTURES))])
    members = [labels == k for k in range(n_clusters)]
    return np.array(
        [(pure[m, k, None] - alternatives[m]).sum(axis=0) for k, m in enumerate(members)]
    )


def gain_over_mixtures(leads, sizes):
    """Log-likelihood per pixel by which each cluster is better than the best of the others.

    Parameters
    ----------
    leads : array (n_clusters, n_clusters + n_pairs)
        From `lead_over_mixtures`, summed over all pixels.
    sizes : array of int (n_clusters,)
        Pixels of each cluster.

    Returns
    -------
    array (n_clusters,)
        Infinite if there is no other cluster, or no pixel.
    """
    n_clusters = len(sizes)
    pairs = list(itertools.combinations(range(n_clusters), 2))
    holds = np.array(
        [[k in content for content in [*zip(range(n_clusters)), *pairs]] for k in range(n_clusters)]
    )
    gains = np.where(holds, np.inf, leads / np.maximum(sizes, 1)[:, None]).min(axis=1)
    return np.where(sizes > 0, gains, np.inf)
