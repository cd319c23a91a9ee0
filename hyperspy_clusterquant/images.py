"""Results as HyperSpy images."""

from __future__ import annotations


def _axes(of_map, shape):
    """Axes of the map of a result or a table, or plain ones if it does not know them."""
    known = [
        {key: value for key, value in axis.items() if value != "" and key != "index_in_array"}
        for axis in of_map.axes
    ]
    return known or [{"size": size} for size in shape]


def _as_image(data, of_map, title, leading=()):
    """Signal with up to two of the map's axes as signal axes, the others navigated."""
    import hyperspy.api as hs

    axes = _axes(of_map, data.shape[len(leading) :])
    image = hs.signals.BaseSignal(data, axes=[*leading, *axes])
    image = image.transpose(signal_axes=min(len(axes), 2))
    image.metadata.General.title = title
    return image


def label_map(result):
    """Labels of a `ClusterResult` as an image (-1 = noise, -2 = left out)."""
    return _as_image(result.labels.copy(), result, f"Clusters {result.name}")


def membership_maps(result):
    """Memberships of a `ClusterResult` as a stack of images, the clusters navigated."""
    cluster = {"name": "cluster", "size": result.n_clusters, "navigate": True}
    return _as_image(
        result.memberships.copy(), result, f"Memberships {result.name}", leading=[cluster]
    )


def composition_maps(percent, result, elements, unit):
    """Composition of every pixel as images.

    Parameters
    ----------
    percent : array (n_elements, pixels)
    result : ClusterResult
        On the same map.
    elements : sequence of str
    unit : str

    Returns
    -------
    dict of str: BaseSignal
        By element.
    """
    images = {}
    for element, values in zip(elements, percent, strict=True):
        image = _as_image(values.reshape(result.labels.shape), result, f"{element} ({unit})")
        image.metadata.set_item("Signal.quantity", f"{element} ({unit})")
        images[element] = image
    return images


def disagreement_map(comparison):
    """Where two clusterings disagree, as an image (1 = they do, 0 = not, -2 = left out)."""
    return _as_image(comparison.disagreement.copy(), comparison, "Disagreement")


def agreement_map(stability):
    """Share of the resamples in which each pixel is in the same cluster, as an image."""
    return _as_image(stability.agreement.copy(), stability, "Agreement")


def line_maps(table):
    """Net counts of each line of a `MapSignificance` as images, a dictionary by line."""
    images = {}
    for line, values in zip(table.xray_lines, table.images, strict=True):
        images[line] = _as_image(values.copy(), table, line)
        images[line].metadata.set_item("Signal.quantity", "X-rays (Counts)")
    return images
