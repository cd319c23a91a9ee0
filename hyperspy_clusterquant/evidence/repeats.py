"""The same question asked again: with another seed, in other bins, of the other workflow.

The search for the number of clusters is made anew each time, as it is the number that is in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from hyperspy_clusterquant._checks import as_names
from hyperspy_clusterquant._frozen import Frozen, FrozenDict
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.clusters.catalogue import WORKFLOWS
from hyperspy_clusterquant.clusters.learning import STRONG_COMPONENT
from hyperspy_clusterquant.clusters.recipe import Recipe
from hyperspy_clusterquant.evidence.matching import (
    SAME,
    contingency_table,
    jaccard_indices,
    match_labels,
)

#: What can be varied. "counts" are halves, see `splits`.
VARIED = ("counts", "seed", "binning", "workflow")
#: The search for a number that the user had told: labels are not compared with those of more.
NUMBER = "number"
#: Other seeds: of three, most are two, so one odd outcome is told from a rule.
N_SEEDS = 3
#: Learning pixels of the smallest cluster that larger bins must leave. With fewer, it is lost for
#: want of pixels, which does not say that it is not there.
FEWEST_OF_SMALLEST = 25
#: What another workflow decides for itself, of what all are asked.
_OWN = ("n_components", "binning", "neighbourhood", "random_state", "components_are", "chosen")


@dataclass(frozen=True, eq=False)
class Variation:
    """One way to ask again.

    Attributes
    ----------
    kind : str
        One of `VARIED` but counts, or `NUMBER`.
    what : str
        What is other than before, in words.
    recipe : Recipe
    """

    kind: str
    what: str
    recipe: Recipe


@dataclass(frozen=True, eq=False)
class Repeat(Frozen):
    """What came of it, in the numbers of the reference's clusters.

    Attributes
    ----------
    kind, what : str
        See `Variation`.
    n_clusters : int
        Clusters that it found.
    ari : float
        Adjusted Rand index with the reference.
    jaccard : array (reference clusters,)
        Pixels that the cluster and the one found again share, of all that either has.
    joined : tuple of tuple of int
        Clusters of the reference that were found as one.
    lost : tuple of int
        Clusters of the reference that were not found, nor joined to another.
    split : tuple of int
        Clusters of the reference that most of the pixels of a further one were in.
    n_new : int
        Further ones most of whose pixels were in none.
    """

    kind: str
    what: str
    n_clusters: int
    ari: float
    jaccard: np.ndarray
    joined: tuple = ()
    lost: tuple = ()
    split: tuple = ()
    n_new: int = 0


def as_varied(vary):
    """Names among `VARIED`, in that order."""
    named = as_names("vary", vary)
    unknown = [name for name in named if name not in VARIED]
    if unknown or not named:
        raise ValueError(f"`vary` must name one or several of {VARIED}, not {vary!r}.")
    return tuple(name for name in VARIED if name in named)


def variations(recipe, vary, random_state, bins=()):
    """All ways to ask again.

    Parameters
    ----------
    recipe : Recipe
        Of the result, with what it chose.
    vary : sequence of str
        Among `VARIED`; halves of the counts are not made here.
    random_state : int
        Chooses the other seeds.
    bins : sequence of int
        Other sizes of the bins that clusters are learned in, see `other_bins`.

    Returns
    -------
    list of Variation
        None for clusters of another map, which are not searched for. Regions by hand are not
        either, but the workflows can be asked for them.
    """
    if not recipe.searches:
        vary = () if recipe.follows_counts else [kind for kind in vary if kind == "workflow"]
    again = _anew(recipe)
    found = []
    if "seed" in vary:
        own = again.random_state
        steps = [1 + (N_SEEDS * random_state + k) % (2**32 - 1) for k in range(N_SEEDS)]
        seeds = [(own + step) % 2**32 for step in steps]  # never its own one
        found += [
            Variation("seed", f"seed {seed}", replace(again, random_state=seed)) for seed in seeds
        ]
    if "binning" in vary:
        sigma = recipe.chosen.get("neighbourhood_used", recipe.neighbourhood)
        found += [
            Variation(
                "binning",
                f"bins of {binning} pixel{'s' if binning > 1 else ''}",
                replace(again, binning=binning, neighbourhood=sigma),
            )
            for binning in bins
        ]
    if "workflow" in vary:
        found += [
            Variation("workflow", kind.workflow, _as_another(recipe, kind, again.random_state))
            for kind in WORKFLOWS.values()
            if kind.searches and kind is not type(recipe)
        ]
    if found and recipe.searches and not isinstance(getattr(recipe, "n_clusters", "auto"), str):
        # The number was told, so it is the same in all of them.
        found.append(Variation(NUMBER, "n_clusters='auto'", replace(again, n_clusters="auto")))
    return found


def _anew(recipe):
    """The recipe as it was asked, with its own seed, on the map as it is now."""
    known = recipe.chosen
    # A told size in pixels is another one on a binned map.
    told = {
        name: known.get(used, getattr(recipe, name))
        for name, used in (("binning", "binning_used"), ("neighbourhood", "neighbourhood_used"))
        if getattr(recipe, name) != "auto"
    }
    seed = known.get("seed", recipe.seed)
    return replace(recipe, random_state=seed, chosen=FrozenDict(), **told)


def other_bins(recipe, ndim, smallest, weakest):
    """Half and twice the bins that clusters were learned in, where the data allow for it.

    Bins of twice the size must leave learning pixels enough of the smallest cluster. In bins of
    half the size, the weakest component must still be strong enough to make clusters: its
    eigenvalue goes with the counts of a bin. Components as weak as shot noise were sought in bins
    as large as they need.

    Parameters
    ----------
    recipe : Recipe
        With what it chose.
    ndim : int
        Dimensions of the map.
    smallest : int
        Pixels of the smallest cluster.
    weakest : float
        Smallest eigenvalue of the components, in units of the shot noise of a learning pixel.

    Returns
    -------
    list of int
    """
    used = recipe.chosen.get("binning_used")
    if used is None:
        return []
    half, double = -(-used // 2), 2 * used
    weak = recipe.chosen.get("components_are", "spectrum") != "spectrum"
    finer = half < used and not weak and weakest * (half / used) ** ndim >= STRONG_COMPONENT
    coarser = smallest >= FEWEST_OF_SMALLEST * double**ndim
    return [bins for bins, allowed in ((half, finer), (double, coarser)) if allowed]


def _as_another(recipe, kind, seed):
    """Another workflow as it comes, on the same pixels, energies and sample."""
    kept = {of.name: getattr(recipe, of.name) for of in fields(Recipe) if of.name not in _OWN}
    return kind(**kept, random_state=seed)


@one_blas_thread()
def labels_again(pixels, recipe):
    """Clusters of all of the counts.

    Parameters
    ----------
    pixels : PixelCounts
        Each channel a feature of its own, see `features.every_channel`.
    recipe : Recipe

    Returns
    -------
    array of int (kept pixels,)
        -1 = noise.
    """
    to_learn = pixels.summed_to(recipe.channels(pixels.energy))
    return recipe.run(to_learn, lambda stage, share=0.0: None).labels


def match_one_to_one(reference, labels, n_reference):
    """Number of the reference's cluster that each cluster is, array of int (n_clusters,).

    A cluster beyond the best pairs is none of them, -1: what is split does not stay one, unlike
    with `match_labels`.

    Examples
    --------
    >>> match_one_to_one(np.array([0, 0, 0, 1, 1]), np.array([2, 2, 0, 1, 1]), 2)
    array([-1,  1,  0])
    """
    jaccard = jaccard_indices(contingency_table(reference, labels, n_reference), reference, labels)
    rows, columns = linear_sum_assignment(-jaccard)
    number = np.full(jaccard.shape[1], -1)
    matched = jaccard[rows, columns] > SAME
    number[columns[matched]] = rows[matched]
    return number


def compare(variation, reference, labels, n_reference, regrouped=False):
    """Compare labels that were found again with a reference.

    Parameters
    ----------
    variation : Variation
    reference, labels : array of int (pixels,)
        Negative = none.
    n_reference : int
        Clusters of the reference.
    regrouped : bool
        Whether somebody merged or dropped clusters of the reference. What is found again is then
        joined like these before it is compared.

    Returns
    -------
    repeat : Repeat
    same : array of bool (pixels,)
        Whether each is in the same cluster, or in none both times.
    """
    from sklearn.metrics import adjusted_rand_score

    n_found = int(labels.max(initial=-1)) + 1
    match = match_labels if regrouped else match_one_to_one
    number = match(reference, labels, n_reference)
    # What is none of the reference's clusters gets a number of its own, to be compared.
    own = np.where(number >= 0, number, n_reference + np.arange(n_found))
    numbered = np.append(own, -1)[labels]
    table = contingency_table(reference, numbered, n_reference, n_reference + n_found)
    homes, origins = _where_most_are(table, reference), _where_most_are(table.T, numbered)
    missing = [k for k in range(n_reference) if k not in number]
    hosts = sorted({homes[k] for k in missing if 0 <= homes[k] < n_reference})
    further = [origins[n] for n in own[number < 0]]
    repeat = Repeat(
        kind=variation.kind,
        what=variation.what,
        n_clusters=n_found,
        ari=float(adjusted_rand_score(reference, numbered)),
        jaccard=np.diag(jaccard_indices(table, reference, numbered)),
        joined=tuple((host, *(k for k in missing if homes[k] == host)) for host in hosts),
        lost=tuple(k for k in missing if homes[k] not in hosts),
        split=tuple(sorted({k for k in further if k >= 0})),
        n_new=further.count(-1),
    )
    return repeat, numbered == reference


def _where_most_are(table, labels):
    """Cluster that more than half of the pixels of each are in, list of int; -1 = of none.

    Parameters
    ----------
    table : array of int (n, n_others)
        From `contingency_table`.
    labels : array of int (pixels,)
        Of the clusters in its rows.
    """
    sizes = np.bincount(labels[labels >= 0], minlength=len(table))
    inside = 2 * table.max(axis=1, initial=0) > sizes
    return np.where(inside, table.argmax(axis=1), -1).tolist()
