"""Is every cluster one composition inside? The method of the signal classes that looks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import as_level, check_choice, check_has_clusters
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.clusters.nuisance import nuisance_directions
from hyperspy_clusterquant.composition.design import is_lone
from hyperspy_clusterquant.composition.fitting import linear_fit
from hyperspy_clusterquant.composition.intensities import FOUND, measure
from hyperspy_clusterquant.counts.pixels import sum_labels
from hyperspy_clusterquant.evidence.homogeneity import Question, look_inside
from hyperspy_clusterquant.results.homogeneity import ClusterHomogeneity, Departure
from hyperspy_clusterquant.signals.axes import in_order
from hyperspy_clusterquant.signals.comparing import told_apart
from hyperspy_clusterquant.signals.metadata import copy_metadata
from hyperspy_clusterquant.signals.options import read_choice
from hyperspy_clusterquant.signals.phases import phases_of
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.storage import write_findings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from hyperspy_clusterquant.results.clusters import ClusterResult

#: Mass thickness (g/cm2) through which the electrons of a STEM pass, such as 300 nm of steel, and
#: what X-rays from its middle go through on their way to a detector at 20 degrees.
MASS_THICKNESS = 3e-4
LENGTH = 0.5 * MASS_THICKNESS / np.sin(np.radians(20.0))
#: Most there can be of each direction: absorption of lines, in two readings, the background itself,
#: its absorption to first and second order; drift of the energies' zero (keV), and of their gain.
OF_ABSORPTION = (LENGTH, LENGTH, 1.0, LENGTH, LENGTH**2)
OF_DRIFT = (0.005, 0.002)


class ClusterPurity:
    """Whether clusters are of one composition inside."""

    def cluster_homogeneity(
        self,
        result: ClusterResult | str | None = None,
        *,
        xray_lines: Sequence[str] | None = None,
        level: float = 0.05,
        extra_elements: Sequence[str] = ("C", "O"),
        absorption: Literal["ignore", "keep"] = "ignore",
        show_progressbar: bool | None = None,
    ) -> ClusterHomogeneity:
        """Test whether every cluster is of one composition inside.

        The net counts of the lines in the pixels of a cluster are compared in squares of 1, 2, 4,
        ... pixels with those of the whole cluster, and the strongest departure is looked for.
        Shot noise, the dose, the thickness, absorption and a drift of the energies explain
        nothing that is found: of these, no more can come than the specimen and the detector
        allow. Pixels into which the beam's blur brings counts of other clusters do not take part.

        ``print(result)`` and `cluster_significance` say what was found, also after the map was
        saved and loaded, as long as the clusters stay as they are.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest. Clusters may have been merged, dropped or
            renamed.
        xray_lines : list of str, optional
            Alpha lines to test. Default: one for each element in ``s.metadata.Sample.elements``.
            The more lines, the better absorption is told from chemistry.
        level : float
            Probability that any cluster, or any line in one, is said to vary without doing so.
        extra_elements : list of str
            Elements of film, resin and grid: fitted, not tested.
        absorption : {"ignore", "keep"}
            Whether what absorption in varying thickness can make is no variation, or is one.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        ClusterHomogeneity

        Raises
        ------
        ValueError
            If fewer than two elements are declared, or there is no result.

        References
        ----------
        H. M. Hudson, Ann. Stat. 6 (1978) 473, on sums over pairs of counts, which have no shot
        noise; J. I. Goldstein et al., Scanning Electron Microscopy I (1977) 315, on absorption in
        films.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=1024)
        >>> result = s.cluster_pca_gmm(n_clusters=2, show_progressbar=False)
        >>> found = s.cluster_homogeneity(result, show_progressbar=False)
        >>> found.inhomogeneous  # it has four phases
        array([ True, False])
        """
        given, result = result, self._get_cluster_result(result)
        check_has_clusters(result)
        level = as_level(level)
        check_choice("absorption", absorption, ("ignore", "keep"))
        choice = read_choice(self, xray_lines, extra_elements)
        with stages("Homogeneity", 5, show_progressbar) as progress:
            phases, _ = phases_of(self, result, progress)
            pixels = self._all_channels(result.labels == MASKED, None, progress)
            labels = result.labels[pixels.keep]
            sums = sum_labels(pixels, labels, result.n_clusters)
            progress("tests")
            lines, net = _net_counts(measure(sums, sums, choice), choice)
            directions = partial(_directions, choice=choice, absorption=absorption)
            question = Question(
                net, list(range(len(lines))), directions, absorption == "ignore", level
            )
            inside, spectra = look_inside(pixels, labels, phases, question)
            regions = _regions(inside, pixels.keep)
            there = sum_labels(pixels, regions[pixels.keep], result.n_clusters)
        found = ClusterHomogeneity(
            name=result.name,
            cluster_names=result.cluster_names,
            xray_lines=lines,
            level=level,
            sizes=result.sizes,
            **_arrays(inside),
            images=_images(inside, "images", pixels.keep.shape),
            shares=_images(inside, "shares", pixels.keep.shape),
            regions=regions,
            departures=_departures(inside, result, lines),
            axes=result.axes,
            labels=result.labels,
            spectra=_spectra_of_departures(self, there, spectra),
        )
        write_findings(self, result, "homogeneity", found.summary, given)
        return found


def check_looked_inside(homogeneity, result):
    """Raise unless it is None or what was found inside of the clusters of a result."""
    if homogeneity is None:
        return
    if not isinstance(homogeneity, ClusterHomogeneity):
        raise TypeError(
            "`homogeneity` must be what s.cluster_homogeneity() returned, got "
            f"{type(homogeneity).__name__}."
        )
    if not np.array_equal(homogeneity.labels, result.labels):
        raise ValueError(
            f"`homogeneity` is of other clusters than those of the result {result.name!r}. Run "
            "s.cluster_homogeneity(result) with the same result."
        )


def _arrays(inside):
    """What was found in each cluster as arrays by the names of `ClusterHomogeneity`."""
    names = {
        "n_pixels": "n_pixels", "cluster_p_values": "p_value", "p_values": "p_values",
        "dose_p_values": "dose_p_values", "scales": "scales", "limit_scales": "limit_scale",
        "told_from_absorption": "told",
    }  # fmt: skip
    in_percent = {
        "variation": "variation", "variation_std": "variation_std", "detection_limits": "limits",
        "lowest": "lowest", "highest": "highest", "shares_noise": "noise",
    }  # fmt: skip
    arrays = {name: np.array([getattr(k, of) for k in inside]) for name, of in names.items()}
    return arrays | {
        name: np.array([100 * getattr(k, of) for k in inside]) for name, of in in_percent.items()
    }


def _images(inside, name, shape):
    """Departures of the lines around each pixel in %, (n_lines, map shape)."""
    n_lines = len(inside[0].p_values)
    images = np.full((n_lines, int(np.prod(shape))), np.nan, dtype=np.float32)
    for cluster in inside:
        images[:, cluster.pixels] = 100 * getattr(cluster, name)
    return images.reshape(-1, *shape)


def _regions(inside, keep):
    """Number of the cluster whose strongest departure lies in each pixel, -1 = none."""
    regions = np.full(keep.size, -1)
    for k, cluster in enumerate(inside):
        if cluster.departure is not None:
            regions[cluster.departure.pixels] = k
    return regions.reshape(keep.shape)


def _departures(inside, result, lines):
    """The strongest departure of each cluster as users see it."""
    departures = []
    for cluster, name in zip(inside, result.cluster_names, strict=True):
        found = cluster.departure
        if found is None:
            departures.append(None)
            continue
        centre = np.mean(np.unravel_index(found.pixels, result.labels.shape), axis=1)
        place = [axis["offset"] + axis["scale"] * at for axis, at in
                 zip(result.axes, centre, strict=True)]  # fmt: skip
        departures.append(
            Departure(name, lines[found.line], tuple(map(float, place)), len(found.pixels),
                      100 * found.size, found.p_value)
        )  # fmt: skip
    return tuple(departures)


def _spectra_of_departures(signal, there, spectra):
    """Counts where clusters depart most, and what was expected, as a signal of the map's class."""
    import hyperspy.api as hs

    totals = np.maximum(spectra.sum(axis=1, keepdims=True), 1e-9)
    expected = spectra * (there.sum(axis=1, keepdims=True) / totals)
    axes = [
        {"name": "cluster", "size": len(there), "navigate": True},
        {"name": "counts, expected", "size": 2, "navigate": True},
        signal.axes_manager.signal_axes[0].get_axis_dictionary(),
    ]
    both = hs.signals.Signal1D(in_order(signal, np.stack([there, expected], axis=1)), axes=axes)
    copy_metadata(signal, to=both)
    both.set_signal_type(signal._signal_type)
    both.metadata.General.title = "Strongest departures of clusters"
    return both


def _net_counts(measured, choice):
    """Lines to test, and how counts become net counts of these and of what else is in the fit.

    The other families of the same elements tell absorption, which takes more of soft lines, from
    chemistry.
    """
    lines, linear = told_apart(measured)
    fits = measured.fits
    low, high = choice.energy[measured.used][[0, -1]]
    areas = np.sum([fit.unconstrained for fit in fits], axis=0)
    variances = np.sum([np.diag(fit.covariance) for fit in fits], axis=0)
    found = areas > FOUND * np.sqrt(variances)
    others = [
        n
        for n, family in enumerate(fits[0].design.families)
        if found[n]
        and n not in linear.tested
        and not is_lone(family)
        and family.follows is None
        and family.element in choice.elements
        and low < family.energies[np.argmax(family.weights)] < high
    ]
    return lines, linear_fit(fits, [*linear.tested, *others], measured.used).weights


def _directions(spectrum, choice, absorption):
    """Changes of a spectrum that are no chemistry, as large as they can be, (n, channels)."""
    directions = nuisance_directions(
        spectrum, choice.energy, choice.elements, choice.beam_energy, choice.resolution,
        choice.extra, absorption=absorption == "ignore",
    )  # fmt: skip
    most = [*([*OF_ABSORPTION] if len(directions) > len(OF_DRIFT) else []), *OF_DRIFT]
    return directions * np.array(most)[:, None]
