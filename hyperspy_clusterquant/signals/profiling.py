"""Composition along a line: a method of the signal classes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import as_positive, check_has_clusters, is_pixel_unit
from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.clusters.blur import WIDEST
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.composition.compose import amount_per_count
from hyperspy_clusterquant.composition.edges import (
    FEWEST_STEPS,
    WIDTH_10_90,
    find_edges,
    without_blur,
)
from hyperspy_clusterquant.composition.intensities import measure
from hyperspy_clusterquant.composition.profile import (
    blur_along,
    deblur,
    percent_of_steps,
    steps_along,
)
from hyperspy_clusterquant.counts.passes import masked_pixels, sum_weighted
from hyperspy_clusterquant.results.profile import CompositionProfile, Interface
from hyperspy_clusterquant.signals.axes import (
    check_has_pixels,
    counts_of,
    is_masked_array,
    navigation_axes,
)
from hyperspy_clusterquant.signals.doubts import warn_of_fit, warn_of_inseparable
from hyperspy_clusterquant.signals.options import read_request
from hyperspy_clusterquant.signals.phases import phases_of
from hyperspy_clusterquant.signals.progress import stages
from hyperspy_clusterquant.signals.specimen import check_thin_film
from hyperspy_clusterquant.signals.spectra import check_some_counts
from hyperspy_clusterquant.xrays.emission import split_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperspy.roi import Line2DROI

    from hyperspy_clusterquant._types import GivenKFactors
    from hyperspy_clusterquant.results.clusters import ClusterResult

#: Part of the widest blur that is looked for, from which what was found is that.
NEARLY = 0.99


class CompositionProfiles:
    """Composition along lines."""

    def composition_profile(
        self,
        line_roi: Line2DROI | Sequence[float] | None = None,
        *,
        width: float | None = None,
        step: float | None = None,
        result: ClusterResult | str | None = None,
        xray_lines: Sequence[str] | None = None,
        kfactors: GivenKFactors | None = None,
        extra_elements: Sequence[str] = ("C", "O"),
        thin_film: bool | None = None,
        show_progressbar: bool | None = None,
    ) -> CompositionProfile:
        """Composition along a line, with error bands and the widths of interfaces.

        The counts of the pixels beside the line are summed in steps along it. The lines are fitted
        once, to the sum of all, and that fit gives the areas of each step with their covariances.
        With a clustering result, the blur of the beam is known from its labels and taken out, and
        the interfaces between clusters are fitted with error functions. Widths are along the line:
        lay it across interfaces at right angles, where they are straight over its width.

        Parameters
        ----------
        line_roi : hyperspy.api.roi.Line2DROI or (x1, y1, x2, y2), optional
            Line on a map, in the units of its axes. On a line scan, a range (start, end), a
            `hyperspy.api.roi.SpanROI`, or None for all of it.
        width : float, optional
            Across the line, in the units of the axes: pixels belong to it whose centres are
            within half of that. Default: the line width of the ROI, or, without one, a pixel.
        step : float, optional
            Along the line, in the units of the axes. Default: a pixel of the finest axis.
        result : ClusterResult or str, optional
            Result or its name; default: the newest. Without any, there are neither blur nor
            interfaces. Pixels that its mask leaves out do not take part.
        xray_lines, kfactors, extra_elements, thin_film
            As in `cluster_quantification`.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        CompositionProfile

        Raises
        ------
        ValueError
            If the line does not fit the map, or has fewer than three steps; if the axes have
            different units, or there are more than two; and as `cluster_quantification` does.

        Notes
        -----
        The blur is that of the whole map: with it, interfaces must on the whole be sharp, or what
        all have in common counts as blur.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> profile = s.composition_profile(
        ...     (0, 500, 900, 500), width=100, kfactors=s.metadata.Ground_truth.kfactors,
        ...     extra_elements=["C", "Au"])
        >>> profile.atomic_percent.shape
        (44, 7)
        """
        check_has_pixels(self, "A composition profile")
        check_thin_film(self, thin_film)
        if result is not None or self.clusters:
            result = self._get_cluster_result(result)
            check_has_clusters(result)
        line = read_line(self, line_roi, width, step)
        request = read_request(
            self, ["all steps"], xray_lines=xray_lines, kfactors=kfactors,
            extra_elements=extra_elements,
        )  # fmt: skip
        with stages("Composition profile", 5, show_progressbar) as progress:
            steps = line.steps(_kept(self, result))
            sums = _sums(self, steps, lambda share: progress("steps", share))
            progress("lines")
            lines, areas, covariances = _areas(sums, steps, request)
            phases = None if result is None else phases_of(self, result, progress)[0]
        percent, std = percent_of_steps(areas, covariances, lines, request.kfactors)
        profile = CompositionProfile(
            distance=steps.distance,
            elements=tuple(split_line(name)[0] for name in lines),
            xray_lines=lines,
            atomic_percent=percent,
            std=std,
            pixels=steps.sizes,
            counts=sums.sum(axis=1),
            unit=line.unit,
            kfactors=request.kfactors,
            line=line.ends,
            width=line.width,
            step=line.step,
        )
        if phases is None or not np.isfinite(phases.width):
            return profile
        width, width_std = phases.width * line.finest, phases.width_std * line.finest
        if phases.width > NEARLY * WIDEST:
            warn(
                f"The labels change over more than the {WIDEST:g} pixels that a beam is taken to "
                "blur at most: the interfaces are graded. So `blur` is an upper limit, "
                "`intrinsic_width` a lower one, and `deblurred` may be too sharp."
            )
        blur = blur_along(steps, width, width_std)
        return _with_blur(profile, steps, areas, covariances, result, *blur)


def _with_blur(profile, steps, areas, covariances, result, blur, blur_std):
    """A profile with what the labels of a result and the blur of the beam say of it."""
    lines, kfactors = profile.xray_lines, profile.kfactors
    here = steps.cells - steps.cells[0]
    sharp = [of[here] for of in deblur(areas, covariances, steps.kernel(blur))]
    percent, std = percent_of_steps(*sharp, lines, kfactors)
    amounts = areas @ amount_per_count(lines, kfactors, "atomic")
    labels = steps.majority(result.labels.ravel()[steps.pixels])
    edges = find_edges(steps, labels, profile.atomic_percent, profile.std, amounts, blur)
    names = result.cluster_names
    return replace(
        profile,
        deblurred=percent,
        deblurred_std=std,
        blur=blur,
        blur_std=blur_std,
        interfaces=tuple(
            _interface(edge, blur, blur_std, profile.elements, names) for edge in edges
        ),
    )


def _kept(signal, result):
    """Pixels that take part, array of bool (pixels,)."""
    if result is not None:
        return (result.labels != MASKED).ravel()
    shape = [axis["size"] for axis in navigation_axes(signal)]
    masked = masked_pixels(counts_of(signal)) if is_masked_array(signal) else None
    return np.ones(np.prod(shape), dtype=bool) if masked is None else ~masked.ravel()


def _sums(signal, steps, advance):
    """Summed counts of each step, array (n_steps, channels), in one pass over what they lie in."""
    counts = counts_of(signal)
    places = np.unravel_index(steps.pixels, counts.shape[:-1])
    box = tuple(slice(of.min(), of.max() + 1) for of in places)
    inside = np.ravel_multi_index(
        [of - part.start for of, part in zip(places, box, strict=True)],
        [part.stop - part.start for part in box],
    )
    counts = counts[box]
    weights = np.zeros((len(steps.cells), np.prod(counts.shape[:-1], dtype=int)), dtype=bool)
    weights[steps.number, inside] = True
    return sum_weighted(counts, weights, advance)


def _areas(sums, steps, request):
    """Lines that are told apart, their areas in a pixel of each step, and the covariances."""
    total = sums.sum(axis=0, keepdims=True)
    check_some_counts(total, request.names)
    measured = measure(total, total, request.choice)
    warn_of_fit(measured, request.choice)
    kept = measured.told_apart
    if len(kept) < 2:
        kept = range(len(measured.lines))
    elif measured.inseparable:
        warn_of_inseparable(measured.inseparable)
    lines = tuple(measured.lines[k] for k in kept)
    areas, covariances = map(np.array, zip(*map(measured.linear(lines).areas, sums), strict=True))
    sizes = steps.sizes[:, None]
    return lines, areas / sizes, covariances / sizes[:, None] ** 2


def _interface(edge, blur, blur_std, elements, names):
    """An edge with its widths from 10 to 90 %."""
    width, blur_width = WIDTH_10_90 * edge.sigma, WIDTH_10_90 * blur
    width_std = WIDTH_10_90 * edge.sigma_std
    left, left_std = without_blur(width, width_std, blur_width, WIDTH_10_90 * blur_std)
    before, after = edge.sides
    return Interface(
        position=edge.position,
        position_std=edge.position_std,
        width=width,
        width_std=width_std,
        blur_width=blur_width,
        intrinsic_width=left,
        intrinsic_std=left_std,
        element=elements[edge.element],
        from_name=names[before],
        to_name=names[after],
    )


# --- the line ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Line:
    """A line on a map or a part of a line scan; lengths in the units of the axes.

    `axes` are the navigation axes as dictionaries, x first; `ends` are x1, y1, x2, y2, or, on a
    line scan, start and end.
    """

    axes: tuple
    ends: tuple
    width: float
    step: float

    @property
    def sizes(self):
        """Of a pixel, x first, array."""
        return np.array([abs(axis["scale"]) for axis in self.axes])

    @property
    def finest(self):
        """Smallest of them."""
        return float(self.sizes.min())

    @property
    def unit(self):
        """Unit of the axes, "px" if it is none."""
        units = self.axes[0]["units"]
        return "px" if is_pixel_unit(units) else units

    @property
    def points(self):
        """Ends of the line, array (2, n_axes)."""
        return np.reshape(self.ends, (2, -1))

    def steps(self, keep):
        """The pixels that take part, array of bool (pixels,), in steps along the line."""
        shape = [axis["size"] for axis in self.axes[::-1]]
        indices = np.indices(shape).reshape(len(shape), -1)[::-1]
        positions = np.array(
            [
                axis["offset"] + axis["scale"] * of
                for axis, of in zip(self.axes, indices, strict=True)
            ]
        )
        width = 0.0 if np.isnan(self.width) else self.width
        steps = steps_along(positions, self.sizes, self.points, width, self.step, keep)
        n_steps = len(steps.cells)
        if n_steps < FEWEST_STEPS:
            length = np.linalg.norm(self.points[1] - self.points[0])
            raise ValueError(
                f"A profile needs at least {FEWEST_STEPS} steps, but the line of {length:.4g} "
                f"{self.unit} has {n_steps} of {self.step:.4g} {self.unit} with pixels that are "
                "not left out by a mask. Take a longer line, a smaller `step`, or another result."
            )
        return steps


def read_line(signal, line_roi, width, step):
    """The line that a user asks for, as `Line`; a ValueError if it does not fit the map."""
    axes = navigation_axes(signal)[::-1]
    if len(axes) > 2:
        raise ValueError(
            f"A profile needs a map or a line scan, but the signal has {len(axes)} navigation "
            "axes. Pick a map of the stack first, for example s.inav[:, :, 0]."
        )
    units = [axis["units"] for axis in axes]
    if len(set(units)) > 1:
        named = " and ".join(f"{a['units'] or 'none'!r} ({a['name'] or 'no name'})" for a in axes)
        raise ValueError(
            f"A line on a map needs axes with the same units, but they have {named}. Convert them "
            "with s.axes_manager.convert_units('navigation', 'nm'), or set the units and scales of "
            "both in s.axes_manager."
        )
    ends = _ends(line_roi, axes)
    line = Line(axes, ends, np.nan, np.nan)
    _check_inside(line)
    step = line.finest if step is None else as_positive("step", step)
    if len(axes) == 1:
        if width is not None:
            raise ValueError(f"A line scan has no `width`, but got {width!r}: leave it out.")
        return replace(line, step=step)
    if width is None:
        width = getattr(line_roi, "linewidth", 0) or None
    if width is None:
        along = line.points[1] - line.points[0]
        across = along[::-1] / np.linalg.norm(along)
        width = float(np.linalg.norm(across * line.sizes))
    return replace(line, step=step, width=as_positive("width", width))


def _ends(line_roi, axes):
    """Ends of a line, tuple of float."""
    needed = (
        "a map needs a line, hs.roi.Line2DROI(x1, y1, x2, y2) or (x1, y1, x2, y2)"
        if len(axes) == 2
        else "a line scan needs a range, hs.roi.SpanROI(start, end) or (start, end), or None"
    )
    if line_roi is None and len(axes) == 1:
        (axis,) = axes
        last = axis["offset"] + axis["scale"] * (axis["size"] - 1)
        return tuple(sorted((axis["offset"], last)))
    from hyperspy.roi import BaseROI, Line2DROI, SpanROI

    given = line_roi
    if isinstance(line_roi, BaseROI):
        kind = Line2DROI if len(axes) == 2 else SpanROI
        given = tuple(line_roi)[: 2 * len(axes)] if isinstance(line_roi, kind) else None
    try:
        ends = tuple(float(end) for end in given)
    except (TypeError, ValueError):  # no numbers, or a ROI that was not placed yet
        ends = ()
    if len(ends) != 2 * len(axes) or not np.isfinite(ends).all():
        raise ValueError(f"`line_roi`: {needed}, in the units of the axes; got {line_roi!r}.")
    return ends


def _check_inside(line):
    """Raise a ValueError if a line has no length, or an end that is not on the map."""
    if np.array_equal(*line.points):
        raise ValueError(f"The line ends where it begins, at {line.points[0].tolist()}.")
    outside, ranges = False, []
    for axis, size, ends in zip(line.axes, line.sizes, line.points.T, strict=True):
        last = axis["offset"] + axis["scale"] * (axis["size"] - 1)
        low, high = sorted((axis["offset"], last))
        low, high = low - size / 2, high + size / 2
        outside |= bool((ends < low - 1e-6 * size).any() or (ends > high + 1e-6 * size).any())
        ranges.append(f"{axis['name'] or 'the axis'} from {low:.6g} to {high:.6g}")
    if outside:
        shown = ", ".join(f"{end:.6g}" for end in line.ends)
        raise ValueError(
            f"The line ({shown}) must lie on the map, which has {' and '.join(ranges)} "
            f"{line.unit}. Give its ends in the units of the axes."
        )
