"""The numbers of a report as JSON, short enough for a page and safe inside of it."""

from __future__ import annotations

import json

import numpy as np

from hyperspy_clusterquant._text import Markup
from hyperspy_clusterquant.clusters.catalogue import word_for_noise
from hyperspy_clusterquant.plotting.style import (
    LOWEST_ENERGY,
    cluster_colours,
    element_colours,
    line_label,
)
from hyperspy_clusterquant.report.maps import encoded_labels, unit_of

#: Channels that a page holds, of all clusters together: with counts, model, background, residual
#: and families they take some 1.3 MB. From here on, neighbours are joined.
MOST_CHANNELS = 2**15
#: Families of lines are drawn down to this share of their highest channel, which is invisible.
VISIBLE = 1e-4
#: What stands for an axis that is not known.
NO_AXIS = {"name": "", "scale": 1.0, "offset": 0.0, "units": ""}
#: Digits of numbers that are drawn.
DIGITS = 4


def channels_joined(n_clusters, n_channels):
    """How many channels are drawn as one."""
    return max(-(-n_clusters * n_channels // MOST_CHANNELS), 1)


def numbers_of(content, stack, step):
    """Everything that is drawn on the page, as a dictionary of lists, numbers and texts.

    Parameters
    ----------
    content : Content
    stack : array of int (maps, rows, columns)
        Labels that the page shows, every `step` rows and columns.
    """
    result = content.result
    colours = cluster_colours(result.n_clusters)
    join = channels_joined(result.n_clusters, len(content.energy))
    totals = np.maximum(content.spectra.sum(axis=1, keepdims=True), 1)
    shares = _joined(content.spectra, join) / totals
    fits = content.quantification.fits if content.quantification is not None else ()
    return {
        "clusters": [
            {"name": name, "colour": colour}
            for name, colour in zip(result.cluster_names, colours, strict=True)
        ],
        "noise": word_for_noise(result.workflow),
        "map": {
            "maps": stack.shape[0], "height": stack.shape[1], "width": stack.shape[2],
            "step": step, **encoded_labels(stack),
            "axes": [_axis(*of) for of in zip(_map_axes(result), "xy", strict=False)],
        },
        "spectra": {
            "energy": _short(_mean(content.energy, join), 6),
            "shares": [_short(of) for of in shares],
            "lowest": LOWEST_ENERGY,
        },
        "lines": [[line_label(line), round(at, 4)] for line, at in content.lines.items()],
        "fits": [_fit(fit, join) for fit in fits],
        "scan": _scan(result),
    }  # fmt: skip


def as_json(numbers):
    """Numbers as JSON that may stand in a script element: nothing in it can end it."""
    text = json.dumps(numbers, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _map_axes(result):
    """Axes of the last two dimensions, x first."""
    return tuple(reversed(result.axes or (NO_AXIS,) * result.labels.ndim))[:2]


def _axis(axis, name):
    units = unit_of(axis)
    return {
        "name": axis["name"] or name,
        "scale": axis["scale"] if units else 1.0,
        "offset": axis["offset"] if units else 0.0,
        "units": units or "px",
    }


def _joined(values, join):
    """Sums of neighbouring channels, along the last axis."""
    return np.add.reduceat(values, range(0, values.shape[-1], join), axis=-1)


def _mean(values, join):
    return _joined(values, join) / _joined(np.ones(len(values)), join)


def _short(values, digits=DIGITS):
    """Numbers with so many digits; whole ones without a point; None for what is no number."""
    found = []
    for value in np.asarray(values, dtype=float).tolist():
        number = float(f"{value:.{digits}g}") if np.isfinite(value) else None
        found.append(int(number) if number is not None and number == int(number) else number)
    return found


def _fit(fit, join):
    """What is drawn of the fit of a cluster; None if it holds no counts."""
    if not np.isfinite(fit.areas).all():
        return None
    counts, model, background, artefacts, variance = (
        _joined(of, join)
        for of in (fit.counts, fit.model, fit.background, fit.artefacts, fit.variance)
    )
    return {
        "energy": _short(_mean(fit.design.true_energy, join), 6),
        "counts": _short(counts),
        "model": _short(model),
        "background": _short(background),
        "artefacts": _short(artefacts),
        "residual": _short((counts - model) / np.sqrt(variance), 3),
        "quality": round(fit.reduced_chi_square, 2),
        "families": _families(fit, join),
    }


def _families(fit, join):
    """Families that can be seen: name, colour of the element, and the channels with counts."""
    curves = _joined(fit.areas[:, None] * fit.design.profiles, join)
    alphas = [family.alpha for family in fit.design.families]
    elements = list(dict.fromkeys(alpha.partition("_")[0] for alpha in alphas))
    colours = dict(zip(elements, element_colours(len(elements)), strict=True))
    found = []
    for alpha, curve in zip(alphas, curves, strict=True):
        inside = np.flatnonzero(curve > max(VISIBLE * curve.max(), 0.03))
        if not len(inside):
            continue
        known = alpha.endswith(("Ka", "La", "Ma"))
        found.append(
            {
                "name": line_label(alpha) if known else "?" if alpha.endswith("_line") else "",
                "colour": colours[alpha.partition("_")[0]],
                "peak": int(np.argmax(curve)),
                "parts": [
                    [int(part[0]), _short(curve[part], 3)]
                    for part in np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)
                ],
            }
        )
    return found


def _scan(result):
    """Memberships along a line scan, None of maps."""
    if result.labels.ndim != 1:
        return None
    axis = _axis(result.axes[-1] if result.axes else NO_AXIS, "x")
    return {
        "place": _short(axis["offset"] + axis["scale"] * np.arange(result.labels.size), 6),
        "label": f"{axis['name']} ({axis['units']})",
        "memberships": [_short(of, 3) for of in result.memberships],
    }
