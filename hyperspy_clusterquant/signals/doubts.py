"""Warnings of what was found while measuring that the user did not say, or should not trust."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.evidence.plausible import changes_of_lines
from hyperspy_clusterquant.evidence.thickness import follow_counts
from hyperspy_clusterquant.signals.metadata import (
    beam_energy_of,
    elements_of,
    resolution_of,
    take_off_angle_of,
)
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.emission import split_line
from hyperspy_clusterquant.xrays.lines import alpha_lines, choose_lines, line_energy, lines_of
from hyperspy_clusterquant.xrays.profiles import family_profiles

#: Unexplained peaks that a warning names.
MOST_NAMED = 6
#: Shift of a quantified line and change of the resolution, in eV, that are worth a warning.
LARGE_SHIFT = 25.0
LARGE_CHANGE = 20.0
#: Part of a line's shape that must be unlike those of excluded families: the noise is then at most
#: three times as large as without them.
LEAST_TOLD = 0.33
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


def warn_of_thickness(signal, result):
    """Warn if total counts alone explain what separates two clusters of a new result."""
    energy = result.energy
    lines = alpha_lines(elements_of(signal), energy[0], energy[-1])
    if result.n_clusters < 2 or len(lines) < 2:
        return
    positions = np.array([line_energy(line) for line in lines])
    normalized = result.parameters["normalize"]
    follow = follow_counts(
        result.spectra, result.sizes, energy, positions, resolution_of(signal), normalized,
        _changes_with_thickness(signal, lines),
    )  # fmt: skip
    if follow:
        names = result.cluster_names
        pairs = [f"{names[k]} from {names[other]} ({share:.0%})" for k, other, share in follow]
        advice = "." if normalized else ", or cluster with normalize=True."
        warn(
            f"Total counts alone explain nearly all that separates {', '.join(pairs)}: this "
            "follows thickness or dose, not the chemistry of the declared elements. Test it "
            f"with s.cluster_significance(){advice}"
        )


def _changes_with_thickness(signal, lines):
    """How absorption changes counts of lines, a function of these; None if it is not known."""
    beam_energy = beam_energy_of(signal, needed=False)
    try:
        angle = take_off_angle_of(signal)
    except ValueError:  # it is said where it is needed
        return None
    if beam_energy is None or not angle > 0:
        return None
    return lambda areas: changes_of_lines(lines, areas, beam_energy, angle)


def warn_of_excluded(recipe, energy):
    """Warn of lines of declared elements that `exclude_lines` hides, or that are hardly told apart.

    Parameters
    ----------
    recipe : Recipe
    energy : array (channels,)
        In keV.
    """
    named = {name.split("_")[0] for name in recipe.exclude_lines}
    elements = [element for element in recipe.elements if element not in named]
    hidden = [
        line
        for line in alpha_lines(elements, 0.0, np.inf)
        for low, high in recipe.excluded
        if low < line_energy(line) < high
    ]
    if hidden:
        warn(
            f"`exclude_lines` also hides {', '.join(dict.fromkeys(hidden))} of the declared "
            "elements from the clustering. Name single lines, such as 'Au_La', to keep them."
        )
    alike = _hardly_told_apart(recipe, elements, energy)
    if alike:
        warn(
            f"The counts hardly tell {', '.join(alike)}: what varies of it is seen only if "
            "it is much. Leave the excluded element in if it varies little."
        )


def _hardly_told_apart(recipe, elements, energy):
    """Main lines of elements of which little is left without the excluded families."""
    if not recipe.fitted_out:
        return []
    resolution = recipe.energy_resolution
    profiles = family_profiles(energy, recipe.fitted_out, recipe.beam_energy, resolution)
    basis = np.linalg.qr(profiles.T)[0]
    alike = []
    for line in choose_lines(elements, energy[0], energy[-1], beam_energy=recipe.beam_energy):
        (own,) = family_profiles(energy, [line], recipe.beam_energy, resolution)[:1]
        left = own - basis @ (basis.T @ own)
        if np.linalg.norm(left) < LEAST_TOLD * np.linalg.norm(own):
            other = recipe.fitted_out[int(np.abs(profiles @ own).argmax())]
            alike.append(f"{line} from {other}")
    return alike
