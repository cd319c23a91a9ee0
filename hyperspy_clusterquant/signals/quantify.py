"""Quantification of spectra: what users say and metadata hold, as numbers for the kernels."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from hyperspy_clusterquant._checks import check_choice
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.composition.absorption import (
    NM_TO_CM,
    Absorption,
    absorbed_families,
    correct,
)
from hyperspy_clusterquant.composition.cliff_lorimer import (
    atomic_fractions,
    fraction_covariance,
    fraction_covariance_from_kfactors,
    weight_fractions,
)
from hyperspy_clusterquant.composition.entropy import configurational_entropy
from hyperspy_clusterquant.composition.fitting import fit_spectra, linear_fit, refit
from hyperspy_clusterquant.composition.peaks import Design, Scale
from hyperspy_clusterquant.composition.uncertainty import DETECTED
from hyperspy_clusterquant.composition.windows import integrate_windows
from hyperspy_clusterquant.counts.passes import combine_map
from hyperspy_clusterquant.images import composition_maps
from hyperspy_clusterquant.results.clusters import ClusterResult
from hyperspy_clusterquant.results.composition import CompositionTable
from hyperspy_clusterquant.signals.axes import energy_in_kev
from hyperspy_clusterquant.signals.options import (
    as_sublattices,
    beam_energy_of,
    detector_resolution,
    find_kfactors,
    highest_energy,
    lines_to_quantify,
    other_elements,
    read_absorption,
    read_given,
)
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.xrays.attenuation import attenuation_matrix
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.emission import atomic_weight, split_line
from hyperspy_clusterquant.xrays.lines import (
    alpha_lines,
    families_of,
    known_elements,
    line_energy,
    lines_of,
)

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
        self.energy = energy_in_kev(signal)
        self.highest = highest_energy(signal, self.energy)
        given = None if kfactors is None else read_given(kfactors)
        self.lines = lines_to_quantify(signal, xray_lines, self.energy, self.highest, given or ())
        self.elements = tuple(split_line(line)[0] for line in self.lines)
        self.groups = as_sublattices(sublattices, self.elements)
        self.kfactors = find_kfactors(signal, self.lines, given, kfactor_uncertainty, detector)
        self.extra = other_elements(signal, extra_elements, self.elements)
        self.absorption = read_absorption(signal, absorption, self.names)
        self.resolution = detector_resolution(signal)

    # --- intensities ----------------------------------------------------------------------

    def fit(self, counts, variances, beam_energy):
        """Line families fitted to spectra, see `model.fit_spectra`, and the channels used."""
        positions = [line_energy(line) for line in self.lines]
        lowest, highest = min(positions), max(positions)
        start = max(
            min(FIT_FROM, lowest - MARGIN_BELOW), min(LOWEST_FIT_ENERGY, LOWEST_SHARE * lowest)
        )
        end = min(max(FIT_UP_TO, 1.15 * highest + 0.5), 0.98 * beam_energy)
        used = (self.energy >= start) & (self.energy <= end)
        inside = self.energy[used]

        def alphas(elements):
            lowest, highest = max(inside[0] - REACH, 0.05), min(inside[-1] + REACH, self.highest)
            return alpha_lines(elements, lowest, highest)

        declared = (*self.elements, *self.extra)
        families = families_of(alphas(declared), beam_energy)
        others = [e for e in known_elements() if e not in declared]
        candidates = {e: families_of(alphas([e]), beam_energy) for e in others}
        design = Design(inside, families, Scale(resolution=self.resolution), beam_energy)
        fitted = fit_spectra(counts[:, used], variances[:, used], design, candidates)
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
        positions = np.array([line_energy(line) for line in self.lines])
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

    def positions_in(self, fitted):
        """Numbers of the quantified lines among the fitted families."""
        names = [family.alpha for family in fitted.fits[0].design.families]
        return [names.index(line) for line in self.lines]

    def areas_of(self, fitted):
        """Areas of the quantified lines: as they are, unconstrained, and covariances."""
        chosen = self.positions_in(fitted)
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
        positions = np.array([line_energy(line) for line in self.lines])
        attenuation = attenuation_matrix(self.elements, positions)
        corrected = [
            correct(i, k, self.elements, attenuation, t, density, angle)
            for i, t in zip(intensities, thicknesses, strict=True)
        ]
        foil = Absorption(thicknesses, tuple(d for _, d in corrected), angle)
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
            fractions = weight_fractions(own * factor, self.k)
            mass_thickness = density * thickness * NM_TO_CM
            families.append(
                absorbed_families(
                    fit.design.families, self.elements, fractions, mass_thickness,
                    foil.take_off_angle,
                )
            )  # fmt: skip
        return refit(fitted, variances, families)

    @property
    def k(self):
        """k-factors by weight, array (n_elements,)."""
        return np.array([self.kfactors[line] for line in self.lines])

    def percent(self, areas, covariance):
        """Composition in at% of the areas of the lines, and its covariance from theirs."""
        masses = np.array([atomic_weight(element) for element in self.elements])
        fractions = atomic_fractions(areas, self.k, masses)
        of_fractions = fraction_covariance(fractions, self.k / masses, areas, covariance)
        return 100 * fractions, 1e4 * of_fractions

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
        stds = np.sqrt([np.diag(c) for c in covariances])
        nothing = ~(unconstrained > DETECTED * stds).any(axis=1)
        for name in ("configurational_entropy", "configurational_entropy_std"):
            columns[name][nothing] = np.nan
        return CompositionTable(
            cluster_names=self.names,
            elements=self.elements,
            xray_lines=tuple(self.lines),
            intensities=intensities,
            intensities_std=stds,
            unconstrained_intensities=unconstrained,
            kfactors=self.kfactors,
            sublattices=tuple(tuple(self.elements[i] for i in group) for group in self.groups),
            composition_units=composition_units,
            absorption=foil,
            absorption_factors=factors,
            **columns,
            **more,
        )


class PerPixel(NamedTuple):
    """Wish to quantify every pixel of the map that a result is on."""

    result: ClusterResult
    show_progressbar: bool | None


def quantify(signal, spectra, names, method, composition_units, per_pixel=None, **wanted):
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
    per_pixel : PerPixel, optional
        To quantify every pixel as well.
    method, composition_units, **wanted
        As in `ClusteredEDSSpectrum.cluster_quantification`.

    Returns
    -------
    CompositionTable
    """
    check_choice("method", method, ("model", "windows"))
    check_choice("composition_units", composition_units, ("atomic", "weight"))
    if per_pixel is not None and method == "windows":
        raise ValueError("`per_pixel` maps are fitted: they need method='model'.")
    request = Request(signal, names, **wanted)
    beam_energy = beam_energy_of(signal) if method == "model" else None
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


def _composition_maps(signal, request, table, fitted, used, per_pixel):
    """Composition of every pixel of a map, by element; NaN where too few counts say nothing.

    Areas may be negative: clipped, they would be too large on average, the more the fewer counts.
    """
    operator = linear_fit(fitted).spread(used).operator[request.positions_in(fitted)]
    per_count = request.k.copy()
    if table.composition_units == "atomic":
        per_count /= np.array([atomic_weight(element) for element in request.elements])
    # The last row is the variance of the total amount.
    operator = np.vstack([operator, (per_count @ operator) ** 2])
    result, show = per_pixel
    with stages("Composition maps", 1, show) as progress:
        *areas, variance = combine_map(
            signal.data, operator, lambda share: progress("pixels", share)
        )
    # Absorption is that of the pixel's cluster, or the mean of the clusters where it is in none.
    factors = np.vstack([table.absorption_factors, np.nanmean(table.absorption_factors, axis=0)])
    labels = result.labels.ravel()
    amounts = np.array(areas) * per_count[:, None]
    known = amounts.sum(axis=0) > SURE * np.sqrt(variance)
    amounts *= factors[np.where(labels >= 0, labels, -1)].T
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = 100 * amounts / amounts.sum(axis=0)
    percent = np.where(known & (labels != MASKED), percent, np.nan)
    return composition_maps(percent, result, request.elements, table.unit)


def _composition(intensities, covariance, k, relative, masses, groups):
    """One spectrum: fractions, their uncertainties and the entropy."""
    atomic = atomic_fractions(intensities, k, masses)
    weight = weight_fractions(intensities, k)
    counting = fraction_covariance(atomic, k / masses, intensities, covariance)
    counting_weight = fraction_covariance(weight, k, intensities, covariance)
    from_k = fraction_covariance_from_kfactors(atomic, relative)
    from_k_weight = fraction_covariance_from_kfactors(weight, relative)
    s, s_std = configurational_entropy(atomic, counting + from_k, groups)
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


# --- windows ----------------------------------------------------------------------------


def _integrate(spectra, variances, lines, extra):
    """Intensities of the lines and their covariances by integration windows."""
    peak_windows = np.array(spectra.estimate_integration_windows(2.0, lines))
    background = np.array(spectra.estimate_background_windows(WINDOWS_AT, xray_lines=lines))
    to_kev = energy_in_kev(spectra)[-1] / spectra.axes_manager.signal_axes[0].axis[-1]
    _warn_of_overlaps(lines, extra, detector_resolution(spectra), background * to_kev)
    axis = spectra.axes_manager.signal_axes[0].axis
    measured = [
        integrate_windows(axis, spectrum, variance, peak_windows, background)
        for spectrum, variance in zip(np.asarray(spectra.data, float), variances, strict=True)
    ]
    areas = np.array([area for area, _ in measured])
    return areas, np.array([np.diag(variance) for _, variance in measured])


def _warn_of_overlaps(lines, extra, resolution, background_windows):
    """Warn if a line lies in the window, or a strong line in the background, of another."""
    elements = [split_line(line)[0] for line in lines]
    overlapping, disturbed = [], []
    for line, element, sides in zip(lines, elements, background_windows, strict=True):
        position = line_energy(line)
        width = float(fwhm_at_energy(position, resolution))
        for other in dict.fromkeys([*elements, *extra]):
            of_other = lines_of(other)
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
