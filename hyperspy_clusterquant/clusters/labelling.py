"""Pixels of the full-resolution map labelled with clusters, by counts and neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant.clusters.denoising import denoised, without_nuisance
from hyperspy_clusterquant.clusters.likelihood import (
    cluster_shares,
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
#: Counts, for each feature, that a spectrum is as good as known by what the components hold of it.
PRIOR_COUNTS = 10


@dataclass(frozen=True)
class Labelling:
    """Pixels labelled with clusters.

    `labels` (kept pixels,), `memberships` (kept pixels, n_clusters), `spectra` by which they were
    labelled, and `in_noise` where learning pixels were noise.
    """

    learning: object
    labels: np.ndarray
    memberships: np.ndarray
    spectra: np.ndarray
    in_noise: np.ndarray

    @classmethod
    def of(cls, learning, memberships, in_noise):
        """Label all pixels, from memberships of learning pixels."""
        return cls(learning, *_label_pixels(learning, memberships, in_noise), in_noise)

    @property
    def n_clusters(self):
        """Their number."""
        return self.memberships.shape[1]

    @property
    def image(self):
        """Labels on the map, -2 where pixels are left out."""
        image = np.full(self.learning.keep.shape, -2)
        image[self.learning.keep] = self.labels
        return image

    def without(self, left_out, as_noise=False):
        """The same without some clusters, array of bool; their pixels may be noise."""
        in_noise = self.in_noise
        if as_noise:
            in_noise = in_noise | np.append(left_out, False)[self.labels]
        memberships = self.memberships[:, ~left_out]
        memberships = memberships / np.maximum(memberships.sum(axis=1, keepdims=True), 1e-12)
        return Labelling.of(self.learning, memberships, in_noise)

    def with_departure(self, departure):
        """The same with one more cluster, of pixels that depart."""
        inside = departure.inside[:, None]
        memberships = np.hstack([np.where(inside, 0, self.memberships), inside])
        learning = replace(
            self.learning, departures=(*self.learning.departures, departure.direction)
        )
        in_noise = self.in_noise & ~departure.inside
        if not learning.is_weak:
            return Labelling.of(learning, memberships, in_noise)
        # Evidence that is pooled over as many neighbours as weak clusters need would hide it.
        labels = np.where(departure.inside, self.n_clusters, self.labels)
        spectra, _, rates = cluster_spectra(learning, memberships)
        doses = 1.0 if rates is None else np.maximum(rates, 1e-9)[:, None]
        shares = cluster_shares(spectra) * doses
        return Labelling(learning, labels, memberships, shares, in_noise)


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
            learning.pixel_scores, learning.pixels.totals, learning.reduction.dose, shares,
            ~in_noise, learning.keep, learning.sigma,
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
        spectra, sizes, rates = cluster_spectra(learning, known)
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


def cluster_spectra(learning, memberships):
    """Summed counts of clusters, their sizes, and their doses if clusters may differ in dose."""
    spectra = learning.pixels.blocks.sum(sum_members, of_pixels=[memberships])
    sizes = np.maximum(memberships.sum(axis=0), 1e-9)
    if learning.is_weak:
        # Weak differences would drown in the noise of all others.
        spectra = denoised(spectra, learning.reduction, learning.subspace)
    else:
        # A small cluster has few counts, whose noise would choose its pixels.
        likely = denoised(spectra, learning.reduction, learning.subspace)
        counts = np.maximum(spectra.sum(axis=1, keepdims=True), 1e-9)
        prior = PRIOR_COUNTS * spectra.shape[1]
        spectra = counts / (counts + prior) * (spectra + prior / counts * likely)
        if learning.reduction.nuisance is not None:
            inside = learning.nuisance_inside(memberships)
            spectra = without_nuisance(
                spectra, learning.reduction, inside, learning.pixels.per_pixel
            )
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
