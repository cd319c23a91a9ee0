"""What was found inside of three clusters, made up, for several test files."""

import numpy as np
import tables

from hyperspy_clusterquant.results.homogeneity import ClusterHomogeneity, Departure

NAN = np.nan


def made(**more):
    """Three clusters: Ca varies in the first, nothing in the second, the third is too small."""
    labels = tables.result().labels
    given = {
        "name": "a",
        "cluster_names": ("cluster 0", "cluster 1", "cluster 2"),
        "xray_lines": ("Ca_Ka", "Fe_Ka", "S_Ka"),
        "level": 0.05,
        "sizes": np.array([500, 400, 20]),
        "n_pixels": np.array([450, 300, 3]),
        "cluster_p_values": np.array([1e-9, 0.4, NAN]),
        "p_values": np.array([[1e-9, 0.3, 0.5], [0.6, 0.2, 0.7], [NAN] * 3]),
        "dose_p_values": np.array([[1e-9, 0.2, 0.5], [0.6, 0.3, 0.7], [NAN] * 3]),
        "variation": np.array([[60.0, 2.0, 1.0], [3.0, 1.0, 0.0], [NAN] * 3]),
        "variation_std": np.array([[5.0, 2.0, 1.0], [3.0, 1.0, NAN], [NAN] * 3]),
        "lowest": np.array([[-80.0, NAN, NAN], [NAN] * 3, [NAN] * 3]),
        "highest": np.array([[210.0, NAN, NAN], [NAN] * 3, [NAN] * 3]),
        "scales": np.array([[4, 1, 1], [1, 1, 1], [0, 0, 0]]),
        "detection_limits": np.array([[10.0, 5.0, 1.5], [12.0, 200.0, 2.0], [NAN] * 3]),
        "limit_scales": np.array([8, 8, 0]),
        "told_from_absorption": np.ones((3, 3), dtype=bool),
        "images": np.arange(72, dtype=np.float32).reshape(3, 4, 6),
        "shares": np.broadcast_to(np.linspace(-100, 200, 24).reshape(4, 6), (3, 4, 6)),
        "shares_noise": np.zeros((3, 3)),
        "regions": np.where(labels == 0, 0, -1),
        "departures": (
            Departure("cluster 0", "Ca_Ka", (40.0, 12.0), 36, 220.0, 1e-8),
            Departure("cluster 1", "S_Ka", (2.0, 4.0), 2, -20.0, 0.6),
            None,
        ),
        "axes": tables.AXES,
        "labels": labels,
    }
    return ClusterHomogeneity(**given | more)
