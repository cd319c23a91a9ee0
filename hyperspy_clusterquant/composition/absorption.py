"""Absorption of X-rays on their way out of a thin specimen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.composition.cliff_lorimer import weight_fractions
from hyperspy_clusterquant.xrays.attenuation import attenuation_matrix, density_of
from hyperspy_clusterquant.xrays.emission import split_line
from hyperspy_clusterquant.xrays.lines import line_energy

NM_TO_CM = 1e-7
MAX_ITERATIONS = 50


@dataclass(frozen=True, eq=False)
class Absorption(Frozen):
    """Foil through which the X-rays leave.

    Attributes
    ----------
    thickness : tuple of float
        Of each cluster, in nm.
    density : tuple of float or None
        Of each cluster, in g/cm3; None = that of its composition, which is to be found.
    take_off_angle : float
        In degrees.
    """

    thickness: tuple
    density: tuple
    take_off_angle: float


def absorption_factors(attenuation, fractions, mass_thickness, take_off_angle):
    r"""Factors that intensities must be multiplied with to undo absorption.

    .. math:: \frac{\chi\rho t}{1 - e^{-\chi\rho t}}, \qquad
              \chi = \frac{1}{\sin\alpha} \sum_j C_j (\mu/\rho)_j

    X-rays come evenly from all depths of a foil that lies flat.

    Parameters
    ----------
    attenuation : array (n_lines, n_elements)
        In cm2/g.
    fractions : array (n_elements,)
        Weight fractions C of the foil.
    mass_thickness : float
        Density times thickness in g/cm2.
    take_off_angle : float
        In degrees.

    Returns
    -------
    array (n_lines,)
        At least 1.

    References
    ----------
    J. I. Goldstein, J. L. Costley, G. W. Lorimer and S. J. B. Reed, Scanning Electron Microscopy
    I (1977) 315.
    """
    depth = attenuation @ fractions * mass_thickness / np.sin(np.radians(take_off_angle))
    return np.where(depth > 1e-9, depth / -np.expm1(-np.maximum(depth, 1e-9)), 1.0)


def absorbed_families(families, elements, fractions, mass_thickness, take_off_angle):
    """Families of lines as they leave a foil of some elements with their weight fractions.

    Soft lines of a family are absorbed more. The line that the areas are counted in stays as it is.
    """
    factors = {
        family.alpha: absorption_factors(
            attenuation_matrix(elements, family.energies), fractions, mass_thickness, take_off_angle
        )
        for family in families
    }
    units = {f.alpha: factors[f.alpha][np.argmax(f.weights)] for f in families}
    return [
        replace(f, weights=f.weights * units.get(f.follows, units[f.alpha]) / factors[f.alpha])
        for f in families
    ]


def consistent_factors(areas, kfactors, lines, foil):
    """Absorption factors that agree with the compositions that they lead to.

    Parameters
    ----------
    areas : array (n_spectra, n_lines)
        Counts.
    kfactors : array (n_lines,)
        By weight.
    lines : sequence of str
        One of each element.
    foil : Absorption

    Returns
    -------
    factors : array (n_spectra, n_lines)
        NaN for a spectrum without counts of the lines.
    foil : Absorption
        With all densities.
    """
    elements = tuple(split_line(line)[0] for line in lines)
    attenuation = attenuation_matrix(elements, np.array([line_energy(line) for line in lines]))
    found = [
        _settled(own, kfactors, elements, attenuation, thickness, density, foil.take_off_angle)
        for own, thickness, density in zip(areas, foil.thickness, foil.density, strict=True)
    ]
    factors, densities = zip(*found, strict=True)
    return np.array(factors), replace(foil, density=densities)


def _settled(areas, kfactors, elements, attenuation, thickness, density, take_off_angle):
    """Factors (n_lines,) and density of one spectrum."""
    factors = np.ones(len(areas))
    if not areas.sum() > 0:
        return np.full(len(areas), np.nan), np.nan
    for _ in range(MAX_ITERATIONS):
        fractions = weight_fractions(areas * factors, kfactors)
        used = density_of(elements, fractions) if density is None else density
        previous = factors
        factors = absorption_factors(
            attenuation, fractions, used * thickness * NM_TO_CM, take_off_angle
        )
        if np.abs(factors - previous).max() < 1e-8:
            return factors, used
    raise ValueError(
        f"The absorption correction for {thickness:g} nm does not settle: the specimen is too "
        "thick for it. Check the thickness (nm) and the density (g/cm3)."
    )
