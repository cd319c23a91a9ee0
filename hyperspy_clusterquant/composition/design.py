"""What spectra are fitted with: families of lines and a background, as the detector shows them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import interpolate

from hyperspy_clusterquant._frozen import Frozen
from hyperspy_clusterquant.xrays.detectors import SILICON_K_ALPHA, escape_share
from hyperspy_clusterquant.xrays.emission import Family
from hyperspy_clusterquant.xrays.profiles import channel_edges, peak_profile, peak_profiles

#: Distance of the background's knots as a share of the energy, and at least in keV: wider than
#: peaks and multiplets.
BACKGROUND_KNOTS = 0.3
CLOSEST_KNOTS = 0.25
BEND_LENGTH = 0.4  # keV
#: Energies in keV between which an axis may be curved.
CURVE_AT = np.arange(0.0, 26.0)
#: End of the names of peaks that are of no element.
LONE = "_line"


def lone_peak(energy):
    """A family of one line at an energy in keV that no element is known to have."""
    return Family(f"{energy:.2f} keV{LONE}", np.array([energy]), np.array([1.0]))


def is_lone(family):
    """Whether a family is a `lone_peak`, whose energy is read off the axis."""
    return family.alpha.endswith(LONE)


@dataclass(frozen=True, eq=False)
class Scale(Frozen):
    """What the detector makes of energies.

    Attributes
    ----------
    offset : float
        keV to add to the nominal energies.
    gain : float
        Relative stretch of the nominal energies.
    bend : float
        keV to add at low energies, times ``exp(-energy / 0.4 keV)``: light detected near the
        surface of the detector is measured too low.
    resolution : float
        Full width at half maximum at Mn K-alpha in eV.
    tail : float
        Share of the counts in the low-energy tail of a peak, see `detectors.tail_share`.
    curve : tuple of float
        keV to add besides at each of `CURVE_AT`, where the axis is not linear; none if empty.
    """

    offset: float = 0.0
    gain: float = 0.0
    bend: float = 0.0
    resolution: float = 130.0
    tail: float = 0.0
    curve: tuple = ()

    def true_energy(self, energy):
        """Energy of channels with the nominal `energy`."""
        true = energy * (1 + self.gain) + self.offset + self.bend * np.exp(-energy / BEND_LENGTH)
        return true + np.interp(energy, CURVE_AT, self.curve) if self.curve else true


@dataclass(frozen=True, eq=False)
class Design(Frozen):
    """What a spectrum is fitted with.

    Attributes
    ----------
    energy : array (channels,)
        Nominal energies in keV, equally spaced.
    families : tuple of Family
    scale : Scale
    beam_energy : float
        In keV.
    """

    energy: np.ndarray
    families: tuple
    scale: Scale
    beam_energy: float

    @cached_property
    def true_energy(self):
        """Calibrated energy of the channels."""
        return self.scale.true_energy(self.energy)

    @cached_property
    def edges(self):
        """Calibrated energies between the channels, array (channels + 1,)."""
        return self.scale.true_energy(channel_edges(self.energy))

    @cached_property
    def profiles(self):
        """Counts of each family with one count in its alpha line, array (families, channels)."""
        return self.with_weights([family.weights for family in self.families])

    def with_weights(self, weights):
        """Profiles of the families if their lines had other weights, array (families, channels)."""
        lines = [(f.energies, own) for f, own in zip(self.families, weights, strict=True)]
        return self._profiles(lines)

    def profile(self, energies, weights):
        """Counts of some lines, peaks integrated over the channels."""
        return peak_profile(self.edges, energies, weights, self.scale.resolution, self.scale.tail)

    def peaks_at(self, positions):
        """Counts of a single line at each position in keV, array (positions, channels)."""
        each = np.arange(len(positions))
        return peak_profiles(
            self.edges, positions, np.ones(len(positions)), each, len(positions),
            self.scale.resolution, self.scale.tail,
        )  # fmt: skip

    def _profiles(self, lines):
        """Counts of groups of lines (energies, weights), array (groups, channels)."""
        if not lines:
            return np.zeros((0, len(self.energy)))
        energies, weights = (np.concatenate(x) for x in zip(*lines, strict=True))
        groups = np.repeat(np.arange(len(lines)), [len(e) for e, _ in lines])
        return peak_profiles(
            self.edges, energies, weights, groups, len(lines), self.scale.resolution,
            self.scale.tail,
        )  # fmt: skip

    @cached_property
    def background(self):
        """Functions of the bremsstrahlung, array (functions, channels)."""
        return background_basis(self.energy, self.beam_energy)

    @cached_property
    def escapes(self):
        """Escape peaks of each family, as theory has them, array (families, channels)."""
        return self._profiles(
            [
                (f.energies - SILICON_K_ALPHA, f.weights * escape_share(f.energies))
                for f in self.families
            ]
        )

    def with_scale(self, scale):
        """The same with another calibration; lone peaks stay in their channels."""
        families = self.families
        if any(is_lone(family) for family in families):
            # They may lie just beyond the ends.
            axis = np.r_[self.energy[0] - 0.3, self.energy, self.energy[-1] + 0.3]
            at = [f.energies[0] for f in families]
            nominal = np.interp(at, self.scale.true_energy(axis), axis)
            families = tuple(
                replace(f, energies=np.array([scale.true_energy(at)])) if is_lone(f) else f
                for f, at in zip(families, nominal, strict=True)
            )
        return replace(self, scale=scale, families=families)

    def with_families(self, families):
        """The same with other families."""
        return replace(self, families=tuple(families))


def background_basis(energy, beam_energy):
    """Functions that a bremsstrahlung background is a sum of, none of them negative.

    Kramers' law times B-splines of the energy, wider at higher energies, for what specimen
    and detector absorb.

    Parameters
    ----------
    energy : array (channels,)
        Positive, ascending energies in keV.
    beam_energy : float
        In keV.

    Returns
    -------
    array (n_functions, channels)

    References
    ----------
    H. A. Kramers, Phil. Mag. 46 (1923) 836.
    """
    knots = [energy[0]]
    while knots[-1] < energy[-1]:
        knots.append(knots[-1] + max(BACKGROUND_KNOTS * knots[-1], CLOSEST_KNOTS))
    position = np.interp(energy, knots, np.arange(len(knots)))
    last, degree = position[-1], 3
    inner = np.linspace(0, last, max(int(np.ceil(last)), 1) + 1)
    splines = interpolate.BSpline.design_matrix(
        position, np.r_[[0.0] * degree, inner, [last] * degree], degree
    ).toarray()
    kramers = np.maximum(beam_energy - energy, 0.05 * beam_energy) / energy
    return splines.T * kramers
