import matplotlib.pyplot as plt
import numpy as np
import tables
from matplotlib.colors import to_rgba

from hyperspy_clusterquant.plotting.drawing import draw_categories, draw_values, patch
from hyperspy_clusterquant.plotting.style import MASK_COLOUR

COLOURS = {-2: MASK_COLOUR, 0: "#112233", 1: "#445566", 5: "#778899"}
CODES = np.array([[0, 1], [5, -2]])


def new():
    return plt.subplots()[1]


def test_every_number_has_its_colour_also_with_numbers_left_out_between():
    ax = draw_categories(new(), CODES, (), COLOURS)
    image = ax.images[0]
    shown = image.cmap(image.norm(CODES))
    for place, code in np.ndenumerate(CODES):
        np.testing.assert_allclose(shown[place], to_rgba(COLOURS[code]))
    # White is transparent, and the hatching behind it shows.
    assert image.get_alpha().tolist() == [[1, 1], [1, 0]]
    (hatched,) = ax.patches
    assert hatched.get_hatch()
    assert not draw_categories(new(), CODES[:1], (), COLOURS).patches


def test_white_is_hatched_along_a_line_and_in_the_legend():
    ax = draw_categories(new(), CODES.ravel(), (), COLOURS)
    hatches = {of.get_label(): bool(of.get_hatch()) for of in ax.patches}
    assert hatches == {"-2": True, "0": False, "1": False, "5": False}
    assert patch(MASK_COLOUR, "left out").get_hatch()
    assert not patch("#112233", "a").get_hatch()


def test_of_a_stack_the_first_map_is_drawn():
    stack = np.stack([CODES, CODES.T])
    drawn = draw_categories(new(), stack, (), COLOURS, strength=np.ones(stack.shape))
    np.testing.assert_array_equal(drawn.images[0].get_array(), CODES)
    values = draw_values(new(), stack.astype(float), (), "value", (0, 5))
    np.testing.assert_array_equal(values.images[0].get_array(), CODES)


def test_values_of_a_map_have_a_colour_bar_and_those_of_a_line_an_axis():
    values = np.array([[0.5, np.nan], [2.0, 1.0]])
    ax = draw_values(new(), values, tables.AXES, "thickness (nm)", (0, 2))
    assert ax.images[0].colorbar.ax.get_ylabel() == "thickness (nm)"
    assert ax.images[0].get_clim() == (0, 2)
    assert ax.patches[0].get_hatch()
    line = draw_values(new(), values.ravel(), tables.AXES[1:], "thickness (nm)", (0, 2))
    steps = line.patches[0].get_data()
    np.testing.assert_array_equal(steps.values, values.ravel())
    np.testing.assert_allclose(steps.edges, [-1, 1, 3, 5, 7])
    assert line.get_ylabel() == "thickness (nm)"
    assert line.get_ylim()[0] == 0
    signed = draw_values(new(), values.ravel(), (), "difference", (-3, 3))
    assert signed.get_ylim()[0] < -3
