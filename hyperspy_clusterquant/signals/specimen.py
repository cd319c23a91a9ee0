"""Whether a specimen can be quantified, and which of its elements can be seen."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.signals.axes import energy_in_kev
from hyperspy_clusterquant.signals.metadata import (
    beam_energy_of,
    elements_of,
    is_recorded_as_sem,
)
from hyperspy_clusterquant.xrays.lines import without_lines

#: Beam energies in keV from which a map is taken as one of a thin film. Scanning microscopes end at
#: 30 or 40 keV, transmission microscopes begin at 60 or 80 keV.
THIN_FILM_FROM = 60.0


# --- elements that can be seen ------------------------------------------------------------


def usable_elements(signal, extra=()):
    """Declared elements that have an X-ray line to work with, and what has none.

    Without one are elements that the tables have no lines of, or none above 0.1 keV, on the energy
    axis and within the reach of the beam.

    Parameters
    ----------
    signal : ClusteredEDSSpectrum
    extra : sequence of str
        More elements, to be looked through as well.

    Returns
    -------
    usable, without : tuple of str

    Raises
    ------
    ValueError
        If there is one channel only, or a text that is not the symbol of an element.
    """
    check_is_spectrum(signal)
    energy, beam_energy = energy_in_kev(signal), beam_energy_of(signal, needed=False)
    declared = elements_of(signal)
    highest = min(energy[-1], beam_energy or np.inf)
    without = without_lines([*declared, *extra], energy[0], highest, beam_energy)
    return tuple(element for element in declared if element not in without), without


def check_is_spectrum(signal):
    """Raise a ValueError if an energy axis is cropped to one channel or none."""
    n_channels = signal.axes_manager.signal_axes[0].size
    if n_channels < 2:
        left = f"one channel (at {energy_in_kev(signal)[0]:.4g} keV)" if n_channels else "none"
        raise ValueError(
            f"The energy axis is cropped to {left}, but clusters and compositions need spectra. "
            "Use the signal before s.isig[...] or s.crop(...)."
        )


def warn_without_lines(signal, without):
    """Warn of elements that are left out as they have no line to work with."""
    if without:
        energy, beam_energy = energy_in_kev(signal), beam_energy_of(signal, needed=False)
        beam = "" if beam_energy is None else f" and that a beam of {beam_energy:.4g} keV excites"
        warn(
            f"Left out of everything that needs X-ray lines: {', '.join(without)}. The tables have "
            f"no line of {'it' if len(without) == 1 else 'them'} that lies above 0.1 keV, on the "
            f"energy axis ({energy[0]:.3g} to {energy[-1]:.3g} keV){beam}."
        )


# --- thin or bulk -----------------------------------------------------------------------


def check_thin_film(signal, thin_film):
    """Raise a ValueError if Cliff and Lorimer's formula does not hold: of bulk specimens.

    Parameters
    ----------
    signal : ClusteredEDSSpectrum
    thin_film : bool or None
        What the user says; None: the metadata decide.
    """
    reason = why_bulk(signal, thin_film)
    if reason:
        raise ValueError(
            f"{reason}. Cliff and Lorimer's formula holds for thin films: in a bulk specimen, "
            "X-rays are absorbed and the electrons slow down, so that k-factors do not give its "
            "composition. If it is a lamella or a thin film, say so with thin_film=True. Else "
            "quantify the spectra of s.get_cluster_spectra() with software for bulk specimens (ZAF "
            "or phi-rho-z corrections)."
        )


def warn_of_bulk(signal, thin_film):
    """Warn that at% of clusters that are compared are those of a thin film."""
    reason = why_bulk(signal, thin_film)
    if reason:
        warn(
            f"{reason}. The differences in at% are those of a thin film, and rough for a bulk "
            "specimen. The p-values do not depend on them; but where the surface is rough or "
            "tilted, absorption changes the ratios of lines, too. For a lamella or thin film: "
            "thin_film=True."
        )


def why_bulk(signal, thin_film=None):
    """Why a specimen is no thin film, in words; empty if it may be one."""
    if thin_film is not None and not isinstance(thin_film, bool | np.bool_):
        raise TypeError(
            "`thin_film` must be True (a lamella or thin film), False, or None (the metadata "
            f"decide), not {thin_film!r}."
        )
    if thin_film is not None:
        return "" if thin_film else "The specimen is no thin film, as thin_film=False says"
    energy = beam_energy_of(signal, needed=False)
    if energy is not None and energy >= THIN_FILM_FROM:  # no SEM, whatever else is said
        return ""
    if is_recorded_as_sem(signal):
        at = "" if energy is None else f" at {energy:.4g} keV"
        return f"The map was recorded in a scanning electron microscope (SEM){at}"
    if energy is not None:
        return (
            f"The beam energy is {energy:.4g} keV, as in scanning electron microscopes (below "
            f"{THIN_FILM_FROM:.0f} keV)"
        )
    return ""
