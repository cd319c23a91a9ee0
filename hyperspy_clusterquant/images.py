"""Arrays and axes as HyperSpy images: the one place where they become signals."""

from __future__ import annotations


def image(data, axes, title, quantity=None, over=None, names=None):
    """Values of a map as a HyperSpy image.

    Parameters
    ----------
    data : array (map shape) or (n_images, map shape)
        Copied if it is frozen.
    axes : sequence of dict
        Navigation axes of the map in array order; without any, plain ones. Those before the last
        two are navigated.
    title : str
    quantity : str, optional
        What the values are, with their units.
    over : str, optional
        For several images of a map: what the first axis of `data` is. It is navigated.
    names : sequence of str, optional
        Of clusters, whose labels `data` holds: a map of two axes or more is a `ClusterLabelMap`.

    Returns
    -------
    hyperspy.api.signals.BaseSignal
    """
    import hyperspy.api as hs

    data = data if data.flags.writeable else data.copy()
    leading = [] if over is None else [{"name": over, "size": len(data), "navigate": True}]
    own = [
        {key: value for key, value in axis.items() if value != "" and key != "index_in_array"}
        for axis in axes
    ]
    own = own or [{"size": size} for size in data.shape[len(leading) :]]
    signal = hs.signals.BaseSignal(data, axes=leading + own)
    signal = signal.transpose(signal_axes=min(len(own), 2))
    signal.metadata.General.title = title
    if quantity is not None:
        signal.metadata.set_item("Signal.quantity", quantity)
    if names is not None:
        signal.metadata.set_item("Cluster_labels.names", list(names))
        if len(own) > 1:
            signal.set_signal_type("EDS_cluster_labels")
    return signal


def region_of_interest(ends, axes):
    """A block of pixels as a HyperSpy ROI in the units of the map's axes.

    Parameters
    ----------
    ends : sequence of (int, int)
        Where it begins and ends along the last axes of the map, in array order: two, or one of a
        line scan.
    axes : sequence of dict
        Those axes.

    Returns
    -------
    hyperspy.roi.RectangularROI or hyperspy.roi.SpanROI
    """
    import hyperspy.api as hs

    places = [
        tuple(axis["offset"] + axis["scale"] * end for end in of)
        for of, axis in zip(ends, axes, strict=True)
    ]
    if len(places) == 1:
        return hs.roi.SpanROI(*places[0])
    (top, bottom), (left, right) = places
    return hs.roi.RectangularROI(left=left, top=top, right=right, bottom=bottom)
