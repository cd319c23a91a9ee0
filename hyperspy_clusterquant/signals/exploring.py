"""A window to look at clusters and edit them: the method of the signal classes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import as_int, as_level, check_has_clusters
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.composition.compose import atomic_percent
from hyperspy_clusterquant.composition.intensities import measure
from hyperspy_clusterquant.counts.pixels import sum_labels
from hyperspy_clusterquant.evidence.matching import match_labels
from hyperspy_clusterquant.evidence.splits import half_labels
from hyperspy_clusterquant.explore.explorer import ClusterExplorer
from hyperspy_clusterquant.explore.session import Question, Session
from hyperspy_clusterquant.signals.axes import energy_in_kev
from hyperspy_clusterquant.signals.comparing import (
    read_absorption_choice,
    told_apart,
    what_to_compare,
)
from hyperspy_clusterquant.signals.metadata import beam_energy_of, elements_of
from hyperspy_clusterquant.signals.options import find_kfactors, read_choice, read_given
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.specimen import usable_elements
from hyperspy_clusterquant.signals.testing import STREAM
from hyperspy_clusterquant.xrays.emission import split_line
from hyperspy_clusterquant.xrays.lines import alpha_lines, line_energy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from hyperspy_clusterquant._types import GivenKFactors
    from hyperspy_clusterquant.results.clusters import ClusterResult


class ClusterExploration:
    """Clusters looked at, edited and tested by eye."""

    def explore_clusters(
        self,
        result: ClusterResult | str | None = None,
        *,
        honest: bool = True,
        random_state: int = 0,
        level: float = 0.05,
        xray_lines: Sequence[str] | None = None,
        extra_elements: Sequence[str] = ("C", "O"),
        kfactors: GivenKFactors | None = None,
        absorption: Literal["ignore", "keep"] = "ignore",
        show_progressbar: bool | None = None,
    ) -> ClusterExplorer:
        """Open a window to look at clusters, select pixels, and learn whether what you see is real.

        Map, scores, spectra and clusters are linked, see `ClusterExplorer`. A person who looks for
        pixels that differ finds some in pure noise. So every count is put at random into one of two
        halves. Drawn are the clusters and scores of the first half, where the clustering is
        done again; spectra and verdicts of what you select are of the second half, which the
        selection has not seen: p-values, differences and "distinct" or "not distinguishable" are
        valid although a person chose the pixels by eye. As who sees a verdict may choose the next
        selection after it, the p-value of the n-th selection is multiplied by n.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        honest : bool
            False: draw all of the counts. That opens at once and shows more, but nothing is left to
            test selections with.
        random_state : int
            Seed of the halves. Regions that were drawn in the explorer keep their half.
        level : float
            Of the verdicts: the probability that a selection of one composition is called distinct.
        xray_lines, extra_elements, kfactors, absorption
            As in `cluster_significance`.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        ClusterExplorer
            With ``result``, ``selection`` and ``close``. In a notebook, the window needs
            ``%matplotlib widget`` (ipympl) to listen to the mouse.

        Raises
        ------
        ValueError
            If there is no result, or it cannot be made again from one half of the counts.

        References
        ----------
        A. Neufeld et al., Biostatistics 25 (2022) 270.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> result = s.cluster_pca_gmm(n_clusters=2, show_progressbar=False)
        >>> explorer = s.explore_clusters(result, show_progressbar=False)
        >>> jalpaite = s.metadata.Ground_truth.labels == 2  # as if drawn with the lasso
        >>> explorer.select(jalpaite).verdict.is_distinct
        True
        >>> explorer.new_cluster("jalpaite")
        >>> explorer.close()
        >>> explorer.result.n_clusters
        3
        """
        result = self._get_cluster_result(result)
        check_has_clusters(result)
        read_absorption_choice(absorption)
        level = as_level(level)
        random_state = as_int("random_state", random_state, minimum=0)
        recipe = self._repeated(result, random_state)
        seed = getattr(recipe, "half_seed", None) or [random_state, STREAM, 0]
        half = drawn = None
        with stages("Explorer", 4, show_progressbar) as progress:
            pixels = self._all_channels(result.labels == MASKED, recipe.energy_range, progress)
            labels = result.labels[pixels.keep]
            if honest:
                progress("the same clustering of one half of the counts")
                found, half = half_labels(pixels, recipe, seed)
                number = match_labels(labels, found, result.n_clusters)
                drawn = np.append(number, -1)[found]
            progress("what to compare")
            sums = sum_labels(pixels, labels, result.n_clusters)
            question = self._question(sums, xray_lines, extra_elements, kfactors, absorption)
            progress("scores")
            session = Session(result, pixels, recipe, question, half, drawn, seed, level)
            return ClusterExplorer(session, self._lines_to_mark())

    def _question(self, sums, xray_lines, extra_elements, kfactors, absorption):
        """How selections are compared; None if too few elements are declared for that."""
        if xray_lines is None and len(usable_elements(self)[0]) < 2:
            return None
        given = read_given(kfactors)
        choice = read_choice(self, xray_lines, extra_elements, given or (), quantified=True)
        known = find_kfactors(self, choice.lines, given)
        measured = measure(sums, sums, choice)
        names, lines = told_apart(measured)
        compared, _ = what_to_compare(self, sums, choice, measured, names, absorption, known)
        elements = tuple(split_line(line)[0] for line in names)
        return Question(
            elements, lines, partial(atomic_percent, lines=names, kfactors=known), compared
        )

    def _lines_to_mark(self):
        """Alpha lines of the declared elements and their energies, a dictionary."""
        energy = energy_in_kev(self)
        highest = min(energy[-1], beam_energy_of(self, needed=False) or energy[-1])
        lines = alpha_lines(elements_of(self), energy[0], highest)
        return {line: line_energy(line) for line in lines}
