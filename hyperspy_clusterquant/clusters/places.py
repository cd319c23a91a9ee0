"""Where a model of the shares errs: its scores from place to place of the map."""

from __future__ import annotations

import numpy as np

from hyperspy_clusterquant.clusters.shares import parts_of, solve

#: Pixels along each axis that are one place where the model errs.
PLACE = 8


class Places:
    """What the counts of each place of the map say beyond the model.

    `of_phases` (places, n_phases, n_columns) are the scores of the spectra, `noise` (n_phases,)
    their variances if there is nothing but shot noise.
    """

    def __init__(self, model, slopes):
        where = np.nonzero(model.keep)
        blocks = [
            index // (PLACE if scale > 0 else 1)
            for index, scale in zip(where, model.scales, strict=True)
        ]
        shape = [int(block.max()) + 1 for block in blocks]
        places, self.place = np.unique(np.ravel_multi_index(blocks, shape), return_inverse=True)
        self.n_places = len(places)
        self.inverse = solve(slopes.products, np.eye(len(slopes.products)))
        values, spectra = slopes.values, slopes.spectra
        self.of_phases = np.zeros((self.n_places, *spectra.shape))
        self.scores = np.zeros((self.n_places, len(values)))
        self.noise = 0.0
        for part in parts_of(*model.memberships.shape):
            shares = model.shares(values, part)
            residual = model.projected[part] - model.totals[part, None] * (shares.T @ spectra)
            self._add(self.of_phases, part, shares[..., None] * residual)
            self._add(
                self.scores[..., None], part, (slopes.along(part) * residual).sum(-1)[..., None]
            )
            self.noise = self.noise + (self.inverse @ shares) ** 2 @ model.noise(
                values, spectra, part
            )
        for pixels, own in model.own(values):
            self._add(self.of_phases, pixels, -own)

    def _add(self, collected, pixels, values):
        """Add values (n, pixels, n_columns) to those of their places (places, n, n_columns)."""
        for row, of in enumerate(values):
            for column, one in enumerate(of.T):
                collected[:, row, column] += np.bincount(self.place[pixels], one, self.n_places)

    def of_values(self, slopes):
        """Scores of width and rates in each place, (places, n_values)."""
        # Selection has the same part in all places.
        scores = self.scores - self.scores.mean(axis=0)
        solved = np.array([self.inverse @ of for of in slopes.taken])
        return scores - np.einsum("akd,pkd->pa", solved, self.of_phases)

    def scatter(self):
        """Variance of the phases' spectra from place to place over that of the counts, less one."""
        of_phases = self.of_phases - self.of_phases.mean(axis=0)
        found = np.sum(np.einsum("kl,pld->pkd", self.inverse, of_phases) ** 2, axis=(0, 2))
        found *= self.n_places / max(self.n_places - 1, 1)
        return np.maximum(found / np.maximum(self.noise, 1e-300) - 1, 0.0)
