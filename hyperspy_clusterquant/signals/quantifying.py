"""Spectra of clusters and their composition: the methods of the signal classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hyperspy_clusterquant._checks import check_choice, check_has_clusters
from hyperspy_clusterquant.composition.compose import (
    amount_per_count,
    compose,
    kfactor_array,
    only_stray,
    pixel_percent,
    pixel_weights,
)
from hyperspy_clusterquant.composition.intensities import (
    measure,
    measure_absorbed,
    measure_windows,
)
from hyperspy_clusterquant.counts.passes import combine_map, sum_weighted
from hyperspy_clusterquant.results.composition import CompositionTable
from hyperspy_clusterquant.signals.axes import counts_of, kev_per_unit
from hyperspy_clusterquant.signals.doubts import warn_of_fit, warn_of_overlaps
from hyperspy_clusterquant.signals.options import read_request
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.specimen import check_thin_film
from hyperspy_clusterquant.signals.spectra import (
    check_some_counts,
    counts_of_spectrum,
    spectra_signal,
    weights_of_pixels,
)

#: Distance of the background windows below and above a line, in widths of the line, and width of
#: the line's own window.
WINDOWS_AT = [5.0, 2.0]
LINE_WINDOW = 2.0


class ClusterComposition:
    """What clusters are made of."""

    def get_cluster_spectra(self, result=None, weights="membership", *, show_progressbar=None):
        """Sum the spectra of each cluster's pixels, in one pass over the data.

        Parameters
        ----------
        result : ClusterResult or str, or list of them, optional
            Result or its name; default: the newest. The spectra of several results take one pass
            together.
        weights : {"membership", "hard"}
            Weight each pixel by its membership, or sum over the pixels with the label.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        ClusteredEDSSpectrum, or list of them
            Dimensions (n_clusters | energy), in counts. The live time in the metadata is an
            array with one value for each cluster, that of a pixel times the sum of the weights;
            the variance, sum(w^2 n), is in ``metadata.Signal.Noise_properties.variance``.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> _ = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> s.get_cluster_spectra(show_progressbar=False)
        <ClusteredEDSSpectrum, title: Spectra of pca_gmm, dimensions: (4|512)>
        """
        several = isinstance(result, list | tuple)
        results = [self._get_cluster_result(r) for r in (result if several else [result])]
        check_choice("weights", weights, ("membership", "hard"))
        if not results:
            raise ValueError("The list of results is empty: name at least one of s.clusters.")
        for each in results:
            check_has_clusters(each)
        of_pixels = [weights_of_pixels(each, weights) for each in results]
        with stages("Cluster spectra", 1, show_progressbar) as progress:
            both = sum_weighted(
                counts_of(self),
                np.concatenate(of_pixels),
                lambda share: progress("spectra", share),
                squares=True,
            )
        ends = np.cumsum([each.n_clusters for each in results])[:-1]
        spectra = [
            spectra_signal(self, each, own, *sums)
            for each, own, sums in zip(
                results, of_pixels, np.split(both, ends, axis=1), strict=True
            )
        ]
        return spectra if several else spectra[0]

    def cluster_quantification(
        self,
        result=None,
        *,
        xray_lines=None,
        kfactors=None,
        kfactor_uncertainty=None,
        method="model",
        weights="membership",
        extra_elements=("C", "O"),
        absorption=None,
        sublattices=None,
        composition_units="atomic",
        detector=None,
        per_pixel=False,
        thin_film=None,
        show_progressbar=None,
    ):
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
            with a warning.
        kfactor_uncertainty : float or dict, optional
            Relative standard uncertainty of the k-factors, for all or each line. Default: what
            the k-factors bring along, or none for k-factors given without.
        method : {"model", "windows"}
            Fit of line families, or integration in windows with background windows, which
            counts overlapping peaks twice.
        weights : {"membership", "hard"}
            See `get_cluster_spectra`.
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
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        CompositionTable

        Raises
        ------
        ValueError
            If elements, lines, k-factors, absorption or the beam energy are missing or do not
            fit, the specimen is no thin film, or there are no counts.

        References
        ----------
        G. Cliff and G. W. Lorimer, J. Microsc. 103 (1975) 203.

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
        check_choice("weights", weights, ("membership", "hard"))
        check_choice("method", method, ("model", "windows"))
        check_choice("composition_units", composition_units, ("atomic", "weight"))
        check_thin_film(self, thin_film)
        single = self.axes_manager.navigation_dimension == 0
        if single and (result is not None or per_pixel):
            raise ValueError(
                "A single spectrum is quantified as it is: it has no clusters (`result`) and "
                "no pixels (`per_pixel`)."
            )
        if per_pixel and method == "windows":
            raise ValueError("`per_pixel` maps are fitted: they need method='model'.")
        if not single:
            result = self._get_cluster_result(result)
            check_has_clusters(result)
        request = read_request(
            self, ["spectrum"] if single else result.cluster_names, xray_lines=xray_lines,
            kfactors=kfactors, kfactor_uncertainty=kfactor_uncertainty,
            extra_elements=extra_elements, absorption=absorption, sublattices=sublattices,
            detector=detector, fitted=method == "model",
        )  # fmt: skip
        if single:
            counts, variances = counts_of_spectrum(self)
        else:
            sums = self.get_cluster_spectra(result, weights, show_progressbar=show_progressbar)
            variances = sums.metadata.Signal.Noise_properties.variance
            counts, variances = counts_of(sums), counts_of(variances)
        check_some_counts(counts, request.names)
        if method == "windows":
            measured = self._integrated(counts, variances, request.choice)
        else:
            measured = _fitted(counts, variances, request)
        composed = compose(measured, request.kfactors, request.foil, request.sublattices)
        table = _table(request, measured, composed, composition_units)
        if not single:
            table = _with_background(table, counts, weights_of_pixels(result, weights))
        if not per_pixel:
            return table
        percent = self._pixel_percent(measured, table, result, show_progressbar)
        return replace(table, pixel_percent=percent, axes=result.axes)

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


def _fitted(counts, variances, request):
    """Intensities by a fit, with the lines of families as the foil absorbs them."""
    measured = measure(counts, variances, request.choice)
    warn_of_fit(measured, request.choice)
    if request.foil is None:
        return measured
    k = kfactor_array(measured.lines, request.kfactors)
    return measure_absorbed(measured, variances, k, request.foil)


def _with_background(table, counts, of_pixels):
    """The table with clusters marked whose elements are stray counts; they have no entropy."""
    sizes = of_pixels.sum(axis=1, dtype=float)
    per_count = amount_per_count(table.xray_lines, table.kfactors, "atomic")
    amounts = (table.intensities * per_count).sum(axis=1) / np.maximum(sizes, 1e-12)
    shares = table.intensities.sum(axis=1) / np.maximum(counts.sum(axis=1), 1e-12)
    background = only_stray(amounts, shares, sizes)
    entropies = {
        name: np.where(background, np.nan, getattr(table, name))
        for name in ("configurational_entropy", "configurational_entropy_std")
    }
    return replace(table, background=background, **entropies)


def _table(request, measured, composed, units):
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
        composition_units=units,
        fits=measured.fits,
        calibration=measured.calibration,
        unexplained=measured.unexplained,
        inseparable=measured.inseparable,
        detector=request.detector,
        **vars(composed),
    )
