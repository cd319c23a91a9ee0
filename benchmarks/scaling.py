"""Time and memory against the size of the map, its channels and its counts, from disk.

Run with ``make bench``, or ``python benchmarks/scaling.py``; ``--sizes 64 128`` for a quick look,
``--sizes 2048`` for a map of 8.6 GB. Maps are written to a temporary folder (``--folder``) as
.zspy and opened with ``lazy=True``. Every measurement has a fresh, warmed-up process of its own;
its memory is the peak resident memory of that process, libraries and all.

The measure of all is reading the map twice: ``s.sum()`` over the navigation axes.
"""

import argparse
import json
import math
import os
import platform
import tempfile
import time
import warnings
from pathlib import Path

import compare

#: The map that the others differ from in one respect.
SIZE, CHANNELS, COUNTS = 256, 2048, 100
SIZES = (64, 128, 256, 512, 1024)
#: Largest maps (pixels along each side) that a peer is asked to do.
PEERS_UP_TO = {"hyperspy": 256, "hyperspy-lazy": 512, "raw-umap": 128}


# --- the routes: a lazy signal in ---------------------------------------------------------------


def bare(s):
    for _ in range(2):
        s.sum(axis=s.axes_manager.navigation_axes).compute(show_progressbar=False)


def pca_gmm(s):
    return s.cluster_pca_gmm(show_progressbar=False)


def umap_hdbscan(s):
    return s.cluster_umap_hdbscan(show_progressbar=False)


def quantification(s):
    """Of clusters that are known: four quarters of the map."""
    return s.cluster_quantification(
        "quarters",
        kfactors=s.metadata.Ground_truth.kfactors,
        extra_elements=["C", "Au"],
        show_progressbar=False,
    )


def prepare_quantification(s):
    """Clusters without a clustering."""
    import numpy as np

    from hyperspy_clusterquant.results.clusters import ClusterResult

    shape = s.data.shape[:2]
    labels = (np.indices(shape) * 2 // np.reshape(shape, (2, 1, 1))).T @ [2, 1]
    members = (labels == np.arange(4)[:, None, None]).astype(np.float32)
    result = ClusterResult(
        "quarters", "assigned", labels, members, np.zeros((labels.size, 1)), [2.0], 1.0
    )
    s.keep_clusters(result)


def hyperspy(s):
    """Eager: the map is loaded first, which is counted in."""
    s.compute(show_progressbar=False)
    return compare.hyperspy(s)


def hyperspy_lazy(s):
    """The decomposition alone: the cluster analysis is not lazy."""
    s.change_dtype("float32")
    s.decomposition(True, algorithm="SVD", output_dimension=20, print_info=False)


def raw_umap(s):
    s.compute(show_progressbar=False)
    return compare.raw_umap(s)


#: Name: what it is, the function, what comes before the clock starts, the signal type.
OURS = "EDS_TEM_clustered"
ROUTES = {
    "bare": ("two bare passes", bare, None, OURS),
    "pca-gmm": ("`cluster_pca_gmm()`", pca_gmm, None, OURS),
    "umap-hdbscan": ("`cluster_umap_hdbscan()`", umap_hdbscan, None, OURS),
    "quantification": ("`cluster_quantification()`", quantification, prepare_quantification, OURS),
    "hyperspy": ("HyperSpy eager: decomposition, k-means", hyperspy, None, "EDS_TEM"),
    "hyperspy-lazy": ("HyperSpy lazy: decomposition alone", hyperspy_lazy, None, "EDS_TEM"),
    "raw-umap": ("raw spectra: UMAP, HDBSCAN", raw_umap, None, "EDS_TEM"),
}


# --- in the child processes ---------------------------------------------------------------------


def make_map(path, size, channels, counts):
    from hyperspy_clusterquant.data import six_cation_sulfide

    s = six_cation_sulfide(size, channels, counts, lazy=True)
    s.save(path, show_progressbar=False)
    return {"bytes": s.data.nbytes, "dtype": str(s.data.dtype)}


def measure(path, warm_up, name):
    import hyperspy.api as hs

    hs.set_log_level("ERROR")
    hs.preferences.General.show_progressbar = False
    warnings.simplefilter("ignore")
    _, route, prepare, signal_type = ROUTES[name]
    for file in (warm_up, path):
        s = hs.load(file, lazy=True, signal_type=signal_type)
        if prepare is not None:
            prepare(s)
        if file == warm_up:
            route(s)
    compare.forget_warm_up()
    start = time.perf_counter()
    route(s)
    return {"seconds": time.perf_counter() - start, "megabytes": compare.peak_memory()}


# --- in the parent ------------------------------------------------------------------------------


def cases(sizes, counts):
    """Maps (size, channels, counts) to measure."""
    maps = [(size, CHANNELS, counts) for size in sizes]
    if SIZE in sizes and counts == COUNTS:
        maps += [(SIZE, channels, COUNTS) for channels in (1024, 4096)]
        maps += [(SIZE, CHANNELS, counts) for counts in (5, 25, 400)]
    return maps


def run(folder, maps, names):
    results = {}
    warm_up = folder / "warm_up.zspy"
    compare.in_child(__file__, "map", warm_up, 128, CHANNELS, COUNTS)
    for case in maps:
        path = folder / "map_{}_{}_{}.zspy".format(*case)
        made = compare.in_child(__file__, "map", path, *case)
        print(f"\n{case[0]} x {case[0]} x {case[1]} {made['dtype']}, {case[2]} counts per pixel, "
              f"{made['bytes'] / 1e9:.2f} GB", flush=True)  # fmt: skip
        for name in names:
            if case[0] > PEERS_UP_TO.get(name, math.inf):
                continue
            found = compare.in_child(__file__, "route", path, warm_up, name)
            results[case, name] = found
            print(f"  {ROUTES[name][0]:<42}{found['seconds']:>8.1f} s"
                  f"{found['megabytes']:>8.0f} MB", flush=True)  # fmt: skip
    return results


def print_tables(results, names):
    """Markdown, for the documentation."""
    maps = list(dict.fromkeys(case for case, _ in results))
    print("\n| pixels | channels | counts | " + " | ".join(ROUTES[n][0] for n in names) + " |")
    print("|---|---|---|" + "---|" * len(names))
    for case in maps:
        cells = [
            f"{found['seconds']:.1f} s, {found['megabytes'] / 1000:.1f} GB"
            if (found := results.get((case, name)))
            else "-"
            for name in names
        ]
        print(f"| {case[0]} x {case[0]} | {case[1]} | {case[2]} | " + " | ".join(cells) + " |")
    for name in names:
        by_size = [
            (case[0] ** 2, results[case, name]["seconds"])
            for case in maps
            if (case, name) in results and case[1:] == (CHANNELS, COUNTS) and case[0] >= SIZE
        ]
        if len(by_size) > 1:
            (few, fast), (many, slow) = by_size[0], by_size[-1]
            exponent = math.log(slow / fast) / math.log(many / few)
            print(f"{ROUTES[name][0]}: time ~ pixels^{exponent:.2f} from {few} to {many}")
    for case in maps:
        if (case, "bare") not in results:
            continue
        allowed = 4 * results[case, "bare"]["seconds"] + 30
        for name in ("pca-gmm", "umap-hdbscan"):
            if (case, name) in results:
                seconds = results[case, name]["seconds"]
                verdict = "met" if seconds <= allowed else "MISSED"
                print(f"{case}: {name} {seconds:.1f} s of {allowed:.1f} s allowed, {verdict}")


def main():
    parser = argparse.ArgumentParser(description="Time and memory against the size of the map.")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--only", nargs="+", choices=ROUTES, default=list(ROUTES), metavar="ROUTE")
    parser.add_argument("--counts", type=float, default=COUNTS, help=f"per pixel ({COUNTS})")
    parser.add_argument("--folder", help="where to write the maps")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        job, path, *rest = options.child
        if job == "map":
            report = make_map(path, int(rest[0]), int(rest[1]), float(rest[2]))
        else:
            report = measure(path, *rest)
        print(json.dumps(report))
        return
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        results = run(Path(folder), cases(options.sizes, options.counts), options.only)
    print_tables(results, options.only)


if __name__ == "__main__":
    main()
