"""Several starts where the answer depends on the seed, of which the most replicable is taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

#: Pixels up to which the seed decides much: a start then takes some tenths of a second, so that
#: several of them take no longer than one of a map of usual size.
FEW_PIXELS = 1000
#: Starts of which one is taken, if the first few do not find the same number of clusters. Of a
#: number that two in three starts find, five miss it in 5 of 100 cases.
FEWEST_STARTS, MOST_STARTS = 3, 5
#: Agreement with the other starts (mean adjusted Rand index) below which it is said.
AGREES = 0.95


def most_replicable(recipe, pixels, progress):
    """The run of a recipe that agrees most with others that differ in their seeds.

    Parameters
    ----------
    recipe : Recipe
    pixels : PixelCounts
    progress : callable

    Returns
    -------
    Clustering
        Of one run, with a remark if others find something else. The first, if they agree alike.
    """
    first = recipe.run(pixels, progress)
    if not recipe.searches or len(first.labels) > FEW_PIXELS or not first.scores.shape[1]:
        return first
    seed = first.recipe.chosen["seed"]

    def start(number):
        if number == seed:
            return first
        return replace(recipe, random_state=number).run(pixels, progress)

    found = several(start, lambda of: of.memberships.shape[1], seed)
    agreement = mean_agreement([of.labels for of in found])
    best = int(agreement.argmax())
    remarks = list(found[best].recipe.chosen.get("remarks", ()))
    if agreement[best] < AGREES:
        numbers = [of.memberships.shape[1] for of in found]
        remarks.append(_how_many(numbers, best, agreement[best]))
    chosen = found[best].recipe.chosen | {"remarks": remarks, "seed": seed, "start": best}
    return replace(found[best], recipe=replace(recipe, chosen=chosen))


def several(start, n_clusters, seed):
    """Start with several seeds, with more if the first do not find the same number of clusters.

    Parameters
    ----------
    start : callable
        Gives what is found with a seed.
    n_clusters : callable
        Gives the number of clusters of what was found.
    seed : int
        The first one; the others follow from it.

    Returns
    -------
    list
        What was found.
    """
    others = np.random.SeedSequence([seed, MOST_STARTS]).generate_state(MOST_STARTS - 1)
    found = []
    for number in [seed, *map(int, others)]:
        found.append(start(number))
        if len(found) == FEWEST_STARTS and len(set(map(n_clusters, found))) == 1:
            break
    return found


def most_separated(numbers, labels):
    """Which of several starts has the most clusters that are found at least twice.

    Parameters
    ----------
    numbers : list of int
        Of clusters.
    labels : list of array of int (pixels,)

    Returns
    -------
    int
        Of those with that number, the start that agrees most with the others.
    """
    counted = Counter(numbers)
    wanted = max((n for n, times in counted.items() if times > 1), default=max(counted))
    agreement = mean_agreement(labels) if len(labels) > 1 else np.ones(1)
    return int(np.where(np.array(numbers) == wanted, agreement, -2.0).argmax())


def mean_agreement(labels):
    """Mean adjusted Rand index of each of several labellings with the others, array (n,).

    Examples
    --------
    >>> mean_agreement([[0, 0, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]])
    array([0.5, 0.5, 0. ])
    """
    from sklearn.metrics import adjusted_rand_score

    n = len(labels)
    index = np.eye(n)
    for i, j in zip(*np.triu_indices(n, 1), strict=True):
        index[i, j] = index[j, i] = adjusted_rand_score(labels[i], labels[j])
    return (index.sum(axis=1) - 1) / (n - 1)


def _how_many(numbers, best, agreement):
    """What the starts find, and how well one agrees with the others, in words."""
    counted = Counter(numbers)
    own = counted.pop(numbers[best])
    said = f"{own} of {len(numbers)} starts with other seeds find as many clusters"
    if counted:
        others = [f"{times} find{'s' * (times == 1)} {n}" for n, times in sorted(counted.items())]
        said += f", {' and '.join(others)}"
    return (
        f"The counts of so few pixels do not decide: {said}. The most replicable was taken; it "
        f"agrees with the others by an ARI of {agreement:.2f}."
    )
