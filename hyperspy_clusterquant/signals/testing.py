"""Is it real? The methods of the signal classes that test clusters and maps."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import as_int, as_level, check_has_clusters
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.clusters.borders import gradual_widths
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.clusters.nuisance import in_features
from hyperspy_clusterquant.clusters.umap_hdbscan import UmapHdbscan
from hyperspy_clusterquant.composition.compose import atomic_percent
from hyperspy_clusterquant.composition.intensities import measure
from hyperspy_clusterquant.counts.features import every_channel
from hyperspy_clusterquant.counts.pixels import read_pixels, sum_labels
from hyperspy_clusterquant.evidence.consolidation import consolidate
from hyperspy_clusterquant.evidence.judgement import judge, not_judged
from hyperspy_clusterquant.evidence.matching import collect_halves
from hyperspy_clusterquant.evidence.plausible import changes_of_lines
from hyperspy_clusterquant.evidence.scales import choose_scales, combine_scales
from hyperspy_clusterquant.evidence.selections import corrected_for, price_of
from hyperspy_clusterquant.evidence.splits import (
    labels_on,
    learned_features,
    split_again,
    split_of,
)
from hyperspy_clusterquant.evidence.thickness import explained_by_counts
from hyperspy_clusterquant.evidence.variation import compare_bins, n_values, net_counts
from hyperspy_clusterquant.results.clusters import ClusterResult
from hyperspy_clusterquant.results.line_maps import MapSignificance
from hyperspy_clusterquant.results.significance import SignificanceTable
from hyperspy_clusterquant.signals.axes import (
    check_has_pixels,
    counts_of,
    energy_in_kev,
    navigation_axes,
)
from hyperspy_clusterquant.signals.comparing import (
    dose_variation,
    read_absorption_choice,
    told_apart,
    what_to_compare,
)
from hyperspy_clusterquant.signals.halves import STREAM, HalfOfMap, half_of, without
from hyperspy_clusterquant.signals.options import find_kfactors, read_choice, read_given
from hyperspy_clusterquant.signals.progress import stages, with_umap
from hyperspy_clusterquant.signals.specimen import warn_of_bulk
from hyperspy_clusterquant.xrays.emission import split_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from hyperspy_clusterquant._types import GivenKFactors, NavigationMask


class ClusterDiagnostics:
    """Tests of what clustering and maps show."""

    def cluster_significance(
        self,
        result: ClusterResult | str | None = None,
        n_splits: int = 5,
        random_state: int = 0,
        *,
        level: float = 0.05,
        xray_lines: Sequence[str] | None = None,
        kfactors: GivenKFactors | None = None,
        extra_elements: Sequence[str] = ("C", "O"),
        thin_film: bool | None = None,
        absorption: Literal["ignore", "keep"] = "ignore",
        show_progressbar: bool | None = None,
    ) -> SignificanceTable:
        """Test whether clusters differ in composition, by count splitting.

        To test clusters on the counts that made them finds a difference always. So every count is
        put at random into one of two halves; the same clustering, with the same parameters, is
        done again on the first half, and its clusters are compared in the second half, which it
        has not seen. The hypothesis for each pair of clusters is that the lines of the declared
        elements have the same ratios; thickness, dose and background may differ, and so may what
        absorption and a drift of the energy axis change.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest. Clusters may have been merged, dropped or
            renamed.
        n_splits : int
            Splits of the counts, whose p-values are combined. One for regions that were drawn on
            one half of the counts, `explore_clusters`: they are tested in the other.
        random_state : int
            Seed of the splits.
        level : float
            Of the verdicts: the probability that any pair of clusters of one composition is called
            distinct.
        xray_lines, extra_elements
            Elements to compare, and elements to fit only, as in `cluster_quantification`.
        kfactors : optional
            As in `cluster_quantification`. They turn counts into at%; the p-values do not
            depend on them. Default: theoretical ones.
        thin_film : bool, optional
            Whether the specimen is a thin film or lamella, as in `cluster_quantification`. If it is
            none, a warning says that the at% are rough.
        absorption : {"ignore", "keep"}
            ``"ignore"``: a difference that absorption can make, given how much the doses differ, or
            a small drift of the energy axis, is none of composition; of the elements, all families
            of lines are compared, as K and L lines of one element tell absorption from
            chemistry. It takes the angles of the detector in the metadata, and a density, in
            ``s.metadata.Sample.density`` (g/cm3) if it is better known than from the elements.
            ``"keep"``: every difference of ratios is one. The differences in at% are in both cases
            not corrected for absorption.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        SignificanceTable

        Raises
        ------
        ValueError
            If fewer than two elements are declared, or there is no result.

        References
        ----------
        A. Neufeld et al., Biostatistics 25 (2022) 270; J. Leiner et al., J. Am. Stat. Assoc.
        120 (2025) 135.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> table = s.cluster_significance(result, n_splits=2, show_progressbar=False)
        >>> table.verdicts[0, 1]
        'distinct'
        >>> table.consolidated.n_clusters
        4
        """
        result = self._get_cluster_result(result)
        check_has_clusters(result)
        read_absorption_choice(absorption)
        n_splits, random_state, level = _numbers(n_splits, random_state, level)
        recipe = self._repeated(result, random_state)
        choice, kfactors = _lines_of(self, xray_lines, extra_elements, kfactors)
        warn_of_bulk(self, thin_film)
        seeds = _seeds(recipe, random_state, n_splits)
        n_clusters, n_splits = result.n_clusters, len(seeds)
        if n_clusters < 2:
            return SignificanceTable(
                **vars(not_judged(n_clusters, len(choice.elements))),
                result=result, elements=choice.elements, n_splits=n_splits, level=level,
                overlap=np.full(n_clusters, np.nan),
                explained_by_counts=np.full(n_clusters, np.nan),
                gradual_width=np.full((n_clusters, n_clusters), np.nan),
                nearest=np.full(n_clusters, -1), consolidated=result, mergers=(),
            )  # fmt: skip
        with stages(_title(recipe, n_splits), n_splits + 2, show_progressbar) as progress:
            pixels, split, asked = self._halved(result, recipe, seeds, choice, absorption, progress)
            labels = result.labels[pixels.keep]
            sums = sum_labels(pixels, labels, n_clusters)
            measured = measure(sums, sums, choice)
            names, lines = told_apart(measured)
            compared, _ = what_to_compare(self, sums, choice, measured, names, absorption, kfactors)
            halves = collect_halves(split, labels, n_clusters)
            progress("tests")
            percent = partial(atomic_percent, lines=names, kfactors=kfactors)
            judged = judge(halves, lines, percent, [random_state, 1], compared)
            judged = corrected_for(judged, asked)
            features = learned_features(recipe, pixels.energy, sums.sum(axis=0))
            groups, mergers = consolidate(
                halves, compared, features, result.labels, result.cluster_names,
                level / price_of(asked), [random_state, 2],
            )  # fmt: skip
            widths = _widths_without_border(pixels, recipe, labels, sums)
        share, nearest = _explained(halves, lines, names, choice.beam_energy, compared.changes)
        return SignificanceTable(
            **vars(judged),
            result=result, elements=tuple(split_line(line)[0] for line in names),
            n_splits=n_splits, level=level,
            overlap=halves.jaccard.mean(axis=0),
            explained_by_counts=share, nearest=nearest,
            consolidated=replace(result.merge_groups(groups), name=f"{result.name}_consolidated"),
            mergers=tuple(mergers), gradual_width=widths, n_asked=asked,
        )  # fmt: skip

    def map_significance(
        self,
        xray_lines: Sequence[str] | None = None,
        *,
        level: float = 0.05,
        navigation_mask: NavigationMask = "auto",
        binning: Literal["auto"] | int = "auto",
        extra_elements: Sequence[str] = ("C", "O"),
        absorption: Literal["ignore", "keep"] = "ignore",
        show_progressbar: bool | None = None,
    ) -> MapSignificance:
        """Test whether the maps of X-ray lines show more than shot noise and thickness.

        Net counts, with the background under the line taken off and overlapping lines told apart
        by the fit, are compared between bins of pixels: with "no variation at all", with "none
        beyond dose and thickness" (every line in the same ratio to all of them), and for
        each pair of lines with "no correlation" of what is left when shot noise and thickness are
        taken off. Ratios are relative: where one of a few lines varies, the others vary
        against it. Declare all elements of the sample.

        Parameters
        ----------
        xray_lines : list of str, optional
            Alpha lines. Default: one for each element in ``s.metadata.Sample.elements``.
        level : float
            Probability that any line, or any pair of lines, is called significant without being so.
        navigation_mask : {"auto"}, None, array of bool or BaseSignal
            Pixels to leave out: True = left out. ``"auto"`` leaves out vacuum.
        binning : {"auto"} or int
            Factor by which pixels are binned before they are compared. Larger bins see weaker
            variation, if it is as large as they are. ``"auto"``: all powers of two, whose
            p-values are combined.
        extra_elements : list of str
            Elements of film, resin and grid: fitted, not tested.
        absorption : {"ignore", "keep"}
            ``"ignore"``: what absorption can bring, given how much the dose varies over the map,
            and a small drift of the energy axis are no variation, as in `cluster_significance`.
            ``"keep"``: they are.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        MapSignificance

        Raises
        ------
        ValueError
            If fewer than two elements are declared, or the data are not counts.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=1024)
        >>> table = s.map_significance(["Fe_Ka", "Cu_Ka", "S_Ka"], show_progressbar=False)
        >>> table.significant
        array([ True,  True,  True])
        """
        check_has_pixels(self, "A test of maps")
        if isinstance(xray_lines, ClusterResult):
            raise TypeError(
                "map_significance looks at maps of X-ray lines, whatever the clusters: it takes no "
                "result. Of clusters, ask s.cluster_significance(result)."
            )
        level = as_level(level)
        read_absorption_choice(absorption)
        choice = read_choice(self, xray_lines, extra_elements)
        if hasattr(navigation_mask, "axes_manager"):
            navigation_mask = np.asarray(navigation_mask.data)
        with stages("Map significance", 2, show_progressbar) as progress:
            pixels = self._all_channels(navigation_mask, None, progress)
            progress("tests")
            everywhere = np.zeros(len(pixels.totals), dtype=int)
            total = sum_labels(pixels, everywhere, 1)
            measured = measure(total, total, choice)
            lines, linear = told_apart(measured)
            compared, names = what_to_compare(self, total, choice, measured, lines, absorption)
            n = len(lines)
            net = np.concatenate([linear.weights, compared.lines.weights[n:]])
            directions = np.zeros((0, len(total[0])))
            if compared.changes is not None:
                directions = compared.changes.of(total[0], dose_variation(pixels), linear=True)
            factors = choose_scales(binning, pixels.per_pixel, pixels.keep, n_values(len(names)))
            found, n_bins = compare_bins(pixels, net, total[0], factors, directions)
            variation, clearest = combine_scales([of.first(n) for of in found], n_bins)
            images = net_counts(pixels, linear.weights)
        return MapSignificance(
            xray_lines=lines,
            counts_per_pixel=linear.weights @ total[0] / len(pixels.totals),
            **vars(variation),
            images=images,
            scales=tuple(factors),
            p_values_of_scales=np.array([of.p_values[:n] for of in found]),
            binning=tuple(factors[k] for k in clearest),
            n_bins=tuple(n_bins[k] for k in clearest),
            level=level,
            axes=navigation_axes(self),
        )

    def _halved(self, result, recipe, seeds, choice, absorption, progress):
        """Counts of the pixels of a result, their splits, and the number of tests in their half.

        With this one; 0 where each split has its own half.
        """
        mask, energies = result.labels == MASKED, recipe.energy_range
        if getattr(recipe, "half_seed", None) is None:
            pixels = self._all_channels(mask, energies, progress)
            return pixels, _splits(pixels, recipe, seeds, progress), 0
        whole = self._all_channels(None, energies, progress)
        progress("split 1")
        known = HalfOfMap(self)
        seed = known.seed(recipe, None)
        half = half_of(whole, seed)
        known.look(seed, half, recipe)
        pixels, half = without(whole, mask), without(half, mask)
        number = known.number_of(recipe.labels, choice.lines, absorption)
        return pixels, [split_of(pixels, labels_on(half, recipe), half)], number

    def _all_channels(self, navigation_mask, energy_range, progress):
        """Counts of all channels, also of those that clusters are not learned from: one pass."""
        energy = energy_in_kev(self)
        channels = every_channel(energy, energy_range)
        with one_blas_thread():
            return read_pixels(counts_of(self), energy, channels, navigation_mask, progress)


def _explained(halves, lines, names, beam_energy, changes):
    """What total counts explain of the separation of each cluster, and from which other one."""
    areas, covariances = zip(*map(lines.areas, halves.second.mean(axis=0)), strict=True)
    absorbed = None
    if changes is not None:
        total = np.sum(areas, axis=0)
        absorbed = changes_of_lines(names, total, beam_energy, changes.take_off_angle)
    sizes = halves.split_sizes.mean(axis=0)
    return explained_by_counts(np.array(areas), np.array(covariances), sizes, absorbed)[:2]


def _lines_of(signal, xray_lines, extra_elements, kfactors):
    """Lines to compare, and what turns them into at%."""
    given = read_given(kfactors)
    choice = read_choice(signal, xray_lines, extra_elements, given or (), quantified=True)
    return choice, find_kfactors(signal, choice.lines, given)


def _numbers(n_splits, random_state, level):
    n_splits = as_int("n_splits", n_splits, minimum=1)
    return n_splits, as_int("random_state", random_state, minimum=0), as_level(level)


def _widths_without_border(pixels, recipe, labels, sums):
    """`gradual_widths` in the energies that clusters were learned from."""
    channels = recipe.channels(pixels.energy)
    return gradual_widths(pixels.summed_to(channels), labels, in_features(sums, channels))


def _title(recipe, n_splits):
    return with_umap("Significance", n_splits * isinstance(recipe, UmapHdbscan))


def _seeds(recipe, seed, n_splits):
    """Of the splits; what was drawn on one half of the counts is tested in the other, once."""
    half = getattr(recipe, "half_seed", None)
    return [[seed, STREAM, number] for number in range(n_splits)] if half is None else [half]


def _splits(pixels, recipe, seeds, progress):
    for number, seed in enumerate(seeds):
        progress(f"split {number + 1}")
        yield split_again(pixels, recipe, seed)
