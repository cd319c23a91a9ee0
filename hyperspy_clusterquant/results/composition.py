"""The composition of clusters as users hold it: frozen, with everything it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.composition.absorption import Absorption
from hyperspy_clusterquant.composition.calibration import Calibration
from hyperspy_clusterquant.composition.compose import amount_per_count
from hyperspy_clusterquant.composition.uncertainty import (
    DETECTED,
    LIMIT,
    quantile_above_zero,
    ratio,
)
from hyperspy_clusterquant.results.composition_pictures import CompositionPictures
from hyperspy_clusterquant.results.composition_text import CompositionText
from hyperspy_clusterquant.results.compounds import nearest_compounds
from hyperspy_clusterquant.xrays.kfactors import KFactors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


class ValuesWithStd(NamedTuple):
    """A value for each cluster and its standard deviation."""

    values: np.ndarray
    std: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class CompositionTable(CompositionText, CompositionPictures, Frozen):
    """Composition of each cluster, with uncertainties of one standard deviation.

    Attributes
    ----------
    cluster_names, elements, xray_lines : tuple of str
        Rows and columns of the arrays below.
    atomic_percent, weight_percent : array (n_clusters, n_elements)
        Sum to 100 for each cluster; NaN where a cluster holds no counts.
    covariance_counting, covariance_kfactor, covariance_mixing : arrays
        Of the at% (n_clusters, n_elements, n_elements), from the counts, from the k-factors, and
        from what is uncertain about the blur between clusters and their labels.
    mixing : array (n_clusters, n_elements)
        What mixing with neighbours had moved, in at%: what the members of a cluster hold, less
        what its phase does, before hosts or a background are taken off.
    weights : {"phase", "membership", "hard"} or ""
        What the table shows: phases, or what the pixels of clusters hold; "" of a single spectrum.
    pixels : tuple of int
        Pixels of each cluster.
    phase_remarks : tuple of str
        What is to be said of phases that could not be told from what is mixed in.
    blur : tuple of float
        Gaussian sigma of the blur in pixels of the finest axis, and its standard deviation; empty
        if there is nothing that could be blurred.
    embedded : tuple of Embedded
        Phases in others, and what they hold of these.
    embedded_range : tuple of two arrays (n_clusters, n_elements), or None
        Lowest and highest at% that every possible amount of the hosts leaves, where the counts
        alone do not decide; NaN elsewhere.
    inside_range : tuple of two arrays (n_clusters, n_elements), or None
        At% between which nine in ten pixels of a cluster lie that varies inside; NaN where an
        element does not. None if it was not asked for.
    weight_percent_std : array (n_clusters, n_elements)
        Like `std`, in wt%.
    intensities, intensities_std : array (n_clusters, n_elements)
        Counts of each element's line, never negative.
    unconstrained_intensities : array (n_clusters, n_elements)
        The same, but negative where the fit would be better so.
    kfactors : KFactors
        By weight; a dictionary with ``relative_uncertainty`` and ``sources``.
    configurational_entropy, configurational_entropy_std : array (n_clusters,)
        In units of R per mole of atoms, over the sublattices.
    sublattices : tuple of tuple of str
        Elements that share sites.
    composition_units : {"atomic", "weight"}
        What the printed table shows.
    absorption : Absorption or None
        Thickness, density and take-off angle, if absorption was corrected.
    absorption_factors : array (n_clusters, n_elements)
        What the intensities were multiplied with; 1 if absorption was not corrected.
    fits : tuple of PeakFit
        Peak fit of each cluster; empty for windows.
    calibration : Calibration or None
        Energy axis and resolution that the peaks were fitted with; None for windows.
    unexplained : tuple of UnexplainedPeak
        Peaks that no declared element explains. They were fitted along.
    pixel_percent : array (n_elements, map shape) or None
        Composition of every pixel, if asked for with ``per_pixel=True``; NaN where it is left out
        or has too few counts to say anything. Values scatter as counts do, also below zero.
    axes : tuple of dict
        Navigation axes of the map, if there is a composition of every pixel.
    background : array of bool (n_clusters,)
        Clusters of film or vacuum: what they have of the elements is no more than stray X-rays
        of the sample, and their percentages mean nothing.
    inseparable : tuple of (str, str)
        Lines of elements that the counts cannot tell from another line, and that one: the element
        has a limit, not an amount.
    detector : str
        Detector that theoretical k-factors are for, in words.
    """

    cluster_names: tuple
    elements: tuple
    xray_lines: tuple
    atomic_percent: np.ndarray
    weight_percent: np.ndarray
    covariance_counting: np.ndarray
    covariance_kfactor: np.ndarray
    weight_percent_std: np.ndarray
    intensities: np.ndarray
    intensities_std: np.ndarray
    unconstrained_intensities: np.ndarray
    kfactors: KFactors
    configurational_entropy: np.ndarray
    configurational_entropy_std: np.ndarray
    absorption_factors: np.ndarray
    sublattices: tuple = ()
    composition_units: str = "atomic"
    absorption: Absorption | None = None
    fits: tuple = ()
    calibration: Calibration | None = None
    unexplained: tuple = ()
    pixel_percent: np.ndarray | None = None
    axes: tuple = ()
    background: np.ndarray | None = None
    inseparable: tuple = ()
    detector: str = ""
    covariance_mixing: np.ndarray | None = None
    mixing: np.ndarray | None = None
    weights: str = ""
    pixels: tuple = ()
    phase_remarks: tuple = ()
    blur: tuple = ()
    embedded: tuple = ()
    embedded_range: tuple | None = None
    inside_range: tuple | None = None

    def __post_init__(self):
        if self.background is None:
            nowhere = np.zeros(len(self.cluster_names), dtype=bool)
            object.__setattr__(self, "background", nowhere)
        nothing = {
            "mixing": np.zeros(np.shape(self.atomic_percent)),
            "covariance_mixing": np.zeros(np.shape(self.covariance_counting)),
        }
        for name, zeros in nothing.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, zeros)
        super().__post_init__()

    # --- uncertainties --------------------------------------------------------------------

    @property
    def std_counting(self) -> np.ndarray:
        """Standard deviation in at% from the counts, array (n_clusters, n_elements)."""
        return _roots(self.covariance_counting)

    @property
    def std_kfactor(self) -> np.ndarray:
        """Standard deviation in at% from the k-factors, array (n_clusters, n_elements)."""
        return _roots(self.covariance_kfactor)

    @property
    def std_mixing(self) -> np.ndarray:
        """Standard deviation in at% from blur and labels, array (n_clusters, n_elements)."""
        return _roots(self.covariance_mixing)

    @property
    def covariance(self) -> np.ndarray:
        """Of the at%, from everything, array (n_clusters, n_elements, n_elements)."""
        return self.covariance_counting + self.covariance_kfactor + self.covariance_mixing

    @property
    def std(self) -> np.ndarray:
        """Standard deviation in at%, from counts, k-factors and mixing."""
        return _roots(self.covariance)

    @property
    def percent(self) -> np.ndarray:
        """What the table shows: `atomic_percent` or `weight_percent`."""
        return self.weight_percent if self.composition_units == "weight" else self.atomic_percent

    @property
    def percent_std(self) -> np.ndarray:
        """Standard deviation of `percent`."""
        return self.weight_percent_std if self.composition_units == "weight" else self.std

    @property
    def unit(self) -> str:
        """``"at%"`` or ``"wt%"``."""
        return "wt%" if self.composition_units == "weight" else "at%"

    @property
    def detected(self) -> np.ndarray:
        """Where the counts of a line are more than noise, array of bool (n_clusters, n_elements).

        That is, more than 1.645 standard deviations: noise alone exceeds them in 5 % of the cases
        (L. A. Currie, Anal. Chem. 40 (1968) 586).
        """
        with np.errstate(invalid="ignore"):
            return self.unconstrained_intensities > DETECTED * self.intensities_std

    @property
    def upper_limit(self) -> np.ndarray:
        """Percentage that the truth is below with 95 % probability, given that it is not negative.

        In the units of `percent`, array (n_clusters, n_elements).
        """
        return self._quantile(LIMIT)

    def interval(self, probability: float = 0.683) -> tuple[np.ndarray, np.ndarray]:
        """Interval of the true percentages: symmetric far from zero, and never negative.

        Parameters
        ----------
        probability : float
            Probability that the truth lies inside; half of the rest on either side.

        Returns
        -------
        lower, upper : array (n_clusters, n_elements)
            In the units of `percent`, from counts, k-factors and mixing.

        Examples
        --------
        >>> from hyperspy_clusterquant import data
        >>> s = data.seven_cation_nanoparticles(size=24, channels=512)
        >>> _ = s.cluster_pca_gmm(n_clusters=1, show_progressbar=False)
        >>> table = s.cluster_quantification(
        ...     kfactors=s.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"])
        >>> lower, upper = table.interval()
        >>> bool((lower >= 0).all() and (lower < upper).all())
        True
        """
        if not 0 < probability < 1:
            raise ValueError(f"`probability` must lie between 0 and 1, not {probability!r}.")
        return self._quantile((1 - probability) / 2), self._quantile((1 + probability) / 2)

    def _quantile(self, probability):
        """Percentages that the truth is below with some probability."""
        factors = amount_per_count(self.xray_lines, self.kfactors, self.composition_units)
        factors = factors * self.absorption_factors
        with np.errstate(invalid="ignore", divide="ignore"):
            total = (factors * self.intensities).sum(axis=1, keepdims=True)
            estimate = 100 * factors * self.unconstrained_intensities / total
            quantile = quantile_above_zero(estimate, self.percent_std, probability)
        # What is known for sure, as an element that is absent, has no quantiles.
        quantile = np.where(self.percent_std > 0, quantile, np.maximum(estimate, 0.0))
        return np.minimum(quantile, 100.0)

    # --- chemistry ------------------------------------------------------------------------

    def ratio(
        self, numerator: str | Sequence[str], denominator: str | Sequence[str]
    ) -> ValuesWithStd:
        """Ratio of atomic fractions, such as metal to sulfur, with all correlations.

        Parameters
        ----------
        numerator, denominator : str or list of str
            Elements whose atomic fractions are added.

        Returns
        -------
        ValuesWithStd
            ``values`` and ``std``, arrays (n_clusters,); NaN where the denominator is zero.

        Examples
        --------
        >>> from hyperspy_clusterquant import data
        >>> s = data.seven_cation_nanoparticles(size=48, channels=512, counts_per_pixel=300)
        >>> _ = s.cluster_pca_gmm(n_clusters=1, show_progressbar=False)
        >>> table = s.cluster_quantification(
        ...     kfactors=s.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"])
        >>> ratio = table.ratio("S", ["Ag", "Co", "Cu", "Ga", "In", "Mn", "Zn"])
        >>> bool(abs(ratio.values[0] - 1.08) < 4 * ratio.std[0])
        True
        """
        top = self._positions("numerator", numerator)
        bottom = self._positions("denominator", denominator)
        found = [
            ratio(*xc, top, bottom) for xc in zip(self.atomic_percent, self.covariance, strict=True)
        ]
        return ValuesWithStd(*np.array(found).reshape(-1, 2).T)

    def _positions(self, name, elements):
        elements = [elements] if isinstance(elements, str) else list(elements)
        for element in elements:
            if element not in self.elements:
                raise ValueError(
                    f"{element!r} in `{name}` is not among the quantified elements "
                    f"({', '.join(self.elements)})."
                )
        if not elements or len(set(elements)) < len(elements):
            raise ValueError(f"`{name}` must name one or more elements once each, not {elements}.")
        return [self.elements.index(element) for element in elements]

    def nearest_compounds(self, compounds: Mapping[str, str]) -> pd.DataFrame:
        """Reference compounds in the order of their distance from each cluster.

        Parameters
        ----------
        compounds : dict of str: str
            Chemical formula of each compound, such as ``{"jalpaite": "Ag3CuS2"}``.

        Returns
        -------
        pandas.DataFrame
            A row for each cluster and compound, the nearest first: ``distance`` is the root mean
            square of the difference in standard deviations, along all independent directions and
            with all correlations (1 = what the uncertainty explains), ``difference`` that of
            the largest difference in at%.

        Raises
        ------
        ValueError
            If a compound holds an element that is not quantified.

        Examples
        --------
        >>> from hyperspy_clusterquant import data
        >>> s = data.six_cation_sulfide(size=48, channels=512)
        >>> _ = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> table = s.cluster_quantification(
        ...     kfactors=s.metadata.Ground_truth.kfactors, kfactor_uncertainty=0.04,
        ...     extra_elements=["C", "Au"])
        >>> near = table.nearest_compounds({"chalcopyrite": "CuFeS2", "jalpaite": "Ag3CuS2"})
        >>> near.loc["cluster 1"].compound.iloc[0]
        'chalcopyrite'
        """
        return nearest_compounds(self, compounds)


def _roots(covariance):
    return np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0))
