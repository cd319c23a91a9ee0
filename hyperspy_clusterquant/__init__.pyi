from . import data
from ._version import __version__
from .results.comparison import ClusteringComparison, compare_clusterings
from .results.significance import SignificanceTable
from .results.stability import ClusterStability
from .results.line_maps import MapSignificance
from .results.composition import CompositionTable
from .xrays.kfactors import KFactors
from .xrays.theory import convert_kfactors, theoretical_kfactors
from .results.clusters import ClusterResult
from .signals import ClusteredEDSSpectrum, LazyClusteredEDSSpectrum, calibrate_kfactors

__all__ = [
    "ClusterResult",
    "ClusteredEDSSpectrum",
    "ClusterStability",
    "ClusteringComparison",
    "CompositionTable",
    "KFactors",
    "LazyClusteredEDSSpectrum",
    "MapSignificance",
    "SignificanceTable",
    "__version__",
    "calibrate_kfactors",
    "compare_clusterings",
    "convert_kfactors",
    "data",
    "theoretical_kfactors",
]
