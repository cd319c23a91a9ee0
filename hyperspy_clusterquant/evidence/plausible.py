"""What may change a spectrum besides chemistry, and by how much: absorption and drift."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.clusters.nuisance import LOWEST_KNOWN
from hyperspy_clusterquant.composition.absorption import NM_TO_CM
from hyperspy_clusterquant.composition.cliff_lorimer import weight_fractions
from hyperspy_clusterquant.composition.fitting import LinearFit
from hyperspy_clusterquant.xrays.attenuation import attenuation_matrix, density_of
from hyperspy_clusterquant.xrays.emission import split_line
from hyperspy_clusterquant.xrays.lines import has_theory, line_energy
from hyperspy_clusterquant.xrays.theory import theoretical_kfactors

#: Thickness in nm that foils for EDX maps hardly exceed. Of one composition, two places whose doses
#: differ by some share of the larger one differ in thickness by at most that share of it.
THICKEST = 300.0
#: Share of the dose by which thickness may differ unseen: the beam current changes, and the surface
#: is not flat.
UNSEEN = 0.05
#: Drift of the energy axis while a map is recorded: of the offset in keV, and of the gain.
OFFSET_DRIFT, GAIN_DRIFT = 0.002, 0.001
#: Relative uncertainty of an attenuation coefficient: near edges and below 1 keV, tables differ so.
UNKNOWN = 0.1


@dataclass(frozen=True, eq=False)
class PlausibleChanges(Frozen):
    """Changes of spectra that are no chemistry, as large as they typically may be.

    Attributes
    ----------
    energy : array (channels,)
        In keV.
    fit : LinearFit
        Of families of lines, which are its first columns, and a background.
    families : tuple of Family
    absorbers : dict of str: (int, float)
        Of each element that absorbs, the number of a family, and its k-factor by weight; empty if
        absorption is not allowed for.
    density : float or None
        Of the sample in g/cm3; None: that of the mixture of its elements.
    take_off_angle : float
        In degrees; NaN without absorbers.
    """

    energy: np.ndarray
    fit: LinearFit
    families: tuple
    absorbers: dict
    density: float | None = None
    take_off_angle: float = np.nan

    def of(self, spectrum, difference, linear=False):
        r"""Changes of a spectrum with thickness, and with drift of the energy axis.

        The transmission of a foil of thickness t is :math:`(1 - e^{-x}) / x` with
        :math:`x = \mu \rho t / \sin\alpha`, or :math:`1 - x / 2 + x^2 / 6` to second order; its
        logarithm is less bent, :math:`-x / 2 + x^2 / 24`.

        Parameters
        ----------
        spectrum : array (channels,)
            Summed counts of what is compared.
        difference : float
            Of its doses, as a share of the larger one.
        linear : bool
            Changes are added up, and not their logarithms.

        Returns
        -------
        array (n_directions, channels)
            In counts.

        References
        ----------
        J. I. Goldstein et al., Scanning Electron Microsc. 1 (1977) 315.
        """
        amounts = np.maximum(self.fit.operator @ spectrum, 0)
        n = len(self.families)
        lines = amounts[:n, None] * self.fit.columns[:n]
        background = amounts[n:] @ self.fit.columns[n:]
        changes = [*self._drifted(lines.sum(axis=0) + background)]
        fractions = self._fractions(amounts)
        if fractions is not None:
            thickness = min(difference + UNSEEN, 1.0) * THICKEST
            density = self.density or density_of(list(self.absorbers), fractions)
            depth = density * NM_TO_CM / np.sin(np.deg2rad(self.take_off_angle))
            of_lines, of_channels = (depth * mu @ fractions for mu in self._attenuation)
            first, second = thickness / 2, thickness * THICKEST / (6 if linear else 24)
            changes += [
                first * (of_lines @ lines),
                first * of_channels * background,
                second * (of_lines**2 @ lines),
                second * of_channels**2 * background,
                *(first * UNKNOWN * (of_lines[:, None] * lines)[lines.any(axis=1)]),
            ]
        return np.array(changes)

    def _drifted(self, model):
        """Changes with offset and gain; none where the fit ends."""
        slope = np.zeros(len(model))
        used = np.flatnonzero(self.fit.columns.any(axis=0))
        if len(used) > 1:
            slope[used] = np.gradient(model[used], self.energy[used])
        return OFFSET_DRIFT * slope, GAIN_DRIFT * self.energy * slope

    def _fractions(self, amounts):
        """Weight fractions of the absorbers, or None."""
        if not self.absorbers:
            return None
        positions, kfactors = zip(*self.absorbers.values(), strict=True)
        fractions = weight_fractions(amounts[list(positions)], np.array(kfactors))
        return None if np.isnan(fractions).any() else fractions

    @cached_property
    def _attenuation(self):
        """Of each absorber (columns) for the families' lines, and for the channels, in cm2/g."""
        elements = list(self.absorbers)
        of_lines = [
            f.weights
            / f.weights.sum()
            @ attenuation_matrix(elements, np.maximum(f.energies, LOWEST_KNOWN))
            for f in self.families
        ]
        energy = np.maximum(self.energy, LOWEST_KNOWN)
        return np.array(of_lines), attenuation_matrix(elements, energy)


def changes_of_lines(lines, areas, beam_energy, take_off_angle):
    """Relative changes of lines with thickness, as large as of the thickest foil.

    To first and to second order, each with what is not known of the attenuation.

    Parameters
    ----------
    lines : sequence of str
        Alpha lines.
    areas : array (n_lines,)
        Their counts in the whole map.
    beam_energy : float
        In keV.
    take_off_angle : float
        In degrees.

    Returns
    -------
    array (n_directions, n_lines)
        None, that is (0, n_lines), if theory does not know the lines.
    """
    nothing = np.zeros((0, len(lines)))
    if not all(has_theory(line, beam_energy) for line in lines) or not take_off_angle > 0:
        return nothing
    elements = [split_line(line)[0] for line in lines]
    kfactors = theoretical_kfactors(list(lines), beam_energy, lines[0])
    amounts = dict.fromkeys(elements, 0.0)
    for line, element, area in zip(lines, elements, areas, strict=True):
        # Of several lines of an element the first, K before L.
        amounts[element] = amounts[element] or max(area, 0) * kfactors[line]
    fractions = np.array(list(amounts.values()))
    if not fractions.sum() > 0:
        return nothing
    fractions /= fractions.sum()
    energies = np.maximum([line_energy(line) for line in lines], LOWEST_KNOWN)
    density = density_of(list(amounts), fractions)
    depth = density * THICKEST * NM_TO_CM / np.sin(np.deg2rad(take_off_angle))
    x = depth * attenuation_matrix(list(amounts), energies) @ fractions
    return np.vstack([x / 2, x**2 / 24, UNKNOWN * np.diag(x / 2)])
