"""Pictures: arrays, names and colours come in, matplotlib axes go out, and nothing is computed.

Results and signals draw through it. It imports nothing from them, and of the evidence only the
words of its verdicts; matplotlib is imported when something is drawn.
"""

from hyperspy_clusterquant.plotting.charts import plot_criterion, plot_scree
from hyperspy_clusterquant.plotting.compositions import (
    plot_composition,
    plot_composition_matrix,
    plot_ternary,
)
from hyperspy_clusterquant.plotting.elements import plot_element_maps
from hyperspy_clusterquant.plotting.maps import (
    plot_agreement,
    plot_label_map,
    plot_label_maps,
    plot_line_maps,
    plot_membership_maps,
)
from hyperspy_clusterquant.plotting.pairs import plot_comparison, plot_correlations, plot_pairs
from hyperspy_clusterquant.plotting.profiles import plot_profile
from hyperspy_clusterquant.plotting.residuals import plot_residuals
from hyperspy_clusterquant.plotting.spaces import plot_density, plot_tree
from hyperspy_clusterquant.plotting.spectra import plot_peak_fit, plot_spectra
from hyperspy_clusterquant.plotting.style import cluster_colours, map_of

__all__ = [
    "cluster_colours",
    "map_of",
    "plot_agreement",
    "plot_comparison",
    "plot_composition",
    "plot_composition_matrix",
    "plot_correlations",
    "plot_criterion",
    "plot_density",
    "plot_element_maps",
    "plot_label_map",
    "plot_label_maps",
    "plot_line_maps",
    "plot_membership_maps",
    "plot_pairs",
    "plot_peak_fit",
    "plot_profile",
    "plot_residuals",
    "plot_scree",
    "plot_spectra",
    "plot_ternary",
    "plot_tree",
]
