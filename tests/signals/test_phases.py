"""Phases of maps as users have them: cropped, binned, merged, lazy, of other dimensions."""

import copy
from dataclasses import replace

import dask
import hyperspy.api as hs
import numpy as np
import pytest
import samples

from hyperspy_clusterquant import ClusterResult, data
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.signals.phases import phases_of

UNKNOWN = "The result does not say by which spectra its pixels were labelled"


def options(s):
    return {"kfactors": s.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}


def quantified(s, result=None, **more):
    return s.cluster_quantification(result, weights="phase", **options(s), **more)


def deviation(table, truth):
    """In stated standard deviations; k-factors are exact."""
    return (table.atomic_percent - truth) / np.hypot(table.std_counting, table.std_mixing)


def is_true(table, truth):
    """Whether a composition is the truth within its errors, and these are not large."""
    z = deviation(table, truth)
    assert np.abs(z).max() < 4
    assert np.sqrt(np.mean(z**2)) < 1.7
    assert np.sqrt(np.mean((table.atomic_percent - truth) ** 2)) < 0.5


def is_said(table):
    return [text for text in table.remarks if text.startswith(UNKNOWN)]


class Map:
    """A map, its clusters, and their phases."""

    def __init__(self):
        self.signal = data.six_cation_sulfide(64, 512)
        self.result = self.signal.cluster_pca_gmm(4)
        self.table = quantified(self.signal)
        self.truth = samples.truth_of(self.signal, self.result)


@pytest.fixture(scope="module")
def sulfide_map():
    return Map()


@pytest.fixture
def s(sulfide_map):
    return sulfide_map.signal


@pytest.fixture
def result(sulfide_map):
    return sulfide_map.result


@pytest.fixture
def table(sulfide_map):
    return sulfide_map.table


@pytest.fixture
def truth(sulfide_map):
    return sulfide_map.truth


def test_whole_map(table, truth):
    is_true(table, truth)
    assert not is_said(table)


# --- what is known of how pixels were labelled ----------------------------------------------


def test_a_result_that_does_not_say_how_it_was_labelled(s, result, table, truth):
    older = replace(result, label_spectra=None)
    found = quantified(s, older)
    (remark,) = is_said(found)
    assert "Cluster the map again" in remark
    assert remark in str(found)
    assert remark in found.phase_remarks
    # At 180 counts per pixel, selection is little.
    assert np.abs(found.atomic_percent - table.atomic_percent).max() < 0.3
    assert (found.atomic_percent != table.atomic_percent).any()


def test_of_labels_by_hand_there_is_nothing_to_say(s, result):
    """They do not follow from the counts."""
    labels = np.asarray(s.metadata.Ground_truth.labels, dtype=int)
    memberships = (labels == np.arange(4)[:, None, None]).astype(float)
    by_hand = ClusterResult(
        "true", "by hand", labels, memberships, np.zeros((np.sum(labels >= 0), 1)), [2.0], 1.0
    )
    found = quantified(s, by_hand)
    is_true(found, samples.truth_of(s, by_hand))
    assert not is_said(found)


def test_what_selection_moved_is_taken_off_the_members(s):
    """Of pixels with few counts; the sums of all clusters stay what they are."""
    dim = data.six_cation_sulfide(64, 512, 20.0)
    result = dim.cluster_pca_gmm(4)
    phases, keep = phases_of(dim, result, lambda *_: None)
    truth = dim.metadata.Ground_truth
    energy = dim.axes_manager.signal_axes[0].axis
    used = energy > 1  # above the carbon of the film
    spectra, _ = data._phase_spectra(
        energy, energy[1] - energy[0], list(truth.elements), np.asarray(truth.compositions), 130.0
    )
    held = result.memberships[:, keep] @ (truth.fractions * truth.thickness)[:, keep].T
    expected = (held @ spectra)[:, used]
    plain = (result.memberships[:, keep] @ dim.data[keep].astype(float))[:, used]
    members = phases.members[:, used]
    # The dose is that of all counts together.
    expected *= plain.sum() / expected.sum()
    noise = np.sqrt(phases.member_variances[:, used] + 1)
    off, of_plain = (np.mean(((of - expected) / noise) ** 2) for of in (members, plain))
    assert off < 1.2
    assert of_plain > 1.3 * off
    np.testing.assert_allclose(members.sum(axis=0), plain.sum(axis=0), rtol=1e-6, atol=1e-3)


# --- other energies -------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Left out of everything that needs X-ray lines. C")
@pytest.mark.parametrize("energies", [(1.0, 9.0), (2.0, 9.5)])
def test_cropped_energies(s, table, truth, energies):
    cropped = s.isig[slice(*energies)]
    found = quantified(cropped)
    assert not is_said(found)
    assert (np.abs(found.atomic_percent - table.atomic_percent) < 3 * table.std).all()
    is_true(found, truth)


def test_channels_that_are_taken_together(s, table, truth):
    wider = s.rebin(scale=(1, 1, 2))
    found = quantified(wider)
    assert not is_said(found)
    assert (np.abs(found.atomic_percent - table.atomic_percent) < 3 * table.std).all()
    is_true(found, truth)


def test_energies_beyond_those_of_the_labels(s, result):
    """Where nothing was looked at, nothing was chosen: the counts there stay as they are."""
    narrow = s.isig[1.0:9.0].cluster_pca_gmm(4)
    assert narrow.label_spectra.shape[1] < 512
    phases, keep = phases_of(s, replace(narrow, name="narrow"), lambda *_: None)
    energy = s.axes_manager.signal_axes[0].axis
    plain = narrow.memberships[:, keep] @ s.data[keep].astype(float)
    outside = (energy < 0.97) | (energy > 9.03)
    np.testing.assert_allclose(phases.members[:, outside], plain[:, outside], atol=0.01)
    assert np.abs(phases.members - plain).max() > 0.3


# --- other pixels ---------------------------------------------------------------------------


def test_a_part_of_the_map(s, truth):
    part = s.inav[8:56, 4:]
    found = quantified(part)
    is_true(found, truth)
    assert not is_said(found)


def test_bins_of_pixels(s, truth):
    binned = s.rebin(scale=(2, 2, 1))
    found = quantified(binned)
    is_true(found, truth)
    # Their memberships are means of those of pixels.
    assert is_said(found)


def test_merged_clusters_hold_what_their_phases_do_together(s, result, truth):
    merged = result.merge([0, 3])
    found = quantified(s, merged)
    assert not is_said(found)
    true = s.metadata.Ground_truth
    energy = s.axes_manager.signal_axes[0].axis
    phases = [dict(zip(true.elements, of, strict=True)) for of in true.compositions]
    photons = [data._line_spectrum(energy, energy[1] - energy[0], of, 130.0).sum() for of in phases]
    amounts = np.sum((true.fractions * true.thickness)[:, result.labels != MASKED], axis=1)
    both = amounts[[0, 3]] / np.array(photons)[[0, 3]] @ true.compositions[[0, 3]]
    both = (100 * both / both.sum())[np.argsort(true.elements)]
    np.testing.assert_allclose(truth[0], true.compositions[0][np.argsort(true.elements)])
    expected = np.array([both, *truth[1:3]])
    assert np.abs(deviation(found, expected)).max() < 4
    np.testing.assert_allclose(found.atomic_percent[0], both, atol=2)
    # That they are two is uncertainty of what the one is.
    assert found.std_mixing[0].max() > 2 * found.std_mixing[1].max()


def test_renamed_clusters(s, result, table):
    found = quantified(s, result.rename({2: "jalpaite"}))
    assert found.cluster_names[2] == "jalpaite"
    np.testing.assert_array_equal(found.atomic_percent, table.atomic_percent)
    assert not is_said(found)


def test_clusters_of_another_map(result):
    other = data.six_cation_sulfide(56, 512, seed=7)
    assigned = other.assign_clusters(result)
    found = quantified(other, assigned)
    is_true(found, samples.truth_of(other, assigned))
    assert not is_said(found)


# --- how maps are stored --------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [None, (7, 30, 100), (64, 1, 512)])
def test_lazy_maps_in_other_chunks(s, table, chunks):
    lazy = s.as_lazy()
    if chunks is not None:
        lazy.data = lazy.data.rechunk(chunks)
    found = quantified(lazy)
    assert (np.abs(found.atomic_percent - table.atomic_percent) < 0.1 * table.std).all()
    np.testing.assert_allclose(found.std, table.std, rtol=0.01)


def test_energies_that_run_down_and_another_order_in_memory(s, table):
    other_order = s.deepcopy()
    other_order.data = np.asfortranarray(s.data)
    down = s.deepcopy()
    axis = down.axes_manager.signal_axes[0]
    axis.offset, axis.scale = float(axis.axis[-1]), -axis.scale
    down.data = down.data[..., ::-1]
    for other in (other_order, down):
        found = quantified(other)
        assert (np.abs(found.atomic_percent - table.atomic_percent) < 0.1 * table.std).all()


def test_the_map_stays_as_it_is(s, result):
    def state():
        return s.data, s.metadata.as_dictionary(), s.axes_manager.as_dictionary()

    before = copy.deepcopy(state())
    quantified(s, result, embedded={0: 1}, background=2)
    s.get_cluster_spectra(result, weights="phase")
    s.phase_fractions(result)
    np.testing.assert_equal(state(), before)
    assert s.clusters["pca_gmm"] == result


def test_workers_give_the_same(s, table, client):
    lazy = s.as_lazy()
    lazy.data = lazy.data.rechunk((30, 40, 200))
    found, spectra = quantified(lazy), lazy.get_cluster_spectra(weights="phase")
    assert (np.abs(found.atomic_percent - table.atomic_percent) < 0.1 * table.std).all()
    with dask.config.set(scheduler="threads"):
        alone = s.get_cluster_spectra(weights="phase")
    np.testing.assert_allclose(spectra.data, alone.data, atol=1e-3 * alone.data.max())


# --- one cluster, other dimensions ----------------------------------------------------------


def test_one_cluster_is_all_that_there_is():
    s = data.seven_cation_nanoparticles(40, 512)
    result = s.cluster_pca_gmm(1)
    phase = s.get_cluster_spectra(weights="phase")
    plain = s.data[result.labels == 0].sum(axis=0)
    np.testing.assert_allclose(phase.data, plain[None])
    variance = phase.metadata.Signal.Noise_properties.variance.data
    np.testing.assert_allclose(variance, plain[None])
    found = quantified(s)
    np.testing.assert_allclose(found.std_mixing, 0, atol=1e-9)
    np.testing.assert_allclose(found.mixing, 0, atol=1e-9)
    assert not is_said(found)
    # Nor does it matter how it was labelled.
    assert not is_said(quantified(s, replace(result, label_spectra=None)))


def by_hand(labels, n_clusters):
    of_axes = np.reshape(np.arange(n_clusters), [-1] + [1] * labels.ndim)
    return ClusterResult(
        "true", "by hand", labels, (labels == of_axes).astype(float),
        np.zeros((labels.size, 1)), [2.0], 1.0,
    )  # fmt: skip


def layered():
    """A line through layers that the beam blurs, and its true labels."""
    s = samples.layers([8] * 9, 3000.0, width=1.2, length=2, channels=512)
    return s.inav[:, 0], np.asarray(s.metadata.Ground_truth.labels[0], dtype=int)


def test_a_line_scan():
    line, labels = layered()
    result = by_hand(labels, 2)
    truth = np.array([[30.0, 50.0, 20.0], [2.0, 50.0, 48.0]])  # Al, As, Ga
    found = quantified(line, result)
    is_true(found, truth)
    members = line.cluster_quantification(result, weights="membership", **options(line))
    assert np.abs(members.atomic_percent - truth).max() > 3
    phases, _ = phases_of(line, result, lambda *_: None)
    assert phases.width == pytest.approx(1.2, abs=0.1)


def test_the_beam_does_not_blur_along_a_stack():
    """A map on another one, with other places of its phases."""
    maps = [samples.two_phases(20, 100.0, seed, size=48, channels=512) for seed in (0, 1)]
    labels = [np.asarray(s.metadata.Ground_truth.labels, dtype=int) for s in maps]
    assert np.mean(labels[0] != labels[1]) > 0.3
    stack = hs.stack(maps)
    stack.set_signal_type("EDS_TEM_clustered")
    assert stack.axes_manager.navigation_shape == (48, 48, 2)
    phases, _ = phases_of(stack, by_hand(np.array(labels), 2), lambda *_: None)
    assert phases.width == pytest.approx(0.8, abs=0.1)
    shares = phases.shares.reshape(2, 2, 48, 48)
    for n, (s, of) in enumerate(zip(maps, labels, strict=True)):
        alone, _ = phases_of(s, by_hand(of, 2), lambda *_: None)
        assert np.abs(shares[:, n] - alone.shares.reshape(2, 48, 48)).max() < 0.05
    truth = np.array([maps[0].metadata.Ground_truth.compositions[k] for k in (0, 1)])
    found = stack.cluster_quantification(by_hand(np.array(labels), 2), **options(maps[0]))
    is_true(found, truth)
