"""k-factors from the spectrum of a standard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.composition.absorption import (
    NM_TO_CM,
    absorption_factors,
    consistent_factors,
)
from hyperspy_clusterquant.composition.compose import kfactor_array
from hyperspy_clusterquant.composition.intensities import measure, measure_absorbed
from hyperspy_clusterquant.composition.uncertainty import DETECTED
from hyperspy_clusterquant.signals.doubts import warn_of_fit
from hyperspy_clusterquant.signals.metadata import xray_lines_of
from hyperspy_clusterquant.signals.options import find_kfactors, read_absorption, read_choice
from hyperspy_clusterquant.signals.specimen import check_thin_film
from hyperspy_clusterquant.signals.spectra import check_some_counts, counts_of_spectrum
from hyperspy_clusterquant.signals.times import times_aside
from hyperspy_clusterquant.xrays.attenuation import attenuation_matrix
from hyperspy_clusterquant.xrays.emission import atomic_weight, parse_formula
from hyperspy_clusterquant.xrays.kfactors import kfactors_of_standard
from hyperspy_clusterquant.xrays.lines import line_energy
from hyperspy_clusterquant.xrays.theory import far_from_theory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from hyperspy.signals import BaseSignal

    from hyperspy_clusterquant.xrays.kfactors import KFactors

#: Most that a composition may miss 100 at% by, rounding included.
TOLERANCE = 1.0


def calibrate_kfactors(
    spectrum: BaseSignal,
    composition: Mapping[str, float] | str,
    reference: str | None = None,
    *,
    extra_elements: Sequence[str] = ("C", "O"),
    absorption: Mapping[str, Any] | None = None,
    thin_film: bool | None = None,
) -> KFactors:
    """k-factors from the spectrum of a standard of known composition.

    The spectrum is fitted as `ClusteredEDSSpectrum.cluster_quantification` fits those of
    clusters.

    Parameters
    ----------
    spectrum : EDS signal
        Spectrum of the standard, or a map of it, which is summed. With the beam energy in its
        metadata.
    composition : dict of str: float, or str
        at% of each element, or a formula such as ``"CuFeS2"``. The line of an element is the one
        declared with ``spectrum.set_lines``, else the usual one.
    reference : str, optional
        Line whose k-factor is 1. Default: S K-alpha, Si K-alpha, or the first line.
    extra_elements : list of str
        Elements of film and grid: fitted, but not of the standard.
    absorption : dict, optional
        Thickness and, if known, density and take-off angle of the standard, as in
        ``cluster_quantification``. A foil of 100 nm absorbs several per cent of soft X-rays.
    thin_film : bool, optional
        Whether the standard is a thin film or lamella, as in ``cluster_quantification``.

    Returns
    -------
    KFactors
        A dictionary by line. ``relative_uncertainty`` is that of the counts. Save it with
        ``to_csv``, pass it to ``cluster_quantification(kfactors=...)``.

    Raises
    ------
    ValueError
        If the composition does not sum to 100 at%, fewer than two elements have a line on the
        energy axis, one has no counts in the spectrum, or the standard is no thin film.

    Examples
    --------
    >>> from hyperspy_clusterquant import calibrate_kfactors, data
    >>> s = data.seven_cation_nanoparticles(size=48, counts_per_pixel=300)
    >>> truth = s.metadata.Ground_truth
    >>> composition = dict(zip(truth.elements, truth.compositions[0]))
    >>> k = calibrate_kfactors(s, composition, extra_elements=["C", "Au"])
    >>> bool(abs(k["Cu_Ka"] / truth.kfactors["Cu_Ka"] - 1) < 4 * k.relative_uncertainty["Cu_Ka"])
    True
    """
    composition = _composition(composition)
    single = _single_spectrum(spectrum)
    check_thin_film(single, thin_film)
    declared = [x for x in xray_lines_of(single) if x.partition("_")[0] in composition]
    single.set_elements(list(composition))
    if declared:
        single.metadata.set_item("Sample.xray_lines", declared)
    choice = read_choice(single, None, extra_elements)
    lines, elements = choice.lines, choice.elements
    fractions = _weight_fractions(composition, elements)
    foil = read_absorption(single, absorption, ["spectrum"])
    measured, factors = _measured(single, choice, composition, foil)
    found = measured.unconstrained[0] > DETECTED * measured.std[0]
    missing = [element for element, is_there in zip(elements, found, strict=True) if not is_there]
    if missing:
        raise ValueError(
            f"There are no counts of {', '.join(missing)} in the spectrum beyond noise, so there "
            "is no k-factor. Check the composition and the spectrum, or measure longer."
        )
    if reference is None:
        usual = [line for line in ("S_Ka", "Si_Ka") if line in lines]
        reference = (*usual, lines[0])[0]
    if reference not in lines:
        raise ValueError(
            f"The reference {reference!r} is not among the lines of the standard: "
            f"{', '.join(lines)}."
        )
    kfactors = kfactors_of_standard(
        measured.areas[0] * factors, measured.std[0] * factors, lines, fractions, reference
    )
    odd = far_from_theory(kfactors, choice.beam_energy)
    if odd:
        listed = ", ".join(f"{line} x{ratio:.2g}" for line, ratio in odd.items())
        warn(
            f"k-factors far from theory ({listed}). Check the composition of the standard, and "
            "whether it is thin enough."
        )
    return kfactors


def _weight_fractions(composition, elements):
    """Weight fractions of some of the elements among themselves, of a composition in at%."""
    masses = np.array([composition[element] * atomic_weight(element) for element in elements])
    return masses / masses.sum()


def _measured(single, choice, composition, foil):
    """Intensities of a standard, and what they are multiplied with for absorption."""
    counts, variances = counts_of_spectrum(single)
    check_some_counts(counts, ["spectrum"])
    measured = measure(counts, variances, choice)
    warn_of_fit(measured, choice)
    if foil is None:
        return measured, np.ones(len(choice.lines))
    # The k-factors are not known yet; theory will do for the density and within families.
    k = kfactor_array(choice.lines, find_kfactors(single, choice.lines, given=None))
    measured = measure_absorbed(measured, variances, k, foil)
    _, foil = consistent_factors(measured.areas, k, choice.lines, foil)
    (thickness,), (density,) = foil.thickness, foil.density
    # Elements that have no line absorb all the same.
    absorbers = list(composition)
    return measured, absorption_factors(
        attenuation_matrix(absorbers, np.array([line_energy(x) for x in choice.lines])),
        _weight_fractions(composition, absorbers),
        thickness * NM_TO_CM * density,
        foil.take_off_angle,
    )


def _composition(given):
    """at% of each element that is present."""
    if not isinstance(given, str | Mapping):
        raise TypeError(
            "`composition` must be a dictionary of at%, such as {'Cu': 25, 'Fe': 25, 'S': 50}, or "
            f"a formula such as 'CuFeS2'; got {given!r}."
        )
    if isinstance(given, str):
        atoms = parse_formula(given)
        return {element: 100 * n / sum(atoms.values()) for element, n in atoms.items()}
    composition = {}
    for element, percent in dict(given).items():
        try:
            composition[element] = float(percent)
        except (TypeError, ValueError):
            composition[element] = np.nan
        if not composition[element] > 0:
            raise ValueError(
                f"The at% of {element} in `composition` must be a number above 0, not {percent!r}. "
                "Leave out elements that the standard does not hold."
            )
        atomic_weight(element)
    total = sum(composition.values())
    if abs(total - 100) > TOLERANCE:
        raise ValueError(
            f"`composition` must be in at% and sum to 100, but sums to {total:.4g}. For fractions "
            "multiply with 100; a formula such as 'CuFeS2' will do as well."
        )
    return composition


def _single_spectrum(spectrum):
    """Sum of a spectrum or map as a clustered spectrum; the input is not changed."""
    if not hasattr(spectrum, "axes_manager") or not hasattr(spectrum, "set_signal_type"):
        raise TypeError(
            f"`spectrum` must be a HyperSpy signal of a standard, not {type(spectrum).__name__}."
        )
    axes = spectrum.axes_manager.navigation_axes
    with times_aside(spectrum):  # exspy multiplies whatever they are
        single = spectrum.sum(axes) if axes else spectrum.deepcopy()
    single.set_signal_type("EDS_TEM_clustered")
    return single
