"""Time and memory of both workflows beside the routes that people take without them.

Run with ``make bench``, or ``python benchmarks/compare.py``; ``--size 96`` for a quick look.

Every measurement has a Python process of its own. It imports everything, runs the route on two
small maps, so that numba has compiled and worker processes wait, loads the map into memory, and
only then starts the clock. Memory is the resident memory of that process.
"""

import argparse
import contextlib
import ctypes
import gc
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

MEGABYTE = 1e6
#: Pixels along each side of the maps to warm up with. UMAP has code of its own for less than 4096
#: points, also where workflow 2 bins 2 x 2; HDBSCAN starts worker processes from 16384.
WARM_UP_SIZES = (48, 160)
WARM_UP = {"channels": 512, "counts_per_pixel": 200}
N_PHASES = 4
#: Workflow: our route, its peer, least ratio of their times, least ratio of their memories.
TARGETS = {
    "workflow 1": ("pca-gmm", "hyperspy", 10, 8),
    "workflow 1, randomized peer": ("pca-gmm", "hyperspy-20", 5, 4),
    "workflow 2": ("umap-hdbscan", "raw-umap", 16, 8),
}


# --- the routes: a signal in, labels of the pixels out ----------------------------------------


def pca_gmm(s):
    return s.cluster_pca_gmm(n_clusters=N_PHASES, show_progressbar=False).labels


def hyperspy(s, masked=True, **options):
    """HyperSpy's way, with options for its decomposition."""
    import numpy as np

    # Integers are refused; in place, so that the integers do not stay in memory beside the floats.
    s.change_dtype("float32")
    vacuum = s.vacuum_mask() if masked else None
    s.decomposition(True, navigation_mask=vacuum, print_info=False, **options)
    # The elbow of the scree plot decides how many components the clustering gets.
    # With mask and preprocessing that agree best with the truth, not with the defaults.
    s.cluster_analysis(
        "decomposition",
        n_clusters=N_PHASES,
        algorithm="kmeans",
        preprocessing="norm",
        navigation_mask=getattr(vacuum, "data", vacuum),
        random_state=0,
    )
    members = s.learning_results.cluster_labels
    shape = s.axes_manager.navigation_shape[::-1]
    return np.where(members.any(axis=0), members.argmax(axis=0), -2).reshape(shape)


def hyperspy_20(s):
    """With few components asked for, HyperSpy takes its fast randomized solver."""
    return hyperspy(s, output_dimension=20)


def hyperspy_whole(s):
    """With few counts, the mask of the vacuum is not one."""
    return hyperspy(s, masked=False, output_dimension=20)


def umap_hdbscan(s):
    return s.cluster_umap_hdbscan(show_progressbar=False).labels


def raw_umap(s):
    import hdbscan
    import umap

    shape = s.data.shape[:-1]
    spectra = s.data.reshape(-1, s.data.shape[-1]).astype("float32")
    reducer = umap.UMAP(n_components=4, n_neighbors=30, min_dist=0.0, random_state=0)
    embedding = reducer.fit_transform(spectra)
    clusterer = hdbscan.HDBSCAN(min_cluster_size=max(len(spectra) // 100, 2))
    return clusterer.fit_predict(embedding).reshape(shape)


#: Name: what it is, the function, the signal type it works on.
ROUTES = {
    "pca-gmm": ("cluster_pca_gmm(n_clusters=4)", pca_gmm, "EDS_TEM_clustered"),
    "hyperspy": ("HyperSpy decomposition + k-means, k = 4", hyperspy, "EDS_TEM"),
    "hyperspy-20": ("the same, 20 components, randomized", hyperspy_20, "EDS_TEM"),
    "hyperspy-whole": ("the same, vacuum not masked", hyperspy_whole, "EDS_TEM"),
    "umap-hdbscan": ("cluster_umap_hdbscan()", umap_hdbscan, "EDS_TEM_clustered"),
    "raw-umap": ("raw spectra: UMAP + HDBSCAN", raw_umap, "EDS_TEM"),
}


# --- in the child processes -------------------------------------------------------------------


def make_maps(folder, size, channels, counts):
    """Write the map to measure on and the small ones to warm up with."""
    from hyperspy_clusterquant.data import six_cation_sulfide

    for warm_up_size in WARM_UP_SIZES:
        s = six_cation_sulfide(size=warm_up_size, seed=0, **WARM_UP)
        s.save(folder / f"warm_up_{warm_up_size}.hspy")
    s = six_cation_sulfide(size=size, channels=channels, counts_per_pixel=counts, seed=0)
    s.save(folder / "map.hspy")
    return {"map": f"{s.data.shape} {s.data.dtype}", "megabytes": s.data.nbytes / MEGABYTE}


def measure(folder, name):
    """Time, memory and labels of one route, in this process."""
    import hyperspy.api as hs
    import numpy as np
    from sklearn.metrics import adjusted_rand_score

    hs.set_log_level("ERROR")
    hs.preferences.General.show_progressbar = False
    warnings.simplefilter("ignore")
    _, route, signal_type = ROUTES[name]
    for size in WARM_UP_SIZES:
        route(hs.load(folder / f"warm_up_{size}.hspy", signal_type=signal_type))
    s = hs.load(folder / "map.hspy", signal_type=signal_type)
    truth = np.asarray(s.metadata.Ground_truth.labels)

    forget_warm_up()
    before = resident_memory()
    start, cpu_start = time.perf_counter(), time.process_time()
    labels = route(s)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    peak = peak_memory()
    sample = truth >= 0
    return {
        "seconds": seconds,
        "cpu": cpu,
        "above": peak - before,
        "peak": peak,
        "ari": float(adjusted_rand_score(truth[sample], labels[sample])),
        "clusters": len(np.unique(labels[labels >= 0])),
    }


def forget_warm_up():
    """Give back the memory that the warm-up freed and begin a new peak, where Linux can.

    Elsewhere, the call may reuse memory of the warm-up and seem to need less than it does.
    """
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")


def resident_memory():
    """Resident memory now, in megabytes; the peak so far where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return peak_memory()
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def peak_memory():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE


# --- in the parent, which stays small: a child's peak begins with its parent's memory ----------


def in_child(script, *arguments):
    """What a child process of a script reports."""
    command = [sys.executable, script, "--child", *map(str, arguments)]
    child = subprocess.run(command, capture_output=True, text=True)
    if child.returncode:
        sys.exit(f"{child.stderr}\n{' '.join(command)} failed.")
    return json.loads(child.stdout.splitlines()[-1])


def benchmark(size, channels, counts, repeat, names):
    """Measure the routes in turn; the medians by name."""
    with tempfile.TemporaryDirectory() as folder:
        made = in_child(__file__, "maps", folder, size, channels, counts)
        print(
            f"map {made['map']}, {made['megabytes']:.0f} MB, {counts:g} counts per pixel; "
            f"{os.cpu_count()} cores, Python {platform.python_version()}\n",
            flush=True,
        )
        runs = {name: [] for name in names}
        for _ in range(repeat):
            for name in names:
                runs[name].append(in_child(__file__, "route", folder, name))
                print(f"  {name}: {runs[name][-1]['seconds']:.1f} s", flush=True)
    return {
        name: {key: statistics.median(run[key] for run in repeats) for key in repeats[0]}
        for name, repeats in runs.items()
    }


def print_table(results):
    print(f"\n{'':<41}{'time':>9}{'CPU':>9}{'memory':>11}{'peak':>11}{'clusters':>10}{'ARI':>7}")
    for name, result in results.items():
        print(
            f"{ROUTES[name][0]:<41}{result['seconds']:>7.1f} s{result['cpu']:>7.1f} s"
            f"{result['above']:>8.0f} MB{result['peak']:>8.0f} MB"
            f"{result['clusters']:>10.0f}{result['ari']:>7.2f}"
        )
    print(
        "time: by the clock; CPU: of all threads, much less than the time where others use the\n"
        "machine; memory: peak above the level just before the call; peak: of the whole process\n"
    )


def print_ratios(results):
    for workflow, (ours, peer, *targets) in TARGETS.items():
        if ours not in results or peer not in results:
            continue
        for what, key, target in zip(
            ("time", "memory"), ("seconds", "above"), targets, strict=True
        ):
            ratio = results[peer][key] / results[ours][key]
            verdict = "" if target is None else f"  (target {target}: {_verdict(ratio, target)})"
            print(f"{workflow}, {what}: {peer} / {ours} = {ratio:.1f}{verdict}")


def _verdict(ratio, target):
    return "met" if ratio >= target else "MISSED"


def main():
    parser = argparse.ArgumentParser(
        description="Time and memory of both workflows and of what they replace."
    )
    parser.add_argument("--size", type=int, default=256, help="pixels along y and x (256)")
    parser.add_argument("--channels", type=int, default=2048, help="energy channels (2048)")
    parser.add_argument("--counts", type=float, default=200, help="counts per pixel (200)")
    parser.add_argument("--repeat", type=int, default=1, help="runs, of which the median (1)")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=ROUTES,
        default=list(ROUTES),
        metavar="ROUTE",
        help=f"some of {', '.join(ROUTES)}",
    )
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        job, folder, *rest = options.child
        if job == "maps":
            report = make_maps(Path(folder), int(rest[0]), int(rest[1]), float(rest[2]))
        else:
            report = measure(Path(folder), *rest)
        print(json.dumps(report))
        return
    results = benchmark(
        options.size, options.channels, options.counts, options.repeat, options.only
    )
    print_table(results)
    print_ratios(results)


if __name__ == "__main__":
    main()
