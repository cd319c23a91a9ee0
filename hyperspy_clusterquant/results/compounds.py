"""Reference compounds beside the compositions of a table."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.composition.uncertainty import distance_in_std
from hyperspy_clusterquant.xrays.emission import parse_formula


def nearest_compounds(table, compounds):
    """See `CompositionTable.nearest_compounds`."""
    import pandas as pd

    if not hasattr(compounds, "items"):
        raise TypeError(
            "`compounds` must be a dictionary of names and formulas, such as "
            f"{{'jalpaite': 'Ag3CuS2'}}; got {compounds!r}."
        )
    references = {name: _reference(table, name, f) for name, f in compounds.items()}
    rows = []
    for cluster, x, c in zip(
        table.cluster_names, table.atomic_percent, table.covariance, strict=True
    ):
        if np.isnan(x).any():
            continue
        of_cluster = []
        for name, reference in references.items():
            largest = np.abs(x - reference).max()
            distance = distance_in_std(x - reference, c)
            of_cluster.append((cluster, name, compounds[name], distance, largest))
        rows += sorted(of_cluster, key=lambda row: row[3:])
    columns = ["cluster", "compound", "formula", "distance", "difference"]
    return pd.DataFrame(rows, columns=columns).set_index("cluster")


def _reference(table, name, formula):
    """Composition of a compound in at%, array (n_elements,)."""
    atoms = parse_formula(formula)
    missing = [element for element in atoms if element not in table.elements]
    if missing:
        raise ValueError(
            f"{name} ({formula}) holds {', '.join(missing)}, which is not among the quantified "
            f"elements ({', '.join(table.elements)}). Leave the compound out, or declare the "
            "element with s.add_elements([...]) and quantify again."
        )
    composition = np.array([atoms.get(element, 0.0) for element in table.elements])
    return 100 * composition / composition.sum()
