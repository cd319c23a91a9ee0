"""Gaussian mixtures of scores, and how many Gaussians."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from hyperspy_clusterquant.clusters.embedding import draw_landmarks
from hyperspy_clusterquant.clusters.gaps import join_without_gap

#: Largest number of clusters that "bic" tries, and that "auto" tries first and at most.
MAX_CLUSTERS, MOST_CLUSTERS = 8, 16
#: Pixels from which the number of clusters is chosen, drawn where there are more.
SELECTION_PIXELS = 10_000
#: Learning pixels that the mixture is fitted to, drawn where there are more.
MIXTURE_PIXELS = 2**16
#: Fewest learning pixels that are worth a cluster.
CLUSTER_PIXELS = 10


def fit_mixture(scores, n_clusters, covariance_type, n_init, seed):
    """Fit a Gaussian mixture.

    Parameters
    ----------
    scores : array (pixels, n_components)
        Whitened scores.
    n_clusters : int
        Number of components of the mixture.
    covariance_type, n_init
        As in `sklearn.mixture.GaussianMixture`.
    seed : int
        Seed of the initialisations.

    Returns
    -------
    sklearn.mixture.GaussianMixture
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(
        n_clusters,
        covariance_type=covariance_type,
        n_init=n_init,
        max_iter=500,
        reg_covar=1e-3,  # a thousandth of the shot noise of a typical pixel
        random_state=seed,
    )
    with warnings.catch_warnings():
        # Fewer distinct points than clusters leaves clusters empty; they are dropped later.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(scores.astype(np.float64))


def mixture_memberships(scores, n_clusters, covariance_type, n_init, seed, rng):
    """Responsibilities of a Gaussian mixture, array of float32 (pixels, n_clusters).

    Parameters as in `fit_mixture`; one cluster needs no fit. Of more than
    `MIXTURE_PIXELS`, the mixture is fitted to so many, drawn with `rng`.
    """
    if n_clusters == 1:
        return np.ones((len(scores), 1), dtype=np.float32)
    fitted = scores[draw_landmarks(len(scores), MIXTURE_PIXELS, rng)]
    return _predicted(fit_mixture(fitted, n_clusters, covariance_type, n_init, seed), scores)


def least_bic(scores, covariance_type, n_init, seed, rng):
    """Number of Gaussians with the least Bayesian information criterion.

    With many pixels it goes on to split, because mixed pixels at interfaces and clusters that are
    not normal need more than one Gaussian each.

    Parameters
    ----------
    scores : array (pixels, n_components)
        Whitened scores.
    covariance_type, n_init, seed
        As in `fit_mixture`.
    rng : numpy.random.Generator
        Draws the pixels to choose on.

    Returns
    -------
    n_clusters : int
    curve : array (n_tried,)
        BIC per pixel for 1, 2, ... Gaussians.
    """
    most = max(len(scores) // CLUSTER_PIXELS, 1)
    scores = _some(scores, rng).astype(np.float64)
    curve = [
        fit_mixture(scores, n, covariance_type, n_init, seed).bic(scores) / len(scores)
        for n in range(1, min(MAX_CLUSTERS, most) + 1)
    ]
    return int(np.argmin(curve)) + 1, np.array(curve)


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of Gaussians.

    Attributes
    ----------
    curve : array (n_tried,)
        Number of groups that are separated, for 1, 2, ... Gaussians.
    starts : list of array (pixels, n_clusters)
        Memberships in the groups that are separated, and if these are fewer than the components
        need spectra, in as many.
    """

    curve: np.ndarray
    starts: list


def separated_groups(scores, n_spectra, covariance_type, n_init, seed, rng, halves=None):
    """Groups of the Gaussians of mixtures that are left when those without a gap are joined.

    Mixtures of 1, 2, ... Gaussians are asked how many groups are left (`join_without_gap`), and
    the largest that is found twice is taken: it stays the same while further Gaussians are added.
    Phases that mix without a gap, as the shells and cores of small particles do, are missed by
    that; but components of the counts that strong need at least one spectrum more than there are
    components.

    Parameters
    ----------
    scores : array (pixels, n_components)
        Whitened scores.
    n_spectra : int
        Fewest spectra whose mixtures make the strong components.
    covariance_type, n_init, seed, rng
        As of `least_bic`.
    halves : Halves, optional
        Of the same pixels, for borders between clusters.

    Returns
    -------
    Groups

    References
    ----------
    C. Hennig, Adv. Data Anal. Classif. 4 (2010) 3, on joining components of mixtures.
    """
    most = max(len(scores) // CLUSTER_PIXELS, 1)
    fitted = _some(scores, rng).astype(np.float64)
    joined_on = scores.astype(np.float64) if halves is not None else fitted
    mixtures, curve, joined = [], [], []
    for n_clusters in range(1, min(MOST_CLUSTERS, most) + 1):
        mixtures.append(fit_mixture(fitted, n_clusters, covariance_type, n_init, seed))
        known = mixtures[-1].predict_proba(joined_on)
        joined.append(join_without_gap(joined_on, known, halves=halves))
        curve.append(joined[-1].shape[1])
        # Where every Gaussian is a group, there may be more to find.
        if n_clusters >= MAX_CLUSTERS and curve[-1] < n_clusters:
            break
    curve = np.array(curve)
    found, how_often = np.unique(curve, return_counts=True)
    separated = found[how_often >= min(2, how_often.max())].max()
    first = int(np.argmax(curve == separated))
    starts = [_memberships_by(mixtures[first], scores, joined_on, joined[first])]
    wanted = min(n_spectra, most)
    if separated < wanted:
        starts.append(_predicted(mixtures[wanted - 1], scores))
    return Groups(curve, starts)


def _memberships_by(mixture, scores, joined_on, joined):
    """Memberships of all pixels in groups of Gaussians that were joined on some."""
    known = mixture.predict_proba(joined_on)
    # Each Gaussian is in the group that its points are in.
    group = np.array(
        [joined[known.argmax(axis=1) == k].sum(axis=0).argmax() for k in range(known.shape[1])]
    )
    each = _predicted(mixture, scores)
    return np.stack([each[:, group == g].sum(axis=1) for g in range(joined.shape[1])], axis=1)


def _predicted(mixture, scores):
    return np.concatenate(
        [
            mixture.predict_proba(scores[start : start + MIXTURE_PIXELS]).astype(np.float32)
            for start in range(0, len(scores), MIXTURE_PIXELS)
        ]
    )


def _some(scores, rng):
    """No more pixels than a number of clusters is chosen on."""
    if len(scores) <= SELECTION_PIXELS:
        return scores
    return scores[np.sort(rng.choice(len(scores), SELECTION_PIXELS, replace=False))]
