"""What varies inside clusters as arrays: verdicts, ranges, maps."""

import numpy as np
import pytest
from made_homogeneity import NAN, made


def test_maps_are_of_one_cluster():
    found = made()
    image = found.residual_map("cluster 1", "Fe")
    inside = found.labels == 1
    np.testing.assert_array_equal(image.data[inside], found.images[1][inside])
    assert np.isnan(image.data[~inside]).all()
    assert image.axes_manager[0].units == "nm"
    assert np.array_equal(found.residual_map(1, "Fe_Ka").data, image.data, equal_nan=True)
    with pytest.raises(ValueError, match="'Zn' was not tested; there are Ca_Ka, Fe_Ka, S_Ka"):
        found.residual_map(0, "Zn")
    with pytest.raises(ValueError, match="no cluster 7"):
        found.residual_map(7, "Fe")


def test_ranges_are_of_what_varies():
    """All lines depart alike: what was not tested is what they displace."""
    found = made(sizes=np.array([500, 400, 20]))
    percent = np.array([[10.0, 90.0, 0.0], [50.0, 20.0, 30.0], [1.0, 2.0, 97.0]])
    lower, upper = found.ranges_of(percent, ["Ca", "Zn", "S"])
    calcium = 10 * (1 + found.shares[0][found.labels == 0] / 100)
    expected = np.quantile(100 * calcium / (calcium + 90), [0.05, 0.95])
    np.testing.assert_allclose([lower[0, 0], upper[0, 0]], expected)
    assert np.isnan(np.delete(lower.ravel(), 0)).all()
    assert np.isnan(np.delete(upper.ravel(), 0)).all()
    noisy = made(shares_noise=np.full((3, 3), 500.0))
    assert np.isnan(noisy.ranges_of(percent, ["Ca", "Zn", "S"])).all()


def test_level_counts_clusters():
    """0.03 in one of two clusters is chance."""
    p = np.array([[0.9] * 3, [0.6, 0.2, 0.7], [NAN] * 3])
    found = made(p_values=p, dose_p_values=p, cluster_p_values=np.array([0.03, 0.4, NAN]))
    assert not found.inhomogeneous.any()


def test_drawn_is_the_line_that_is_spoken_of():
    """Of a line without a map, and of one that only noise moves, nothing is drawn instead."""
    found = made()
    assert [found._line_to_draw(k) for k in range(2)] == [0, 1]
    images = found.images.copy()
    images[1, found.labels == 1] = NAN
    assert made(images=images)._line_to_draw(1) == 0
    axes = found.plot()
    assert "1e" not in axes[2].get_title(loc="left")
