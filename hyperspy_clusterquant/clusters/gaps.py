"""Gaps in the scores: what separates clusters, and what does not."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, spatial

#: Significance (standard deviations) of a valley in the scores that separates two clusters ...
GAP_SIGNIFICANCE = 2.5
#: ... its density, at most this share of the lower of its two rims ...
SHALLOWEST_VALLEY = 0.8
#: ... and the resolution with which it is looked for, in shot noise of one pixel, or as a
#: share of the distance between the clusters where they are far apart.
GAP_RESOLUTION, GAP_RESOLUTION_FAR = 0.5, 0.1


def join_without_gap(scores, memberships, fewest=1, halves=None):
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
    halves : Halves, optional
        Two clusters with a border between them on the map are not joined, gap or no gap.

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
        if halves is not None:
            one, another = (np.isin(labels, members[i]) for i in (k, other))
            if one.any() and another.any() and halves.have_border(scores, one, another):
                gaps[k, other] = np.inf
                continue
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
