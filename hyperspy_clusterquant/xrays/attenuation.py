"""Attenuation of X-rays in matter, and densities."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.xrays.emission import atomic_number


def mass_attenuation(element, energy):
    """Mass attenuation coefficient of an element.

    Parameters
    ----------
    element : str
        Symbol.
    energy : float or array
        In keV.

    Returns
    -------
    float or array
        In cm2/g.

    Examples
    --------
    >>> round(float(mass_attenuation("Si", 6.4)))
    122
    """
    import xraylib

    z = atomic_number(element)
    values = [xraylib.CS_Total(z, float(e)) for e in np.ravel(energy)]
    return np.reshape(values, np.shape(energy))


#: Densities in g/cm3 of elements that are gases, as they fill solid compounds.
_IN_SOLIDS = {"H": 0.09, "N": 2.0, "O": 2.3, "F": 2.2, "Cl": 2.3}


def attenuation_matrix(elements, energies):
    """Mass attenuation coefficients in cm2/g, array (n_energies, n_elements)."""
    return np.array([mass_attenuation(element, energies) for element in elements]).T


def density_of(elements, fractions):
    """Density in g/cm3 of a mixture that keeps the volumes of its elements: an estimate.

    Parameters
    ----------
    elements : sequence of str
    fractions : array (n_elements,)
        Weight fractions.

    Returns
    -------
    float

    Examples
    --------
    >>> round(density_of(["Zn", "S"], np.array([0.67, 0.33])), 1)  # sphalerite has 4.1
    3.9
    """
    import xraylib

    densities = [
        _IN_SOLIDS.get(element) or xraylib.ElementDensity(atomic_number(element))
        for element in elements
    ]
    return float(1 / (fractions / densities).sum())
