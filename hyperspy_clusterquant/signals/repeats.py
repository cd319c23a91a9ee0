"""A result as a recipe: the same clustering, to be done again on other counts of its pixels."""

from __future__ import annotations

from hyperspy_clusterquant.clusters.assign import assignment
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.clusters.pca_gmm import gaussian_mixture
from hyperspy_clusterquant.clusters.umap_hdbscan import DensitySetting, umap_hdbscan
from hyperspy_clusterquant.counts.pixels import Setting
from hyperspy_clusterquant.evidence.splits import Repeat
from hyperspy_clusterquant.signals.axes import energy_in_kev
from hyperspy_clusterquant.xrays.lines import excluded_windows
from hyperspy_clusterquant.xrays.profiles import of_declared_elements

_DENSITY = (
    "n_dimensions", "n_neighbors", "min_dist", "metric", "min_samples",
    "cluster_selection_method", "cluster_selection_epsilon", "n_landmarks",
)  # fmt: skip


def repeat_of(signal, result, random_state):
    """The clustering that made a result, with what it chose for itself on the way.

    Parameters
    ----------
    signal : ClusteredEDSSpectrum
        Map of the result.
    result : ClusterResult
        Also one whose clusters were merged, dropped or renamed since.
    random_state : int
        Seed of what is random in the workflow.

    Returns
    -------
    Repeat
    """
    known = result.parameters
    _check_known(result)
    detector = signal.metadata.Acquisition_instrument.TEM.Detector.EDS
    energy_range = known.get("energy_range")
    setting = Setting(
        energy=energy_in_kev(signal),
        normalize=known.get("normalize", True),
        energy_range=None if energy_range is None else tuple(energy_range),
        excluded=excluded_windows(
            known.get("exclude_lines") or (), float(detector.energy_resolution_MnKa)
        ),
        navigation_mask=result.labels == MASKED,
        n_components=result.n_components,
        binning=known.get("binning_used", "auto"),
        neighbourhood=known.get("neighbourhood_used", "auto"),
        random_state=random_state,
        line_profiles=lambda: of_declared_elements(signal, known.get("exclude_lines") or ()),
        components_are=known.get("components_are", "spectrum"),
    )
    return Repeat(setting, {
        "pca_gmm": _gaussian_mixture,
        "umap_hdbscan": _umap_hdbscan,
        "assigned": _assignment,
    }[result.workflow](result))  # fmt: skip


_NEEDED = {
    "pca_gmm": ("n_clusters", "covariance_type", "n_init"),
    "umap_hdbscan": ("min_cluster_size", "smallest_cluster_pixels", *_DENSITY),
    "assigned": (),
}


def _check_known(result):
    """Raise unless the result says how it was made."""
    if result.workflow not in _NEEDED:
        raise ValueError(
            f"The clusters of {result.name!r} were made by {result.workflow!r}, which cannot be "
            "done again. Use a result of s.cluster_pca_gmm() or s.cluster_umap_hdbscan()."
        )
    missing = [name for name in _NEEDED[result.workflow] if name not in result.parameters]
    if missing:
        raise ValueError(
            f"The result {result.name!r} does not say how it was made ({', '.join(missing)} not in "
            "its parameters), so it cannot be done again. Cluster the map again."
        )


def _gaussian_mixture(result):
    known = result.parameters
    n_clusters = known["n_clusters"]
    if isinstance(n_clusters, str):
        n_clusters = known.get("n_clusters_found", result.n_clusters)

    def workflow(pixels, setting, progress):
        return gaussian_mixture(
            pixels, setting, n_clusters, known["covariance_type"], known["n_init"], progress
        )

    return workflow


def _umap_hdbscan(result):
    known = result.parameters
    density = DensitySetting(**{name: known[name] for name in _DENSITY})

    def workflow(pixels, setting, progress):
        smallest = known["min_cluster_size"]
        if smallest != "auto":
            smallest = min(known["smallest_cluster_pixels"], len(pixels.totals))
        return umap_hdbscan(pixels, setting, smallest, density, progress)

    return workflow


def _assignment(result):
    spectra, energy = result.learned_spectra, result.learned_energy

    def workflow(pixels, setting, progress):
        return assignment(pixels, setting, spectra, energy, progress)

    return workflow
