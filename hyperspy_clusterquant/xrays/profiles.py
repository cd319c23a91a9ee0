"""Shapes of the lines of the declared elements, for the search for weak components."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.composition.peaks import Design, Scale
from hyperspy_clusterquant.signals.axes import energy_in_kev
from hyperspy_clusterquant.xrays.emission import alpha_emission
from hyperspy_clusterquant.xrays.lines import alpha_lines, families_of


def of_declared_elements(signal, exclude_lines=()):
    """Counts of all lines of each declared element together.

    Not one family after the other: the ratio of two of an element tells thickness, not composition.

    Parameters
    ----------
    signal : ClusteredEDSSpectrum
    exclude_lines : tuple of str
        Lines and elements that are left out.

    Returns
    -------
    array (n_elements, channels) or None
        None if there are less than two, or the beam energy is not known.
    """
    microscope = signal.metadata.Acquisition_instrument.TEM
    beam_energy = microscope.get_item("beam_energy", None)
    if beam_energy is None:
        return None
    beam_energy = float(beam_energy)
    energy = energy_in_kev(signal)
    elements = [str(e) for e in signal.metadata.get_item("Sample.elements", [])]
    elements = [e for e in elements if e not in exclude_lines]
    resolution = float(microscope.Detector.EDS.energy_resolution_MnKa)
    profiles = []
    for element in elements:
        photons = _photons(alpha_lines([element], energy[0], energy[-1]), beam_energy)
        if photons:
            families = families_of(photons, beam_energy)
            design = Design(energy, families, Scale(resolution=resolution), beam_energy)
            profiles.append(np.array(list(photons.values())) @ design.profiles)
    return np.array(profiles) if len(profiles) > 1 else None


def _photons(alphas, beam_energy):
    """Photons of alpha lines of an element, as theory has them."""
    photons = {}
    for alpha in alphas:
        try:
            photons[alpha] = alpha_emission(alpha, beam_energy)[1]
        except ValueError:  # nothing is known of this shell
            continue
    return photons
