"""Is it real? The methods of the signal classes that test clusters and maps."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from hyperspy_clusterquant._checks import as_int, as_level, check_has_clusters
from hyperspy_clusterquant._threads import one_blas_thread
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.composition.compose import atomic_percent
from hyperspy_clusterquant.composition.intensities import measure
from hyperspy_clusterquant.counts.bins import choose_binning
from hyperspy_clusterquant.counts.features import every_channel
from hyperspy_clusterquant.counts.pixels import read_pixels, sum_labels
from hyperspy_clusterquant.evidence.consolidation import consolidate
from hyperspy_clusterquant.evidence.judgement import judge, not_judged
from hyperspy_clusterquant.evidence.matching import collect_halves
from hyperspy_clusterquant.evidence.splits import half_labels, learned_features, split_again
from hyperspy_clusterquant.evidence.thickness import explained_by_counts
from hyperspy_clusterquant.evidence.variation import compare_bins, net_counts
from hyperspy_clusterquant.results.line_maps import MapSignificance
from hyperspy_clusterquant.results.significance import SignificanceTable
from hyperspy_clusterquant.results.stability import stability_of
from hyperspy_clusterquant.signals.axes import (
    check_has_pixels,
    counts_of,
    energy_in_kev,
    navigation_axes,
)
from hyperspy_clusterquant.signals.doubts import warn_of_inseparable
from hyperspy_clusterquant.signals.options import find_kfactors, read_choice, read_given
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.specimen import warn_of_bulk
from hyperspy_clusterquant.xrays.emission import split_line

#: Tag of the random numbers that split counts, so that they are no others' numbers.
STREAM = 7


class ClusterDiagnostics:
    """Tests of what clustering and maps show."""

    def cluster_significance(
        self,
        result=None,
        n_splits=5,
        random_state=0,
        *,
        level=0.05,
        xray_lines=None,
        kfactors=None,
        extra_elements=("C", "O"),
        thin_film=None,
        show_progressbar=None,
    ):
        """Test whether clusters differ in composition, by count splitting.

        To test clusters on the counts that made them finds a difference always. So every count is
        put at random into one of two halves; the same clustering, with the same parameters, is
        done again on the first half, and its clusters are compared in the second half, which it
        has not seen. The hypothesis for each pair of clusters is that the lines of the declared
        elements have the same ratios; thickness, dose and background may differ. Absorption
        in thick specimens is not corrected: it changes ratios.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest. Clusters may have been merged, dropped or
            renamed.
        n_splits : int
            Splits of the counts, whose p-values are combined.
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
        n_splits = as_int("n_splits", n_splits, minimum=1)
        random_state = as_int("random_state", random_state, minimum=0)
        level = as_level(level)
        recipe = self._repeated(result, random_state)
        choice, kfactors = _lines_of(self, xray_lines, extra_elements, kfactors)
        warn_of_bulk(self, thin_film)
        n_clusters = result.n_clusters
        if n_clusters < 2:
            return SignificanceTable(
                **vars(not_judged(n_clusters, len(choice.elements))),
                result=result, elements=choice.elements, n_splits=n_splits, level=level,
                overlap=np.full(n_clusters, np.nan),
                explained_by_counts=np.full(n_clusters, np.nan),
                nearest=np.full(n_clusters, -1), consolidated=result, mergers=(),
            )  # fmt: skip
        with stages("Significance", n_splits + 2, show_progressbar) as progress:
            pixels = self._all_channels(result.labels == MASKED, recipe.energy_range, progress)
            labels = result.labels[pixels.keep]
            sums = sum_labels(pixels, labels, n_clusters)
            compared, lines = _told_apart(measure(sums, sums, choice))
            halves = collect_halves(
                _splits(pixels, recipe, random_state, n_splits, progress), labels, n_clusters
            )
            progress("tests")
            percent = partial(atomic_percent, lines=compared, kfactors=kfactors)
            judged = judge(halves, lines, percent, [random_state, 1])
            features = learned_features(recipe, pixels.energy, sums.sum(axis=0))
            groups, mergers = consolidate(
                halves, lines, features, result.labels, result.cluster_names, level,
                [random_state, 2],
            )  # fmt: skip
        areas, covariances = zip(*map(lines.areas, halves.second.mean(axis=0)), strict=True)
        share, nearest, _ = explained_by_counts(
            np.array(areas), np.array(covariances), halves.split_sizes.mean(axis=0)
        )
        return SignificanceTable(
            **vars(judged),
            result=result, elements=tuple(split_line(line)[0] for line in compared),
            n_splits=n_splits, level=level,
            overlap=halves.jaccard.mean(axis=0),
            explained_by_counts=share,
            nearest=nearest,
            consolidated=replace(result.merge_groups(groups), name=f"{result.name}_consolidated"),
            mergers=tuple(mergers),
        )  # fmt: skip

    def cluster_stability(
        self, result=None, n_resamples=10, random_state=0, *, show_progressbar=None
    ):
        """Learn the clusters again from halves of the counts, and see which of them come back.

        Every count is kept with probability 1/2, the same clustering is done again with the
        same parameters, and its clusters are matched with those of the result, as often as
        `n_resamples`. With half of the counts, clusters are less stable than with all of them: what
        comes back can be relied on, what does not may just lack counts.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest. Clusters may have been merged, dropped or
            renamed.
        n_resamples : int
            How often.
        random_state : int
            Seed of the thinning.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        ClusterStability

        References
        ----------
        C. Hennig, Comput. Stat. Data Anal. 52 (2007) 258.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> s.cluster_stability(result, n_resamples=2, show_progressbar=False).verdicts
        ('stable', 'stable', 'stable', 'stable')
        """
        result = self._get_cluster_result(result)
        check_has_clusters(result)
        n_resamples = as_int("n_resamples", n_resamples, minimum=1)
        random_state = as_int("random_state", random_state, minimum=0)
        recipe = self._repeated(result, random_state)

        def resampled(pixels, progress):
            for number in range(n_resamples):
                progress(f"half {number + 1}")
                yield half_labels(pixels, recipe, [random_state, STREAM, number])[0]

        with stages("Stability", n_resamples + 1, show_progressbar) as progress:
            pixels = self._all_channels(result.labels == MASKED, recipe.energy_range, progress)
            return stability_of(result, resampled(pixels, progress))

    def map_significance(
        self,
        xray_lines=None,
        *,
        level=0.05,
        navigation_mask="auto",
        binning="auto",
        extra_elements=("C", "O"),
        show_progressbar=None,
    ):
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
            Factor by which pixels are binned before they are compared, as in `cluster_pca_gmm`.
            Larger bins see weaker variation, if it is as large as they are.
        extra_elements : list of str
            Elements of film, resin and grid: fitted, not tested.
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
        level = as_level(level)
        choice = read_choice(self, xray_lines, extra_elements)
        if hasattr(navigation_mask, "axes_manager"):
            navigation_mask = np.asarray(navigation_mask.data)
        with stages("Map significance", 2, show_progressbar) as progress:
            pixels = self._all_channels(navigation_mask, None, progress)
            progress("tests")
            everywhere = np.zeros(len(pixels.totals), dtype=int)
            total = sum_labels(pixels, everywhere, 1)
            lines, linear = _told_apart(measure(total, total, choice))
            net = linear.weights
            factor = choose_binning(binning, pixels.per_pixel, pixels.keep)
            found, n_bins = compare_bins(pixels, net, total[0], factor)
            images = net_counts(pixels, net)
        return MapSignificance(
            xray_lines=lines,
            counts_per_pixel=net @ total[0] / len(pixels.totals),
            **vars(found),
            images=images,
            binning=factor,
            n_bins=n_bins,
            level=level,
            axes=navigation_axes(self),
        )

    def _all_channels(self, navigation_mask, energy_range, progress):
        """Counts of all channels, also of those that clusters are not learned from: one pass."""
        energy = energy_in_kev(self)
        channels = every_channel(energy, energy_range)
        with one_blas_thread():
            return read_pixels(counts_of(self), energy, channels, navigation_mask, progress)


def _lines_of(signal, xray_lines, extra_elements, kfactors):
    """Lines to compare, and what turns them into at%."""
    given = read_given(kfactors)
    choice = read_choice(signal, xray_lines, extra_elements, given or (), quantified=True)
    return choice, find_kfactors(signal, choice.lines, given)


def _told_apart(measured):
    """Lines that the counts tell from all others, and how counts become their areas.

    A line that is not told from one of another element would vary with that one.
    """
    kept = measured.told_apart
    if len(kept) < min(2, len(measured.lines)):
        kept = range(len(measured.lines))
    elif measured.inseparable:
        warn_of_inseparable(measured.inseparable)
    lines = tuple(measured.lines[k] for k in kept)
    return lines, measured.linear(lines)


def _splits(pixels, recipe, seed, n_splits, progress):
    for number in range(n_splits):
        progress(f"split {number + 1}")
        yield split_again(pixels, recipe, [seed, STREAM, number])
