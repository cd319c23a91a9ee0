"""What differs between spectra, in words: which lines it lies at, declared or not."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, signal

from hyperspy_clusterquant.clusters.clustering import spread_over_channels
from hyperspy_clusterquant.clusters.departures import line_directions
from hyperspy_clusterquant.clusters.nuisance import orthogonal
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.lines import lines_of

#: Of film, resin, grid, holder, detector and preparation, and then what else is common.
USUAL_SUSPECTS = (
    "C", "O", "Cu", "Si", "Au", "Ga", "Pt", "S", "Mo", "Ni", "Al", "Cl", "Fe", "N", "Ca", "Na", "K",
    "P", "Ti", "Mg", "Cr", "Mn", "Zn", "Ag", "W", "Be",
)  # fmt: skip
#: Part of a line's width within which a peak may be that line.
SAME_LINE = 0.3
#: Peaks that are named, and how high in units of the highest.
MOST_PEAKS, LEAST_HEIGHT = 3, 0.4
#: Share of the difference of two clusters that lines of the elements must explain, or it is said
#: that they do not.
EXPLAINED = 0.3
CAUSE = (
    "What separates cluster {} from the others lies at {}, in no line of the declared elements: "
    "film, grid or contamination may vary. exclude_lines=[...] leaves it out."
)


def peaks_of(change, energy, channels):
    """Energies at which a change of a spectrum is largest, with the lines they may be, as texts.

    Parameters
    ----------
    change : array (features,)
        In units of shot noise.
    energy : array (channels,)
        In keV.
    channels : array of int (channels,)
        Feature that each channel is counted to, -1 = none.

    Returns
    -------
    list of str
    """
    step = energy[1] - energy[0]
    density = np.abs(spread_over_channels(change[None], channels)[0])
    smooth = ndimage.gaussian_filter1d(density, 0.03 / step)
    where, found = signal.find_peaks(smooth, height=LEAST_HEIGHT * smooth.max())
    order = np.argsort(-found["peak_heights"])[:MOST_PEAKS]
    return [_named(float(energy[k])) for k in where[order]]


def _named(position):
    """A peak at an energy in keV, such as "8.05 keV (Cu?)"."""
    width = float(fwhm_at_energy(position, 130.0))
    for element in USUAL_SUSPECTS:
        of_alphas = [e for name, e in lines_of(element).items() if name in ("Ka", "La", "Ma")]
        if any(abs(e - position) < SAME_LINE * width for e in of_alphas):
            return f"{position:.2f} keV ({element}?)"
    return f"{position:.2f} keV"


def undeclared_causes(learning, spectra, profiles):
    """What is to be said of clusters that differ from the others in no declared element.

    Parameters
    ----------
    learning : Learning
    spectra : array (n_clusters, features)
        Largest cluster first.
    profiles : array (n_elements, channels) or None
        Lines of each element of the sample.

    Returns
    -------
    list of str
    """
    if profiles is None or len(spectra) < 2:
        return []
    share, channels = learning.reduction.share, learning.pixels.channels
    root = np.sqrt(share)
    lines = line_directions(learning, profiles)
    points = (spectra / spectra.sum(axis=1, keepdims=True)) / root
    remarks = []
    for k in range(1, len(spectra)):
        steps = [orthogonal(points[k] - points[i], learning.reduction.fixed) for i in range(k)]
        if all(np.sum((lines.T @ step) ** 2) < EXPLAINED * np.sum(step**2) for step in steps):
            nearest = min(steps, key=lambda step: step @ step)
            rest = orthogonal(nearest, lines)
            peaks = peaks_of(rest, learning.pixels.energy, channels)
            remarks.append(CAUSE.format(k, ", ".join(peaks)))
    return remarks
