"""The workflows as methods of a signal: what is asked becomes a recipe, what is found a result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant.clusters.assign import Assignment
from hyperspy_clusterquant.clusters.pca_gmm import PcaGmm
from hyperspy_clusterquant.clusters.umap_hdbscan import UmapHdbscan
from hyperspy_clusterquant.results.clusters import ClusterResult
from hyperspy_clusterquant.signals.axes import (
    check_has_pixels,
    counts_of,
    energy_in_kev,
    navigation_axes,
    smallest_cluster_in_pixels,
)
from hyperspy_clusterquant.signals.doubts import warn_of_excluded, warn_of_thickness
from hyperspy_clusterquant.signals.metadata import beam_energy_of, resolution_of
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.specimen import usable_elements, warn_without_lines
from hyperspy_clusterquant.signals.storage import write_result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    import pint

    from hyperspy_clusterquant._types import NavigationMask

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
            grid that are not looked at. The spectra of the clusters keep them. Where their window
            would hide the main line of a declared element (platinum's M lines that of phosphorus),
            they are told from it by their shape instead; a warning names lines that are hardly
            told apart. What else lies in the same energies is not looked at either.
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
            below 4 counts per pixel, if the map is binned for learning, else 0.
        absorption : {"ignore", "keep"}
            ``"ignore"``: do not look at what absorption in thicker and thinner places changes in
            the spectrum, nor at a drift of the energy axis. In which directions these change it is
            known from the declared elements and the beam energy; without them, everything is
            looked at. Differences of composition in the same direction, as of oxygen in an oxide
            of one metal, are not seen either: ``"keep"`` looks at everything."""
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


class MapClustering:
    """Clusters of a map."""

    def cluster_pca_gmm(
        self,
        n_clusters: int | str = "auto",
        *,
        n_components: int | str = "auto",
        normalize: bool = True,
        energy_range: tuple[float, float] | None = None,
        exclude_lines: Sequence[str] | None = None,
        navigation_mask: NavigationMask = "auto",
        binning: Literal["auto"] | int = "auto",
        neighbourhood: Literal["auto"] | float = "auto",
        absorption: Literal["ignore", "keep"] = "ignore",
        covariance_type: str = "full",
        n_init: int = 3,
        random_state: int | None = 0,
        name: str = "pca_gmm",
        show_progressbar: bool | None = None,
    ) -> ClusterResult:
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
        recipe, mask = self._recipe(
            PcaGmm, navigation_mask, name, n_clusters=n_clusters, n_components=n_components,
            normalize=normalize, energy_range=energy_range, exclude_lines=exclude_lines,
            binning=binning, neighbourhood=neighbourhood, absorption=absorption,
            covariance_type=covariance_type, n_init=n_init, random_state=random_state,
        )  # fmt: skip
        with stages("PCA + GMM", 5, show_progressbar) as progress:
            found = recipe.cluster(counts_of(self), energy_in_kev(self), mask, progress)
        found.recipe.warn_of_fewer(len(found.memberships))
        return self._keep_clustering(name, found)

    def cluster_umap_hdbscan(
        self,
        min_cluster_size: int | float | str | pint.Quantity = "auto",
        *,
        n_components: int | str = "auto",
        n_dimensions: int = 4,
        n_neighbors: int = 30,
        min_dist: float = 0.0,
        metric: str = "euclidean",
        min_samples: int | None = None,
        cluster_selection_method: Literal["eom", "leaf"] = "eom",
        cluster_selection_epsilon: float = 0.0,
        n_landmarks: int = 20_000,
        normalize: bool = True,
        energy_range: tuple[float, float] | None = None,
        exclude_lines: Sequence[str] | None = None,
        navigation_mask: NavigationMask = "auto",
        binning: Literal["auto"] | int = "auto",
        neighbourhood: Literal["auto"] | float = "auto",
        absorption: Literal["ignore", "keep"] = "ignore",
        random_state: int | None = 0,
        name: str = "umap_hdbscan",
        show_progressbar: bool | None = None,
    ) -> ClusterResult:
        """Find phases by density in a UMAP embedding (workflow 2).

        The user sets the smallest number of pixels that makes a phase, the data decide the
        number of phases. The components above shot noise are embedded with UMAP and
        clustered with HDBSCAN. UMAP makes clumps out of any cloud of points; clusters
        without a gap between them in the scores themselves are therefore joined.

        Parameters
        ----------
        min_cluster_size : int, float, str, pint.Quantity
            Smallest cluster in pixels (int), as a fraction of the pixels that are not masked
            (float < 1), or as an area (``"200 nm^2"``; a length for line scans). What is smaller
            is left out; otherwise the clusters hardly depend on it. Below 3 %%, mixtures of two
            other clusters, as interfaces are, are left out. ``"auto"``: down to 3 %%, and smaller
            ones where pixels hold what the others do not explain.
        %(shared)s
        n_dimensions, n_neighbors, min_dist, metric
            As in ``umap.UMAP``.
        min_samples, cluster_selection_method, cluster_selection_epsilon
            As in ``hdbscan.HDBSCAN``. Gaps in the scores decide which of its finest clusters
            are clusters, the selection method (``"eom"``, ``"leaf"``) which pixels between
            them are noise.
        n_landmarks : int
            UMAP and HDBSCAN learn from at most so many pixels, and from no more than the smallest
            cluster needs: 5000, if it may hold 3 %% of the map. Gaps between clusters are looked
            for among up to 65 536, and borders where there are no more than that.
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
        recipe, mask = self._recipe(
            UmapHdbscan, navigation_mask, name, min_cluster_size=min_cluster_size,
            smallest=smallest_cluster_in_pixels(min_cluster_size, self),
            n_components=n_components, n_dimensions=n_dimensions, n_neighbors=n_neighbors,
            min_dist=min_dist, metric=metric, min_samples=min_samples,
            cluster_selection_method=cluster_selection_method,
            cluster_selection_epsilon=cluster_selection_epsilon, n_landmarks=n_landmarks,
            normalize=normalize, energy_range=energy_range, exclude_lines=exclude_lines,
            binning=binning, neighbourhood=neighbourhood, absorption=absorption,
            random_state=random_state,
        )  # fmt: skip
        with stages("UMAP + HDBSCAN", 7, show_progressbar) as progress:
            found = recipe.cluster(counts_of(self), energy_in_kev(self), mask, progress)
        return self._keep_clustering(name, found)

    def assign_clusters(
        self,
        result: ClusterResult,
        *,
        navigation_mask: NavigationMask = "auto",
        neighbourhood: Literal["auto"] | float = "auto",
        name: str | None = None,
        show_progressbar: bool | None = None,
    ) -> ClusterResult:
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
            Also kept in ``s.clusters[name]``. Its ``scores`` are along the directions in which
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
        if result.n_clusters == 0 or result.reference[0] is None:
            raise ValueError(f"The result {result.name!r} has no clusters to assign pixels to.")
        if not result.parameters.get("normalize", True):
            raise ValueError(
                f"The result {result.name!r} was learned with normalize=False: its clusters may "
                "differ in dose alone, which is another one on this map. Learn again with "
                "normalize=True."
            )
        name = result.name if name is None else name
        spectra, energy = result.reference
        recipe, mask = self._recipe(
            Assignment, navigation_mask, name, spectra=spectra, spectra_energy=energy,
            energy_range=result.parameters.get("energy_range"),
            exclude_lines=result.parameters.get("exclude_lines"), neighbourhood=neighbourhood,
        )  # fmt: skip
        with stages("Assigning", 3, show_progressbar) as progress:
            found = recipe.cluster(counts_of(self), energy_in_kev(self), mask, progress)
        # In a series, every map is assigned by what the first one taught.
        return self._keep_clustering(
            name, found, cluster_names=result.cluster_names, learned_spectra=spectra,
            learned_energy=energy,
        )  # fmt: skip

    _shared = {"shared": _SHARED_PARAMETERS, "end": _SHARED_END}
    cluster_pca_gmm.__doc__ %= _shared  # type: ignore[operator]
    cluster_umap_hdbscan.__doc__ %= _shared  # type: ignore[operator]
    del _shared

    def _recipe(self, kind, navigation_mask, name, **asked):
        """What is asked of a workflow, and the mask as an array where it is one."""
        check_has_pixels(self, "Clustering")
        check_name(name)
        mask = navigation_mask
        if hasattr(mask, "axes_manager"):
            mask = np.asarray(mask.data)
        recipe = kind(
            navigation_mask=mask if mask is None or isinstance(mask, str) else "array",
            **asked,
            **self._sample(),
        )
        warn_without_lines(self, usable_elements(self)[1])
        warn_of_excluded(recipe, energy_in_kev(self))
        return recipe, mask

    def _sample(self):
        """What recipes know of sample and detector."""
        elements, _ = usable_elements(self)
        return {
            "elements": elements,
            "beam_energy": beam_energy_of(self, needed=False),
            # Lines are looked at only if there are any.
            "energy_resolution": resolution_of(self, possible=bool(elements)),
        }

    def _keep_clustering(self, name, found, **more):
        """A clustering of this map as a result that is kept with it."""
        result = ClusterResult(
            name=name,
            workflow=found.recipe.workflow,
            **{key: value for key, value in vars(found).items() if key != "recipe"},
            energy=energy_in_kev(self),
            parameters=found.recipe.parameters,
            axes=navigation_axes(self),
            **more,
        )
        write_result(self, result)
        if found.recipe.searches:
            warn_of_thickness(self, result)
        return result

    def _repeated(self, result, seed):
        """The recipe of a result, to be done again on other counts of its pixels."""
        # Results that are older than this do not say what was known of the sample.
        unknown = {name: value for name, value in self._sample().items()
                   if name not in result.parameters}  # fmt: skip
        return replace(result.recipe, **unknown).repeat(seed)


def check_name(name):
    """Raise unless a name can be that of a result."""
    if not isinstance(name, str) or not name:
        raise ValueError(f"`name` must be a text that is not empty, not {name!r}.")
