import numpy as np
import pytest

from hyperspy_clusterquant.evidence.thickness import explained_by_counts

SIZES = np.array([1000.0, 500.0, 500.0])


def explain(rates, sizes=SIZES):
    areas = np.array(rates) * sizes[:, None]
    return explained_by_counts(areas, np.array([np.diag(a) for a in areas]), sizes)


def test_thicker_part_of_the_same_composition():
    share, nearest, p = explain([[4, 3, 3], [8, 6, 6], [2, 12, 2]])
    assert nearest[:2].tolist() == [1, 0]
    np.testing.assert_allclose(share[:2], 1.0)
    np.testing.assert_allclose(p[:2], 1.0)
    assert share[2] < 0.7
    assert p[2] < 1e-10


def test_another_composition_of_the_same_thickness():
    share, _, p = explain([[4, 3, 3], [3, 4, 3], [3, 3, 4]])
    np.testing.assert_allclose(share, 0, atol=1e-9)
    assert (p < 1e-6).all()


def test_share_is_that_of_the_likelihood():
    """Counts of one element per pixel and its share: the two parts of a Poisson likelihood."""
    sizes = np.array([1000.0, 1000.0])
    areas = np.array([[6000.0, 4000], [4800, 3600]])
    share, _, _ = explained_by_counts(areas, np.array([np.diag(a) for a in areas]), sizes)

    def deviance(counts, means):
        return 2 * (counts * np.log(counts / means)).sum()

    totals = areas.sum(axis=1)
    dose = deviance(totals, np.full(2, totals.mean()))
    mean = np.outer(totals, areas.sum(axis=0)) / areas.sum()
    chemistry = deviance(areas, mean) - 1
    np.testing.assert_allclose(share, dose / (dose + chemistry), rtol=0.01)


def test_what_absorption_can_do_is_no_chemistry():
    """Twice as thick, and the first line is weaker by 10 %: by thickness, if it is that soft."""
    rates = [[4.0, 3, 3], [7.2, 6, 6], [4.0, 3, 3]]
    areas = np.array(rates) * SIZES[:, None]
    covariances = np.array([np.diag(a) for a in areas])
    soft = np.array([[-0.5, 0.0, 0.0]])
    hard = np.array([[-0.001, 0.0, 0.0]])
    p = {name: explained_by_counts(areas[:2], covariances[:2], SIZES[:2], of)[2][0]
         for name, of in (("none", None), ("soft", soft), ("hard", hard))}  # fmt: skip
    assert p["none"] < 0.03
    assert p["hard"] == pytest.approx(p["none"], rel=0.05)
    assert p["soft"] > 0.5
    share = explained_by_counts(areas[:2], covariances[:2], SIZES[:2], soft)[0]
    assert share[0] == 1.0


def test_single_and_empty_clusters_have_none():
    share, nearest, _ = explain([[4, 3, 3]], np.array([100.0]))
    assert np.isnan(share[0])
    assert nearest[0] == -1
    share, nearest, _ = explain([[4, 3, 3], [0, 0, 0]], np.array([100.0, 0.0]))
    assert np.isnan(share).all()
    assert nearest == pytest.approx([-1, -1])
