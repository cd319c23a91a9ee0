from . import data
from ._version import __version__
from .evidence.verdicts import Verdict
from .explore.explorer import ClusterExplorer
from .results.clusters import ClusterResult
from .results.comparison import ClusteringComparison, compare_clusterings
from .results.composition import CompositionTable
from .results.fractions import PhaseFractions
from .results.homogeneity import ClusterHomogeneity
from .results.line_maps import MapSignificance
from .results.profile import CompositionProfile
from .results.selection import SelectionVerdict
from .results.significance import SignificanceTable
from .results.stability import ClusterStability
from .signals import ClusteredEDSSpectrum, LazyClusteredEDSSpectrum, calibrate_kfactors
from .xrays.kfactors import KFactors
from .xrays.theory import convert_kfactors, theoretical_kfactors

__all__ = [
    "ClusterExplorer",
    "ClusterHomogeneity",
    "ClusterResult",
    "ClusteredEDSSpectrum",
    "ClusterStability",
    "ClusteringComparison",
    "CompositionProfile",
    "CompositionTable",
    "KFactors",
    "LazyClusteredEDSSpectrum",
    "MapSignificance",
    "PhaseFractions",
    "SelectionVerdict",
    "SignificanceTable",
    "Verdict",
    "__version__",
    "calibrate_kfactors",
    "compare_clusterings",
    "convert_kfactors",
    "data",
    "theoretical_kfactors",
]
