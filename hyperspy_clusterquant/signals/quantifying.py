"""Spectra of clusters and their composition: the methods of the signal classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hyperspy_clusterquant._checks import check_choice, check_has_clusters, cluster_number
from hyperspy_clusterquant.composition.compose import (
    amount_per_count,
    compose,
    kfactor_array,
    only_stray,
    pixel_percent,
    pixel_weights,
)
from hyperspy_clusterquant.composition.embedded import take_out_hosts
from hyperspy_clusterquant.composition.intensities import measure, measure_absorbed, measure_windows
from hyperspy_clusterquant.composition.mixing import mixed_in
from hyperspy_clusterquant.composition.purity import impurities
from hyperspy_clusterquant.counts.passes import combine_map
from hyperspy_clusterquant.results.composition import CompositionTable
from hyperspy_clusterquant.signals.axes import counts_of, energy_in_kev, kev_per_unit
from hyperspy_clusterquant.signals.doubts import warn_of_fit, warn_of_overlaps
from hyperspy_clusterquant.signals.embedding import read_embedding
from hyperspy_clusterquant.signals.homogeneity import check_looked_inside
from hyperspy_clusterquant.signals.options import read_request
from hyperspy_clusterquant.signals.phases import phases_of, remarks_of_selection
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.specimen import check_thin_film
from hyperspy_clusterquant.signals.spectra import (
    WEIGHTS,
    check_some_counts,
    counts_of_spectrum,
    weights_of_pixels,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hyperspy_clusterquant._types import Detector, GivenKFactors, Weights
    from hyperspy_clusterquant.results.clusters import ClusterResult
    from hyperspy_clusterquant.results.homogeneity import ClusterHomogeneity

#: Distance of the background windows below and above a line, in widths of the line, and width of
#: the line's own window.
WINDOWS_AT = [5.0, 2.0]
LINE_WINDOW = 2.0


class ClusterComposition:
    """What clusters are made of."""

    def cluster_quantification(
        self,
        result: ClusterResult | str | None = None,
        *,
        xray_lines: Sequence[str] | None = None,
        kfactors: GivenKFactors | None = None,
        kfactor_uncertainty: float | Mapping[str, float] | None = None,
        method: Literal["model", "windows"] = "model",
        weights: Weights = "phase",
        extra_elements: Sequence[str] = ("C", "O"),
        absorption: Mapping[str, Any] | None = None,
        sublattices: Sequence[Sequence[str]] | None = None,
        composition_units: Literal["atomic", "weight"] = "atomic",
        detector: Detector = None,
        per_pixel: bool = False,
        thin_film: bool | None = None,
        embedded: Mapping[int | str, Any] | None = None,
        absent: Mapping[int | str, Sequence[str]] | None = None,
        background: int | str | None = None,
        homogeneity: ClusterHomogeneity | None = None,
        show_progressbar: bool | None = None,
    ) -> CompositionTable:
        """Composition of each cluster with uncertainties, after Cliff and Lorimer.

        Each cluster's spectrum is fitted with families of X-ray lines, so that overlapping peaks
        are told apart, a bremsstrahlung background, and the escape and pile-up peaks of the
        detector. Before that, the energy axis and the resolution are calibrated on the
        sum of the spectra, and peaks that no declared element explains are looked for and fitted
        along, with a warning. The areas of the alpha lines and the k-factors give the
        composition. A single spectrum, without navigation axes, is quantified as it is.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        xray_lines : list of str, optional
            Alpha line of each element to quantify. Default: one for each element in
            ``s.metadata.Sample.elements``.
        kfactors : dict, str or path, optional
            k-factors **by weight** for alpha lines, ``{"Fe_Ka": 1.45, "Pt_La": 5.08}``, or a
            CSV file with the columns ``line,k[,relative_uncertainty]``; those of
            `theoretical_kfactors`, `calibrate_kfactors` and `convert_kfactors` bring their
            uncertainty along. Lines without a k-factor get a theoretical one, scaled to the
            others, with a warning. Default: theoretical k-factors at the signal's beam energy,
            with a warning, once for each map.
        kfactor_uncertainty : float or dict, optional
            Relative standard uncertainty of the k-factors, for all or each line. Default: what
            the k-factors bring along, or none for k-factors given without.
        method : {"model", "windows"}
            Fit of line families, or integration in windows with background windows, which
            counts overlapping peaks twice.
        weights : {"phase", "membership", "hard"}
            ``"phase"``: the composition of the phases, without what the beam's blur brings from
            their neighbours. ``"membership"``: what the pixels hold, weighted by their
            memberships (the recipe of the paper), without what such sums owe to pixels that were
            chosen by their own counts; ``"hard"``: those with the label, as they are. Of these,
            the error bars say how far the phase may be off. See `get_cluster_spectra`.
        extra_elements : list of str
            Elements of film, resin and grid: fitted, not quantified. So are the declared elements
            that `xray_lines` leaves out.
        absorption : dict, optional
            Correct for absorption in a foil:
            ``{"thickness": 80, "density": "auto", "take_off_angle": "auto"}``, in nm, g/cm3 and
            degrees. The thickness may be a list with one for each cluster, or a
            dictionary by their names. ``"auto"``: density estimated from the
            composition; angle of the metadata. Default: no correction.
        sublattices : list of list of str, optional
            Elements that share sites, for the configurational entropy. Default: one of all
            metals and half-metals.
        composition_units : {"atomic", "weight"}
            What the printed table, the upper limits and the maps show.
        detector : optional
            Efficiency of the detector for theoretical k-factors, see `theoretical_kfactors`.
        per_pixel : bool
            Quantify every pixel, too, for comparison with classic maps: ``table.maps`` holds an
            image for each element. Takes one more pass over the data.
        thin_film : bool, optional
            Whether the specimen is a thin film or lamella, for which alone the formula holds.
            Default: what the metadata say. Maps that were recorded in an SEM, or at less than
            60 keV, are refused unless it is True.
        embedded : dict, optional
            Clusters that lie in or on others, with these: ``{"carbide": "matrix"}``, or several,
            ``{"core": ["shell", "film"]}``, by names or numbers. Their hosts are subtracted.
            Without `absent`, the table gives the range of what every possible amount of them
            leaves (``table.embedded_range``).
        absent : dict, optional
            Elements that embedded phases are known not to hold, ``{"carbide": ["Ni"]}``: as much
            of the hosts is subtracted as makes them vanish.
        background : int or str, optional
            Cluster of film or vacuum, whose spectrum is taken off all others, pixel by pixel.
        homogeneity : ClusterHomogeneity, optional
            What `cluster_homogeneity` found in the same clusters: for those that vary inside, the
            table then also gives the range of their pixels (``table.inside_range``).
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        CompositionTable

        Raises
        ------
        ValueError
            If elements, lines, k-factors, absorption or the beam energy are missing or do not
            fit, the specimen is no thin film, or there are no counts; if a phase is embedded in
            itself, or cannot be free of an element that is said to be absent.

        References
        ----------
        The formula: G. Cliff and G. W. Lorimer, J. Microsc. 103 (1975) 203.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> _ = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> table = s.cluster_quantification(
        ...     kfactors=s.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"])
        >>> bool(abs(table.atomic_percent.sum(axis=1) - 100).max() < 1e-6)
        True
        """
        check_choice("weights", weights, WEIGHTS)
        check_choice("method", method, ("model", "windows"))
        check_choice("composition_units", composition_units, ("atomic", "weight"))
        check_thin_film(self, thin_film)
        if single := self.axes_manager.navigation_dimension == 0:
            _check_nothing_of_maps(result, embedded, absent, background, homogeneity, per_pixel)
        if per_pixel and method == "windows":
            raise ValueError("`per_pixel` maps are fitted: they need method='model'.")
        if not single:
            check_has_clusters(result := self._get_cluster_result(result))
            check_looked_inside(homogeneity, result)
        request = read_request(
            self, ["spectrum"] if single else result.cluster_names, xray_lines=xray_lines,
            kfactors=kfactors, kfactor_uncertainty=kfactor_uncertainty,
            extra_elements=extra_elements, absorption=absorption, sublattices=sublattices,
            detector=detector, fitted=method == "model",
        )  # fmt: skip
        if single:
            return replace(self._of_single(request, method), composition_units=composition_units)
        asked = read_embedding(result, embedded, absent, request.choice.elements)
        phases, shown = self._shown(result, weights, background, show_progressbar)
        table, measured, lines = self._of_clusters(request, method, phases, shown, asked)
        table = _with_background(table, shown.spectra, shown.areas)
        remarks = [*remarks_of_selection(result, energy_in_kev(self)), *_remarks_of(phases, result),
                   *_impurities(table, lines, result, background)]  # fmt: skip
        table = replace(
            _with_ranges(table, homogeneity), weights=weights, phase_remarks=tuple(remarks),
            pixels=tuple(result.sizes.tolist()), blur=_blur_of(phases),
            composition_units=composition_units,
        )  # fmt: skip
        if per_pixel:
            percent = self._pixel_percent(measured, table, result, show_progressbar)
            table = replace(table, pixel_percent=percent, axes=result.axes)
        return table

    def _of_single(self, request, method):
        """Table of the composition of a single spectrum."""
        counts, variances = counts_of_spectrum(self)
        measured = self._measured(counts, variances, request, method)
        measured = _absorbed(measured, variances, request, method)
        return _table(
            request, measured,
            compose(measured, request.kfactors, request.foil, request.sublattices),
        )  # fmt: skip

    def _shown(self, result, weights, background, show_progressbar):
        """Phases of the clusters of a result, and what is to be shown of them."""
        names = result.cluster_names
        film = None if background is None else cluster_number(background, names, "the result")
        with stages("Phase spectra", 3, show_progressbar) as progress:
            phases, _ = phases_of(self, result, progress)
        shown = phases
        if weights == "membership":
            shown = type(phases).of_members(phases)
        if weights == "hard":
            sums = self.get_cluster_spectra(result, weights, show_progressbar=show_progressbar)
            variances = sums.metadata.Signal.Noise_properties.variance
            areas = weights_of_pixels(result, weights).sum(axis=1, dtype=float)
            shown = type(phases).of_members(phases, counts_of(sums), counts_of(variances), areas)
        return phases, shown if film is None else _without_film(shown, film, names)

    def _of_clusters(self, request, method, phases, shown, asked):
        """Table of the compositions of clusters, what was measured, and the lines before.

        That is, before hosts were taken off.
        """
        measured = self._measured(shown.spectra, shown.variances, request, method)
        left = take_out_hosts(shown, measured, request.names, asked)
        measured = left.with_uncertain_amounts(
            _absorbed(left.measured, left.variances, request, method)
        )
        mixing = left.mixing(shown, measured.weights)
        composed = compose(measured, request.kfactors, request.foil, request.sublattices, mixing)
        table = _table(request, measured, composed)
        lower, upper, embedded = left.ranges(table.kfactors, table.absorption_factors)
        unknown = [of.cluster for of in embedded if of.amounts is None]
        return (
            replace(
                _without_entropy(table, np.isin(np.arange(len(lower)), unknown)),
                mixing=mixed_in(phases, measured, table),
                embedded=embedded,
                embedded_range=(lower, upper),
            ),
            measured,
            left.lines,
        )

    def _measured(self, counts, variances, request, method):
        """Intensities of the lines in spectra."""
        check_some_counts(counts, request.names)
        if method == "windows":
            return self._integrated(counts, variances, request.choice)
        measured = measure(counts, variances, request.choice)
        warn_of_fit(measured, request.choice)
        return measured

    def _integrated(self, counts, variances, choice):
        """Intensities by integration in windows around the lines."""
        to_kev = kev_per_unit(self)
        lines = list(choice.lines)
        peaks = np.array(self.estimate_integration_windows(LINE_WINDOW, lines))
        background = np.array(self.estimate_background_windows(WINDOWS_AT, xray_lines=lines))
        warn_of_overlaps(choice, background * to_kev)
        return measure_windows(counts, variances, choice, peaks * to_kev, background * to_kev)

    def _pixel_percent(self, measured, table, result, show_progressbar):
        """Composition of every pixel of the map, in one pass."""
        per_count = amount_per_count(measured.lines, table.kfactors, table.composition_units)
        weights = pixel_weights(measured.linear(), per_count)
        with stages("Composition maps", 1, show_progressbar) as progress:
            sums = combine_map(counts_of(self), weights, lambda share: progress("pixels", share))
        return pixel_percent(sums, per_count, result.labels, table.absorption_factors)


def _check_nothing_of_maps(*given):
    """Raise if something was given that only maps have; the last may be False."""
    if any(of is not None and of is not False for of in given):
        raise ValueError(
            "A single spectrum is quantified as it is: it has no clusters (`result`, "
            "`embedded`, `absent`, `background`, `homogeneity`) and no pixels (`per_pixel`)."
        )


def _absorbed(measured, variances, request, method):
    """Fitted intensities with the lines of families as the foil absorbs them."""
    if request.foil is None or method == "windows":
        return measured
    k = kfactor_array(measured.lines, request.kfactors)
    return measure_absorbed(measured, variances, k, request.foil)


def _without_film(shown, film, names):
    """Spectra without that of the film; a ValueError if there is none, or too much of it."""
    if not shown.areas[film] > 0 or not shown.spectra[film].sum() > 0:
        raise ValueError(f"`background` is {names[film]!r}, which holds no counts.")
    without = shown.without_background(film)
    others = np.arange(len(names)) != film
    left = without.spectra.sum(axis=1)
    if not (left[others] > 0).any():
        raise ValueError(
            f"`background` is {names[film]!r}, which has more counts in a pixel than all others: "
            "it cannot be what lies behind them. Name the film or the vacuum."
        )
    return without


def _with_ranges(table, homogeneity):
    """Table with the ranges of the pixels of clusters that vary inside, if that was looked for."""
    if homogeneity is None:
        return table
    ranges = homogeneity.ranges_of(table.atomic_percent, table.elements)
    return replace(table, inside_range=ranges)


def _blur_of(phases):
    """Width of the blur and its standard deviation, if there is anything to be blurred."""
    return (phases.width, phases.width_std) if np.isfinite(phases.width) else ()


def _remarks_of(phases, result):
    """What is to be said of clusters whose phases could not be told from what is mixed in."""
    names = [n for n, of in zip(result.cluster_names, phases.undecided, strict=True) if of]
    if not names:
        return ()
    remark = (
        f"The map does not decide what is mixed into {', '.join(names)}: shown is what the pixels "
        "hold, and its error bars contain what may be mixed in"
    )
    return (remark,)


def _impurities(table, lines, result, film):
    """What is to be said of clusters that look like mixtures, or like a host and something."""
    settled = [of.cluster for of in table.embedded]
    taken_off = []
    if film is not None:
        film = cluster_number(film, table.cluster_names, "the result")
        settled.append(film)
        taken_off = [f"{table.cluster_names[film]} is taken off the others, pixel by pixel"]
    clusters = [k for k, film in enumerate(table.background) if not film and k not in settled]
    per_count = amount_per_count(table.xray_lines, table.kfactors, "atomic")
    found = impurities(lines, per_count, result.labels, clusters)
    return [*taken_off, *(each.in_words(table.cluster_names) for each in found)]


def _with_background(table, counts, areas):
    """The table with clusters marked whose elements are stray counts; they have no entropy."""
    sizes = np.maximum(areas, 0.0)
    per_count = amount_per_count(table.xray_lines, table.kfactors, "atomic")
    amounts = (table.intensities * per_count).sum(axis=1) / np.maximum(sizes, 1e-12)
    shares = table.intensities.sum(axis=1) / np.maximum(counts.sum(axis=1), 1e-12)
    background = only_stray(amounts, shares, sizes)
    # Of what is left of an embedded phase there may be little, but it is no stray signal.
    background[[of.cluster for of in table.embedded]] = False
    return replace(_without_entropy(table, background), background=background)


def _without_entropy(table, clusters):
    """The table without the entropies of some clusters, array of bool (n_clusters,)."""
    entropies = {
        name: np.where(clusters, np.nan, getattr(table, name))
        for name in ("configurational_entropy", "configurational_entropy_std")
    }
    return replace(table, **entropies)


def _table(request, measured, composed):
    """What was asked, measured and composed, as a table."""
    return CompositionTable(
        cluster_names=request.names,
        elements=request.choice.elements,
        xray_lines=measured.lines,
        intensities=measured.areas,
        intensities_std=measured.std,
        unconstrained_intensities=measured.unconstrained,
        kfactors=request.kfactors,
        sublattices=request.sublattices,
        fits=measured.fits,
        calibration=measured.calibration,
        unexplained=measured.unexplained,
        inseparable=measured.inseparable,
        detector=request.detector,
        **vars(composed),
    )
