"""Results as the arrays, numbers and texts that files keep."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields

import numpy as np

from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.clusters.recipe import plain
from hyperspy_clusterquant.results.clusters import ClusterResult

#: Number of the layout of `to_dict`, to be raised when it changes; files without one are older.
FORMAT = 1
#: What is kept as text: a list or dictionary, and what is in it.
_TEXTS = {
    "parameters": (dict, str),
    "axes": (list, dict),
    "cluster_names": (list, str),
    "findings": (dict, str),
}
#: Of these, what older results lack.
_NEWER = ("findings",)
#: Sums of memberships in single precision may be so much above 1.
_ROUNDING = 1e-5


def to_dict(result):
    """Arrays, texts and numbers of a result; a ValueError if `from_dict` would not read them."""
    try:
        _check(result)
    except ValueError as error:
        raise ValueError(f"The result {result.name!r} cannot be kept: {error}.") from error
    stored = {field.name: getattr(result, field.name) for field in fields(result)}
    stored |= {name: json.dumps(stored[name], default=plain) for name in _TEXTS}
    return {"format": FORMAT} | {k: value for k, value in stored.items() if value is not None}


def from_dict(stored):
    """The result of `to_dict`, also of other versions; a ValueError says why it cannot be read.

    What is not known, as of a newer version, is ignored.
    """
    needed = {f.name for f in fields(ClusterResult) if f.default is MISSING} | {"cluster_names"}
    if missing := sorted(needed - stored.keys() - {*_NEWER}):
        raise ValueError(f"it has no {', '.join(missing)}")
    texts = [name for name in _TEXTS if name not in _NEWER or name in stored]
    for name in ("name", "workflow", *texts):
        if not isinstance(stored[name], str):
            raise ValueError(f"its {name} should be text")
    if np.ndim(stored["noise_edge"]) or np.asarray(stored["noise_edge"]).dtype.kind not in "fiu":
        raise ValueError("its noise_edge should be a number")
    result = ClusterResult(
        name=str(stored["name"]),
        workflow=str(stored["workflow"]),
        noise_edge=float(stored["noise_edge"]),
        **{name: _parsed(stored[name], name) for name in texts},
        **{
            name: _numbers(stored[name], name, dtype)
            for name, dtype in ClusterResult.DTYPES.items()
            if stored.get(name) is not None
        },
    )
    _check(result)
    return result


def _parsed(text, name):
    """The list or dictionary that is kept as text."""
    kind, of_what = _TEXTS[name]
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"its {name} cannot be read: {error}") from error
    if not isinstance(value, kind) or not all(isinstance(item, of_what) for item in value):
        raise ValueError(f"its {name} should be a {kind.__name__} of {of_what.__name__}")
    return value


def _numbers(value, name, dtype):
    """An array of whole or real numbers, as they should be, which nobody changes any more."""
    value = np.asarray(value)
    if value.ndim == 0 or value.dtype.kind not in ("f" if np.dtype(dtype).kind == "f" else "iu"):
        raise ValueError(
            f"its {name} should be an array of {np.dtype(dtype)}, not {value.ndim}-dimensional "
            f"of {value.dtype}"
        )
    if dtype == np.int32 and value.size and not np.abs(value).max() <= np.iinfo(dtype).max:
        raise ValueError(f"its {name} do not fit into {np.dtype(dtype)}")
    value.setflags(write=False)
    return value


def _check(result):
    """Raise a ValueError unless the arrays of a result fit together."""
    labels, memberships, n_clusters = result.labels, result.memberships, result.n_clusters
    n_kept = np.count_nonzero(labels != MASKED)
    if memberships.shape[1:] != labels.shape:
        raise ValueError(f"memberships {memberships.shape} and labels {labels.shape} do not fit")
    if labels.size and not (labels.min() >= MASKED and labels.max() < n_clusters):
        raise ValueError(f"its labels are not all between {MASKED} and {n_clusters - 1}")
    half = result.half_labels
    if half is not None and (half.shape != labels.shape or half.min(initial=0) < MASKED):
        raise ValueError(f"its half_labels {half.shape} and labels {labels.shape} do not fit")
    if not ((memberships >= 0) & (memberships <= 1 + _ROUNDING)).all():
        raise ValueError("its memberships are not all between 0 and 1")
    if result.scores.ndim != 2 or len(result.scores) != n_kept:
        raise ValueError(f"scores {result.scores.shape} and {n_kept} pixels in use do not fit")
    if len(result.cluster_names) != n_clusters:
        raise ValueError(f"it has {len(result.cluster_names)} names of {n_clusters} clusters")
    if not all(_is_sentences(found) for found in result.findings.values()):
        raise ValueError("its findings should be lists of sentences")
    sizes = tuple(axis.get("size") for axis in result.axes)
    if sizes not in ((), labels.shape):
        raise ValueError(f"its axes have the sizes {sizes}, its labels {labels.shape}")
    if result.eigenvalues.ndim != 1:
        raise ValueError("its eigenvalues should be in one row")
    for prefix in ("", "learned_"):
        spectra, energy = (getattr(result, prefix + name) for name in ("spectra", "energy"))
        channels = () if energy is None else energy.shape
        if spectra is not None and (spectra.shape != (n_clusters, *channels) or not channels):
            raise ValueError(f"{prefix}spectra {spectra.shape} and energies {channels} do not fit")
    if result.label_spectra is not None and len(result.label_spectra) != n_clusters:
        raise ValueError(f"label_spectra {result.label_spectra.shape} are not of its clusters")
    if result.landmarks is not None:
        inside = np.isin(result.landmarks, np.arange(labels.size)).all()
        if np.shape(result.embedding)[:1] != result.landmarks.shape or not inside:
            raise ValueError("its landmarks fit neither the map nor their embedding")


def _is_sentences(found):
    """Whether it is what a test found, in words."""
    return isinstance(found, tuple) and all(isinstance(sentence, str) for sentence in found)
