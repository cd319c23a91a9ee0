"""What the clustering must show on ten seeds and more; slow, run by make test-all."""

import itertools

import hyperspy.api as hs
import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant import compare_clusterings, data

pytestmark = pytest.mark.slow

WORKFLOWS = ("cluster_pca_gmm", "cluster_umap_hdbscan")


def on_sample(result, s):
    truth = np.asarray(s.metadata.Ground_truth.labels)
    return compare_clusterings(np.where(truth >= 0, result.labels, -2), truth)


def share_right(result, s, low=0.8, high=0.9):
    """Of the memberships between low and high, how many are of the true phase; their number."""
    truth = np.asarray(s.metadata.Ground_truth.labels)
    right = total = 0
    for cluster, phase in on_sample(result, s).matched.items():
        membership = result.memberships[cluster]
        chosen = (membership >= low) & (membership < high) & (truth >= 0)
        right += np.count_nonzero(truth[chosen] == phase)
        total += np.count_nonzero(chosen)
    return right / max(total, 1), total


@pytest.fixture(scope="module", params=[200, 9, 3])
def sulfides(request):
    """Both workflows with every default on ten maps of 256 x 256 pixels."""
    rows = {name: [] for name in WORKFLOWS}
    for seed in range(10):
        s = data.six_cation_sulfide(256, 1024, request.param, seed)
        for name in WORKFLOWS:
            result = getattr(s, name)()
            rows[name].append(
                (result.n_clusters, on_sample(result, s).ari, *share_right(result, s))
            )
        del s
    return request.param, {name: np.array(values) for name, values in rows.items()}


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_six_cation_sulfide(sulfides, workflow):
    counts, rows = sulfides
    n_clusters, ari, right, total = rows[workflow].T
    print(workflow, counts, n_clusters.astype(int), "ARI", ari.round(3), "right", right.round(2))
    least, median = {200: (9, 0.87), 9: (8, 0.80), 3: (0, 0.65)}[counts]
    assert np.count_nonzero(n_clusters == 4) >= least
    assert n_clusters.max() <= 4 or counts > 3
    assert np.median(ari) >= median
    found = n_clusters == 4
    assert found.any()
    assert total[found].min() > 100
    # Between clusters that hold two phases each, no membership is true.
    assert right[found].min() >= 0.75
    assert right[found].max() <= 0.95


@pytest.mark.parametrize("seed", range(3))
def test_smallest_cluster_matters_little(seed):
    """Over a factor of ten, and with HDBSCAN's other settings."""
    s = data.six_cation_sulfide(256, 1024, 9, seed)
    for settings in (
        {"min_cluster_size": 0.01},
        {"min_cluster_size": 0.02},
        {"min_cluster_size": 0.05},
        {"min_cluster_size": 0.1},
        {"min_samples": 5},
        {"cluster_selection_method": "leaf"},
    ):
        result = s.cluster_umap_hdbscan(**settings)
        print(seed, settings, result.n_clusters, on_sample(result, s).ari)
        assert result.n_clusters == 4
        assert on_sample(result, s).ari > 0.8


@pytest.mark.parametrize("seed", range(20))
def test_one_composition_is_one_cluster(seed):
    counts = np.geomspace(5, 150, 20)[seed]
    s = data.seven_cation_nanoparticles(128, 1024, counts, seed=100 + seed)
    for name in WORKFLOWS:
        assert getattr(s, name)(exclude_lines=["C"]).n_clusters == 1


def gaussian_peak(energy, centre, sigma=0.05):
    peak = np.exp(-0.5 * ((energy - centre) / sigma) ** 2)
    return peak / peak.sum()


def add_rare_phase(s, share, rng):
    """Turn discs in the largest phase into one with titanium, in place; their mask."""
    truth = s.metadata.Ground_truth.labels
    inside = ndimage.binary_erosion(truth == 0, iterations=6)
    rows, columns = np.indices(truth.shape)
    rare = np.zeros(truth.shape, dtype=bool)
    radius = np.sqrt(share * truth.size / (3 * np.pi))
    while rare.sum() < 0.95 * share * truth.size:
        y, x = rng.choice(np.argwhere(inside & ~rare))
        rare |= (rows - y) ** 2 + (columns - x) ** 2 < radius**2
    energy = s.axes_manager.signal_axes[0].axis
    mean = s.data[truth == 0].mean(axis=0)
    spectrum = 0.7 * mean + 0.3 * mean.sum() * gaussian_peak(energy, 4.51)
    s.data[rare] = rng.poisson(spectrum, size=(rare.sum(), len(spectrum)))
    return rare


@pytest.mark.parametrize("counts", [150, 40, 10])
def test_rare_phase_with_its_own_element(counts):
    found = []
    for seed in range(10):
        s = data.six_cation_sulfide(160, 1024, counts, seed)
        rare = add_rare_phase(s, 0.01, np.random.default_rng(seed))
        result = s.cluster_umap_hdbscan(min_cluster_size=0.006)
        overlap = [
            np.count_nonzero(rare & (result.labels == k))
            / np.count_nonzero(rare | (result.labels == k))
            for k in range(result.n_clusters)
        ]
        found.append(max(overlap) > 0.8)
        print(counts, seed, result.n_clusters, np.round(max(overlap), 2), on_sample(result, s).ari)
    assert sum(found) >= 8


LUCK = pytest.mark.xfail(reason="found for 1 in 5 to 1 in 10 random states, be it 0 or not")


@pytest.mark.parametrize(
    ("shape", "counts"),
    [
        *itertools.product(["inclusions", "strip"], [25, 40, 80]),
        ("inclusions", 15),
        pytest.param("strip", 15, marks=LUCK),
    ],
)
def test_a_small_phase_is_found_whatever_smaller_size_is_asked_for(shape, counts):
    """Phases that no bin holds whole, in two others."""
    rows, columns = np.indices((96, 96))
    if shape == "strip":
        rare = (abs(columns - 20) < 2) & (rows < 70)
    else:
        inside = (rows > 4) & (rows < 36) & (columns > 4) & (columns < 44)
        rare = ((rows // 4 + columns // 4) % 6 == 0) & inside
    energy = 0.02 * np.arange(512)
    lines = np.array([gaussian_peak(energy, e) for e in (1.0, 3.0, 5.0, 4.0)])
    shares = np.array([[0.5, 0.5, 0, 0], [0.3, 0, 0.7, 0], [0.4, 0.3, 0, 0.3]])
    spectra = 0.3 / 512 + 0.7 * shares @ lines
    phase = np.where(rare, 2, columns > 48)
    data_ = np.random.default_rng(0).poisson(counts * spectra[phase]).astype(np.uint16)
    s = hs.signals.Signal1D(data_)
    s.axes_manager[-1].scale, s.axes_manager[-1].units = 0.02, "keV"
    s.set_signal_type("EDS_TEM_clustered")
    for size in (0.02, 0.015, 0.01, 0.005):
        result = s.cluster_umap_hdbscan(size)
        overlap = [
            np.sum(rare & (result.labels == k)) / np.sum(rare | (result.labels == k))
            for k in range(result.n_clusters)
        ]
        print(shape, counts, size, result.n_clusters, np.round(max(overlap), 2))
        assert max(overlap) > 0.7


@pytest.mark.parametrize("seed", range(3))
def test_tenfold_thickness_of_one_phase_is_one_cluster(seed):
    rng = np.random.default_rng(seed)
    s = data.six_cation_sulfide(16, 1024, 100, seed)
    spectrum = s.data[s.metadata.Ground_truth.labels == 0].mean(axis=0) + 1e-3
    field = ndimage.gaussian_filter(rng.standard_normal((128, 128)), 8)
    rank = np.argsort(np.argsort(field, axis=None)).reshape(field.shape) / field.size
    counts = rng.poisson(10 ** rank[..., None] * 20 * spectrum / spectrum.sum())
    s = hs.signals.Signal1D(counts.astype(np.uint16))
    s.axes_manager[-1].scale, s.axes_manager[-1].units = 0.01, "keV"
    s.set_signal_type("EDS_TEM_clustered")
    for name in WORKFLOWS:
        assert getattr(s, name)().n_clusters == 1


@pytest.mark.parametrize("workflow", WORKFLOWS)
@pytest.mark.parametrize("seed", range(3))
def test_phases_are_right_when_dose_falls_by_half(workflow, seed):
    s = data.six_cation_sulfide(192, 1024, 60, seed)
    ramp = np.linspace(1, 0.5, s.data.shape[1])[None, :, None]
    s.data = np.random.default_rng(seed).binomial(s.data, ramp).astype(s.data.dtype)
    result = getattr(s, workflow)()
    print(workflow, seed, result.n_clusters, on_sample(result, s).ari)
    assert result.n_clusters == 4
    assert on_sample(result, s).ari > 0.85


def parts(s, result):
    """Film, shell and core: least iron; most platinum for its iron; the rest."""
    q = s.cluster_quantification(
        result,
        xray_lines=["Fe_Ka", "Pt_La"],
        kfactors={"Fe_Ka": 1.450226, "Pt_La": 5.075602},
        extra_elements=["C", "Cu", "Si", "O"],
    )
    iron = q.intensities[:, 0] / result.memberships.sum(axis=(1, 2))
    return int(iron.argmin()), int(q.atomic_percent[:, 1].argmax()), q.atomic_percent[:, 1]


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_core_shell_particles_from_five_seeds(real_file, workflow):
    path = real_file("core_shell.hdf5")
    s = hs.load(path, file_format="HSPY", signal_type="EDS_TEM_clustered")
    s.set_elements(["Fe", "Pt", "O"])
    labels = []
    for seed in range(5):
        result = getattr(s, workflow)(exclude_lines=["C", "Cu"], random_state=seed)
        labels.append(result.labels.ravel())
        assert result.n_clusters in (3, 4)
        film, core, platinum = parts(s, result)
        assert platinum[core] > 40
        others = [p for k, p in enumerate(platinum) if k != core]
        assert max(others) < 10
        assert result.sizes[film] == result.sizes.max()
    agreement = [adjusted_rand_score(labels[i], labels[j]) for i in range(5) for j in range(i)]
    print(workflow, np.round(agreement, 2))
    assert min(agreement) >= 0.8


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_jeol_map_at_full_resolution(real_file, workflow):
    s = hs.load(real_file("View000_0000006.pts"))
    s.set_signal_type("EDS_TEM_clustered")
    result = getattr(s, workflow)()
    assert 2 <= result.n_clusters <= 3
    iron = ndimage.gaussian_filter(s.isig[6.2:6.6].sum(-1).data.astype(float), 4)
    kept = result.labels > -2
    means = np.array([iron[result.labels == k].mean() for k in range(result.n_clusters)])
    print(workflow, result, means)
    particle = np.isin(result.labels, np.flatnonzero(means > means.max() / 2))
    threshold = (iron[kept].max() + iron[kept].min()) / 4
    assert np.mean((iron > threshold)[kept] == particle[kept]) > 0.9
