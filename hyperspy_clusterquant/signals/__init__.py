"""Signals: the classes that HyperSpy users hold, with methods that check, call and wrap.

In: what users ask of a map, its counts and its metadata; out: results, which are kept in the
metadata and follow the map. Only here, in `images` and in `data`, HyperSpy and exspy are known.
Nothing is computed but what a user asked for, and nothing is imported from `data`.
"""

from hyperspy_clusterquant.signals.clustered_eds import (
    ClusteredEDSSpectrum,
    LazyClusteredEDSSpectrum,
)
from hyperspy_clusterquant.signals.label_maps import ClusterLabelMap, LazyClusterLabelMap
from hyperspy_clusterquant.signals.standards import calibrate_kfactors

__all__ = [
    "ClusterLabelMap",
    "ClusteredEDSSpectrum",
    "LazyClusterLabelMap",
    "LazyClusteredEDSSpectrum",
    "calibrate_kfactors",
]


def __dir__():
    return sorted(__all__)
