from . import data
from ._version import __version__
from .diagnostics.agreement import ClusteringComparison, compare_clusterings
from .diagnostics.significance import SignificanceTable
from .diagnostics.stability import ClusterStability
from .diagnostics.variation import MapSignificance
from .quantification.composition import CompositionTable
from .quantification.kfactors import KFactors, convert_kfactors, theoretical_kfactors
from .results import ClusterResult
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
