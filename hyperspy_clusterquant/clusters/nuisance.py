"""Nuisance directions: how spectra change with what is no chemistry.

Of a specimen of one composition, the spectrum changes with thickness, because soft X-rays are
absorbed on their way out, and with drift of the detector's energy axis. To first order these are
known directions, which can be taken out of scores and tests as the dose is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize

from hyperspy_clusterquant.clusters.clustering import spread_over_channels
from hyperspy_clusterquant.xrays.attenuation import attenuation_matrix
from hyperspy_clusterquant.xrays.emission import alpha_emission, atomic_weight, split_line
from hyperspy_clusterquant.xrays.lines import alpha_lines, known_families
from hyperspy_clusterquant.xrays.profiles import channel_edges, peak_profile

#: Film and contamination are fitted with the lines, so that their peaks are not taken for others.
ALWAYS_THERE = ("C", "O")
#: Distances (keV) of the knots of the background, which grow with the energy: far wider than peaks.
KNOT_STEP, KNOT_GROWTH = 0.4, 1.25
#: Below it (keV), attenuation coefficients are not known well, and detectors see little.
LOWEST_KNOWN = 0.12
#: Standard deviation (keV) of the smoothing of what the fit leaves, before its slope is taken.
SLOPE_WIDTH = 0.03
#: Part of a direction in units of its length that must not lie in others to count as one more.
INDEPENDENT = 1e-3


@dataclass(frozen=True)
class Emission:
    """A spectrum as lines and background.

    Attributes
    ----------
    families : array (n_families, channels)
        Counts of each family of lines.
    alphas : tuple of str
        Alpha line of each.
    background : array (channels,)
    """

    families: np.ndarray
    alphas: tuple
    background: np.ndarray

    @property
    def elements(self):
        """Element of each family."""
        return tuple(split_line(alpha)[0] for alpha in self.alphas)


def nuisance_directions(
    spectrum, energy, elements, beam_energy, resolution, extra=(), absorption=True, drift=True,
    channels=None,
):  # fmt: skip
    r"""Changes of a spectrum that are no chemistry.

    With L the counts in lines, B the background and :math:`\mu` the mass attenuation of the
    specimen, a little more thickness changes the spectrum along :math:`L \mu`, and the background
    along :math:`B \mu` and, as it reaches to low energies, :math:`B \mu^2`. Film adds background
    alone. A drift of the energy axis changes the spectrum along its derivative, and that times the
    energy. (For lines, attenuation is taken at the energy of each channel and at the mean of
    their family, two directions, as of a peak near an absorption edge neither is right.)

    Parameters
    ----------
    spectrum : array (channels,)
        Summed counts.
    energy : array (channels,)
        In keV.
    elements : sequence of str
        Of the sample, whose composition, found from the spectrum, absorbs.
    beam_energy : float
        In keV.
    resolution : float
        Full width at half maximum at Mn K-alpha in eV.
    extra : sequence of str
        Elements of film and grid, whose lines are fitted.
    absorption, drift : bool
        Which directions are wanted.
    channels : array of int (channels,), optional
        Feature that each channel is counted to, -1 = none, if `spectrum` (features,) is of those.

    Returns
    -------
    array (n_directions, channels)
        In counts; some may depend on others.

    References
    ----------
    G. Cliff and G. W. Lorimer, J. Microsc. 103 (1975) 203, on ratios of lines and
    the composition; absorption of thin films as in J. I. Goldstein et al., Scanning Electron
    Microsc. 1 (1977) 315.

    Examples
    --------
    >>> from hyperspy_clusterquant.data import six_cation_sulfide
    >>> s = six_cation_sulfide(size=16, channels=512)
    >>> directions = nuisance_directions(
    ...     s.data.sum(axis=(0, 1)), s.axes_manager[2].axis, ["Cu", "S"], 200.0, 130.0)
    >>> directions.shape
    (7, 512)
    """
    channels = np.arange(len(energy)) if channels is None else channels
    found = separate(spectrum, energy, elements, beam_energy, resolution, extra, channels)
    directions = _absorbed(found, energy, elements, beam_energy) if absorption else []
    if drift:
        model = found.families.sum(axis=0) + found.background
        step = energy[1] - energy[0]
        left = spread_over_channels((spectrum - in_features(model, channels))[None], channels)[0]
        left = ndimage.gaussian_filter1d(left, SLOPE_WIDTH / step)
        slope = np.gradient(model + left, energy)
        directions += [slope, slope * energy]
    return np.reshape(directions, (-1, len(energy)))


def in_features(values, channels):
    """Values of channels (..., channels) summed over those that are counted to each feature."""
    indicator = channels[:, None] == np.arange(channels.max() + 1)
    return values @ indicator.astype(float)


def separate(spectrum, energy, elements, beam_energy, resolution, extra, channels):
    """Lines and background of a spectrum, by least squares without negative amounts.

    Parameters as of `nuisance_directions`.

    Returns
    -------
    Emission
    """
    named = dict.fromkeys([*elements, *extra, *ALWAYS_THERE])
    alphas = alpha_lines(named, energy[0], energy[-1], beam_energy)
    edges = channel_edges(energy)
    families = [
        (
            family.follows or family.alpha,
            peak_profile(edges, family.energies, family.weights, resolution),
        )
        for family in known_families(alphas, beam_energy)
    ]
    hats = _hats(energy)
    columns = np.array([profile for _, profile in families] + list(hats))
    spectrum = np.maximum(np.asarray(spectrum, dtype=float), 0)
    # Where little is counted, the noise is not smaller than that of the mean around.
    noise = np.sqrt(np.maximum(ndimage.uniform_filter1d(spectrum, 5), 1.0))
    scaled = (in_features(columns, channels) / noise).T
    length = np.maximum(np.linalg.norm(scaled, axis=0), 1e-12)
    amounts = optimize.nnls(scaled / length, spectrum / noise)[0] / length
    parts = columns * amounts[:, None]
    n = len(families)
    names = tuple(alpha for alpha, _ in families)
    return Emission(
        families=parts[:n].reshape(n, len(energy)),
        alphas=names,
        background=parts[n:].sum(axis=0),
    )


def _hats(energy):
    """Triangles that make a background, linear from knot to knot, array (n_knots, channels)."""
    knots, step = [max(energy[0], LOWEST_KNOWN)], KNOT_STEP
    while knots[-1] < energy[-1]:
        knots.append(knots[-1] + step)
        step *= KNOT_GROWTH
    return np.array([np.interp(energy, knots, row) for row in np.eye(len(knots))])


def _absorbed(found, energy, elements, beam_energy):
    """Changes with thickness, of lines and of the background."""
    weights = _weight_fractions(found, elements, beam_energy)
    if not weights:
        return []
    known = energy >= LOWEST_KNOWN
    mu = np.zeros(len(energy))
    mu[known] = attenuation_matrix(list(weights), energy[known]) @ list(weights.values())
    of_sample = [element in weights for element in found.elements]
    families = found.families[of_sample]
    lines = families.sum(axis=0)
    # The whole peak of a family at one energy: edges do not cut through its width.
    of_family = families @ mu / np.maximum(families.sum(axis=1), 1e-12)
    background = [found.background * mu**power for power in (0, 1, 2)]
    return [of_family @ families, lines * mu, *background]


def _weight_fractions(found, elements, beam_energy):
    """Weight fraction of each element of the sample, by Cliff and Lorimer with theory."""
    amounts = {}
    for element, alpha, family in zip(found.elements, found.alphas, found.families, strict=True):
        if element not in elements or element in amounts or not family.any():
            continue
        try:
            photons = alpha_emission(alpha, beam_energy)[1]
        except ValueError:  # theory does not know this shell; another may do
            continue
        amounts[element] = float(family.sum()) / photons * atomic_weight(element)
    total = sum(amounts.values())
    return {element: amount / total for element, amount in amounts.items()} if total > 0 else {}


def orthogonal(vectors, directions):
    """What of vectors (features, ...) does not lie along orthonormal directions (features, n)."""
    return vectors - directions @ (directions.T @ vectors)


def orthonormal(directions, share):
    r"""Nuisance directions as an orthonormal basis of whitened features.

    Parameters
    ----------
    directions : array (n_directions, features)
        In counts.
    share : array (features,)
        Mean spectrum p as the share of each feature, sums to one.

    Returns
    -------
    array (features, n)
        Columns of :math:`d / \sqrt{p}`, orthonormal and orthogonal to a change of the dose.
    """
    root = np.sqrt(share)
    basis = [root / np.linalg.norm(root)]
    for direction in directions:
        whitened = np.where(root > 0, direction / np.maximum(root, 1e-12), 0)
        length = np.linalg.norm(whitened)
        for _ in range(2):  # twice is enough
            for known in basis:
                whitened = whitened - known * (known @ whitened)
        rest = np.linalg.norm(whitened)
        if rest > INDEPENDENT * length:
            basis.append(whitened / rest)
    return np.array(basis[1:]).reshape(-1, len(share)).T
