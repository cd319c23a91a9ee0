"""What of a signal's spectra is compared, and what besides chemistry they may differ in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hyperspy_clusterquant._checks import as_number
from hyperspy_clusterquant.composition.intensities import FOUND, measure
from hyperspy_clusterquant.counts.bins import bin_pixels, choose_binning
from hyperspy_clusterquant.evidence.judgement import Compared
from hyperspy_clusterquant.evidence.plausible import PlausibleChanges
from hyperspy_clusterquant.signals.doubts import warn_of_inseparable
from hyperspy_clusterquant.signals.metadata import take_off_angle_of
from hyperspy_clusterquant.xrays.emission import split_line
from hyperspy_clusterquant.xrays.lines import alpha_lines, has_theory, line_energy
from hyperspy_clusterquant.xrays.theory import theoretical_kfactors

#: Below it (keV), detectors see little and the background is steep.
LOWEST_COMPARED = 0.4
#: Share of the bins whose dose is below the largest one.
LARGEST = 0.99


def read_absorption_choice(absorption):
    """Raise unless it says what to do about absorption and drift."""
    if absorption not in ("ignore", "keep"):
        raise ValueError(
            "`absorption` must be 'ignore' (differences that absorption or a drift of the energy "
            f"axis can make are none) or 'keep' (they are), not {absorption!r}."
        )


def told_apart(measured):
    """Lines that the counts tell from all others, and how counts become their areas.

    A line that is not told from one of another element would vary with that one.
    """
    kept = measured.told_apart
    if len(kept) < min(2, len(measured.lines)):
        kept = range(len(measured.lines))
    elif measured.inseparable:
        warn_of_inseparable(measured.inseparable)
    lines = tuple(measured.lines[k] for k in kept)
    return lines, measured.linear(lines)


def what_to_compare(signal, sums, choice, measured, lines, absorption, kfactors=None):
    """Lines that spectra are compared by, and what they may differ in besides chemistry.

    With absorption to be ignored, these are all families of lines of the elements that the fit
    tells apart: how much K and L lines of one element differ shows how much is absorption.

    Parameters
    ----------
    signal : ClusteredEDSSpectrum
    sums : array (n_spectra, channels)
        Summed counts.
    choice : LineChoice
    measured : Intensities
        Of `sums` and `choice`.
    lines : sequence of str
        Those of `measured` that are to be compared.
    absorption : {"ignore", "keep"}
    kfactors : mapping, optional
        Of lines, by weight. Default: theoretical ones, as far as there are any.

    Returns
    -------
    compared : Compared
    names : tuple of str
        The lines that it compares; those given come first.
    """
    if absorption == "keep":
        return Compared(measured.linear(lines)), tuple(lines)
    total = sums.sum(axis=0)
    more = _more_lines(choice, lines, total)
    if more:
        # The lowest line of an element decides how low the fit begins.
        lowest = {split_line(line)[0]: line for line in (*choice.lines, *more)}
        measured = measure(sums, sums, replace(choice, lines=tuple(lowest.values())))
    fitted = [family.alpha for family in measured.fits[0].design.families]
    names = (*lines, *(line for line in more if line in fitted))
    areas, covariance = measured.linear(names).areas(total)
    found = areas > FOUND * np.sqrt(np.diag(covariance))
    names = tuple(n for n, is_there in zip(names, found, strict=True) if is_there or n in lines)
    return Compared(measured.linear(names), _changes(signal, choice, measured, lines, kfactors)), (
        names
    )


def _more_lines(choice, lines, total):
    """Alpha lines of the same elements besides those given, from high to low energy."""
    counted = np.flatnonzero(total > 0)
    start = choice.energy[counted[0]] if len(counted) else np.inf
    elements = [split_line(line)[0] for line in lines]
    alphas = alpha_lines(elements, max(LOWEST_COMPARED, start), choice.highest, choice.beam_energy)
    more = [
        line for line in alphas if line not in choice.lines and has_theory(line, choice.beam_energy)
    ]
    return tuple(sorted(more, key=line_energy, reverse=True))


def _changes(signal, choice, measured, lines, kfactors):
    families = measured.fits[0].design.families
    fitted = [family.alpha for family in families]
    if kfactors is None:
        known = [line for line in lines if has_theory(line, choice.beam_energy)]
        kfactors = theoretical_kfactors(known, choice.beam_energy, known[0]) if known else {}
    absorbers = {
        split_line(line)[0]: (fitted.index(line), float(kfactors[line]))
        for line in lines
        if line in kfactors
    }
    try:
        angle = take_off_angle_of(signal)
    except ValueError:  # it is not known; drift remains
        angle = np.nan
    if not angle > 0:
        absorbers = {}
    density = as_number(signal.metadata.get_item("Sample.density", None))
    return PlausibleChanges(
        choice.energy, measured.linear(lines), families, absorbers,
        density if 0 < density < 30 else None, angle,
    )  # fmt: skip


def dose_variation(pixels):
    """How much the dose varies beyond shot noise over the map, as a share of the largest."""
    factor = choose_binning("auto", pixels.per_pixel, pixels.keep)
    bin_of_pixel, n_bins = bin_pixels(pixels.keep, factor)
    counts = np.bincount(bin_of_pixel, pixels.totals, n_bins)
    sizes = np.bincount(bin_of_pixel, minlength=n_bins)
    dose = counts / sizes
    variance = np.average((dose - counts.sum() / sizes.sum()) ** 2, weights=sizes)
    beyond = max(variance - np.average(dose / sizes, weights=sizes), 0.0)
    return float(np.sqrt(beyond) / max(np.quantile(dose, LARGEST), 1e-300))
