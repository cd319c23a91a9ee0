"""Clusters as notebooks show them: a thumbnail, their colours and sizes, and what was chosen."""

from __future__ import annotations

from hyperspy_clusterquant._text import Coloured, beside, in_html
from hyperspy_clusterquant.clusters.labels import MASKED, NOISE
from hyperspy_clusterquant.plotting.style import MASK_COLOUR, NOISE_COLOUR, cluster_colours
from hyperspy_clusterquant.plotting.thumbnails import label_picture

#: Parameters that say what was chosen, in words that their value is put into.
CHOSEN = {
    "n_clusters": "number of clusters: {}",
    "smallest_cluster_pixels": "smallest cluster: {} pixels",
    "n_components_found": "components above noise: {}",
    "binning_used": "learned in bins of {}",
    "neighbourhood_used": "labels pooled over {} pixels",
    "energy_range": "energies (keV): {}",
    "exclude_lines": "not looked at: {}",
    "navigation_mask": "mask: {}",
    "seed": "seed: {}",
}
#: Values that are not worth a word.
USUAL = {"binning_used": 1, "neighbourhood_used": 0, "navigation_mask": "auto"}


def cluster_html(result, summary, shares, sentences):
    """HTML of a result.

    Parameters
    ----------
    result : ClusterResult
    summary : str
    shares : list of (str, str, str)
        Name, pixels and share of each cluster, then of noise and what is left out.
    sentences : list of str
        What was remarked and found.
    """
    colours = cluster_colours(result.n_clusters)
    # By the labels, not by words: a cluster may have any name.
    others = ((NOISE, NOISE_COLOUR), (MASKED, MASK_COLOUR))
    colours += [colour for value, colour in others if (result.labels == value).any()]
    rows = [
        (Coloured(name, colour), *of) for (name, *of), colour in zip(shares, colours, strict=True)
    ]
    thumbnail = thumbnail_of(result)
    table = [("cluster", "pixels", "share"), *rows]
    return in_html([summary, beside(thumbnail, [table]), chosen(result), *sentences])


def thumbnail_of(result, longest=180):
    """The map of a result as an image in HTML, the longer side so many pixels of the screen."""
    n_maps = result.labels[..., 0, 0].size if result.labels.ndim > 2 else 1
    text = f"first of {n_maps} maps" if n_maps > 1 else "map of the clusters"
    return label_picture(result.labels, result.n_clusters, result.axes, text, longest)


def chosen(result):
    """What was set and chosen, in one line."""
    known = result.parameters
    said = []
    for name, words in CHOSEN.items():
        value = known.get(name)
        if value is None or value == () or USUAL.get(name, "") == value:
            continue
        if isinstance(value, list | tuple):
            value = (" to " if name == "energy_range" else ", ").join(map(str, value))
        if name == "n_clusters" and isinstance(value, str):
            value = f"{known.get('n_clusters_found', result.n_clusters)} found ({value!r})"
        if isinstance(value, float):
            value = f"{value:.3g}"
        said.append(words.format(value))
    return "; ".join([f"workflow {result.workflow}", *said])
