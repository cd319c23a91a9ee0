"""What the metadata say of microscope, detector and sample: read here, and nowhere else."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from hyperspy_clusterquant._checks import as_number

INSTRUMENT = "Acquisition_instrument"
# exspy keeps what it reads of a TEM under TEM, and of an SEM under SEM; if both are there, it
# believes SEM. 0.3.2 writes "beam_energy " with a space at its end; `get_item` finds both.
MICROSCOPE, SEM = f"{INSTRUMENT}.TEM", f"{INSTRUMENT}.SEM"
MICROSCOPES = (SEM, MICROSCOPE)
DETECTOR = f"{MICROSCOPE}.Detector.EDS"
#: Name, beside the beam energy, of a note of the microscope that data were recorded with.
RECORDED_AS = "recorded_as"
VARIANCE = "Signal.Noise_properties.variance"
#: What is said of them in numbers.
_NUMBERS = (
    "beam_energy", "Stage.tilt_alpha", "Stage.tilt_beta", "Detector.EDS.azimuth_angle",
    "Detector.EDS.elevation_angle", "Detector.EDS.energy_resolution_MnKa",
    "Detector.EDS.live_time", "Detector.EDS.real_time",
)  # fmt: skip
#: Forms of date and time that files of spectra are written from.
_DATES = {"date": "%Y-%m-%d", "time": "%H:%M:%S"}
#: What is possible: of microscopes in keV, and of detectors in eV at Mn K-alpha.
BEAM_ENERGIES = (1.0, 2000.0)
RESOLUTIONS = (80.0, 250.0)


def _stated(signal, key):
    """What is said of the microscope under a key, None if nothing is."""
    for microscope in MICROSCOPES:
        value = signal.metadata.get_item(f"{microscope}.{key}", None)
        if value is not None:
            return value
    return None


def _set_stated(signal, key, value):
    """Say it where it is said, or else of the TEM; None deletes it."""
    is_there = _take_out(signal, key)
    if value is not None:
        signal.metadata.set_item(next(iter(is_there), f"{MICROSCOPE}.{key}"), value)


def _take_out(signal, key):
    """Delete what is said under a key, and give it by its whole names."""
    metadata, taken = signal.metadata, {}
    for whole in (f"{microscope}.{key}" for microscope in MICROSCOPES):
        if metadata.has_item(whole):
            node, _, name = whole.rpartition(".")
            taken[whole] = metadata.get_item(whole)
            delattr(metadata.get_item(node), name)
    return taken


# --- sample -------------------------------------------------------------------------------


def elements_of(signal):
    """Declared elements, each once, list of str."""
    return _texts(signal.metadata.get_item("Sample.elements", None))


def xray_lines_of(signal):
    """Declared X-ray lines, each once, list of str."""
    return _texts(signal.metadata.get_item("Sample.xray_lines", None))


def _texts(value):
    value = () if value is None else np.atleast_1d(np.asarray(value, dtype=object))
    return list(dict.fromkeys(str(name) for name in value))


# --- microscope and detector --------------------------------------------------------------


def beam_energy_of(signal, needed=True):
    """Energy of the beam in keV.

    If it is not known, or not possible (some files say 0 or -1): an error if it is needed, else
    None.
    """
    stated = _stated(signal, "beam_energy")
    number, (lowest, highest) = as_number(stated), BEAM_ENERGIES
    if lowest <= number <= highest:
        return number
    if not needed:
        return None
    if stated is None:
        is_what = "is not known"
    elif np.isnan(number):
        is_what = f"is {stated!r} in the metadata, which is no number"
    else:
        in_ev = "; that looks like eV" if lowest <= number / 1000 <= highest else ""
        is_what = f"is {number:g} keV in the metadata, which no microscope has{in_ev}"
    raise ValueError(
        f"The beam energy {is_what}. Set it in keV with "
        "s.set_microscope_parameters(beam_energy=200)."
    )


def resolution_of(signal, possible=True):
    """Resolution of the detector, the full width at half maximum of Mn K-alpha in eV.

    An error if it is not known or, unless all is possible, if no detector has it.
    """
    stated = _stated(signal, "Detector.EDS.energy_resolution_MnKa")
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

    keys = ("Stage.tilt_alpha", "Detector.EDS.azimuth_angle", "Detector.EDS.elevation_angle",
            "Stage.tilt_beta")  # fmt: skip
    stated = {key.rpartition(".")[2]: _stated(signal, key) for key in keys}
    if stated["tilt_beta"] is None:
        stated["tilt_beta"] = 0.0
    angles = [as_number(value) for value in stated.values()]
    odd = [f"{name} is {value!r}" for (name, value), angle in zip(stated.items(), angles,
           strict=True) if not np.isfinite(angle)]  # fmt: skip
    if odd:
        raise ValueError(
            f"The take-off angle is not known, as {' and '.join(odd)}. Pass it in `absorption`, or "
            "set the detector's angles with s.set_microscope_parameters(elevation_angle=22, "
            "azimuth_angle=0, tilt_stage=0) (degrees)."
        )
    return float(take_off_angle(*angles))


# --- kinds of microscope ------------------------------------------------------------------


def is_recorded_as_sem(signal):
    """Whether the metadata say that a scanning electron microscope made the map."""
    metadata = signal.metadata
    node = metadata.get_item(SEM, None)
    says_so = isinstance(node, type(metadata)) and _says_something(node.as_dictionary())
    return says_so or _stated(signal, RECORDED_AS) == "SEM"


def _says_something(node):
    """Whether a node, as a dictionary, holds more than empty ones."""
    if isinstance(node, dict):
        return any(map(_says_something, node.values()))
    return node is not None


def as_exspy_reads_it(instrument):
    """What is said of an SEM, in the place where exspy looks for a transmission microscope.

    Parameters
    ----------
    instrument : dict
        What lies under ``Acquisition_instrument``; if of both, what is said of the SEM counts.

    Returns
    -------
    dict
    """
    if not isinstance(instrument, dict) or not isinstance(instrument.get("SEM"), dict):
        return instrument
    rest = {key: value for key, value in instrument.items() if key != "SEM"}
    if not _says_something(instrument["SEM"]):
        return rest
    said = _joined(rest.get("TEM"), instrument["SEM"])
    return {**rest, "TEM": {**said, RECORDED_AS: "SEM"}}


def _joined(below, above):
    """Two dictionaries as one; what both say, is said by the second."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    # exspy's key with a space at its end is the same key.
    below, above = ({str(key).strip(): of[key] for key in of} for of in (below, above))
    return {**below, **{key: _joined(below.get(key), value) for key, value in above.items()}}


def move_sem(metadata):
    """Put what metadata say of an SEM where exspy looks for a transmission microscope."""
    if isinstance(metadata.get_item(SEM, None), type(metadata)):
        said = as_exspy_reads_it(metadata.get_item(INSTRUMENT).as_dictionary())
        delattr(metadata, INSTRUMENT)
        metadata.set_item(INSTRUMENT, said)


def forget_note_of_sem(metadata):
    """Take the note off again: for exspy's SEM class, which says it itself."""
    if metadata.has_item(f"{MICROSCOPE}.{RECORDED_AS}"):
        delattr(metadata.get_item(MICROSCOPE), RECORDED_AS)


# --- times --------------------------------------------------------------------------------


def time_of(signal, name):
    """Time of that name (``"live_time"``, ``"real_time"``) in s.

    One for all pixels, a flat array with one for each, or None if it is not known. Negative and
    infinite ones, and those of each pixel that are NaN, are not known: NaN in an array.
    """
    stated = stated_time(signal, name)
    if hasattr(stated, "axes_manager"):  # a map of times as a signal
        stated = stated.data
    if not is_of_each(stated):
        number = as_number(stated)
        return number if 0 <= number < np.inf else None
    try:
        each = np.asarray(stated, dtype=float)
    except (TypeError, ValueError):
        return None
    shape = signal.axes_manager.navigation_shape[::-1]
    sizes = [tuple(n for n in of if n > 1) for of in (each.shape, shape)]
    unfolded = (each.size,) if each.size > 1 else ()
    # Of another map, such as one of those in a stack, or of the same one lying on its side.
    if each.size != np.prod(shape, dtype=int) or (sizes[0] != sizes[1] and unfolded not in sizes):
        return None
    each = np.where((each >= 0) & (each < np.inf), each, np.nan).ravel()
    return None if np.isnan(each).all() else each if shape else each.item()


def stated_time(signal, name):
    """What is said of a time, whatever it is; None if nothing is."""
    return _stated(signal, f"Detector.EDS.{name}")


def is_of_each(stated):
    """Whether a time says something of each pixel, right or not."""
    return np.ndim(stated) > 0 or hasattr(stated, "axes_manager")


def set_time(signal, name, seconds):
    """Write a time; None for one that is not known."""
    _set_stated(signal, f"Detector.EDS.{name}", seconds)


def take_out_time(signal, name):
    """Delete a time, and give what `put_back` needs."""
    return _take_out(signal, f"Detector.EDS.{name}")


def put_back(signal, taken):
    """Say again what was taken out."""
    for whole, value in taken.items():
        signal.metadata.set_item(whole, value)


def load_times(signal):
    """Take times of each pixel of a lazy map into memory: its file may be moved or changed."""
    for name in ("live_time", "real_time"):
        stated = stated_time(signal, name)
        if hasattr(stated, "__dask_graph__"):
            # In this process, as the open file cannot be sent to others.
            set_time(signal, name, stated.compute(scheduler="synchronous"))


def variance_of(signal):
    """Variance of the counts as it is stated, a signal or a number; None if it is not."""
    return signal.metadata.get_item(VARIANCE, None)


def set_variance(signal, variance):
    """Write the variance of the counts; None for one that is not known."""
    if variance is not None:
        signal.metadata.set_item(VARIANCE, variance)
    elif signal.metadata.has_item(VARIANCE):
        del signal.metadata.Signal.Noise_properties.variance


# --- to other signals ---------------------------------------------------------------------


def copy_metadata(signal, to):
    """What a signal's metadata say of instrument and sample, and its title, to another signal."""
    for node in (INSTRUMENT, "General", "Sample"):
        if signal.metadata.has_item(node):
            to.metadata.set_item(node, signal.metadata.get_item(node).as_dictionary())


def keep_numbers(signal):
    """Write what is said of the instrument in numbers as such, and delete what is none there.

    Returns
    -------
    dict
        What is deleted, by the last part of its name; times of each pixel in words.
    """
    lost = {}
    for key in _NUMBERS:
        stated = _stated(signal, key)
        number = np.nan if is_of_each(stated) else as_number(stated)
        _set_stated(signal, key, number if np.isfinite(number) else None)
        if stated is not None and not np.isfinite(number):
            name = key.rpartition(".")[2]
            lost[name] = "of each pixel" if is_of_each(stated) else stated
    return lost


def keep_dates(signal):
    """Delete what is no date or time of day as ISO 8601 writes them, such as 14.10.2014."""
    for key, form in _DATES.items():
        stated = signal.metadata.get_item(f"General.{key}", None)
        try:
            datetime.strptime(stated, form)
        except (TypeError, ValueError):
            if signal.metadata.has_item(f"General.{key}"):
                delattr(signal.metadata.General, key)
