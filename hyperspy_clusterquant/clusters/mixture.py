"""Gaussian mixtures of scores, and how many Gaussians."""

from __future__ import annotations

import warnings

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
    mixture = fit_mixture(fitted, n_clusters, covariance_type, n_init, seed)
    return np.concatenate(
        [
            mixture.predict_proba(scores[start : start + MIXTURE_PIXELS]).astype(np.float32)
            for start in range(0, len(scores), MIXTURE_PIXELS)
        ]
    )


def choose_n_clusters(scores, criterion, n_spectra, covariance_type, n_init, seed, rng):
    """Number of clusters of a Gaussian mixture.

    ``"bic"`` takes the minimum of the Bayesian information criterion; with many pixels it goes on
    to split, because mixed pixels at interfaces and clusters that are not normal need more
    than one Gaussian each. ``"auto"`` therefore asks of mixtures of 1, 2, ... Gaussians
    how many groups are left when those without a gap between them are joined
    (`join_without_gap`), and takes the number found most often: it stays the
    same while further Gaussians are added. Phases that mix without a gap, as the shells and cores
    of small particles do, are missed by that; but components of the counts that
    strong need at least one spectrum more than there are components, so there are never fewer
    clusters.

    Parameters
    ----------
    scores : array (pixels, n_components)
        Whitened scores.
    criterion : {"auto", "bic"}
        See above.
    n_spectra : int
        Fewest spectra whose mixtures make the strong components, for ``"auto"``.
    covariance_type, n_init, seed
        As in `fit_mixture`.
    rng : numpy.random.Generator
        Draws the pixels to choose on.

    Returns
    -------
    n_clusters : int
    n_separated : int
        How many of them gaps separate; for ``"bic"``, that is not asked: all.
    curve : array (n_tried,)
        For 1, 2, ... Gaussians, the number of groups with gaps between them, or the
        BIC per pixel.

    References
    ----------
    C. Hennig, Adv. Data Anal. Classif. 4 (2010) 3, on joining components of mixtures.
    """
    most = max(len(scores) // CLUSTER_PIXELS, 1)
    if len(scores) > SELECTION_PIXELS:
        scores = scores[np.sort(rng.choice(len(scores), SELECTION_PIXELS, replace=False))]
    scores = scores.astype(np.float64)
    curve = []
    for n_clusters in range(1, min(MOST_CLUSTERS, most) + 1):
        mixture = fit_mixture(scores, n_clusters, covariance_type, n_init, seed)
        if criterion == "bic":
            curve.append(mixture.bic(scores) / len(scores))
        else:
            curve.append(join_without_gap(scores, mixture.predict_proba(scores)).shape[1])
        # Where every Gaussian is a group, there may be more to find.
        if n_clusters >= MAX_CLUSTERS and (criterion == "bic" or curve[-1] < n_clusters):
            break
    curve = np.array(curve)
    if criterion == "bic":
        return int(curve.argmin()) + 1, int(curve.argmin()) + 1, curve
    found, how_often = np.unique(curve, return_counts=True)
    separated = found[how_often == how_often.max()].max()
    return int(min(max(separated, n_spectra), most)), int(separated), curve
