"""Checks of the class and of the results that go with a map, shared by several test files."""

import numpy as np

from hyperspy_clusterquant import ClusteredEDSSpectrum, ClusterResult, LazyClusteredEDSSpectrum

TYPE = "EDS_TEM_clustered"
AXES = ({"name": "y", "scale": 1.0, "offset": 0.0, "units": "nm", "size": 3},) * 2


def is_ours(s, lazy=False):
    assert type(s) is (LazyClusteredEDSSpectrum if lazy else ClusteredEDSSpectrum)
    assert s.metadata.Signal.signal_type == TYPE
    return True


def same(a, b):
    assert list(a) == list(b)
    for name in a:
        assert np.array_equal(a[name].labels, b[name].labels)
        assert np.array_equal(a[name].memberships, b[name].memberships)
        assert np.array_equal(a[name].scores, b[name].scores)
        assert a[name].parameters == b[name].parameters
        assert a[name].cluster_names == b[name].cluster_names
        assert a[name].axes == b[name].axes


def small_result():
    """A result of three clusters on 3 x 3 pixels, one of them noise, one left out."""
    labels = np.array([[0, 0, 0], [1, 1, -1], [2, -2, 0]])
    memberships = np.zeros((3, 3, 3))
    for k in range(3):
        memberships[k] = 0.8 * (labels == k) + 0.1 * ((labels >= 0) & (labels != k))
    kept = np.count_nonzero(labels > -2)
    return ClusterResult(
        name="a",
        workflow="umap_hdbscan",
        labels=labels,
        memberships=memberships,
        scores=np.arange(2.0 * kept).reshape(kept, 2),
        eigenvalues=[5.0, 2.0, 0.1],
        noise_edge=0.5,
        embedding=np.arange(12.0).reshape(3, 4),
        landmarks=[0, 4, 8],
        parameters={"seed": 0, "exclude_lines": ["C"], "energy_range": None},
        axes=AXES,
    )
