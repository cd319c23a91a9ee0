"""Shapes of the lines of the declared elements, for the search for weak components."""

from __future__ import annotations

from hyperspy_clusterquant.quantification.peaks import Design, Scale
from hyperspy_clusterquant.signals import _axes, _xray_lines


def of_declared_elements(signal, exclude_lines=()):
    """Counts of the lines of each declared element, one family after the other.

    Parameters
    ----------
    signal : ClusteredEDSSpectrum
    exclude_lines : tuple of str
        Lines and elements that are left out.

    Returns
    -------
    array (n_families, channels) or None
        None if there are less than two, or the beam energy is not known.
    """
    microscope = signal.metadata.Acquisition_instrument.TEM
    beam_energy = microscope.get_item("beam_energy", None)
    if beam_energy is None:
        return None
    energy = _axes.energy_in_kev(signal)
    elements = [str(e) for e in signal.metadata.get_item("Sample.elements", [])]
    elements = [e for e in elements if e not in exclude_lines]
    alphas = _xray_lines.alpha_lines(elements, energy[0], energy[-1])
    if len(alphas) < 2:
        return None
    families = _xray_lines.families(alphas, float(beam_energy))
    resolution = float(microscope.Detector.EDS.energy_resolution_MnKa)
    return Design(energy, families, Scale(resolution=resolution), float(beam_energy)).profiles
