"""HyperSpy signal classes with clustering and quantification."""

from hyperspy_clusterquant.signals.clustered_eds import (
    ClusteredEDSSpectrum,
    LazyClusteredEDSSpectrum,
)
from hyperspy_clusterquant.signals.standards import calibrate_kfactors

__all__ = ["ClusteredEDSSpectrum", "LazyClusteredEDSSpectrum", "calibrate_kfactors"]


def __dir__():
    return sorted(__all__)
