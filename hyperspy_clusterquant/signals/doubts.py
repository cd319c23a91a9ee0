"""Warnings of what was found while measuring that the user did not say, or should not trust."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.emission import split_line
from hyperspy_clusterquant.xrays.lines import line_energy, lines_of

#: Unexplained peaks that a warning names.
MOST_NAMED = 6
#: Shift of a quantified line and change of the resolution, in eV, that are worth a warning.
LARGE_SHIFT = 25.0
LARGE_CHANGE = 20.0
#: Distance in widths of a line from which another one is outside of its window, and from a
#: background window.
OVERLAPS, DISTURBS = 1.5, 0.5


def warn_of_fit(measured, choice):
    """Warn of peaks in fitted `Intensities` that were not declared, and of an axis that is off."""
    if measured.unexplained:
        peaks = ", ".join(map(str, measured.unexplained[:MOST_NAMED]))
        n_more = len(measured.unexplained) - MOST_NAMED
        if n_more > 0:
            peaks += f" and {n_more} weaker ones (`table.unexplained`)"
        warn(
            f"Peaks that no declared element explains: {peaks}. They were fitted along and do "
            "not enter the composition. Declare those that are elements in `extra_elements`, "
            "or with s.add_elements([...]) if they belong to the sample."
        )
    calibration = measured.calibration
    shift = calibration.shift(np.array([line_energy(line) for line in choice.lines]))
    largest = shift[np.argmax(np.abs(shift))]
    change = calibration.scale.resolution - choice.resolution
    if abs(largest) > LARGE_SHIFT or abs(change) > LARGE_CHANGE:
        outcome = "This was corrected for the fit"
        if calibration.at_bound or len(measured.unexplained) > MOST_NAMED:
            outcome = "They are not explained by that, so the composition may be wrong"
        warn(
            f"The peaks lie up to {largest:+.0f} eV beside their lines and their "
            f"resolution is {calibration.scale.resolution:.0f} eV, where the metadata say "
            f"{choice.resolution:.0f} eV. {outcome}. Check the energy axis and "
            "s.set_microscope_parameters(energy_resolution_MnKa=...), and look at "
            "table.plot_fit()."
        )


def warn_of_inseparable(pairs):
    """Warn of lines that are left out because the counts do not tell them from others."""
    named = ", ".join(f"{line} from {other}" for line, other in pairs)
    warn(
        f"The counts do not tell {named}: what is not told apart is not compared, because it would "
        "follow the other element. Leave it out of the elements, or choose another line of it in "
        "`xray_lines`."
    )


def warn_of_overlaps(choice, background_windows):
    """Warn if a line lies in the window, or a strong line in the background (keV), of another."""
    overlapping, disturbed = [], []
    for line, sides in zip(choice.lines, background_windows, strict=True):
        position = line_energy(line)
        width = float(fwhm_at_energy(position, choice.resolution))
        for other in dict.fromkeys([*choice.elements, *choice.extra]):
            of_other = lines_of(other)
            near = [n for n, e in of_other.items() if abs(e - position) < OVERLAPS * width]
            if near and other != split_line(line)[0]:
                overlapping.append(f"{line} with {other}_{near[0]}")
            margin = DISTURBS * width
            beside = [
                name
                for name in ("Ka", "La", "Ma")
                for low, high in sides.reshape(2, 2)
                if name in of_other and low - margin < of_other[name] < high + margin
            ]
            if beside and f"{other}_{beside[0]}" != line:
                disturbed.append(f"{line} by {other}_{beside[0]}")
    found = []
    if overlapping:
        found.append(
            f"Windows overlap ({', '.join(sorted(overlapping))}): counts of one element are "
            "counted for another"
        )
    if disturbed:
        found.append(f"Background windows hold other lines ({', '.join(sorted(disturbed))})")
    if found:
        warn(f"{'. '.join(found)}. Use method='model'.")
