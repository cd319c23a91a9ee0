"""From learning pixels to the full-resolution map: every pixel labelled by its own counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hyperspy_clusterquant.clusters.borders import (
    change_at_border,
    counts_along,
    interfaces,
    whitened,
)
from hyperspy_clusterquant.clusters.causes import peaks_of
from hyperspy_clusterquant.clusters.density import PROPOSED_SHARE
from hyperspy_clusterquant.clusters.departures import (
    DECLARED_SHARE,
    REACH,
    directions_of,
    is_known,
    line_directions,
    strongest_departure,
)
from hyperspy_clusterquant.clusters.labelling import Labelling, cluster_spectra
from hyperspy_clusterquant.clusters.labels import drop_empty_and_sort
from hyperspy_clusterquant.clusters.likelihood import (
    cluster_shares,
    gain_over_mixtures,
    lead_over_mixtures,
)
from hyperspy_clusterquant.counts.pixels import sum_members

#: Departures that are looked for one after the other.
MOST_DEPARTURES = 8
#: Of these, that are no phase in a row.
MOST_IN_VAIN = 2
#: Pixels up to which a piece of a cluster may be made by noise; most of a phase is in larger ones.
SPECKLE = 4
#: Share of the pixels of the map up to which a cluster is small.
RARE = 0.03
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


ADDED = "Found in places that the other clusters do not explain: {}. They may be small."

ENDLESS = (
    "There are more such places than were followed: composition varies all over, and the data do "
    "not decide how many clusters there are. See s.cluster_stability()."
)
REFUSED = (
    "{} pixels around {} (array indices) differ from their cluster at {}, but are too few for a "
    "cluster of their own, or have no border."
)
UNDECLARED = (
    "{} pixels around {} (array indices) differ from their cluster at {}, which the lines of the "
    "declared elements do not explain. If it belongs to the sample, declare it."
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


def refine_best(learning, starts, progress, smallest=0, profiles=None, complete=False):
    """Clusters of all pixels, from the first start that gives as many as the components need.

    Parameters
    ----------
    learning : Learning
    starts : list of tuple of arrays (learning pixels, n_clusters), (learning pixels,)
        Memberships, and which are noise. Of each, what is rare is at first looked for in the lines
        of the elements; if there are too few clusters, also in what was not declared.
    progress, smallest, profiles, complete
        As of `refine`.

    Returns
    -------
    refined : Refined
    tried : list of int
        Numbers of clusters of the starts that were tried.
    """
    searches = (False, True) if complete and profiles is not None and not smallest else (True,)
    tried = []
    for memberships, is_noise in starts:
        tried.append(memberships.shape[1])
        bins = learning.bin_of_pixel
        for of_any in searches:
            refined = refine(
                learning, memberships[bins], is_noise[bins], progress, smallest, profiles, complete,
                of_any,
            )  # fmt: skip
            if refined.memberships.shape[1] >= learning.fewest_spectra:
                return refined, tried
    return refined, tried


def refine(
    learning, memberships, in_noise, progress, smallest=0, profiles=None, complete=False,
    of_any=True,
):  # fmt: skip
    """From clusters of learning pixels to those of all pixels of the map.

    `memberships` of a pixel are those of its learning pixel, and `in_noise` tells where that
    is noise. Every pixel is labelled by its own counts and its neighbours. If `complete`, clusters
    are added for places that they do not explain (see `departures`; `profiles` are lines of the
    elements, `of_any` as of `directions_of`), and interfaces left out. If a cluster must hold
    at least `smallest` pixels, those with fewer are left out. Noise are the pixels of noisy
    learning pixels and of left-out clusters that are no mixture of the other clusters either.
    """
    progress("labels")
    remarks = [WEAK] if learning.is_weak else []
    labelling = Labelling.of(learning, memberships, in_noise)
    is_added = np.zeros(labelling.n_clusters, dtype=bool)
    if complete and memberships.shape[1]:
        labelling, _ = _without_interfaces(_without_small_mixtures(labelling))
        n_before = labelling.n_clusters
        labelling, found = _completed(labelling, profiles, of_any)
        labelling, left = _without_interfaces(labelling)
        is_added = left >= n_before
        remarks += found
    # Pixels of the least clusters may belong to one that reaches the size with them.
    for size in (smallest // 2, smallest):
        if not size or not labelling.n_clusters:
            continue
        left_out, why = _small_or_mixed(
            labelling.learning, labelling.labels, labelling.memberships, size
        )
        remarks += why
        if left_out.any():
            labelling = labelling.without(left_out, as_noise=True)
            is_added = is_added[~left_out]
    if n_added := np.count_nonzero(is_added):
        remarks.append(ADDED.format("1 cluster" if n_added == 1 else f"{n_added} clusters"))
    if labelling.n_clusters == 0:
        remarks.append(ALL_NOISE.format(len(learning.scores)))
    labels, memberships, order = drop_empty_and_sort(labelling.labels, labelling.memberships)
    return Refined(labels, memberships, labelling.spectra[order], tuple(remarks))


def _completed(labelling, profiles, of_any):
    """Clusters added for what those there do not explain, and what is to be said of it.

    `of_any` as of `directions_of`.
    """
    everything = directions_of(labelling.learning, profiles, of_any)
    # Of what was not declared, places are named, but make no clusters: film, grid and contamination
    # are such.
    directions = everything.expected
    ignored = np.zeros(len(labelling.labels), dtype=bool)
    n_before, in_vain, refused = labelling.n_clusters, 0, []
    for _ in range(MOST_DEPARTURES if directions.columns.size else 0):
        departure = strongest_departure(
            labelling.learning, labelling.memberships, directions, ignored
        )
        if departure is None or in_vain == MOST_IN_VAIN:
            break
        more = labelling.with_departure(departure)
        if _is_phase(more, labelling):
            labelling, in_vain = more, 0
        else:
            ignored |= departure.inside | departure.place
            in_vain += 1
            if not departure.is_mixed:
                refused.append(departure)
    remarks = [ENDLESS] if labelling.n_clusters - n_before == MOST_DEPARTURES else []
    remarks += [_named(REFUSED, labelling.learning, each) for each in refused[:1]]
    if profiles is not None and everything.columns.size:
        remarks += _undeclared(labelling, everything, ignored, profiles)
    return labelling, remarks


def _undeclared(labelling, directions, ignored, profiles):
    """What is to be said of the strongest place that holds what was not declared."""
    learning = labelling.learning
    found = strongest_departure(learning, labelling.memberships, directions, ignored)
    if found is None:
        return []
    explained = np.sum((line_directions(learning, profiles).T @ found.direction) ** 2)
    return [_named(UNDECLARED, learning, found)] if explained < DECLARED_SHARE else []


def _named(sentence, learning, departure):
    """What is to be said of a place."""
    peaks = peaks_of(departure.direction, learning.pixels.energy, learning.pixels.channels)
    where = np.argwhere(learning.keep)[departure.place].mean(axis=0).round().astype(int)
    n_pixels = np.count_nonzero(departure.inside | departure.place)
    return sentence.format(n_pixels, tuple(map(int, where)), ", ".join(peaks))


def _is_phase(more, before):
    """Whether a cluster that was added last is one: with a border, and nothing else lost."""
    sizes = np.bincount(more.labels[more.labels >= 0], minlength=more.n_clusters)
    if sizes.min() < 3**more.learning.keep.ndim:  # no larger than what the beam sees
        return False
    new = more.labels == more.n_clusters - 1
    pieces, _ = ndimage.label(more.image == more.n_clusters - 1, np.ones((3,) * more.image.ndim))
    sizes_of_pieces = np.bincount(pieces.ravel())[1:]
    together = sizes_of_pieces[sizes_of_pieces > SPECKLE].sum()
    if together < sizes_of_pieces.sum() / 2:
        return False
    parent = np.bincount(before.labels[new & (before.labels >= 0)], minlength=1).argmax()
    at_border, inside = _change(more, more.n_clusters - 1, parent)
    return at_border > inside


def _change(labelling, one, other):
    """Change of composition at the border of two clusters and inside of them."""
    learning = labelling.learning
    shares = cluster_shares(labelling.spectra)
    weights = (shares[one] - shares[other]) / learning.reduction.share
    along = np.concatenate(learning.pixels.blocks.map(counts_along, weights))
    images = np.zeros((2, *learning.keep.shape))
    images[:, learning.keep] = along, learning.pixels.totals
    return change_at_border(*images, labelling.image, one, other)


def _without_small_mixtures(labelling):
    """The same without small clusters whose pixels hold others, or mixtures of those nearby.

    What is more than that is found again, as a place that the others do not explain.
    """
    learning = labelling.learning
    sizes = np.bincount(labelling.labels[labelling.labels >= 0], minlength=labelling.n_clusters)
    small = np.flatnonzero(sizes < RARE * len(labelling.labels))
    if labelling.n_clusters < 2 or not len(small):
        return labelling
    members = labelling.labels[:, None] == np.arange(labelling.n_clusters)
    sums = learning.pixels.blocks.sum(sum_members, of_pixels=[members])
    shares = cluster_shares(sums)
    left_out = np.zeros(labelling.n_clusters, dtype=bool)
    for k in small:
        around = ndimage.binary_dilation(labelling.image == k, iterations=REACH)
        others = np.flatnonzero(~left_out & (np.arange(len(sizes)) != k))
        nearby = np.isin(others, labelling.image[around])
        left_out[k] = sizes[k] == 0 or is_known(
            sums[k], shares[others], learning.subspace, np.zeros(len(others)), nearby.astype(float)
        )
    return labelling.without(left_out) if left_out.any() else labelling


def _without_interfaces(labelling):
    """The same without clusters that are no more than interfaces of two others.

    And the numbers of those that are left.
    """
    left = np.arange(labelling.n_clusters)
    while labelling.n_clusters > 2:
        points = whitened(labelling.spectra, labelling.learning.reduction.share)
        found = interfaces(labelling.image, points)
        if found is None:
            break
        labelling = labelling.without(np.arange(labelling.n_clusters) == found)
        left = np.delete(left, found)
    return labelling, left


def _small_or_mixed(learning, labels, memberships, smallest):
    """Clusters to leave out, with too few pixels, or small and no more than interfaces, and why."""
    remarks = []
    sizes = np.bincount(labels[labels >= 0], minlength=memberships.shape[1])
    small = sizes < smallest
    members = labels[:, None] == np.arange(len(sizes))
    spectra, _, rates = cluster_spectra(learning, members)
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
