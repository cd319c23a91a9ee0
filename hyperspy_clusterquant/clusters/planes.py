"""Planes on which clusters are seen apart, and how points lie on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, ndimage

from hyperspy_clusterquant._frozen import Frozen

#: Share of a cluster's points within its outline.
WITHIN = 0.9
#: Share of a cluster's points that may lie beyond the picture on either side.
BEYOND = 0.002
#: Bins of the picture along each axis: as many as leave about so many points in a bin of a full
#: picture, within limits.
POINTS_PER_BIN, BINS = 1.0, (40, 140)
#: Free at each side, as a share of the picture, so that no outline is cut.
MARGIN = 0.15
#: Smoothing of the outlines, as a share of the picture; finer, few points make them ragged.
SMOOTHING = 0.025


@dataclass(frozen=True, eq=False)
class Density(Frozen):
    """How points lie on a plane, or along a line.

    Attributes
    ----------
    edges : tuple of array
        Of the bins: along x, and along y if it is a plane.
    counts : array (n_y, n_x) or (n_x,)
        Points in each bin.
    of_clusters : array (n_clusters, ...)
        Those of each cluster, smoothed on a plane.
    levels : array (n_clusters,)
        Smoothed density around 90 % of each cluster; NaN for a cluster without points.
    """

    edges: tuple
    counts: np.ndarray
    of_clusters: np.ndarray
    levels: np.ndarray


def separating_plane(points, labels, n_clusters):
    """Directions along which clusters are most apart, by linear discriminant analysis.

    Every cluster counts the same, however large it is. Where fewer than three clusters leave a
    direction open, it is the one in which the points vary most.

    Parameters
    ----------
    points : array (n, dimensions)
    labels : array of int (n,)
        Cluster of each point; negative ones are in none.
    n_clusters : int

    Returns
    -------
    array (dimensions, 2)
        Columns, or a single one if there is one dimension. Along them, the standard deviation
        within clusters is 1.

    References
    ----------
    C. R. Rao, J. R. Stat. Soc. B 10 (1948) 159.
    """
    points = np.asarray(points, dtype=float)
    known = [points[labels == k] for k in range(n_clusters) if np.any(labels == k)] or [points]
    means = np.array([of.mean(axis=0) for of in known])
    inner = np.concatenate([of - mean for of, mean in zip(known, means, strict=True)])
    within = inner.T @ inner / len(inner)
    # Where nothing varies within clusters, neither does noise: a share of the largest keeps it.
    scale = np.trace(within) or 1.0
    within += 1e-9 * scale * np.eye(len(within))
    n_directions = min(2, points.shape[1])
    apart = np.cov(means.T, bias=True).reshape(within.shape) if len(known) > 1 else 0 * within
    _, directions = linalg.eigh(apart, within)
    n_apart = min(n_directions, len(known) - 1)
    chosen = list(directions[:, ::-1][:, :n_apart].T)
    while len(chosen) < n_directions:
        chosen.append(_most_varying(points - points.mean(axis=0), chosen))
    chosen = [d * np.sign(d[np.abs(d).argmax()]) / np.sqrt(d @ within @ d) for d in chosen]
    return np.array(chosen).T


def _most_varying(points, directions):
    """Direction in which points vary most, at a right angle to others."""
    if directions:
        basis = np.linalg.qr(np.array(directions).T)[0]
        points = points - points @ basis @ basis.T
    return np.linalg.eigh(points.T @ points)[1][:, -1]


def density_on(points, labels, n_clusters):
    """How points lie on a plane.

    Parameters
    ----------
    points : array (n, 2) or (n, 1)
    labels : array of int (n,)
    n_clusters : int

    Returns
    -------
    Density
    """
    each = [points[labels == k] for k in range(n_clusters)]
    known = [of for of in each if len(of)] or [points]
    low = np.min([np.quantile(of, BEYOND, axis=0) for of in known], axis=0)
    high = np.max([np.quantile(of, 1 - BEYOND, axis=0) for of in known], axis=0)
    margin = MARGIN * (high - low) + 1e-6
    n_bins = int(np.clip((len(points) / POINTS_PER_BIN) ** 0.5, *BINS))
    edges = tuple(
        np.linspace(*ends, n_bins + 1) for ends in zip(low - margin, high + margin, strict=True)
    )

    def counted(of):
        return np.histogramdd(of, edges)[0].T

    each_counted = [counted(of) for of in each]
    # The numbers of a histogram are read; of a plane, only the outlines are drawn.
    width = SMOOTHING * n_bins if points.shape[1] > 1 else 0
    smooth = [ndimage.gaussian_filter(of, width, mode="constant") for of in each_counted]
    levels = [_level(*both) for both in zip(smooth, each_counted, strict=True)]
    shape = (n_clusters, *(n_bins,) * points.shape[1])
    return Density(edges, counted(points), np.reshape(smooth, shape), np.array(levels))


def _level(smooth, counted):
    """Smoothed density above which 90 % of the points lie, NaN if there are none."""
    order = np.argsort(-smooth, axis=None, kind="stable")
    summed = np.cumsum(counted.ravel()[order])
    if not summed[-1] > 0:
        return np.nan
    return smooth.ravel()[order[np.searchsorted(summed, WITHIN * summed[-1])]]
