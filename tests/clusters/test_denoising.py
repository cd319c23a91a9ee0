import numpy as np
import pytest

from hyperspy_clusterquant.clusters.components import Reduction, line_basis
from hyperspy_clusterquant.clusters.denoising import LARGEST_CHANGE, denoised, without_nuisance
from hyperspy_clusterquant.clusters.nuisance import orthonormal


def test_denoised_spectra_differ_along_the_components_only(rng):
    profiles = rng.random((4, 60)) ** 8
    mean = profiles.sum(axis=0) + 0.1
    share = mean / mean.sum()
    basis = line_basis(profiles, share)
    axes = Reduction(share, basis[:, :1], np.ones(1), 0.5, 1.0, True, basis)
    spectra = rng.poisson(1e4 * np.array([share, share]))
    found = denoised(spectra, axes)
    np.testing.assert_allclose(found.sum(axis=1), spectra.sum(axis=1))
    whitened = (found / found.sum(axis=1, keepdims=True) - share) / np.sqrt(share)
    rest = whitened - (whitened @ basis[:, :1]) @ basis[:, :1].T
    np.testing.assert_allclose(rest, 0, atol=1e-9)


def test_other_directions_may_be_kept(rng):
    """Those of departures beside the components."""
    share = rng.dirichlet(np.ones(30))
    subspace = orthonormal(rng.standard_normal((2, 30)), share)
    axes = Reduction(share, subspace[:, :1], np.ones(1), 0.5, 1.0, True)
    shift = np.sqrt(share) * (0.01 * subspace[:, 1])
    spectra = 1e6 * np.array([share, share + shift])
    np.testing.assert_allclose(denoised(spectra, axes, subspace), spectra, rtol=1e-6)
    np.testing.assert_allclose(denoised(spectra, axes)[1], 1e6 * share, rtol=1e-6)


def test_spectra_without_noise_are_nearer_to_the_truth(rng):
    share = rng.dirichlet(np.ones(200))
    basis = orthonormal(rng.standard_normal((1, 200)), share)
    truth = share + 0.2 * np.sqrt(share) * basis[:, 0] * np.sqrt(share.min())
    counts = rng.poisson(2000 * truth, (20, 200))
    axes = Reduction(share, basis, np.ones(1), 0.5, 1.0, True)

    def misfit(spectra):
        shares = spectra / spectra.sum(axis=1, keepdims=True)
        return ((shares - truth) ** 2 / share).sum()

    # One direction of the noise in 200 is left.
    assert misfit(denoised(counts, axes)) < misfit(counts) / 50


@pytest.fixture
def wedge(rng):
    """Reduction with a nuisance, and spectra of two clusters that differ along it and otherwise."""
    share = np.full(40, 1 / 40)
    basis = orthonormal(rng.standard_normal((2, 40)), share)
    axes = Reduction(share, basis[:, 1:], np.ones(1), 0.5, 1.0, True, nuisance=basis[:, :1])
    change = np.outer([1, -1], 0.05 * basis[:, 0]) + np.outer([1, -1], 0.03 * basis[:, 1])
    return axes, 1e5 * (share + np.sqrt(share) * change), basis


@pytest.mark.parametrize("inside", [0.0, 0.01, 10.0])
def test_what_varies_inside_of_clusters_does_not_tell_them_apart(wedge, inside):
    """A pixel of 300 counts sees a nuisance with its own noise, and with what varies inside.

    The weight of an observation is one over its variance, so one over 1 + 300 times that of shares.
    """
    axes, spectra, basis = wedge
    found = without_nuisance(spectra, axes, np.array([[inside]]), 300.0)
    np.testing.assert_allclose(found.sum(axis=1), spectra.sum(axis=1))
    change = (found / 1e5 - axes.share) / np.sqrt(axes.share) @ basis
    np.testing.assert_allclose(
        change[:, 0], np.array([1, -1]) * 0.05 / (1 + 300 * inside), atol=1e-9
    )
    np.testing.assert_allclose(change[:, 1], [0.03, -0.03], atol=1e-9)


def test_spectra_that_are_very_different_stay_different(wedge):
    """No feature more than doubles or halves, but for the sum that is kept."""
    axes, spectra, _ = wedge
    spectra = spectra * np.where(np.arange(40) < 5, 30, 1)
    found = without_nuisance(spectra, axes, np.array([[1e3]]), 300.0)
    ratio = found / spectra
    assert (ratio.max(axis=1) / ratio.min(axis=1)).max() <= LARGEST_CHANGE**2 * (1 + 1e-9)
    assert ratio.std() > 0.01
