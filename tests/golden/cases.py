"""What the package found on maps whose truth does not matter here: only that it stays the same.

``python tests/golden/cases.py --write`` writes the files beside this one anew. It is for changes
that are meant to change numbers; say in the commit which numbers, and why.
"""

import argparse
import hashlib
import json
import os
import sys
import warnings
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
DATA = Path(os.environ.get("CLUSTERQUANT_TEST_DATA", FOLDER.parents[2] / "shared" / "data"))
TYPE = "EDS_TEM_clustered"


# --- maps -------------------------------------------------------------------------------------


def sulfide(size, counts, lazy):
    from hyperspy_clusterquant import data

    s = data.six_cation_sulfide(size=(size, size + 8), channels=512, counts_per_pixel=counts)
    return (chunked(s) if lazy else s), {}, ["C", "Au"]


def nanoparticles(size, counts, lazy):
    from hyperspy_clusterquant import data

    s = data.seven_cation_nanoparticles(size=(size, size + 8), channels=512,
                                        counts_per_pixel=counts)  # fmt: skip
    return (chunked(s) if lazy else s), {"exclude_lines": ["C"]}, ["C", "Au"]


def chunked(s):
    """The same counts lazily, in chunks that cut both the map and the spectra."""
    lazy = s.as_lazy()
    lazy.data = lazy.data.rechunk((17, 23, 200))
    return lazy


def load(name, lazy, **reader):
    import hyperspy.api as hs

    s = hs.load(DATA / name, lazy=lazy, **reader)
    s = s[-1] if isinstance(s, list) else s
    s.set_signal_type(TYPE)
    return s


def core_shell(lazy):
    s = load("core_shell.hdf5", lazy, file_format="HSPY")
    s.set_elements(["Fe", "Pt", "O"])
    return s, {"exclude_lines": ["C", "Cu"]}, ["C", "Cu", "Si"]


def jeol(lazy):
    s = load("View000_0000006.pts", lazy).rebin(scale=(8, 8, 1))
    s.set_elements(["Fe", "S"])
    return s, {}, ["C", "O", "Cu"]


def bruker(lazy):
    return load("test_TEM.bcf", lazy).rebin(scale=(4, 4, 1)), {}, ["C"]


def velox(lazy):
    return load("velox_16x16.emd", lazy), {}, []


REAL = {
    "core_shell": ("core_shell.hdf5", core_shell),
    "jeol": ("View000_0000006.pts", jeol),
    "bruker": ("test_TEM.bcf", bruker),
    "velox": ("velox_16x16.emd", velox),
}
PHANTOMS = {
    f"{make.__name__}_{size}_{counts}": (make, size, counts)
    for make in (sulfide, nanoparticles)
    for size in (40, 64)
    for counts in (8, 60, 300)
}
#: The others take minutes together.
QUICK = ("sulfide_40_8", "sulfide_40_300", "nanoparticles_40_60", "velox")
NAMES = (*PHANTOMS, *REAL)


def is_there(name):
    """Whether the file of a case is at hand, if it needs one."""
    return name not in REAL or (DATA / REAL[name][0]).exists()


# --- what is found ----------------------------------------------------------------------------


def found(name, lazy):
    """Everything that is found on the map of a case, as numbers that JSON knows."""
    if name in PHANTOMS:
        make, size, counts = PHANTOMS[name]
        s, options, extra = make(size, counts, lazy)
    else:
        s, options, extra = REAL[name][1](lazy)
        size = 40
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = {
            "pca_gmm": s.cluster_pca_gmm(**options),
            "told 4": s.cluster_pca_gmm(4, name="told 4", **options),
            "umap_hdbscan": s.cluster_umap_hdbscan(**options),
            "small": s.cluster_umap_hdbscan(0.01, name="small", **options),
        }
        other = s.inav[2:, 1:]
        results["assigned"] = other.assign_clusters(results["told 4"], name="assigned")
        what = {key: of_result(result) for key, result in results.items()}
        for key in ("pca_gmm", "umap_hdbscan"):
            what[f"composition of {key}"] = said(composition, s, key, extra)
        what["composition of assigned"] = said(composition, other, "assigned", extra)
        for weights in ("membership", "hard"):
            spectra = s.get_cluster_spectra("told 4", weights=weights)
            variance = spectra.metadata.Signal.Noise_properties.variance.data
            what[f"spectra, {weights}"] = {
                "hash": hashed(spectra.data.round(3)), "sums": rounded(spectra.data.sum(axis=1)),
                "variances": rounded(variance.sum(axis=1)),
            }  # fmt: skip
        if size == 40:
            what["significance"] = said(significance, s, "told 4", 2)
            what["significance of small"] = said(significance, s, "small", 1)
            what["stability"] = said(stability, s, "umap_hdbscan")
        what["maps"] = said(line_maps, s)
    return what


def said(ask, *of_what):
    """What is found, or the words with which it is refused."""
    try:
        return ask(*of_what)
    except ValueError as error:
        return {"refused": str(error)}


def of_result(r):
    parameters = {k: v for k, v in r.parameters.items() if k != "versions"}
    return {
        "n_clusters": r.n_clusters,
        "sizes": r.sizes.tolist(),
        "labels": hashed(r.labels),
        "memberships": hashed(r.memberships.round(4)),
        "scores": hashed(r.scores.round(3) + 0.0),
        "embedding": None if r.embedding is None else hashed(r.embedding.round(3)),
        "landmarks": None if r.landmarks is None else hashed(r.landmarks),
        "eigenvalues": rounded(r.eigenvalues[:5]),
        "noise_edge": rounded(r.noise_edge),
        "parameters": json.loads(json.dumps(parameters)),
        "spectra": rounded(r.spectra.sum(axis=1)),
        "text": repr(r).splitlines()[1:],
    }


def composition(s, name, extra):
    q = s.cluster_quantification(name, extra_elements=extra)
    return {
        "elements": list(q.elements), "xray_lines": list(q.xray_lines),
        "atomic_percent": rounded(q.atomic_percent), "std_counting": rounded(q.std_counting),
        "std_kfactor": rounded(q.std_kfactor), "weight_percent": rounded(q.weight_percent),
        "intensities": rounded(q.intensities), "entropy": rounded(q.configurational_entropy),
        "entropy_std": rounded(q.configurational_entropy_std),
        "unexplained": [str(peak) for peak in q.unexplained],
        "kfactors": {line: rounded(k) for line, k in q.kfactors.items()},
        "text": str(q).splitlines(),
    }  # fmt: skip


def significance(s, name, n_splits):
    t = s.cluster_significance(name, n_splits=n_splits)
    return {
        "p_values": rounded(t.p_values), "adjusted": rounded(t.adjusted_p_values),
        "difference": rounded(t.difference), "difference_std": rounded(t.difference_std),
        "verdicts": [list(map(str, row)) for row in t.verdicts], "overlap": rounded(t.overlap),
        "explained_by_counts": rounded(t.explained_by_counts), "nearest": t.nearest.tolist(),
        "consolidated": t.consolidated.sizes.tolist(),
        "mergers": [[[list(c) for c in m.clusters], str(m.kind), m.reason] for m in t.mergers],
        "text": repr(t).splitlines(),
    }  # fmt: skip


def stability(s, name):
    t = s.cluster_stability(name, n_resamples=1, vary="counts")
    return {
        "jaccard": rounded(t.jaccard), "ari": rounded(t.ari),
        "agreement": hashed(t.agreement.round(4)), "verdicts": list(map(str, t.verdicts)),
    }  # fmt: skip


def line_maps(s):
    m = s.map_significance()
    return {
        "lines": list(m.xray_lines), "counts": rounded(m.counts_per_pixel),
        "dispersion": rounded(m.dispersion), "beyond": rounded(m.dispersion_beyond_thickness),
        "p_values": rounded(m.p_values), "none": rounded(m.p_values_no_variation),
        "correlation": rounded(m.correlation), "images": hashed(m.images.round(3) + 0.0),
        "bins": [m.binning, m.n_bins], "text": repr(m).splitlines(),
    }  # fmt: skip


def hashed(array):
    """Of values and shape, the same for eager and lazy."""
    array = np.ascontiguousarray(array)
    return hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()[:16]


def rounded(values, digits=6):
    """Numbers with so many digits, None for what is none."""
    if np.ndim(values):
        return [rounded(value, digits) for value in values]
    return float(f"{float(values):.{digits}g}") if np.isfinite(values) else None


def machine():
    """What decides the last digits: libraries and kind of processor."""
    import importlib.metadata

    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_info

    import hyperspy_clusterquant  # noqa: F401

    packages = ("numpy", "scipy", "scikit-learn", "umap-learn", "hdbscan", "xraylib", "exspy")
    versions = {package: importlib.metadata.version(package) for package in packages}
    kinds = {i.get("architecture") for i in threadpool_info() if i["user_api"] == "blas"}
    return versions | {"python": sys.version.split()[0], "blas": sorted(map(str, kinds))}


def in_lines(values, depth=0):
    """JSON with a line for each thing that was found, so that a difference can be read."""
    if depth == 3 or not isinstance(values, dict):
        return json.dumps(values)
    inside = [f"{json.dumps(key)}: {in_lines(value, depth + 1)}" for key, value in values.items()]
    return "{\n" + ",\n".join(inside) + "\n}"


def path(name):
    return FOLDER / f"{name}.json"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", required=True)
    parser.add_argument("names", nargs="*", default=NAMES)
    import hyperspy.api as hs

    hs.preferences.General.show_progressbar = False
    for name in parser.parse_args().names:
        if not is_there(name):
            print(f"{name}: not written, {REAL[name][0]} is not in {DATA}")
            continue
        values = {"machine": machine(), "found": found(name, lazy=False)}
        path(name).write_text(in_lines(values) + "\n")
        print(f"{name}: written")
