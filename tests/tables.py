"""Tables as users hold them, made of a few numbers."""

import numpy as np

from hyperspy_clusterquant import compare_clusterings
from hyperspy_clusterquant.evidence.consolidation import Merger
from hyperspy_clusterquant.evidence.judgement import not_judged
from hyperspy_clusterquant.evidence.variation import Correlations
from hyperspy_clusterquant.evidence.verdicts import MergerKind
from hyperspy_clusterquant.results.clusters import ClusterResult
from hyperspy_clusterquant.results.composition import CompositionTable
from hyperspy_clusterquant.results.line_maps import MapSignificance
from hyperspy_clusterquant.results.significance import SignificanceTable
from hyperspy_clusterquant.results.stability import stability_of
from hyperspy_clusterquant.xrays.kfactors import KFactors

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
        "difference_covariance": np.tile([[1.0, -1.0], [-1.0, 1.0]], (n, n, 1, 1)),
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
        "gradual_width": np.full((n, n), np.nan),
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
        "p_values_with_absorption": np.full(n, 1e-8),
        "p_values": np.full(n, 1e-8),
        "variation": np.full(n, 0.2),
        "variation_std": np.full(n, 0.01),
        "correlations_beyond_noise": correlations,
        "correlations_beyond_thickness": correlations,
        "images": np.arange(n * 24, dtype=np.float32).reshape(n, 4, 6),
        "scales": (1,),
        "p_values_of_scales": np.full((1, n), 1e-8),
        "binning": (1,) * n,
        "n_bins": (24,) * n,
        "level": 0.05,
        "axes": AXES,
    }
    return MapSignificance(**given | more)


def stable():
    of = result()
    kept = of.labels[of.labels != -2]
    return stability_of(of, [kept, np.where(kept == 2, 1, kept)])


def comparison():
    return compare_clusterings(result(), result(2))


def covariance(stds):
    """Two elements that add up to 100 at%: their errors are opposite."""
    return np.array([[[s**2, -(s**2)], [-(s**2), s**2]] for s in stds])


def composition(**changes):
    """Two elements in two clusters."""
    values = {
        "cluster_names": ("core", "the_shell"),
        "elements": ("Fe", "Pt"),
        "xray_lines": ("Fe_Ka", "Pt_La"),
        "atomic_percent": np.array([[25.412, 74.588], [99.13, 0.87]]),
        "weight_percent": np.array([[8.9, 91.1], [97.0, 3.0]]),
        "covariance_counting": covariance([0.3, 0.2]),
        "covariance_kfactor": covariance([0.4, 0.0]),
        "weight_percent_std": np.array([[0.2, 0.2], [0.5, 0.5]]),
        "intensities": np.array([[100.0, 200.0], [300.0, 1.0]]),
        "intensities_std": np.array([[10.0, 15.0], [17.0, 3.0]]),
        "unconstrained_intensities": np.array([[100.0, 200.0], [300.0, 1.0]]),
        "absorption_factors": np.ones((2, 2)),
        "kfactors": KFactors({"Fe_Ka": 1.45, "Pt_La": 5.08}),
        "configurational_entropy": np.array([0.567, np.nan]),
        "configurational_entropy_std": np.array([0.004, np.nan]),
    }
    return CompositionTable(**(values | changes))
