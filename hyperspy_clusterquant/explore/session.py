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
from hyperspy_clusterquant.evidence.selections import judge_selection, verdict_on_selection
from hyperspy_clusterquant.explore.edits import Editor
from hyperspy_clusterquant.explore.plane import best_plane, scores_of
from hyperspy_clusterquant.results.selection import SelectionVerdict

#: Sums of so many selections and clusters are kept.
MOST_KNOWN = 64
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


class Halves:
    """Counts of selections in the half that is looked at, and in the other one.

    Parameters
    ----------
    pixels : PixelCounts
        All counts.
    half : PixelCounts or None
        Those that are looked at; None: all, which leaves none to test.
    """

    def __init__(self, pixels, half):
        self.pixels, self.half = pixels, half
        self._known = {}

    @property
    def looked_at(self):
        """Counts that are looked at, PixelCounts."""
        return self.pixels if self.half is None else self.half

    @cached_property
    def _totals(self):
        return self._summed(np.ones(self.pixels.keep.shape, dtype=bool))

    def sums(self, mask):
        """Counts of the pixels of a mask (map shape) in both halves, array (2, channels).

        Without halves, all counts twice.
        """
        kept = mask & self.pixels.keep
        key = kept.tobytes()
        if key not in self._known:
            while len(self._known) >= MOST_KNOWN:
                self._known.pop(next(iter(self._known)))
            # Of many pixels, it is faster to sum the others.
            if 2 * kept.sum() > self.pixels.keep.sum():
                self._known[key] = self._totals - self._summed(~mask)
            else:
                self._known[key] = self._summed(kept)
        return self._known[key]

    def pixel(self, flat):
        """Counts of one pixel that are looked at, array (channels,)."""
        own = np.zeros(self.pixels.keep.size, dtype=bool)
        own[flat] = self.pixels.keep.flat[flat]
        return _sum(self.looked_at, own)

    def _summed(self, mask):
        own = (mask & self.pixels.keep).ravel()
        looked_at = _sum(self.looked_at, own)
        if self.half is None:
            return np.array([looked_at, looked_at])
        return np.array([looked_at, _sum(self.pixels, own) - looked_at])


def _sum(pixels, own):
    """Counts (channels,) of some pixels, array of bool (pixels of the map,)."""
    if not own.any():
        return np.zeros(len(pixels.energy))
    return pixels.on_channels(pixels.blocks.only(keep=own).sum(column_sums))


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
    """

    def __init__(
        self, result, pixels, recipe, question=None, half=None, drawn=None, seed=(0,), level=0.05
    ):
        self.source, self.recipe, self.question = result, recipe, question
        self.counts = Halves(pixels, half)
        self.level, self.seed = level, tuple(seed)
        self.honest = half is not None
        image = result.labels.copy()
        if drawn is not None:
            image[pixels.keep] = drawn
        self.editor = Editor(result.labels, image, result.cluster_names)
        self.mask = np.zeros(result.labels.shape, dtype=bool)
        self.against = "cluster"
        self._asked = {}
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
        """Names of the clusters by their numbers."""
        return self.editor.now.names

    @cached_property
    def plane(self):
        """Place of each kept pixel among the scores, array (kept pixels, 2)."""
        labels = self.editor.start.drawn[self.keep]
        scores = scores_of(self.counts.looked_at, labels, len(self.names), self.recipe)
        return best_plane(scores, labels)

    def spectrum_of_pixel(self, place):
        """Counts of one pixel that are looked at, array (channels,)."""
        return self.counts.pixel(np.ravel_multi_index(place, self.keep.shape))

    # --- the selection --------------------------------------------------------------------

    def select(self, mask):
        """Select the pixels of a mask (map shape); those that are left out are not."""
        mask = np.asarray(mask, dtype=bool)
        if mask.shape != self.keep.shape:
            raise ValueError(
                f"A selection has the map's array shape {self.keep.shape}, not {mask.shape}."
            )
        self.mask = mask & self.keep

    @property
    def others(self):
        """What the selection is compared with: a mask (map shape), and words for it."""
        rest = self.keep & ~self.mask
        if self.against == "cluster":
            inside = self.labels[self.mask]
            sizes = np.bincount(inside[inside >= 0])
            if len(sizes):
                number = int(np.argmax(sizes))
                of_cluster = rest & (self.labels == number)
                if of_cluster.any():
                    return of_cluster, f"the rest of {self.names[number]!r}"
        return rest, "the rest of the map"

    @property
    def spectra(self):
        """Counts of the selection and of what it is compared with, array (2, channels).

        Of the half that the selection has not seen: in the other one, noise was selected, too.
        """
        return self._sums()[:, 1]

    def _sums(self):
        """Counts (2, 2, channels) of the selection, and of the others, in both halves."""
        others, _ = self.others
        # Clusters are summed once, and what is selected is taken off.
        whole = self.keep
        inside = np.unique(self.labels[others])
        if self.against == "cluster" and len(inside) == 1 and inside[0] >= 0:
            whole = self.labels == inside[0]
        of_others = self.counts.sums(whole) - self.counts.sums(whole & self.mask)
        return np.stack([self.counts.sums(self.mask), of_others])

    def verdict(self):
        """Whether the selection differs in composition, a SelectionVerdict; None if it is empty."""
        others, words = self.others
        if not self.mask.any():
            return None
        key = self.mask.tobytes(), others.tobytes()
        if key not in self._asked:
            self._asked[key] = self._judged(others, words)
        return self._asked[key]

    @property
    def n_asked(self):
        """Selections that were tested."""
        return len(self._asked)

    def _judged(self, others, words):
        sizes = [int(np.count_nonzero(mask)) for mask in (self.mask, others)]
        known = {
            "n_pixels": sizes[0], "against": words, "n_against": sizes[1],
            "n_asked": self.n_asked + 1, "level": self.level, "honest": self.honest,
        }  # fmt: skip
        ask = self.question
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
        kind, p_value = verdict_on_selection(judged, self.level, self.n_asked + 1)
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
        known = self._asked.get((self.mask.tobytes(), self.others[0].tobytes()))
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
        if self._result is None or self._result[0] != edits:
            self._result = edits, self._after(edits)
        return self._result[1]

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
        spectra = [self._sum_of_all(image == k) for k in range(len(order))]
        recipe = ByHand(
            labels=image, n_clusters=len(order), drawn_on="half" if self.honest else "all",
            elements=self.recipe.elements, beam_energy=self.recipe.beam_energy,
            energy_resolution=self.recipe.energy_resolution,
            energy_range=self.recipe.energy_range, exclude_lines=self.recipe.exclude_lines,
            chosen=FrozenDict(self._how(len(order))),
        )  # fmt: skip
        name = source.name if source.workflow == ByHand.workflow else f"{source.name}_by_hand"
        return replace(
            source, name=name, workflow=ByHand.workflow, labels=image,
            memberships=memberships[order], cluster_names=tuple(now.names[k] for k in order),
            spectra=np.array(spectra), energy=self.counts.pixels.energy,
            half_labels=drawn if self.honest else None, label_spectra=None, learned_spectra=None,
            learned_energy=None, parameters=recipe.parameters, findings=FrozenDict(),
        )  # fmt: skip

    def _sum_of_all(self, mask):
        sums = self.counts.sums(mask)
        return sums.sum(axis=0) if self.honest else sums[0]

    def _how(self, n_clusters):
        """What the parameters say besides."""
        how = {
            "n_clusters_found": n_clusters,
            "history": self.history,
            "selections_tested": self.n_asked,
            "explored": {"workflow": self.source.workflow, **self.source.parameters},
        }
        if self.honest:
            half = self.counts.half
            how |= {
                "half_seed": list(self.seed),
                "half_counts": int(half.blocks.sum(column_sums).sum()),
            }
        return how
