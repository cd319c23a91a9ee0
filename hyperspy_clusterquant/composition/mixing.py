"""What mixing with neighbours does to compositions."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.composition.cliff_lorimer import atomic_fractions
from hyperspy_clusterquant.composition.compose import amount_per_count


def mixed_in(phases, measured, table):
    """Composition of the members of clusters less that of their phases.

    Parameters
    ----------
    phases : PhaseSpectra
    measured : Intensities
        How counts become areas.
    table : CompositionTable
        k-factors, and factors of absorption.

    Returns
    -------
    array (n_clusters, n_lines)
        In at%; zero where nothing was taken out.
    """
    per_count = amount_per_count(measured.lines, table.kfactors, "atomic")
    members, of_phases = (
        np.array([
            atomic_fractions(np.maximum(areas, 0.0), per_count * factor, 1.0)
            for areas, factor in zip(
                spectra @ measured.weights.T, table.absorption_factors, strict=True
            )
        ])
        for spectra in (phases.members, phases.spectra)
    )  # fmt: skip
    return 100 * np.nan_to_num(members - of_phases)
