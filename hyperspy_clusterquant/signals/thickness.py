"""A warning where clusters follow thickness instead of chemistry."""

from __future__ import annotations

import warnings

import numpy as np

from hyperspy_clusterquant.composition.windows import window_weights
from hyperspy_clusterquant.evidence.pair_test import weighted_areas
from hyperspy_clusterquant.evidence.thickness import explained_by_counts
from hyperspy_clusterquant.signals.options import detector_resolution
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.lines import alpha_lines, line_energy

#: Share of the separation of two clusters that total counts explain, from which it is said.
MOSTLY_THICKNESS = 0.9
#: Windows of a line in units of its width: half of the peak's, and the ends of those beside it.
PEAK, BESIDE = 0.6, (1.2, 1.8)
#: p-value of "same composition" below which there is chemistry as well. It is found from the counts
#: that made the clusters, and so says too often that there is.
CHEMISTRY = 1e-4
#: Counts of the elements in a pixel of one cluster as a share of those of another, below which
#: the first is film or vacuum, unless clusters may differ in dose.
NEXT_TO_NOTHING = 0.1


def warn_of_thickness(signal, result):
    """Warn if total counts alone explain what separates two clusters of a new result.

    It is looked at in windows of the declared elements' lines, in the spectra that the result
    brings along. Overlapping lines do not matter: of the same composition they are in the same
    ratio.
    """
    energy = result.energy
    elements = [str(e) for e in signal.metadata.get_item("Sample.elements", [])]
    lines = alpha_lines(elements, energy[0], energy[-1])
    if result.n_clusters < 2 or len(lines) < 2:
        return
    positions = np.array([line_energy(line) for line in lines])
    width = fwhm_at_energy(positions, detector_resolution(signal))
    ends = positions[:, None] + width[:, None] * [-BESIDE[1], -BESIDE[0], *BESIDE]
    peaks = positions[:, None] + width[:, None] * [-PEAK, PEAK]
    weights = window_weights(energy, peaks, ends)
    areas, covariances = zip(
        *[weighted_areas(weights, spectrum) for spectrum in result.spectra], strict=True
    )
    areas = np.array(areas)
    shares, nearest, p_values = explained_by_counts(areas, np.array(covariances), result.sizes)
    rates = areas.sum(axis=1) / np.maximum(result.sizes, 1)
    follow = []
    for k, (share, other) in enumerate(zip(shares, nearest, strict=True)):
        if not share > MOSTLY_THICKNESS or (other < k and nearest[other] == k):
            continue
        low, high = sorted(rates[[k, other]])
        film = result.parameters["normalize"] and low < NEXT_TO_NOTHING * high
        if film or p_values[k] < CHEMISTRY:
            continue
        names = result.cluster_names
        follow.append(f"{names[k]} from {names[other]} ({share:.0%})")
    if follow:
        warnings.warn(
            f"Total counts alone explain nearly all that separates {', '.join(follow)}: this "
            "follows thickness or dose, not the chemistry of the declared elements. Test it with "
            "s.cluster_significance()"
            + ("." if result.parameters["normalize"] else ", or cluster with normalize=True."),
            UserWarning,
            stacklevel=4,
        )
