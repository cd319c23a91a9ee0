"""Clusters of a map, as users hold them."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import check_has_clusters, cluster_number
from hyperspy_clusterquant._frozen import Frozen, FrozenDict
from hyperspy_clusterquant.clusters.by_hand import ByHand
from hyperspy_clusterquant.clusters.catalogue import recipe_of, word_for_noise
from hyperspy_clusterquant.clusters.labels import MASKED, NOISE
from hyperspy_clusterquant.images import image
from hyperspy_clusterquant.results.cluster_html import cluster_html

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hyperspy.signals import BaseSignal

    from hyperspy_clusterquant.clusters.recipe import Recipe


@dataclass(frozen=True, eq=False, repr=False)
class ClusterResult(Frozen):
    """Clusters of a map. They are given by their numbers or names.

    Attributes
    ----------
    name : str
        Key in ``s.clusters``.
    workflow : {"pca_gmm", "umap_hdbscan", "assigned", "by hand"}
        How the clusters were found; ``"assigned"`` if that was on another map, ``"by hand"`` if
        they are regions that somebody gave.
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
        Summed counts of the pixels of each cluster; None on a part of the map and on bins.
    energy : array (channels,) or None
        Energies in keV of the channels of the map.
    label_spectra : array (n_clusters, channels) or None
        Spectra by whose likelihood the pixels were labelled, zero in channels that were not looked
        at; None if labels do not follow from the counts of single pixels, or how is not known.
    learned_spectra, learned_energy : arrays or None
        The same of the map that the clusters were learned on, if it is not this one.
    half_labels : array of int (map shape) or None
        Of regions that were drawn on one half of the counts: the labels of the clusters there, as
        they were drawn on. With them, ``cluster_significance`` tests in the other half.
    parameters : FrozenDict
        Everything that was set or found, library versions and the seed.
    axes : tuple of FrozenDict
        Name, scale, offset, units of the map's navigation axes in array order.
    findings : FrozenDict
        What tests found of these clusters, sentences by the name of the test. Other clusters and
        other pixels have none.

    Examples
    --------
    >>> from hyperspy_clusterquant import ClusterResult
    >>> r = ClusterResult("a", "pca_gmm", [0, 0, 1], [[1, 1, 0], [0, 0, 1]], np.zeros((3, 1)),
    ...                   [2.0], 1.0)
    >>> named = r.rename({1: "jalpaite"})
    >>> named.cluster_names
    ('cluster 0', 'jalpaite')
    >>> named.navigation_mask("jalpaite")
    array([ True,  True, False])
    >>> named.merge(["cluster 0", "jalpaite"]).labels
    array([0, 0, 0], dtype=int32)
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
    cluster_names: tuple[str, ...] = ()
    spectra: np.ndarray | None = None
    energy: np.ndarray | None = None
    label_spectra: np.ndarray | None = None
    learned_spectra: np.ndarray | None = None
    learned_energy: np.ndarray | None = None
    half_labels: np.ndarray | None = None
    # Neither pictures nor tables show how the clusters were made.
    parameters: dict = field(default_factory=FrozenDict, compare=False)
    axes: tuple[dict, ...] = ()
    findings: dict = field(default_factory=FrozenDict, compare=False)

    #: Type of the numbers in each array.
    DTYPES = {
        "labels": np.int32,
        "memberships": np.float32,
        "scores": np.float32,
        "embedding": np.float32,
        "landmarks": np.int64,
        "eigenvalues": np.float64,
        "spectra": np.float64,
        "energy": np.float64,
        "label_spectra": np.float64,
        "learned_spectra": np.float64,
        "learned_energy": np.float64,
        "half_labels": np.int32,
    }

    def __post_init__(self):
        for name, dtype in self.DTYPES.items():
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, np.asarray(value, dtype=dtype))
        names = tuple(self.cluster_names) or map(self._automatic_name, range(self.n_clusters))
        object.__setattr__(self, "cluster_names", tuple(names))
        super().__post_init__()

    @staticmethod
    def _automatic_name(number):
        return f"cluster {number}"

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return len(self.memberships)

    @property
    def reference(self) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Spectra of the clusters and energies of the channels that other maps are assigned by."""
        if self.learned_spectra is None:
            return self.spectra, self.energy
        return self.learned_spectra, self.learned_energy

    @property
    def recipe(self) -> Recipe:
        """How the clusters were made, a ``Recipe``; a ValueError if the result does not say."""
        return recipe_of(self)

    @property
    def n_components(self) -> int:
        """Number of components that the clusters were found in."""
        return self.scores.shape[1]

    @property
    def sizes(self) -> np.ndarray:
        """Pixels of each cluster, array of int (n_clusters,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.n_clusters)

    def __repr__(self) -> str:
        lines = self._sentences()
        for name, size, share in self._shares():
            lines.append(f"{name}: {size} pixels" + (f" ({share})" if share else ""))
        return "\n  ".join([f"<ClusterResult {self._summary()}>", *lines])

    def _repr_html_(self):
        return cluster_html(self, self._summary(), self._shares(), self._sentences())

    def _sentences(self):
        """What was remarked when the clusters were found, and what tests found of them since."""
        found = [
            sentence if k or test == "homogeneity" else f"{test.capitalize()}: {sentence}"
            for test, sentences in self.findings.items()
            for k, sentence in enumerate(sentences)
        ]
        return [*self.parameters.get("remarks", ()), *found]

    def _summary(self):
        clusters = "1 cluster" if self.n_clusters == 1 else f"{self.n_clusters} clusters"
        how = "1 component" if self.n_components == 1 else f"{self.n_components} components"
        how = how if self.workflow != ByHand.workflow else "regions"
        return f"{self.name!r}: {clusters} from {how}, map {self.labels.shape}"

    def _shares(self):
        """Name, pixels and share of the pixels that are not left out of each cluster, as texts."""
        kept = max(np.count_nonzero(self.labels != MASKED), 1)
        rows = [
            (name, f"{size}", f"{size / kept:.1%}")
            for name, size in zip(self.cluster_names, self.sizes, strict=True)
        ]
        others = [
            (what, np.count_nonzero(self.labels == value))
            for value, what in ((NOISE, word_for_noise(self.workflow)), (MASKED, "left out"))
        ]
        return rows + [(what, f"{size}", "") for what, size in others if size]

    # --- new results from old -------------------------------------------------------------

    def rename(self, names: Mapping[int | str, str] | Sequence[str]) -> ClusterResult:
        """Give clusters names of their own.

        Parameters
        ----------
        names : dict of int or str: str, or list of str
            New name of each cluster to rename, or one for every cluster in their order.

        Returns
        -------
        ClusterResult

        Examples
        --------
        >>> r = ClusterResult("a", "pca_gmm", [0, 0, 1], [[1, 1, 0], [0, 0, 1]], np.zeros((3, 1)),
        ...                   [2.0], 1.0)
        >>> r.rename({1: "jalpaite"}).cluster_names
        ('cluster 0', 'jalpaite')
        """
        if not isinstance(names, dict):
            if not isinstance(names, list | tuple) or len(names) != self.n_clusters:
                raise ValueError(
                    f"Give one name for each of the {self.n_clusters} clusters of {self.name!r}, "
                    f"or a dictionary {{cluster: name}}, not {names!r}."
                )
            names = dict(enumerate(names))
        numbers = self._numbers(list(names))
        if len(set(numbers)) < len(numbers):
            raise ValueError(f"A cluster is given two names: {names!r}.")
        new = list(self.cluster_names)
        for number, name in zip(numbers, names.values(), strict=True):
            new[number] = str(name)
        renamed = dict(zip(self.cluster_names, new, strict=True))
        findings = {
            test: [_with_new_names(sentence, renamed) for sentence in sentences]
            for test, sentences in self.findings.items()
        }
        return dataclasses.replace(self, cluster_names=tuple(new), findings=findings)

    def merge(self, clusters: Sequence[int | str]) -> ClusterResult:
        """Merge clusters into one.

        Parameters
        ----------
        clusters : list of int or str
            Clusters to merge; the name given to the first of them stays.

        Returns
        -------
        ClusterResult
            With dense numbers, largest cluster first.

        Examples
        --------
        >>> r = ClusterResult("a", "pca_gmm", [0, 0, 1], [[1, 1, 0], [0, 0, 1]], np.zeros((3, 1)),
        ...                   [2.0], 1.0, cluster_names=("shell", "core"))
        >>> r.merge(["shell", "core"]).labels
        array([0, 0, 0], dtype=int32)
        """
        group = set(self._numbers(clusters))
        if len(group) < 2:
            raise ValueError(f"Name at least two clusters to merge, got {clusters!r}.")
        return self.merge_groups([group, *({k} for k in range(self.n_clusters) if k not in group)])

    def merge_groups(self, groups: Sequence[Iterable[int | str]]) -> ClusterResult:
        """Merge the clusters of each group into one.

        Parameters
        ----------
        groups : list of list of int or str
            Every cluster in one of them; the name given to the first of a group stays.

        Returns
        -------
        ClusterResult
            With dense numbers, largest cluster first.
        """
        numbers = [self._numbers(group) for group in groups]
        if sorted(k for group in numbers for k in group) != list(range(self.n_clusters)):
            raise ValueError(
                f"Each of the clusters 0 to {self.n_clusters - 1} must be in one group, got "
                f"{groups}."
            )
        target = np.empty(self.n_clusters, dtype=int)
        for group in numbers:
            target[group] = min(group)
        return self._regroup(target)

    def drop(self, clusters: int | str | Sequence[int | str]) -> ClusterResult:
        """Turn clusters into noise.

        Parameters
        ----------
        clusters : int, str or list of these
            Clusters to drop: their pixels become -1.

        Returns
        -------
        ClusterResult
            With dense numbers, largest cluster first.
        """
        target = np.arange(self.n_clusters)
        target[self._numbers(clusters)] = NOISE
        return self._regroup(target)

    def navigation_mask(self, clusters: int | str | Sequence[int | str]) -> np.ndarray:
        """Mask that leaves out all but some clusters, to cluster again inside them.

        Parameters
        ----------
        clusters : int, str or list of these
            Clusters to keep.

        Returns
        -------
        array of bool (map shape)
            True = left out, as the clustering methods take it.

        Examples
        --------
        >>> r = ClusterResult("a", "pca_gmm", [0, 0, 1], [[1, 1, 0], [0, 0, 1]], np.zeros((3, 1)),
        ...                   [2.0], 1.0)
        >>> r.navigation_mask("cluster 0")
        array([False, False,  True])
        """
        return ~np.isin(self.labels, self._numbers(clusters))

    def _number(self, cluster):
        """Number of a cluster that is given by it or by its name."""
        return cluster_number(cluster, self.cluster_names, f"the result {self.name!r}")

    def _numbers(self, clusters):
        """Numbers of one cluster or of several."""
        one = isinstance(clusters, str) or not np.iterable(clusters)
        return [self._number(cluster) for cluster in ([clusters] if one else clusters)]

    def _regroup(self, target):
        """New result with cluster k counted to target[k] (-1 = noise)."""
        labels = np.where(self.labels >= 0, target[np.maximum(self.labels, 0)], self.labels)
        groups = np.unique(target[target >= 0])
        sizes = np.array([np.count_nonzero(labels == group) for group in groups])
        groups = groups[np.argsort(-sizes, kind="stable")]
        new_number = np.full(self.n_clusters, NOISE)
        new_number[groups] = np.arange(len(groups))

        def added(values):
            sums = [values[target == group].sum(axis=0) for group in groups]
            return np.array(sums).reshape(len(groups), *values.shape[1:])

        def averaged(values):
            weights = np.maximum(self.sizes, 1)[:, None]
            return added(values * weights) / added(weights)

        return dataclasses.replace(
            self,
            labels=np.where(labels >= 0, new_number[np.maximum(labels, 0)], labels),
            memberships=added(self.memberships),
            spectra=None if self.spectra is None else added(self.spectra),
            label_spectra=None if self.label_spectra is None else averaged(self.label_spectra),
            learned_spectra=None if self.learned_spectra is None else added(self.learned_spectra),
            cluster_names=tuple(
                self._automatic_name(new)
                if self.cluster_names[group] == self._automatic_name(group)
                else self.cluster_names[group]
                for new, group in enumerate(groups)
            ),
            findings=FrozenDict(),
        )

    # --- images ---------------------------------------------------------------------------

    def label_map(self) -> BaseSignal:
        """Labels as a HyperSpy image with the map's axes, see `labels` for the values.

        Its plot has the colours and names of the clusters, also as a navigator:
        ``s.plot(navigator=result.label_map())``.
        """
        labels = image(self.labels, self.axes, f"Clusters {self.name}", names=self.cluster_names)
        labels.metadata.set_item("Cluster_labels.noise", word_for_noise(self.workflow))
        return labels

    def membership_maps(self) -> BaseSignal:
        """Memberships as a stack of HyperSpy images, one for each cluster."""
        check_has_clusters(self)
        title = f"Memberships {self.name}"
        return image(self.memberships, self.axes, title, over="cluster")


def _with_new_names(sentence, renamed):
    """A sentence in which clusters are quoted by their names, 'like this', with other names."""
    return re.sub("'([^']+)'", lambda quoted: f"'{renamed.get(quoted[1], quoted[1])}'", sentence)
