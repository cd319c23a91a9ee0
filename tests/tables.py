"""Tables of significance, stability and agreement as users hold them, made of a few numbers."""

import numpy as np

from hyperspy_clusterquant import compare_clusterings
from hyperspy_clusterquant.evidence.consolidation import Merger
from hyperspy_clusterquant.evidence.judgement import not_judged
from hyperspy_clusterquant.evidence.variation import Correlations
from hyperspy_clusterquant.evidence.verdicts import MergerKind
from hyperspy_clusterquant.results.clusters import ClusterResult
from hyperspy_clusterquant.results.line_maps import MapSignificance
from hyperspy_clusterquant.results.significance import SignificanceTable
from hyperspy_clusterquant.results.stability import stability

AXES = (
    {"name": "y", "scale": 2.0, "offset": 0.0, "units": "nm", "size": 4},
    {"name": "x", "scale": 2.0, "offset": 0.0, "units": "nm", "size": 6},
)


def result(n_clusters=3, **more):
    labels = (np.arange(24) % (n_clusters + 1)).reshape(4, 6) - 1
    labels[0, 0] = -2
    memberships = (labels == np.arange(n_clusters)[:, None, None]).astype(float)
    scores = np.zeros((23, 1))
    return ClusterResult("a", "pca_gmm", labels, memberships, scores, [2.0], 1.0, axes=AXES, **more)


def pairs(n, value):
    """The same value for every pair, NaN on the diagonal."""
    values = np.full((n, n), float(value))
    np.fill_diagonal(values, np.nan)
    return values


def significance(n=3, elements=("Cu", "Zn"), **more):
    """Clusters that are distinct, and found again."""
    of = result(n)
    difference = np.subtract.outer(np.arange(n), np.arange(n))[..., None] * [[[10.0, -10.0]]]
    given = vars(not_judged(n, len(elements))) | {
        "p_values": pairs(n, 1e-9),
        "adjusted_p_values": pairs(n, 1e-8),
        "n_tested": np.full((n, n), 5),
        "difference": difference,
        "difference_std": np.ones((n, n, 2)),
        "element_p_values": np.full((n, n, 2), 1e-7),
        "result": of,
        "elements": elements,
        "n_splits": 5,
        "level": 0.05,
        "overlap": np.full(n, 0.9),
        "explained_by_counts": np.full(n, 0.1),
        "nearest": (np.arange(n) + 1) % n,
        "consolidated": of,
        "mergers": (Merger(((2,), (1,)), MergerKind.INTERFACE, "between them"),)[: n - 2],
    }
    return SignificanceTable(**given | more)


def line_maps(n=4, **more):
    """Lines that vary and are correlated."""
    correlations = Correlations(np.full((n, n), 0.8), np.full((n, n), 0.1), pairs(n, 1e-9))
    given = {
        "xray_lines": ("Cu_Ka", "Zn_Ka", "Fe_Ka", "S_Ka")[:n],
        "counts_per_pixel": np.full(n, 10.0),
        "dispersion": np.full(n, 3.0),
        "dispersion_beyond_thickness": np.full(n, 2.0),
        "p_values_no_variation": np.full(n, 1e-9),
        "p_values": np.full(n, 1e-8),
        "variation": np.full(n, 0.2),
        "variation_std": np.full(n, 0.01),
        "correlations_beyond_noise": correlations,
        "correlations_beyond_thickness": correlations,
        "images": np.arange(n * 24, dtype=np.float32).reshape(n, 4, 6),
        "binning": 1,
        "n_bins": 24,
        "level": 0.05,
        "axes": AXES,
    }
    return MapSignificance(**given | more)


def stable():
    of = result()
    kept = of.labels[of.labels != -2]
    return stability(of, [kept, np.where(kept == 2, 1, kept)])


def comparison():
    return compare_clusterings(result(), result(2))
