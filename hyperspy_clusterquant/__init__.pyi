from . import data
from ._version import __version__
from .diagnostics import ClusteringComparison, compare_clusterings
from .quantification.composition import CompositionTable
from .quantification.kfactors import KFactors, convert_kfactors, theoretical_kfactors
from .results import ClusterResult
from .signals import ClusteredEDSSpectrum, LazyClusteredEDSSpectrum, calibrate_kfactors

__all__ = [
    "ClusterResult",
    "ClusteredEDSSpectrum",
    "ClusteringComparison",
    "CompositionTable",
    "KFactors",
    "LazyClusteredEDSSpectrum",
    "__version__",
    "calibrate_kfactors",
    "compare_clusterings",
    "convert_kfactors",
    "data",
    "theoretical_kfactors",
]
