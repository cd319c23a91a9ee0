"""Pixels labelled with the clusters that were learned on another map."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.clusters.likelihood import cluster_shares, discriminant_scores
from hyperspy_clusterquant.clusters.neighbours import neighbourhood_width
from hyperspy_clusterquant.clusters.pca_gmm import _on_map
from hyperspy_clusterquant.clusters.refine import memberships_of, versions
from hyperspy_clusterquant.counts.bins import LEARNING_COUNTS
from hyperspy_clusterquant.counts.features import channel_mask, merge_sparse_features, rebin_spectra
from hyperspy_clusterquant.counts.packed import column_sums, sum_columns
from hyperspy_clusterquant.counts.pixels import read_pixels

#: Share of a spectrum's counts that must lie in the energies of the map to be assigned.
ENERGY_OVERLAP = 0.9


def assignment(pixels, setting, spectra, energy, progress):
    """Label pixels with the clusters that were learned on another one.

    Parameters
    ----------
    pixels, setting, progress
        As in `gaussian_mixture`; of the setting, what concerns learning is not used.
    spectra : array (n_clusters, channels of the other map)
        Summed counts of the clusters.
    energy : array (channels of the other map,)
        Energies of the channels in keV.

    Returns
    -------
    dict
        As of `gaussian_mixture`.

    Raises
    ------
    ValueError
        If the energies of the two maps do not fit.
    """
    progress("labels")
    used = pixels.channels >= 0
    known = rebin_spectra(spectra, energy, setting.energy)
    before = spectra[:, channel_mask(energy, setting.energy_range, setting.excluded)].sum()
    if known[:, used].sum() < ENERGY_OVERLAP * before:
        raise ValueError(
            f"The energies of the map, {setting.energy[0]:.3g} to {setting.energy[-1]:.3g} keV, "
            f"hold only {known[:, used].sum() / before:.0%} of the counts that the clusters were "
            f"learned from, at {energy[0]:.3g} to {energy[-1]:.3g} keV. Check the energy axes; "
            "learn again with an `energy_range` that both maps cover."
        )
    # Nothing is known of the clusters where their map had no channels.
    step = (energy[-1] - energy[0]) / max(len(energy) - 1, 1)
    used &= (setting.energy > energy[0] - step / 2) & (setting.energy < energy[-1] + step / 2)
    channels = np.where(used, pixels.channels, -1)
    covered = np.unique(channels[used])
    totals = pixels.blocks.sum(column_sums)
    groups = np.full(len(totals), -1)
    groups[covered] = merge_sparse_features(totals[covered])
    known = sum_columns(
        sparse.csr_array(known[:, used]), groups[channels[used]], groups.max() + 1
    ).toarray()
    pixel_counts = pixels.blocks.only(groups=groups)
    sigma = neighbourhood_width(
        setting.neighbourhood, pixels.per_pixel < LEARNING_COUNTS, pixels.per_pixel,
        pixels.keep.ndim,
    )  # fmt: skip
    memberships, _ = memberships_of(
        pixel_counts, known, np.ones(len(known)), None, pixels.keep, sigma
    )
    found = pixel_counts.map(discriminant_scores, cluster_shares(known))
    scores, doses = map(np.concatenate, zip(*found, strict=True))
    scores *= np.sqrt(max(np.median(doses), 1.0))
    return {
        "labels": memberships.argmax(axis=1),
        "memberships": memberships,
        "scores": scores,
        "eigenvalues": np.zeros(0),
        "noise_edge": np.nan,
        "parameters": {"neighbourhood_used": sigma, "versions": versions()},
    }


@one_blas_thread()
def assign_clusters(data, setting, spectra, energy, progress):
    """Label a map with the clusters that were learned on another one.

    Parameters
    ----------
    data, progress
        As in `cluster_pca_gmm`.
    setting, spectra, energy
        As in `workflows.assignment`.

    Returns
    -------
    dict
        As of `cluster_pca_gmm`.
    """
    pixels = read_pixels(data, setting, progress)
    found = assignment(pixels, setting, spectra, energy, progress)
    return _on_map(data, pixels.keep, found, progress)
