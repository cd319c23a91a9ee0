"""Scores or an embedding to labels and memberships."""

from __future__ import annotations

import itertools
import tempfile
import warnings
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, spatial

#: Largest number of clusters that "bic" tries, and that "auto" tries first and at most.
MAX_CLUSTERS, MOST_CLUSTERS = 8, 16
#: Pixels from which the number of clusters is chosen, drawn where there are more.
SELECTION_PIXELS = 10_000
#: Learning pixels that the mixture is fitted to, drawn where there are more.
MIXTURE_PIXELS = 2**16
#: Fewest learning pixels that are worth a cluster.
CLUSTER_PIXELS = 10
#: HDBSCAN proposes clusters down to this share of the landmarks, or to what is asked for.
PROPOSED_SHARE = 0.03
#: Size of HDBSCAN's coarser proposals, in units of the finer.
COARSER = 5 / 3
#: Significance (standard deviations) of a valley in the scores that separates two clusters ...
GAP_SIGNIFICANCE = 2.5
#: ... its density, at most this share of the lower of its two rims ...
SHALLOWEST_VALLEY = 0.8
#: ... and the resolution with which it is looked for, in shot noise of one pixel, or as a
#: share of the distance between the clusters where they are far apart.
GAP_RESOLUTION, GAP_RESOLUTION_FAR = 0.5, 0.1
#: Points from which the density is estimated where rare landmarks are drawn, how many of them are
#: near, and the most dimensions that a volume has: in more, all is empty.
DENSITY_PIXELS, DENSITY_NEAREST, MOST_DIMENSIONS = 2000, 5, 3
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


def mixture_memberships(scores, n_clusters, covariance_type, n_init, seed, rng):
    """Responsibilities of a Gaussian mixture, array of float32 (pixels, n_clusters).

    Parameters as in `gaussian_mixture`; one cluster needs no fit. Of more than
    `MIXTURE_PIXELS`, the mixture is fitted to so many, drawn with `rng`.
    """
    if n_clusters == 1:
        return np.ones((len(scores), 1), dtype=np.float32)
    fitted = scores[draw_landmarks(len(scores), MIXTURE_PIXELS, rng)]
    mixture = gaussian_mixture(fitted, n_clusters, covariance_type, n_init, seed)
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
    (`merge_without_gap`), and takes the number found most often: it stays the
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
        As in `gaussian_mixture`.
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
        mixture = gaussian_mixture(scores, n_clusters, covariance_type, n_init, seed)
        if criterion == "bic":
            curve.append(mixture.bic(scores) / len(scores))
        else:
            curve.append(merge_without_gap(scores, mixture.predict_proba(scores)).shape[1])
        # Where every Gaussian is a group, there may be more to find.
        if n_clusters >= MAX_CLUSTERS and (criterion == "bic" or curve[-1] < n_clusters):
            break
    curve = np.array(curve)
    if criterion == "bic":
        return int(curve.argmin()) + 1, int(curve.argmin()) + 1, curve
    found, how_often = np.unique(curve, return_counts=True)
    separated = found[how_often == how_often.max()].max()
    return int(min(max(separated, n_spectra), most)), int(separated), curve


def density_clusters(
    embedding, scores, min_cluster_size, min_samples, method, epsilon, n_spectra=1
):
    """Clusters of an embedding by density that gaps in the scores separate.

    HDBSCAN's finest clusters, the leaves of its tree, are joined where no gap separates
    them (`merge_without_gap`): which clumps the embedding makes, and which of them HDBSCAN takes
    together, depends on chance and settings, the gaps do not. A gap can still hide inside a
    clump, so that is done with leaves of two sizes, and what separates more clusters is
    taken. What is noise, the selection method decides: with ``"eom"`` points between leaves
    of one of its clusters go with the nearest.

    Parameters
    ----------
    embedding : array (points, dimensions)
        UMAP embedding.
    scores : array (points, n_components)
        Whitened scores of the same points.
    min_cluster_size : int
        Fewest points that make a cluster.
    min_samples, method, epsilon
        ``min_samples``, ``cluster_selection_method`` and ``cluster_selection_epsilon`` of
        `hdbscan.HDBSCAN`.
    n_spectra : int
        As in `choose_n_clusters`: no more clusters are joined when so many are left.

    Returns
    -------
    memberships : array (points, n_clusters)
        Rows of zeros are noise.
    n_proposed : int
        Number of clusters before they were joined.

    References
    ----------
    L. McInnes, J. Healy and S. Astels, J. Open Source Softw. 2 (2017) 205.
    """
    best = None
    with tempfile.TemporaryDirectory(prefix="clusterquant-") as folder:
        # Another way to select clusters takes no other tree: they are kept in a folder.
        for factor in COARSER, 1:
            settings = (round(factor * min_cluster_size), min_samples)
            leaves = hdbscan_memberships(embedding, *settings, "leaf", epsilon, folder)
            joined = merge_without_gap(scores, leaves, n_spectra)
            if best is None or joined.shape[1] > best[0].shape[1]:
                best = joined, leaves.shape[1], settings
        joined, n_proposed, settings = best
        if method != "eom" or not joined.shape[1]:
            return joined, n_proposed
        selected = hdbscan_memberships(embedding, *settings, method, epsilon, folder).any(axis=1)
    in_leaf = joined.any(axis=1)
    between = selected & ~in_leaf
    joined[between], _ = extend_from_landmarks(scores[in_leaf], joined[in_leaf], scores[between])
    return joined, n_proposed


def hdbscan_memberships(embedding, min_cluster_size, min_samples, method, epsilon, folder):
    """Cluster an embedding with HDBSCAN.

    Parameters
    ----------
    embedding : array (points, dimensions)
        UMAP embedding.
    min_cluster_size : int
        Fewest points that make a cluster.
    min_samples, method, epsilon
        As in `density_clusters`.
    folder : str
        Where trees are kept for the next call.

    Returns
    -------
    array (points, n_clusters)
        Each point's membership strength in its own cluster; a row of zeros is noise.
    """
    from hdbscan import HDBSCAN

    clusterer = HDBSCAN(
        min_cluster_size=min_cluster_size,
        min_samples=min_samples,
        cluster_selection_method=method,
        cluster_selection_epsilon=float(epsilon),
        core_dist_n_jobs=1,
        memory=folder,
    ).fit(np.asarray(embedding, dtype=np.float64))
    memberships = np.zeros((len(embedding), clusterer.labels_.max() + 1))
    clustered = np.flatnonzero(clusterer.labels_ >= 0)
    memberships[clustered, clusterer.labels_[clustered]] = clusterer.probabilities_[clustered]
    return memberships


def merge_without_gap(scores, memberships, fewest=1):
    """Join clusters that no gap in the scores separates.

    UMAP tears a continuous cloud apart and HDBSCAN takes the pieces for clusters; a
    mixture of more Gaussians than phases splits them too. In the scores, where the shot
    noise of a pixel is 1, two real clusters are two modes. Each pair is projected on the
    direction that separates it best (Fisher); the pair with the least significant valley
    between its modes (the nearest of those without any) is joined, until all valleys are
    significant and deep enough.

    Parameters
    ----------
    scores : array (points, n_components)
        Whitened scores.
    memberships : array (points, n_clusters)
        From `hdbscan_memberships` or `mixture_memberships`; rows of zeros are noise.
    fewest : int
        Clusters that are left at least.

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
    labels = np.where(memberships.any(axis=1), memberships.argmax(axis=1), -1)
    groups = [[piece] for piece in _pieces(scores, labels, memberships.shape[1])]
    members = [[k] for k in range(len(groups))]
    # A gap between two groups is the larger of that between all their points and the smallest
    # between their pieces. The latter is known at once, and a lower bound until the former is.
    gaps = np.full((len(groups), len(groups)), np.inf)
    for k, other in itertools.combinations(range(len(groups)), 2):
        gaps[k, other] = _gap(groups[k], groups[other])
    smallest = gaps.copy()
    exact = np.ones_like(gaps, dtype=bool)
    while len(groups) > max(fewest, 1):
        k, other = np.unravel_index(gaps.argmin(), gaps.shape)
        if not exact[k, other]:
            gaps[k, other] = max(gaps[k, other], _gap(groups[k], groups[other]))
            exact[k, other] = True
            continue
        if gaps[k, other] >= GAP_SIGNIFICANCE:
            break
        groups[k] += groups.pop(other)
        members[k] += members.pop(other)
        both = np.fmin(smallest, smallest.T)
        both[k] = both[:, k] = np.fmin(both[k], both[other])
        left = np.delete(np.arange(len(both)), other)
        above = np.triu(np.ones((len(left), len(left)), dtype=bool), 1)
        smallest = np.where(above, both[np.ix_(left, left)], np.inf)
        gaps, exact = gaps[np.ix_(left, left)], exact[np.ix_(left, left)]
        for changed in (np.s_[k, :], np.s_[:, k]):
            gaps[changed], exact[changed] = smallest[changed], False
    return np.stack([memberships[:, group].sum(axis=1) for group in members], axis=1)


@dataclass(frozen=True)
class _Piece:
    """Points of a cluster, their mean and scatter, and what fills the space around them."""

    points: np.ndarray
    mean: np.ndarray
    scatter: np.ndarray
    with_noise: np.ndarray


def _pieces(scores, labels, n_clusters):
    """Each cluster with the noise that is nearest to it, which fills a valley all the same."""
    members = [scores[labels == k] for k in range(n_clusters)]
    centres = np.array(
        [m.mean(axis=0) if len(m) else np.full(scores.shape[1], np.inf) for m in members]
    )
    noise = scores[labels == -1]
    present = np.flatnonzero(np.isfinite(centres[:, 0]))
    nearest = present[:0]
    if len(noise) and len(present):
        nearest = present[spatial.cKDTree(centres[present]).query(noise)[1]]
    return [
        _Piece(
            points, centre, (points - centre).T @ (points - centre),
            np.concatenate([points, noise[nearest == k]]) if len(noise) else points,
        )
        for k, (points, centre) in enumerate(zip(members, centres, strict=True))
    ]  # fmt: skip


def _gap(first, second):
    """Standard deviations by which the valley between two groups lies below its rims.

    Without a valley it is negative, the more so the nearer the groups are in units of their spread.
    """
    centres, scatters, sizes = [], [], []
    for group in (first, second):
        numbers = np.array([len(piece.points) for piece in group], dtype=float)
        if not numbers.sum():
            return -1.0
        means = np.array([piece.mean for piece in group if len(piece.points)])
        numbers = numbers[numbers > 0]
        centre = numbers @ means / numbers.sum()
        off = means - centre
        scatters.append(
            sum(piece.scatter for piece in group if len(piece.points)) + (off.T * numbers) @ off
        )
        centres.append(centre)
        sizes.append(numbers.sum())
    spread = sum(scatters) / sum(sizes) + 1e-3 * np.eye(len(centres[0]))
    direction = np.linalg.solve(spread, centres[1] - centres[0])
    apart = float(np.sqrt((centres[1] - centres[0]) @ direction))
    no_valley = -1 / (1 + apart)
    length = np.linalg.norm(direction)
    if length == 0:
        return no_valley
    direction /= length
    points = np.concatenate([piece.with_noise for piece in (*first, *second)])
    position = (points - centres[0]) @ direction
    distance = (centres[1] - centres[0]) @ direction
    resolution = max(GAP_RESOLUTION, GAP_RESOLUTION_FAR * distance)
    step = resolution / 10
    # Counts in a Gaussian window; their variance is the window's effective share of them.
    edges = np.arange(-6 * resolution, distance + 6 * resolution, step)
    counts = np.histogram(position, edges)[0].astype(float)
    density = ndimage.gaussian_filter1d(counts, resolution / step, mode="constant")
    effective = 2 * np.sqrt(np.pi) * resolution / step
    middle = int(np.searchsorted(edges, distance / 2))
    left = int(density[:middle].argmax())
    right = middle + int(density[middle:].argmax())
    rim = min(density[left], density[right])
    valley = density[left : right + 1].min()
    if valley > SHALLOWEST_VALLEY * rim:
        return no_valley
    return float((rim - valley) / np.sqrt((rim + valley) / effective))


def draw_landmarks(n_points, n_landmarks, rng):
    """Sorted numbers of the points to learn from, all of them if there are few enough."""
    if n_points <= n_landmarks:
        return np.arange(n_points)
    return np.sort(rng.choice(n_points, n_landmarks, replace=False))


def draw_rare_landmarks(scores, n_landmarks, rng):
    """Sorted numbers of points to learn from, of which rare kinds are a larger share.

    Half are drawn at random. The others are drawn evenly over the space that the scores fill:
    with the volume that a point has for itself, known from its distance to the nearest of
    some points, as probability.

    Parameters
    ----------
    scores : array (points, n_components)
        Whitened scores.
    n_landmarks : int
        Number of landmarks, fewer than points; a few less are drawn.
    rng : numpy.random.Generator

    Returns
    -------
    array of int
    """
    at_random = draw_landmarks(len(scores), n_landmarks // 2, rng)
    some = scores[draw_landmarks(len(scores), DENSITY_PIXELS, rng)]
    n_nearest = min(DENSITY_NEAREST, len(some))
    distance = spatial.cKDTree(some).query(scores, k=[n_nearest], workers=-1)[0][:, 0]
    volume = np.maximum(distance, 1e-6) ** min(scores.shape[1], MOST_DIMENSIONS)
    evenly = rng.choice(
        len(scores), n_landmarks - len(at_random), replace=False, p=volume / volume.sum()
    )
    return np.union1d(at_random, evenly)


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
