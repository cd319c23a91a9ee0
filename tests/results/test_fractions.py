import pickle
import re

import numpy as np
import pytest
from tables import AXES

from hyperspy_clusterquant.results.fractions import PhaseFractions

SHARES = np.random.default_rng(0).dirichlet(np.ones(3), (4, 6)).transpose(2, 0, 1)
SHARES[:, 1, 2] = np.nan  # left out


def fractions(**changes):
    """Two phases and noise on a map of 4 x 6 pixels."""
    values = {
        "names": ("core", "the <shell>", "in no cluster"),
        "counts": SHARES.astype(np.float32),
        "areas": SHARES[::-1].astype(np.float32),
        "count_fraction": np.array([0.62, 0.356, 0.024]),
        "count_fraction_std": np.array([0.011, 0.012, 0.004]),
        "area_fraction": np.array([0.5, 0.45, 0.05]),
        "area_fraction_std": np.array([0.02, 0.021, 0.005]),
        "axes": AXES,
    }
    return PhaseFractions(**(values | changes))


IN_ATOMS = {
    "atoms": SHARES[:2] / SHARES[:2].sum(axis=0),
    "atomic_fraction": np.array([0.71234, 0.28766]),
    "atomic_fraction_std": np.array([0.0123, 0.0123]),
    "elements": ("Fe", "Pt"),
    "bulk_percent": np.array([61.23, 38.77]),
    "bulk_std": np.array([0.41, 0.41]),
}


@pytest.mark.parametrize("of", ["counts", "areas", "atoms"])
def test_maps_are_images_of_the_phases(of):
    found = fractions(**IN_ATOMS)
    stack = found.maps(of)
    expected = getattr(found, of)
    np.testing.assert_array_equal(stack.data, expected)
    (phase,) = stack.axes_manager.navigation_axes
    assert (phase.name, phase.size) == ("phase", len(expected))
    for axis, wanted in zip(stack.axes_manager.signal_axes, AXES[::-1], strict=True):
        assert (axis.name, axis.size) == (wanted["name"], wanted["size"])
        assert (axis.scale, axis.units) == (wanted["scale"], wanted["units"])
    np.testing.assert_array_equal(stack.inav[1].data, expected[1])
    assert np.isnan(stack.isig[2, 1].data).all()
    assert stack.metadata.General.title == f"Share of phases in {of}"
    stack.data[0, 0, 0] = -1  # of the image, not of what is known
    assert getattr(found, of)[0, 0, 0] >= 0


def test_maps_are_of_counts_unless_said():
    np.testing.assert_array_equal(fractions().maps().data, fractions().counts)


def test_a_line_scan_has_lines():
    line = fractions(counts=SHARES[:, 0], axes=AXES[1:]).maps()
    assert line.axes_manager.navigation_shape == (3,)
    assert line.axes_manager.signal_shape == (6,)
    np.testing.assert_array_equal(line.data, SHARES[:, 0])


def test_atoms_need_compositions():
    with pytest.raises(ValueError, match=r"pass the table of s\.cluster_quantification\(result\)"):
        fractions().maps("atoms")
    with pytest.raises(ValueError, match="`of` must be one of 'counts', 'areas', 'atoms'"):
        fractions(**IN_ATOMS).maps("weight")


def test_data_frame_is_in_percent():
    frame = fractions(**IN_ATOMS).to_dataframe()
    assert list(frame.index) == ["core", "the <shell>", "in no cluster"]
    assert list(frame.columns) == [
        (kind, what) for kind in ("area", "counts", "atoms") for what in ("%", "std")
    ]
    assert frame.loc["core", ("counts", "%")] == pytest.approx(62)
    assert frame.loc["core", ("counts", "std")] == pytest.approx(1.1)
    assert frame.loc["in no cluster", ("area", "%")] == pytest.approx(5)
    assert frame.loc["the <shell>", ("atoms", "%")] == pytest.approx(28.766)
    assert np.isnan(frame.loc["in no cluster", "atoms"]).all()
    assert (
        list(fractions().to_dataframe().columns.get_level_values(0))
        == ["area"] * 2 + ["counts"] * 2
    )


def cells(text, row):
    """Texts of the columns of a row."""
    (line,) = [line for line in text.splitlines() if line.startswith(row)]
    return re.split(r"  +", line.strip())


def test_told_as_text():
    text = repr(fractions(**IN_ATOMS))
    assert cells(text, "phase") == ["phase", "% of area", "% of counts", "% of atoms"]
    assert cells(text, "core") == ["core", "50.0 ± 2.0", "62.0 ± 1.1", "71.2 ± 1.2"]
    assert cells(text, "in no") == ["in no cluster", "5.00 ± 0.50", "2.40 ± 0.40", "-"]
    assert "The phases together hold Fe 61.23 ± 0.41, Pt 38.77 ± 0.41 at%" in text
    without = repr(fractions())
    assert "atoms" not in without
    assert "hold" not in without


def test_told_as_html():
    html = fractions(**IN_ATOMS)._repr_html_()
    assert html.count("<tr>") == 4
    assert "<td>71.2 ± 1.2</td>" in html
    assert "the &lt;shell&gt;" in html
    assert "<shell>" not in html
    assert "<p>The phases together hold Fe 61.23" in html


def test_they_do_not_change():
    found = fractions(**IN_ATOMS)
    with pytest.raises(ValueError, match="read-only"):
        found.counts[0, 0, 0] = 1
    same = pickle.loads(pickle.dumps(found))
    assert same == found
    assert repr(same) == repr(found)
    assert found != fractions()
