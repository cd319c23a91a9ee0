"""Net counts of lines beyond what is no chemistry: dose, absorption, and drift of energies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

#: Standard deviations of all counts of a cluster up to which a direction, as far as it can go at
#: most, is noticed nowhere, and stays: what is taken out for nothing costs power.
NOTICEABLE = 2.0
#: Part of a thickness' first order, squared, that its second order is at most beside the line
#: that fits best: x**2 / 6 of (1 - exp(-x)) / x, beside x / 2, and a quarter of that.
BEND = 1 / 6
#: Part of the strongest combination of lines below which there is no further one.
INDEPENDENT = 1e-9
#: Standard deviations from which a line is in a spectrum for sure.
THERE = 3.0


@dataclass(frozen=True, eq=False)
class Beyond:
    """What lines have beyond dose and directions.

    Attributes
    ----------
    matrix : array (n_rows, n_rows)
        M, from net counts to residuals.
    units : array (n_free, n_rows)
        From net counts to residuals of unit variance per count, which are not correlated.
    n_taken : int
        Directions that were taken out.
    left : array (n_left, n_rows)
        Net counts per count along the directions that were not, at most.
    noticeable : bool
        Whether one of these would be noticed.
    """

    matrix: np.ndarray
    units: np.ndarray
    n_taken: int
    left: np.ndarray
    noticeable: bool


def beyond(net, spectrum, directions, bends=False):
    """What is left of net counts beyond a change of the dose and along directions.

    They are taken out one after the other, first those that the lines show most of, as long as they
    can be noticed and something else is left.

    Parameters
    ----------
    net : array (n_rows, channels)
        Weights of the net counts.
    spectrum : array (channels,)
        Of the cluster.
    directions : array (n_directions, channels)
        Changes of it that are no chemistry, as large as they can be.
    bends : bool
        Whether the first direction is that of thickness, which comes first and bends.

    Returns
    -------
    Beyond
    """
    n_counts = max(np.maximum(spectrum, 0).sum(), 1e-300)
    share = np.maximum(spectrum, 0) / n_counts
    covariance = (net * share) @ net.T
    whiten, root = _whitening(covariance)
    areas = net @ share
    rows = directions @ net.T / n_counts
    if bends and len(rows):
        there = areas > THERE * np.sqrt(np.diag(covariance) / n_counts)
        first = np.where(there, rows[0] / np.where(there, areas, 1.0), 0.0)
        rows = np.vstack([rows, BEND * np.minimum(first**2, 1.0) * areas])
    dose = whiten @ areas
    basis = [dose / max(np.linalg.norm(dose), 1e-300)]
    left, noticeable = rows @ whiten.T * np.sqrt(n_counts), False
    while len(left):
        for _ in range(2):  # twice is enough
            left = left - (left @ basis[-1])[:, None] * basis[-1]
        lengths = np.linalg.norm(left, axis=1)
        most = 0 if bends and len(basis) == 1 and lengths[0] >= NOTICEABLE else lengths.argmax()
        noticeable = bool(lengths[most] >= NOTICEABLE)
        if not noticeable or len(basis) + 1 >= len(whiten):
            break
        basis.append(left[most] / lengths[most])
        left, rows = np.delete(left, most, axis=0), np.delete(rows, most, axis=0)
    free = linalg.null_space(np.array(basis)).T
    return Beyond(root @ free.T @ free @ whiten, free @ whiten, len(basis) - 1, rows, noticeable)


def _whitening(covariance):
    """Turns rows into as many as there are independent ones of unit covariance, and these back."""
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    kept = values > INDEPENDENT * values[-1]
    values, vectors = np.sqrt(values[kept]), vectors[:, kept]
    return (vectors / values).T / scale, scale[:, None] * vectors * values
