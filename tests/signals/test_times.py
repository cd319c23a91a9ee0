"""Times of pixels, right or odd, through operations on the axes of a map."""

import hyperspy.api as hs
import numpy as np
import pytest
from companions import TYPE

DETECTOR = "Acquisition_instrument.TEM.Detector.EDS"
LIVE_TIME, REAL_TIME = f"{DETECTOR}.live_time", f"{DETECTOR}.real_time"
SHAPE = (6, 8)


@pytest.fixture
def each():
    """A live time of each pixel."""
    return np.random.default_rng(3).uniform(1.0, 2.0, SHAPE)


@pytest.fixture(params=[False, True], ids=["eager", "lazy"])
def s(request, each):
    s = hs.signals.Signal1D(np.random.default_rng(4).poisson(2.0, (*SHAPE, 50)))
    s.set_signal_type(TYPE)
    s.axes_manager.signal_axes[0].units, s.axes_manager.signal_axes[0].scale = "keV", 0.2
    for axis, name in zip(s.axes_manager.navigation_axes, "xy", strict=True):
        axis.name, axis.units, axis.scale = name, "nm", 2.0
    s.metadata.set_item(LIVE_TIME, each.copy())
    s.metadata.set_item(REAL_TIME, 2 * each)
    return s.as_lazy() if request.param else s


def live_time(s):
    return s.metadata.get_item(LIVE_TIME)


FOLLOWS = {
    "deepcopy": (lambda s: s.deepcopy(), lambda t: t),
    "as_lazy": (lambda s: s.as_lazy(), lambda t: t),
    "isig": (lambda s: s.isig[2.0:6.0], lambda t: t),
    "inav": (lambda s: s.inav[2:7, ::-1], lambda t: t[::-1, 2:7]),
    "row": (lambda s: s.inav[:, 3:4], lambda t: t[3:4]),
    "line": (lambda s: s.inav[3], lambda t: t[:, 3]),
    "spectrum": (lambda s: s.inav[3, 5], lambda t: t[5, 3]),
    "roi": (lambda s: hs.roi.RectangularROI(2, 4, 12, 10)(s), lambda t: t[2:5, 1:6]),
    "swap": (lambda s: s.swap_axes(0, 1), lambda t: t.T),
    "transpose": (lambda s: s.transpose(navigation_axes=[1, 0]), lambda t: t.T),
    "there and back": (lambda s: s.T.T, lambda t: t),
    "sum": (lambda s: s.sum(), lambda t: t.sum()),
    "sum of x": (lambda s: s.sum("x"), lambda t: t.sum(axis=1)),
    "sum of an axis": (lambda s: s.sum(s.axes_manager["y"]), lambda t: t.sum(axis=0)),
    "sum of energies": (lambda s: s.sum("y").sum(-1), lambda t: t.sum(axis=0)),
    "nansum": (lambda s: s.nansum(0), lambda t: t.sum(axis=1)),
    "mean": (lambda s: s.mean("y"), lambda t: t.mean(axis=0)),
    "rebin": (lambda s: s.rebin(scale=(4, 3, 1)), lambda t: t.reshape(2, 3, 2, 4).sum((1, 3))),
    "new shape": (lambda s: s.rebin(new_shape=(8, 2, 25)), lambda t: t.reshape(2, 3, 8).sum(1)),
    "rebin to one": (lambda s: s.rebin(scale=(8, 6, 1)), lambda t: t.sum()),
    "arithmetic": (lambda s: s + 1, lambda t: t),
}


@pytest.mark.parametrize("name", FOLLOWS)
def test_a_time_of_each_pixel_follows_it(s, each, name):
    operation, by_hand = FOLLOWS[name]
    before = s.metadata.deepcopy().as_dictionary()
    np.testing.assert_allclose(live_time(operation(s)), by_hand(each))
    np.testing.assert_equal(s.metadata.as_dictionary(), before)


@pytest.mark.parametrize("name", FOLLOWS)
def test_one_time_for_all_pixels_is_what_exspy_makes_of_it(s, name):
    s.metadata.set_item(LIVE_TIME, 0.5)
    s.metadata.set_item(REAL_TIME, 0.75)
    of_exspy = s.deepcopy()
    of_exspy.set_signal_type("EDS_TEM")
    operation, _ = FOLLOWS[name]
    ours, theirs = operation(s), operation(of_exspy)
    if name == "nansum":  # exspy forgets it, if the counts are no whole numbers
        theirs = of_exspy.sum(0)
    for time in (LIVE_TIME, REAL_TIME):
        assert ours.metadata.get_item(time) == pytest.approx(theirs.metadata.get_item(time))


def test_the_real_time_is_rebinned_and_cropped_as_well(s, each):
    rebinned = s.rebin(scale=(2, 2, 1)).metadata.get_item(REAL_TIME)
    np.testing.assert_allclose(rebinned, 2 * each.reshape(3, 2, 4, 2).sum(axis=(1, 3)))
    np.testing.assert_array_equal(s.inav[1:3].metadata.get_item(REAL_TIME), 2 * each[:, 1:3])


def test_rebinning_by_halves_loses_no_time(each):
    s = hs.signals.Signal1D(np.ones((*SHAPE, 4)))
    s.set_signal_type(TYPE)
    s.metadata.set_item(LIVE_TIME, each)
    rebinned = s.rebin(scale=(1.6, 1.5, 1))
    assert live_time(rebinned).shape == rebinned.data.shape[:2] == (4, 5)
    assert live_time(rebinned).sum() == pytest.approx(each.sum())


def test_cropping_in_place_and_into_another_signal(s, each):
    target, summed = s.inav[:3], s.sum("x")
    s.inav.__getitem__((slice(3, 6), slice(None)), out=target)
    np.testing.assert_array_equal(live_time(target), each[:, 3:6])
    s.sum("x", out=summed)
    np.testing.assert_allclose(live_time(summed), each.sum(axis=1))
    s.crop("y", 2, 5)
    s.crop("x", 4)
    np.testing.assert_array_equal(live_time(s), each[2:5, 4:])
    s.crop(2, 2.0, 6.0)
    np.testing.assert_array_equal(live_time(s), each[2:5, 4:])


@pytest.mark.parametrize("suffix", ["hspy", "zspy"])
def test_times_are_saved_and_are_in_memory_after_loading(s, each, suffix, tmp_path):
    s.save(tmp_path / f"map.{suffix}")
    for lazy in (False, True):
        loaded = hs.load(tmp_path / f"map.{suffix}", lazy=lazy)
        assert isinstance(live_time(loaded), np.ndarray)
        np.testing.assert_array_equal(live_time(loaded), each)


@pytest.mark.parametrize("flat", [np.ravel, lambda t: t.ravel().tolist(), lambda t: hs.signals.
                                  BaseSignal(t).T], ids=["flat", "list", "signal"])  # fmt: skip
def test_times_may_be_flat_a_list_or_a_signal(s, each, flat):
    s.metadata.set_item(LIVE_TIME, flat(each))
    np.testing.assert_array_equal(live_time(s.inav[2:4, 1:]), each[1:, 2:4])
    assert live_time(s.sum()) == pytest.approx(each.sum())


#: What files say of it that is no time of these pixels.
ODD = {
    "nothing": None,
    "text": "two seconds",
    "two": [1.0, 2.0],
    "too many": np.ones(99),
    "another map's": np.ones(SHAPE[::-1]),
    "texts": ["1 s"] * 48,
}


@pytest.mark.parametrize("name", ODD)
def test_odd_times_stop_nothing_and_become_no_numbers(s, name):
    for time in (LIVE_TIME, REAL_TIME):
        s.metadata.set_item(time, ODD[name])
    before = s.metadata.deepcopy().as_dictionary()
    # Two pixels, that two times must not become those of.
    s_of_two = s.inav[:2, 0]
    for part in (s.sum(), s.sum("x"), s.mean(), s.max(), s.inav[:3], s.inav[0, 0], s_of_two,
                 s.rebin(scale=(2, 2, 1)), s.swap_axes(0, 1)):  # fmt: skip
        assert live_time(part) is None or live_time(part) == ODD[name] == "two seconds"
    in_place = s.deepcopy()
    in_place.crop("x", 2, 5)
    np.testing.assert_equal(s.metadata.as_dictionary(), before)


def test_a_stack_knows_no_times_of_its_pixels(s, each):
    stack = hs.stack([s, s], show_progressbar=False)
    assert live_time(stack.sum("stack_element")) is None
    assert live_time(stack.inav[:, :, 1]) is None


def test_a_map_without_an_instrument_is_rebinned_and_summed(s):
    del s.metadata.Acquisition_instrument
    assert s.rebin(scale=(2, 2, 1)).data.shape == (3, 4, 50)
    assert s.sum().data.shape == (50,)
    assert s.inav[2:, 1].data.shape == (6, 50)
    assert not s.metadata.has_item("Acquisition_instrument")


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("kind", ["data", "functional"])
def test_times_follow_maps_with_uneven_positions(s, each, kind, axis):
    if kind == "data":
        s.axes_manager[axis].convert_to_non_uniform_axis()
    else:
        s.axes_manager[axis].convert_to_functional_data_axis(expression="x**2")
    np.testing.assert_array_equal(live_time(s.inav[1:5, 2:4]), each[2:4, 1:5])
    np.testing.assert_allclose(live_time(s.sum("x")), each.sum(axis=1))
    np.testing.assert_array_equal(live_time(s.swap_axes(0, 1)), each.T)
