"""Spectra of clusters and phases: a method of the signal classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import numpy as np

from hyperspy_clusterquant._checks import check_choice, check_has_clusters
from hyperspy_clusterquant.counts.passes import sum_weighted
from hyperspy_clusterquant.signals.axes import counts_of
from hyperspy_clusterquant.signals.phases import phases_of
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.spectra import WEIGHTS, spectra_signal, weights_of_pixels

if TYPE_CHECKING:
    from hyperspy_clusterquant._types import Weights
    from hyperspy_clusterquant.results.clusters import ClusterResult
    from hyperspy_clusterquant.signals.clustered_eds import ClusteredEDSSpectrum


class ClusterSpectra:
    """Spectra of clusters."""

    @overload
    def get_cluster_spectra(
        self,
        result: ClusterResult | str | None = None,
        weights: Weights = "membership",
        *,
        show_progressbar: bool | None = None,
    ) -> ClusteredEDSSpectrum: ...

    @overload
    def get_cluster_spectra(
        self,
        result: list[ClusterResult | str] | tuple[ClusterResult | str, ...],
        weights: Weights = "membership",
        *,
        show_progressbar: bool | None = None,
    ) -> list[ClusteredEDSSpectrum]: ...

    def get_cluster_spectra(self, result=None, weights="membership", *, show_progressbar=None):
        """Spectra of the clusters or of their phases, in one pass over the data.

        Parameters
        ----------
        result : ClusterResult or str, or list of them, optional
            Result or its name; default: the newest. The spectra of several results take one pass
            together.
        weights : {"membership", "phase", "hard"}
            ``"membership"``: the sum of the pixels' counts, each weighted by its membership, which
            holds what the beam brought from neighbours. ``"phase"``: without that, and without
            what the sum owes to pixels that were chosen by their own counts. ``"hard"``: the sum
            over the pixels with the label.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        ClusteredEDSSpectrum, or list of them
            Dimensions (n_clusters | energy), in counts. The live time in the metadata is an
            array with one value for each cluster, that of a pixel times the sum of the weights;
            the variance, sum(w^2 n), is in ``metadata.Signal.Noise_properties.variance``. Those
            of phases may be negative where there is nothing.

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
        check_choice("weights", weights, WEIGHTS)
        if not results:
            raise ValueError("The list of results is empty: name at least one of s.clusters.")
        for each in results:
            check_has_clusters(each)
        if weights == "phase":
            spectra = [self._phase_spectra(each, show_progressbar) for each in results]
        else:
            spectra = self._summed_spectra(results, weights, show_progressbar)
        return spectra if several else spectra[0]

    def _summed_spectra(self, results, weights, show_progressbar):
        """Sums over the pixels of the clusters of some results, in one pass together."""
        of_pixels = [weights_of_pixels(each, weights) for each in results]
        with stages("Cluster spectra", 1, show_progressbar) as progress:
            both = sum_weighted(
                counts_of(self),
                np.concatenate(of_pixels),
                lambda share: progress("spectra", share),
                squares=True,
            )
        ends = np.cumsum([each.n_clusters for each in results])[:-1]
        return [
            spectra_signal(self, each, own, *sums)
            for each, own, sums in zip(
                results, of_pixels, np.split(both, ends, axis=1), strict=True
            )
        ]

    def _phase_spectra(self, result, show_progressbar):
        """Spectra of the phases of the clusters of a result."""
        with stages("Phase spectra", 3, show_progressbar) as progress:
            phases, keep = phases_of(self, result, progress)
        of_pixels = np.zeros((result.n_clusters, keep.size))
        of_pixels[:, keep.ravel()] = phases.weights
        return spectra_signal(self, result, of_pixels, phases.spectra, phases.variances)
