"""What is asked of a workflow, and what it chose on the way."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar

import numpy as np

from hyperspy_clusterquant._checks import as_energy_range, as_int, as_names, check_choice
from hyperspy_clusterquant._frozen import Frozen, FrozenDict
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.clusters.nuisance import in_features, nuisance_directions, orthonormal
from hyperspy_clusterquant.clusters.starts import most_replicable
from hyperspy_clusterquant.counts.features import (
    SAMPLE_FROM,
    channel_mask,
    low_features,
    merge_channels,
)
from hyperspy_clusterquant.counts.pixels import read_pixels
from hyperspy_clusterquant.xrays.lines import (
    alpha_lines,
    excluded_families,
    excluded_windows,
    overlapping_families,
)
from hyperspy_clusterquant.xrays.profiles import element_profiles, family_profiles


@dataclass(frozen=True, eq=False, kw_only=True)
class Recipe(Frozen):
    """Everything that is asked of a workflow, and everything that it chose.

    Each workflow has a class of its own with what is asked of it alone, and with `run`.

    Attributes
    ----------
    normalize : bool
        Divide each pixel by its own dose.
    energy_range : tuple of float or None
        In keV.
    exclude_lines : tuple of str
        Lines and elements whose windows are not looked at.
    navigation_mask : {"auto", "array"} or None
        How pixels were left out; an array itself is not part of it.
    n_components, binning, neighbourhood
        See `ClusteredEDSSpectrum.cluster_pca_gmm`.
    absorption : {"keep", "ignore"}
        Whether the directions in which absorption changes spectra are looked at.
    random_state : int or None
        Seed, None = a new one each time.
    elements : tuple of str
        Of the sample: weak components are sought among their lines.
    beam_energy : float or None
        In keV.
    energy_resolution : float
        Full width at half maximum at Mn K-alpha in eV.
    components_are : {"auto", "spectrum", "weak in spectrum", "weak in lines"}
        Where components are sought; ``"auto"``: to be found out.
    chosen : FrozenDict
        What the workflow chose and found on the way, by the names that
        `ClusterResult.parameters` shows; empty before it ran.
    """

    normalize: bool = True
    energy_range: tuple | None = None
    exclude_lines: tuple = ()
    navigation_mask: str | None = "auto"
    n_components: object = "auto"
    binning: object = "auto"
    neighbourhood: object = "auto"
    absorption: str = "keep"
    random_state: int | None = 0
    elements: tuple = ()
    beam_energy: float | None = None
    energy_resolution: float = 130.0
    components_are: str = "auto"
    chosen: FrozenDict = field(default_factory=FrozenDict)

    #: Name of the workflow in results.
    workflow: ClassVar[str]
    #: Whether clusters are looked for, so that they can be looked for again.
    searches: ClassVar[bool] = True
    #: Whether the label of a pixel follows from its counts.
    follows_counts: ClassVar[bool] = True
    #: What a result must say of itself so that it can be made again.
    needed: ClassVar[tuple] = ()
    #: What `parameters` does not show under its name.
    hidden: ClassVar[tuple] = ("chosen", "components_are")

    def __post_init__(self):
        checked = {
            "normalize": bool(self.normalize),
            "energy_range": as_energy_range(self.energy_range),
            "exclude_lines": as_names("exclude_lines", self.exclude_lines),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        check_choice("absorption", self.absorption, ("ignore", "keep"))
        if self.random_state is not None:
            seed = as_int("random_state", self.random_state, minimum=0)
            if seed >= 2**32:
                raise ValueError(f"`random_state` must be less than 2**32, not {seed}.")
        super().__post_init__()

    # --- what follows from it -------------------------------------------------------------

    @property
    def fitted_out(self):
        """Alpha lines of the excluded families whose windows would hide a declared element.

        They are told from its line by their shape, and their windows stay.
        """
        names = [element for element in self.elements if element not in self.exclude_lines]
        return overlapping_families(self.exclude_lines, names, self.energy_resolution)

    @property
    def excluded(self):
        """(low, high) windows in keV that are not looked at."""
        return excluded_windows(self.exclude_lines, self.energy_resolution, self.fitted_out)

    def nuisance(self, totals, energy, channels):
        """Whitened directions that are no chemistry, (features, n), or None.

        Parameters
        ----------
        totals : array (features,)
            Summed counts.
        energy : array (channels,)
            In keV.
        channels : array of int (channels,)
            Feature that each channel is counted to, -1 = none.
        """
        if not self.normalize:
            return None
        known = self.beam_energy is not None and bool(self.elements)
        directions = np.zeros((0, len(energy)))
        if self.absorption == "ignore" and known:
            directions = nuisance_directions(
                totals, energy, self.elements, self.beam_energy, self.energy_resolution,
                channels=channels,
            )  # fmt: skip
        # What reaches beyond the windows of excluded lines is no more looked at than these.
        excluded = family_profiles(
            energy,
            excluded_families(self.exclude_lines, energy[0], energy[-1]),
            self.beam_energy,
            self.energy_resolution,
        )
        directions = in_features(np.concatenate([directions, excluded]), channels)
        # What some detectors count below the lines of usual elements comes in bursts.
        low = low_features(energy, channels)
        if len(low) < len(totals) and not alpha_lines(self.elements, 0.0, SAMPLE_FROM):
            directions = np.concatenate([directions, np.eye(len(totals))[low] * totals.sum()])
        return orthonormal(directions, totals / totals.sum()) if len(directions) else None

    def channels(self, energy):
        """Feature that each channel with an energy (keV) is counted to, -1 = none."""
        return merge_channels(energy, channel_mask(energy, self.energy_range, self.excluded))

    def line_profiles(self, energy):
        """Lines of each element of the sample, (n_elements, channels); None if they say nothing."""
        if self.beam_energy is None:
            return None
        elements = [element for element in self.elements if element not in self.exclude_lines]
        profiles = element_profiles(energy, elements, self.beam_energy, self.energy_resolution)
        return profiles if len(profiles) > 1 else None

    def film_profiles(self, energy):
        """Lines of carbon, which is on every specimen, (n, channels); none if it is declared."""
        known = self.beam_energy is not None and "C" not in self.elements
        return element_profiles(
            energy, ["C"] if known else [], self.beam_energy, self.energy_resolution
        )

    @property
    def seed(self):
        """The seed of a run, a new one if none was given."""
        given = self.random_state
        return int(np.random.default_rng().integers(2**31) if given is None else given)

    # --- doing it -------------------------------------------------------------------------

    @one_blas_thread()
    def cluster(self, data, energy, navigation_mask, progress):
        """Cluster a map: one pass for the counts, one for the spectra.

        Parameters
        ----------
        data : numpy or dask array (map shape, channels)
            Counts.
        energy : array (channels,)
            In keV.
        navigation_mask : "auto", None or array of bool (map shape)
            True = left out.
        progress : callable
            Called with the name of each stage, and the share of it that is done.

        Returns
        -------
        Clustering
            On the map.
        """
        channels = self.channels(energy)
        pixels = read_pixels(data, energy, channels, navigation_mask, progress)
        found = most_replicable(self, pixels, progress)
        return found.on_map(data, pixels.keep, progress)

    def run(self, pixels, progress):
        """Cluster the counts of pixels.

        Parameters
        ----------
        pixels : PixelCounts
        progress : callable

        Returns
        -------
        Clustering
            Of the kept pixels.
        """
        raise TypeError(f"{type(self).__name__} is not a workflow: it has no run().")

    # --- again ----------------------------------------------------------------------------

    def repeat(self, seed):
        """The same clustering for other counts of the same pixels, with everything it chose.

        Parameters
        ----------
        seed : int
            Of what is random in the workflow.

        Returns
        -------
        Recipe
        """
        known = self.chosen
        return replace(
            self,
            n_components=known.get("n_components_found", self.n_components),
            binning=known.get("binning_used", self.binning),
            neighbourhood=known.get("neighbourhood_used", self.neighbourhood),
            components_are=known.get("components_are", "spectrum"),
            random_state=seed,
            chosen=FrozenDict(),
        )

    def for_bins(self, factors):
        """The same for a map that is binned by whole factors, one for each axis."""
        return replace(self, chosen=chosen_for_bins(self.chosen, factors))

    def with_chosen(self, **more):
        """The same with more that was chosen."""
        return replace(self, chosen=self.chosen | more)

    # --- to read --------------------------------------------------------------------------

    @property
    def parameters(self):
        """Everything as numbers, texts, lists and dictionaries: what results show and files keep.

        `of_result` is the inverse.
        """
        asked = {f.name: getattr(self, f.name) for f in fields(self) if f.name in self.shown()}
        return json.loads(json.dumps({**self.chosen, **asked}, default=plain))

    @classmethod
    def shown(cls):
        """Names of what was asked, as `parameters` shows it."""
        return [f.name for f in fields(cls) if f.name not in cls.hidden]

    @classmethod
    def of_result(cls, result, **more):
        """The recipe of a result, from its `parameters` and what these do not hold."""
        known = result.parameters
        asked = {name: known[name] for name in cls.shown() if name in known}
        chosen = {name: value for name, value in known.items() if name not in asked}
        return cls(**(asked | more), chosen=FrozenDict(chosen))


def chosen_for_bins(chosen, factors):
    """What was chosen in pixels, in those of a map that is binned by whole factors."""
    n_pixels = int(np.prod(factors))
    length = n_pixels ** (1 / len(factors))

    def bins(binning):
        return max(round(binning / length), 1)

    changes = {
        "binning_used": bins,
        "neighbourhood_used": lambda sigma: sigma / length,
        "smallest_cluster_pixels": lambda smallest: max(round(smallest / n_pixels), 2),
    }
    changed = {name: changes[name](chosen[name]) for name in changes if name in chosen}
    return FrozenDict(chosen) | changed


def versions():
    """Versions of the libraries that decide what is found."""
    packages = (
        "hyperspy-clusterquant", "hyperspy", "exspy", "numpy", "scipy", "scikit-learn",
        "umap-learn", "hdbscan",
    )  # fmt: skip
    return {package: importlib.metadata.version(package) for package in packages}


def plain(value):
    """What json does not know: numpy's numbers and arrays; names of functions and quantities."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
