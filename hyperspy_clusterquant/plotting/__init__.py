"""Pictures of results: arrays in, matplotlib axes out, nothing computed."""

from hyperspy_clusterquant.plotting.fits import plot_peak_fit
from hyperspy_clusterquant.plotting.maps import plot_label_map
from hyperspy_clusterquant.plotting.spectra import (
    plot_composition,
    plot_criterion,
    plot_scree,
    plot_spectra,
)
from hyperspy_clusterquant.plotting.tests import (
    plot_comparison,
    plot_correlations,
    plot_line_maps,
    plot_significance,
    plot_stability,
)

__all__ = [
    "plot_comparison",
    "plot_composition",
    "plot_correlations",
    "plot_criterion",
    "plot_label_map",
    "plot_line_maps",
    "plot_peak_fit",
    "plot_scree",
    "plot_significance",
    "plot_spectra",
    "plot_stability",
]
