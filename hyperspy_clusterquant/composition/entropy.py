"""Configurational entropy of a composition."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

#: Neither metals nor half-metals: they do not share the sites of the cations.
NON_METALS = frozenset(
    {"H", "C", "N", "O", "F", "P", "S", "Cl", "Se", "Br", "Te", "I", "At"}
    | {"He", "Ne", "Ar", "Kr", "Xe", "Rn"}
)


def default_sublattices(elements):
    """One sublattice of all metals and half-metals.

    Examples
    --------
    >>> default_sublattices(("Cu", "Fe", "S"))
    (('Cu', 'Fe'),)
    """
    cations = tuple(element for element in elements if element not in NON_METALS)
    return (cations,) if cations else ()


def configurational_entropy(fractions, covariance, sublattices):
    r"""Ideal mixing entropy in units of R per mole of atoms, and its standard deviation.

    .. math:: S / R = -\sum_s f_s \sum_{i \in s} x_i \ln x_i

    where f is the fraction of all atoms that sit on sublattice s and x are the
    fractions among them. Its derivative by an atomic fraction is :math:`-\ln x_i`.

    Parameters
    ----------
    fractions : array (n_elements,)
        Atomic fractions, sum to one.
    covariance : array (n_elements, n_elements)
        Their covariance.
    sublattices : sequence of sequence of int
        Numbers of the elements that share sites.

    Returns
    -------
    entropy, std : float

    References
    ----------
    A. S. Eggeman et al., Faraday Discuss. (2025), doi:10.1039/d5fd00101c.

    Examples
    --------
    >>> six_on_half_of_the_sites = np.r_[np.full(6, 1 / 12), 0.5]
    >>> entropy, _ = configurational_entropy(six_on_half_of_the_sites, np.zeros((7, 7)), [range(6)])
    >>> round(entropy, 3)
    0.896
    """
    entropy = 0.0
    gradient = np.zeros(len(fractions))
    for members in map(list, sublattices):
        total = fractions[members].sum()
        if not total > 0:
            continue
        shares = fractions[members] / total
        entropy -= total * xlogy(shares, shares).sum()
        # -ln x diverges where an element is absent; there its variance, not its value, counts.
        spread = np.sqrt(np.diag(covariance)[members]) / total
        gradient[members] -= np.log(np.maximum(np.maximum(shares, spread), 1e-12))
    variance = gradient @ covariance @ gradient
    return float(entropy), float(np.sqrt(max(variance, 0.0)))
