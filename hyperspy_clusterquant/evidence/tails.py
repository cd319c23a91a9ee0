"""How improbable sums of weighted counts are, also where they are few."""

from __future__ import annotations

import numpy as np

#: Where the distribution of a sum is looked at: tilts in units of a standard deviation of a count.
TILTS = np.sinh(np.linspace(0.01, 3.0, 150)) / 4
TILTS = np.concatenate([-TILTS[::-1], TILTS])
#: Largest exponent that is looked at.
MOST = 60.0


class Tail:
    r"""How improbable a weighted sum of N counts is.

    The sum x of the weights of N counts, as many as Poisson has them, is far out about as probable
    as a normal distribution has it at

    .. math:: z = w + \log(u / w) / w, \qquad
        w = \pm\sqrt{2 (\theta x - K(\theta))}, \quad u = \theta \sqrt{K''(\theta)}, \quad
        K'(\theta) = x, \quad K(\theta) = N \sum_c p_c (e^{\theta w_c} - 1)

    Parameters
    ----------
    weights : array (channels,)
        With the mean zero over the spectrum.
    share : array (channels,)
        Of the counts, sums to one.

    References
    ----------
    R. Lugannani and S. Rice, Adv. Appl. Probab. 12 (1980) 475; O. E. Barndorff-Nielsen, Biometrika
    73 (1986) 307.
    """

    def __init__(self, weights, share):
        used = (share > 0) & (weights != 0)
        share, weights = share[used], weights[used]
        self.sigma = float(np.sqrt(share @ weights**2)) if used.any() else 0.0
        if not self.sigma > 0:
            return
        weights = weights / self.sigma
        tilts = TILTS[np.abs(TILTS) * np.abs(weights).max() < MOST]
        exponents = np.expm1(np.outer(tilts, weights))
        first = exponents @ (share * weights) + share @ weights
        second = exponents @ (share * weights**2) + share @ weights**2
        root = np.sign(tilts) * np.sqrt(2 * np.maximum(tilts * first - exponents @ share, 1e-300))
        self.corrections = np.log(np.maximum(tilts * np.sqrt(second) / root, 1e-300)) / root
        self.means, self.roots = first, root

    def z(self, values, totals):
        """Standard deviations (n,) of values of as many counts in totals, with their sign."""
        if not self.sigma > 0:
            return np.zeros(len(values))
        mean = values / self.sigma / np.maximum(totals, 1)
        # Beyond what was looked at, it is no more improbable than at the end.
        w = np.interp(mean, self.means, self.roots)
        root = np.sqrt(totals)
        return root * w + np.interp(mean, self.means, self.corrections) / np.maximum(root, 1e-9)
