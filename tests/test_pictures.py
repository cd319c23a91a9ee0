"""What pictures look like, compared with images in ``baseline/``, and where their texts stand.

Texts are not drawn, as fonts differ between machines; where they stand is tested by their places.
A new or changed picture: ``pytest tests/test_pictures.py --mpl-generate-path=tests/baseline``, and
look at it.
"""

from itertools import combinations

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import tables
from matplotlib.text import Text
from packaging.version import Version

from hyperspy_clusterquant import compare_clusterings
from hyperspy_clusterquant.clusters.planes import density_on
from hyperspy_clusterquant.clusters.tree import Branch
from hyperspy_clusterquant.evidence.verdicts import Verdict
from hyperspy_clusterquant.images import image
from hyperspy_clusterquant.plotting import (
    plot_agreement,
    plot_composition,
    plot_composition_matrix,
    plot_correlations,
    plot_criterion,
    plot_density,
    plot_element_maps,
    plot_label_map,
    plot_label_maps,
    plot_line_maps,
    plot_membership_maps,
    plot_pairs,
    plot_peak_fit,
    plot_profile,
    plot_residuals,
    plot_scree,
    plot_spectra,
    plot_ternary,
    plot_tree,
)

#: Resolution, and root mean square of the difference of two pictures, of 255. Before 3.11,
#: matplotlib put the edges of images on other pixels of the screen.
DPI = 50
TOLERANCE = 2 if Version(matplotlib.__version__) >= Version("3.11") else 25
picture = pytest.mark.mpl_image_compare(
    baseline_dir="baseline", style="default", backend="agg", tolerance=TOLERANCE,
    savefig_kwargs={"dpi": DPI},
)  # fmt: skip

AXES = (
    {"name": "y", "scale": 2.0, "offset": 0.0, "units": "nm", "size": 30},
    {"name": "x", "scale": 2.0, "offset": 0.0, "units": "nm", "size": 40},
)
NAMES = ("matrix", "<b>ß & co</b>", "rim")
ROW, COLUMN = np.indices((30, 40))
FROM_MIDDLE = np.hypot(ROW - 15, COLUMN - 22)
#: A core in a rim in a matrix, noise in a corner and a hole in another one.
LABELS = np.select(
    [ROW + COLUMN < 8, ROW + COLUMN > 60, FROM_MIDDLE < 6, FROM_MIDDLE < 10], [-1, -2, 1, 2], 0
)
SHARES = [np.mean(LABELS[LABELS > -2] == k) for k in range(3)]
MEMBERSHIPS = np.exp(-((FROM_MIDDLE - np.array([17, 0, 8])[:, None, None]) ** 2) / 40)
MEMBERSHIPS /= MEMBERSHIPS.sum(axis=0)
OWN = np.take_along_axis(MEMBERSHIPS, np.maximum(LABELS, 0)[None], axis=0)[0]
COUNTS = np.array([20 * np.exp(-FROM_MIDDLE / 8), COLUMN / 2, 5 + ROW % 7])
COUNTS[:, LABELS == -2] = np.nan
ENERGY = np.arange(0.1, 10, 0.02)
LINES = {"O_Ka": 0.52, "Fe_La": 0.7, "Cu_La": 0.93, "S_Ka": 2.31, "Fe_Ka": 6.4, "Cu_Ka": 8.05}


def peaks(**heights):
    of_line = {line: np.exp(-((ENERGY - at) ** 2) / 0.006) for line, at in LINES.items()}
    return 40 * np.exp(-ENERGY / 3) + sum(h * of_line[line] for line, h in heights.items())


SPECTRA = np.array(
    [peaks(S_Ka=3000, Fe_Ka=900), peaks(S_Ka=1500, Cu_Ka=2500, Cu_La=800), peaks(O_Ka=2000)]
)


def without_text(drawn):
    """Figure of the axes, with nothing whose size or place depends on a font."""
    figure = np.ravel(drawn)[0].figure
    figure.set_layout_engine("none")
    # Whole pixels, whether they are rounded or cut.
    figure.set_size_inches((np.round(figure.get_size_inches() * DPI) + 0.01) / DPI)
    for ax in figure.axes:
        if ax.get_legend() is not None:
            ax.get_legend().remove()
    for legend in figure.legends:
        legend.remove()
    for text in figure.findobj(Text):
        text.set_visible(False)
    return figure


@picture
def test_cluster_map():
    return without_text(plot_label_map(LABELS, AXES, NAMES, SHARES, "map"))


@picture
def test_cluster_map_shaded():
    return without_text(plot_label_map(LABELS, AXES, NAMES, SHARES, "map", memberships=OWN))


@picture
def test_cluster_map_with_wide_pixels():
    axes = (AXES[0], AXES[1] | {"scale": 6.0})
    return without_text(plot_label_map(LABELS, axes, NAMES, SHARES, "map"))


@picture
def test_narrow_cluster_map():
    labels = LABELS[:, 20:24].repeat(4, axis=0)
    return without_text(plot_label_map(labels, AXES, NAMES, SHARES, "map"))


@picture
def test_thirteen_clusters():
    labels = (COLUMN // 4 + ROW // 10) % 13
    names = [f"cluster {k}" for k in range(13)]
    return without_text(plot_label_map(labels, AXES, names, [1 / 13] * 13, "map"))


@picture
def test_line_scan():
    return without_text(plot_label_map(LABELS[24], AXES[1:], NAMES, SHARES, "line"))


@picture
def test_line_scan_shaded():
    return without_text(
        plot_label_map(LABELS[15], AXES[1:], NAMES, SHARES, "line", memberships=OWN[15])
    )


@picture
def test_stack_of_cluster_maps():
    stack = np.stack([LABELS, LABELS[::-1], LABELS[:, ::-1]])
    return without_text(plot_label_maps(stack, (AXES[0], *AXES), NAMES, SHARES, "stack"))


@picture
def test_membership_maps():
    values = np.where(LABELS == -2, np.nan, MEMBERSHIPS)
    return without_text(plot_membership_maps(values, AXES, NAMES, "memberships"))


@picture
def test_memberships_along_a_line():
    return without_text(plot_membership_maps(MEMBERSHIPS[:, 15], AXES[1:], NAMES, "line"))


@picture
def test_spectra():
    shares = SPECTRA / SPECTRA.sum(axis=1, keepdims=True)
    return without_text(plot_spectra(ENERGY, shares, NAMES, LINES, one_count=1e-5))


@picture
def test_spectra_lifted():
    return without_text(
        plot_spectra(ENERGY, SPECTRA, NAMES, LINES, log=False, offset=0.3, energy_range=(0.3, 4))
    )


@picture
def test_difference_of_spectra():
    values = SPECTRA[1:] - SPECTRA[0]
    return without_text(plot_spectra(ENERGY, values, NAMES[1:], LINES, log=False))


def fit(**more):
    curves = np.array([peaks(S_Ka=3000), peaks(Fe_Ka=900)]) - peaks()
    residual = 2 * np.sin(np.arange(len(ENERGY)))
    model = SPECTRA[0]
    return plot_peak_fit(
        ENERGY, model + residual * np.sqrt(model), model, peaks(), 0 * model, residual,
        ["S_Ka", "6.4_line"], curves, "fit", **more,
    )  # fmt: skip


@picture
def test_peak_fit():
    return without_text(fit())


@picture
def test_part_of_a_peak_fit():
    return without_text(fit(energy_range=(1.5, 4), named=["S_Ka"]))


@picture
def test_scree():
    return without_text(plot_scree(np.array([30.0, 8, 2, 0.9, 0.85, 0.8, 0.8, 0.7]), 1.0))


@picture
def test_criterion():
    return without_text(plot_criterion((1, 2, 3, 3, 3), 3, "gaps"))


def cloud(n):
    """Points on a spiral, denser inside; the same with every version of numpy."""
    turn, radius = 2.4 * np.arange(n), np.sqrt(-2 * np.log(1 - (np.arange(n) + 0.5) / n))
    return np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)


POINTS = np.concatenate([cloud(900), cloud(600) * [0.5, 1.5] + [5, 0], cloud(300) - [-2, -5]])
OF_POINTS = np.repeat([0, 1, 2], [900, 600, 300])


@picture
def test_scores():
    density = density_on(POINTS, OF_POINTS, 3)
    return without_text(plot_density(density, NAMES, ("first", "second"), "scores"))


@picture
def test_scores_of_one_component():
    density = density_on(POINTS[:, :1], OF_POINTS, 3)
    return without_text(plot_density(density, NAMES, ("first", "second"), "scores"))


@picture
def test_tree():
    density = np.linspace(0.3, 1, 30)
    half = 30 * (1 - density) + 5
    branches = [
        Branch(np.array([0, 0.3]), np.zeros(2), np.full(2, 100.0), np.array([], int)),
        Branch(density, 26 - half, 26 + half, np.arange(52)),
        Branch(density[:20], 76 - half[:20] * 0.9, 76 + half[:20] * 0.9, np.arange(48)),
    ]
    return without_text(plot_tree(branches, [-1, 0, 2], NAMES, "tree"))


@picture
def test_composition_bars():
    percent = np.array([[10.0, 50, 40], [30, 5, 65], [0, 80, 20]])
    drawn = plot_composition(percent, percent * 0.9, percent + 2, NAMES, ("S", "Fe", "Cu"), "at%")
    return without_text(drawn)


@picture
def test_composition_heatmap():
    return without_text(tables.composition().plot_heatmap())


@picture
def test_ternary_diagram():
    shares = np.array([[30.0, 30, 40], [1, 39, 60], [80, 15, 5]])
    covariance = np.array([[6.0, -2, -4], [-2, 3, -1], [-4, -1, 5]])
    covariances = np.array([covariance, covariance, covariance / 20])
    return without_text(plot_ternary(shares, covariances, ("S", "Fe", "Cu+Zn"), NAMES))


@picture
def test_composition_profile():
    distance = np.arange(12.0)
    step = 60 / (1 + np.exp(-(distance - 6) / 0.8))
    percent = np.stack([20 + step, 80 - step], axis=1)
    drawn = plot_profile(
        distance, percent, np.full((12, 2), 3.0), ("Al", "Ga"), "nm", interfaces=[(6.0, 2.0)]
    )
    return without_text(drawn)


@picture
def test_element_maps():
    return without_text(
        plot_element_maps(
            COUNTS, AXES, ("Fe_Ka", "S_Ka", "Cu_Ka"), [0, 1, 2], LABELS, NAMES, "not smoothed"
        )
    )


@picture
def test_elements_along_a_line():
    drawn = plot_element_maps(
        COUNTS[:2, 15], AXES[1:], ("Fe_Ka", "S_Ka"), [0, 1], LABELS[15], NAMES, "not smoothed"
    )
    return without_text(drawn)


@picture
def test_line_maps_with_their_significance():
    lines, p = ("Fe_Ka", "S_Ka", "Cu_Ka"), np.array([1e-9, 0.3, np.nan])
    return without_text(plot_line_maps(COUNTS, AXES, lines, p, p < 0.05))


@picture
def test_residuals():
    maps = [np.where(k == LABELS, COLUMN - 20.0, np.nan) for k in range(2)]
    regions = np.where((LABELS == 0) & (COLUMN > 32), 0, -1)
    drawn = plot_residuals(
        maps, regions, AXES, NAMES[:2], ("Fe_Ka", "S_Ka"), np.array([1e-9, 0.4]),
        np.array([True, False]),
    )  # fmt: skip
    return without_text(drawn)


@picture
def test_agreement():
    return without_text(plot_agreement(np.where(LABELS == -2, np.nan, OWN), AXES))


@picture
def test_comparison_of_two_results():
    other = np.where(LABELS == 2, 0, LABELS)
    return without_text(compare_clusterings(LABELS, other).plot())


@picture
def test_comparison_along_a_line():
    other = np.where(LABELS == 2, 0, LABELS)
    return without_text(compare_clusterings(LABELS[24], other[24]).plot())


@picture
def test_verdicts_of_pairs():
    kinds = np.array(
        [
            [Verdict.ITSELF, Verdict.DISTINCT, Verdict.SAME],
            [Verdict.DISTINCT, Verdict.ITSELF, Verdict.GRADUAL],
            [Verdict.SAME, Verdict.GRADUAL, Verdict.ITSELF],
        ]
    )
    return without_text(plot_pairs(kinds, tables.pairs(3, 5), tables.pairs(3, 0.01), NAMES))


@picture
def test_correlations():
    correlation = np.array([[1, 0.8, -0.5], [0.8, 1, np.nan], [-0.5, np.nan, 1]])
    interval = np.stack([correlation - 0.1, correlation + 0.1])
    lines = ("Fe_Ka", "S_Ka", "Cu_Ka")
    return without_text(plot_correlations(correlation, interval, correlation > 0.6, lines, "r"))


@picture
def test_labels_in_hyperspys_plot():
    image(LABELS.astype(np.int32), AXES, "labels", names=NAMES).plot()
    return without_text(plt.gcf().axes[0])


# --- texts ----------------------------------------------------------------------------------

LONG = ("matrix", "<b>ß & co</b> with a long name", "rim")
SEVEN = ("Ag_La", "Cd_La", "Cu_Ka", "Fe_Ka", "Mn_Ka", "S_Ka", "Zn_Ka")


def correlations():
    r = np.full((7, 7), -0.83)
    return plot_correlations(r, np.stack([r - 0.1, r + 0.1]), r < 0, SEVEN, "Correlation")


def heatmap():
    texts = [["38.8\n± 4.4"] * 7] * 4
    names = ["cluster 0", *LONG]
    elements = [line[:2].strip("_") for line in SEVEN]
    return plot_composition_matrix(np.full((4, 7), 38.8), texts, names, elements, "at%")


def verdicts():
    kinds = np.full((5, 5), Verdict.DISTINCT)
    np.fill_diagonal(kinds, Verdict.ITSELF)
    names = [*LONG, "cluster 3", "cluster 4"]
    return plot_pairs(kinds, tables.pairs(5, 20.4), tables.pairs(5, 0.0012), names)


WITH_TEXTS = {
    "map": lambda: plot_label_map(LABELS, AXES, LONG, SHARES, "umap_hdbscan"),
    "narrow map": lambda: plot_label_map(LABELS[:, :3], AXES, LONG, SHARES, "umap_hdbscan"),
    "line scan": lambda: plot_label_map(LABELS[15], AXES[1:], LONG, SHARES, "umap_hdbscan"),
    "stack": lambda: plot_label_maps(np.stack([LABELS] * 5), AXES, LONG, SHARES, "umap_hdbscan"),
    "memberships": lambda: plot_membership_maps(MEMBERSHIPS, AXES, LONG, "memberships"),
    "spectra": lambda: plot_spectra(ENERGY, SPECTRA, LONG, LINES),
    "fit": fit,
    "scores": lambda: plot_density(density_on(POINTS, OF_POINTS, 3), LONG, ("1", "2"), "a"),
    "heat map": heatmap,
    "ternary": lambda: plot_ternary(
        np.full((3, 3), 100 / 3), np.zeros((3, 3, 3)), ("Ag+Cd", "Cu+Fe+Mn+Zn", "S"), LONG
    ),
    "elements": lambda: plot_element_maps(
        COUNTS, AXES, ("Fe_Ka", "Ag_La", "Cu_Ka"), [0, 1, 2], LABELS, LONG, "not smoothed"
    ),
    "elements of a line": lambda: plot_element_maps(
        COUNTS[:, 15], AXES[1:], ("Fe_Ka", "Ag_La", "Cu_Ka"), [0, 1, 2], LABELS[15], LONG, "line"
    ),
    "line maps": lambda: plot_line_maps(
        COUNTS, AXES, ("Fe_Ka", "Ag_La", "Cu_Ka"), np.full(3, 1e-9), np.array([True] * 3)
    ),
    "comparison": lambda: compare_clusterings(LABELS, LABELS).plot(),
    "verdicts": verdicts,
    "correlations": correlations,
}  # fmt: skip


@pytest.mark.parametrize("what", WITH_TEXTS)
def test_no_text_lies_on_another_or_beyond_the_figure(what):
    figure = np.ravel(WITH_TEXTS[what]())[0].figure
    figure.canvas.draw()
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    boxes = {text: text.get_window_extent() for text in texts}
    # Ticks beyond the ends of an axis are there, but not drawn.
    drawn = {text: box for text, box in boxes.items() if is_drawn(text)}
    assert len(drawn) > 3
    for text, box in drawn.items():
        inside = figure.bbox.x0 <= box.x0 + 1 and box.x1 <= figure.bbox.x1 + 1
        inside &= figure.bbox.y0 <= box.y0 + 1 and box.y1 <= figure.bbox.y1 + 1
        assert inside, text
    for (one, box), (other, its) in combinations(drawn.items(), 2):
        # A rotated text has a box that is larger than it.
        if box.overlaps(its) and not (one.get_rotation() % 90 or other.get_rotation() % 90):
            overlap = box.intersection(box, its)
            assert min(overlap.width, overlap.height) < 1, (one, other)


@pytest.mark.parametrize("what", ["map", "spectra", "scores", "bars", "ternary"])
def test_names_are_in_the_legend_however_they_begin(what):
    names = ("_under", "b$c", "<i>")
    ax = {
        "map": lambda: plot_label_map(LABELS, AXES, names, SHARES, "map"),
        "spectra": lambda: plot_spectra(ENERGY, SPECTRA, names, LINES),
        "scores": lambda: plot_density(density_on(POINTS, OF_POINTS, 3), names, ("1", "2"), "a"),
        "bars": lambda: plot_composition(*np.full((3, 3, 2), 50.0), names, ("S", "Fe"), "at%"),
        "ternary": lambda: plot_ternary(
            np.full((3, 3), 100 / 3), np.zeros((3, 3, 3)), ("S", "Fe", "Cu"), names
        ),
    }[what]()  # fmt: skip
    ax.figure.canvas.draw()
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [text.partition(" ")[0] for text in texts][:3] == list(names)


def is_drawn(text):
    """Whether a text is not that of a tick beyond its axis."""
    for axis in (axis for ax in text.figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if text in (tick.label1, tick.label2):
                margin = 1e-6 * (high - low)
                return low - margin <= tick.get_loc() <= high + margin
    return True
