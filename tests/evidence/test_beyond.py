"""What is left of net counts beyond directions, against least squares by hand."""

import numpy as np
import pytest

from hyperspy_clusterquant.evidence.beyond import beyond

SPECTRUM = 1e5 * np.array([4.0, 1.0, 3.0, 1.0, 2.0, 1.0, 5.0, 1.0])
NET = np.kron(np.eye(4), [1.0, -1.0])
NONE = np.zeros((0, 8))


def residual_by_hand(directions):
    """1 - D (D' V^-1 D)^-1 D' V^-1."""
    inverse = np.linalg.inv((NET * SPECTRUM) @ NET.T)
    d = np.column_stack([NET @ SPECTRUM, *(NET @ row for row in directions)])
    return np.eye(4) - d @ np.linalg.inv(d.T @ inverse @ d) @ d.T @ inverse


@pytest.mark.parametrize("n", [0, 1, 2])
def test_least_squares(rng, n):
    directions = 0.1 * SPECTRUM * rng.standard_normal((n, 8))
    found = beyond(NET, SPECTRUM, directions)
    np.testing.assert_allclose(found.matrix, residual_by_hand(directions), atol=1e-10)
    assert found.n_taken == n
    assert not len(found.left)
    np.testing.assert_allclose(found.matrix @ NET @ SPECTRUM, 0, atol=1e-6)
    covariance = (NET * SPECTRUM / SPECTRUM.sum()) @ NET.T
    units = found.units @ covariance @ found.units.T
    np.testing.assert_allclose(units, np.eye(3 - n), atol=1e-10)


def test_what_nobody_would_notice_stays(rng):
    directions = 1e-5 * SPECTRUM * rng.standard_normal((2, 8))
    found = beyond(NET, SPECTRUM, directions)
    np.testing.assert_allclose(found.matrix, residual_by_hand(NONE), atol=1e-10)
    assert found.n_taken == 0
    assert not found.noticeable
    assert beyond(NET, 1e6 * SPECTRUM, 1e6 * directions).n_taken == 2


def test_something_is_always_left(rng):
    directions = SPECTRUM * rng.standard_normal((5, 8))
    found = beyond(NET, SPECTRUM, directions)
    assert len(found.units) == 1
    assert found.n_taken == 2
    assert len(found.left) == 3
    assert found.noticeable
    two = beyond(NET[:2], SPECTRUM, directions[:1])
    assert two.n_taken == 0
    assert two.noticeable


def test_thickness_bends():
    """Lines absorbed as 1 - exp(-x) do: beyond both orders, next to nothing of it is left."""
    depth = np.repeat([0.1, 0.5, 1.0, 1.6], 2)
    direction = SPECTRUM * depth / 2
    thick = SPECTRUM * -np.expm1(-0.6 * depth) / (0.6 * depth)

    def left(bends):
        residual = beyond(NET, SPECTRUM, direction[None], bends)
        return np.linalg.norm(residual.units @ NET @ thick) / np.sqrt(thick.sum())

    assert beyond(NET, SPECTRUM, direction[None], True).n_taken == 2
    assert left(True) < 0.15 * left(False)
