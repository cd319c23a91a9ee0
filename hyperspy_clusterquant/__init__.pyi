from . import data
from ._version import __version__
from .diagnostics import ClusteringComparison, compare_clusterings
from .quantification.kfactors import theoretical_kfactors
from .results import ClusterResult, CompositionTable
from .signals import ClusteredEDSSpectrum, LazyClusteredEDSSpectrum

__all__ = [
    "ClusterResult",
    "ClusteredEDSSpectrum",
    "ClusteringComparison",
    "CompositionTable",
    "LazyClusteredEDSSpectrum",
    "__version__",
    "compare_clusterings",
    "data",
    "theoretical_kfactors",
]
