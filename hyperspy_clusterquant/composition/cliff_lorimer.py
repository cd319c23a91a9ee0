"""Line intensities to compositions after Cliff and Lorimer."""

from __future__ import annotations

import numpy as np


def weight_fractions(intensities, kfactors):
    r"""Weight fractions :math:`C_i = k_i I_i / \sum_j k_j I_j`.

    Parameters
    ----------
    intensities : array (n_elements,)
        Counts of each element's line.
    kfactors : array (n_elements,)
        k-factors by weight.

    Returns
    -------
    array (n_elements,)
        Sums to one; NaN if there are no counts.

    References
    ----------
    G. Cliff and G. W. Lorimer, J. Microsc. 103 (1975) 203.

    Examples
    --------
    >>> weight_fractions(np.array([300.0, 100.0]), np.array([1.0, 3.0]))
    array([0.5, 0.5])
    """
    return _normalised(intensities * kfactors)


def atomic_fractions(intensities, kfactors, atomic_weights):
    """Atomic fractions, like `weight_fractions` with k-factors over atomic weights in g/mol."""
    return _normalised(intensities * kfactors / atomic_weights)


def _normalised(amounts):
    total = amounts.sum()
    if not total > 0:
        return np.full(len(amounts), np.nan)
    return amounts / total


def fraction_covariance(fractions, factors, intensities, intensity_covariance):
    r"""Covariance of fractions :math:`x_i = f_i I_i / \sum f I` from that of the intensities.

    First order, with all correlations of the intensities and of the normalisation:
    :math:`\partial x_i / \partial I_j = (\delta_{ij} - x_i) f_j / \sum f I`.

    Parameters
    ----------
    fractions : array (n_elements,)
        Weight or atomic fractions x.
    factors : array (n_elements,)
        k-factors, divided by the atomic weights for atomic fractions.
    intensities : array (n_elements,)
        Counts I.
    intensity_covariance : array (n_elements, n_elements)
        Their covariance.

    Returns
    -------
    array (n_elements, n_elements)
    """
    jacobian = (np.eye(len(fractions)) - fractions[:, None]) * factors
    jacobian /= (factors * intensities).sum()
    return jacobian @ intensity_covariance @ jacobian.T


def fraction_covariance_from_kfactors(fractions, relative_uncertainties):
    """Covariance of weight or atomic fractions from relative uncertainties of the k-factors.

    All arrays (n_elements,); those of different lines are independent.
    """
    jacobian = (np.eye(len(fractions)) - fractions[:, None]) * fractions
    return (jacobian * relative_uncertainties**2) @ jacobian.T
