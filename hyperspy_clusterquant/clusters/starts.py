"""Several starts where the answer depends on the seed, of which the most replicable is taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

#: Pixels up to which the seed decides much: a start then takes some tenths of a second, so that
#: several of them take no longer than one of a map of usual size.
FEW_PIXELS = 1000
#: Starts of which one is taken. An odd number has a majority.
N_STARTS = 5
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
    if not recipe.is_random or len(first.labels) > FEW_PIXELS or not first.scores.shape[1]:
        return first
    seed = first.recipe.chosen["seed"]
    others = np.random.SeedSequence([seed, N_STARTS]).generate_state(N_STARTS - 1)
    found = [first]
    for number in map(int, others):
        found.append(replace(recipe, random_state=number).run(pixels, progress))
    agreement = mean_agreement([of.labels for of in found])
    best = int(agreement.argmax())
    remarks = list(found[best].recipe.chosen.get("remarks", ()))
    if agreement[best] < AGREES:
        remarks.append(_how_many([of.memberships.shape[1] for of in found], best))
    chosen = found[best].recipe.chosen | {"remarks": remarks, "seed": seed, "start": best}
    return replace(found[best], recipe=replace(recipe, chosen=chosen))


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


def _how_many(numbers, best):
    """What the starts find, in words."""
    counted = Counter(numbers)
    own = counted.pop(numbers[best])
    said = f"{own} of {len(numbers)} starts with other seeds find as many clusters"
    if counted:
        others = [f"{times} find{'s' * (times == 1)} {n}" for n, times in sorted(counted.items())]
        said += f", {' and '.join(others)}"
    return f"The counts of so few pixels do not decide: {said}. The most replicable was taken."
