"""Learned clusters to memberships at full resolution: Poisson likelihood and neighbours.

The model is a hidden Markov random field: a pixel holds one phase, or two where
phases meet; its counts are drawn from their spectra, and neighbours tend to be alike.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy import ndimage, special, stats

#: Widths (pixels) of the neighbourhood that "auto" chooses between ...
NEIGHBOURHOODS = (1.5, 3.0)
#: ... so that, above the smaller one, it pools this many counts.
POOLED_COUNTS = 120
#: Log-odds against each of the mixtures, before the counts are looked at.
MIXTURE_PENALTY = 3.0
#: Log-odds that a pixel gets from neighbours that are all of one phase.
COUPLING = 6.0
#: Mean change of the memberships at which the iteration ends, and its longest run.
CONVERGED, MOST_ITERATIONS = 1e-4, 100
#: Change of the log-odds from the neighbours below which a pixel is left as it is.
UNCHANGED = 1e-3
#: Share of a cluster's pixels that lie farther out than what is noise.
OUTLYING = 0.01
#: Share of the counts of a cluster that learning pixels must hold to tell where its centre is.
LEARNED_SHARE = 0.1
#: Probability that noise brings a pixel so far from what is expected.
OUTLYING_BY_CHANCE = 1e-3


def automatic_neighbourhood(counts_per_pixel, n_dim, pooled=POOLED_COUNTS):
    """Gaussian sigma in pixels that pools so many counts, between 1.5 and 3.

    Examples
    --------
    >>> automatic_neighbourhood(200, 2)
    1.5
    >>> round(automatic_neighbourhood(2, 2), 1)
    2.2
    """
    # A Gaussian kernel averages (4 pi sigma^2)^(n/2) pixels.
    wanted = (pooled / max(counts_per_pixel, 1e-9)) ** (1 / n_dim) / np.sqrt(4 * np.pi)
    return float(np.clip(wanted, *NEIGHBOURHOODS))


def pooled_pixels(sigma, n_dim):
    """Number of pixels that a Gaussian average is worth."""
    return max((4 * np.pi * sigma**2) ** (n_dim / 2), 1.0)


def mean_field(evidence, states, prior, keep, sigma, start=None):
    r"""Posterior probabilities of pixels, given their counts and their neighbours.

    With :math:`L_{is}` the log-likelihood of the counts of pixel i in state s (shares
    :math:`v_{sk}` of the phases), and :math:`a_{ik}` the memberships of its neighbours, averaged
    with Gaussian weights, a pixel is in a state with the probability

    .. math:: q_{is} \propto \exp(L_{is} + 6 \sum_k v_{sk} a_{ik} - 3 [s\ \mathrm{is\ mixed}])

    and its membership in a phase is the probability that it holds more of it than of any
    other. It is solved by mean-field iteration.

    Parameters
    ----------
    evidence : StoredArrays (some kept pixels, n_states)
        Log-likelihoods, block after block of pixels.
    states : array (n_states, n_clusters)
        From `mixing_states`.
    prior : array (n_clusters,)
        Share of each cluster in the map, for pixels without neighbours' help (`sigma` = 0).
    keep : array of bool (map shape)
        Pixels that take part.
    sigma : float
        Width of the Gaussian in pixels, 0 = each pixel alone.
    start : array (kept pixels, n_clusters), optional
        Memberships to start from. Default: the likelihood pooled over the neighbours.

    Returns
    -------
    memberships : array of float32 (kept pixels, n_clusters)
        Rows sum to one.
    shares : array of float32 (kept pixels, n_clusters)
        Expected share of each phase in the pixel.

    References
    ----------
    Y. Zhang, M. Brady and S. Smith, IEEE Trans. Med. Imaging 20 (2001) 45.
    """
    n_clusters = states.shape[1]
    shape = (np.count_nonzero(keep), n_clusters)
    states = states.astype(np.float32)
    ends = np.append(0, np.cumsum(evidence.lengths))
    memberships, shares = np.zeros((2, *shape), dtype=np.float32)
    if sigma == 0:
        favour = np.broadcast_to(np.log(np.maximum(prior, 1e-12)).astype(np.float32), shape)
        every = np.ones(shape[0], dtype=bool)
        _update(evidence, ends, states, favour, memberships, shares, every)
        return memberships, shares

    n_neighbours = _n_neighbours(keep, sigma)
    if start is None:
        likelihood = np.concatenate([block[:, :n_clusters].copy() for block in evidence])
        pooled = _pool(likelihood, keep, sigma)
        start = special.softmax(
            pooled / n_neighbours * np.float32(pooled_pixels(sigma, keep.ndim)), axis=1
        )
    memberships[:] = start
    favour = np.full(shape, np.inf, dtype=np.float32)
    for _ in range(MOST_ITERATIONS):
        around = favour_of_neighbours(memberships, keep, sigma, n_neighbours)
        changed = np.abs(around - favour).max(axis=1) > UNCHANGED
        favour[changed] = around[changed]
        before = memberships.copy()
        _update(evidence, ends, states, favour, memberships, shares, changed)
        if np.abs(memberships - before).mean() < CONVERGED:
            break
    return memberships, shares


def pooled_posterior(evidence, prior, keep, sigma):
    """Posterior probabilities of pixels, from their counts and those of their neighbours together.

    Parameters
    ----------
    evidence : sequence of arrays (some kept pixels, n_clusters)
        Log-likelihoods, block after block of pixels.
    prior : array (n_clusters,)
        Share of each cluster in the map.
    keep : array of bool (map shape)
        Pixels that take part.
    sigma : float
        Width of the Gaussian in pixels over which the evidence is summed, 0 = each pixel alone.

    Returns
    -------
    array of float32 (kept pixels, n_clusters)
        Rows sum to one.
    """
    values = np.concatenate([block.astype(np.float32) for block in evidence])
    if sigma > 0:
        values = _pool(values, keep, sigma) / _n_neighbours(keep, sigma)
        values *= np.float32(pooled_pixels(sigma, keep.ndim))
    values += np.log(np.maximum(prior, 1e-12)).astype(np.float32)
    return special.softmax(values, axis=1)


def favour_of_neighbours(memberships, keep, sigma, n_neighbours=None):
    """Log-odds of each phase that a pixel gets from its neighbours.

    Parameters
    ----------
    memberships : array (kept pixels, n_clusters)
    keep : array of bool (map shape)
    sigma : float
        Width of the neighbourhood in pixels, not 0.
    n_neighbours : array (kept pixels, 1), optional
        Share of the neighbourhood that takes part, if it is known.

    Returns
    -------
    array of float32 (kept pixels, n_clusters)
    """
    if n_neighbours is None:
        n_neighbours = _n_neighbours(keep, sigma)
    own = np.float32(_centre_weight(sigma, keep.ndim))
    around = np.maximum(_pool(memberships, keep, sigma) - own * memberships, 0)
    around *= COUPLING / np.maximum(n_neighbours - own, np.float32(1e-12))
    return around


def weight_of_own_counts(keep, sigma):
    """How often each pixel's own counts are counted in `pooled_posterior`, (kept pixels, 1)."""
    if sigma == 0:
        return np.ones((np.count_nonzero(keep), 1), dtype=np.float32)
    own = np.float32(_centre_weight(sigma, keep.ndim) * pooled_pixels(sigma, keep.ndim))
    return own / _n_neighbours(keep, sigma)


def state_logits(favour, states):
    """Log-odds of states of pixels before their counts are looked at, (pixels, n_states).

    From those in favour of each phase, (pixels, n_clusters).
    """
    mixed = np.arange(len(states)) >= states.shape[1]
    return favour @ states.T - np.where(mixed, MIXTURE_PENALTY, 0).astype(np.float32)


def most_of(states):
    """Whether a phase has the largest share in each state, shared among equals."""
    most = states == states.max(axis=1, keepdims=True)
    return (most / most.sum(axis=1, keepdims=True)).astype(np.float32)


def _n_neighbours(keep, sigma):
    """Share of each kept pixel's neighbourhood that takes part, (kept pixels, 1)."""
    return np.maximum(_smooth(np.ones(np.count_nonzero(keep)), keep, sigma), 1e-12)[:, None]


def _pool(values, keep, sigma):
    """Gaussian averages of columns of values at the kept pixels."""
    return np.stack([_smooth(column, keep, sigma) for column in values.T], axis=1)


def _update(evidence, ends, states, favour, memberships, shares, changed):
    """Set memberships and shares where the log-odds in favour of each phase have changed."""
    most = most_of(states)
    for number, (start, end) in enumerate(itertools.pairwise(ends)):
        chosen = np.flatnonzero(changed[start:end])
        if not len(chosen):  # and the block need not be loaded
            continue
        rows = start + chosen
        logits = evidence[number][chosen].astype(np.float32)
        logits += state_logits(favour[rows], states)
        logits -= logits.max(axis=1, keepdims=True)
        probabilities = np.exp(logits, out=logits)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        memberships[rows] = probabilities @ most
        shares[rows] = probabilities @ states


def unexplained_pixels(scores, doses, noise_dose, shares, learned, keep, sigma):
    """Pixels that no mixture of the clusters explains as well as it does nearly all others.

    Parameters
    ----------
    scores : array (kept pixels, n_components)
        Composition of each pixel.
    doses : array (kept pixels,)
        Its counts.
    noise_dose : float
        Counts of a pixel with a shot noise of one in its scores.
    shares : array (kept pixels, n_clusters)
        Expected share of each cluster in the pixel.
    learned : array of bool (kept pixels,)
        Pixels that the clusters were learned from.
    keep : array of bool (map shape)
        Pixels that take part.
    sigma : float
        Width in pixels over which scores are averaged.

    Returns
    -------
    array of bool (kept pixels,)
        True where the composition is farther from any mixture of two than noise brings it, and than
        it is for all but 1 % of the learned pixels of the same cluster.
    """
    if sigma > 0:
        dose = np.maximum(_smooth(doses, keep, sigma), 1e-9)[:, None]
        scores, shares = (
            np.stack([_smooth(doses * column, keep, sigma) for column in columns.T], axis=1) / dose
            for columns in (scores, shares)
        )
    every = shares * doses[:, None]
    weights = np.where(learned[:, None], every, 0)
    # A small cluster may have been noise to the learning pixels; then it is that of all its own.
    unknown = weights.sum(axis=0) < LEARNED_SHARE * every.sum(axis=0)
    weights = np.where(unknown, every, weights)
    centres = weights.T @ scores / np.maximum(weights.sum(axis=0), 1e-9)[:, None]
    distance = _distance_to_mixtures(scores, centres)
    # In units of shot noise; counts of neighbours are pooled.
    distance *= doses / noise_dose * pooled_pixels(sigma, keep.ndim)
    labels = shares.argmax(axis=1)
    unexplained = np.zeros(len(labels), dtype=bool)
    by_chance = stats.chi2.isf(OUTLYING_BY_CHANCE, max(scores.shape[1], 1))
    for k in np.unique(labels):
        members = (labels == k) & learned
        limit = np.quantile(distance[members], 1 - OUTLYING) if members.any() else 0.0
        unexplained |= (labels == k) & (distance > max(limit, by_chance))
    return unexplained


def _distance_to_mixtures(points, centres):
    """Squared distance of points to the nearest mixture of two centres, array (n_points,)."""
    nearest = np.min([((points - centre) ** 2).sum(axis=1) for centre in centres], axis=0)
    for one, other in itertools.combinations(centres, 2):
        step = other - one
        share = np.clip((points - one) @ step / max(step @ step, 1e-12), 0, 1)
        rest = points - one - share[:, None] * step
        nearest = np.minimum(nearest, (rest**2).sum(axis=1))
    return nearest


def _smooth(values, keep, sigma):
    """Gaussian average over the map of values at the kept pixels; the others count as zero."""
    image = np.zeros(keep.shape, dtype=np.float32)
    image[keep] = values
    return ndimage.gaussian_filter(image, sigma, mode="constant")[keep]


def _centre_weight(sigma, n_dim):
    """Weight of the pixel itself in the Gaussian average."""
    impulse = np.zeros(2 * int(4 * sigma + 0.5) + 1)
    impulse[len(impulse) // 2] = 1
    return ndimage.gaussian_filter1d(impulse, sigma, mode="constant").max() ** n_dim


#: Widest neighbourhood in pixels that makes sense: beyond, neighbours are no neighbours.
WIDEST = 20


def neighbourhood_width(neighbourhood, pixels_are_weak, counts_per_pixel, n_dim):
    """Gaussian sigma of the pixels that help each other, or the user's."""
    if neighbourhood != "auto":
        number = isinstance(neighbourhood, int | float | np.number)
        if not number or isinstance(neighbourhood, bool) or not 0 <= neighbourhood <= WIDEST:
            raise ValueError(
                f"`neighbourhood` must be 'auto' or a Gaussian sigma of 0 to {WIDEST} pixels, not "
                f"{neighbourhood!r}."
            )
        return float(neighbourhood)
    return automatic_neighbourhood(counts_per_pixel, n_dim) if pixels_are_weak else 0.0
