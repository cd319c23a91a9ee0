"""The signal classes: thin methods that check, call and wrap."""

from __future__ import annotations

import dataclasses
from functools import wraps
from typing import TYPE_CHECKING

from exspy.signals import EDSTEMSpectrum, LazyEDSTEMSpectrum

from hyperspy_clusterquant.results.clusters import ClusterResult
from hyperspy_clusterquant.signals.axes import navigation_axes
from hyperspy_clusterquant.signals.by_hand import RegionsByHand
from hyperspy_clusterquant.signals.clustering import MapClustering, check_name
from hyperspy_clusterquant.signals.exploring import ClusterExploration
from hyperspy_clusterquant.signals.exporting import ClusterExport
from hyperspy_clusterquant.signals.following import FollowingResults
from hyperspy_clusterquant.signals.homogeneity import ClusterPurity
from hyperspy_clusterquant.signals.kept import ResultsOfSignal
from hyperspy_clusterquant.signals.metadata import (
    INSTRUMENT,
    as_exspy_reads_it,
    beam_energy_of,
    forget_note_of_sem,
    move_sem,
    resolution_of,
    take_off_angle_of,
)
from hyperspy_clusterquant.signals.pictures import ClusterPictures
from hyperspy_clusterquant.signals.profiling import CompositionProfiles
from hyperspy_clusterquant.signals.quantifying import ClusterComposition
from hyperspy_clusterquant.signals.reporting import ClusterReports
from hyperspy_clusterquant.signals.sharing import ClusterFractions
from hyperspy_clusterquant.signals.stability import ClusterRepeats
from hyperspy_clusterquant.signals.storage import (
    as_exspy_signal,
    check_not_its_own_file,
    unsaved_named,
    warn_of_mask,
    with_axes,
    write_result,
)
from hyperspy_clusterquant.signals.summing import ClusterSpectra
from hyperspy_clusterquant.signals.testing import ClusterDiagnostics
from hyperspy_clusterquant.xrays.lines import lines_of

if TYPE_CHECKING:
    from os import PathLike
    from typing import Any


class ClusteredEDSSpectrum(
    FollowingResults,
    MapClustering,
    RegionsByHand,
    ClusterSpectra,
    ClusterComposition,
    ClusterFractions,
    CompositionProfiles,
    ClusterDiagnostics,
    ClusterPurity,
    ClusterRepeats,
    ClusterPictures,
    ClusterReports,
    ClusterExport,
    ClusterExploration,
    EDSTEMSpectrum,
):
    """STEM-EDX map with phases, their compositions and error bars.

    Everything of `exspy.signals.EDSTEMSpectrum` works unchanged.

    Examples
    --------
    >>> from hyperspy_clusterquant.data import six_cation_sulfide
    >>> s = six_cation_sulfide(size=64, channels=512)
    >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
    >>> list(s.clusters)
    ['pca_gmm']
    >>> table = s.cluster_quantification(
    ...     kfactors=s.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"])
    >>> table.elements
    ('Ag', 'Cd', 'Cu', 'Fe', 'Mn', 'S', 'Zn')
    """

    _signal_type = "EDS_TEM_clustered"

    # --- at home in exspy -----------------------------------------------------------------

    def __init__(self, *args, **kwargs):
        # exspy would move what is said of an SEM as well, but neither note that it was one, nor
        # find it where its own defaults came before.
        if kwargs.get("full_initialisation", True):
            given = dict(kwargs.get("metadata") or {})
            if INSTRUMENT in given:
                instrument = as_exspy_reads_it(given[INSTRUMENT])
                kwargs["metadata"] = {**given, INSTRUMENT: instrument}
        else:
            move_sem(self.metadata)
        super().__init__(*args, **kwargs)

    @wraps(EDSTEMSpectrum.set_signal_type)
    def set_signal_type(self, signal_type: str = "") -> None:
        if signal_type == "EDS_SEM":
            forget_note_of_sem(self.metadata)
        super().set_signal_type(signal_type)

    @wraps(EDSTEMSpectrum.set_microscope_parameters)
    def set_microscope_parameters(self, *args: Any, **kwargs: Any) -> None:
        # exspy writes to the TEM, but what is said of an SEM beside it would be believed.
        move_sem(self.metadata)
        return super().set_microscope_parameters(*args, **kwargs)

    def _set_default_param(self):
        super()._set_default_param()
        # exspy writes its own signal type, with which copies would lose this class.
        self.metadata.Signal.signal_type = self._signal_type

    def _get_line_energy(self, Xray_line, FWHM_MnKa=None):
        # exspy knows where to find the resolution for its own two signal types only.
        if isinstance(FWHM_MnKa, str) and FWHM_MnKa == "auto":
            FWHM_MnKa = resolution_of(self, possible=False)
        return super()._get_line_energy(Xray_line, FWHM_MnKa)

    def _get_lines_from_elements(self, elements, only_one=False, only_lines=("a",)):
        # exspy stops at elements that its tables have no lines of.
        elements = [element for element in elements if lines_of(element)]
        return super()._get_lines_from_elements(elements, only_one, only_lines)

    def _get_beam_energy(self):
        # exspy compares and multiplies whatever is there, such as -1 or a text.
        energy = beam_energy_of(self, needed=False)
        if energy is None:
            raise AttributeError("The beam energy is not defined in `metadata`.")
        return energy * (1000.0 if self.axes_manager.signal_axes[0].units == "eV" else 1.0)

    def get_take_off_angle(self) -> float:
        """Take-off angle of the detector.

        Returns
        -------
        float
            Angle in degrees between the specimen's surface and the detector, from
            the stage tilts and the detector's azimuth and elevation in the metadata.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> six_cation_sulfide(size=16, channels=512).get_take_off_angle()
        22.0
        """
        return take_off_angle_of(self)

    # --- results --------------------------------------------------------------------------

    #: Clustering results of this map by name, a `KeptResults`. The newest is the last, and the
    #: default of the methods that take a result.
    clusters = ResultsOfSignal()

    def keep_clusters(self, result: ClusterResult, name: str | None = None) -> ClusterResult:
        """Keep a result with the map, such as one with clusters renamed or merged.

        Parameters
        ----------
        result : ClusterResult
            Result on this map.
        name : str, optional
            Its name in ``s.clusters``, where it replaces one of the same name. Default: its own.

        Returns
        -------
        ClusterResult
            With that name.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> _ = s.keep_clusters(result.rename({0: "wurtzite"}), name="named")
        >>> list(s.clusters)
        ['pca_gmm', 'named']
        """
        result = self._get_cluster_result(result)
        if name is not None:
            check_name(name)
            result = dataclasses.replace(result, name=name)
        write_result(self, result)
        return result

    def remove_clusters(self, name: str) -> None:
        """Forget a result that is kept with the map.

        Parameters
        ----------
        name : str
            Its name in ``s.clusters``.

        Raises
        ------
        ValueError
            If there is no such result.

        See Also
        --------
        KeptResults.remove : The same for several at once.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> s.remove_clusters("pca_gmm")
        >>> s.clusters
        no clustering results
        """
        self.clusters.remove(name)

    def _get_cluster_result(self, result):
        """A result given as such, by its name, or None for the newest."""
        results = self.clusters
        if result is None:
            if not results:
                raise ValueError(
                    "There is no clustering result on this signal. Run s.cluster_pca_gmm() or "
                    "s.cluster_umap_hdbscan() first, or s.clusters_from_labels(...). (Of spectra "
                    "of clusters, quantify the map, or a single one: spectra.inav[0].)"
                )
            return list(results.values())[-1]
        if isinstance(result, str):
            if result not in results:
                raise ValueError(f"There is no result {result!r}; there are {list(results)}.")
            return results[result]
        if not isinstance(result, ClusterResult):
            raise TypeError(
                "`result` must be what a clustering method returned, its name, or None for the "
                f"newest; got {type(result).__name__}."
            )
        shape = tuple(axis["size"] for axis in navigation_axes(self))
        if result.labels.shape != shape:
            raise ValueError(
                f"The result {result.name!r} belongs to a map of shape {result.labels.shape}, "
                f"this signal's map has shape {shape}. Use the results in s.clusters, which are "
                "cropped with the map."
            )
        return with_axes(result, navigation_axes(self))

    # --- files ----------------------------------------------------------------------------

    def save(
        self,
        filename: str | PathLike[str] | None = None,
        overwrite: bool | None = None,
        extension: str | None = None,
        file_format: str | None = None,
        **kwds: Any,
    ) -> None:
        """Save the map with its results, see `hyperspy.api.signals.BaseSignal.save`.

        Results are kept in ``.hspy`` and ``.zspy`` files. ``.rpl`` and ``.msa`` files hold one of
        exspy's signals without results, and are written in one piece: a lazy map must fit into
        memory for that. What their metadata cannot hold is left out, with a warning where it is no
        number. The mask of a masked array is in no file; a warning says so.

        Parameters
        ----------
        filename, overwrite, extension, file_format, **kwds
            As in HyperSpy.

        Raises
        ------
        ValueError
            If it is the ``.zspy`` file that a lazy map was loaded from: writing would empty it
            before the counts are read.
        OSError
            If the file cannot be written. Of a full disk it says that the file is incomplete.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=16, channels=512, lazy=True)
        >>> s.save("map.zspy", show_progressbar=False)  # doctest: +SKIP
        """
        if self._lazy:
            check_not_its_own_file(self, filename, extension)
        known = as_exspy_signal(self, filename, extension, file_format)
        warn_of_mask(self)
        with unsaved_named(filename):
            if known is None:
                super().save(filename, overwrite, extension, file_format, **kwds)
            else:
                known.save(filename, overwrite, extension, file_format, **kwds)
        if known is not None:
            self.tmp_parameters.add_dictionary(known.tmp_parameters.as_dictionary())


class LazyClusteredEDSSpectrum(ClusteredEDSSpectrum, LazyEDSTEMSpectrum):
    """Lazy `ClusteredEDSSpectrum`: the same methods, the counts stay on disk."""
