"""Spectra of clusters and their composition: the methods of the signal classes."""

from __future__ import annotations

import warnings

import numpy as np

from hyperspy_clusterquant._checks import check_choice, check_has_clusters
from hyperspy_clusterquant.counts.passes import sum_weighted
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.quantify import PerPixel, quantify
from hyperspy_clusterquant.signals.storage import LIVE_TIME


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
        pixel_weights = [_weights(each, weights) for each in results]
        with stages("Cluster spectra", 1, show_progressbar) as progress:
            both = sum_weighted(
                self.data,
                np.concatenate(pixel_weights),
                lambda share: progress("spectra", share),
                squares=True,
            )
        ends = np.cumsum([each.n_clusters for each in results])[:-1]
        spectra = [
            self._spectra_of(each, own, *sums)
            for each, own, sums in zip(
                results, pixel_weights, np.split(both, ends, axis=1), strict=True
            )
        ]
        return spectra if several else spectra[0]

    def _spectra_of(self, result, pixel_weights, sums, variances):
        """Sums of counts and their variances as a signal."""
        import hyperspy.api as hs

        cluster_axis = {"name": "cluster", "size": result.n_clusters, "navigate": True}
        energy_axis = self.axes_manager.signal_axes[0].get_axis_dictionary()
        spectra = hs.signals.Signal1D(sums, axes=[cluster_axis, energy_axis])
        for node in ("Acquisition_instrument", "General", "Sample"):
            if self.metadata.has_item(node):
                spectra.metadata.set_item(node, self.metadata.get_item(node).as_dictionary())
        spectra.set_signal_type(self._signal_type)
        spectra.metadata.General.title = f"Spectra of {result.name}"
        if self.metadata.has_item(LIVE_TIME):
            per_pixel = float(self.metadata.get_item(LIVE_TIME))
            n_pixels = pixel_weights.sum(axis=1, dtype=float)
            spectra.metadata.set_item(LIVE_TIME, per_pixel * n_pixels)
        variance = hs.signals.Signal1D(variances, axes=[cluster_axis, energy_axis])
        spectra.metadata.set_item("Signal.Noise_properties.variance", variance)
        return spectra

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
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        CompositionTable

        Raises
        ------
        ValueError
            If elements, lines, k-factors, absorption or the beam energy are missing or do not
            fit, or there are no counts.

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
        options = {
            "xray_lines": xray_lines, "kfactors": kfactors,
            "kfactor_uncertainty": kfactor_uncertainty, "method": method,
            "extra_elements": extra_elements, "absorption": absorption,
            "sublattices": sublattices, "composition_units": composition_units,
            "detector": detector,
        }  # fmt: skip
        check_choice("weights", weights, ("membership", "hard"))
        if self.axes_manager.navigation_dimension == 0:
            if result is not None or per_pixel:
                raise ValueError(
                    "A single spectrum is quantified as it is: it has no clusters (`result`) and "
                    "no pixels (`per_pixel`)."
                )
            return quantify(self, self._as_spectra, ["spectrum"], **options)
        result = self._get_cluster_result(result)
        check_has_clusters(result)

        def spectra():
            sums = self.get_cluster_spectra(result, weights, show_progressbar=show_progressbar)
            return sums, sums.metadata.Signal.Noise_properties.variance.data

        per_pixel = PerPixel(result, show_progressbar) if per_pixel else None
        return quantify(self, spectra, result.cluster_names, per_pixel=per_pixel, **options)

    def _as_spectra(self):
        """A single spectrum as a stack of one, and its variance: its own, or that of counts."""
        import hyperspy.api as hs

        counts = np.asarray(self.data, dtype=float)
        stored = self.metadata.get_item("Signal.Noise_properties.variance", None)
        variance = np.asarray(getattr(stored, "data", stored), dtype=float)
        if variance.shape != counts.shape:
            _check_counts(counts)
            variance = counts
        spectra = hs.signals.Signal1D(
            counts[None], axes=[{"size": 1}, self.axes_manager.signal_axes[0].get_axis_dictionary()]
        )
        for node in ("Acquisition_instrument", "Sample"):
            if self.metadata.has_item(node):
                spectra.metadata.set_item(node, self.metadata.get_item(node).as_dictionary())
        spectra.set_signal_type(self._signal_type)
        return spectra, variance[None]


def _check_counts(counts):
    """Of a spectrum whose variance is that of counts, because nothing else is known."""
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise ValueError(
            "The spectrum holds NaN, infinite or negative values, but the fit needs the counts of "
            "the detector, before background subtraction. (The variance of a weighted sum belongs "
            "in metadata.Signal.Noise_properties.variance.)"
        )
    if (counts != np.rint(counts)).any():
        warnings.warn(
            "The spectrum holds values that are not whole numbers. Its uncertainties are right "
            "only if they are counts all the same: not means, and not normalised.",
            UserWarning,
            stacklevel=5,
        )


def _weights(result, kind):
    """Weight of each pixel in each cluster's spectrum, array (n_clusters, pixels)."""
    if kind == "membership":
        return result.memberships.reshape(result.n_clusters, -1)
    return result.labels.ravel() == np.arange(result.n_clusters)[:, None]
