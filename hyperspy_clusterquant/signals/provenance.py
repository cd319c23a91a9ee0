"""Where a map comes from, and the calls by which its results are made again."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import platform
from datetime import datetime

import numpy as np

from hyperspy_clusterquant.composition.entropy import default_sublattices
from hyperspy_clusterquant.report.content import NOT_KNOWN, Origin
from hyperspy_clusterquant.signals.metadata import beam_energy_of, elements_of, stated_time
from hyperspy_clusterquant.signals.options import find_kfactors
from hyperspy_clusterquant.signals.origins import is_changed, path_of
from hyperspy_clusterquant.signals.specimen import why_bulk
from hyperspy_clusterquant.xrays.detectors import DEFAULT, LAYERS, in_words
from hyperspy_clusterquant.xrays.emission import split_line

#: Larger files are not hashed: to read them would take longer than all the rest of a report.
HASHED_UP_TO = 2 * 2**30
#: Signal methods of the workflows.
METHODS = {"pca_gmm": "cluster_pca_gmm", "umap_hdbscan": "cluster_umap_hdbscan"}
#: Ends of file names that several readers know, and those of files that hold several signals.
SHARED_SUFFIXES = (".hdf5", ".h5", ".spx", ".dat")
SEVERAL_SIGNALS = (".bcf", ".emd", ".pts")
#: What numbers depend on.
SOFTWARE = (
    "hyperspy-clusterquant", "hyperspy", "exspy", "rosettasciio", "numpy", "scipy", "scikit-learn",
    "umap-learn", "hdbscan", "xraylib",
)  # fmt: skip


def origin_of(signal):
    """Where the counts of a signal come from, an `Origin`."""
    path = path_of(signal)
    return Origin(
        file="" if path is None else str(path),
        digest="" if path is None else digest_of(path),
        changed=is_changed(signal),
        facts=_facts(signal),
        versions={"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in SOFTWARE},
        made=datetime.now().astimezone().isoformat(" ", "seconds"),
    )


def digest_of(path):
    """SHA-256 of the bytes of a file, or of the files of a folder; in words if there is none."""
    if not path.exists():
        return "not known: the file is not there any more"
    files = sorted(of for of in path.rglob("*") if of.is_file()) if path.is_dir() else [path]
    size = sum(of.stat().st_size for of in files)
    if size > HASHED_UP_TO:
        return f"not made of the {size / 2**30:.1f} GB of the file"
    digest = hashlib.sha256()
    for of in files:
        if path.is_dir():
            digest.update(of.relative_to(path).as_posix().encode())
        with open(of, "rb") as opened:
            while piece := opened.read(2**20):
                digest.update(piece)
    return digest.hexdigest()


def _facts(signal):
    """What is known of map, microscope and detector, texts by their names."""
    axes = signal.axes_manager
    title = signal.metadata.get_item("General.title", "")
    date = " ".join(
        str(said)
        for said in (signal.metadata.get_item(f"General.{of}", None) for of in ("date", "time"))
        if said
    )
    navigation = " × ".join(
        f"{axis.size} ({axis.scale:.4g} {axis.units})" if axis.is_uniform else f"{axis.size}"
        for axis in axes.navigation_axes
    ).replace("<undefined>", "no units")
    energy = axes.signal_axes[0]
    beam = beam_energy_of(signal, needed=False)
    live = stated_time(signal, "live_time")
    facts = {
        "title": title,
        "recorded": date,
        "pixels (size of one)": navigation,
        "channels": f"{energy.size}, {energy.axis[0]:.4g} to {energy.axis[-1]:.4g} {energy.units}",
        "elements": ", ".join(elements_of(signal)),
        "beam energy": "" if beam is None else f"{beam:g} keV",
        "live time": "" if live is None or hasattr(live, "__len__") or hasattr(live, "axes_manager")
        else f"{live} s",
    }  # fmt: skip
    return {name: str(value) for name, value in facts.items() if value}


# --- calls --------------------------------------------------------------------------------


def calls_of(signal, result, quantification=None, options=None):
    """Calls that make a result and what was found of it again, as text.

    Parameters
    ----------
    signal : ClusteredEDSSpectrum
    result : ClusterResult
    quantification : CompositionTable, optional
    options : dict of str: dict, optional
        Keywords of further methods that were called, by the methods' names.
    """
    path = path_of(signal)
    loaded = _loading(signal, path) if path else f"s = ...  # {NOT_KNOWN}"
    if is_changed(signal):
        loaded += "\n# Here, crop, bin or turn it as it was: s = s.inav[...], s = s.rebin(...)."
    elements, beam = elements_of(signal), beam_energy_of(signal, needed=False)
    type_ = signal.metadata.Signal.signal_type
    lines = ["import hyperspy.api as hs", "", loaded, f's.set_signal_type("{type_}")']
    lines += [f"s.set_elements({elements!r})"] if elements else []
    lines += [f"s.set_microscope_parameters(beam_energy={beam:g})"] if beam is not None else []
    lines += ["", *_clustering(signal, result)]
    if quantification is not None:
        asked = _asked_of(signal, quantification)
        lines.append(f"table = {_call('s.cluster_quantification', 'result', asked)}")
    for method, keywords in (options or {}).items():
        first = () if method == "map_significance" else ("result",)
        lines.append(_call(f"s.{method}", *first, keywords))
    return "\n".join(lines)


def _loading(signal, path):
    """Call that loads a file."""
    keywords = {"lazy": True} if signal._lazy else {}
    plugin = signal.metadata.get_item("General.FileIO.0.io_plugin", "")
    if path.suffix.lower() in SHARED_SUFFIXES and plugin:
        keywords["reader"] = plugin.removeprefix("rsciio.")
    several = path.suffix.lower() in SEVERAL_SIGNALS
    return f"s = {_call('hs.load', repr(str(path)), keywords)}" + (
        "  # if the file holds several signals, choose the map, such as [-1]" if several else ""
    )


def _call(method, *arguments):
    """A call as text, long ones with a line for each argument."""
    *positional, keywords = arguments
    said = [*positional, *(f"{name}={value!r}" for name, value in keywords.items())]
    whole = f"{method}({', '.join(said)})"
    return (
        whole if len(whole) <= 88 else "\n".join([f"{method}(", *(f"    {x}," for x in said), ")"])
    )


def _clustering(signal, result):
    """Calls that make the clusters."""
    known = result.parameters
    method = METHODS.get(result.workflow)
    if method is None:
        return [f"# The clusters are {result.workflow!r}: see the parameters below.",
                f"result = s.clusters[{result.name!r}]"]  # fmt: skip
    keywords = {}
    for name, parameter in inspect.signature(getattr(signal, method)).parameters.items():
        asked = known.get(name, parameter.default)
        asked = (list(asked) or None) if isinstance(asked, tuple) else asked
        if asked != parameter.default and name not in ("random_state", "name"):
            keywords[name] = asked
    said = []
    if keywords.get("navigation_mask") == "array":
        said.append("# The mask was an array: True for pixels that are left out (-2 in labels).")
        keywords["navigation_mask"] = _Name("mask")
    keywords["random_state"] = known.get("seed", known.get("random_state"))
    if result.name != result.workflow:
        keywords["name"] = result.name
    said.append(f"result = {_call(f's.{method}', keywords)}")
    found = known.get("n_clusters_found", result.n_clusters)
    if found != result.n_clusters:
        said.append(
            f"# Of {found} clusters, {result.n_clusters} are left: they were merged or dropped "
            "(result.merge, result.drop, or .consolidated of cluster_significance)."
        )
    if result.cluster_names != tuple(f"cluster {k}" for k in range(result.n_clusters)):
        said.append(f"result = result.rename({list(result.cluster_names)!r})")
    return said


class _Name(str):
    """A name that stands in a call as it is."""

    __repr__ = str.__str__


def _asked_of(signal, table):
    """Keywords of the quantification of a signal that gives a table."""
    keywords = {"xray_lines": list(table.xray_lines), **_kfactors_of(signal, table)}
    if table.weights != "phase":
        keywords["weights"] = table.weights
    if not table.fits:
        keywords["method"] = "windows"
    else:
        fitted = [family.alpha for family in table.fits[0].design.families]
        extra = [split_line(alpha)[0] for alpha in fitted if not alpha.endswith("_line")]
        # What nobody declared is found again.
        found = [split_line(peak.line)[0] for peak in table.unexplained if peak.line]
        extra = [e for e in dict.fromkeys(extra) if e not in (*table.elements, *found)]
        keywords["extra_elements"] = extra
    if table.absorption is not None:
        thickness = table.absorption.thickness
        keywords["absorption"] = {
            "thickness": thickness[0] if len(set(thickness)) == 1 else list(thickness),
            "take_off_angle": round(table.absorption.take_off_angle, 2),
        }
    if table.embedded:
        names = table.cluster_names
        keywords["embedded"] = {names[of.cluster]: [names[host] for host in of.hosts]
                                for of in table.embedded}  # fmt: skip
        absent = {names[of.cluster]: list(of.absent) for of in table.embedded if of.absent}
        keywords |= {"absent": absent} if absent else {}
    if table.sublattices != default_sublattices(table.elements):
        keywords["sublattices"] = [list(group) for group in table.sublattices]
    if table.composition_units != "atomic":
        keywords["composition_units"] = table.composition_units
    if why_bulk(signal):  # it would have been refused
        keywords["thin_film"] = True
    return keywords


def _kfactors_of(signal, table):
    """Keywords for the k-factors of a table: what differs from theory, or all numbers."""
    lines, known = table.xray_lines, table.kfactors
    detector = next((name for name in LAYERS if in_words(name) == table.detector), None)
    is_theory = {known.sources.get(line) for line in lines} == {"theory"}
    if not is_theory or (table.detector and detector is None):
        # Of a detector of the user, nothing is known but what it did to the numbers.
        return {
            "kfactors": _of_lines(known, lines),
            "kfactor_uncertainty": _of_lines(known.relative_uncertainty, lines),
        }
    usual = find_kfactors(signal, list(lines), None, detector).relative_uncertainty
    stated = known.relative_uncertainty
    other = [line for line in lines if not np.isclose(stated[line], usual[line], rtol=1e-9)]
    keywords = {"kfactor_uncertainty": _of_lines(stated, other)} if other else {}
    return keywords | ({} if detector in (None, DEFAULT) else {"detector": detector})


def _of_lines(values, lines):
    """Numbers of lines, short enough to be read."""
    return {line: float(f"{values[line]:.6g}") for line in lines if line in values}
