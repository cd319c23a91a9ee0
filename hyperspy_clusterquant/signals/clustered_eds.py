"""The signal classes: thin methods that check, call and wrap."""

from __future__ import annotations

import dataclasses
import json
import warnings

import numpy as np
from exspy.signals import EDSTEMSpectrum, LazyEDSTEMSpectrum

from hyperspy_clusterquant._checks import as_energy_range, as_names
from hyperspy_clusterquant.clusters.assign import assign_clusters
from hyperspy_clusterquant.clusters.pca_gmm import cluster_pca_gmm
from hyperspy_clusterquant.clusters.umap_hdbscan import DensitySetting, cluster_umap_hdbscan
from hyperspy_clusterquant.counts.pixels import Setting
from hyperspy_clusterquant.results.clusters import ClusterResult
from hyperspy_clusterquant.signals.axes import (
    energy_in_kev,
    navigation_axes,
    smallest_cluster_in_pixels,
)
from hyperspy_clusterquant.signals.following import FollowingResults
from hyperspy_clusterquant.signals.pictures import ClusterPictures
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.quantifying import ClusterComposition
from hyperspy_clusterquant.signals.storage import check_not_its_own_file, read_results, write_result
from hyperspy_clusterquant.signals.testing import ClusterDiagnostics
from hyperspy_clusterquant.signals.thickness import warn_of_thickness
from hyperspy_clusterquant.xrays.lines import alpha_lines, excluded_windows, line_energy
from hyperspy_clusterquant.xrays.profiles import of_declared_elements

_SHARED_PARAMETERS = """n_components : {"auto", "elbow"} or int
            Number of components of the counts that carry information. ``"auto"``: those above
            shot noise, which may be none: then there is one cluster. ``"elbow"``: the change
            point of the scree plot.
        normalize : bool
            Divide each pixel by its dose, so that thickness does not make clusters.
        energy_range : tuple of float, optional
            Lowest and highest energy in keV to look at. Default: all above 0.1 keV.
        exclude_lines : list of str, optional
            X-ray lines (``"C_Ka"``) or elements (``"Cu"``, all its lines) of film, resin and
            grid that are not looked at. The spectra of the clusters keep them. What else lies
            in the same energies is not looked at either; a warning names the lines.
        navigation_mask : {"auto"}, None, array of bool or BaseSignal
            Pixels to leave out: True = left out. ``"auto"`` leaves out vacuum, found from the
            total counts.
        binning : {"auto"} or int
            Factor by which pixels are binned for learning; labels and memberships are always at
            full resolution. ``"auto"``: the smallest with some 400 counts per learning pixel, as
            long as it leaves some 1000 of them.
        neighbourhood : {"auto"} or float
            Gaussian sigma in pixels of the neighbours that help to label a pixel, as neighbours
            tend to be of the same phase. 0 = each pixel alone. ``"auto"``: 1.5 pixels, more
            below 4 counts per pixel, if the map is binned for learning, else 0."""
_SHARED_END = """random_state : int or None
            Seed; the same seed gives the same result. None = a new one each time.
        name : str
            Name of the result in ``s.clusters``.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        ClusterResult
            Also kept in ``s.clusters[name]``.

        Raises
        ------
        ValueError
            If the data are not counts, or a parameter does not fit them; the
            message says what to do. The signal is not changed."""


class ClusteredEDSSpectrum(
    FollowingResults, ClusterComposition, ClusterDiagnostics, ClusterPictures, EDSTEMSpectrum
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

    def _set_default_param(self):
        super()._set_default_param()
        # exspy writes its own signal type, with which copies would lose this class.
        self.metadata.Signal.signal_type = self._signal_type

    def _get_line_energy(self, Xray_line, FWHM_MnKa=None):
        # exspy knows where to find the resolution for its own two signal types only.
        if isinstance(FWHM_MnKa, str) and FWHM_MnKa == "auto":
            FWHM_MnKa = self.metadata.Acquisition_instrument.TEM.Detector.EDS.energy_resolution_MnKa
        return super()._get_line_energy(Xray_line, FWHM_MnKa)

    def get_take_off_angle(self):
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
        from exspy.utils.eds import take_off_angle

        microscope = self.metadata.Acquisition_instrument.TEM
        return take_off_angle(
            microscope.get_item("Stage.tilt_alpha", None),
            microscope.get_item("Detector.EDS.azimuth_angle", None),
            microscope.get_item("Detector.EDS.elevation_angle", None),
            microscope.get_item("Stage.tilt_beta", 0.0),
        )

    # --- results --------------------------------------------------------------------------

    @property
    def clusters(self):
        """Clustering results of this map: read-only mapping of name to `ClusterResult`.

        The newest is the last, and the default of the methods that take a result.
        """
        return read_results(self)

    def keep_clusters(self, result, name=None):
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
            _check_name(name)
            result = dataclasses.replace(result, name=name)
        write_result(self, result)
        return result

    def _get_cluster_result(self, result):
        """A result given as such, by its name, or None for the newest."""
        results = self.clusters
        if result is None:
            if not results:
                raise ValueError(
                    "There is no clustering result on this signal. Run s.cluster_pca_gmm() or "
                    "s.cluster_umap_hdbscan() first. (Of spectra of clusters, quantify the map, or "
                    "a single one: spectra.inav[0].)"
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
        return result

    # --- clustering -----------------------------------------------------------------------

    def cluster_pca_gmm(
        self,
        n_clusters="auto",
        *,
        n_components="auto",
        normalize=True,
        energy_range=None,
        exclude_lines=None,
        navigation_mask="auto",
        binning="auto",
        neighbourhood="auto",
        covariance_type="full",
        n_init=3,
        random_state=0,
        name="pca_gmm",
        show_progressbar=None,
    ):
        """Find phases with a Gaussian mixture of the principal components (workflow 1).

        The counts are scaled to unit shot noise, the components above shot noise kept, and the
        pixels' scores clustered with a Gaussian mixture.

        Parameters
        ----------
        n_clusters : int, {"auto", "bic"}
            Number of clusters, or how it is chosen. ``"auto"``: the groups with a gap between
            them in the scores, and at least one more than there are strong components.
            ``"bic"``: the Bayesian information criterion, which splits clusters that are not
            normal and interfaces, the more the more pixels there are. Either way the curve is
            in ``result.parameters["criterion_curve"]``, see `plot_cluster_criterion`.
        %(shared)s
        covariance_type : {"full", "tied", "diag", "spherical"}
            Shape of the clusters in the space of scores.
        n_init : int
            Starts of the mixture's fit, of which the best is kept.
        %(end)s

        References
        ----------
        A. S. Eggeman et al., Faraday Discuss. (2025), doi:10.1039/d5fd00101c; M. R. Keenan and
        P. G. Kotula, Surf. Interface Anal. 36 (2004) 203.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=64, channels=512)
        >>> s.cluster_pca_gmm(n_clusters=4, show_progressbar=False).n_clusters
        4
        """
        setting = self._setting(
            n_components, normalize, energy_range, exclude_lines, navigation_mask, binning,
            neighbourhood, random_state, name,
        )  # fmt: skip
        parameters = {
            "n_clusters": n_clusters, "covariance_type": covariance_type, "n_init": n_init,
        }  # fmt: skip
        with stages("PCA + GMM", 5, show_progressbar) as progress:
            found = cluster_pca_gmm(self.data, setting, **parameters, progress=progress)
        return self._keep_result(name, "pca_gmm", setting, exclude_lines, parameters, found)

    def cluster_umap_hdbscan(
        self,
        min_cluster_size="auto",
        *,
        n_components="auto",
        n_dimensions=4,
        n_neighbors=30,
        min_dist=0.0,
        metric="euclidean",
        min_samples=None,
        cluster_selection_method="eom",
        cluster_selection_epsilon=0.0,
        n_landmarks=20_000,
        normalize=True,
        energy_range=None,
        exclude_lines=None,
        navigation_mask="auto",
        binning="auto",
        neighbourhood="auto",
        random_state=0,
        name="umap_hdbscan",
        show_progressbar=None,
    ):
        """Find phases by density in a UMAP embedding (workflow 2).

        The user sets the smallest number of pixels that makes a phase, the data decide the
        number of phases. The components above shot noise are embedded with UMAP and
        clustered with HDBSCAN. UMAP makes clumps out of any cloud of points; clusters
        without a gap between them in the scores themselves are therefore joined.

        Parameters
        ----------
        min_cluster_size : int, float, str, pint.Quantity
            Smallest cluster in pixels (int), as a fraction of the pixels that are not masked
            (float < 1), as an area (``"200 nm^2"``; a length for line scans), or ``"auto"``,
            3 %% of the pixels. What is smaller is left out; otherwise the clusters hardly depend
            on it. Below 3 %%, small clusters are also sought in bins of their size, and mixtures
            of two other clusters, as interfaces are, left out.
        %(shared)s
        n_dimensions, n_neighbors, min_dist, metric
            As in `umap.UMAP`.
        min_samples, cluster_selection_method, cluster_selection_epsilon
            As in `hdbscan.HDBSCAN`. Gaps in the scores decide which of its finest clusters
            are clusters, the selection method (``"eom"``, ``"leaf"``) which pixels between
            them are noise.
        n_landmarks : int
            UMAP and HDBSCAN learn from at most so many pixels; the others are labelled from
            their nearest landmarks.
        %(end)s

        References
        ----------
        A. S. Eggeman et al., Faraday Discuss. (2025), doi:10.1039/d5fd00101c; L. McInnes et al.,
        arXiv:1802.03426 (2018) and J. Open Source Softw. 2 (2017) 205.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import seven_cation_nanoparticles
        >>> s = seven_cation_nanoparticles(size=48, channels=512)
        >>> s.cluster_umap_hdbscan(exclude_lines=["C"], show_progressbar=False).n_clusters
        1
        """
        setting = self._setting(
            n_components, normalize, energy_range, exclude_lines, navigation_mask, binning,
            neighbourhood, random_state, name,
        )  # fmt: skip
        parameters = {
            "n_dimensions": n_dimensions, "n_neighbors": n_neighbors, "min_dist": min_dist,
            "metric": metric, "min_samples": min_samples,
            "cluster_selection_method": cluster_selection_method,
            "cluster_selection_epsilon": cluster_selection_epsilon, "n_landmarks": n_landmarks,
        }  # fmt: skip
        pixels = smallest_cluster_in_pixels(min_cluster_size, self)
        density = DensitySetting(**parameters)
        with stages("UMAP + HDBSCAN", 7, show_progressbar) as progress:
            found = cluster_umap_hdbscan(self.data, setting, pixels, density, progress=progress)
        parameters["min_cluster_size"] = min_cluster_size
        return self._keep_result(name, "umap_hdbscan", setting, exclude_lines, parameters, found)

    def assign_clusters(
        self,
        result,
        *,
        navigation_mask="auto",
        neighbourhood="auto",
        name=None,
        show_progressbar=None,
    ):
        """Label this map with clusters that were learned on another map of the same sample.

        Each pixel goes to the cluster whose spectrum its counts fit best, with the help of its
        neighbours. Numbers, names and colours of the clusters stay, so that a series of maps
        can be read together. A phase that was not on the first map is not found: it goes to
        whatever is nearest.

        Parameters
        ----------
        result : ClusterResult
            Clusters of the other map. The energy axes of the maps may differ in length, offset
            and scale. What was left out of the energies to learn from is left out here, too.
        navigation_mask : {"auto"}, None, array of bool or BaseSignal
            Pixels to leave out: True = left out. ``"auto"`` leaves out vacuum.
        neighbourhood : {"auto"} or float
            Gaussian sigma in pixels of the neighbours that help to label a pixel; 0 =
            each pixel alone. ``"auto"``: 1.5 pixels, more below 4 counts per pixel, and 0 if
            pixels have counts enough.
        name : str, optional
            Name of the result in ``s.clusters``. Default: that of `result`.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        ClusterResult
            Also kept in ``s.clusters[name]``. Its `scores` are along the directions in which
            the clusters differ; it has no eigenvalues.

        Raises
        ------
        ValueError
            If the energies of the maps do not fit, or the clusters may differ in dose alone.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> first = six_cation_sulfide(size=64, channels=512)
        >>> result = first.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> second = six_cation_sulfide(size=48, channels=1024, seed=1)
        >>> second.assign_clusters(result, show_progressbar=False).n_clusters
        4
        """
        if not isinstance(result, ClusterResult):
            raise TypeError(
                "`result` must be what a clustering method of the other map returned, such as "
                f"first.clusters['pca_gmm']; got {type(result).__name__}."
            )
        if result.n_clusters == 0 or result.spectra is None:
            raise ValueError(f"The result {result.name!r} has no clusters to assign pixels to.")
        if not result.parameters.get("normalize", True):
            raise ValueError(
                f"The result {result.name!r} was learned with normalize=False: its clusters may "
                "differ in dose alone, which is another one on this map. Learn again with "
                "normalize=True."
            )
        name = result.name if name is None else name
        exclude_lines = result.parameters.get("exclude_lines") or ()
        setting = self._setting(
            "auto", True, result.parameters.get("energy_range"), exclude_lines,
            navigation_mask, 1, neighbourhood, 0, name,
        )  # fmt: skip
        with stages("Assigning", 3, show_progressbar) as progress:
            found = assign_clusters(self.data, setting, *result.reference, progress=progress)
        found["cluster_names"] = result.cluster_names
        # In a series, every map is assigned by what the first one taught.
        found["learned_spectra"], found["learned_energy"] = result.reference
        return self._keep_result(name, "assigned", setting, exclude_lines, {}, found)

    _shared = {"shared": _SHARED_PARAMETERS, "end": _SHARED_END}
    cluster_pca_gmm.__doc__ %= _shared
    cluster_umap_hdbscan.__doc__ %= _shared
    del _shared

    def _setting(
        self, n_components, normalize, energy_range, exclude_lines, navigation_mask, binning,
        neighbourhood, random_state, name,
    ):  # fmt: skip
        """Check what both workflows take, and turn it into plain arrays and numbers."""
        if self.axes_manager.navigation_dimension == 0:
            raise ValueError(
                "Clustering needs a map or a line scan, but this signal is a single spectrum "
                "(no navigation axes)."
            )
        _check_name(name)
        if hasattr(navigation_mask, "axes_manager"):
            navigation_mask = np.asarray(navigation_mask.data)
        detector = self.metadata.Acquisition_instrument.TEM.Detector.EDS
        exclude_lines = as_names("exclude_lines", exclude_lines)
        excluded = excluded_windows(exclude_lines, float(detector.energy_resolution_MnKa))
        self._warn_of_hidden_lines(excluded, exclude_lines)
        return Setting(
            energy=energy_in_kev(self),
            normalize=bool(normalize),
            energy_range=as_energy_range(energy_range),
            excluded=excluded,
            navigation_mask=navigation_mask,
            n_components=n_components,
            binning=binning,
            neighbourhood=neighbourhood,
            random_state=random_state,
            line_profiles=lambda: of_declared_elements(self, exclude_lines),
        )

    def _warn_of_hidden_lines(self, excluded, exclude_lines):
        """Warn if windows of excluded lines hide the lines of declared elements."""
        named = {name.split("_")[0] for name in exclude_lines}
        elements = [e for e in self.metadata.get_item("Sample.elements", []) if e not in named]
        hidden = [
            line
            for line in alpha_lines(elements, 0.0, np.inf)
            for low, high in excluded
            if low < line_energy(line) < high
        ]
        if hidden:
            warnings.warn(
                f"`exclude_lines` also hides {', '.join(dict.fromkeys(hidden))} of the declared "
                "elements from the clustering. Name single lines, such as 'Au_La', to keep them.",
                UserWarning,
                stacklevel=4,
            )

    def _keep_result(self, name, workflow, setting, exclude_lines, parameters, found):
        mask = setting.navigation_mask
        found["parameters"] |= parameters | {
            "n_clusters_found": len(found["memberships"]),
            "n_components": setting.n_components,
            "normalize": setting.normalize,
            "energy_range": setting.energy_range,
            "exclude_lines": as_names("exclude_lines", exclude_lines),
            "navigation_mask": mask if mask is None or isinstance(mask, str) else "array",
            "binning": setting.binning,
            "neighbourhood": setting.neighbourhood,
            "random_state": setting.random_state,
        }
        # As it will be read from a file: numpy's numbers and tuples become Python's.
        found["parameters"] = json.loads(json.dumps(found["parameters"], default=_plain))
        result = ClusterResult(
            name=name,
            workflow=workflow,
            energy=setting.energy,
            axes=navigation_axes(self),
            **found,
        )
        write_result(self, result)
        if workflow != "assigned":
            warn_of_thickness(self, result)
        return result


def _check_name(name):
    if not isinstance(name, str) or not name:
        raise ValueError(f"`name` must be a text that is not empty, not {name!r}.")


def _plain(value):
    """What json does not know: numpy's numbers and arrays; names of functions and quantities."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)


class LazyClusteredEDSSpectrum(ClusteredEDSSpectrum, LazyEDSTEMSpectrum):
    """Lazy `ClusteredEDSSpectrum`: the same methods, the counts stay on disk."""

    def save(self, filename=None, overwrite=None, extension=None, file_format=None, **kwds):
        """Save the map with its results, see `hyperspy.api.signals.BaseSignal.save`.

        Parameters
        ----------
        filename, overwrite, extension, file_format, **kwds
            As in HyperSpy.

        Raises
        ------
        ValueError
            If it is the ``.zspy`` file that the map was loaded from: writing would empty it
            before the counts are read.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=16, channels=512, lazy=True)
        >>> s.save("map.zspy", show_progressbar=False)  # doctest: +SKIP
        """
        check_not_its_own_file(self, filename, extension)
        return super().save(filename, overwrite, extension, file_format, **kwds)
