"""What a detector makes of X-ray lines: counts in the channels of a spectrum."""

from __future__ import annotations

import numpy as np
from scipy import special

from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.emission import alpha_emission
from hyperspy_clusterquant.xrays.lines import alpha_lines, known_families

FWHM_TO_SIGMA = 1 / np.sqrt(8 * np.log(2))


def channel_edges(energy):
    """Energies between the channels of an even axis, array (channels + 1,)."""
    step = energy[1] - energy[0]
    return np.append(energy - step / 2, energy[-1] + step / 2)


def peak_profile(edges, energies, weights, resolution):
    """Counts of some lines, Gaussian peaks integrated over the channels.

    Parameters
    ----------
    edges : array (channels + 1,)
        Energies between the channels in keV.
    energies, weights : array (n_lines,)
        Of the lines, in keV and counts.
    resolution : float
        Full width at half maximum at Mn K-alpha in eV.

    Returns
    -------
    array (channels,)
    """
    sigma = fwhm_at_energy(energies, resolution) * FWHM_TO_SIGMA
    cumulative = special.ndtr((edges[:, None] - energies) / sigma)
    return np.diff(cumulative, axis=0) @ np.asarray(weights)


def element_profiles(energy, elements, beam_energy, resolution):
    """Counts of all lines of each element together, as theory has them.

    Not one family after the other: the ratio of two of an element tells thickness, not composition.

    Parameters
    ----------
    energy : array (channels,)
        In keV.
    elements : sequence of str
    beam_energy : float
        In keV.
    resolution : float
        Full width at half maximum at Mn K-alpha in eV.

    Returns
    -------
    array (n_elements, channels)
        Without elements that have no line there.
    """
    edges, profiles = channel_edges(energy), []
    for element in elements:
        photons = _photons(alpha_lines([element], energy[0], energy[-1]), beam_energy)
        if photons:
            # Of an M shell only the family of its alpha line: theory does not know how strong the
            # others are beside it.
            of_families = [
                peak_profile(edges, family.energies, family.weights, resolution)
                for family in known_families(photons, beam_energy)
                if family.alpha in photons
            ]
            profiles.append(np.array(list(photons.values())) @ np.array(of_families))
    return np.array(profiles).reshape(-1, len(energy))


def _photons(alphas, beam_energy):
    """Photons of alpha lines of an element, as theory has them."""
    photons = {}
    for alpha in alphas:
        try:
            photons[alpha] = alpha_emission(alpha, beam_energy)[1]
        except ValueError:  # nothing is known of this shell
            continue
    return photons
