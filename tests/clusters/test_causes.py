import numpy as np
import pytest
from planted import dense
from samples import grains, learned, light_element, two_phases

from hyperspy_clusterquant.clusters.causes import peaks_of, undeclared_causes

ENERGY = 0.2 + 0.01 * np.arange(900)


def peak(energy, sigma=0.05):
    return np.exp(-0.5 * ((ENERGY - energy) / sigma) ** 2)


@pytest.mark.parametrize(
    ("energy", "named"),  # of K alpha, from Bearden's tables
    [(0.392, "0.39 keV (N?)"), (0.525, "0.52 keV (O?)"), (4.511, "4.51 keV (Ti?)"),
     (8.048, "8.05 keV (Cu?)"), (1.740, "1.74 keV (Si?)"), (5.18, "5.18 keV")],
)  # fmt: skip
def test_peaks_are_named_after_the_lines_they_may_be(energy, named):
    (found,) = peaks_of(peak(energy), ENERGY, np.arange(900))
    assert found == named or abs(float(found.split()[0]) - energy) < 0.011
    assert found.partition("keV")[2] == named.partition("keV")[2]
    # Less of it is a change just as much, whatever its size.
    assert peaks_of(-1e3 * peak(energy), ENERGY, np.arange(900)) == [found]


def test_the_highest_peaks_are_named_first():
    change = peak(4.511) - 2 * peak(8.048) + 0.2 * peak(1.740)
    found = peaks_of(change, ENERGY, np.arange(900))
    assert [text.split("(")[1] for text in found] == ["Cu?)", "Ti?)"]


def test_peaks_are_found_in_merged_features():
    channels = np.arange(900) // 3
    channels[:10] = -1
    change = np.bincount(channels[10:], peak(4.511)[10:])
    (found,) = peaks_of(change, ENERGY, channels)
    assert found.endswith("(Ti?)")


def spectra_of(learning, labels):
    """Summed counts of clusters, largest first."""
    order = np.argsort(-np.bincount(labels.ravel()))
    counts = np.concatenate(learning.pixels.blocks.map(dense))
    return np.array([counts[labels.ravel() == k].sum(axis=0) for k in order])


def test_an_element_that_was_not_declared_is_the_cause():
    s = light_element(100)
    learning, profiles = learned(s)
    labels = np.asarray(s.metadata.Ground_truth.labels)
    (remark,) = undeclared_causes(learning, spectra_of(learning, labels), profiles)
    assert "cluster 1" in remark
    assert "(N?)" in remark
    # Without lines of elements, and of one cluster, there is nothing to say.
    assert undeclared_causes(learning, spectra_of(learning, labels), None) == []
    assert undeclared_causes(learning, spectra_of(learning, 0 * labels), profiles) == []


@pytest.mark.parametrize("make", [lambda: two_phases(8, 100.0, size=64), lambda: grains(64, 100.0)])
def test_declared_elements_need_no_cause(make):
    s = make()
    learning, profiles = learned(s)
    labels = np.asarray(s.metadata.Ground_truth.labels)
    assert undeclared_causes(learning, spectra_of(learning, labels), profiles) == []
