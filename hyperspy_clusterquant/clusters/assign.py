"""Pixels labelled with the clusters that were learned on another map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from hyperspy_clusterquant.clusters.clustering import Clustering, spread_over_channels
from hyperspy_clusterquant.clusters.labelling import memberships_of
from hyperspy_clusterquant.clusters.likelihood import cluster_shares, discriminant_scores
from hyperspy_clusterquant.clusters.neighbours import neighbourhood_width
from hyperspy_clusterquant.clusters.recipe import Recipe, versions
from hyperspy_clusterquant.counts.bins import LEARNING_COUNTS
from hyperspy_clusterquant.counts.features import channel_mask, merge_sparse_features, rebin_spectra
from hyperspy_clusterquant.counts.packed import column_sums, group_columns

#: Share of a spectrum's counts that must lie in the energies of the map to be assigned.
ENERGY_OVERLAP = 0.9


@dataclass(frozen=True, eq=False, kw_only=True)
class Assignment(Recipe):
    """Clusters of another map; of the rest, what concerns learning is not used.

    Attributes
    ----------
    spectra : array (n_clusters, channels of the other map)
        Summed counts of the clusters.
    spectra_energy : array (channels of the other map,)
        Energies of the channels in keV.
    """

    binning: object = 1
    spectra: np.ndarray
    spectra_energy: np.ndarray

    workflow: ClassVar[str] = "assigned"
    searches: ClassVar[bool] = False
    hidden: ClassVar[tuple] = (*Recipe.hidden, "spectra", "spectra_energy")

    @classmethod
    def of_result(cls, result, **more):
        """See `Recipe.of_result`."""
        spectra, energy = result.learned_spectra, result.learned_energy
        return super().of_result(result, spectra=spectra, spectra_energy=energy, **more)

    def run(self, pixels, progress):
        """See `Recipe.run`; a ValueError if the energies of the two maps do not fit."""
        progress("labels")
        known, channels = self._known_channels(pixels)
        used = channels >= 0
        covered = np.unique(channels[used])
        totals = pixels.blocks.sum(column_sums)
        groups = np.full(len(totals), -1)
        groups[covered] = merge_sparse_features(totals[covered])
        known = group_columns(
            sparse.csr_array(known[:, used]), groups[channels[used]], groups.max() + 1
        ).toarray()
        pixel_counts = pixels.blocks.only(groups=groups)
        sigma = neighbourhood_width(
            self.neighbourhood, pixels.per_pixel < LEARNING_COUNTS, pixels.per_pixel,
            pixels.keep.ndim,
        )  # fmt: skip
        memberships, _ = memberships_of(
            pixel_counts, known, np.ones(len(known)), None, pixels.keep, sigma
        )
        found = pixel_counts.map(discriminant_scores, cluster_shares(known))
        scores, doses = map(np.concatenate, zip(*found, strict=True))
        scores *= np.sqrt(max(np.median(doses), 1.0))
        return Clustering(
            recipe=self.with_chosen(neighbourhood_used=sigma, versions=versions()),
            labels=memberships.argmax(axis=1),
            memberships=memberships,
            label_spectra=spread_over_channels(
                cluster_shares(known), np.append(groups, -1)[channels]
            ),
            scores=scores,
            eigenvalues=np.zeros(0),
            noise_edge=np.nan,
        )

    def _known_channels(self, pixels):
        """Spectra on the channels of the pixels, and the features of those where they are known."""
        energy, of_spectra = pixels.energy, self.spectra_energy
        used = pixels.channels >= 0
        known = rebin_spectra(self.spectra, of_spectra, energy)
        learned = channel_mask(of_spectra, self.energy_range, self.excluded)
        inside, before = known[:, used].sum(), self.spectra[:, learned].sum()
        if inside < ENERGY_OVERLAP * before:
            raise ValueError(
                f"The energies of the map, {energy[0]:.3g} to {energy[-1]:.3g} keV, hold only "
                f"{inside / before:.0%} of the counts that the clusters were learned from, at "
                f"{of_spectra[0]:.3g} to {of_spectra[-1]:.3g} keV. Check the energy axes; learn "
                "again with an `energy_range` that both maps cover."
            )
        # Nothing is known of the clusters where their map had no channels.
        step = (of_spectra[-1] - of_spectra[0]) / max(len(of_spectra) - 1, 1)
        used &= (energy > of_spectra[0] - step / 2) & (energy < of_spectra[-1] + step / 2)
        return known, np.where(used, pixels.channels, -1)
