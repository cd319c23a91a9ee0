"""All workflows by the name that results carry: a new one is added here."""

from __future__ import annotations

from hyperspy_clusterquant.clusters.assign import Assignment
from hyperspy_clusterquant.clusters.by_hand import ByHand
from hyperspy_clusterquant.clusters.pca_gmm import PcaGmm
from hyperspy_clusterquant.clusters.umap_hdbscan import UmapHdbscan

WORKFLOWS = {recipe.workflow: recipe for recipe in (PcaGmm, UmapHdbscan, Assignment, ByHand)}


def word_for_noise(workflow):
    """What pixels with the label -1 are, in a word: of regions by hand, they are no noise."""
    return "in none" if workflow == ByHand.workflow else "noise"


def recipe_of(result):
    """The recipe that a `ClusterResult` was made by; a ValueError if it does not say how it was."""
    if result.workflow not in WORKFLOWS:
        raise ValueError(
            f"The clusters of {result.name!r} were made by {result.workflow!r}, which cannot be "
            f"done again. Those of {', '.join(WORKFLOWS)} can."
        )
    recipe = WORKFLOWS[result.workflow]
    missing = [name for name in recipe.needed if name not in result.parameters]
    advice = "so it cannot be done again. Cluster the map again."
    if missing:
        raise ValueError(
            f"The result {result.name!r} does not say how it was made ({', '.join(missing)} not in "
            f"its parameters), {advice}"
        )
    try:
        return recipe.of_result(result)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The result {result.name!r} was made in a way that this version does not know "
            f"({error}), {advice}"
        ) from error
