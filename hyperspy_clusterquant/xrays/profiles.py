"""What a detector makes of X-ray lines: counts in the channels of a spectrum."""

from __future__ import annotations

import numpy as np
from scipy import special

from hyperspy_clusterquant.xrays.detectors import TAIL_LENGTH, fwhm_at_energy
from hyperspy_clusterquant.xrays.emission import alpha_emission
from hyperspy_clusterquant.xrays.lines import USUAL_BEAM_ENERGY, alpha_lines, known_families

FWHM_TO_SIGMA = 1 / np.sqrt(8 * np.log(2))
#: Standard deviations around a line beyond which it has no counts: below it without and with a
#: tail, and above it.
REACH, TAIL_REACH = 6.5, 25.0


def channel_edges(energy):
    """Energies between the channels of an even axis, array (channels + 1,)."""
    step = energy[1] - energy[0]
    return np.append(energy - step / 2, energy[-1] + step / 2)


def peak_profile(edges, energies, weights, resolution, tail=0.0):
    r"""Counts of some lines, peaks of a silicon detector integrated over the channels.

    Gaussian peaks G. A share t of each, its `tail`, lies exponentially below it, as where the
    charge of an X-ray is not collected completely:

    .. math:: (1 - t)\, G(E) + t \int_0^\infty G(E + x)\, e^{-x / b}\, dx / b ,

    with b of 1.5 full widths of the peak.

    Parameters
    ----------
    edges : array (channels + 1,)
        Energies between the channels in keV, ascending.
    energies, weights : array (n_lines,)
        Of the lines, in keV and counts.
    resolution : float
        Full width at half maximum at Mn K-alpha in eV.
    tail : float
        Share of the counts in the tail.

    Returns
    -------
    array (channels,)

    References
    ----------
    G. W. Phillips and K. W. Marlow, Nucl. Instrum. Methods 137 (1976) 525.
    """
    one = np.zeros(len(np.atleast_1d(energies)), dtype=int)
    return peak_profiles(edges, energies, weights, one, 1, resolution, tail)[0]


def peak_profiles(edges, energies, weights, groups, n_groups, resolution, tail=0.0):
    """The same for several groups of lines, array (n_groups, channels).

    `groups`, array of int (n_lines,), tells which each line belongs to.
    """
    energies, weights = np.asarray(energies, dtype=float), np.asarray(weights, dtype=float)
    n_channels = len(edges) - 1
    sigma = fwhm_at_energy(energies, resolution) * FWHM_TO_SIGMA
    reach = TAIL_REACH if tail else REACH
    first = np.searchsorted(edges, energies - reach * sigma)
    last = np.searchsorted(edges, energies + REACH * sigma)
    # Edges of the channels that each line reaches, those of one line after those of the other.
    n_edges = last - first + 2
    end = np.cumsum(n_edges)
    line = np.repeat(np.arange(len(energies)), n_edges)
    at = np.arange(len(line)) + (first - 1 - end + n_edges)[line]
    # Channels beyond the ends of the axis are counted, and left out.
    inside = np.clip(at, 0, n_channels)
    z = np.clip((edges[inside] - energies[line]) / sigma[line], -reach, REACH)
    cumulative = special.ndtr(z)
    if tail:
        slope = FWHM_TO_SIGMA / TAIL_LENGTH
        cumulative += tail * np.exp(slope * z + slope**2 / 2) * special.ndtr(-z - slope)
    counts = np.diff(cumulative, append=0.0) * weights[line]
    counts[end - 1] = 0.0  # from a line to the next
    place = groups[line] * n_channels + np.minimum(inside, n_channels - 1)
    summed = np.bincount(place, counts, minlength=n_groups * n_channels)
    return summed.reshape(n_groups, n_channels)


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
            # Of an M shell only what theory knows beside its alpha line.
            of_families = [
                photons[family.follows or family.alpha]
                * peak_profile(edges, family.energies, family.weights, resolution)
                for family in known_families(photons, beam_energy)
                if (family.follows or family.alpha) in photons
            ]
            profiles.append(np.sum(of_families, axis=0))
    return np.array(profiles).reshape(-1, len(energy))


def family_profiles(energy, alphas, beam_energy, resolution):
    """Counts of each family of lines, array (n_families, channels).

    Parameters
    ----------
    energy : array (channels,)
        In keV.
    alphas : sequence of str
        Alpha lines of the families.
    beam_energy : float or None
        In keV; None: 200.
    resolution : float
        Full width at half maximum at Mn K-alpha in eV.
    """
    edges = channel_edges(energy)
    families = known_families(alphas, beam_energy or USUAL_BEAM_ENERGY)
    profiles = [peak_profile(edges, f.energies, f.weights, resolution) for f in families]
    return np.reshape(profiles, (-1, len(energy)))


def _photons(alphas, beam_energy):
    """Photons of alpha lines of an element, as theory has them."""
    photons = {}
    for alpha in alphas:
        try:
            photons[alpha] = alpha_emission(alpha, beam_energy)[1]
        except ValueError:  # nothing is known of this shell
            continue
    return photons
