import numpy as np
import pytest

from hyperspy_clusterquant.composition.entropy import configurational_entropy, default_sublattices

#: Columns 1-i to 1-iv of the table of Eggeman et al. (2025): Ag Cd Cu Fe Mn S Zn.
PAPER = np.array(
    [
        [1.39, 0.67, 17.6, 25.4, 2.51, 52.1, 0.35],
        [39.0, 15.8, 5.06, 0.71, 0.81, 38.5, 0.11],
        [2.78, 7.70, 1.03, 5.56, 17.3, 60.2, 5.45],
        [10.8, 7.00, 8.59, 10.5, 9.45, 51.1, 2.45],
    ]
)


CATIONS = [0, 1, 2, 3, 4, 6]


@pytest.mark.parametrize(("column", "expected"), list(enumerate([0.506, 0.592, 0.600, 0.839])))
def test_entropy_of_the_papers_phases(column, expected):
    fractions = PAPER[column] / PAPER[column].sum()
    found, _ = configurational_entropy(fractions, np.zeros((7, 7)), [CATIONS])
    assert found == pytest.approx(expected, abs=0.001)


#: Columns 2-i to 2-iv.
WORKFLOW_2 = np.array(
    [
        [1.96, 4.48, 15.3, 24.6, 2.78, 50.0, 0.80],
        [16.6, 28.5, 9.50, 1.83, 1.83, 41.1, 0.45],
        [0.83, 13.1, 1.83, 5.85, 15.2, 57.5, 5.57],
        [6.86, 15.3, 8.46, 10.4, 8.18, 48.4, 2.32],
    ]
)


@pytest.mark.parametrize("row", WORKFLOW_2)
def test_entropy_of_the_papers_second_workflow(row):
    """By the formula written out, term by term."""
    cations = [row[i] for i in CATIONS]
    expected = 0.0
    for x in cations:
        expected -= sum(cations) / sum(row) * x / sum(cations) * np.log(x / sum(cations))
    found, _ = configurational_entropy(row / row.sum(), np.zeros((7, 7)), [CATIONS])
    assert found == pytest.approx(expected, abs=0.001)


def test_entropy_of_several_sublattices_adds_up():
    fractions = np.array([0.25, 0.25, 0.2, 0.3])
    found, _ = configurational_entropy(fractions, np.zeros((4, 4)), [[0, 1], [2, 3]])
    x = np.array([0.4, 0.6])
    assert found == pytest.approx(0.5 * np.log(2) - 0.5 * (x * np.log(x)).sum())
    assert configurational_entropy(fractions, np.zeros((4, 4)), []) == (0.0, 0.0)


def test_entropy_uncertainty_by_repetition(rng):
    fractions = PAPER[3] / PAPER[3].sum()
    covariance = np.diag((0.03 * fractions) ** 2)
    draws = rng.multivariate_normal(fractions, covariance, 20_000)
    scatter = np.std([configurational_entropy(d, covariance, [CATIONS])[0] for d in draws])
    _, stated = configurational_entropy(fractions, covariance, [CATIONS])
    assert stated == pytest.approx(scatter, rel=0.05)


def test_an_absent_element_does_not_blow_up_the_uncertainty():
    fractions = np.array([0.5, 0.0, 0.5])
    covariance = np.diag([1e-4, 1e-6, 1e-4])
    found, std = configurational_entropy(fractions, covariance, [[0, 1]])
    assert found == 0.0
    assert 0 < std < 0.02


def test_non_metals_are_no_cations():
    assert default_sublattices(("Ti", "C", "Ar", "S", "Si")) == (("Ti", "Si"),)
    assert default_sublattices(("Ag", "Ge", "S", "O")) == (("Ag", "Ge"),)
    assert default_sublattices(("S", "O")) == ()
