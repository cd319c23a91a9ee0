"""What is said of clusters that vary inside, and of those that do not."""

from dataclasses import replace

import numpy as np
import pytest
import tables
from made_homogeneity import NAN, made

from hyperspy_clusterquant.results.homogeneity import Departure


def test_sentences():
    varies, homogeneous, unknown = made().summary
    assert varies == (
        "Inside 'cluster 0', Ca varies by 60 %, from 20 to 310 % of its mean (p < 1e-4), most at "
        "x = 12 nm, y = 40 nm: 36 pixels with 3.2 times as much."
    )
    assert homogeneous == (
        "'cluster 1' is homogeneous as far as 300 of its 400 pixels tell (others lie in the blur "
        "of borders): in grains of 8 pixels, a variation by 2 % of S, 12 % of Ca would have been "
        "seen."
    )
    assert unknown == (
        "Whether 'cluster 2' varies inside cannot be told: 3 of its 20 pixels lie beyond the blur "
        "of its borders."
    )


def test_several_lines_vary():
    p = np.array([[1e-9, 1e-5, 1e-4], [0.6, 0.2, 0.7], [NAN] * 3])
    assert made(p_values=p).summary[0].endswith("; so do Fe and S.")
    p[0, 2] = 0.5
    assert made(p_values=p).summary[0].endswith("; so does Fe.")
    assert made(p_values=p).varies.tolist() == [[True, True, False], [False] * 3, [False] * 3]


@pytest.mark.parametrize(
    ("size", "words"),
    [(25.0, "with 25 % more"), (-30.0, "with 30 % less"), (-104.0, "with next to none"),
     (NAN, "36 pixels.")],
)  # fmt: skip
def test_size_of_a_departure(size, words):
    first, *others = made().departures
    assert words in made(departures=(replace(first, size=size), *others)).summary[0]


def test_place_that_chance_explains_is_not_named():
    first, *others = made().departures
    assert "most at" not in made(departures=(replace(first, p_value=0.3), *others)).summary[0]


def test_no_line_by_itself():
    """Together they vary; the clearest is named."""
    p = np.array([[0.04, 0.3, 0.5], [0.6, 0.2, 0.7], [NAN] * 3])
    found = made(p_values=p, cluster_p_values=np.array([1e-3, 0.4, NAN]))
    assert not found.varies.any()
    assert found.inhomogeneous.tolist() == [True, False, False]
    assert found.summary[0].startswith(
        "Inside 'cluster 0', Ca varies by 60 %, from 20 to 310 % of its mean (p = 0.001)"
    )


def test_absorption():
    """What it may be, beside what it is, and of too few lines."""
    told = np.array([[False, True, True], [True] * 3, [True] * 3])
    p = np.array([[NAN, 0.3, 0.5], [0.6, 0.2, 0.7], [NAN] * 3])
    given = dict(told_from_absorption=told, cluster_p_values=np.array([0.3, 0.4, NAN]))
    assert made(p_values=p, **given).summary[0] == (
        "Inside 'cluster 0', Ca varies as absorption or a drift of the energies can make it, and "
        "nothing beyond that is seen."
    )
    assert "60 (a)" in repr(made(p_values=p, **given))
    nothing_told = np.zeros((3, 3), dtype=bool)
    together = dict(told_from_absorption=nothing_told, cluster_p_values=np.array([1e-3, 0.4, NAN]))
    assert made(p_values=p, **together).summary[0] == (
        "Inside 'cluster 0', Ca varies as absorption or a drift of the energies can make it; all "
        "lines together vary by more than that (p = 0.001), though none by itself does."
    )
    few = made(p_values=np.full((3, 3), NAN), **given).summary[0]
    assert "of so few lines this cannot be told from absorption" in few


def test_too_few_counts():
    limits = np.full((3, 3), 300.0)
    said = made(detection_limits=limits).summary[1]
    assert said == "Whether 'cluster 1' varies inside cannot be told: it has too few counts."


def test_level_counts_clusters():
    """0.03 in one of two clusters is chance."""
    p = np.array([[0.9] * 3, [0.6, 0.2, 0.7], [NAN] * 3])
    found = made(
        p_values=p, dose_p_values=p, cluster_p_values=np.array([0.03, 0.4, NAN]),
    )  # fmt: skip
    assert not found.inhomogeneous.any()
    assert "homogeneous" in found.summary[0]
    assert replace(found, level=0.1).inhomogeneous[0]


def test_table_and_dataframe():
    text = repr(made())
    assert "60 ± 5" in text
    assert "450 of 500" in text
    assert "< 1.5" in text
    assert all(sentence in text for sentence in made().summary)
    assert "<table" in made()._repr_html_()
    frame = made().to_dataframe()
    assert len(frame) == 9
    assert frame.loc[0, "variation (%)"] == 60
    assert frame["varies"].tolist() == [True] + [False] * 8


def test_names_of_axes():
    unnamed = tuple(dict(axis, name="", units="") for axis in tables.AXES)
    assert "x = 12, y = 40" in made(axes=unnamed).summary[0]
    line = made(axes=unnamed[:1], departures=(
        Departure("cluster 0", "Ca_Ka", (7.0,), 3, 20.0, 1e-8), None, None))  # fmt: skip
    assert "at x = 7: 3 pixels" in line.summary[0]
