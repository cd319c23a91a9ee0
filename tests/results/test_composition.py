import copy
import pickle

import numpy as np
import pytest
from tables import composition, covariance

from hyperspy_clusterquant.xrays.kfactors import KFactors


def test_total_std_adds_in_quadrature():
    np.testing.assert_allclose(composition().std, [[0.5, 0.5], [0.2, 0.2]])
    np.testing.assert_allclose(composition().std_counting, [[0.3, 0.3], [0.2, 0.2]])
    np.testing.assert_allclose(composition().std_kfactor, [[0.4, 0.4], [0.0, 0.0]])


def test_what_is_not_detected_has_a_limit_instead_of_a_value():
    factors = np.array([1.45 / 55.845, 5.08 / 195.084])
    found = np.array([300.0, -1.0]) * factors
    estimate = 100 * found[1] / found[0]
    std = 100 * 3 * factors[1] / found[0]
    weak = composition(
        intensities=np.array([[100.0, 200.0], [300.0, 0.0]]),
        unconstrained_intensities=np.array([[100.0, 200.0], [300.0, -1.0]]),
        atomic_percent=np.array([[33.1, 66.9], [100.0, 0.0]]),
        covariance_counting=covariance([0.3, std]),
        covariance_kfactor=covariance([0.4, 0.0]),
    )
    assert weak.detected.tolist() == [[True, True], [True, False]]
    # From a table of the normal distribution: 36.94 % of it lie above zero for a mean of -1 and
    # a std of 3, 5 % of that above 2.087 std.
    expected = estimate + 2.087 * std
    assert weak.upper_limit[1, 1] == pytest.approx(expected, rel=0.005)
    assert f"< {expected:.2f}" in str(weak)
    assert f"$< {expected:.2f}$" in weak.to_latex()
    lower, upper = weak.interval()
    assert 0 <= lower[1, 1] < upper[1, 1] < expected
    # Far from zero the interval is the standard deviation on either side.
    np.testing.assert_allclose((upper - lower)[0] / 2, 0.5, rtol=0.01)
    with pytest.raises(ValueError, match="between 0 and 1"):
        weak.interval(95)


def test_ratio_by_hand():
    found = composition().ratio("Fe", ["Pt"])
    r = 25.412 / 74.588
    # With a fixed sum, d(x / (100 - x)) = 100 / (100 - x)^2 dx.
    assert found.values[0] == pytest.approx(r)
    assert found.std[0] == pytest.approx(0.5 * 100 / 74.588**2)
    assert composition().ratio(["Fe", "Pt"], "Pt").values[0] == pytest.approx(100 / 74.588)
    with pytest.raises(ValueError, match="'Cu' in `numerator` is not among"):
        composition().ratio("Cu", "Pt")
    with pytest.raises(ValueError, match="once each"):
        composition().ratio([], "Pt")


def test_a_table_does_not_change():
    values = np.array([[25.0, 75.0], [99.0, 1.0]])
    q = composition(atomic_percent=values)
    values[:] = 0
    assert q.atomic_percent[0, 1] == 75
    with pytest.raises(ValueError, match="read-only"):
        q.atomic_percent[0, 0] = 1


def test_plot_fit_needs_a_fit():
    with pytest.raises(ValueError, match="method='model'"):
        composition().plot_fit()


def test_tables_are_compared_and_copied_by_what_they_hold():
    q = composition(kfactors=KFactors({"Fe_Ka": 1.45, "Pt_La": 5.08}, {"Pt_La": 0.05}))
    for same in (copy.copy(q), copy.deepcopy(q), pickle.loads(pickle.dumps(q))):
        assert same == q
        assert same.kfactors.relative_uncertainty == {"Pt_La": 0.05}
        with pytest.raises(ValueError, match="read-only"):
            same.atomic_percent[0, 0] = 1
    assert q != composition(cluster_names=("core", "rim"), kfactors=q.kfactors)
    assert q != composition(covariance_kfactor=covariance([0.4, 0.1]), kfactors=q.kfactors)


def test_maps_are_images_of_the_map_they_were_asked_of():
    assert composition().maps is None
    axes = (
        {"name": "y", "scale": 2.0, "offset": 0.0, "units": "nm", "size": 3},
        {"name": "x", "scale": 2.0, "offset": 0.0, "units": "nm", "size": 4},
    )
    percent = np.arange(24.0).reshape(2, 3, 4)
    q = composition(pixel_percent=percent, axes=axes, composition_units="weight")
    assert list(q.maps) == ["Fe", "Pt"]
    image = q.maps["Pt"]
    np.testing.assert_array_equal(image.data, percent[1])
    assert image.axes_manager["x"].units == "nm"
    assert image.metadata.General.title == "Pt (wt%)"
    image.data[0, 0] = -1  # of the image, not of the table
    assert q.maps["Pt"].data[0, 0] == 12
    assert pickle.loads(pickle.dumps(q)) == q


def test_cluster_names_are_accepted_where_numbers_are():
    q = composition(fits=("fit of core", "fit of shell"))
    with pytest.raises(ValueError, match=r"no cluster 'rim' in the table; there are 0 \('core'\)"):
        q.plot_fit("rim")
    with pytest.raises(TypeError, match=r"number \(int\) or name"):
        q.plot_fit(True)
    twice = composition(cluster_names=("core", "core"), fits=q.fits)
    with pytest.raises(ValueError, match="Several clusters of the table are named 'core'"):
        twice.plot_fit("core")
