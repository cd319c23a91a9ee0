import numpy as np
import pytest
import tables

from hyperspy_clusterquant.images import image

Y, X = tables.AXES
Z = {"name": "z", "scale": 5.0, "offset": 1.0, "units": "", "size": 3}


def test_image_with_the_axes_of_a_map():
    values = np.arange(24.0).reshape(4, 6)
    found = image(values, (Y, X), "title", quantity="at%")
    assert found.axes_manager.signal_shape == (6, 4)
    assert [axis.name for axis in found.axes_manager.signal_axes] == ["x", "y"]
    assert found.axes_manager[0].units == "nm"
    assert found.metadata.General.title == "title"
    assert found.metadata.Signal.quantity == "at%"
    np.testing.assert_array_equal(found.data, values)


def test_line_scan_and_stack_of_maps():
    assert image(np.zeros(6), (X,), "line").axes_manager.signal_shape == (6,)
    found = image(np.zeros((3, 4, 6)), (Z, Y, X), "stack")
    assert found.axes_manager.signal_shape == (6, 4)
    assert found.axes_manager.navigation_shape == (3,)
    assert found.axes_manager[0].offset == 1.0


def test_images_of_clusters_are_navigated():
    found = image(np.zeros((2, 4, 6)), (Y, X), "memberships", over="cluster")
    assert found.axes_manager.navigation_shape == (2,)
    assert found.axes_manager[0].name == "cluster"
    assert image(np.zeros((2, 4, 6)), (), "plain", over="cluster").data.shape == (2, 4, 6)


def test_image_of_what_is_frozen_may_be_changed():
    values = np.zeros((4, 6))
    values.setflags(write=False)
    found = image(values, (), "plain")
    found.data[0, 0] = 1
    assert not values.any()


def test_result_without_a_cluster():
    """Its labels are a map of noise, and of what is left out."""
    none = tables.result().drop([0, 1, 2])
    assert none.n_clusters == 0
    labels = none.label_map()
    assert np.unique(labels.data).tolist() == [-2, -1]
    assert labels.axes_manager.signal_shape == (6, 4)
    with pytest.raises(ValueError, match="'a' has no cluster"):
        none.membership_maps()
