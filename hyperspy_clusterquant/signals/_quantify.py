"""Quantification of spectra: what users say and metadata hold, as numbers for the kernels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from numbers import Real

import numpy as np

from hyperspy_clusterquant import blocks
from hyperspy_clusterquant._checks import as_names, check_choice
from hyperspy_clusterquant.quantification import (
    absorption,
    cliff_lorimer,
    entropy,
    kfactors,
    model,
    windows,
)
from hyperspy_clusterquant.quantification.composition import CompositionTable
from hyperspy_clusterquant.quantification.detectors import fwhm_at_energy
from hyperspy_clusterquant.quantification.emission import atomic_weight
from hyperspy_clusterquant.quantification.peaks import Design, Scale
from hyperspy_clusterquant.results import MASKED
from hyperspy_clusterquant.signals import _axes, _xray_lines, maps

#: The fit starts here in keV, or below the lowest quantified line if that is lower: with little
#: below it, the strong carbon of the film and its steep background are left out.
FIT_FROM = 1.1
MARGIN_BELOW = 0.25
#: The fit never starts lower than this, or this share of the lowest quantified line.
LOWEST_FIT_ENERGY = 0.2
LOWEST_SHARE = 0.65
#: The fit goes up to here in keV, or beyond the highest quantified line if that is higher.
FIT_UP_TO = 25.0
#: Alpha lines so far (keV) outside of the fit may still reach into it.
REACH = 0.25
#: Distance of the background windows below and above a line, in widths of the line.
WINDOWS_AT = [5.0, 2.0]
#: Standard deviations that the amount of all elements in a pixel must be above zero.
SURE = 3.0
#: Unexplained peaks that a warning names.
MOST_NAMED = 6
#: Shift of a quantified line and change of the resolution, in eV, that are worth a warning.
LARGE_SHIFT = 25.0
LARGE_CHANGE = 20.0


class Request:
    """What is to be quantified in a signal, checked and turned into numbers.

    Parameters
    ----------
    signal : ClusteredEDSSpectrum
        With the metadata.
    names : tuple of str
        Names of the spectra.
    xray_lines, kfactors, kfactor_uncertainty, extra_elements, absorption, sublattices, detector
        As in `ClusteredEDSSpectrum.cluster_quantification`.
    """

    def __init__(
        self, signal, names, *, xray_lines=None, kfactors=None, kfactor_uncertainty=None,
        extra_elements=(), absorption=None, sublattices=None, detector=None,
    ):  # fmt: skip
        self.names = tuple(names)
        self.energy = _axes.energy_in_kev(signal)
        self.highest = _highest_energy(signal, self.energy)
        given = None if kfactors is None else _read_kfactors(kfactors)
        self.lines = _lines(signal, xray_lines, self.energy, self.highest, given or ())
        self.elements = tuple(_xray_lines.split_line(line)[0] for line in self.lines)
        self.groups = _sublattices(sublattices, self.elements)
        self.kfactors = _kfactors(signal, self.lines, given, kfactor_uncertainty, detector)
        self.extra = _extra_elements(signal, extra_elements, self.elements)
        self.absorption = _absorption(signal, absorption, self.names)
        self.resolution = _resolution(signal)

    # --- intensities ----------------------------------------------------------------------

    def fit(self, counts, variances, beam_energy):
        """Line families fitted to spectra, see `model.fit_spectra`, and the channels used."""
        positions = [_xray_lines.line_energy(line) for line in self.lines]
        lowest, highest = min(positions), max(positions)
        start = max(
            min(FIT_FROM, lowest - MARGIN_BELOW), min(LOWEST_FIT_ENERGY, LOWEST_SHARE * lowest)
        )
        end = min(max(FIT_UP_TO, 1.15 * highest + 0.5), 0.98 * beam_energy)
        used = (self.energy >= start) & (self.energy <= end)
        inside = self.energy[used]

        def alphas(elements):
            lowest, highest = max(inside[0] - REACH, 0.05), min(inside[-1] + REACH, self.highest)
            return _xray_lines.alpha_lines(elements, lowest, highest)

        declared = (*self.elements, *self.extra)
        families = _xray_lines.families(alphas(declared), beam_energy)
        others = [e for e in _xray_lines.known_elements() if e not in declared]
        candidates = {e: _xray_lines.families(alphas([e]), beam_energy) for e in others}
        design = Design(inside, families, Scale(resolution=self.resolution), beam_energy)
        fitted = model.fit_spectra(counts[:, used], variances[:, used], design, candidates)
        return fitted, used

    def warn_of_the_fit(self, fitted):
        """Warn of what was found in the spectra that the user did not declare."""
        if fitted.unexplained:
            peaks = ", ".join(map(str, fitted.unexplained[:MOST_NAMED]))
            n_more = len(fitted.unexplained) - MOST_NAMED
            if n_more > 0:
                peaks += f" and {n_more} weaker ones (`table.unexplained`)"
            warnings.warn(
                f"Peaks that no declared element explains: {peaks}. They were fitted along and do "
                "not enter the composition. Declare those that are elements in `extra_elements`, "
                "or with s.add_elements([...]) if they belong to the sample.",
                UserWarning,
                stacklevel=4,
            )
        calibration = fitted.calibration
        positions = np.array([_xray_lines.line_energy(line) for line in self.lines])
        shift = calibration.shift(positions)
        largest = shift[np.argmax(np.abs(shift))]
        change = calibration.scale.resolution - self.resolution
        if calibration.at_bound or abs(largest) > LARGE_SHIFT or abs(change) > LARGE_CHANGE:
            outcome = "This was corrected for the fit"
            if calibration.at_bound or len(fitted.unexplained) > MOST_NAMED:
                outcome = "They are not explained by that, so the composition may be wrong"
            warnings.warn(
                f"The peaks lie up to {largest:+.0f} eV beside their lines and their "
                f"resolution is {calibration.scale.resolution:.0f} eV, where the metadata say "
                f"{self.resolution:.0f} eV. {outcome}. Check the energy axis and "
                "s.set_microscope_parameters(energy_resolution_MnKa=...), and look at "
                "table.plot_fit().",
                UserWarning,
                stacklevel=4,
            )

    def areas_of(self, fitted):
        """Areas of the quantified lines: as they are, unconstrained, and covariances."""
        names = [family.alpha for family in fitted.fits[0].design.families]
        chosen = [names.index(line) for line in self.lines]
        return (
            np.array([fit.areas[chosen] for fit in fitted.fits]),
            np.array([fit.unconstrained[chosen] for fit in fitted.fits]),
            np.array([c[np.ix_(chosen, chosen)] for c in fitted.covariances]),
        )

    # --- composition ----------------------------------------------------------------------

    def factors(self, intensities):
        """Absorption factors of each spectrum's lines, and the foil they are for."""
        if self.absorption is None:
            return np.ones(intensities.shape), None
        thicknesses, density, angle = self.absorption
        k = self.k
        positions = np.array([_xray_lines.line_energy(line) for line in self.lines])
        attenuation = absorption.attenuation_matrix(self.elements, positions)
        corrected = [
            absorption.correct(i, k, self.elements, attenuation, t, density, angle)
            for i, t in zip(intensities, thicknesses, strict=True)
        ]
        foil = absorption.Absorption(thicknesses, tuple(d for _, d in corrected), angle)
        return np.array([f for f, _ in corrected]), foil

    def refit_absorbed(self, fitted, variances):
        """The fit with the ratios of lines within families as the foil leaves them."""
        intensities, _, _ = self.areas_of(fitted)
        factors, foil = self.factors(intensities)
        families = []
        for own, factor, thickness, density, fit in zip(
            intensities, factors, foil.thickness, foil.density, fitted.fits, strict=True
        ):
            if not own.sum() > 0:
                families.append(fit.design.families)
                continue
            fractions = cliff_lorimer.weight_fractions(own * factor, self.k)
            mass_thickness = density * thickness * absorption.NM_TO_CM
            families.append(
                absorption.absorbed_families(
                    fit.design.families, self.elements, fractions, mass_thickness,
                    foil.take_off_angle,
                )
            )  # fmt: skip
        return model.refit(fitted, variances, families)

    @property
    def k(self):
        """k-factors by weight, array (n_elements,)."""
        return np.array([self.kfactors[line] for line in self.lines])

    def table(self, intensities, unconstrained, covariances, composition_units, **more):
        """Compositions of the spectra as a `CompositionTable`."""
        relative = np.array(
            [self.kfactors.relative_uncertainty.get(line, 0.0) for line in self.lines]
        )
        factors, foil = self.factors(intensities)
        masses = np.array([atomic_weight(element) for element in self.elements])
        rows = [
            _composition(i, c, self.k * f, relative, masses, self.groups)
            for i, c, f in zip(intensities, covariances, factors, strict=True)
        ]
        columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        return CompositionTable(
            cluster_names=self.names,
            elements=self.elements,
            xray_lines=tuple(self.lines),
            intensities=intensities,
            intensities_std=np.sqrt([np.diag(c) for c in covariances]),
            unconstrained_intensities=unconstrained,
            kfactors=self.kfactors,
            sublattices=tuple(tuple(self.elements[i] for i in group) for group in self.groups),
            composition_units=composition_units,
            absorption=foil,
            absorption_factors=factors,
            **columns,
            **more,
        )


def quantify(signal, spectra, names, method, composition_units, per_pixel=None, **options):
    """Composition of each spectrum, see `ClusteredEDSSpectrum.cluster_quantification`.

    Parameters
    ----------
    signal : ClusteredEDSSpectrum
        With the metadata.
    spectra : callable
        Gives the spectra as a signal (n_spectra | energy) and their variances, array
        (n_spectra, channels). Called when everything else has been checked.
    names : tuple of str
        Names of the spectra.
    per_pixel : ClusterResult, optional
        Result on the signal's map, to quantify every pixel as well.
    method, composition_units, **options
        As in `ClusteredEDSSpectrum.cluster_quantification`.

    Returns
    -------
    CompositionTable
    """
    check_choice("method", method, ("model", "windows"))
    check_choice("composition_units", composition_units, ("atomic", "weight"))
    if per_pixel is not None and method == "windows":
        raise ValueError("`per_pixel` maps are fitted: they need method='model'.")
    request = Request(signal, names, **options)
    beam_energy = _beam_energy(signal) if method == "model" else None
    spectra, variances = spectra()
    counts = np.asarray(spectra.data, dtype=float)
    if not counts.sum() > 0:
        raise ValueError(
            f"There are no counts to quantify: {', '.join(request.names)} are empty. Check the "
            "data and the mask that the clusters were found with."
        )
    if method == "windows":
        areas, covariances = _integrate(spectra, variances, request.lines, request.extra)
        return request.table(np.maximum(areas, 0.0), areas, covariances, composition_units)
    fitted, used = request.fit(counts, variances, beam_energy)
    request.warn_of_the_fit(fitted)
    if request.absorption is not None:
        fitted = request.refit_absorbed(fitted, variances[:, used])
    table = request.table(
        *request.areas_of(fitted),
        composition_units,
        fits=fitted.fits,
        calibration=fitted.calibration,
        unexplained=fitted.unexplained,
    )
    if per_pixel is None:
        return table
    return replace(table, maps=_composition_maps(signal, request, table, fitted, used, per_pixel))


def _composition_maps(signal, request, table, fitted, used, result):
    """Composition of every pixel of a map, by element; NaN where too few counts say nothing.

    Areas may be negative: clipped, they would be too large on average, the more the fewer counts.
    """
    names = [family.alpha for family in fitted.fits[0].design.families]
    operator = np.zeros((len(request.lines), len(request.energy)))
    operator[:, used] = model.area_operator(fitted)[[names.index(line) for line in request.lines]]
    per_count = request.k.copy()
    if table.composition_units == "atomic":
        per_count /= np.array([atomic_weight(element) for element in request.elements])
    # The last row is the variance of the total amount.
    operator = np.vstack([operator, (per_count @ operator) ** 2])
    *areas, variance = blocks.project(signal.data, operator)
    # Absorption is that of the pixel's cluster, or the mean of the clusters where it is in none.
    factors = np.vstack([table.absorption_factors, np.nanmean(table.absorption_factors, axis=0)])
    labels = result.labels.ravel()
    amounts = np.array(areas) * per_count[:, None]
    known = amounts.sum(axis=0) > SURE * np.sqrt(variance)
    amounts *= factors[np.where(labels >= 0, labels, -1)].T
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = 100 * amounts / amounts.sum(axis=0)
    percent = np.where(known & (labels != MASKED), percent, np.nan)
    return maps.composition_maps(percent, result, request.elements, table.unit)


def _composition(intensities, covariance, k, relative, masses, groups):
    """One spectrum: fractions, their uncertainties and the entropy."""
    atomic = cliff_lorimer.atomic_fractions(intensities, k, masses)
    weight = cliff_lorimer.weight_fractions(intensities, k)
    counting = cliff_lorimer.fraction_covariance(atomic, k / masses, intensities, covariance)
    counting_weight = cliff_lorimer.fraction_covariance(weight, k, intensities, covariance)
    from_k = cliff_lorimer.fraction_covariance_from_kfactors(atomic, relative)
    from_k_weight = cliff_lorimer.fraction_covariance_from_kfactors(weight, relative)
    s, s_std = entropy.configurational_entropy(atomic, counting + from_k, groups)
    if np.isnan(atomic).any():
        s, s_std = np.nan, np.nan
    return {
        "atomic_percent": 100 * atomic,
        "weight_percent": 100 * weight,
        "covariance_counting": 1e4 * counting,
        "covariance_kfactor": 1e4 * from_k,
        "weight_percent_std": 100 * np.sqrt(np.diag(counting_weight + from_k_weight)),
        "configurational_entropy": s,
        "configurational_entropy_std": s_std,
    }


def quantified_lines(signal):
    """Alpha lines that the declared elements of a signal are quantified with."""
    energy = _axes.energy_in_kev(signal)
    return _lines(signal, None, energy, _highest_energy(signal, energy), ())


# --- what to quantify -------------------------------------------------------------------


def _lines(signal, xray_lines, energy, highest, given):
    """Alpha line of each element to quantify."""
    lowest = energy[0]
    if isinstance(xray_lines, str):
        xray_lines = [xray_lines]
    if xray_lines is None:
        elements = [str(e) for e in signal.metadata.get_item("Sample.elements", [])]
        if not elements:
            raise ValueError(
                "No elements are set. Declare those of the sample first, for example "
                "s.set_elements(['Cu', 'Fe', 'S']), or pass `xray_lines`."
            )
        declared = [str(line) for line in signal.metadata.get_item("Sample.xray_lines", [])]
        # What the user declared and has k-factors for, comes before either alone.
        both = [line for line in declared if line in given]
        preferred = (both, list(given), declared)
        xray_lines = _xray_lines.choose_lines(elements, lowest, highest, preferred)
    elements = [_xray_lines.split_line(line)[0] for line in xray_lines]
    if len(set(elements)) < len(elements):
        raise ValueError(f"Each element is quantified with one line, but got {list(xray_lines)}.")
    if len(elements) < 2:
        raise ValueError(
            f"A composition needs at least two elements, but only {', '.join(elements)} is to be "
            "quantified. Declare the others with s.add_elements([...])."
        )
    for line in xray_lines:
        position = _xray_lines.line_energy(line)
        if not line.endswith(("Ka", "La", "Ma")):
            raise ValueError(
                f"Cliff-Lorimer k-factors are for alpha lines (Ka, La, Ma), not {line!r}."
            )
        if not lowest < position < highest:
            raise ValueError(
                f"{line} at {position:.3g} keV lies outside the energy range of the axis and the "
                f"beam ({lowest:.3g} to {highest:.3g} keV). Choose another line of the element in "
                "`xray_lines`."
            )
    return list(xray_lines)


def _extra_elements(signal, extra_elements, elements):
    """Elements to fit besides: the extra ones, and the declared ones that are not quantified."""
    declared = [str(e) for e in signal.metadata.get_item("Sample.elements", [])]
    extra = [*as_names("extra_elements", extra_elements), *declared]
    for element in extra:
        _xray_lines.lines_of(element)
    return tuple(element for element in dict.fromkeys(extra) if element not in elements)


def _highest_energy(signal, energy):
    """End of the energy axis, or the beam energy if that is lower."""
    beam_energy = signal.metadata.get_item("Acquisition_instrument.TEM.beam_energy", None)
    return energy[-1] if beam_energy is None else min(energy[-1], float(beam_energy))


def _sublattices(sublattices, elements):
    """Sublattices as numbers of the elements."""
    if sublattices is None:
        sublattices = entropy.default_sublattices(elements)
    sublattices = [sublattices] if isinstance(sublattices, str) else list(sublattices)
    if not all(isinstance(member, str) for group in sublattices for member in np.atleast_1d(group)):
        raise TypeError(
            f"`sublattices` must be lists of elements such as [['Cu', 'Fe'], ['S']], not "
            f"{sublattices!r}."
        )
    if len(sublattices) > 1 and all(isinstance(group, str) for group in sublattices):
        raise ValueError(
            f"`sublattices` must say who shares sites: [{sublattices}] if these do, or "
            f"{[[element] for element in sublattices]} if each has its own."
        )
    sublattices = [[group] if isinstance(group, str) else list(group) for group in sublattices]
    members = [element for group in sublattices for element in group]
    if len(set(members)) < len(members):
        raise ValueError(
            f"`sublattices` names an element twice: {sublattices}. Write them as "
            "[['Cu', 'Fe'], ['S']]."
        )
    for member in members:
        if member not in elements:
            raise ValueError(
                f"{member!r} in `sublattices` is not among the quantified elements "
                f"({', '.join(elements)}). Write them as [['Cu', 'Fe'], ['S']]."
            )
    return [[elements.index(element) for element in group] for group in sublattices]


def _resolution(signal):
    resolution = signal.metadata.get_item(
        "Acquisition_instrument.TEM.Detector.EDS.energy_resolution_MnKa", None
    )
    if resolution is None or not 80 <= float(resolution) <= 250:
        raise ValueError(
            "The resolution of the detector (full width of Mn K-alpha in eV) must lie between 80 "
            f"and 250, but is {resolution}. Set it with "
            "s.set_microscope_parameters(energy_resolution_MnKa=130)."
        )
    return float(resolution)


def _beam_energy(signal):
    beam_energy = signal.metadata.get_item("Acquisition_instrument.TEM.beam_energy", None)
    if beam_energy is None:
        raise ValueError(
            "The beam energy is not known. Set it with "
            "s.set_microscope_parameters(beam_energy=200) (keV)."
        )
    if not 1 <= float(beam_energy) <= 2000:
        raise ValueError(
            f"The beam energy is {float(beam_energy):g} keV, which no microscope has. Set it in "
            "keV with s.set_microscope_parameters(beam_energy=200)."
        )
    return float(beam_energy)


# --- k-factors --------------------------------------------------------------------------


def _read_kfactors(given):
    if hasattr(given, "as_dictionary"):  # a node of HyperSpy's metadata
        given = given.as_dictionary()
    return kfactors.read_kfactors(given)


def _kfactors(signal, lines, given, uncertainty, detector):
    """k-factors of the lines, from the user, from theory, or from both, as `KFactors`."""
    if given is None:
        beam_energy = _beam_energy(signal)
        found = kfactors.theoretical_kfactors(lines, beam_energy, lines[0], detector)
        relative = found.relative_uncertainty
        if uncertainty is None:
            warnings.warn(
                f"Theoretical k-factors at {beam_energy:.4g} keV are used"
                f"{_for_detector(detector)}, with uncertainties of "
                f"{min(relative.values()):.0%} to {max(relative.values()):.0%}. Pass `kfactors` "
                "measured on your instrument for better ones.",
                UserWarning,
                stacklevel=5,
            )
    else:
        missing = [line for line in lines if line not in given]
        if len(missing) == len(lines):
            raise ValueError(
                f"`kfactors` holds none of the lines {', '.join(lines)}; it has "
                f"{', '.join(given) or 'nothing'}. Add them (by weight), choose other lines in "
                "`xray_lines`, or leave `kfactors` out for theoretical ones."
            )
        if detector is not None and not missing:
            raise ValueError(
                "`detector` is for theoretical k-factors, but `kfactors` holds all that are "
                "needed: leave one of them out."
            )
        beam_energy = _beam_energy(signal) if missing else None
        found = kfactors.complete_kfactors(given, lines, beam_energy, detector)
        if missing:
            warnings.warn(
                f"`kfactors` lacks {', '.join(missing)}: theoretical ones, scaled to those given, "
                "are used for them (marked * in the table).",
                UserWarning,
                stacklevel=5,
            )
    relative = found.relative_uncertainty | _uncertainties(lines, given, uncertainty)
    return kfactors.KFactors(found, relative, found.sources)


def _for_detector(detector):
    if detector is None:
        return " (for an ideal detector, see `detector`)"
    return f" (for the detector {detector!r})" if isinstance(detector, str) else ""


def _uncertainties(lines, given, uncertainty):
    """Relative uncertainty of each line that the user named one for."""
    if uncertainty is None:
        return {}
    if isinstance(uncertainty, Mapping):
        unknown = [line for line in uncertainty if line not in lines]
        if unknown:
            raise ValueError(
                f"`kfactor_uncertainty` names {', '.join(map(str, unknown))}, but the quantified "
                f"lines are {', '.join(lines)}."
            )
        named = dict(uncertainty)
    else:  # of what was given; theory beside it keeps its own
        named = {line: uncertainty for line in lines if given is None or line in given}
    for value in named.values():
        if not isinstance(value, Real) or not 0 <= value < 1:
            raise ValueError(
                f"`kfactor_uncertainty` is relative, 0.05 stands for 5 %; got {uncertainty!r}."
            )
    return named


# --- absorption -------------------------------------------------------------------------


def _absorption(signal, given, names):
    """Thickness of each spectrum, density (None = of the composition) and take-off angle."""
    if given is None:
        return None
    example = "absorption={'thickness': 80, 'density': 'auto', 'take_off_angle': 'auto'}"
    if not isinstance(given, dict) or "thickness" not in given:
        raise ValueError(
            f"`absorption` must be a dictionary with a thickness in nm, such as {example}; "
            f"got {given!r}."
        )
    unknown = set(given) - {"thickness", "density", "take_off_angle"}
    if unknown:
        raise ValueError(
            f"`absorption` knows thickness, density and take_off_angle, not "
            f"{', '.join(map(str, unknown))}. Write it as {example}."
        )
    thickness = given["thickness"]
    if isinstance(thickness, dict):
        # Clusters are called by their names or, as in `rename`, by their numbers.
        thickness = {names[key] if key in range(len(names)) else key: value
                     for key, value in thickness.items()}  # fmt: skip
        missing = [name for name in names if name not in thickness]
        if missing:
            raise ValueError(
                f"The thickness of {', '.join(missing)} is missing in `absorption`; it has "
                f"{', '.join(map(str, thickness))}."
            )
        if len(thickness) > len(names):
            raise ValueError(
                f"`absorption` has thicknesses of {', '.join(map(str, thickness))}, but the "
                f"clusters are {', '.join(names)}."
            )
        thickness = [thickness[name] for name in names]
    thicknesses = [thickness] * len(names) if np.ndim(thickness) == 0 else list(thickness)
    if len(thicknesses) != len(names):
        raise ValueError(
            f"`absorption` has {len(thicknesses)} thicknesses for {len(names)} clusters. Give one "
            "for all, one for each, or a dictionary by the clusters' names."
        )
    thicknesses = tuple(_in_range("thickness", t, 0.1, 1e4, "in nm") for t in thicknesses)
    density = given.get("density", "auto")
    if not (isinstance(density, str) and density == "auto"):
        density = _in_range("density", density, 0, 30, "in g/cm3, or 'auto'")
    angle = given.get("take_off_angle", "auto")
    if isinstance(angle, str) and angle == "auto":
        angle = _take_off_angle(signal)
    angle = _in_range("take_off_angle", angle, 2, 90, "in degrees, or 'auto'")
    return thicknesses, None if density == "auto" else density, angle


def _in_range(name, value, low, high, unit):
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not low < number <= high or not np.isfinite(number):
        raise ValueError(
            f"The {name} in `absorption` must be a number above {low:g} and up to {high:g} "
            f"({unit}), not {value!r}."
        )
    return number


def _take_off_angle(signal):
    elevation = signal.metadata.get_item(
        "Acquisition_instrument.TEM.Detector.EDS.elevation_angle", None
    )
    if elevation is None:
        raise ValueError(
            "The take-off angle is not known. Pass it in `absorption`, or set the detector's "
            "angles with s.set_microscope_parameters(elevation_angle=22, azimuth_angle=0, "
            "tilt_stage=0) (degrees)."
        )
    return float(signal.get_take_off_angle())


# --- windows ----------------------------------------------------------------------------


def _integrate(spectra, variances, lines, extra):
    """Intensities of the lines and their covariances by integration windows."""
    peak_windows = np.array(spectra.estimate_integration_windows(2.0, lines))
    background = np.array(spectra.estimate_background_windows(WINDOWS_AT, xray_lines=lines))
    to_kev = _axes.energy_in_kev(spectra)[-1] / spectra.axes_manager.signal_axes[0].axis[-1]
    _warn_of_overlaps(lines, extra, _resolution(spectra), background * to_kev)
    axis = spectra.axes_manager.signal_axes[0].axis
    measured = [
        windows.integrate_windows(axis, spectrum, variance, peak_windows, background)
        for spectrum, variance in zip(np.asarray(spectra.data, float), variances, strict=True)
    ]
    areas = np.array([area for area, _ in measured])
    return areas, np.array([np.diag(variance) for _, variance in measured])


def _warn_of_overlaps(lines, extra, resolution, background_windows):
    """Warn if a line lies in the window, or a strong line in the background, of another."""
    elements = [_xray_lines.split_line(line)[0] for line in lines]
    overlapping, disturbed = [], []
    for line, element, sides in zip(lines, elements, background_windows, strict=True):
        position = _xray_lines.line_energy(line)
        width = float(fwhm_at_energy(position, resolution))
        for other in dict.fromkeys([*elements, *extra]):
            of_other = _xray_lines.lines_of(other)
            near = [name for name, e in of_other.items() if abs(e - position) < 1.5 * width]
            if near and other != element:
                overlapping.append(f"{line} with {other}_{near[0]}")
            beside = [
                name
                for name, e in of_other.items()
                if name in ("Ka", "La", "Ma")
                and any(
                    low - 0.5 * width < e < high + 0.5 * width for low, high in sides.reshape(2, 2)
                )
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
        warnings.warn(f"{'. '.join(found)}. Use method='model'.", UserWarning, stacklevel=5)
