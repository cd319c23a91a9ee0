"""Scores or an embedding to labels and memberships."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
from scipy import ndimage, spatial, special

#: Largest number of clusters that `choose_n_clusters` tries.
MAX_CLUSTERS = 8
#: Pixels from which the number of clusters is chosen, drawn where there are more.
SELECTION_PIXELS = 10_000
#: Share of the best criterion's gain over one cluster that settles the number.
SUFFICIENT_GAIN = 0.95
#: Evidence (counts) that "auto" pools to label a pixel of a binned map.
POOLED_COUNTS = 120
#: Significance (standard deviations) of a valley in the scores that separates two clusters ...
GAP_SIGNIFICANCE = 2.5
#: ... its density, at most this share of the lower of its two rims ...
SHALLOWEST_VALLEY = 0.8
#: ... and the resolution with which it is looked for, in shot noise of one pixel.
GAP_RESOLUTION = 0.5
#: Landmarks that vote on the membership of another pixel.
N_VOTES = 15


def gaussian_mixture(scores, n_clusters, covariance_type, n_init, seed):
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


def mixture_memberships(scores, n_clusters, covariance_type, n_init, seed):
    """Responsibilities of a Gaussian mixture, array (pixels, n_clusters).

    Parameters as in `gaussian_mixture`; one cluster needs no fit.
    """
    if n_clusters == 1:
        return np.ones((len(scores), 1))
    mixture = gaussian_mixture(scores, n_clusters, covariance_type, n_init, seed)
    return mixture.predict_proba(scores)


def choose_n_clusters(scores, criterion, covariance_type, n_init, seed, rng):
    """Number of clusters of a Gaussian mixture.

    ``"bic"`` takes the minimum of the Bayesian information criterion. ``"auto"`` takes the
    integrated completed likelihood, which adds the uncertainty of the labels to
    the BIC and so is drawn less to the mixed pixels of interfaces, and of that the smallest
    number that reaches 95 % of the best gain over one cluster.

    Parameters
    ----------
    scores : array (pixels, n_components)
        Whitened scores.
    criterion : {"auto", "bic"}
        See above.
    covariance_type, n_init, seed
        As in `gaussian_mixture`.
    rng : numpy.random.Generator
        Draws the pixels to choose on.

    Returns
    -------
    n_clusters : int
    curve : array (n_tried,)
        Criterion per pixel for 1, 2, ... clusters, lower is better.

    References
    ----------
    C. Biernacki, G. Celeux and G. Govaert, IEEE Trans. PAMI 22 (2000) 719.
    """
    if len(scores) < 2:
        return 1, np.zeros(1)
    if len(scores) > SELECTION_PIXELS:
        scores = scores[np.sort(rng.choice(len(scores), SELECTION_PIXELS, replace=False))]
    scores = scores.astype(np.float64)
    curve = []
    for n_clusters in range(1, min(MAX_CLUSTERS, len(scores)) + 1):
        mixture = gaussian_mixture(scores, n_clusters, covariance_type, n_init, seed)
        value = mixture.bic(scores)
        if criterion == "auto":
            responsibilities = mixture.predict_proba(scores)
            value -= 2 * special.xlogy(responsibilities, responsibilities).sum()
        curve.append(value / len(scores))
    curve = np.array(curve)
    if criterion == "bic":
        return int(curve.argmin()) + 1, curve
    gain = curve[0] - curve
    if gain.max() <= 0:
        return 1, curve
    return int(np.argmax(gain >= SUFFICIENT_GAIN * gain.max())) + 1, curve


def hdbscan_memberships(embedding, min_cluster_size, min_samples, selection_method):
    """Cluster an embedding by density.

    Parameters
    ----------
    embedding : array (points, dimensions)
        UMAP embedding.
    min_cluster_size : int
        Fewest points that make a cluster.
    min_samples, selection_method
        As in `hdbscan.HDBSCAN`.

    Returns
    -------
    array (points, n_clusters)
        Each point's membership strength in its own cluster; a row of zeros is noise.

    References
    ----------
    L. McInnes, J. Healy and S. Astels, J. Open Source Softw. 2 (2017) 205.
    """
    from hdbscan import HDBSCAN

    clusterer = HDBSCAN(
        min_cluster_size=min_cluster_size,
        min_samples=min_samples,
        cluster_selection_method=selection_method,
        core_dist_n_jobs=1,
    ).fit(np.asarray(embedding, dtype=np.float64))
    memberships = np.zeros((len(embedding), clusterer.labels_.max() + 1))
    clustered = np.flatnonzero(clusterer.labels_ >= 0)
    memberships[clustered, clusterer.labels_[clustered]] = clusterer.probabilities_[clustered]
    return memberships


def merge_without_gap(scores, memberships):
    """Join clusters of an embedding that no gap in the scores separates.

    UMAP tears a continuous cloud apart and HDBSCAN takes the pieces for clusters. In the
    scores, where the shot noise of a pixel is 1, two real clusters are two modes. Each
    pair is projected on the direction that separates it best (Fisher); the pair with the
    least significant valley between its modes is joined, until all valleys are
    significant and deep enough.

    Parameters
    ----------
    scores : array (points, n_components)
        Whitened scores.
    memberships : array (points, n_clusters)
        From `hdbscan_memberships`; rows of zeros are noise.

    Returns
    -------
    array (points, n_clusters or fewer)

    References
    ----------
    The argument for mixtures of two normals (bimodal only if more than two
    standard deviations apart) is in J. Behboodian, Technometrics 12 (1970) 131.
    """
    if memberships.shape[1] < 2:
        return memberships
    scores = scores.astype(np.float64)
    significance = {}
    groups = [[k] for k in range(memberships.shape[1])]
    while len(groups) > 1:
        joined = np.array([memberships[:, group].sum(axis=1) for group in groups])
        labels = np.where(joined.any(axis=0), joined.argmax(axis=0), -1)
        for pair in itertools.combinations(range(len(groups)), 2):
            key = tuple(tuple(groups[k]) for k in pair)
            if key not in significance:
                significance[key] = _gap_significance(scores, labels, *pair)
        weakest = min(
            itertools.combinations(range(len(groups)), 2),
            key=lambda pair: significance[tuple(tuple(groups[k]) for k in pair)],
        )
        if significance[tuple(tuple(groups[k]) for k in weakest)] >= GAP_SIGNIFICANCE:
            break
        k, other = weakest
        groups[k] = groups[k] + groups.pop(other)
    return np.stack([memberships[:, group].sum(axis=1) for group in groups], axis=1)


def _gap_significance(scores, labels, k, other):
    """Standard deviations by which the valley between two clusters lies below its rims."""
    members = [scores[labels == cluster] for cluster in (k, other)]
    centres = [member.mean(axis=0) for member in members]
    spread = sum((m - c).T @ (m - c) for m, c in zip(members, centres, strict=True))
    spread = spread / sum(map(len, members)) + 1e-3 * np.eye(scores.shape[1])
    direction = np.linalg.solve(spread, centres[1] - centres[0])
    direction /= np.linalg.norm(direction)
    # Points that HDBSCAN calls noise fill a valley all the same.
    noise = scores[labels == -1]
    used = np.concatenate([*members, noise[_is_between(noise, scores, labels, (k, other))]])
    position = (used - centres[0]) @ direction
    distance = (centres[1] - centres[0]) @ direction
    step = GAP_RESOLUTION / 10
    edges = np.arange(min(0, distance) - 3, max(0, distance) + 3, step)
    counts = np.histogram(position, edges)[0].astype(float)
    # Counts in a Gaussian window; their variance is the window's effective share of them.
    density = ndimage.gaussian_filter1d(counts, GAP_RESOLUTION / step, mode="constant")
    effective = 2 * np.sqrt(np.pi) * GAP_RESOLUTION / step
    middle = int(np.searchsorted(edges, distance / 2))
    first = int(density[:middle].argmax())
    second = middle + int(density[middle:].argmax())
    rim = min(density[first], density[second])
    valley = density[first : second + 1].min()
    if valley > SHALLOWEST_VALLEY * rim:
        return 0.0
    return float((rim - valley) / np.sqrt((rim + valley) / effective))


def _is_between(noise, scores, labels, pair):
    """Which of the noise points are nearer to the clusters of the pair than to any other."""
    n_clusters = labels.max() + 1
    centres = np.array([scores[labels == k].mean(axis=0) for k in range(n_clusters)])
    nearest = spatial.cKDTree(centres).query(noise)[1] if len(noise) else np.empty(0, int)
    return np.isin(nearest, pair)


def draw_landmarks(n_points, n_landmarks, rng):
    """Sorted numbers of the points to learn from, all of them if there are few enough."""
    if n_points <= n_landmarks:
        return np.arange(n_points)
    return np.sort(rng.choice(n_points, n_landmarks, replace=False))


def extend_from_landmarks(landmark_scores, landmark_memberships, scores):
    """Memberships of all points from their nearest landmarks in the score space.

    Parameters
    ----------
    landmark_scores : array (landmarks, n_components)
        Scores of the landmarks.
    landmark_memberships : array (landmarks, n_clusters)
        Their memberships.
    scores : array (points, n_components)
        Scores of the points to label.

    Returns
    -------
    memberships : array (points, n_clusters)
        Mean over the nearest landmarks.
    is_noise : array of bool (points,)
        True where most of the nearest landmarks are noise.
    """
    tree = spatial.cKDTree(landmark_scores)
    k = min(N_VOTES, len(landmark_scores))
    _, nearest = tree.query(scores, k=k, workers=-1)
    nearest = nearest.reshape(len(scores), k)
    noise = ~landmark_memberships.any(axis=1)
    return landmark_memberships[nearest].mean(axis=1), noise[nearest].mean(axis=1) > 0.5


def automatic_neighbourhood(counts_per_pixel, n_dim):
    """Gaussian sigma in pixels that pools `POOLED_COUNTS` counts, 0 if a pixel has them.

    Examples
    --------
    >>> automatic_neighbourhood(200, 2)
    0.0
    >>> round(automatic_neighbourhood(9, 2), 1)
    1.0
    """
    if counts_per_pixel >= POOLED_COUNTS or counts_per_pixel <= 0:
        return 0.0
    # A Gaussian kernel averages (4 pi sigma^2)^(n/2) pixels.
    sigma = (POOLED_COUNTS / counts_per_pixel) ** (1 / n_dim) / np.sqrt(4 * np.pi)
    return float(min(sigma, 3.0))


def likelihood_memberships(counts, spectra, prior, keep, sigma, rates=None):
    r"""Posterior probabilities of full-resolution pixels under the clusters' spectra.

    The Poisson log-likelihood of the counts of pixel i under cluster k, up to a constant,
    is :math:`\sum_j X_{ij} \log p_{kj}`. It is averaged over the neighbours with a Gaussian
    and multiplied by the number of pixels that the Gaussian averages.

    Parameters
    ----------
    counts : scipy.sparse.csr_array (kept pixels, features)
        Counts X.
    spectra : array (n_clusters, features)
        Summed counts of each cluster.
    prior : array (n_clusters,)
        Share of each cluster in the map.
    keep : array of bool (map shape)
        Pixels that take part.
    sigma : float
        Width of the Gaussian in pixels, 0 = each pixel alone.
    rates : array (n_clusters,), optional
        Counts per pixel of each cluster, where clusters may differ in dose as well.

    Returns
    -------
    array (kept pixels, n_clusters)
        Rows sum to one.
    """
    # One pseudo-count per cluster, spread like the map's mean, keeps the logarithm finite.
    mean = spectra.sum(axis=0) + 1e-9
    shares = spectra + mean / mean.sum()
    shares /= shares.sum(axis=1, keepdims=True)
    evidence = counts @ np.log(shares).T
    if rates is not None:
        doses = np.asarray(counts.sum(axis=1), dtype=float).reshape(-1, 1)
        evidence += doses * np.log(np.maximum(rates, 1e-9)) - rates
    if sigma > 0:
        pooled = (4 * np.pi * sigma**2) ** (keep.ndim / 2)
        weight = ndimage.gaussian_filter(keep.astype(float), sigma)[keep]
        for k in range(evidence.shape[1]):
            image = np.zeros(keep.shape)
            image[keep] = evidence[:, k]
            evidence[:, k] = ndimage.gaussian_filter(image, sigma)[keep] / weight * max(pooled, 1.0)
    return special.softmax(evidence + np.log(np.maximum(prior, 1e-12)), axis=1)


def drop_empty_and_sort(labels, memberships):
    """Renumber clusters densely, largest first.

    Parameters
    ----------
    labels : array of int (pixels,)
        0 .. n-1, -1 = noise.
    memberships : array (pixels, n_clusters)
        In the order of the labels.

    Returns
    -------
    labels : array of int (pixels,)
    memberships : array (pixels, n_clusters)
    order : array of int
        Old number of each new cluster.
    """
    sizes = np.bincount(labels[labels >= 0], minlength=memberships.shape[1])
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] > 0]
    new_number = np.full(len(sizes) + 1, -1)
    new_number[order] = np.arange(len(order))
    return new_number[labels], memberships[:, order], order
