"""What a user says of phases that lie in or on others."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._checks import as_names, cluster_number
from hyperspy_clusterquant.composition.embedded import Embedded

EXAMPLE = "embedded={'carbide': 'matrix'}, absent={'carbide': ['Ni']}"


def read_embedding(result, embedded, absent, elements):
    """What lies in what, and what it does not hold, as a list of `Embedded`.

    Parameters
    ----------
    result : ClusterResult
    embedded : dict of (int or str): (int or str), or list of them; or None
        Hosts of clusters.
    absent : dict of (int or str): str or list of str; or None
        Elements that embedded phases do not hold.
    elements : sequence of str
        That are quantified.

    Returns
    -------
    list of Embedded
    """
    hosts = _by_number(result, "embedded", embedded)
    unknown = _by_number(result, "absent", absent)
    for cluster in unknown:
        if cluster not in hosts:
            raise ValueError(
                f"`absent` names {result.cluster_names[cluster]!r}, which is not in `embedded`: "
                f"say what it lies in, as in {EXAMPLE}."
            )
    found = []
    for cluster, named in hosts.items():
        of = [named] if isinstance(named, str) or not np.iterable(named) else list(named)
        numbers = [cluster_number(host, result.cluster_names, _what(result)) for host in of]
        _check_hosts(result, cluster, numbers)
        missing = _absent_elements(result, cluster, unknown.get(cluster), elements)
        found.append(Embedded(cluster, tuple(numbers), missing))
    _check_no_circle(result, {each.cluster: each.hosts for each in found})
    return found


def _what(result):
    return f"the result {result.name!r}"


def _by_number(result, name, given):
    """A dictionary by clusters as one by their numbers."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise TypeError(
            f"`{name}` must be a dictionary by clusters, as in {EXAMPLE}; got {given!r}."
        )
    numbers = [cluster_number(key, result.cluster_names, _what(result)) for key in given]
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"`{name}` names a cluster twice: {', '.join(map(repr, given))}.")
    return dict(zip(numbers, given.values(), strict=True))


def _check_hosts(result, cluster, numbers):
    name = result.cluster_names[cluster]
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(
            f"`embedded` must name one or more hosts of {name!r}, each once, as in {EXAMPLE}."
        )
    if cluster in numbers:
        raise ValueError(
            f"`embedded` says that {name!r} lies in itself. Name the phase around it, as in "
            f"{EXAMPLE}."
        )


def _absent_elements(result, cluster, given, elements):
    """Elements that a cluster does not hold, tuple of str."""
    named = tuple(dict.fromkeys(as_names("absent", given)))
    unknown = [element for element in named if element not in elements]
    if unknown:
        raise ValueError(
            f"`absent` names {', '.join(unknown)}, but the quantified elements are "
            f"{', '.join(elements)}. Declare the others with s.add_elements([...])."
        )
    if len(named) > len(elements) - 1:
        raise ValueError(f"`absent` leaves {result.cluster_names[cluster]!r} no element to hold.")
    return named


def _check_no_circle(result, hosts):
    for cluster in hosts:
        reached, todo = set(), list(hosts[cluster])
        while todo:
            host = todo.pop()
            if host == cluster:
                raise ValueError(
                    f"`embedded` goes in a circle: {result.cluster_names[cluster]!r} lies, through "
                    "its hosts, in itself."
                )
            if host not in reached:
                reached.add(host)
                todo += hosts.get(host, ())
