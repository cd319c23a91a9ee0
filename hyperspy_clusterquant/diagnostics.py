"""Agreement of clusterings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True, eq=False)
class ClusteringComparison:
    """How two clusterings of the same map agree.

    Attributes
    ----------
    contingency : array of int (n_clusters_a, n_clusters_b)
        Pixels in cluster i of a and cluster j of b.
    matched : dict of int: int
        Cluster of b that each cluster of a matches best, one to one.
    ari, ami : float
        Adjusted Rand index and adjusted mutual information over the pixels that both keep;
        noise counts as a group of its own.
    """

    contingency: np.ndarray
    matched: dict
    ari: float
    ami: float


def compare_clusterings(a, b):
    """Compare two clusterings of the same map.

    Parameters
    ----------
    a, b : ClusterResult or array of int (map shape)
        Results, or labels where -1 is noise and -2 left out.

    Returns
    -------
    ClusteringComparison

    Raises
    ------
    ValueError
        If the maps differ in shape or keep no pixel in common.

    References
    ----------
    L. Hubert and P. Arabie, J. Classif. 2 (1985) 193; N. X. Vinh, J. Epps and J. Bailey,
    J. Mach. Learn. Res. 11 (2010) 2837.

    Examples
    --------
    >>> comparison = compare_clusterings(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    >>> comparison.ari, comparison.matched
    (1.0, {0: 1, 1: 0})
    """
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    labels = [np.asarray(getattr(x, "labels", x)) for x in (a, b)]
    if labels[0].shape != labels[1].shape:
        raise ValueError(
            f"The clusterings belong to maps of different shapes, {labels[0].shape} and "
            f"{labels[1].shape}. Crop or rebin the maps alike first."
        )
    both = (labels[0] > -2) & (labels[1] > -2)
    if not both.any():
        raise ValueError("No pixel is kept by both clusterings: their masks leave out everything.")
    a, b = (x[both] for x in labels)
    contingency = np.zeros((max(a.max() + 1, 0), max(b.max() + 1, 0)), dtype=int)
    clustered = (a >= 0) & (b >= 0)
    np.add.at(contingency, (a[clustered], b[clustered]), 1)
    rows, columns = linear_sum_assignment(-contingency)
    return ClusteringComparison(
        contingency=contingency,
        matched=dict(zip(rows.tolist(), columns.tolist(), strict=True)),
        ari=float(adjusted_rand_score(a, b)),
        ami=float(adjusted_mutual_info_score(a, b)),
    )
