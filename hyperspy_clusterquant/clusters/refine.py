"""From learning pixels to the full-resolution map: every pixel labelled by its own counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant.clusters.components import denoised
from hyperspy_clusterquant.clusters.density import PROPOSED_SHARE
from hyperspy_clusterquant.clusters.labels import drop_empty_and_sort
from hyperspy_clusterquant.clusters.likelihood import (
    cluster_shares,
    gain_over_mixtures,
    lead_over_mixtures,
    mixing_states,
    packed_likelihoods,
)
from hyperspy_clusterquant.clusters.neighbours import (
    mean_field,
    pooled_posterior,
    unexplained_pixels,
)
from hyperspy_clusterquant.counts.pixels import sum_members

#: Rounds of fitting the clusters' spectra at full resolution, and the mean change of the
#: memberships at which they end.
MOST_ROUNDS, SETTLED = 5, 2e-3
#: Log-likelihood per pixel by which a small cluster must be better than a mixture of two others.
MIXTURE_GAIN = 1.0
WEAK = (
    "What separates the clusters is as weak as shot noise. Test whether it is real with "
    "s.cluster_significance()."
)
ALL_NOISE = (
    "Every pixel is noise: no cluster of at least `min_cluster_size` pixels was found among "
    "{} learning pixels. Try a smaller one, or workflow 1, which needs fewer learning pixels."
)


@dataclass(frozen=True)
class Refined:
    """Clusters of all pixels, and what is to be said.

    Attributes
    ----------
    labels : array of int (kept pixels,)
    memberships : array (kept pixels, n_clusters)
    label_spectra : array (n_clusters, features)
        Spectra by whose likelihood pixels were labelled, each times the dose of the cluster if
        that counted.
    remarks : tuple of str
    """

    labels: np.ndarray
    memberships: np.ndarray
    label_spectra: np.ndarray
    remarks: tuple


def refine(learning, memberships, in_noise, progress, smallest=0):
    """From clusters of learning pixels to those of all pixels of the map.

    `memberships` of a pixel are those of its learning pixel, and `in_noise` tells where that
    is noise. Every pixel is labelled by its own counts and its neighbours. If a cluster must hold
    at least `smallest` pixels, those with fewer are left out. Noise are the pixels of noisy
    learning pixels and of left-out clusters that are no mixture of the other clusters either.
    """
    progress("labels")
    remarks = [WEAK] if learning.is_weak else []
    labels, labelled, spectra = _label_pixels(learning, memberships, in_noise)
    # Pixels of the least clusters may belong to one that reaches the size with them.
    for size in (smallest // 2, smallest):
        if not size or not labelled.shape[1]:
            continue
        left_out, why = _small_or_mixed(learning, labels, labelled, size)
        remarks += why
        if left_out.any():
            in_noise = in_noise | np.append(left_out, False)[labels]
            memberships = labelled[:, ~left_out]
            memberships /= np.maximum(memberships.sum(axis=1, keepdims=True), 1e-12)
            labels, labelled, spectra = _label_pixels(learning, memberships, in_noise)
    if labelled.shape[1] == 0:
        remarks.append(ALL_NOISE.format(len(learning.scores)))
    labels, memberships, order = drop_empty_and_sort(labels, labelled)
    return Refined(labels, memberships, spectra[order], tuple(remarks))


def _small_or_mixed(learning, labels, memberships, smallest):
    """Clusters to leave out, with too few pixels, or small and no more than interfaces, and why."""
    remarks = []
    sizes = np.bincount(labels[labels >= 0], minlength=memberships.shape[1])
    small = sizes < smallest
    members = labels[:, None] == np.arange(len(sizes))
    spectra, _, rates = _cluster_spectra(learning, members)
    leads = learning.pixels.blocks.sum(lead_over_mixtures, spectra, rates, of_pixels=[labels])
    gains = gain_over_mixtures(leads, sizes)
    below_default = sizes < PROPOSED_SHARE * len(labels)
    mixed = ~small & below_default & (gains < MIXTURE_GAIN)
    if small.any():
        remarks.append(
            "Left out, for they hold fewer pixels than `min_cluster_size`: clusters "
            f"of {', '.join(map(str, sorted(sizes[small])))} pixels."
        )
    if mixed.any():
        remarks.append(
            f"{mixed.sum()} of {len(mixed)} clusters are small and no more than mixtures of two "
            "others, as pixels at interfaces are, and were left out."
        )
    return small | mixed, remarks


def _label_pixels(learning, start, in_noise):
    """Labels and memberships of pixels, from memberships and noise of their learning pixels.

    And the spectra that they were labelled by.
    """
    n_clusters = start.shape[1]
    spectra = np.ones((n_clusters, len(learning.reduction.share)))
    if n_clusters == 0:
        return np.full(len(start), -1), start, spectra
    memberships = shares = np.ones((len(start), 1))
    if n_clusters > 1:
        memberships, shares, spectra = _fit_at_full_resolution(learning, start, in_noise)
    noise = np.zeros(len(memberships), dtype=bool)
    if in_noise.any():
        noise = in_noise & unexplained_pixels(
            learning.pixel_scores, learning.pixels.totals, shares, ~in_noise, learning.keep,
            learning.sigma,
        )  # fmt: skip
        memberships = np.where(noise[:, None], 0, memberships)
    return np.where(noise, -1, memberships.argmax(axis=1)), memberships, spectra


def _fit_at_full_resolution(learning, memberships, in_noise):
    """Memberships and shares of pixels, and their clusters' spectra, fitted in turn with them.

    Expectation-maximisation from the memberships of the learning pixels: what the clusters are at
    the end does not depend on chance in how they were found.
    """
    start = None
    for _ in range(MOST_ROUNDS):
        known = np.where(in_noise[:, None], 0, memberships)
        spectra, sizes, rates = _cluster_spectra(learning, known)
        updated, shares = memberships_of(
            learning.pixels.blocks, spectra, sizes, rates, learning.keep, learning.sigma, start,
            learning.is_weak,
        )  # fmt: skip
        change = np.abs(updated - memberships).mean()
        memberships = start = updated
        if change < SETTLED:
            break
    doses = 1.0 if rates is None else np.maximum(rates, 1e-9)[:, None]
    return memberships, shares, cluster_shares(spectra) * doses


def _cluster_spectra(learning, memberships):
    """Summed counts of clusters, their sizes, and their doses if clusters may differ in dose."""
    spectra = learning.pixels.blocks.sum(sum_members, of_pixels=[memberships])
    sizes = np.maximum(memberships.sum(axis=0), 1e-9)
    if learning.is_weak:
        # Weak differences would drown in the noise of all others.
        spectra = denoised(spectra, learning.reduction)
    return spectra, sizes, None if learning.reduction.normalize else spectra.sum(axis=1) / sizes


def memberships_of(pixel_counts, spectra, sizes, rates, keep, sigma, start=None, weak=False):
    """Memberships and shares of pixels whose counts come from clusters with these spectra.

    Where one pixel's counts hardly tell the clusters apart (`weak`), those of its neighbours are
    taken together with them.
    """
    states = np.eye(len(spectra)) if weak else mixing_states(len(spectra))
    evidence = pixel_counts.store(
        packed_likelihoods,
        states @ cluster_shares(spectra),
        None if rates is None else states @ rates,
    )
    prior = sizes / sizes.sum()
    if weak:
        memberships = pooled_posterior(evidence, prior, keep, sigma)
        return memberships, memberships
    return mean_field(evidence, states, prior, keep, sigma, start)
