"""Intensities before composition: spectra of counts to the areas of lines, with covariance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.composition.absorption import (
    NM_TO_CM,
    absorbed_families,
    consistent_factors,
)
from hyperspy_clusterquant.composition.calibration import Calibration, residual_around
from hyperspy_clusterquant.composition.cliff_lorimer import weight_fractions
from hyperspy_clusterquant.composition.design import Design, Scale, is_lone
from hyperspy_clusterquant.composition.fitting import fit_spectra, linear_fit, refit
from hyperspy_clusterquant.composition.windows import window_weights
from hyperspy_clusterquant.xrays.emission import split_line
from hyperspy_clusterquant.xrays.lines import (
    alpha_lines,
    known_elements,
    known_families,
    line_energy,
)

#: The fit starts here in keV, or below the lowest quantified line if that is lower: with little
#: below it, the strong carbon of the film and its steep background are left out.
FIT_FROM = 1.1
MARGIN_BELOW = 0.35
#: The fit never starts lower than this, or this share of the lowest quantified line.
LOWEST_FIT_ENERGY = 0.2
LOWEST_SHARE = 0.65
#: The fit goes up to here in keV, or so far beyond the highest quantified line if that is higher,
#: but stays below the beam energy, where the bremsstrahlung ends.
FIT_UP_TO = 25.0
SHARE_ABOVE, MARGIN_ABOVE = 1.15, 0.5
SHARE_OF_BEAM = 0.98
#: Alpha lines so far (keV) outside of the fit may still reach into it, but none lies lower than
#: this.
REACH = 0.25
#: Standard deviations from which a line that overlaps with a stronger one is there for sure.
FOUND = 3.0
#: Uncertainty of a line beside others, in units of what it is alone, from which they are not told
#: apart.
BLURRED = 3.0
LOWEST_LINE = 0.05
#: Share of the strongest line of a family from which a line counts as one of it.
WEAKEST = 0.01


@dataclass(frozen=True, eq=False)
class LineChoice(Frozen):
    """What is to be measured in spectra.

    Attributes
    ----------
    energy : array (channels,)
        Of the whole axis, in keV.
    lines : tuple of str
        Alpha lines to measure, one of each element.
    extra : tuple of str
        Elements that are fitted besides.
    resolution : float
        Full width at half maximum of Mn K-alpha in eV, as far as it is known before.
    beam_energy : float or None
        In keV; needed for a fit, not for windows.
    """

    energy: np.ndarray
    lines: tuple
    extra: tuple
    resolution: float
    beam_energy: float | None

    @property
    def elements(self):
        """Elements of the lines, tuple of str."""
        return tuple(split_line(line)[0] for line in self.lines)

    @property
    def highest(self):
        """Energy in keV up to which there are lines: the end of the axis, or that of the beam."""
        return min(self.energy[-1], self.beam_energy or np.inf)


@dataclass(frozen=True, eq=False)
class Intensities(Frozen):
    """Areas of lines in spectra, and how they were found.

    Attributes
    ----------
    lines : tuple of str
        Alpha lines, one of each element.
    areas : array (n_spectra, n_lines)
        Counts, never negative; NaN for a spectrum without counts where it was fitted.
    unconstrained : array (n_spectra, n_lines)
        The same, but negative where the fit would be better so.
    covariances : array (n_spectra, n_lines, n_lines)
        Of the areas: from the counts, and from what the calibration leaves uncertain.
    fits : tuple of PeakFit
        One for each spectrum; none for windows.
    calibration : Calibration or None
        Energy axis and resolution that all were fitted with; None for windows.
    unexplained : tuple of UnexplainedPeak
        Lines that were found, but not declared; they were fitted along.
    inseparable : tuple of (str, str)
        Lines that the counts cannot tell from another one, and that one.
    used : array of bool (channels,) or None
        Channels that were fitted; None for windows.
    windows : array (n_lines, channels) or None
        Weights of the channels in areas that were integrated.
    """

    lines: tuple
    areas: np.ndarray
    unconstrained: np.ndarray
    covariances: np.ndarray
    fits: tuple = ()
    calibration: Calibration | None = None
    unexplained: tuple = ()
    inseparable: tuple = ()
    used: np.ndarray | None = None
    windows: np.ndarray | None = None

    @property
    def positions(self):
        """Numbers of the lines among the fitted families, list of int."""
        return _positions(self.lines, self.fits)

    @property
    def weights(self):
        """Weight of each channel in the areas, without bounds, array (n_lines, channels)."""
        if self.windows is not None:
            return self.windows
        if not any(fit.counts.sum() > 0 for fit in self.fits):
            return np.zeros((len(self.lines), len(self.used)))
        return self.linear().weights

    @property
    def std(self):
        """Standard deviations of the areas, array (n_spectra, n_lines)."""
        return np.sqrt(np.diagonal(self.covariances, axis1=1, axis2=2))

    @property
    def told_apart(self):
        """Numbers of the lines that the counts tell from all others, list of int."""
        unknown = [line for line, _ in self.inseparable]
        return [n for n, line in enumerate(self.lines) if line not in unknown]

    def linear(self, lines=None):
        """How counts of all channels become areas of these lines, or some, as a `LinearFit`."""
        lines = self.lines if lines is None else lines
        return linear_fit(self.fits, _positions(lines, self.fits), self.used)


def measure(counts, variances, choice):
    """Areas of lines by a fit of all families of lines, of the background and of the detector.

    The energy axis and the resolution are calibrated on the sum of the spectra, and peaks that
    were not declared are looked for and fitted along, see `fitting.fit_spectra`.

    Parameters
    ----------
    counts, variances : array (n_spectra, channels)
        Summed counts and their variances.
    choice : LineChoice

    Returns
    -------
    Intensities
    """
    positions = [line_energy(line) for line in choice.lines]
    lowest, highest = min(positions), max(positions)
    start = max(min(FIT_FROM, lowest - MARGIN_BELOW), min(LOWEST_FIT_ENERGY, LOWEST_SHARE * lowest))
    end = min(
        max(FIT_UP_TO, SHARE_ABOVE * highest + MARGIN_ABOVE), SHARE_OF_BEAM * choice.beam_energy
    )
    used = (choice.energy >= start) & (choice.energy <= end)
    energy = choice.energy[used]

    def families(elements, highest):
        alphas = alpha_lines(
            elements, max(energy[0] - REACH, LOWEST_LINE), highest, choice.beam_energy
        )
        known = known_families(alphas, choice.beam_energy)
        return tuple(f for f in known if _lowest_line(f) < energy[-1] + REACH)

    declared = (*choice.elements, *choice.extra)
    candidates = {e: families([e], choice.highest) for e in known_elements() if e not in declared}
    scale = Scale(resolution=choice.resolution)
    # Lines of them may lie in the fit though their alpha line lies above it.
    design = Design(energy, families(declared, np.inf), scale, choice.beam_energy)
    fitted = fit_spectra(counts[:, used], variances[:, used], design, candidates)
    return Intensities(
        lines=choice.lines,
        **_areas(choice.lines, fitted.fits, fitted.covariances),
        calibration=fitted.calibration,
        unexplained=fitted.unexplained,
        used=used,
    )


def _lowest_line(family):
    """Energy in keV of the lowest line of a family that counts."""
    return family.energies[family.weights > WEAKEST * family.weights.max()].min()


def measure_absorbed(measured, variances, kfactors, foil):
    """The same with the ratios of the lines within families as they leave a foil (`Absorption`).

    `kfactors` by weight, array (n_lines,); `variances` as of `measure`.
    """
    elements = tuple(split_line(line)[0] for line in measured.lines)
    factors, foil = consistent_factors(measured.areas, kfactors, measured.lines, foil)
    families = []
    for areas, factor, thickness, density, fit in zip(
        measured.areas, factors, foil.thickness, foil.density, measured.fits, strict=True
    ):
        own = fit.design.families
        if areas.sum() > 0:
            fractions = weight_fractions(areas * factor, kfactors)
            mass_thickness = density * thickness * NM_TO_CM
            own = absorbed_families(own, elements, fractions, mass_thickness, foil.take_off_angle)
        families.append(own)
    again = refit(measured.fits, measured.calibration, variances[:, measured.used], families)
    return replace(measured, **_areas(measured.lines, *again))


def measure_windows(counts, variances, choice, peak_windows, background_windows):
    """Areas of lines by integration in windows, which counts overlapping lines twice.

    Windows in keV, see `window_weights`; the rest as of `measure`.
    """
    weights = window_weights(choice.energy, peak_windows, background_windows)
    areas = np.array([weights @ spectrum for spectrum in counts])
    covariances = np.array([np.diag(weights**2 @ variance) for variance in variances])
    return Intensities(choice.lines, np.maximum(areas, 0.0), areas, covariances, windows=weights)


def _areas(lines, fits, covariances):
    """What `Intensities` hold of the lines of interest, by name."""
    chosen = _positions(lines, fits)
    return {
        "inseparable": _inseparable(fits, covariances, chosen),
        "areas": np.array([fit.areas[chosen] for fit in fits]),
        "unconstrained": np.array([fit.unconstrained[chosen] for fit in fits]),
        "covariances": np.array([c[np.ix_(chosen, chosen)] for c in covariances]),
        "fits": tuple(fits),
    }


def _inseparable(fits, covariances, chosen):
    """Pairs of lines, of which the fits cannot tell the first from the second.

    The first is there for sure in no spectrum, and would be if it stood alone: the other one makes
    `BLURRED` times the uncertainty that its own counts and the background make.
    """
    families = fits[0].design.families
    pairs = []
    for n in chosen:
        stds = np.array([np.sqrt(of[n, n]) for of in covariances])
        if any(fit.unconstrained[n] > FOUND * std for fit, std in zip(fits, stds, strict=True)):
            continue
        same = [f.element == families[n].element or is_lone(f) for f in families]
        # Of the overlap, not of how well the fit describes the counts.
        overlap = [std / residual_around(fit)[n] for fit, std in zip(fits, stds, strict=True)]
        for fit, std in zip(fits, overlap, strict=True):
            weighted = fit.design.profiles / np.sqrt(fit.variance)
            beneath = fit.areas * (weighted @ weighted[n])
            beneath[same] = 0.0
            alone = 1 / np.sqrt(max(float(weighted[n] @ weighted[n]), 1e-300))
            if std > BLURRED * alone and beneath.max() > 0:
                other = families[int(np.argmax(beneath))]
                pairs.append((families[n].alpha, other.follows or other.alpha))
    return tuple(dict.fromkeys(pairs))


def _positions(lines, fits):
    """Numbers of lines among the fitted families, list of int."""
    names = [family.alpha for family in fits[0].design.families]
    return [names.index(line) for line in lines]
