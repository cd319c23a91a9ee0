from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest
import samples
import xraylib

from hyperspy_clusterquant import ClusterResult, data
from hyperspy_clusterquant.clusters.phases import PhaseSpectra
from hyperspy_clusterquant.composition.intensities import Intensities
from hyperspy_clusterquant.composition.mixing import mixed_in

LINES = ("Cu_Ka", "Fe_Ka", "S_Ka")
K = {"Cu_Ka": 1.9, "Fe_Ka": 1.4, "S_Ka": 1.0}
MASSES = {element: xraylib.AtomicWeight(z) for element, z in (("Cu", 29), ("Fe", 26), ("S", 16))}
#: Each channel is one line, but for the last, which is none.
WINDOWS = np.eye(3, 4)


def phases_of(members, spectra):
    nothing = dict.fromkeys((field.name for field in fields(PhaseSpectra)), None)
    return PhaseSpectra(**nothing | {"members": np.array(members), "spectra": np.array(spectra)})


def measured_of(windows=WINDOWS):
    nothing = np.zeros((2, 3))
    return Intensities(LINES, nothing, nothing, np.zeros((2, 3, 3)), windows=windows)


def table_of(factors):
    return SimpleNamespace(kfactors=K, absorption_factors=np.array(factors))


def percent(counts, factors=(1.0, 1.0, 1.0)):
    """At% of counts of the lines, one element after the other."""
    amounts = [
        max(count, 0.0) * K[line] * factor / MASSES[line.partition("_")[0]]
        for count, line, factor in zip(counts, LINES, factors, strict=False)
    ]
    return 100 * np.array(amounts) / sum(amounts)


def test_what_was_mixed_in_is_the_difference_of_two_compositions():
    members = [[400.0, 500.0, 900.0, 50.0], [100.0, 300.0, 50.0, 9.0]]
    spectra = [[500.0, 450.0, 900.0, 70.0], [0.0, 600.0, 0.0, 9.0]]
    found = mixed_in(phases_of(members, spectra), measured_of(), table_of(np.ones((2, 3))))
    expected = [percent(own) - percent(phase) for own, phase in zip(members, spectra, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    # The second is iron alone, and what its pixels hold of the others is all mixed in.
    assert found[1, 1] == pytest.approx(percent(members[1])[1] - 100, rel=1e-4)
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-9)


def test_clusters_have_their_own_absorption():
    members, spectra = [[400.0, 500.0, 900.0, 0.0]] * 2, [[500.0, 450.0, 800.0, 0.0]] * 2
    factors = [[1.0, 1.0, 1.0], [1.0, 1.02, 1.4]]
    found = mixed_in(phases_of(members, spectra), measured_of(), table_of(factors))
    for own, factor in zip(found, factors, strict=True):
        expected = percent(members[0], factor) - percent(spectra[0], factor)
        np.testing.assert_allclose(own, expected, rtol=1e-4)
    assert np.abs(found[0] - found[1]).max() > 0.3


def test_areas_below_zero_are_nothing():
    """So are those of windows with more beside the line than in it."""
    windows = WINDOWS - [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    members, spectra = [[400.0, 500.0, 900.0, 60.0]] * 2, [[500.0, 40.0, 900.0, 70.0]] * 2
    found = mixed_in(phases_of(members, spectra), measured_of(windows), table_of(np.ones((2, 3))))
    expected = percent([400, 440, 900]) - percent([500, 0, 900])
    np.testing.assert_allclose(found, [expected] * 2, rtol=1e-4)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_where_nothing_was_taken_out_nothing_was_mixed_in():
    members = [[400.0, 500.0, 900.0, 50.0], [0.0, 0.0, 0.0, 50.0]]
    same = mixed_in(phases_of(members, members), measured_of(), table_of(np.ones((2, 3))))
    np.testing.assert_array_equal(same, 0)
    # Nor is anything known of what has no counts, or no phase.
    of_empty = phases_of(members, [[0.0, -5.0, 0.0, 50.0], [10.0, 0.0, 5.0, 9.0]])
    nothing = mixed_in(of_empty, measured_of(), table_of([[1, 1, 1], [np.nan] * 3]))
    np.testing.assert_array_equal(nothing, 0)


def test_of_a_map_it_is_the_difference_of_two_tables():
    """What fits of both say, and blur between phases of known compositions did."""
    s = samples.two_phases(30.0, counts_per_pixel=400.0, size=40, width=1.2, channels=512)
    truth = s.metadata.Ground_truth
    labels = np.asarray(truth.labels)
    memberships = (labels == np.arange(2)[:, None, None]).astype(float)
    result = ClusterResult(
        "true", "assigned", labels, memberships, np.zeros((labels.size, 1)), [2.0], 1.0
    )
    options = {"kfactors": truth.kfactors, "extra_elements": ["C", "Au"]}
    phase, member, hard = (
        s.cluster_quantification(result, weights=weights, **options)
        for weights in ("phase", "membership", "hard")
    )
    np.testing.assert_allclose(
        phase.mixing, member.atomic_percent - phase.atomic_percent, atol=0.05
    )
    np.testing.assert_allclose(phase.mixing, member.mixing, atol=0.02)
    np.testing.assert_allclose(phase.mixing, hard.mixing, atol=0.02)
    # From the true fractions of the pixels.
    amounts = np.asarray(truth.fractions) * np.asarray(truth.thickness)
    compositions = np.asarray(truth.compositions)
    for k in range(2):
        of_phases = (amounts * (labels == k)).sum(axis=(1, 2))
        atoms = of_phases @ atoms_per_count(s, truth)
        expected = 100 * atoms / atoms.sum() - compositions[k]
        std = np.hypot(phase.std[k], member.std_counting[k])
        assert (np.abs(phase.mixing[k] - expected) < 2.5 * std).all()
        assert (np.abs(expected) > 2.5 * std).all()


def atoms_per_count(s, truth):
    """Atoms of each element of the phases for one of their counts, of all lines, in the map."""
    axis = s.axes_manager.signal_axes[0]
    resolution = s.metadata.Acquisition_instrument.TEM.Detector.EDS.energy_resolution_MnKa
    compositions = np.asarray(truth.compositions)
    counts = [
        data._line_spectrum(
            axis.axis, axis.scale, dict(zip(truth.elements, of, strict=True)), resolution
        ).sum()
        for of in compositions
    ]
    return compositions / np.array(counts)[:, None]
