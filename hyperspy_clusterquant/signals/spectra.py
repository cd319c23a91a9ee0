"""Summed spectra as signals, and single spectra as arrays."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.signals.axes import counts_of, in_order
from hyperspy_clusterquant.signals.metadata import copy_metadata
from hyperspy_clusterquant.signals.times import weighted_times, write_times

#: What the spectrum of a cluster can be.
WEIGHTS = ("phase", "membership", "hard")


def weights_of_pixels(result, kind):
    """Weight of each pixel in each cluster's spectrum, array (n_clusters, pixels)."""
    if kind == "membership":
        return result.memberships.reshape(result.n_clusters, -1)
    return result.labels.ravel() == np.arange(result.n_clusters)[:, None]


def spectra_signal(signal, result, of_pixels, sums, variances):
    """Sums of counts with the pixels' weights in each cluster, and their variances, as a signal.

    All are arrays (n_clusters, pixels or channels), energies ascending; it is like the map's
    `signal`, also in the direction of the energies.
    """
    import hyperspy.api as hs

    cluster_axis = {"name": "cluster", "size": result.n_clusters, "navigate": True}
    axes = [cluster_axis, signal.axes_manager.signal_axes[0].get_axis_dictionary()]
    sums, variances = in_order(signal, sums), in_order(signal, variances)
    spectra = hs.signals.Signal1D(sums, axes=axes)
    copy_metadata(signal, to=spectra)
    spectra.set_signal_type(signal._signal_type)
    spectra.metadata.General.title = f"Spectra of {result.name}"
    write_times(spectra, weighted_times(signal, of_pixels))
    variance = hs.signals.Signal1D(variances, axes=axes)
    spectra.metadata.set_item("Signal.Noise_properties.variance", variance)
    return spectra


def counts_of_spectrum(signal):
    """Counts of a single spectrum and their variance, arrays (1, channels).

    The variance is that in its metadata, if there is one, or that of counts.
    """
    counts = counts_of(signal)
    if np.ma.is_masked(counts):
        raise ValueError(
            "The spectrum has masked channels, but the fit needs the counts of all. Crop it with "
            "s.isig to a range without them, or unmask it: s.data = s.data.data."
        )
    counts = np.asarray(counts, dtype=float)
    stored = signal.metadata.get_item("Signal.Noise_properties.variance", None)
    variance = np.asarray(getattr(stored, "data", stored), dtype=float)
    if variance.shape == counts.shape:
        return counts[None], in_order(signal, variance)[None]
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise ValueError(
            "The spectrum holds NaN, infinite or negative values, but the fit needs the counts of "
            "the detector, before background subtraction. (The variance of a weighted sum belongs "
            "in metadata.Signal.Noise_properties.variance.)"
        )
    if (counts != np.rint(counts)).any():
        warn(
            "The spectrum holds values that are not whole numbers. Its uncertainties are right "
            "only if they are counts all the same: not means, and not normalised."
        )
    return counts[None], counts[None]


def check_some_counts(counts, names):
    """Raise a ValueError if spectra hold what is no number, or if all are empty."""
    if not np.isfinite(counts).all():
        raise ValueError(
            "The data hold NaN or infinite values, but the fit needs counts. If they were masked "
            "before s.as_lazy(), which makes NaN of that: s.data = s.data.filled(0) before it."
        )
    if not counts.sum() > 0:
        raise ValueError(
            f"There are no counts to quantify: {', '.join(names)} are empty. Check the "
            "data and the mask that the clusters were found with."
        )
