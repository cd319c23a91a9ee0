import numpy as np
import pytest
from planted import dense
from samples import learned, phantom
from scipy import ndimage

from hyperspy_clusterquant.clusters.borders import (
    change_at_border,
    gradual_widths,
    interfaces,
    whitened,
)

SHAPE = (40, 48)
HALVES = np.broadcast_to(np.arange(48) >= 24, SHAPE).astype(int)
ROW, COLUMN = np.indices(SHAPE)


def change(composition, labels=HALVES, doses=None):
    doses = np.full(labels.shape, 7.0) if doses is None else doses
    return change_at_border(composition * doses, doses, labels, 1, 0)


def test_a_step_lies_at_the_border():
    at_border, inside = change(3.0 * HALVES)
    assert at_border == pytest.approx(3)
    assert inside == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("width", [0.5, 1.0])
def test_a_blurred_step_lies_there_too(width):
    at_border, inside = change(ndimage.gaussian_filter(3.0 * HALVES, width))
    assert at_border == pytest.approx(3, rel=0.1)
    assert abs(inside) < 0.1 * at_border


def test_a_ramp_changes_inside():
    """Near are pixels two and three from the border, so four steps lie between the two sides.

    Beyond, up to 24 pixels from it, are the others, 11.5 pixels on average farther in.
    """
    at_border, inside = change(0.5 * COLUMN)
    assert at_border == pytest.approx(0.5 * 4)
    assert inside == pytest.approx(0.5 * 2 * 11.5)


def test_a_ramp_at_an_angle_changes_inside_too():
    ramp = 0.3 * ROW + 0.4 * COLUMN
    at_border, inside = change(ramp, (ramp > np.median(ramp)).astype(int))
    assert inside > 2 * at_border > 0


def test_the_other_way_round_the_change_is_opposite():
    doses = np.full(SHAPE, 7.0)
    image = ndimage.gaussian_filter(3.0 * HALVES, 1.0) + 0.01 * COLUMN
    forth = change_at_border(image * doses, doses, HALVES, 1, 0)
    back = change_at_border(image * doses, doses, HALVES, 0, 1)
    np.testing.assert_allclose(back, -np.array(forth))


def test_composition_is_what_counts_not_the_dose(rng):
    """Of a step in a wedge, whose counts follow the thickness."""
    doses = rng.poisson(20 + 5.0 * COLUMN).astype(float)
    at_border, inside = change(3.0 * HALVES, doses=doses)
    assert (at_border, inside) == (pytest.approx(3), pytest.approx(0, abs=1e-9))


def test_what_is_too_small_to_have_an_inside_has_none():
    grain = (np.abs(ROW - 20) < 2) & (np.abs(COLUMN - 24) < 2)
    at_border, inside = change(3.0 * grain, grain.astype(int))
    assert (at_border, inside) == (pytest.approx(3), pytest.approx(0, abs=1e-12))


def test_other_clusters_do_not_count():
    """The border of two of three, beside one that is far different."""
    labels = np.digitize(COLUMN, [16, 32])
    composition = np.array([0.0, 3.0, 50.0])[labels]
    at_border, inside = change_at_border(composition, np.ones(SHAPE), labels, 1, 0)
    assert (at_border, inside) == (pytest.approx(3), pytest.approx(0))


# --- gradual changes ------------------------------------------------------------------


def widths_of(composition, counts, seed=0, labels=None):
    """Of a map of Cu and Ni with some share of the second of two compositions."""
    phases = {"a": {"Cu": 70.0, "Ni": 30.0}, "b": {"Cu": 30.0, "Ni": 70.0}}
    truth = (composition > 0.5).astype(int)
    s = phantom(phases, [1 - composition, composition], truth, counts, seed)
    pixels = learned(s)[0].pixels
    labels = (truth if labels is None else labels).ravel()
    x = np.concatenate(pixels.blocks.map(dense))
    spectra = np.array([x[labels == k].sum(axis=0) for k in range(labels.max() + 1)])
    return gradual_widths(pixels, labels, spectra)


def test_a_gradient_is_as_wide_as_it_is():
    """From the middle of one inner part to that of the other: 4 to 32 pixels from the border."""
    ramp = np.tile(np.linspace(0, 1, 64), (40, 1))
    found = widths_of(ramp, 100)
    assert np.isnan(np.diag(found)).all()
    assert found[0, 1] == found[1, 0] == pytest.approx(2 * (18 - 0.5), rel=0.15)


def test_a_border_is_not_gradual():
    step = np.broadcast_to(np.arange(64) >= 32, (40, 64)).astype(float)
    for width in (0.0, 1.0):
        assert np.isnan(widths_of(ndimage.gaussian_filter(step, width), 100)).all()


def test_what_noise_hides_is_not_gradual():
    """A gradient of a tenth of that, with few counts; and one composition, cut in two."""
    for seed in range(5):
        ramp = np.tile(np.linspace(0.47, 0.53, 64), (40, 1))
        assert np.isnan(widths_of(ramp, 4, seed)).all()
        halves = (ramp > 0.5).astype(int)
        assert np.isnan(widths_of(np.full((40, 64), 0.4), 50, seed, halves)).all()


def test_clusters_without_a_border_have_no_width():
    """The first and the last of three stripes of a gradient do not meet."""
    ramp = np.tile(np.linspace(0, 1, 96), (40, 1))
    found = widths_of(ramp, 400, labels=np.digitize(ramp, [1 / 3, 2 / 3]))
    assert np.isnan(found[0, 2])
    # Stripes of 32 pixels, with inner parts of 29.
    np.testing.assert_allclose([found[0, 1], found[1, 2]], 35, rtol=0.2)


# --- interfaces -----------------------------------------------------------------------


def three(width, size=60):
    """Labels of two domains with a band of some width between them."""
    column = np.indices((40, size))[1] - size // 2
    return np.select([column < -(width // 2), column < width - width // 2], [0, 1], 2)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_band_of_mixed_pixels_is_an_interface(share, width):
    ends = np.array([[0.0, 0, 0], [1, 2, 0]])
    points = np.array([ends[0], (1 - share) * ends[0] + share * ends[1], ends[1]])
    assert interfaces(three(width), points) == 1


def test_so_is_one_around_a_grain():
    distance = np.hypot(ROW - 20, COLUMN - 24)
    labels = np.select([distance < 12, distance < 14], [0, 1], 2)
    assert interfaces(labels, np.array([[0.0], [0.4], [1.0]])) == 1


def test_a_layer_that_is_no_mixture_is_none():
    for away in ([0.5, 0.4], [1.6, 0], [-0.5, 0], [0.02, 0.0]):
        points = np.array([[0.0, 0], away, [1, 0]])
        assert interfaces(three(3), points) is None


def test_a_wide_layer_is_a_phase_of_its_own():
    """Solid solutions have compositions between others'."""
    points = np.array([[0.0, 0], [0.5, 0], [1, 0]])
    assert interfaces(three(20), points) is None


def test_grains_that_do_not_lie_between_the_two_are_none():
    """Of mixed composition, but inside of one of them."""
    labels = np.where(COLUMN < 36, 0, 2)
    labels[(ROW % 12 < 3) & (COLUMN % 12 < 3) & (COLUMN < 24)] = 1
    points = np.array([[0.0, 0], [0.5, 0], [1, 0]])
    assert interfaces(labels, points) is None


def test_the_smallest_interface_comes_first():
    column = np.indices((40, 90))[1]
    labels = np.digitize(column, [27, 31, 58, 60])
    points = np.array([[0.0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1]])
    assert interfaces(labels, points) == 3
    # Without it, its pixels go to those beside it, and the other is next.
    assert interfaces(np.array([0, 1, 2, 2, 3])[labels], points[[0, 1, 2, 4]]) == 1


def test_two_clusters_have_no_interface():
    assert interfaces(HALVES, np.array([[0.0], [1.0]])) is None
    # Nor have three of which one is empty.
    assert interfaces(2 * HALVES, np.array([[0.0], [0.5], [1.0]])) is None


def test_whitened_spectra_are_in_units_of_shot_noise(rng):
    """A cluster of one composition lies at the origin, with noise of one over the root of N."""
    share = rng.dirichlet(np.ones(40))
    counts = rng.poisson(1e6 * share, (300, 40))
    points = whitened(counts, share)
    assert np.sqrt(1e6) * points.std() == pytest.approx(1, rel=0.03)
    other = whitened(
        np.array([1e9 * share, 1e9 * share * (1 + 0.1 * np.sign(share - 0.02))]), share
    )
    np.testing.assert_allclose(other[0], 0, atol=1e-4)
    np.testing.assert_array_equal(np.sign(other[1]), np.sign(share - 0.02))
