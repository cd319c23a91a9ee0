"""How much of each phase there is: a method of the signal classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import check_has_clusters
from hyperspy_clusterquant.composition.fractions import atoms, bulk, counts_and_areas
from hyperspy_clusterquant.results.composition import CompositionTable
from hyperspy_clusterquant.results.fractions import PhaseFractions
from hyperspy_clusterquant.signals.phases import phases_of
from hyperspy_clusterquant.signals.progress import stages

if TYPE_CHECKING:
    from hyperspy_clusterquant.results.clusters import ClusterResult

#: Name of what is in no cluster.
REST = "in no cluster"


class ClusterFractions:
    """How much of each phase there is."""

    def phase_fractions(
        self,
        result: ClusterResult | str | None = None,
        table: CompositionTable | None = None,
        *,
        show_progressbar: bool | None = None,
    ) -> PhaseFractions:
        """How much of each phase there is, in each pixel and in the map.

        The shares are those that explain the counts, with the blur of the beam between
        neighbours. Their uncertainties contain blur, labels and counts.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        table : CompositionTable, optional
            Composition of its phases, from `cluster_quantification`: shares in atoms, and the
            composition of the map, take it. What phases hold that are ``embedded`` in others is
            then counted to the others.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        PhaseFractions

        Raises
        ------
        ValueError
            If the table is not that of the phases of the result.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> _ = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> fractions = s.phase_fractions(show_progressbar=False)
        >>> fractions.maps()
        <Signal2D, title: Share of phases in counts, dimensions: (4|48, 48)>
        >>> bool(abs(fractions.area_fraction.sum() - 1) < 1e-6)
        True
        """
        result = self._get_cluster_result(result)
        check_has_clusters(result)
        if table is not None:
            _check_table(table, result)
        with stages("Phase fractions", 3, show_progressbar) as progress:
            phases, keep = phases_of(self, result, progress)
        counts, areas = counts_and_areas(phases, phases.totals)

        def on_map(values):
            maps = np.full((len(values), *keep.shape), np.nan, dtype=np.float32)
            maps[:, keep] = values
            return maps

        names = result.cluster_names
        rest = (REST,) if len(counts.total) > len(names) else ()
        known = {
            "names": (*names, *rest),
            "counts": on_map(counts.pixels),
            "areas": on_map(areas.pixels),
            "count_fraction": counts.total,
            "count_fraction_std": counts.std,
            "area_fraction": areas.total,
            "area_fraction_std": areas.std,
            "axes": result.axes,
        }
        if table is not None:
            of_atoms = atoms(phases, phases.totals, table)
            percent, covariance = bulk(of_atoms, table)
            known |= {
                "atoms": on_map(of_atoms.pixels),
                "atomic_fraction": of_atoms.total,
                "atomic_fraction_std": of_atoms.std,
                "elements": table.elements,
                "bulk_percent": percent,
                "bulk_std": np.sqrt(np.maximum(np.diag(covariance), 0.0)),
            }
        return PhaseFractions(**known)


def _check_table(table, result):
    """Raise unless a table is of the phases of a result."""
    if not isinstance(table, CompositionTable):
        raise TypeError(
            "`table` must be what s.cluster_quantification returned, or None; got "
            f"{type(table).__name__}."
        )
    if table.cluster_names != result.cluster_names:
        raise ValueError(
            f"The table is of {', '.join(table.cluster_names)}, the result {result.name!r} of "
            f"{', '.join(result.cluster_names)}. Quantify this result."
        )
    if table.pixels != tuple(result.sizes.tolist()):
        raise ValueError(
            f"The table is of clusters of {', '.join(map(str, table.pixels))} pixels, those of the "
            f"result {result.name!r} have {', '.join(map(str, result.sizes))}: it is of another "
            "result or map. Quantify this result."
        )
    if table.weights != "phase":
        raise ValueError(
            f"The table shows weights={table.weights!r}, but shares in atoms need the compositions "
            "of the phases: quantify with weights='phase'."
        )
