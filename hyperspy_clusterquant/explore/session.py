"""What is known while somebody explores: counts in two halves, clusters, a selection, verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hyperspy_clusterquant._frozen import FrozenDict
from hyperspy_clusterquant.clusters.by_hand import ByHand
from hyperspy_clusterquant.clusters.labels import MASKED, drop_empty_and_sort
from hyperspy_clusterquant.counts.packed import column_sums
from hyperspy_clusterquant.evidence.judgement import Compared
from hyperspy_clusterquant.evidence.selections import (
    Asked,
    corrected_for,
    judge_selection,
    verdict_on_selection,
)
from hyperspy_clusterquant.explore.edits import Editor
from hyperspy_clusterquant.explore.halves import Halves
from hyperspy_clusterquant.explore.plane import best_plane, scores_of
from hyperspy_clusterquant.results.selection import SelectionVerdict

#: What a selection is compared with: the rest of the clusters it lies in, or of the map.
AGAINST = ("cluster", "rest")


@dataclass(frozen=True, eq=False)
class Question:
    """How selections are compared.

    Attributes
    ----------
    elements : tuple of str
        Of the lines.
    lines : LinearFit
        How counts become the areas that compositions are made of.
    composition : callable
        At% and their covariance from areas and theirs.
    compared : Compared
        What is tested.
    """

    elements: tuple
    lines: object
    composition: Callable
    compared: Compared


class Session:
    """The model of the explorer, without graphics.

    Parameters
    ----------
    result : ClusterResult
        What is explored.
    pixels : PixelCounts
        All counts, of all channels.
    recipe : Recipe
        Of the result.
    question : Question or None
        None: no verdicts.
    half : PixelCounts, optional
        The half of the counts that is looked at.
    drawn : array of int (kept pixels,), optional
        Clusters of that half with the numbers of the result's. Default: the result's.
    seed : sequence of int
        Of the half.
    level : float
        Of the verdicts.
    asked : Asked, optional
        What was tested in the other half before.
    half_counts : int, optional
        Counts of the half of the whole map. Default: of its pixels that take part.
    """

    def __init__(
        self, result, pixels, recipe, question=None, half=None, drawn=None, seed=(0,), level=0.05,
        asked=None, half_counts=None,
    ):  # fmt: skip
        self.source, self.recipe, self.question = result, recipe, question
        self.counts = Halves(pixels, half)
        self.level, self.seed = level, tuple(seed)
        self.honest = half is not None
        image = result.labels.copy()
        if drawn is not None:
            image[pixels.keep] = drawn
        self.editor = Editor(result.labels, image, result.cluster_names)
        self.mask = np.zeros(result.labels.shape, dtype=bool)
        self.asked = Asked() if asked is None else asked
        self._half_counts = half_counts
        self._against, self._compared, self._verdicts = "cluster", None, {}
        self._result = None

    # --- what is drawn --------------------------------------------------------------------

    @property
    def keep(self):
        """Pixels that take part, array of bool (map shape)."""
        return self.counts.pixels.keep

    @property
    def labels(self):
        """Clusters of the counts that are looked at, array of int (map shape)."""
        return self.editor.now.drawn

    @property
    def names(self):
        """Names of the clusters by their numbers, in the order that they have in the result."""
        now, order = self.editor.now, self._order()
        return {number: now.names[number] for number in order}

    def _order(self):
        """Numbers of the clusters in the order of the result; without pixels there, last."""
        now = self.editor.now
        if not self.editor.edits:
            return list(now.names)
        sizes = np.bincount(now.labels[now.labels >= 0], minlength=self.editor.n_numbers)
        return sorted(now.names, key=lambda number: -sizes[number])

    @cached_property
    def plane(self):
        """Place of each kept pixel among the scores, array (kept pixels, 2)."""
        labels = self.editor.start.drawn[self.keep]
        scores = scores_of(self.counts.looked_at, labels, self.source.n_clusters, self.recipe)
        return best_plane(scores, labels, len(self.source.cluster_names))

    def spectrum_of_pixel(self, place):
        """Counts of one pixel that are looked at, array (channels,)."""
        return self.counts.pixel(np.ravel_multi_index(place, self.keep.shape))

    # --- the selection --------------------------------------------------------------------

    def select(self, mask):
        """Select the pixels of a mask (map shape); those that are left out are not."""
        mask = np.asarray(mask)
        if mask.shape != self.keep.shape:
            raise ValueError(
                f"A selection has the map's array shape {self.keep.shape}, not {mask.shape}."
            )
        if mask.dtype != bool and (mask.dtype.kind not in "iuf" or not np.isin(mask, (0, 1)).all()):
            raise ValueError(
                "A selection must hold True (selected) and False, not other values "
                f"({mask.dtype}). Of labels, take those of a cluster: labels == 2."
            )
        self.mask, self._compared = mask.astype(bool) & self.keep, None

    @property
    def against(self):
        """What selections are compared with, one of `AGAINST`."""
        return self._against

    @against.setter
    def against(self, name):
        if name != self._against:
            self._against, self._compared = name, None

    @property
    def others(self):
        """What the selection is compared with: a mask (map shape), and words for it.

        It stays what it was when the pixels were selected, whatever is edited afterwards: of
        another comparison, nobody asked for a verdict.
        """
        if self._compared is None:
            self._compared = self._chosen_others()
        mask, number, name = self._compared
        if number is None:
            return mask, "the rest of the map"
        name = self.editor.now.names.get(number, name)
        self._compared = mask, number, name
        return mask, f"the rest of {name!r}"

    def _chosen_others(self):
        """Mask, and number and name of the cluster, or None."""
        rest = self.keep & ~self.mask
        inside = self.labels[self.mask]
        sizes = np.bincount(inside[inside >= 0])
        if self.against == "cluster" and len(sizes):
            number = int(np.argmax(sizes))
            of_cluster = rest & (self.labels == number)
            if of_cluster.any():
                return of_cluster, number, self.editor.now.names[number]
        return rest, None, ""

    @property
    def spectra(self):
        """Counts of the selection and of what it is compared with, array (2, channels).

        Of the half that is looked at, where noise was selected, too: who looks at the other one
        makes the next selection with what belongs to its test.
        """
        return self._sums()[:, 0]

    def _sums(self):
        """Counts (2, 2, channels) of the selection, and of the others, in both halves."""
        others, _ = self.others
        # Clusters are summed once, and what is selected is taken off.
        whole = others | self.mask if self._compared[1] is None else self._whole_cluster(others)
        of_others = self.counts.sums(whole) - self.counts.sums(whole & self.mask)
        return np.stack([self.counts.sums(self.mask), of_others])

    def _whole_cluster(self, others):
        """The cluster that the others are the rest of, as it is or, after edits, as it was."""
        now = self.labels == self._compared[1]
        return now if np.array_equal(now & ~self.mask, others) else others

    def verdict(self):
        """Whether the selection differs in composition, a SelectionVerdict; None if it is empty."""
        others, words = self.others
        if not self.mask.any():
            return None
        key = self.mask.tobytes(), others.tobytes()
        if key not in self._verdicts:
            self._verdicts[key] = self._judged(others, words)
        if self._verdicts[key].against != words:  # a cluster has another name
            self._verdicts[key] = replace(self._verdicts[key], against=words)
        return self._verdicts[key]

    @property
    def n_asked(self):
        """Selections that were tested, also when the map was explored before."""
        return len(self.asked)

    def _judged(self, others, words):
        ask, sizes = self.question, [int(np.count_nonzero(mask)) for mask in (self.mask, others)]
        is_tested = self.honest and ask is not None and sizes[1] > 0
        number = self.n_asked
        if is_tested:
            number = self.asked.number_of(
                self.mask, others, ask.elements, ask.compared.changes is None
            )
        known = {
            "n_pixels": sizes[0], "against": words, "n_against": sizes[1],
            "n_asked": number, "level": self.level, "honest": self.honest,
        }  # fmt: skip
        if ask is None or not sizes[1]:
            nothing = np.zeros(0)
            return SelectionVerdict(
                elements=(), kind=None, p_value=np.nan, composition=nothing,
                composition_std=nothing, difference=nothing, difference_std=nothing,
                element_p_values=nothing, **known,
            )  # fmt: skip
        first, second = self._sums().swapaxes(0, 1)
        judged = judge_selection(
            first, second, sizes, ask.lines, ask.composition, self.seed, ask.compared
        )
        if is_tested:
            judged = corrected_for(judged, number)
        kind, p_value = verdict_on_selection(judged, self.level)
        areas, covariance = ask.lines.areas(second[0])
        composition, spread = ask.composition(np.maximum(areas, 0), covariance)
        return SelectionVerdict(
            elements=ask.elements, kind=kind, p_value=p_value, composition=composition,
            composition_std=np.sqrt(np.diag(spread)), difference=judged.difference[0, 1],
            difference_std=judged.difference_std[0, 1],
            element_p_values=judged.element_p_values[0, 1], **known,
        )  # fmt: skip

    # --- edits ----------------------------------------------------------------------------

    def told(self):
        """What is known of the selection, for the history."""
        known = self._verdicts.get((self.mask.tobytes(), self.others[0].tobytes()))
        told = {"pixels": int(self.mask.sum())}
        if known is not None and known.honest:
            told |= {"against": known.against, "verdict": known.words, "p": known.p_value}
        return told

    @property
    def history(self):
        """Edits as texts and numbers, a list of dictionaries, as `parameters` shows it."""
        entries, state = [], self.editor.start
        for edit in self.editor.edits:
            names = {**state.names, edit.numbers[0]: state.names.get(edit.numbers[0], edit.name)}
            entry = {"edit": edit.kind, "clusters": [names[k] for k in edit.numbers]}
            if edit.kind == "rename":
                entry["name"] = edit.name
            entries.append(entry | edit.told)
            state = state.after(edit)
        return entries

    @property
    def result(self):
        """The clusters after all edits, a ClusterResult; the one explored if there are none."""
        edits = self.editor.edits
        if not edits:
            return self.source
        state = edits, self.n_asked
        if self._result is None or self._result[0] != state:
            self._result = state, self._after(edits)
        return self._result[1]

    def _drawn_on(self, edits):
        """What was looked at when the clusters after some edits were drawn, see `ByHand`."""
        known = getattr(self.recipe, "drawn_on", None)
        if known in ("outside", "all") and all(edit.kind == "rename" for edit in edits):
            return known
        if known == "all" or not self.honest:
            return "all"
        return "half" if known in (None, "half") else "outside, half"

    def _after(self, edits):
        source, now = self.source, self.editor.now
        memberships = np.zeros((self.editor.n_numbers, *source.labels.shape), dtype=np.float32)
        memberships[: source.n_clusters] = source.memberships
        memberships = now.memberships_after(memberships, edits)
        kept = self.keep
        labels, _, order = drop_empty_and_sort(
            now.labels[kept], np.zeros((1, self.editor.n_numbers), dtype=bool)
        )
        image, drawn = np.full(kept.shape, MASKED), np.full(kept.shape, MASKED)
        image[kept] = labels
        number = np.full(self.editor.n_numbers + 1, -1)
        number[order] = np.arange(len(order))
        drawn[kept] = number[now.drawn[kept]]
        spectra = np.zeros((len(order), len(self.counts.pixels.energy)))
        for k in range(len(order)):
            spectra[k] = self._sum_of_all(image == k)
        drawn_on = self._drawn_on(edits)
        on_half = "half" in drawn_on
        recipe = ByHand(
            labels=image, n_clusters=len(order), drawn_on=drawn_on,
            elements=self.recipe.elements, beam_energy=self.recipe.beam_energy,
            energy_resolution=self.recipe.energy_resolution,
            energy_range=self.recipe.energy_range, exclude_lines=self.recipe.exclude_lines,
            chosen=FrozenDict(self._how(len(order), on_half)),
        )  # fmt: skip
        name = source.name if source.workflow == ByHand.workflow else f"{source.name}_by_hand"
        return replace(
            source, name=name, workflow=ByHand.workflow, labels=image,
            memberships=memberships[order], cluster_names=tuple(now.names[k] for k in order),
            spectra=spectra, energy=self.counts.pixels.energy,
            half_labels=drawn if on_half else None, label_spectra=None, learned_spectra=None,
            learned_energy=None, parameters=recipe.parameters, findings=FrozenDict(),
        )  # fmt: skip

    def _sum_of_all(self, mask):
        sums = self.counts.sums(mask)
        return sums.sum(axis=0) if self.honest else sums[0]

    def _how(self, n_clusters, on_half):
        """What the parameters say besides."""
        how = {
            "n_clusters_found": n_clusters,
            "history": self.history,
            "selections_tested": self.n_asked,
            "explored": {"workflow": self.source.workflow, **self.source.parameters},
        }
        if on_half:
            counts = self._half_counts
            if counts is None:
                counts = int(self.counts.half.blocks.sum(column_sums).sum())
            how |= {"half_seed": list(self.seed), "half_counts": counts}
        return how
