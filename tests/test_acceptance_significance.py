"""What the tests of clusters and maps must show, on many phantoms; slow, run by make test-all."""

import time
import warnings

import hyperspy.api as hs
import numpy as np
import pytest
from scipy import stats

from hyperspy_clusterquant import data
from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.composition.intensities import measure
from hyperspy_clusterquant.counts.pixels import sum_labels
from hyperspy_clusterquant.evidence.pair_test import compare_spectra
from hyperspy_clusterquant.signals.options import read_choice

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Total counts alone"),
    pytest.mark.filterwarnings("ignore:.*clusters hold no pixel"),
    pytest.mark.filterwarnings("ignore:Nothing varies"),
]

SETTINGS = {
    "noise": {"n_components": 2, "exclude_lines": ["C"]},
    "noise, each pixel alone": {
        "n_components": 2,
        "exclude_lines": ["C"],
        "binning": 1,
        "neighbourhood": 0,
    },
    "thickness": {"normalize": False, "exclude_lines": ["C"]},
    "film": {},
}


def naive_p_value(s, result):
    """The same test on the counts that made the clusters."""
    pixels = s._all_channels(result.labels == MASKED, None, lambda *_: None)
    sums = sum_labels(pixels, result.labels[pixels.keep], result.n_clusters)
    lines = measure(sums, sums, read_choice(s, None, ("C", "O"))).linear()
    return compare_spectra(sums[0], sums[1], lines, np.random.default_rng(0)).p_value


@pytest.mark.parametrize("setting", SETTINGS)
def test_false_positives(setting):
    """200 maps of a single composition, told that there are two clusters."""
    n = 200
    p, naive = np.full((2, n), np.nan)
    for seed, counts in enumerate(np.geomspace(10, 150, n)):
        s = data.seven_cation_nanoparticles(128, 1024, counts, seed=5000 + seed)
        result = s.cluster_pca_gmm(2, **SETTINGS[setting])
        if result.n_clusters == 2:
            p[seed] = s.cluster_significance(result).p_values[0, 1]
            naive[seed] = naive_p_value(s, result)
    distinct = np.mean(p < 0.05)
    print(
        f"{setting}: distinct {distinct:.3f} of all, tested {np.isfinite(p).mean():.2f}, of these "
        f"{np.mean(p[np.isfinite(p)] < 0.05):.3f}, at 0.01 {np.mean(p < 0.01):.3f}; naive "
        f"{np.mean(naive[np.isfinite(naive)] < 0.05):.2f}"
    )
    assert 0.02 <= distinct <= 0.08


def test_false_positives_of_merged_clusters():
    """Four clusters of one composition, merged to two by the user."""
    p = []
    for seed, counts in enumerate(np.geomspace(10, 150, 100)):
        s = data.seven_cation_nanoparticles(96, 1024, counts, seed=6000 + seed)
        result = s.cluster_pca_gmm(4, normalize=False, exclude_lines=["C"])
        if result.n_clusters == 4:
            table = s.cluster_significance(result.merge([0, 3]).merge([1, 2]), n_splits=3)
            p.append(table.p_values[0, 1])
    print("merged:", len(p), "distinct", np.mean(np.array(p) < 0.05))
    assert len(p) > 50
    assert np.mean(np.array(p) < 0.05) <= 0.1


@pytest.mark.parametrize("counts", [20, 50, 100])
@pytest.mark.parametrize("contrast", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("element", ["Cu", "Zn"])
def test_power(element, contrast, counts):
    """Cores with more of one element, told that there are two clusters."""
    detected, difference = [], []
    for seed in range(20):
        s = data.seven_cation_nanoparticles(
            128, 1024, counts, seed=900 + seed, core={element: contrast}
        )
        result = s.cluster_pca_gmm(2, exclude_lines=["C"])
        detected.append(False)
        if result.n_clusters == 2:
            table = s.cluster_significance(result)
            detected[-1] = table.p_values[0, 1] < 0.05
            difference.append(abs(table.difference[0, 1, table.elements.index(element)]))
    print(
        f"{element} +{contrast} at%, {counts} counts: detected {np.mean(detected):.2f}, difference "
        f"{np.median(difference) if difference else np.nan:.2f} at%"
    )
    if counts == 100 and contrast >= 2:
        assert np.mean(detected) >= 0.9


def test_six_cation_pairs_are_distinct_and_eight_consolidate():
    distinct, left = [], []
    for seed in range(10):
        s = data.six_cation_sulfide(128, 1024, 100, seed)
        table = s.cluster_significance(s.cluster_pca_gmm(4))
        pairs = np.triu_indices(4, 1)
        distinct.append((table.adjusted_p_values[pairs] < 0.05).all())
        eight = s.cluster_significance(s.cluster_pca_gmm(8))
        left.append(eight.consolidated.n_clusters)
    print("all pairs distinct", sum(distinct), "of 10; of 8 clusters", left)
    assert all(distinct)
    assert np.count_nonzero(np.abs(np.array(left) - 4) <= 1) >= 8


def test_six_cation_pairs_of_workflow_2():
    for seed in range(3):
        s = data.six_cation_sulfide(128, 1024, 100, seed)
        result = s.cluster_umap_hdbscan()
        table = s.cluster_significance(result, n_splits=3)
        print("workflow 2:", result.n_clusters, "distinct", table.verdicts[0])
        assert all(table.is_distinct(i, j) for i, j in zip(*np.triu_indices(4, 1), strict=True))


def test_core_shell(real_file):
    path = real_file("core_shell.hdf5")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        s = hs.load(path, file_format="HSPY")
    s.set_signal_type("EDS_TEM_clustered")
    result = s.cluster_pca_gmm(exclude_lines=["C", "Cu"])
    table = s.cluster_significance(result)
    print(table)
    assert result.n_clusters == 3
    assert (table.adjusted_p_values[np.triu_indices(3, 1)] < 0.05).all()
    eight = s.cluster_significance(s.cluster_pca_gmm(8, exclude_lines=["C", "Cu"]))
    print(eight)
    assert eight.consolidated.n_clusters in (3, 4)
    maps = s.map_significance()
    print(maps)
    assert maps.significant.all()
    assert np.isfinite(maps.correlation[0, 1])
    assert 0 < maps.correlation_std[0, 1] < 0.2


@pytest.mark.parametrize("null", ["thickness", "flat"])
def test_p_values_of_maps_are_uniform(null):
    """500 maps of a single composition: of varying, or of one thickness."""
    lines, pairs = [], []
    for seed, counts in enumerate(np.geomspace(10, 150, 500)):
        s = data.seven_cation_nanoparticles(64, 1024, counts, seed=7000 + seed)
        if null == "flat":
            mean = s.data[s.metadata.Ground_truth.labels >= 0].mean(axis=0)
            s.data = np.random.default_rng(seed).poisson(mean, s.data.shape).astype(np.uint16)
        table = s.map_significance()
        above = np.triu_indices(len(table.xray_lines), 1)
        if null == "flat":
            lines.append(table.p_values_no_variation)
            pairs.append(table.correlations_beyond_noise.p_values[above])
        else:
            lines.append(table.p_values)
            pairs.append(table.correlation_p_values[above])
    for what, p in (("lines", np.array(lines)), ("pairs", np.array(pairs))):
        ks = np.array([stats.kstest(column, "uniform").pvalue for column in p.T])
        print(f"{null}, {what}: Kolmogorov-Smirnov p {np.sort(ks).round(3)}, below 0.05 in "
              f"{np.mean(p < 0.05):.3f}")  # fmt: skip
        assert ks.min() > 0.01


def test_uncertainty_of_differences_covers_the_truth():
    """Pairs of one composition: 68 and 95 % of the differences within one and two std."""
    within = []
    for seed in range(60):
        s = data.seven_cation_nanoparticles(96, 1024, 60, seed=8000 + seed)
        table = s.cluster_significance(s.cluster_pca_gmm(2, normalize=False, exclude_lines=["C"]))
        within.append(np.abs(table.difference[0, 1]) / table.difference_std[0, 1])
    within = np.array(within)
    print("coverage", (within < 1).mean(axis=0), (within < 1.96).mean(axis=0))
    assert 0.6 <= np.mean(within < 1) <= 0.8
    assert 0.9 <= np.mean(within < 1.96) <= 1.0


@pytest.mark.parametrize("workflow", ["cluster_pca_gmm", "cluster_umap_hdbscan"])
def test_time_of_a_split(workflow):
    """Printed, not judged: a split takes about as long as the clustering itself."""
    s = data.six_cation_sulfide(256, 1024, 100, 0)
    getattr(s, workflow)()
    start = time.perf_counter()
    result = getattr(s, workflow)()
    clustering = time.perf_counter() - start
    start = time.perf_counter()
    s.cluster_significance(result, n_splits=5)
    per_split = (time.perf_counter() - start) / 5
    ratio = per_split / clustering
    print(f"{workflow}: {clustering:.2f} s, per split {per_split:.2f} s, {ratio:.2f}x")
