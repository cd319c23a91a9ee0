"""All workflows by the name that results carry: a new one is added here."""

from __future__ import annotations

from hyperspy_clusterquant.clusters.assign import Assignment
from hyperspy_clusterquant.clusters.pca_gmm import PcaGmm
from hyperspy_clusterquant.clusters.umap_hdbscan import UmapHdbscan

WORKFLOWS = {recipe.workflow: recipe for recipe in (PcaGmm, UmapHdbscan, Assignment)}


def why_unknown(result):
    """Why it is not known how a `ClusterResult` was made, empty if it is."""
    if result.workflow not in WORKFLOWS:
        return (
            f"The clusters of {result.name!r} were made by {result.workflow!r}, which cannot be "
            "done again. Use a result of s.cluster_pca_gmm() or s.cluster_umap_hdbscan()."
        )
    needed = WORKFLOWS[result.workflow].needed
    missing = [name for name in needed if name not in result.parameters]
    if missing:
        return (
            f"The result {result.name!r} does not say how it was made ({', '.join(missing)} not in "
            "its parameters), so it cannot be done again. Cluster the map again."
        )
    return ""


def recipe_of(result):
    """The recipe that a `ClusterResult` was made by; a ValueError if it does not say how it was."""
    if why := why_unknown(result):
        raise ValueError(why)
    return WORKFLOWS[result.workflow].of_result(result)
