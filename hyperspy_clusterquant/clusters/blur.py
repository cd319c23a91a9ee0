r"""The shares that phases have in the counts of each pixel: what the beam's blur makes of labels.

The model: where a pixel of one phase borders on another, the beam brings counts of both. The share
of phase k in the counts of pixel i is

.. math:: a_{ik} = \frac{r_k\, (g_\sigma * m_k)_i}{\sum_l r_l\, (g_\sigma * m_l)_i}

with the memberships m, a Gaussian g of the beam's width, and the rates r of the phases, which stand
for what one gives more counts than another and for boundaries that lie a little beside where they
were drawn. Width and rates are those with which the shares explain the counts best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from hyperspy_clusterquant.clusters.places import Places
from hyperspy_clusterquant.clusters.shares import (
    area_change,
    at_borders,
    blur,
    normalised,
    own_weights,
    parts_of,
    rates_of,
    solve,
    through_shares,
)

#: Smallest and largest width in pixels, and those that the search begins with. A Gaussian of the
#: smallest one takes less than half a percent from each neighbour.
NARROWEST, WIDEST = 0.3, 6.0
STARTS = (0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
#: What is known of the width in pixels before, which is nearly nothing, and of the logarithm of the
#: rates beside those of the mean counts: boundaries lie where they were drawn to 0.15 pixels of a
#: beam as wide as one.
WIDTH_BEFORE, WIDTH_STD, RATE_STD = 1.0, 5.0, 0.3
#: Standard deviations that the model itself leaves, as labels are of whole pixels with corners
#: rounded: of the width, relative, and of the logarithm of the rates of any two phases where they
#: meet, as seen in spectra, in counts, and in areas, where thickness varies as well. On phantoms of
#: smooth domains and of polygons, blurred by 0.5 to 2 pixels, with 6 to 180 counts, shares of the
#: counts of the map are then off by 0.9 to 1.7 times what is stated.
WIDTH_MODEL, BORDER_MODEL, COUNT_MODEL, AREA_MODEL = 0.02, 0.05, 0.1, 0.2
#: Steps of the search, the largest of one parameter, and the step at which it ends.
MOST_STEPS, LARGEST_STEP, SETTLED = 12, 0.3, 2e-3
#: Distances over which derivatives by the width and by the rates are taken.
DIFFERENCES = 0.02, 0.03


class PixelShares:
    """Shares of phases in the counts of pixels, and how well they explain them.

    Parameters
    ----------
    memberships : array (kept pixels, n_phases)
        Rows sum to one.
    keep : array of bool (map shape)
    scales : sequence of float
        Pixels of each axis in the unit of the width; 0 = not blurred along it.
    totals : array (kept pixels,)
        Counts of each pixel.
    projected : array (kept pixels, n_columns)
        Counts of each pixel along directions of unit shot noise.
    spread : array (kept pixels,)
        Shot noise of these, the sum of their variances.
    undecided : array of int
        Pixels to whose memberships a single count makes a difference.
    change : array (undecided pixels, n_phases, n_columns)
        Counts times that difference, along the same directions.
    pooled : float
        Width in pixels of the Gaussian over which counts also make a difference to the memberships
        of neighbours.
    """

    def __init__(
        self, memberships, keep, scales, totals, projected, spread, undecided, change, pooled=0.0
    ):  # fmt: skip
        self.memberships = memberships
        self.keep = keep
        self.scales = np.asarray(scales, dtype=float)
        self.totals = totals
        self.projected = projected
        self.spread = spread
        self.undecided = undecided
        self.change = change
        self.pooled = pooled
        per_pixel = memberships.T @ totals / np.maximum(memberships.sum(axis=0), 1e-9)
        rates = np.log(np.maximum(per_pixel, 1e-9))
        self.before = np.append(WIDTH_BEFORE, (rates - rates[0])[1:])
        self.precision = np.append(WIDTH_STD, np.full(len(rates) - 1, RATE_STD)) ** -2.0
        self._blurred, self._own = {}, {}

    # --- the model ------------------------------------------------------------------------

    def blurred(self, width):
        """Memberships of the pixels as the beam blurs them, (n_phases, kept pixels)."""
        key = round(float(width), 6)
        if key not in self._blurred:
            if len(self._blurred) > 2:
                self._blurred.clear()
            self._blurred[key] = blur(self.memberships, self.keep, key * self.scales)
        return self._blurred[key]

    def shares(self, values, pixels=slice(None)):
        """Share of each phase in the counts of pixels, (n_phases, pixels)."""
        return normalised(self.blurred(values[0])[:, pixels], rates_of(values))

    def own_factor(self, values, pixels=slice(None)):
        """Part that a pixel's own counts have in its blurred memberships times rates, (pixels,).

        By its own memberships and by those of neighbours that its counts were pooled with, over
        what they do to its own.
        """
        own = self._own_weight(round(float(values[0]), 6))[pixels]
        return own / np.maximum(rates_of(values) @ self.blurred(values[0])[:, pixels], 1e-12)

    def _own_weight(self, width):
        """Part that a pixel's own counts have in its blurred memberships, (kept pixels,)."""
        if width not in self._own:
            self._own.clear()
            weight = np.ones(self.keep.shape, dtype=np.float32)
            for axis, scale in enumerate(self.scales):
                along = own_weights(self.keep.shape[axis], width * scale, self.pooled)
                weight *= along.reshape(-1, *[1] * (self.keep.ndim - axis - 1))
            self._own[width] = weight[self.keep]
        return self._own[width]

    def own(self, values):
        """What the shares owe to their pixels' own counts: numbers of pixels, and sums for each.

        Pairs of arrays (pixels,) and (n_phases, pixels, columns), of some pixels after the other.
        """
        for part in parts_of(len(self.undecided), self.memberships.shape[1]):
            pixels = self.undecided[part]
            change = self.change[part].transpose(1, 0, 2)
            shares, factor = self.shares(values, pixels), self.own_factor(values, pixels)
            yield (
                pixels,
                through_shares(change, shares[..., None], factor[:, None], rates_of(values)),
            )

    def noise(self, values, spectra, pixels):
        """Shot noise of the projected counts of pixels whose totals are known, (pixels,)."""
        expected = self.shares(values, pixels).T @ spectra
        known = self.totals[pixels] * np.sum(expected**2, axis=1)
        return np.maximum(self.spread[pixels] - known, 0.0)

    def sums(self, values):
        """The normal equations of the phases' spectra, S = G P along the directions: S and G.

        Every count is weighted with the shares that its pixel would have without it.
        """
        sums, products = 0.0, 0.0
        for part in parts_of(*self.memberships.shape):
            shares = self.shares(values, part)
            sums = sums + shares @ self.projected[part]
            products = products + (shares * self.totals[part]) @ shares.T
        for _, own in self.own(values):
            sums = sums - own.sum(axis=1)
        return sums, products

    def fitness(self, values):
        """Logarithm of the likelihood with the best spectra, and of what was known before."""
        sums, products = self.sums(values)
        distance = values - self.before
        gained = np.sum(sums * solve(products, sums))
        return 0.5 * (gained - distance @ (self.precision * distance))

    def derivatives(self, values, pixels=slice(None)):
        """Derivatives of the shares by width and by each rate, (n_values, n_phases, pixels)."""
        step = np.zeros(len(values))
        step[0] = DIFFERENCES[0]
        sides = self.shares(values + step, pixels), self.shares(values - step, pixels)
        shares = self.shares(values, pixels)
        by_rates = np.array(
            [shares * ((np.arange(len(shares)) == k)[:, None] - shares[k])
             for k in range(1, len(shares))]
        ).reshape(-1, *shares.shape)  # fmt: skip
        return np.concatenate([(sides[0] - sides[1])[None] / (2 * step[0]), by_rates])

    # --- the search -----------------------------------------------------------------------

    def fit(self):
        """Width and rates that explain the counts best, as a `FittedShares`."""
        starts = [np.append(width, self.before[1:]) for width in STARTS]
        values = max(starts, key=self.fitness)
        reached = self.fitness(values)
        for _ in range(MOST_STEPS):
            step = np.linalg.solve(_Slopes(self, values).information, self._gradient(values))
            step *= min(1.0, LARGEST_STEP / max(np.abs(step).max(), 1e-12))
            better = False
            while not better and np.abs(step).max() > SETTLED:
                tried = values + step
                tried[0] = np.clip(tried[0], NARROWEST, WIDEST)
                fitness = self.fitness(tried)
                better = fitness > reached
                step = step / 2
            if not better:
                break
            values, reached = tried, fitness
        return FittedShares.of(self, values)

    def _gradient(self, values):
        gradient = np.empty(len(values))
        for n in range(len(values)):
            step = np.zeros(len(values))
            step[n] = DIFFERENCES[min(n, 1)]
            sides = self.fitness(values + step), self.fitness(values - step)
            gradient[n] = (sides[0] - sides[1]) / (2 * step[n])
        return gradient


class _Slopes:
    """How the expected counts change with width and rates, and what is known of these.

    `crossed` (n_values, n_values) are the products of the changes, `taken` (n_values, n_phases,
    n_columns) what the spectra take over of them, and `information` is what is left, with what was
    known before.
    """

    def __init__(self, model, values):
        self.model, self.values = model, values
        sums, self.products = model.sums(values)
        self.spectra = solve(self.products, sums)
        self.crossed, self.taken = 0.0, 0.0
        for part in parts_of(*model.memberships.shape):
            along, totals = self.along(part), model.totals[part]
            weighted = along * totals[:, None]
            flat = along.reshape(len(values), -1)
            self.crossed = self.crossed + weighted.reshape(len(values), -1) @ flat.T
            shares = model.shares(values, part)
            self.taken = self.taken + np.einsum("kp,apd->akd", shares, weighted, optimize=True)
        solved = np.array([solve(self.products, of) for of in self.taken])
        self.known = self.crossed + np.diag(model.precision)
        self.information = self.known - np.einsum("akd,bkd->ab", self.taken, solved)

    def along(self, pixels):
        """Change of the expected counts along the directions, (n_values, pixels, n_columns)."""
        derivatives = self.model.derivatives(self.values, pixels)
        return np.einsum("akp,kd->apd", derivatives, self.spectra, optimize=True)


@dataclass(frozen=True, eq=False)
class FittedShares:
    """Shares that explain the counts best, and what is uncertain about them.

    Attributes
    ----------
    values : array (n_phases,)
        Width in pixels, and logarithms of the rates beside that of the first phase.
    shares : array of float32 (n_phases, kept pixels)
        Of the phases in the counts of pixels.
    own_factor : array of float32 (kept pixels,)
        For `through_shares`.
    inverse : array (n_phases, n_phases)
        Of the normal equations: times the shares, the weights of the pixels in the spectra.
    spectra : array (n_phases, n_columns)
        Of the phases along the directions, per count.
    noise : array (n_phases,)
        Variance of these from the counts, the sum over the directions.
    pixel_noise : array of float32 (kept pixels,)
        The same of the projected counts of each pixel.
    modes : array (n_modes, n_phases, n_phases)
        What one standard deviation of width and rates, and another reading of the labels, would
        add of each phase to the spectrum of each.
    count_modes, area_modes : array (n_modes, n_phases)
        What it would add to the counts of each phase, and to its pixels.
    dose_rates : array (n_phases,)
        Mean counts of a pixel of each phase, over that of the first.
    width_std : float
        Of the width.
    scatter : array (n_phases,)
        Variance of the phases' spectra from place to place over that of the counts, less one.
    """

    values: np.ndarray
    shares: np.ndarray
    own_factor: np.ndarray
    inverse: np.ndarray
    spectra: np.ndarray
    noise: np.ndarray
    pixel_noise: np.ndarray
    modes: np.ndarray
    count_modes: np.ndarray
    area_modes: np.ndarray
    dose_rates: np.ndarray
    width_std: float
    scatter: np.ndarray

    @property
    def width(self):
        """Gaussian sigma of the beam in pixels."""
        return float(self.values[0])

    @classmethod
    def of(cls, model, values):
        """What a model says with some width and rates."""
        slopes = _Slopes(model, values)
        places = Places(model, slopes)
        scores = places.of_values(slopes)
        inverse = np.linalg.inv(slopes.information)
        # Where the model errs from place to place by more than shot noise, so do its values.
        covariance = inverse @ (scores.T @ scores + np.diag(model.precision)) @ inverse
        covariance[0, 0] += (WIDTH_MODEL * values[0]) ** 2
        variances, vectors = np.linalg.eigh(covariance)
        roots = vectors * np.sqrt(np.maximum(variances, 0.0))
        dose_rates = rates_of(model.before)
        found = _responses(slopes, dose_rates)
        n_pairs = len(found[0]) - len(roots) - 1
        modes, count_modes, area_modes = (
            np.tensordot(linalg.block_diag(roots.T, 1.0, std * np.eye(n_pairs)), of, 1)
            for of, std in zip(found, (BORDER_MODEL, COUNT_MODEL, AREA_MODEL), strict=True)
        )
        return cls(
            values=values,
            shares=model.shares(values).astype(np.float32),
            own_factor=model.own_factor(values).astype(np.float32),
            inverse=places.inverse,
            spectra=slopes.spectra,
            noise=places.noise,
            pixel_noise=model.noise(values, slopes.spectra, slice(None)).astype(np.float32),
            modes=modes,
            count_modes=count_modes,
            area_modes=area_modes,
            dose_rates=dose_rates,
            width_std=float(np.sqrt(max(covariance[0, 0], 0.0))),
            scatter=places.scatter(),
        )


def _responses(slopes, dose_rates):
    """What changes of the shares do to spectra, counts and areas of the phases.

    By width and rates, by another reading of the labels, and at the borders of each pair: arrays
    (n_changes, n_phases, n_phases), (n_changes, n_phases) and the same.
    """
    model, values, spectra = slopes.model, slopes.values, slopes.spectra
    hard = model.memberships == model.memberships.max(axis=1, keepdims=True)
    hard = hard / hard.sum(axis=1, keepdims=True, dtype=np.float32)
    hard = blur(hard, model.keep, values[0] * model.scales)

    def read_otherwise(part):
        """Change of the shares if every pixel were of its most probable phase."""
        return normalised(hard[:, part], rates_of(values)) - model.shares(values, part)

    parts = list(parts_of(*model.memberships.shape))
    alike = 0.0
    for part in parts:
        along = read_otherwise(part).T @ spectra * model.totals[part, None]
        alike = alike + np.einsum("apd,pd->a", slopes.along(part), along)
    # Apart from what another width and other rates would make of it.
    step = np.linalg.solve(slopes.known, alike)
    collected = [0.0, 0.0, 0.0]
    for part in parts:
        shares, totals = model.shares(values, part), model.totals[part]
        derivatives = model.derivatives(values, part)
        otherwise = read_otherwise(part) - np.tensordot(step, derivatives, 1)
        changes = [*derivatives, otherwise, *at_borders(shares)]
        of_part = zip(
            *((-(shares * totals) @ of.T, of @ totals, area_change(shares, of, dose_rates))
              for of in changes), strict=True,
        )  # fmt: skip
        collected = [one + np.array(other) for one, other in zip(collected, of_part, strict=True)]
    return np.array([solve(slopes.products, of) for of in collected[0]]), *collected[1:]
