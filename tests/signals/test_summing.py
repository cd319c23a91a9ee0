"""Spectra of clusters and of phases as signals."""

import numpy as np
import pytest
import samples

from hyperspy_clusterquant import ClusteredEDSSpectrum, data
from hyperspy_clusterquant.clusters.labels import MASKED

LIVE_TIME = "Acquisition_instrument.TEM.Detector.EDS.live_time"


class Map:
    """A map with two results, and the spectra of the phases of one."""

    def __init__(self):
        self.signal = data.six_cation_sulfide((56, 64), 512)
        self.result = self.signal.cluster_pca_gmm(4)
        self.merged = self.signal.keep_clusters(self.result.merge([2, 3]), "merged")
        self.phases = self.signal.get_cluster_spectra(self.result, "phase")


@pytest.fixture(scope="module")
def found():
    return Map()


def variances(spectra):
    return spectra.metadata.Signal.Noise_properties.variance


def true_spectra(s):
    """Of the phases, with sum one above the carbon of the film."""
    truth, energy = s.metadata.Ground_truth, s.axes_manager.signal_axes[0].axis
    spectra, _ = data._phase_spectra(
        energy, energy[1] - energy[0], list(truth.elements), np.asarray(truth.compositions), 130.0
    )
    spectra = spectra[:, energy > 1]
    return spectra / spectra.sum(axis=1, keepdims=True), energy > 1


def test_spectra_of_phases_are_a_signal(found):
    spectra = found.phases
    assert type(spectra) is ClusteredEDSSpectrum
    assert spectra.data.shape == (4, 512)
    assert spectra.metadata.General.title == "Spectra of pca_gmm"
    (axis,) = spectra.axes_manager.navigation_axes
    assert (axis.name, axis.size) == ("cluster", 4)
    energy, of_map = (of.axes_manager.signal_axes[0] for of in (spectra, found.signal))
    assert (energy.scale, energy.offset, energy.units, energy.name) == (
        of_map.scale, of_map.offset, of_map.units, of_map.name
    )  # fmt: skip
    assert spectra.metadata.Sample.elements == found.signal.metadata.Sample.elements


def chi_square(spectra, s, result):
    """Per channel, of counts and the truth of the phases, (n_clusters,)."""
    truth, used = true_spectra(s)
    labels = np.asarray(s.metadata.Ground_truth.labels)
    found = []
    for k, (counts, variance) in enumerate(
        zip(spectra.data[:, used], variances(spectra).data[:, used], strict=True)
    ):
        own = truth[np.bincount(labels[(result.labels == k) & (labels >= 0)]).argmax()]
        expected = own * counts.sum()
        some = expected > 5  # where there is no count, there is nothing to be learned
        found.append(np.mean((counts - expected)[some] ** 2 / variance[some]))
    return np.array(found)


def test_spectra_of_phases_are_those_of_the_sample():
    """Within their variances, where those of the pixels are not."""
    s = samples.grains(64, width=1.5, channels=512)
    result = s.cluster_pca_gmm(4)
    of_phases, of_members = (
        chi_square(s.get_cluster_spectra(result, weights), s, result)
        for weights in ("phase", "membership")
    )
    assert (of_phases > 0.7).all()
    assert (of_phases < 1.6).all()
    # One of the phases is about what the others are together.
    assert np.sum(of_members > 4) == 3


def test_variances_are_positive_where_counts_are(found):
    variance = variances(found.phases)
    assert variance.data.shape == (4, 512)
    assert (variance.data >= 0).all()
    there = found.signal.data.sum(axis=(0, 1)) > 50
    assert there.sum() > 300
    assert (variance.data[:, there] > 0).all()
    assert variance.axes_manager.signal_axes[0].scale == found.phases.axes_manager[-1].scale


def test_live_times_are_those_of_the_areas(found):
    """The share of each pixel that is of the phase, times the time of a pixel."""
    live_time = found.phases.metadata.get_item(LIVE_TIME)
    assert live_time.shape == (4,)
    assert (live_time > 0).all()
    of_pixel = found.signal.metadata.get_item(LIVE_TIME)
    keep = found.result.labels != MASKED
    areas = np.sum(found.signal.metadata.Ground_truth.fractions[:, keep], axis=1)
    np.testing.assert_allclose(live_time, areas * of_pixel, rtol=0.05)
    assert live_time.sum() == pytest.approx(keep.sum() * of_pixel, rel=0.02)


def test_sums_weighted_with_memberships_are_these(found):
    s, result = found.signal, found.result
    for weights, of_pixels in (
        ("membership", result.memberships.astype(float)),
        ("hard", (result.labels == np.arange(4)[:, None, None]).astype(float)),
    ):
        spectra = s.get_cluster_spectra(result, weights)
        np.testing.assert_allclose(
            spectra.data, np.einsum("kyx,yxc->kc", of_pixels, s.data), rtol=1e-6, atol=1e-9
        )
        np.testing.assert_allclose(
            variances(spectra).data, np.einsum("kyx,yxc->kc", of_pixels**2, s.data),
            rtol=1e-6, atol=1e-9,
        )  # fmt: skip
        expected = of_pixels.sum(axis=(1, 2)) * s.metadata.get_item(LIVE_TIME)
        np.testing.assert_allclose(spectra.metadata.get_item(LIVE_TIME), expected, rtol=1e-6)
    np.testing.assert_array_equal(
        s.get_cluster_spectra(result).data, s.get_cluster_spectra(result, "membership").data
    )


@pytest.mark.parametrize("weights", ["phase", "membership", "hard"])
def test_several_results(found, weights):
    s = found.signal
    both = s.get_cluster_spectra([found.result, "merged"], weights)
    assert [of.data.shape for of in both] == [(4, 512), (3, 512)]
    assert [of.metadata.General.title for of in both] == ["Spectra of pca_gmm", "Spectra of merged"]
    for of, result in zip(both, (found.result, found.merged), strict=True):
        alone = s.get_cluster_spectra(result, weights)
        np.testing.assert_allclose(of.data, alone.data, rtol=1e-9)
        np.testing.assert_allclose(variances(of).data, variances(alone).data, rtol=1e-9)
    (one,) = s.get_cluster_spectra((found.result,), weights)
    np.testing.assert_allclose(one.data, both[0].data, rtol=1e-9)


def test_spectra_of_phases_are_quantified_as_the_phases_are(found):
    """One by one, as a user may fit them with something else."""
    s = found.signal
    options = {"kfactors": s.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    table = s.cluster_quantification(found.result, **options)
    for k in (0, 2):
        single = found.phases.inav[k].cluster_quantification(**options)
        difference = np.abs(single.atomic_percent[0] - table.atomic_percent[k])
        assert (difference < table.std_counting[k]).all()


def test_energies_that_run_down(found):
    down = found.signal.deepcopy()
    axis = down.axes_manager.signal_axes[0]
    axis.offset, axis.scale = float(axis.axis[-1]), -axis.scale
    down.data = down.data[..., ::-1]
    spectra = down.get_cluster_spectra(found.result, "phase")
    np.testing.assert_allclose(spectra.data[:, ::-1], found.phases.data, rtol=1e-4, atol=1e-2)
    assert spectra.axes_manager.signal_axes[0].scale < 0


def test_what_is_no_choice(found):
    s = found.signal
    with pytest.raises(ValueError, match="`weights` must be one of 'phase', 'membership', 'hard'"):
        s.get_cluster_spectra(found.result, "phases")
    with pytest.raises(ValueError, match=r"The list of results is empty: name .* s\.clusters"):
        s.get_cluster_spectra([], "phase")
