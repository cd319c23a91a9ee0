"""Agreement of two clusterings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from hyperspy_clusterquant._frozen import Frozen, FrozenDict
from hyperspy_clusterquant._text import Coloured, beside, in_html
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.evidence.matching import contingency_table, jaccard_indices
from hyperspy_clusterquant.images import image
from hyperspy_clusterquant.plotting import map_of, plot_comparison
from hyperspy_clusterquant.plotting.style import cluster_colours
from hyperspy_clusterquant.plotting.thumbnails import grey_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperspy.signals import BaseSignal
    from matplotlib.axes import Axes

    from hyperspy_clusterquant.results.clusters import ClusterResult


@dataclass(frozen=True, eq=False, repr=False)
class ClusteringComparison(Frozen):
    """How two clusterings, a and b, of the same map agree.

    Attributes
    ----------
    contingency : array of int (n_clusters_a, n_clusters_b)
        Pixels in cluster i of a and cluster j of b.
    matched : FrozenDict of int: int
        Cluster of b that each cluster of a matches best, one to one, so that as many pixels as
        possible agree.
    overlap : array (n_clusters_a,)
        Pixels that a cluster of a and its match have in common, of all that either has (Jaccard's
        index); 0 without a match.
    disagreement : array of int8 (map shape)
        1 = the pixel is not in matched clusters, and not noise in both; 0 = it is; -2 = left out
        by one of them.
    ari, ami : float
        Adjusted Rand index and adjusted mutual information over the pixels that both keep;
        noise counts as a group of its own.
    names : tuple of tuple of str
        Names of the clusters of a and of b.
    axes : tuple of dict
        Navigation axes of the map, if known.
    """

    contingency: np.ndarray
    matched: FrozenDict
    overlap: np.ndarray
    disagreement: np.ndarray
    ari: float
    ami: float
    names: tuple
    axes: tuple = ()

    @property
    def agreement(self) -> float:
        """Share of the pixels kept by both that agree."""
        return float(np.mean(self.disagreement[self.disagreement != MASKED] == 0))

    def __repr__(self) -> str:
        head = f"<ClusteringComparison: {self._summary()}>"
        lines = [f"  {name} = {other}: overlap {size}" for name, other, size in self._matches()]
        return "\n".join([head, *lines])

    def _repr_html_(self):
        first, second = (cluster_colours(len(names)) for names in self.names)
        rows = [("first clustering", "second clustering", "overlap")]
        for k, (name, other, overlap) in enumerate(self._matches()):
            match = self.matched.get(k)
            other = other if match is None else Coloured(other, second[match])
            rows.append((Coloured(name, first[k]), other, overlap))
        where = "white: where they disagree"
        picture = grey_picture((self.disagreement == 1).astype(float), self.axes, where, 180)
        return in_html([self._summary(), beside(picture, [rows])])

    def _summary(self):
        scores = f"ARI {self.ari:.3f}, AMI {self.ami:.3f}"
        return f"{scores}, {self.agreement:.1%} of the pixels agree"

    def _matches(self):
        """Name of each cluster, of its match, and their overlap."""
        matches = [self.matched.get(cluster) for cluster in range(len(self.names[0]))]
        others = ["no match" if match is None else self.names[1][match] for match in matches]
        sizes = [f"{overlap:.2f}" for overlap in self.overlap]
        return list(zip(self.names[0], others, sizes, strict=True))

    def disagreement_map(self) -> BaseSignal:
        """Where on the map the two disagree, as a HyperSpy image of `disagreement`."""
        return image(self.disagreement, self.axes, "Disagreement")

    def plot(self, axes: Sequence[Axes] | None = None, *, index: int = 0) -> np.ndarray:
        """Draw the contingency table and where the two disagree.

        Parameters
        ----------
        axes : sequence of two matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.
        index : int
            Number of the map that is drawn of a stack.

        Returns
        -------
        array of matplotlib.axes.Axes
        """
        return plot_comparison(
            self.contingency, self.names, self.ari, map_of(self.disagreement, index),
            self.agreement, self.axes, axes,
        )  # fmt: skip


def compare_clusterings(
    a: ClusterResult | np.ndarray, b: ClusterResult | np.ndarray
) -> ClusteringComparison:
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
    J. Mach. Learn. Res. 11 (2010) 2837; P. Jaccard, New Phytol. 11 (1912) 37.

    Examples
    --------
    >>> comparison = compare_clusterings(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    >>> comparison
    <ClusteringComparison: ARI 1.000, AMI 1.000, 100.0% of the pixels agree>
      cluster 0 = cluster 1: overlap 1.00
      cluster 1 = cluster 0: overlap 1.00
    """
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    if signals := [x for x in (a, b) if hasattr(x, "axes_manager") and hasattr(x, "clusters")]:
        raise TypeError(
            "Give two results, such as s.clusters['pca_gmm'], or two arrays of labels (int); got "
            f"the map itself ({type(signals[0]).__name__})."
        )
    labels = [np.asarray(getattr(x, "labels", x)) for x in (a, b)]
    if any(own.dtype.kind not in "iu" for own in labels):
        raise TypeError(
            "Give two results, such as s.clusters['pca_gmm'], or two arrays of labels (int); got "
            f"{type(a).__name__} and {type(b).__name__}."
        )
    if labels[0].shape != labels[1].shape:
        raise ValueError(
            f"The clusterings belong to maps of different shapes, {labels[0].shape} and "
            f"{labels[1].shape}. Crop or rebin the maps alike first."
        )
    both = (labels[0] > MASKED) & (labels[1] > MASKED)
    if not both.any():
        raise ValueError("No pixel is kept by both clusterings: their masks leave out everything.")
    names = tuple(_names(x, own) for x, own in zip((a, b), labels, strict=True))
    first, second = (own[both] for own in labels)
    table = contingency_table(first, second, *map(len, names))
    rows, columns = linear_sum_assignment(-table)
    overlap = np.zeros(len(table))
    overlap[rows] = jaccard_indices(table, first, second)[rows, columns]
    match = np.full(len(table) + 1, -3)  # that of noise is the last
    match[rows], match[-1] = columns, -1
    disagreement = np.full(labels[0].shape, MASKED, dtype=np.int8)
    disagreement[both] = match[first] != second
    return ClusteringComparison(
        contingency=table,
        matched=FrozenDict(zip(rows.tolist(), columns.tolist(), strict=True)),
        overlap=overlap,
        disagreement=disagreement,
        ari=float(adjusted_rand_score(first, second)),
        ami=float(adjusted_mutual_info_score(first, second)),
        names=names,
        axes=getattr(a, "axes", ()) or getattr(b, "axes", ()),
    )


def _names(clustering, labels):
    """Names of the clusters of a result, or of labels alone."""
    known = getattr(clustering, "cluster_names", None)
    return known or tuple(f"cluster {k}" for k in range(max(labels.max() + 1, 0)))
