"""Pictures of how clusters lie among scores and in embeddings, and of X-ray lines beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hyperspy_clusterquant._checks import as_names, check_choice
from hyperspy_clusterquant.clusters.catalogue import word_for_noise
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.clusters.planes import density_on, separating_plane
from hyperspy_clusterquant.clusters.tree import condensed_tree
from hyperspy_clusterquant.composition.windows import window_weights
from hyperspy_clusterquant.counts.passes import combine_map
from hyperspy_clusterquant.plotting import map_of, plot_density, plot_element_maps, plot_tree
from hyperspy_clusterquant.signals.axes import counts_of, energy_in_kev, kev_per_unit
from hyperspy_clusterquant.signals.metadata import beam_energy_of, xray_lines_of
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.quantifying import LINE_WINDOW, WINDOWS_AT
from hyperspy_clusterquant.signals.specimen import usable_elements
from hyperspy_clusterquant.xrays.lines import choose_lines, line_energy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from matplotlib.axes import Axes

    from hyperspy_clusterquant.results.clusters import ClusterResult

#: Where clusters can be looked at, and what an axis of it is called.
SPACES = {
    "scores": "Discriminant {} of the scores",
    "embedding": "Discriminant {} of the embedding",
}


class ClusterDiagrams:
    """Scores, embeddings and element maps as matplotlib axes."""

    def plot_cluster_scores(
        self,
        result: ClusterResult | str | None = None,
        ax: Axes | None = None,
        *,
        space: Literal["scores", "embedding"] = "scores",
    ) -> Axes:
        """Pixels among the scores, on the plane that separates the clusters best.

        The plane is that of a linear discriminant analysis, in which all clusters count the same;
        one unit is the standard deviation within clusters. Grey is the logarithm of the number of
        pixels, and each outline holds the densest 90 % of a cluster. Of a single component,
        histograms are drawn.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.
        space : {"scores", "embedding"}
            Scores of all pixels, or the UMAP embedding of the landmarks of workflow 2.
            Distances in an embedding say little of compositions.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ValueError
            If there are no components or there is no embedding.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=32, channels=512)
        >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> ax = s.plot_cluster_scores()
        """
        check_choice("space", space, tuple(SPACES))
        result = self._get_cluster_result(result)
        if space == "embedding":
            _check_embedded(result)
            points, labels = result.embedding, result.labels.ravel()[result.landmarks]
            title = f"{result.name}, UMAP of {len(points)} landmarks"
        else:
            points, labels = result.scores, result.labels[result.labels != MASKED]
            plural = "" if result.n_components == 1 else "s"
            title = f"{result.name}, scores in {result.n_components} component{plural}"
            if result.n_components == 0:
                raise ValueError(
                    f"The result {result.name!r} has no component above shot noise, so there are "
                    "no scores to draw."
                )
        directions = separating_plane(points, labels, result.n_clusters)
        density = density_on(points @ directions, labels, result.n_clusters)
        axes = [f"{SPACES[space].format(n)} (σ within clusters)" for n in (1, 2)]
        return plot_density(density, result.cluster_names, axes, title, ax)

    def plot_cluster_tree(
        self, result: ClusterResult | str | None = None, ax: Axes | None = None
    ) -> Axes:
        """HDBSCAN's condensed tree of workflow 2: how dense regions split into denser ones.

        Each branch is as wide as it has landmarks, from the density at which it appears to that
        at which it splits or dissolves. A leaf has the colour of the cluster that most of its
        landmarks went to in the end: leaves of one colour were joined, because no gap and no
        border separates them.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ValueError
            If there is no embedding, or only a part of it, as after cropping the map.
        """
        result = self._get_cluster_result(result)
        _check_embedded(result)
        known = result.parameters
        if known.get("landmarks_used") != len(result.landmarks):
            raise ValueError(
                f"The tree of {result.name!r} is that of all its landmarks, but they are not all "
                "on this map, or it was made by an older version. Draw it on the whole map, or "
                "cluster again with s.cluster_umap_hdbscan()."
            )
        size = known["hdbscan_min_cluster_size"]
        branches = condensed_tree(result.embedding, size, known["min_samples"])
        labels = result.labels.ravel()[result.landmarks]
        became = [_most_frequent(labels[of.points]) for of in branches]
        title = f"{result.name}, branches of at least {size} landmarks"
        return plot_tree(branches, became, result.cluster_names, title, ax)

    def plot_cluster_elements(
        self,
        result: ClusterResult | str | None = None,
        axes: Sequence[Axes] | None = None,
        *,
        xray_lines: Sequence[str] | None = None,
        overlay: Sequence[str] | None = None,
        smoothing: float = 0.0,
        index: int = 0,
        show_progressbar: bool | None = None,
    ) -> np.ndarray:
        """Classic maps of X-ray lines beside the clusters, and three of them in red, green, blue.

        Net counts in windows two widths of the line wide, less the background in windows on either
        side: what overlaps is counted twice. The maps of `map_significance` are from fits, and say
        what is more than noise.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        axes : sequence of matplotlib.axes.Axes, optional
            Where to draw clusters, overlay, and each line; a new figure if not given.
        xray_lines : list of str, optional
            Default: one for each element in ``s.metadata.Sample.elements``.
        overlay : list of str, optional
            Lines, up to three, that are red, green and blue. Default: those that tell most
            clusters apart, each by what the ones before do not show.
        smoothing : float
            Standard deviation in pixels of a Gaussian that the maps are smoothed with. The title
            says so.
        index : int
            Number of the map that is drawn of a stack.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        array of matplotlib.axes.Axes (2 + n_lines,)

        Raises
        ------
        ValueError
            If no elements are declared and no lines given, or a line is not on the energy axis.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=32, channels=512)
        >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> axes = s.plot_cluster_elements(xray_lines=["Fe_Ka", "S_Ka"], show_progressbar=False)
        """
        result = self._get_cluster_result(result)
        if not smoothing >= 0:
            raise ValueError(f"`smoothing` is a length in pixels, 0 or more, not {smoothing!r}.")
        lines = _lines_to_draw(self, xray_lines)
        weights = window_weights(
            energy_in_kev(self),
            *(
                kev_per_unit(self) * np.array(windows)
                for windows in (
                    self.estimate_integration_windows(LINE_WINDOW, list(lines)),
                    self.estimate_background_windows(WINDOWS_AT, xray_lines=list(lines)),
                )
            ),
        )
        with stages("Element maps", 1, show_progressbar) as progress:
            sums = combine_map(counts_of(self), weights, lambda share: progress("pixels", share))
        drawn = _lines_overlaid(lines, overlay, sums, result)
        labels = map_of(result.labels, index)
        images = [map_of(of, index) for of in sums.reshape(len(lines), *result.labels.shape)]
        kept = labels != MASKED
        images = [np.where(kept, _smoothed(of, kept, smoothing), np.nan) for of in images]
        how = f"smoothed, σ = {smoothing:g} px" if smoothing else "not smoothed"
        return plot_element_maps(
            np.array(images), result.axes, lines, drawn, labels, result.cluster_names,
            f"{result.name} and net counts in windows, {how}", axes,
            noise=word_for_noise(result.workflow),
        )  # fmt: skip


def _lines_to_draw(signal, xray_lines):
    """Lines to draw maps of, those of the declared elements by default."""
    energy, beam_energy = energy_in_kev(signal), beam_energy_of(signal, needed=False)
    lines = as_names("xray_lines", xray_lines)
    if xray_lines is None:
        usable, _ = usable_elements(signal)
        highest = min(energy[-1], beam_energy or np.inf)
        declared = [xray_lines_of(signal)]
        lines = tuple(choose_lines(usable, energy[0], highest, declared, beam_energy))
    if not lines:
        raise ValueError(
            "There is no line to draw. Declare the elements of the sample first, for example "
            "s.set_elements(['Cu', 'Fe', 'S']), or pass `xray_lines`."
        )
    beyond = [line for line in lines if not energy[0] < line_energy(line) < energy[-1]]
    if beyond:
        raise ValueError(
            f"{', '.join(beyond)} lies outside of the energy axis ({energy[0]:.3g} to "
            f"{energy[-1]:.3g} keV). Choose other lines in `xray_lines`."
        )
    return lines


def _lines_overlaid(lines, overlay, sums, result):
    """Numbers of the lines that are red, green and blue."""
    if overlay is not None:
        overlay = as_names("overlay", overlay)
        unknown = [line for line in overlay if line not in lines]
        if unknown or not 0 < len(overlay) <= 3:
            raise ValueError(
                f"`overlay` takes one to three of the lines {', '.join(lines)}, not "
                f"{', '.join(overlay) or 'none'}. Name more lines in `xray_lines`."
            )
        return [lines.index(line) for line in overlay]
    labels = result.labels.ravel()
    of_cluster = [sums[:, labels == k].mean(axis=1) for k in range(result.n_clusters)
                  if np.any(labels == k)]  # fmt: skip
    means = np.array(of_cluster or [sums.mean(axis=1)])
    # As the square root, shot noise of strong and weak lines is the same.
    left = np.sqrt(np.maximum(means, 0))
    left = left - left.mean(axis=0)
    chosen = []
    while len(chosen) < min(3, len(lines)):
        lengths = np.linalg.norm(left, axis=0)
        lengths[chosen] = -1
        chosen.append(int(lengths.argmax()))
        # What is left shows no more of what this line shows.
        direction = left[:, chosen[-1]] / max(lengths.max(), 1e-12)
        left = left - np.outer(direction, direction @ left)
    return chosen


def _check_embedded(result):
    if result.embedding is None or not len(result.embedding):
        raise ValueError(
            f"The result {result.name!r} has no embedding: it takes s.cluster_umap_hdbscan() on "
            "this very map, not binned, and more than shot noise."
        )


def _most_frequent(labels):
    """Cluster of most points, -1 if there are none or most are in none."""
    values, counts = np.unique(labels, return_counts=True)
    return int(values[counts.argmax()]) if len(values) else -1


def _smoothed(image, kept, width):
    """A map smoothed over the kept pixels, as if the others were not there."""
    if width == 0:
        return image
    weights = ndimage.gaussian_filter(kept.astype(float), width)
    summed = ndimage.gaussian_filter(np.where(kept, image, 0.0), width)
    return summed / np.maximum(weights, 1e-12)
