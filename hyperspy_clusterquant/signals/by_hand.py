"""Regions drawn by hand, or on another image, as clusters: the method of the signal classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperspy_clusterquant.clusters.by_hand import ByHand
from hyperspy_clusterquant.signals.axes import check_has_pixels, counts_of, energy_in_kev
from hyperspy_clusterquant.signals.clustering import check_name
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.regions import read_regions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from hyperspy_clusterquant.results.clusters import ClusterResult


class RegionsByHand:
    """Clusters that were not found in the counts."""

    def clusters_from_labels(
        self,
        labels_or_rois: Any,
        *,
        name: str = "by_hand",
        names: Sequence[str] | Mapping[int | str, str] | None = None,
        background: int | Sequence[int] | None = None,
        show_progressbar: bool | None = None,
    ) -> ClusterResult:
        """Take regions that were drawn by hand, or found in another image, as clusters.

        Spectra, compositions, tests, pictures and files are then those of any clusters. The tests
        of `cluster_significance` do not draw the regions again: their p-values hold if the regions
        were drawn without looking at the counts of this map, as on a HAADF image. Regions that were
        chosen because their counts look different, will be different.

        Parameters
        ----------
        labels_or_rois : array of int, BaseSignal, ROI, or list or dict of masks or ROIs
            - A label image with the map's array shape, as an array or a HyperSpy signal, such as
              the segmentation of a HAADF image: whole numbers of any size, one for each region;
              -1 = in none, -2 = left out. A boolean image is one region.
            - A list or a dictionary (by their names) of boolean masks with the map's shape, True =
              in the region, or of HyperSpy ROIs in the units of the map's axes: ``RectangularROI``,
              ``CircleROI``, ``PolygonROI``; ``SpanROI`` on a line scan. In a stack of maps, a
              region of two dimensions is in all of them. What is in none is -1.
        name : str
            Name of the result in ``s.clusters``.
        names : list of str or dict, optional
            Names of the clusters, in the order of the list or of ascending labels, or by these.
            Default: the keys of the dictionary, or ``"region 7"`` of the label 7. The numbers of
            the clusters are 0, 1, ..., the largest first.
        background : int or list of int, optional
            Labels that stand for no region, such as 0 in many programs.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        ClusterResult
            Also kept in ``s.clusters[name]``. Memberships are 0 or 1; ``scores`` are along the
            directions in which the regions differ; there are no eigenvalues.

        Raises
        ------
        ValueError
            If shapes do not fit, masks overlap, or a region holds no pixel; the message says where
            and what to do. The signal is not changed.

        Examples
        --------
        >>> import hyperspy.api as hs
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> regions = {"left": hs.roi.RectangularROI(0, 0, 600, 1200),
        ...            "right": hs.roi.CircleROI(900, 600, 250)}
        >>> result = s.clusters_from_labels(regions, show_progressbar=False)
        >>> result.cluster_names, result.sizes
        (('left', 'right'), array([1392,  311]))
        >>> truth = s.metadata.Ground_truth.labels
        >>> s.clusters_from_labels(truth, names=s.metadata.Ground_truth.phase_names,
        ...                        show_progressbar=False).cluster_names
        ('wurtzite', 'chalcopyrite', 'jalpaite', 'remnant')
        """
        check_has_pixels(self, "Regions of a map")
        check_name(name)
        labels, cluster_names = read_regions(self, labels_or_rois, names, background)
        recipe = ByHand(labels=labels, n_clusters=len(cluster_names), **self._sample())
        with stages("Regions", 3, show_progressbar) as progress:
            found = recipe.cluster(counts_of(self), energy_in_kev(self), None, progress)
        return self._keep_clustering(name, found, cluster_names=cluster_names)
