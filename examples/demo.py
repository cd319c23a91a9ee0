"""The main job on the two phantoms: both workflows, tables beside the truth, pictures.

Run with ``make demo``, or ``python examples/demo.py [folder for the pictures]``.
"""

import sys
import time
from pathlib import Path

import hyperspy.api as hs
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import hyperspy_clusterquant as cq

SAMPLES = {
    "six_cation_sulfide": (
        cq.data.six_cation_sulfide,
        {"counts_per_pixel": 180},
        {"n_clusters": 4},
        {},
        "Six-cation sulfide: a section of four phases",
    ),
    "seven_cation_nanoparticles": (
        cq.data.seven_cation_nanoparticles,
        {"counts_per_pixel": 100},
        # Told two clusters, workflow 1 makes a second one out of nothing.
        {"n_clusters": 2, "n_components": 2},
        {"exclude_lines": ["C"]},
        "Seven-cation nanoparticles: one composition on a carbon film",
    ),
}


def main(folder):
    start = time.perf_counter()
    hs.preferences.General.show_progressbar &= sys.stderr.isatty()
    folder.mkdir(exist_ok=True)
    hs.set_log_level("ERROR")
    for sample, (make, size, told, look_at, title) in SAMPLES.items():
        print(f"\n{'=' * 78}\n{title}\n{'=' * 78}")
        s = make(**size)
        print(f"{s}, {s.data.sum(axis=-1).mean():.0f} counts per pixel")
        truth = s.metadata.Ground_truth
        runs = {
            "workflow 1 (PCA + GMM)": s.cluster_pca_gmm(**told, **look_at),
            "workflow 2 (UMAP + HDBSCAN)": s.cluster_umap_hdbscan(**look_at),
        }
        for run, result in runs.items():
            print(f"\n--- {run} " + "-" * (73 - len(run)))
            significant = result.parameters["n_significant"]
            print(f"components above shot noise: {significant}; clusters: {result.n_clusters}")
            if significant == 0 and "n_clusters" in told and result.workflow == "pca_gmm":
                print("Nothing varies beyond shot noise: the clusters below were forced.")
            matched, agreement = match(result, truth)
            print(f"agreement with the true labels (adjusted Rand index): {agreement:.2f}")
            result = result.rename(
                {k: f"{truth.phase_names[phase]} ({k})" for k, phase in matched.items()}
            )
            table = s.cluster_quantification(
                result, kfactors=truth.kfactors, extra_elements=("C", "Au")
            )
            more = [remark for remark in table.remarks if remark not in str(table)]
            print(f"\n{table}\n{chr(10).join(more)}\n\ntruth (at%)")
            print_truth(truth)
            if result.n_clusters > 1:
                print(f"\n{s.phase_fractions(result, table)}")
            draw(s, result, table, folder, f"{sample}_{result.workflow}")
        print("\n--- is every split real? " + "-" * 54)
        verdicts = s.cluster_significance(runs["workflow 1 (PCA + GMM)"])
        print(f"clusters of workflow 1\n{verdicts}\n\nmaps of the lines\n")
        maps = s.map_significance()
        print(maps)
        save(verdicts.plot().figure, folder, f"{sample}_significance")
        save(maps.plot()[0].figure, folder, f"{sample}_line_maps")
        save(maps.plot_correlations().figure, folder, f"{sample}_correlations")
    print(
        "\nError bars are one standard deviation of counting, and of what blur and labels leave."
        "\nPhases that lie in others, as a precipitate in a foil, take embedded=, see the guide."
    )
    print(f"\nPictures: {folder}/  ({time.perf_counter() - start:.0f} s)")


def match(result, truth):
    """True phase of each cluster, and the agreement over the pixels that hold sample."""
    labels = np.where(truth.labels >= 0, result.labels, -2)
    comparison = cq.compare_clusterings(labels, truth.labels)
    best = {k: int(row.argmax()) for k, row in enumerate(comparison.contingency)}
    return best, comparison.ari


def print_truth(truth):
    names = list(truth.phase_names)
    print(" " * 10 + "".join(f"{name:<16}" for name in names))
    for element, values in zip(truth.elements, truth.compositions.T, strict=True):
        print(f"{element:<10}" + "".join(f"{value:<16.2f}" for value in values))


def draw(s, result, table, folder, name):
    for what, draw_it in {
        "map": lambda: s.plot_clusters(result),
        "spectra": lambda: s.plot_cluster_spectra(result),
        "scree": lambda: s.plot_cluster_scree(result),
        "composition": table.plot,
        "fit": lambda: table.plot_fit(0)[0],
    }.items():
        save(draw_it().figure, folder, f"{name}_{what}")


def save(figure, folder, name):
    figure.savefig(folder / f"{name}.png", dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output"))
