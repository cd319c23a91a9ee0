"""The phases of a map's clusters: what `clusters.phases` needs to know of signals and results."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.clusters.catalogue import WORKFLOWS
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.clusters.phases import phase_spectra
from hyperspy_clusterquant.clusters.selection import evidence_of
from hyperspy_clusterquant.counts.pixels import read_pixels
from hyperspy_clusterquant.signals.axes import blur_scales, counts_of, energy_in_kev
from hyperspy_clusterquant.signals.spectra import check_some_counts

#: Share of the spectra that pixels were labelled by that energies must hold for these to say how.
NEARLY_ALL = 0.99
NOT_KNOWN_HOW = (
    "The result does not say by which spectra its pixels were labelled, as those of older versions "
    "and of binned maps: what the compositions owe to the selection of pixels by their own counts "
    "is not taken off. Cluster the map again for that"
)

CROPPED = (
    "The energy axis was cropped after clustering: what the compositions owe to the selection of "
    "pixels by counts that are gone is not taken off. Quantify the map before s.isig for that"
)


def phases_of(signal, result, progress):
    """Spectra of the clusters of a result and of their phases, in one pass over the data.

    Parameters
    ----------
    signal : ClusteredEDSSpectrum
    result : ClusterResult
        On its map.
    progress : callable

    Returns
    -------
    phases : PhaseSpectra
    keep : array of bool (map shape)
        Pixels that take part.
    """
    energy = energy_in_kev(signal)
    every = np.arange(len(energy))
    with one_blas_thread():
        pixels = read_pixels(
            counts_of(signal), energy, every, result.labels == MASKED, progress, needed=False
        )
    check_some_counts(pixels.totals, result.cluster_names)
    memberships = result.memberships[:, pixels.keep].T
    evidence = _evidence(result, memberships, pixels.keep, energy)
    return phase_spectra(pixels, memberships, evidence, blur_scales(signal), progress), pixels.keep


def remarks_of_selection(result, energy):
    """What is to be said if it is not known what the clusters owe to selection, list of str.

    For a result on a map with some energies (channels,), in keV.
    """
    workflow = WORKFLOWS.get(result.workflow)
    if result.n_clusters < 2 or workflow is None or not workflow.follows_counts:
        return []
    if result.label_spectra is None:
        return [NOT_KNOWN_HOW]
    if _on_energies(result.label_spectra, result.energy, energy) is None:
        return [CROPPED]
    return []


def _evidence(result, memberships, keep, energy):
    """How the memberships follow from the counts; of labels by hand they do not."""
    known = result.parameters
    spectra = None
    if result.label_spectra is not None:
        spectra = _on_energies(result.label_spectra, result.energy, energy)
    if spectra is None:
        nothing = np.ones((result.n_clusters, len(energy)))
        return evidence_of(memberships, nothing, keep, 0.0, True)
    is_pooled = known.get("components_are", "spectrum") != "spectrum"
    sigma = known.get("neighbourhood_used", 0.0)
    return evidence_of(memberships, spectra, keep, sigma, is_pooled)


def _on_energies(spectra, energy, wanted):
    """Spectra at the channels nearest to some energies; None if these miss some of their counts."""
    step = np.median(np.diff(energy)) if len(energy) > 1 else 1.0
    reach = max(step, np.median(np.diff(wanted)) if len(wanted) > 1 else 1.0)
    inside = (energy > wanted[0] - reach) & (energy < wanted[-1] + reach)
    if spectra[:, inside].sum() < NEARLY_ALL * spectra.sum():
        return None
    nearest = np.clip(np.searchsorted(energy, wanted - step / 2), 0, len(energy) - 1)
    near = np.abs(energy[nearest] - wanted) <= reach
    return np.where(near, spectra[:, nearest], 0.0)
