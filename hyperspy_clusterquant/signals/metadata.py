"""What the metadata say of microscope, detector and sample: read here, and nowhere else."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._checks import as_number

# exspy 0.3.2 writes "beam_energy " with a space at its end; `get_item` finds both.
MICROSCOPE = "Acquisition_instrument.TEM"
DETECTOR = f"{MICROSCOPE}.Detector.EDS"
#: What is possible: of microscopes in keV, and of detectors in eV at Mn K-alpha.
BEAM_ENERGIES = (1.0, 2000.0)
RESOLUTIONS = (80.0, 250.0)


def elements_of(signal):
    """Declared elements, list of str."""
    return [str(element) for element in signal.metadata.get_item("Sample.elements", [])]


def xray_lines_of(signal):
    """Declared X-ray lines, list of str."""
    return [str(line) for line in signal.metadata.get_item("Sample.xray_lines", [])]


def beam_energy_of(signal, needed=True):
    """Energy of the beam in keV.

    If it is not known, or not possible (some files say 0 or -1): an error if it is needed, else
    None.
    """
    stated = signal.metadata.get_item(f"{MICROSCOPE}.beam_energy", None)
    if stated is not None and BEAM_ENERGIES[0] <= as_number(stated) <= BEAM_ENERGIES[1]:
        return float(stated)
    if not needed:
        return None
    is_what = "is not known" if stated is None else f"is {stated} keV, which no microscope has"
    raise ValueError(
        f"The beam energy {is_what}. Set it in keV with "
        "s.set_microscope_parameters(beam_energy=200)."
    )


def resolution_of(signal, possible=True):
    """Resolution of the detector, the full width at half maximum of Mn K-alpha in eV.

    An error if it is not known or, unless all is possible, if no detector has it.
    """
    stated = signal.metadata.get_item(f"{DETECTOR}.energy_resolution_MnKa", None)
    lowest, highest = RESOLUTIONS if possible else (-np.inf, np.inf)
    if not lowest <= as_number(stated) <= highest:
        raise ValueError(
            "The resolution of the detector (full width of Mn K-alpha in eV) must lie between "
            f"{RESOLUTIONS[0]:g} and {RESOLUTIONS[1]:g}, but is {stated}. Set it with "
            "s.set_microscope_parameters(energy_resolution_MnKa=130)."
        )
    return float(stated)


def take_off_angle_of(signal):
    """Angle in degrees between the specimen's surface and the detector, from all tilts."""
    from exspy.utils.eds import take_off_angle

    angles = [
        as_number(signal.metadata.get_item(f"{MICROSCOPE}.{key}", default))
        for key, default in (
            ("Stage.tilt_alpha", None),
            ("Detector.EDS.azimuth_angle", None),
            ("Detector.EDS.elevation_angle", None),
            ("Stage.tilt_beta", 0.0),
        )
    ]
    if not np.isfinite(angles).all():
        raise ValueError(
            "The take-off angle is not known. Pass it in `absorption`, or set the detector's "
            "angles with s.set_microscope_parameters(elevation_angle=22, azimuth_angle=0, "
            "tilt_stage=0) (degrees)."
        )
    return float(take_off_angle(*angles))


def live_time_of(signal):
    """Live time in s: one for all pixels, an array with one for each, or None if not known."""
    stated = signal.metadata.get_item(f"{DETECTOR}.live_time", None)
    if isinstance(stated, np.ndarray) and stated.ndim > 0:
        return stated if stated.size == signal.axes_manager.navigation_size else None
    number = as_number(stated)
    return number if np.isfinite(number) else None


def set_live_time(signal, seconds):
    """Write the live time, a number or an array with one for each spectrum."""
    signal.metadata.set_item(f"{DETECTOR}.live_time", seconds)


def copy_metadata(signal, to):
    """What a signal's metadata say of instrument and sample, and its title, to another signal."""
    for node in ("Acquisition_instrument", "General", "Sample"):
        if signal.metadata.has_item(node):
            to.metadata.set_item(node, signal.metadata.get_item(node).as_dictionary())
