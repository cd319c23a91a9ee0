"""Pictures: arrays, names and colours come in, matplotlib axes go out, and nothing is computed.

Results and signals draw through it. It imports nothing from them, and of the evidence only the
words of its verdicts; matplotlib is imported when something is drawn.
"""

from hyperspy_clusterquant.plotting.charts import plot_composition, plot_criterion, plot_scree
from hyperspy_clusterquant.plotting.maps import plot_agreement, plot_label_map, plot_line_maps
from hyperspy_clusterquant.plotting.pairs import plot_comparison, plot_correlations, plot_pairs
from hyperspy_clusterquant.plotting.profiles import plot_profile
from hyperspy_clusterquant.plotting.residuals import plot_residuals
from hyperspy_clusterquant.plotting.spectra import plot_peak_fit, plot_spectra

__all__ = [
    "plot_agreement",
    "plot_comparison",
    "plot_composition",
    "plot_correlations",
    "plot_criterion",
    "plot_label_map",
    "plot_line_maps",
    "plot_pairs",
    "plot_peak_fit",
    "plot_profile",
    "plot_residuals",
    "plot_scree",
    "plot_spectra",
]
