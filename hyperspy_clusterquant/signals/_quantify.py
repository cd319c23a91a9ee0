"""Quantification of cluster spectra: exspy's line families, our statistics."""

from __future__ import annotations

import warnings

import numpy as np

from hyperspy_clusterquant._checks import check_choice
from hyperspy_clusterquant.counts import fwhm_at_energy
from hyperspy_clusterquant.quantification import cliff_lorimer, entropy, kfactors, peaks
from hyperspy_clusterquant.results import CompositionTable
from hyperspy_clusterquant.signals import _axes, _xray_lines

#: The fit never starts lower; below, absorption bends the background too sharply.
LOWEST_FIT_ENERGY = 0.2
#: Energies fitted beyond the outermost lines of the quantified elements, in keV, to hold the
#: background. Little below them: the carbon of the film, whose peak is strong and whose
#: background is steep, is left out of the fit where no quantified element needs it.
MARGIN_BELOW = 0.25
MARGIN_ABOVE = 0.5


def quantify(
    signal, result, xray_lines, kfactors, kfactor_uncertainty, method, weights, extra_elements,
    sublattices, composition_units,
):  # fmt: skip
    """Composition of each cluster, see `ClusteredEDSSpectrum.cluster_quantification`."""
    check_choice("method", method, ("model", "windows"))
    check_choice("composition_units", composition_units, ("atomic", "weight"))
    energy = _axes.energy_in_kev(signal)
    given, file_uncertainty = ({}, {}) if kfactors is None else _read_kfactors(kfactors)
    lines = _lines(signal, xray_lines, energy, given)
    elements = tuple(_xray_lines.split_line(line)[0] for line in lines)
    groups = _sublattices(sublattices, elements)
    k, relative = _kfactors(signal, lines, kfactors, given, kfactor_uncertainty, file_uncertainty)

    spectra = signal.get_cluster_spectra(result, weights)
    variances = spectra.metadata.Signal.Noise_properties.variance.data
    if method == "model":
        extra = _extra_elements(signal, extra_elements, elements)
        measured = _fit(spectra, variances, energy, lines, elements, extra)
    else:
        measured = _integrate(spectra, variances, lines)
    intensities, covariances = measured

    atomic_weights = np.array([_xray_lines.atomic_weight(element) for element in elements])
    rows = [
        _composition(i, c, k, relative, atomic_weights, groups)
        for i, c in zip(intensities, covariances, strict=True)
    ]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return CompositionTable(
        cluster_names=result.cluster_names,
        elements=elements,
        xray_lines=tuple(lines),
        intensities=intensities,
        intensities_std=np.sqrt([np.diag(c) for c in covariances]),
        kfactors=dict(zip(lines, k.tolist(), strict=True)),
        sublattices=tuple(tuple(elements[i] for i in group) for group in groups),
        composition_units=composition_units,
        **columns,
    )


def _composition(intensities, covariance, k, relative, atomic_weights, groups):
    """One cluster: fractions, their uncertainties and the entropy."""
    atomic = cliff_lorimer.atomic_fractions(intensities, k, atomic_weights)
    weight = cliff_lorimer.weight_fractions(intensities, k)
    counting = cliff_lorimer.fraction_covariance(
        atomic, k / atomic_weights, intensities, covariance
    )
    counting_weight = cliff_lorimer.fraction_covariance(weight, k, intensities, covariance)
    from_k = cliff_lorimer.fraction_covariance_from_kfactors(atomic, relative)
    from_k_weight = cliff_lorimer.fraction_covariance_from_kfactors(weight, relative)
    s, s_std = entropy.configurational_entropy(atomic, counting + from_k, groups)
    if np.isnan(atomic).any():
        s, s_std = np.nan, np.nan
    return {
        "atomic_percent": 100 * atomic,
        "weight_percent": 100 * weight,
        "std_counting": 100 * np.sqrt(np.diag(counting)),
        "std_kfactor": 100 * np.sqrt(np.diag(from_k)),
        "weight_percent_std": 100 * np.sqrt(np.diag(counting_weight + from_k_weight)),
        "configurational_entropy": s,
        "configurational_entropy_std": s_std,
    }


# --- what to quantify -------------------------------------------------------------------


def _lines(signal, xray_lines, energy, given):
    """Alpha line of each element to quantify."""
    lowest, highest = energy[0], _highest_energy(signal, energy)
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
    if isinstance(extra_elements, str):
        extra_elements = (extra_elements,)
    declared = [str(e) for e in signal.metadata.get_item("Sample.elements", [])]
    extra = [*(() if extra_elements is None else extra_elements), *declared]
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


def _read_kfactors(given):
    if hasattr(given, "as_dictionary"):  # a node of HyperSpy's metadata
        given = given.as_dictionary()
    return kfactors.read_kfactors(given)


def _kfactors(signal, lines, user, given, user_uncertainty, file_uncertainty):
    """k-factor of each line and its relative uncertainty."""
    if user is None:
        beam_energy = _beam_energy(signal)
        given = kfactors.theoretical_kfactors(lines, beam_energy)
        default = {line: kfactors.theory_uncertainty(line) for line in lines}
        if user_uncertainty is None:
            warnings.warn(
                f"Theoretical k-factors at {beam_energy:.4g} keV are used, with uncertainties of "
                f"{min(default.values()):.0%} to {max(default.values()):.0%}. Pass `kfactors` "
                "measured on your instrument for better ones.",
                UserWarning,
                stacklevel=4,
            )
    else:
        missing = [line for line in lines if line not in given]
        if missing:
            raise ValueError(
                f"`kfactors` lacks {', '.join(missing)}; it has {', '.join(given)}. Add the "
                "missing ones (by weight), choose other lines in `xray_lines`, or quantify fewer "
                "elements."
            )
        default = file_uncertainty
    if isinstance(user_uncertainty, dict):
        unknown = [line for line in user_uncertainty if line not in lines]
        if unknown:
            raise ValueError(
                f"`kfactor_uncertainty` names {', '.join(map(str, unknown))}, but the quantified "
                f"lines are {', '.join(lines)}."
            )
        default = default | user_uncertainty
    elif user_uncertainty is not None:
        default = dict.fromkeys(lines, user_uncertainty)
    relative = [default.get(line, 0.0) for line in lines]
    if any(isinstance(value, str) or not 0 <= value < 1 for value in relative):
        raise ValueError(
            f"`kfactor_uncertainty` is relative, 0.05 stands for 5 %; got {user_uncertainty!r}."
        )
    relative = np.array(relative, dtype=float)
    return np.array([given[line] for line in lines]), relative


def _beam_energy(signal):
    beam_energy = signal.metadata.get_item("Acquisition_instrument.TEM.beam_energy", None)
    if beam_energy is None:
        raise ValueError(
            "The beam energy is not known. Set it with "
            "s.set_microscope_parameters(beam_energy=200) (keV)."
        )
    return float(beam_energy)


# --- intensities ------------------------------------------------------------------------


def _fit(spectra, variances, energy, lines, elements, extra):
    """Intensities of the lines and their covariances by the family model."""
    _beam_energy(spectra)
    highest = _highest_energy(spectra, energy)
    quantified = _xray_lines.alpha_lines(elements, energy[0], highest)
    positions = [_xray_lines.line_energy(line) for line in quantified]
    fitted = (energy >= max(min(positions) - MARGIN_BELOW, LOWEST_FIT_ENERGY)) & (
        energy <= 1.15 * max(positions) + MARGIN_ABOVE
    )
    inside = energy[fitted]
    alphas = _xray_lines.alpha_lines([*elements, *extra], inside[0], min(inside[-1], highest))
    families = _family_profiles(spectra, alphas)
    profiles = np.array(list(families.values()))[:, fitted]
    background = peaks.background_basis(inside)
    chosen = [list(families).index(line) for line in lines]
    fits = [
        peaks.fit_peaks(spectrum[fitted], variance[fitted], profiles, background)
        for spectrum, variance in zip(spectra.data, variances, strict=True)
    ]
    return (
        np.array([fit.areas[chosen] for fit in fits]),
        np.array([fit.covariance[np.ix_(chosen, chosen)] for fit in fits]),
    )


def _family_profiles(spectra, alphas):
    """Spectra of exspy's line families by alpha line, with one count in each alpha line."""
    single = spectra.inav[0]
    if single.metadata.has_item("Signal.Noise_properties"):
        del single.metadata.Signal.Noise_properties
    model = single.create_model(auto_background=False, auto_add_lines=False)
    model.add_family_lines(alphas)
    axis = single.axes_manager.signal_axes[0]
    profiles = {}
    for alpha in model.xray_lines:
        alpha.A.value = 1.0
        family = [alpha, *(line for line in model.family_lines if line.A.twin is alpha.A)]
        profiles[alpha.name] = sum(x.function(axis.axis) for x in family) * abs(axis.scale)
    return profiles


def _integrate(spectra, variances, lines):
    """Intensities of the lines and their covariances by integration windows."""
    windows = np.array(spectra.estimate_integration_windows(2.0, lines))
    background = np.array(spectra.estimate_background_windows(xray_lines=lines))
    resolution = spectra.metadata.Acquisition_instrument.TEM.Detector.EDS.energy_resolution_MnKa
    _warn_of_overlaps(lines, float(resolution))
    axis = spectra.axes_manager.signal_axes[0].axis
    measured = [
        peaks.integrate_windows(axis, spectrum, variance, windows, background)
        for spectrum, variance in zip(spectra.data, variances, strict=True)
    ]
    areas = np.maximum([area for area, _ in measured], 0.0)
    return areas, np.array([np.diag(variance) for _, variance in measured])


def _warn_of_overlaps(lines, resolution):
    overlapping = []
    for line in lines:
        element, _ = _xray_lines.split_line(line)
        position = _xray_lines.line_energy(line)
        width = float(fwhm_at_energy(position, resolution))
        for other in {_xray_lines.split_line(x)[0] for x in lines} - {element}:
            near = [
                name
                for name, energy in _xray_lines.lines_of(other).items()
                if abs(energy - position) < 1.5 * width
            ]
            overlapping += [f"{line} with {other}_{near[0]}"] if near else []
    if overlapping:
        warnings.warn(
            f"Windows overlap ({', '.join(sorted(overlapping))}): counts of one element are "
            "counted for another. Use method='model'.",
            UserWarning,
            stacklevel=5,
        )
