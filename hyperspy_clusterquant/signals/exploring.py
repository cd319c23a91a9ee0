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
from hyperspy_clusterquant.evidence.splits import labels_on
from hyperspy_clusterquant.explore.explorer import ClusterExplorer
from hyperspy_clusterquant.explore.session import Question, Session
from hyperspy_clusterquant.signals.axes import energy_in_kev
from hyperspy_clusterquant.signals.comparing import (
    read_absorption_choice,
    told_apart,
    what_to_compare,
)
from hyperspy_clusterquant.signals.halves import HalfOfMap, half_of, without
from hyperspy_clusterquant.signals.metadata import beam_energy_of, elements_of
from hyperspy_clusterquant.signals.options import find_kfactors, read_choice, read_given
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.specimen import usable_elements
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
        random_state: int | None = None,
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
        halves. Drawn are clusters, scores and spectra of the first half, where the clustering is
        done again; verdicts and compositions of what you select are of the second half. A selection
        that was chosen in what is drawn has not seen it, so its p-value is valid although a
        person chose the pixels by eye. That of the n-th selection is multiplied by n (n + 1), so
        that all of them together give a false "distinct" no more often than `level` says. Not
        valid is the verdict on a selection that was built from verdicts or differences of earlier
        ones, as they are of the second half.

        A map has one such half for good, which it remembers with the number of selections, also in
        files: of any other half, you have seen some counts.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        honest : bool
            False: draw all of the counts. That opens at once and shows more, but nothing is left to
            test selections with.
        random_state : int, optional
            Seed of the halves. Default: that of the map, or 0 when it is first explored.
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
            If there is no result, or it cannot be made again from one half of the counts; if
            `random_state` is another than before, or regions were drawn on all of the counts, or
            on a half of others: then you have seen what would test them.

        References
        ----------
        Halves of counts: A. Neufeld et al., Biostatistics 25 (2022) 270.

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
        if random_state is not None:
            random_state = as_int("random_state", random_state, minimum=0)
        asked = HalfOfMap(self)
        seed = asked.seed(result.recipe, random_state) if honest else [random_state or 0]
        recipe = self._repeated(result, seed[0])
        if honest and getattr(recipe, "drawn_on", None) == "all":
            raise ValueError(
                f"The regions of {result.name!r} were drawn on all of the counts, which leaves "
                "none to test them with. Explore the result that they were made from, or look at "
                "them without verdicts, honest=False."
            )
        half = drawn = None
        with stages("Explorer", 4, show_progressbar) as progress:
            mask = result.labels == MASKED
            whole = self._all_channels(None, recipe.energy_range, progress)
            pixels = without(whole, mask)
            labels = result.labels[pixels.keep]
            if honest:
                progress("the same clustering of one half of the counts")
                whole_half = half_of(whole, seed)
                half = without(whole_half, mask)
                found = labels_on(half, recipe)
                number = match_labels(labels, found, result.n_clusters)
                drawn = np.append(number, -1)[found]
            progress("what to compare")
            sums = sum_labels(pixels, labels, result.n_clusters)
            question = self._question(sums, xray_lines, extra_elements, kfactors, absorption)
            progress("scores")
            if honest:
                asked.look(seed, whole_half, recipe)
            known = {"asked": asked, "half_counts": asked.known["counts"]} if honest else {}
            session = Session(result, pixels, recipe, question, half, drawn, seed, level, **known)
            return ClusterExplorer(session, self._lines_to_mark(), self._has_rois())

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

    def _has_rois(self):
        """Whether HyperSpy's ROIs cut pixels out of the map."""
        axes = self.axes_manager.navigation_axes[:2]
        return all(axis.is_uniform and axis.scale > 0 for axis in axes)

    def _lines_to_mark(self):
        """Alpha lines of the declared elements and their energies, a dictionary."""
        energy = energy_in_kev(self)
        highest = min(energy[-1], beam_energy_of(self, needed=False) or energy[-1])
        lines = alpha_lines(elements_of(self), energy[0], highest)
        return {line: line_energy(line) for line in lines}
