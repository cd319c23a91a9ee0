"""HyperSpy signal classes with clustering and quantification."""

from hyperspy_clusterquant.signals.clustered_eds import (
    ClusteredEDSSpectrum,
    LazyClusteredEDSSpectrum,
)

__all__ = ["ClusteredEDSSpectrum", "LazyClusteredEDSSpectrum"]


def __dir__():
    return sorted(__all__)
