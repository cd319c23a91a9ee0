"""The results that users hold: frozen, arrays first, ready to be saved."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field

import numpy as np

from hyperspy_clusterquant.clusters.labels import MASKED, NOISE


@dataclass(frozen=True, eq=False, repr=False)
class ClusterResult:
    """Clusters of a map.

    Attributes
    ----------
    name : str
        Key in ``s.clusters``.
    workflow : {"pca_gmm", "umap_hdbscan"}
        How the clusters were found; ``"assigned"`` if that was on another map.
    labels : array of int (map's array shape)
        0 .. n_clusters - 1, largest first; -1 = noise; -2 = left out by the mask.
    memberships : array of float32 (n_clusters, map shape)
        Between 0 and 1; 0 where masked; sums over the clusters to at most 1.
    scores : array of float32 (kept pixels, n_components)
        Composition in units of a typical pixel's shot noise.
    embedding : array of float32 (landmarks, n_dimensions) or None
        UMAP embedding of the learning pixels.
    landmarks : array of int (landmarks,) or None
        Flat pixel numbers of the embedded pixels (of the first pixel of each bin).
    eigenvalues : array (n_leading,)
        The leading ones, for the scree plot, in units of one pixel's shot noise.
    noise_edge : float
        Eigenvalues above it are more than shot noise.
    cluster_names : tuple of str
        ``"cluster 0"`` ... unless renamed.
    spectra : array (n_clusters, channels) or None
        Summed counts of the pixels of each cluster.
    energy : array (channels,) or None
        Energies of these channels in keV.
    learned_spectra, learned_energy : arrays or None
        The same of the map that the clusters were learned on, if it is another one.
    parameters : dict
        Everything that was set or found, library versions and the seed.
    axes : tuple of dict
        Name, scale, offset, units of the map's navigation axes in array order.
    """

    name: str
    workflow: str
    labels: np.ndarray
    memberships: np.ndarray
    scores: np.ndarray
    eigenvalues: np.ndarray
    noise_edge: float
    embedding: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    cluster_names: tuple = ()
    spectra: np.ndarray | None = None
    energy: np.ndarray | None = None
    learned_spectra: np.ndarray | None = None
    learned_energy: np.ndarray | None = None
    parameters: dict = field(default_factory=dict)
    axes: tuple = ()

    _DTYPES = {
        "labels": np.int32,
        "memberships": np.float32,
        "scores": np.float32,
        "embedding": np.float32,
        "landmarks": np.int64,
        "eigenvalues": np.float64,
        "spectra": np.float64,
        "energy": np.float64,
        "learned_spectra": np.float64,
        "learned_energy": np.float64,
    }

    def __post_init__(self):
        for name, dtype in self._DTYPES.items():
            value = getattr(self, name)
            if value is not None:
                value = np.asarray(value, dtype=dtype)
                if value.flags.writeable:  # somebody else could change it
                    value = value.copy()
                    value.setflags(write=False)
                object.__setattr__(self, name, value)
        names = tuple(self.cluster_names) or tuple(
            self._automatic_name(k) for k in range(self.n_clusters)
        )
        object.__setattr__(self, "cluster_names", names)
        object.__setattr__(self, "axes", tuple(self.axes))

    @staticmethod
    def _automatic_name(number):
        return f"cluster {number}"

    @property
    def n_clusters(self):
        """Number of clusters."""
        return len(self.memberships)

    @property
    def reference(self):
        """Spectra of the clusters and energies of the channels that other maps are assigned by."""
        if self.learned_spectra is None:
            return self.spectra, self.energy
        return self.learned_spectra, self.learned_energy

    @property
    def n_components(self):
        """Number of components that the clusters were found in."""
        return self.scores.shape[1]

    @property
    def sizes(self):
        """Pixels of each cluster, array of int (n_clusters,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.n_clusters)

    def __repr__(self):
        clusters = "1 cluster" if self.n_clusters == 1 else f"{self.n_clusters} clusters"
        components = "1 component" if self.n_components == 1 else f"{self.n_components} components"
        what = f"{clusters} from {components}"
        lines = [f"<ClusterResult {self.name!r}: {what}, map {self.labels.shape}>"]
        lines += [f"  {remark}" for remark in self.parameters.get("remarks", ())]
        kept = max(np.count_nonzero(self.labels != MASKED), 1)
        for name, size in zip(self.cluster_names, self.sizes, strict=True):
            lines.append(f"  {name}: {size} pixels ({size / kept:.1%})")
        for value, what in ((NOISE, "noise"), (MASKED, "left out")):
            size = np.count_nonzero(self.labels == value)
            if size:
                lines.append(f"  {what}: {size} pixels")
        return "\n".join(lines)

    # --- new results from old -------------------------------------------------------------

    def rename(self, names):
        """Give clusters names of their own.

        Parameters
        ----------
        names : dict of int: str
            New name of each cluster to rename.

        Returns
        -------
        ClusterResult

        Examples
        --------
        >>> from hyperspy_clusterquant.results import ClusterResult
        >>> r = ClusterResult("a", "pca_gmm", [0, 0, 1], [[1, 1, 0], [0, 0, 1]], np.zeros((3, 1)),
        ...                   [2.0], 1.0)
        >>> r.rename({1: "jalpaite"}).cluster_names
        ('cluster 0', 'jalpaite')
        """
        new = list(self.cluster_names)
        for number, name in names.items():
            self._check_number(number)
            new[number] = str(name)
        return dataclasses.replace(self, cluster_names=tuple(new))

    def merge(self, clusters):
        """Merge clusters into one.

        Parameters
        ----------
        clusters : list of int
            Clusters to merge; the name given to the first of them stays.

        Returns
        -------
        ClusterResult
            With dense numbers, largest cluster first.

        Examples
        --------
        >>> from hyperspy_clusterquant.results import ClusterResult
        >>> r = ClusterResult("a", "pca_gmm", [0, 0, 1], [[1, 1, 0], [0, 0, 1]], np.zeros((3, 1)),
        ...                   [2.0], 1.0)
        >>> r.merge([0, 1]).labels
        array([0, 0, 0], dtype=int32)
        """
        clusters = sorted(set(clusters))
        for number in clusters:
            self._check_number(number)
        if len(clusters) < 2:
            raise ValueError(f"Name at least two clusters to merge, got {clusters}.")
        others = [[k] for k in range(self.n_clusters) if k not in clusters]
        return self.merge_groups([clusters, *others])

    def merge_groups(self, groups):
        """Merge the clusters of each group into one.

        Parameters
        ----------
        groups : list of list of int
            Every cluster in one of them; the name given to the first of a group stays.

        Returns
        -------
        ClusterResult
            With dense numbers, largest cluster first.
        """
        if sorted(k for group in groups for k in group) != list(range(self.n_clusters)):
            raise ValueError(
                f"Each of the clusters 0 to {self.n_clusters - 1} must be in one group, got "
                f"{groups}."
            )
        target = np.empty(self.n_clusters, dtype=int)
        for group in groups:
            target[group] = min(group)
        return self._regroup(target)

    def drop(self, clusters):
        """Turn clusters into noise.

        Parameters
        ----------
        clusters : list of int
            Clusters to drop: their pixels become -1.

        Returns
        -------
        ClusterResult
            With dense numbers, largest cluster first.
        """
        target = np.arange(self.n_clusters)
        for number in clusters:
            self._check_number(number)
            target[number] = NOISE
        return self._regroup(target)

    def navigation_mask(self, clusters):
        """Mask that leaves out all but some clusters, to cluster again inside them.

        Parameters
        ----------
        clusters : int or list of int
            Clusters to keep.

        Returns
        -------
        array of bool (map shape)
            True = left out, as the clustering methods take it.

        Examples
        --------
        >>> from hyperspy_clusterquant.results import ClusterResult
        >>> r = ClusterResult("a", "pca_gmm", [0, 0, 1], [[1, 1, 0], [0, 0, 1]], np.zeros((3, 1)),
        ...                   [2.0], 1.0)
        >>> r.navigation_mask(0)
        array([False, False,  True])
        """
        clusters = np.atleast_1d(clusters)
        for number in clusters:
            self._check_number(number)
        return ~np.isin(self.labels, clusters)

    def _check_number(self, number):
        if number not in range(self.n_clusters):
            raise ValueError(
                f"There is no cluster {number!r}: {self.name!r} has clusters 0 to "
                f"{self.n_clusters - 1}."
            )

    def _regroup(self, target):
        """New result with cluster k counted to target[k] (-1 = noise)."""
        labels = np.where(self.labels >= 0, target[np.maximum(self.labels, 0)], self.labels)
        groups = np.unique(target[target >= 0])
        sizes = [np.count_nonzero(labels == group) for group in groups]
        groups = groups[np.argsort(-np.array(sizes), kind="stable")] if len(groups) else groups
        new_number = np.full(self.n_clusters, NOISE)
        new_number[groups] = np.arange(len(groups))
        memberships = np.array(
            [self.memberships[target == group].sum(axis=0) for group in groups]
        ).reshape(len(groups), *self.labels.shape)
        spectra = {
            name: np.array([all_[target == group].sum(axis=0) for group in groups]).reshape(
                len(groups), all_.shape[1]
            )
            for name in ("spectra", "learned_spectra")
            if (all_ := getattr(self, name)) is not None
        }
        return dataclasses.replace(
            self,
            labels=np.where(labels >= 0, new_number[np.maximum(labels, 0)], labels),
            memberships=memberships,
            **spectra,
            cluster_names=tuple(
                self._automatic_name(new)
                if self.cluster_names[group] == self._automatic_name(group)
                else self.cluster_names[group]
                for new, group in enumerate(groups)
            ),
        )

    # --- other maps -----------------------------------------------------------------------

    def take(self, pixels, axes):
        """The result on other pixels of the same map.

        Parameters
        ----------
        pixels : array of int (new map shape)
            Flat numbers of this map's pixels.
        axes : tuple of dict
            Navigation axes of the new map.

        Returns
        -------
        ClusterResult
            Numbers and names of the clusters stay, also of those that are not on it.
        """
        pixels = np.asarray(pixels)
        kept_number = np.cumsum(self.labels.ravel() != MASKED) - 1
        kept = pixels.ravel()[self.labels.ravel()[pixels.ravel()] != MASKED]
        embedding = landmarks = None
        if self.landmarks is not None:
            new_number = np.full(self.labels.size, -1)
            new_number[pixels.ravel()] = np.arange(pixels.size)
            inside = new_number[self.landmarks] >= 0
            landmarks = new_number[self.landmarks[inside]]
            embedding = self.embedding[inside]
        return dataclasses.replace(
            self,
            labels=self.labels.ravel()[pixels],
            memberships=self.memberships.reshape(self.n_clusters, self.labels.size)[:, pixels],
            scores=self.scores[kept_number[kept]],
            embedding=embedding,
            landmarks=landmarks,
            axes=axes,
        )

    def binned(self, factors, axes):
        """The result on a map binned by whole factors.

        Memberships and scores are averaged over the kept pixels of each bin; its label is
        its largest membership, or noise where most of its pixels are.

        Parameters
        ----------
        factors : tuple of int
            Factor of each array axis; pixels beyond a whole number of bins are cropped.
        axes : tuple of dict
            Navigation axes of the new map.

        Returns
        -------
        ClusterResult
        """
        shape = [size // f for size, f in zip(self.labels.shape, factors, strict=True)]
        crop = tuple(slice(0, n * f) for n, f in zip(shape, factors, strict=True))
        split = [number for n, f in zip(shape, factors, strict=True) for number in (n, f)]
        inner = tuple(range(1, 2 * len(shape), 2))

        def total(image):
            return image[crop].reshape(split).sum(axis=inner)

        kept = self.labels != MASKED
        n_kept = np.maximum(total(kept), 1)
        memberships = np.array([total(m) for m in self.memberships]).reshape(-1, *shape) / n_kept
        scores = np.zeros((self.n_components, *self.labels.shape))
        scores[:, kept] = self.scores.T
        filled = total(kept) > 0
        scores = [(total(image) / n_kept)[filled] for image in scores]
        labels = memberships.argmax(axis=0) if self.n_clusters else np.full(shape, NOISE)
        labels[total(self.labels == NOISE) > 0.5 * n_kept] = NOISE
        labels[total(kept) == 0] = MASKED
        return dataclasses.replace(
            self,
            parameters=self._parameters_of_bins(factors),
            labels=labels,
            memberships=memberships,
            scores=np.array(scores).reshape(self.n_components, np.count_nonzero(filled)).T,
            embedding=None,
            landmarks=None,
            axes=axes,
        )

    def _parameters_of_bins(self, factors):
        """Parameters in pixels, in those of a binned map, on which it can be done again."""
        parameters, n_pixels = dict(self.parameters), int(np.prod(factors))
        length = n_pixels ** (1 / len(factors))
        if "binning_used" in parameters:
            parameters["binning_used"] = max(round(parameters["binning_used"] / length), 1)
        if "neighbourhood_used" in parameters:
            parameters["neighbourhood_used"] = parameters["neighbourhood_used"] / length
        if "smallest_cluster_pixels" in parameters:
            smallest = parameters["smallest_cluster_pixels"] / n_pixels
            parameters["smallest_cluster_pixels"] = max(round(smallest), 2)
        return parameters

    # --- to HyperSpy and back -------------------------------------------------------------

    def label_map(self):
        """Labels as a HyperSpy image with the map's axes, see `labels` for the values."""
        from hyperspy_clusterquant.signals.maps import label_map

        return label_map(self)

    def membership_maps(self):
        """Memberships as a stack of HyperSpy images, one for each cluster."""
        from hyperspy_clusterquant.signals.maps import membership_maps

        return membership_maps(self)

    def to_dict(self):
        """Arrays, strings and numbers that HyperSpy can keep in metadata and files."""
        stored = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) is not None
        }
        for name in ("parameters", "axes", "cluster_names"):
            stored[name] = json.dumps(stored[name])
        return stored

    @classmethod
    def from_dict(cls, stored):
        """Inverse of `to_dict`; arrays may be lazy."""
        values = dict(stored)
        for name in ("parameters", "axes", "cluster_names"):
            values[name] = json.loads(str(values[name]))
        for name in cls._DTYPES:
            if name in values:
                values[name] = np.asarray(values[name])
        values["noise_edge"] = float(values["noise_edge"])
        values["name"], values["workflow"] = str(values["name"]), str(values["workflow"])
        return cls(**values)
