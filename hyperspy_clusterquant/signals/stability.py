"""Do clusters stay the same when they are looked for again? The method that asks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import as_int, check_has_clusters
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.clusters.umap_hdbscan import UmapHdbscan
from hyperspy_clusterquant.evidence.repeats import (
    as_varied,
    labels_again,
    other_bins,
    variations,
)
from hyperspy_clusterquant.evidence.splits import half_labels
from hyperspy_clusterquant.results.stability import stability_of
from hyperspy_clusterquant.signals.halves import STREAM
from hyperspy_clusterquant.signals.progress import stages, with_umap
from hyperspy_clusterquant.signals.storage import write_findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperspy_clusterquant.results.clusters import ClusterResult
    from hyperspy_clusterquant.results.stability import ClusterStability


class ClusterRepeats:
    """Clusters that are looked for again."""

    def cluster_stability(
        self,
        result: ClusterResult | str | None = None,
        n_resamples: int = 10,
        random_state: int = 0,
        *,
        vary: Sequence[str] = ("counts", "seed", "binning", "workflow"),
        show_progressbar: bool | None = None,
    ) -> ClusterStability:
        """Learn the clusters again in other ways, and see which of them come back.

        - ``"counts"``: every count is kept with probability 1/2, the same clustering is done again
          with the same parameters and number of clusters, as often as `n_resamples`. With half of
          the counts, clusters are less stable than with all of them: what comes back can be relied
          on, what does not may just lack counts.
        - ``"seed"``: all counts, three other seeds of everything that is random.
        - ``"binning"``: all counts, pixels binned for learning by half and by twice as much, where
          the counts of a bin and the pixels of the smallest cluster allow for it.
        - ``"workflow"``: all counts, the other workflow with its defaults, on the same pixels and
          energies.

        With all counts, the number of clusters is searched for again. If it was told, seeds and
        bins keep it, and the search is made once more. Clusters are matched one to one by
        their pixels. The result prints what was found from then on, also when it was saved.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest. Clusters may have been merged, dropped or
            renamed. Those that were assigned from another map are not searched for again. Regions
            by hand are the same whatever the counts: the workflows are asked whether they find
            them.
        n_resamples : int
            How often half of the counts are taken.
        random_state : int
            Seed of the thinning, and choice of the other seeds.
        vary : list of {"counts", "seed", "binning", "workflow"}
            What to vary.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        ClusterStability

        Raises
        ------
        ValueError
            If there is no result, or nothing in `vary` can be.

        References
        ----------
        C. Hennig, Comput. Stat. Data Anal. 52 (2007) 258; A. Strehl and J. Ghosh, J. Mach. Learn.
        Res. 3 (2002) 583.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> result = s.cluster_pca_gmm(show_progressbar=False)
        >>> found = s.cluster_stability(result, n_resamples=2, show_progressbar=False)
        >>> found.verdicts
        ('stable', 'stable', 'stable', 'stable')
        >>> found.number
        '4'
        """
        given, result = result, self._get_cluster_result(result)
        check_has_clusters(result)
        n_resamples = as_int("n_resamples", n_resamples, minimum=1)
        random_state = as_int("random_state", random_state, minimum=0)
        vary = as_varied(vary)
        recipe = self._repeated(result, random_state)
        vary, remarks = _what_can_vary(result, recipe, vary)
        halves = range(n_resamples) if "counts" in vary else ()
        again = self._variations(result, vary, random_state)
        if not halves and not again:
            raise ValueError(
                f"Nothing of {', '.join(vary)} can be varied for the result {result.name!r}. Add "
                "'counts' to `vary`."
            )

        def resampled(pixels, progress):
            for number in halves:
                progress(f"half {number + 1}")
                # The halves of `cluster_significance`: what it learned is not learned again.
                yield half_labels(pixels, recipe, [random_state, STREAM, number])[0]

        def repeated(pixels, progress):
            for variation in again:
                progress(variation.what)
                yield variation, labels_again(pixels, variation.recipe)

        recipes = [*(recipe for _ in halves), *(variation.recipe for variation in again)]
        title = with_umap("Stability", sum(isinstance(r, UmapHdbscan) for r in recipes))
        with stages(title, len(recipes) + 1, show_progressbar) as progress:
            pixels = self._all_channels(result.labels == MASKED, recipe.energy_range, progress)
            found = stability_of(
                result, resampled(pixels, progress), repeated(pixels, progress), vary, remarks
            )
        if found.repeated or not result.findings.get("stability"):  # halves alone say less
            write_findings(self, result, "stability", found.summary, given)
        return found

    def _variations(self, result, vary, random_state):
        """Ways to look for the clusters of a result again with all of the counts."""
        known = result.recipe
        unknown = {name: value for name, value in self._sample().items()
                   if name not in result.parameters}  # fmt: skip
        recipe = replace(known, **unknown)
        # Without components, larger bins may still show some.
        leading = result.eigenvalues[: result.n_components]
        bins = other_bins(
            recipe,
            result.labels.ndim,
            int(np.min(result.sizes[result.sizes > 0], initial=result.labels.size)),
            leading[-1] if len(leading) else 0.0,
        )
        return variations(recipe, vary, random_state, bins)


def _what_can_vary(result, recipe, vary):
    """Of what is to be varied that which can be, and sentences on the rest."""
    if recipe.follows_counts:
        return vary, ()
    fixed = [kind for kind in vary if kind != "workflow"]
    if len(fixed) == len(vary):
        raise ValueError(
            f"The regions of {result.name!r} were given by hand: {', '.join(fixed)} cannot be "
            "varied, as nothing looks for them in the counts. Ask with vary='workflow' whether the "
            "workflows find them."
        )
    said = (
        f"The regions were given by hand: {', '.join(fixed)} cannot be varied, as nothing looks "
        "for them in the counts."
    )
    return ("workflow",), (said,) if fixed else ()
