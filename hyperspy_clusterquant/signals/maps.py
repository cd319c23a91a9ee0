"""Results as HyperSpy images."""

from __future__ import annotations


def _axes(result):
    return [
        {key: value for key, value in axis.items() if value != "" and key != "index_in_array"}
        for axis in result.axes
    ]


def _as_image(data, result, title, leading=()):
    """Signal with up to two of the map's axes as signal axes, the others navigated."""
    import hyperspy.api as hs

    image = hs.signals.BaseSignal(data, axes=[*leading, *_axes(result)])
    image = image.transpose(signal_axes=min(result.labels.ndim, 2))
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
