import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from hyperspy_clusterquant import CompositionProfile
from hyperspy_clusterquant.results.profile import Interface
from hyperspy_clusterquant.xrays.kfactors import KFactors

WELL = Interface(4.5, 0.06, 2.55, 0.19, 1.89, 1.71, 0.28, "Al", "barrier", "well")
UNKNOWN = Interface(7.5, 0.3, np.nan, np.nan, 1.89, np.nan, np.nan, "Ga", "well", "barrier")


def profile(**changes):
    """Two elements in ten steps."""
    al = np.linspace(30.0, 2.0, 10)
    percent = np.stack([al, 100 - al], axis=1)
    given = {
        "distance": 2.0 * np.arange(10),
        "elements": ("Al", "Ga"),
        "xray_lines": ("Al_Ka", "Ga_Ka"),
        "atomic_percent": percent,
        "std": np.full((10, 2), 0.83),
        "pixels": np.full(10, 48),
        "counts": np.arange(7000, 7010),
        "deblurred": percent + 0.5,
        "deblurred_std": np.full((10, 2), 1.1),
        "blur": 0.74,
        "blur_std": 0.04,
        "unit": "nm",
        "interfaces": (WELL, UNKNOWN),
        "kfactors": KFactors({"Al_Ka": 1.1, "Ga_Ka": 1.9}),
        "line": (0.0, 5.0, 18.0, 5.0),
        "width": 48.0,
        "step": 2.0,
    }
    return CompositionProfile(**given | changes)


#: As without a clustering result.
PLAIN = {
    "deblurred": None, "deblurred_std": None, "blur": np.nan, "blur_std": np.nan, "interfaces": (),
}  # fmt: skip


def test_text_says_what_there_is():
    text = repr(profile())
    assert "10 steps from 0 to 18 nm along the line, with 48 pixels and 7000 to 7009 counts" in text
    assert "Al       Al_Ka  2.00        30.00        0.83" in text
    line = next(line for line in text.splitlines() if line.startswith("barrier | well"))
    assert line.split() == [
        "barrier", "|", "well", "4.500", "±", "0.060", "Al", "2.55", "±", "0.19", "1.89",
        "1.71", "±", "0.28",
    ]  # fmt: skip
    line = next(line for line in text.splitlines() if line.startswith("well | barrier"))
    assert line.split()[3:] == ["7.50", "±", "0.30", "Ga", "-", "1.89", "-"]
    assert "sigma 0.740 ± 0.040 nm" in text
    html = profile()._repr_html_()
    assert html.count("<table") == 2
    assert ">barrier | well</td>" in html


def test_text_without_clusters_and_without_counts():
    text = repr(profile(**PLAIN))
    assert "Blur" not in text
    assert "interface" not in text
    nothing = np.full((10, 2), np.nan)
    assert "Al       Al_Ka  -" in repr(profile(atomic_percent=nothing, std=nothing))


def test_one_row_for_each_step():
    made = profile()
    frame = made.to_dataframe()
    assert frame.index.name == "distance (nm)"
    np.testing.assert_array_equal(frame.index, made.distance)
    np.testing.assert_array_equal(frame["Ga (at%)"], made.atomic_percent[:, 1])
    np.testing.assert_array_equal(frame["Ga std"], made.std[:, 1])
    np.testing.assert_array_equal(frame["Al deblurred (at%)"], made.deblurred[:, 0])
    np.testing.assert_array_equal(frame["Al deblurred std"], made.deblurred_std[:, 0])
    np.testing.assert_array_equal(frame["counts"], made.counts)
    plain = profile(**PLAIN).to_dataframe()
    assert list(plain) == ["pixels", "counts", "Al (at%)", "Al std", "Ga (at%)", "Ga std"]


def test_csv_reads_back(tmp_path):
    made = profile()
    made.to_csv(tmp_path / "profile.csv")
    read = pd.read_csv(tmp_path / "profile.csv", index_col=0)
    pd.testing.assert_frame_equal(read, made.to_dataframe())


def test_nobody_changes_a_profile():
    made = profile()
    with pytest.raises(ValueError, match="read-only"):
        made.deblurred[0] = 0
    for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert other == made
        assert not other.atomic_percent.flags.writeable
    assert profile(interfaces=(WELL,)) != made
    # NaN is NaN.
    assert profile() == made


def test_picture_of_a_profile():
    ax = profile().plot()
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(lines["Al"].get_ydata(), profile().deblurred[:, 0])
    marked = [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]
    assert marked == [4.5, 7.5]
    plain = profile(**PLAIN)
    assert plain.plot(ax) is ax
