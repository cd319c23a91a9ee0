import numpy as np
import pytest
from scipy import sparse

from hyperspy_clusterquant.clusters.components import (
    ACCURACY,
    cross_products,
    find_axes,
    line_basis,
    project,
    whitened_scores,
)
from hyperspy_clusterquant.clusters.nuisance import orthonormal
from hyperspy_clusterquant.counts.packed import column_sums, row_sums, thin


def spectra(n_features, rng):
    """Two mean spectra that overlap, as shares."""
    shares = rng.gamma(2.0, 1.0, (2, n_features))
    return shares / shares.sum(axis=1, keepdims=True)


def draw(mean, rng):
    return sparse.csr_array(rng.poisson(mean).astype(np.int32))


def reduce(x, rng, n_components="auto", normalize=True):
    doses = row_sums(x)
    share = column_sums(x) / doses.sum()
    mean_dose = None if normalize else doses.mean() / 2
    products = cross_products(*thin(x, rng), share, mean_dose)
    return find_axes(products, share, doses, n_components, normalize)


def scores_of(x, reduced):
    return whitened_scores(project(x, reduced), row_sums(x), reduced)


def test_cross_products_are_the_dense_formula(rng):
    x = draw(rng.gamma(2.0, 1.0, (9000, 12)), rng)
    a, b = thin(x, rng)
    share = x.toarray().sum(axis=0) / x.sum()
    whitened = []
    for half in (a.toarray(), b.toarray()):
        expected = half.sum(axis=1, keepdims=True) * share
        whitened.append((half - expected) / np.sqrt(np.maximum(expected, 0.5 * share)))
    dense = whitened[0].T @ whitened[1]
    products = cross_products(a, b, share)
    np.testing.assert_allclose(products / 9000, dense / 9000, atol=2e-5)


def test_residuals_of_one_composition_have_unit_variance(rng):
    share = spectra(20, rng)[0]
    dose = rng.uniform(50, 500, (5000, 1))
    x = draw(dose * share, rng)
    expected = x.sum(axis=1)[:, None] * share
    residuals = (x.toarray() - expected) / np.sqrt(expected)
    # One degree of freedom of each pixel goes into its dose.
    assert residuals.var() == pytest.approx(1 - 1 / 20, abs=0.01)


def test_rank_of_one_composition_is_zero(rng):
    """False-positive rate over maps of one composition whose thickness varies tenfold."""
    found = 0
    for _ in range(200):
        share = spectra(int(rng.integers(20, 120)), rng)[0]
        dose = rng.uniform(5, 50, (int(rng.integers(300, 1500)), 1))
        found += reduce(draw(dose * share, rng), rng).components.shape[1] > 0
    assert found <= 4  # 2 %


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_rank_of_planted_mixtures_is_found(rank, rng):
    ends = np.array([rng.gamma(1.0, 1.0, 60) for _ in range(rank + 1)])
    ends /= ends.sum(axis=1, keepdims=True)
    weights = rng.dirichlet(np.full(rank + 1, 0.5), 3000)
    x = draw(100 * weights @ ends, rng)
    assert reduce(x, rng).components.shape[1] == rank


def test_without_normalisation_thickness_is_a_component(rng):
    share = spectra(40, rng)[0]
    x = draw(rng.uniform(20, 200, (2000, 1)) * share, rng)
    assert reduce(x, rng, normalize=True).components.shape[1] == 0
    plain = reduce(x, rng, normalize=False)
    assert plain.components.shape[1] == 1
    scores = scores_of(x, plain)[:, 0]
    assert abs(np.corrcoef(scores, x.sum(axis=1))[0, 1]) > 0.99


def test_scores_have_unit_noise_and_the_true_distance(rng):
    ends = spectra(50, rng)
    x = draw(300 * np.repeat(ends, 3000, axis=0), rng)
    reduced = reduce(x, rng)
    scores = scores_of(x, reduced)[:, 0]
    for half in (scores[:3000], scores[3000:]):
        assert half.std() == pytest.approx(1.0, abs=0.1)
    mean = ends.mean(axis=0)
    distance = np.sqrt(300 * ((ends[0] - ends[1]) ** 2 / mean).sum())
    assert abs(scores[:3000].mean() - scores[3000:].mean()) == pytest.approx(distance, rel=0.05)


def test_eigenvalues_are_the_variance_of_the_scores_beyond_shot_noise(rng):
    x = draw(300 * np.repeat(spectra(50, rng), 3000, axis=0), rng)
    reduced = reduce(x, rng)
    variance = scores_of(x, reduced)[:, 0].var()
    assert reduced.eigenvalues[0] == pytest.approx(variance - 1, rel=0.05)


def test_empty_pixels_lie_at_the_mean(rng):
    x = draw(np.repeat(spectra(20, rng), 500, axis=0) * 100, rng)
    reduced = reduce(x, rng, n_components=1)
    empty = sparse.csr_array((3, 20), dtype=np.int32)
    assert np.array_equal(scores_of(empty, reduced), np.zeros((3, 1)))


def test_components_given_or_by_elbow(rng):
    x = draw(np.repeat(spectra(20, rng), 500, axis=0) * 300, rng)
    assert reduce(x, rng, n_components=3).components.shape == (20, 3)
    assert reduce(x, rng, n_components="elbow").components.shape[1] == 1
    with pytest.raises(ValueError, match="'auto', 'elbow' or an int"):
        reduce(x, rng, n_components="all")
    with pytest.raises(ValueError, match="more than the 20 energy features"):
        reduce(x, rng, n_components=21)


def test_line_basis_holds_ratios_only(rng):
    """Neither the dose nor all lines together are a direction; every ratio is."""
    profiles = rng.random((4, 60)) ** 8
    background = np.full(60, 0.02)
    mean = np.array([3.0, 2, 1, 0.5]) @ profiles + background
    share = mean / mean.sum()
    basis = line_basis(profiles, share)
    assert basis.shape == (60, 3)
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(np.sqrt(share) @ basis, 0, atol=1e-9)
    other = (np.array([3.0, 2.2, 1, 0.5]) @ profiles + background) / mean.sum()
    assert np.abs(((other - share) / np.sqrt(share)) @ basis).max() > 1e-3


def along(share, rng, n=1):
    """Orthonormal whitened directions that are no change of the dose."""
    return orthonormal(np.sqrt(share) * rng.standard_normal((n, len(share))), share)


def varying(rng, share, directions, widths, n_pixels=4000, dose=1600):
    """Counts that vary along whitened directions, by some shot noises of a pixel."""
    shifts = rng.standard_normal((n_pixels, len(widths))) * widths / np.sqrt(dose)
    shares = share + (shifts @ directions.T) * np.sqrt(share)
    return draw(dose * np.maximum(shares, 0), rng)


def axes_of(x, rng, **more):
    doses = row_sums(x)
    share = column_sums(x) / doses.sum()
    products = cross_products(*thin(x, rng), share)
    return find_axes(products, share, doses, **more)


def test_what_varies_along_a_nuisance_is_no_component(rng):
    share = np.full(50, 1 / 50)
    both = along(share, rng, 2)
    x = varying(rng, share, both, [3.0, 2.0])
    assert axes_of(x, rng).components.shape[1] == 2
    found = axes_of(x, rng, nuisance=both[:, :1])
    assert found.components.shape[1] == 1
    assert abs(found.components[:, 0] @ both[:, 1]) > 0.99
    np.testing.assert_allclose(both[:, :1].T @ found.components, 0, atol=1e-9)
    assert found.eigenvalues[0] == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize(("width", "n_found"), [(2.0, 1), (0.9, 0)])
def test_what_a_strong_nuisance_may_leave_is_no_component(rng, width, n_found):
    """Known to first order only, of a nuisance of 7 shot noises 1.4 may be left: 20 %."""
    share = np.full(50, 1 / 50)
    both = along(share, rng, 2)
    x = varying(rng, share, both, [7.0, width])
    alone = axes_of(varying(rng, share, both[:, 1:], [width]), rng, nuisance=both[:, :1])
    assert alone.components.shape[1] == 1
    found = axes_of(x, rng, nuisance=both[:, :1])
    assert found.noise_edge == pytest.approx(ACCURACY**2 * 49, rel=0.1)
    assert found.components.shape[1] == n_found


def test_line_basis_leaves_nuisances_out(rng):
    profiles = rng.random((4, 60)) ** 8
    share = profiles.sum(axis=0) + 0.1
    share /= share.sum()
    # The last element has hardly a line of its own.
    nuisance = orthonormal(profiles[3:], share)
    basis = line_basis(profiles, share, nuisance)
    assert basis.shape == (60, 2)
    np.testing.assert_allclose(basis.T @ basis, np.eye(2), atol=1e-9)
    np.testing.assert_allclose(nuisance.T @ basis, 0, atol=1e-9)
    np.testing.assert_allclose(np.sqrt(share) @ basis, 0, atol=1e-9)
    # Of two elements with one of them left out, no ratio is left.
    assert line_basis(profiles[2:], share, nuisance).shape == (60, 0)
