r"""What the counts of a cluster owe to having chosen its pixels.

Counts decide where a pixel belongs, and their noise with them: what looks like a phase is sorted
into it, so that sums over clusters lie outward of what the pixels hold. Every count is therefore
weighted with the membership that its pixel would have without it,

.. math:: \mathrm{E}\sum_{ij} X_{ij}\, m_{ik}(X - e_{ij}) =
    \mathrm{E}\sum_{ij} \lambda_{ij}\, m_{ik}(X)

for Poisson counts X with the expectation lambda, whatever the function m (H. M. Hudson, Ann. Stat.
6 (1978) 473; L. H. Y. Chen, Ann. Probab. 3 (1975) 534). No count is lost, and none is used twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from hyperspy_clusterquant.clusters.likelihood import mixing_states
from hyperspy_clusterquant.clusters.neighbours import (
    favour_of_neighbours,
    most_of,
    state_logits,
    weight_of_own_counts,
)

#: Change of a pixel's memberships without any one of its counts below which that decides nothing.
UNDECIDED = 1e-4
#: Counts that are looked at together.
COUNTS_TOGETHER = 2**16


@dataclass(frozen=True, eq=False)
class Evidence:
    """How the memberships of pixels follow from their counts.

    Attributes
    ----------
    memberships : array (kept pixels, n_clusters)
    states : array (n_states, n_clusters)
        What a pixel can hold, see `mixing_states`.
    logs : array (n_states, channels)
        Logarithm of the counts that each state expects; zero where they say nothing.
    favour : array (kept pixels, n_clusters)
        Log-odds of the clusters without the pixel's own counts; without columns if the memberships
        are the probabilities of the states.
    own : array (kept pixels, 1)
        How often the pixel's own counts are counted.
    pooled : float
        Width in pixels of the Gaussian over which neighbours are counted as well, 0 = not.
    """

    memberships: np.ndarray
    states: np.ndarray
    logs: np.ndarray
    favour: np.ndarray
    own: np.ndarray
    pooled: float = 0.0


def evidence_of(memberships, label_spectra, keep, sigma, is_pooled):
    """The evidence that memberships were found from.

    Parameters
    ----------
    memberships : array (kept pixels, n_clusters)
    label_spectra : array (n_clusters, channels)
        Zero where a channel was not looked at.
    keep : array of bool (map shape)
    sigma : float
        Width of the neighbourhood in pixels.
    is_pooled : bool
        Whether the counts of neighbours were taken together, as where the clusters hardly differ.

    Returns
    -------
    Evidence
    """
    n_clusters = len(label_spectra)
    memberships = memberships.astype(np.float32)
    states = np.eye(n_clusters) if is_pooled else mixing_states(n_clusters)
    used = (label_spectra > 0).all(axis=0)
    logs = np.log(np.where(used, states @ label_spectra, 1.0))
    if is_pooled:
        own = weight_of_own_counts(keep, sigma)
        nothing = np.zeros((len(memberships), 0), dtype=np.float32)
        return Evidence(memberships, states, logs, nothing, own, sigma)
    if sigma > 0:
        favour = favour_of_neighbours(memberships, keep, sigma)
    else:
        prior = np.log(np.maximum(memberships.mean(axis=0), 1e-12))
        favour = np.broadcast_to(prior.astype(np.float32), memberships.shape)
    own = np.ones((len(memberships), 1), dtype=np.float32)
    return Evidence(memberships, states, logs, favour, own)


@dataclass(frozen=True, eq=False)
class OwnCounts:
    """What single counts do to the memberships of their pixels.

    Attributes
    ----------
    pixels : array of int (undecided pixels,)
        Numbers of the pixels to which a single count makes a difference.
    pixel_of, channel, counts : array (entries,)
        Place among them and channel of their counts.
    change : array (n_clusters, entries)
        Membership less that without one of these counts.
    """

    pixels: np.ndarray
    pixel_of: np.ndarray
    channel: np.ndarray
    counts: np.ndarray
    change: np.ndarray


def own_counts(counts, memberships, favour, own, states, logs):
    """What the counts of some pixels do to their memberships one by one.

    Parameters
    ----------
    counts : scipy.sparse.csr_array (pixels, channels)
    memberships, favour, own, states, logs
        Of `Evidence`, of these pixels.

    Yields
    ------
    OwnCounts
        Of some pixels after the other.
    """
    # Of noise there is nothing to select.
    in_clusters = np.minimum(memberships.sum(axis=1, dtype=float), 1.0)
    undecided = np.flatnonzero(_most_change(counts, memberships, own, logs) > UNDECIDED)
    most = most_of(states)
    # Nothing overflows.
    above = (logs - logs.min(axis=0)).astype(np.float32)
    collected = np.cumsum(np.diff(counts.indptr)[undecided])
    cuts = np.searchsorted(
        collected, np.arange(COUNTS_TOGETHER, collected[-1:].sum(), COUNTS_TOGETHER)
    )
    for pixels in np.split(undecided, cuts):
        chosen = counts[pixels]
        if favour.shape[1]:
            logits = state_logits(favour[pixels], states) + chosen @ logs.T
            probabilities = special.softmax(logits, axis=1)
        else:
            total = np.maximum(memberships[pixels].sum(axis=1, keepdims=True), 1e-12)
            probabilities = memberships[pixels] / total
        probabilities = probabilities.astype(np.float32)
        pixel_of = np.repeat(np.arange(len(pixels)), np.diff(chosen.indptr))
        without = above[:, chosen.indices].T
        without *= -own[pixels[pixel_of]]
        np.exp(without, out=without)
        without *= probabilities[pixel_of]
        without /= np.maximum(without.sum(axis=1, keepdims=True), np.float32(1e-30))
        change = (probabilities @ most)[pixel_of] - without @ most
        change *= in_clusters[pixels][pixel_of, None]
        yield OwnCounts(pixels, pixel_of, chosen.indices, chosen.data, change.T)


def _most_change(counts, memberships, own, logs):
    """Most that one count can change the memberships of each pixel, (pixels,)."""
    filled = np.flatnonzero(np.diff(counts.indptr))
    strongest = np.zeros(counts.shape[0])
    if len(filled):
        says = np.ptp(logs, axis=0)[counts.indices]
        strongest[filled] = np.maximum.reduceat(says, counts.indptr[filled])
    rest = np.maximum(memberships.sum(axis=1) - memberships.max(axis=1), 0.0)
    return np.minimum(rest * np.expm1(np.minimum(own[:, 0] * strongest, 50.0)), 1.0)


def projected_change(found, basis):
    """Counts times the change of memberships of `OwnCounts`, along the columns of a basis.

    Array of float32 (undecided pixels, n_clusters, n_columns); basis (channels, n_columns).
    """
    shape = (len(found.pixels), len(basis))
    parts = []
    for change in found.change:
        weighted = (found.counts * change, (found.pixel_of, found.channel))
        parts.append(sparse.csr_array(weighted, shape=shape) @ basis)
    return np.stack(parts, axis=1).astype(np.float32)


def summed_change(change, found, n_channels):
    """Counts times changes (n, entries) that are due to them, summed over pixels, (n, channels)."""
    return np.array(
        [np.bincount(found.channel, found.counts * row, minlength=n_channels) for row in change]
    )
