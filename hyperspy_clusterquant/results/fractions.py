"""How much of each phase there is in a map, as users hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import check_choice
from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant._text import Coloured, Told
from hyperspy_clusterquant.images import image
from hyperspy_clusterquant.plotting.style import cluster_colours
from hyperspy_clusterquant.results.composition_text import number_with_std

if TYPE_CHECKING:
    from typing import Literal

    import pandas as pd
    from hyperspy.signals import BaseSignal


@dataclass(frozen=True, eq=False, repr=False)
class PhaseFractions(Told, Frozen):
    """How much of each phase there is, in each pixel and in the map, with standard deviations.

    Attributes
    ----------
    names : tuple of str
        Of the phases: clusters, and ``"in no cluster"`` if there are such pixels.
    counts, areas : array (n_phases, map shape)
        Share of each phase in the counts and in the area of each pixel; NaN where left out.
    atoms : array (n_clusters, map shape) or None
        Share in the atoms of the quantified elements, if they are quantified. Embedded phases hold
        what is left of them without their hosts, and the hosts the rest.
    count_fraction, count_fraction_std, area_fraction, area_fraction_std : array (n_phases,)
        Shares in the map.
    atomic_fraction, atomic_fraction_std : array (n_clusters,) or None
    elements : tuple of str
    bulk_percent, bulk_std : array (n_elements,) or None
        Composition of the map in at%: of the phases in their shares.
    axes : tuple of dict
        Navigation axes of the map.
    """

    names: tuple
    counts: np.ndarray
    areas: np.ndarray
    count_fraction: np.ndarray
    count_fraction_std: np.ndarray
    area_fraction: np.ndarray
    area_fraction_std: np.ndarray
    atoms: np.ndarray | None = None
    atomic_fraction: np.ndarray | None = None
    atomic_fraction_std: np.ndarray | None = None
    elements: tuple = ()
    bulk_percent: np.ndarray | None = None
    bulk_std: np.ndarray | None = None
    axes: tuple = ()

    def maps(self, of: Literal["counts", "areas", "atoms"] = "counts") -> BaseSignal:
        """Shares in each pixel as a stack of HyperSpy images, one for each phase.

        Parameters
        ----------
        of : {"counts", "areas", "atoms"}

        Returns
        -------
        hyperspy.api.signals.BaseSignal

        Raises
        ------
        ValueError
            If atoms are asked for, but the phases were not quantified.
        """
        check_choice("of", of, ("counts", "areas", "atoms"))
        values = getattr(self, of)
        if values is None:
            raise ValueError(
                "Shares in atoms need the compositions of the phases: pass the table of "
                "s.cluster_quantification(result) to s.phase_fractions."
            )
        title = f"Share of phases in {of}"
        return image(values, self.axes, title, quantity=title, over="phase")

    def to_dataframe(self) -> pd.DataFrame:
        """Shares of the phases in the map as a pandas DataFrame, in percent."""
        import pandas as pd

        columns = {}
        for title, name in (
            ("area", "area_fraction"), ("counts", "count_fraction"), ("atoms", "atomic_fraction"),
        ):  # fmt: skip
            for kind, suffix in (("%", ""), ("std", "_std")):
                values = getattr(self, name + suffix)
                if values is not None:
                    values = np.append(values, [np.nan] * (len(self.names) - len(values)))
                    columns[title, kind] = 100 * values
        return pd.DataFrame(columns, index=pd.Index(self.names, name="phase"))

    def _told(self):
        kinds = [("area", self.area_fraction, self.area_fraction_std),
                 ("counts", self.count_fraction, self.count_fraction_std)]  # fmt: skip
        if self.atomic_fraction is not None:
            kinds.append(("atoms", self.atomic_fraction, self.atomic_fraction_std))
        rows = [("phase", *(f"% of {kind}" for kind, _, _ in kinds))]
        names = map(Coloured, self.names, cluster_colours(len(self.names)))
        for k, name in enumerate(names):
            cells = [
                number_with_std(100 * values[k], 100 * std[k]) if k < len(values) else "-"
                for _, values, std in kinds
            ]
            rows.append((name, *cells))
        parts = [rows]
        if self.bulk_percent is not None:
            bulk = ", ".join(
                f"{element} {number_with_std(value, std)}"
                for element, value, std in zip(
                    self.elements, self.bulk_percent, self.bulk_std, strict=True
                )
            )
            parts.append(f"The phases together hold {bulk} at%")
        return parts
