"""Both workflows and the spectra on small maps of every shape."""

import warnings

import hyperspy.api as hs
import numpy as np
import pint
import pytest

from hyperspy_clusterquant import compare_clusterings, data

TYPE = "EDS_TEM_clustered"


def agreement(result, s):
    truth = np.asarray(s.metadata.Ground_truth.labels)
    return compare_clusterings(np.where(truth >= 0, result.labels, -2), truth).ari


def check(result, s):
    """What holds for every result."""
    labels, memberships = result.labels, result.memberships
    assert labels.shape == s.data.shape[:-1]
    assert memberships.shape == (result.n_clusters, *labels.shape)
    assert labels.max() == result.n_clusters - 1
    assert (np.diff(result.sizes) <= 0).all()
    assert (result.sizes > 0).all()
    assert memberships.min() >= 0
    assert memberships.max() <= 1
    assert memberships.sum(axis=0).max() <= 1 + 1e-5
    assert not memberships[:, labels == -2].any()
    assert result.scores.shape == (np.count_nonzero(labels > -2), result.n_components)
    assert result.parameters["random_state"] == 0
    assert "hdbscan" in result.parameters["versions"]


def test_same_call_same_bits(sulfide):
    a = sulfide.cluster_umap_hdbscan()
    b = sulfide.cluster_umap_hdbscan()
    assert np.array_equal(a.labels, b.labels)
    assert np.array_equal(a.memberships, b.memberships)
    assert np.array_equal(a.embedding, b.embedding)
    check(a, sulfide)
    assert a.n_clusters == 4
    assert agreement(a, sulfide) > 0.75


@pytest.mark.parametrize("binning", [1, 2, "auto"])
@pytest.mark.parametrize("neighbourhood", [0, 1.0, "auto"])
def test_binning_and_pooling(sulfide, binning, neighbourhood):
    result = sulfide.cluster_pca_gmm(n_clusters=4, binning=binning, neighbourhood=neighbourhood)
    check(result, sulfide)
    assert agreement(result, sulfide) > 0.6
    if binning == 1 and neighbourhood == 0:
        np.testing.assert_allclose(result.memberships.sum(axis=0)[result.labels > -2], 1, atol=1e-5)


def test_landmarks_stand_for_all(sulfide):
    everything = sulfide.cluster_umap_hdbscan(binning=1, name="every")
    few = sulfide.cluster_umap_hdbscan(binning=1, n_landmarks=1500)
    assert few.embedding.shape == (1500, 4)
    check(few, sulfide)
    assert compare_clusterings(everything, few).ari > 0.9


def test_eager_lazy_and_chunking_agree(sulfide):
    eager = sulfide.cluster_pca_gmm(n_clusters=4)
    table = sulfide.cluster_quantification(kfactors=sulfide.metadata.Ground_truth.kfactors)
    lazy = sulfide.as_lazy()
    for chunks in ((56, 64, 512), (7, 50, 100), (1, 64, 512)):
        lazy.data = lazy.data.rechunk(chunks)
        result = lazy.cluster_pca_gmm(n_clusters=4)
        assert compare_clusterings(eager, result).ari >= 0.99
        other = lazy.cluster_quantification(kfactors=sulfide.metadata.Ground_truth.kfactors)
        assert (np.abs(other.atomic_percent - table.atomic_percent) < 0.1 * table.std).all()


@pytest.mark.parametrize("dtype", ["uint16", "int64", "float32", "float64"])
def test_dtype_does_not_matter(sulfide, dtype):
    expected = sulfide.cluster_pca_gmm(n_clusters=4)
    sulfide.change_dtype(dtype)
    result = sulfide.cluster_pca_gmm(n_clusters=4)
    assert np.array_equal(result.labels, expected.labels)


def test_line_scan_and_stack(sulfide):
    line = sulfide.inav[:, 20]
    result = line.cluster_pca_gmm(n_clusters=2, n_components=1, navigation_mask=None)
    check(result, line)
    stack = _stacked(sulfide)
    result = stack.cluster_pca_gmm(n_clusters=4)
    check(result, stack)
    assert result.membership_maps().axes_manager.navigation_shape == (4, 4)
    assert result.label_map().data.shape == (4, 14, 64)
    spectra = stack.get_cluster_spectra()
    assert spectra.data.shape == (4, 512)


def _stacked(s):
    import hyperspy.api as hs

    axes = [{"name": "z", "size": 4, "navigate": True}]
    axes += [{"name": "y", "size": 14, "units": "nm", "navigate": True}]
    axes += [{"name": "x", "size": 64, "units": "nm", "navigate": True}]
    axes.append(s.axes_manager.signal_axes[0].get_axis_dictionary())
    stack = hs.signals.Signal1D(s.data.reshape(4, 14, 64, 512), axes=axes)
    stack.set_signal_type(TYPE)
    return stack


def test_numbers_of_numpy_and_any_collection(sulfide):
    plain = sulfide.cluster_pca_gmm(3, n_components=2, exclude_lines=["C"], energy_range=(0.2, 9.0))
    parameters = plain.parameters
    for lines in (np.array(["C"]), {"C"}, ("C",), "C"):
        result = sulfide.cluster_pca_gmm(
            np.int64(3),
            n_components=np.int64(2),
            exclude_lines=lines,
            energy_range=np.array([0.2, 9.0]),
            random_state=np.int64(0),
            n_init=np.int32(3),
        )
        assert np.array_equal(result.labels, plain.labels)
        assert result.parameters == parameters
    assert sulfide.clusters["pca_gmm"].parameters == parameters


def test_fewer_clusters_than_asked_for_are_announced():
    """Two spectra without noise to speak of: there is nothing to make five clusters of."""
    import hyperspy.api as hs

    counts = np.zeros((8, 8, 40), dtype=int)
    counts[:4, :, 5:10], counts[4:, :, 20:30] = 1000, 500
    s = hs.signals.Signal1D(counts)
    s.set_signal_type(TYPE)
    axis = s.axes_manager.signal_axes[0]
    axis.units, axis.scale = "keV", 0.1
    with pytest.warns(UserWarning, match="3 of 5 clusters hold no pixel and were dropped"):
        result = s.cluster_pca_gmm(5, n_components=1, binning=1)
    assert result.n_clusters == 2
    assert "dropped" in repr(result)


def test_pixels_without_counts_make_no_cluster(sulfide):
    sulfide.data[:6] = 0
    for result in (
        sulfide.cluster_pca_gmm(4, navigation_mask=None, binning=1),
        sulfide.cluster_umap_hdbscan(navigation_mask=None, binning=1, n_landmarks=2000),
    ):
        assert agreement(result, sulfide.inav[:, :]) > 0.55
        assert len(np.unique(result.labels[:6])) == 1
        sizes = [np.count_nonzero(result.labels[6:] == k) for k in range(result.n_clusters)]
        assert min(sizes) > 50


def test_thickness_alone_is_labelled_fine_where_it_is_asked_for(rng):
    """One spectrum, two doses: without normalisation two clusters, also of binned maps."""
    import hyperspy.api as hs

    dose = np.where(np.arange(48)[:, None] < 24, 4.0, 16.0) * np.ones(48)
    s = hs.signals.Signal1D(rng.poisson(dose[..., None] * rng.uniform(0.5, 1.5, 50)))
    s.set_signal_type(TYPE)
    axis = s.axes_manager.signal_axes[0]
    axis.units, axis.scale, axis.offset = "keV", 0.1, 0.2
    truth = (dose > 10).astype(int)
    for binning, neighbourhood in ((1, 0), (1, 1.0), (2, 0)):
        result = s.cluster_pca_gmm(
            2, normalize=False, binning=binning, neighbourhood=neighbourhood, navigation_mask=None
        )
        assert compare_clusterings(result, truth).ari > 0.9


def test_all_noise_is_a_result(sulfide, tmp_path):
    result = sulfide.cluster_pca_gmm(2).drop([0, 1])
    assert result.n_clusters == 0
    sulfide.plot_clusters(result)
    with pytest.raises(ValueError, match="has no cluster: all its pixels are noise"):
        sulfide.get_cluster_spectra(result)


def test_no_cluster_of_the_smallest_size_is_a_result(sulfide, tmp_path):
    """Four phases, of which none is as large as what is asked for."""
    result = sulfide.cluster_umap_hdbscan(0.48)
    assert result.n_clusters == 0
    assert set(np.unique(result.labels)) == {-2, -1}
    assert "Every pixel is noise" in str(result)
    assert "they hold fewer pixels" in str(result)
    sulfide.plot_clusters()
    with pytest.raises(ValueError, match="has no cluster: all its pixels are noise"):
        sulfide.cluster_quantification()
    sulfide.save(tmp_path / "map.hspy")
    loaded = hs.load(tmp_path / "map.hspy").clusters["umap_hdbscan"]
    np.testing.assert_array_equal(loaded.labels, result.labels)
    assert loaded.memberships.shape == (0, *result.labels.shape)


def consistent(result):
    """Whether memberships say what the labels say."""
    total = result.memberships.sum(axis=0)
    return (
        np.allclose(total[result.labels >= 0], 1, atol=1e-5)
        and not total[result.labels < 0].any()
        and np.array_equal(result.memberships.argmax(axis=0)[total > 0], result.labels[total > 0])
    )


def test_memberships_and_labels_agree(sulfide, rng):
    for result in (
        sulfide.cluster_pca_gmm(),
        sulfide.cluster_umap_hdbscan(),
        sulfide.cluster_umap_hdbscan(min_samples=30, cluster_selection_method="leaf"),
        sulfide.cluster_umap_hdbscan(0.3),
    ):
        assert consistent(result)
    # A weak gradient: clumps of the embedding that are joined to a single cluster.
    rows, columns = np.indices((64, 64))
    share = 0.5 + 0.1 * np.sin(rows / 9) * np.sin(columns / 7)
    energy = sulfide.axes_manager.signal_axes[0].axis
    peaks = np.exp(-0.5 * ((energy - np.array([[2.0], [6.0]])) / 0.05) ** 2)
    peaks = peaks / peaks.sum(axis=1, keepdims=True)
    mean = 100 * (share[..., None] * peaks[0] + (1 - share[..., None]) * peaks[1])
    s = hs.signals.Signal1D(rng.poisson(mean).astype(np.uint16))
    s.axes_manager[-1].scale, s.axes_manager[-1].units = energy[1] - energy[0], "keV"
    s.set_signal_type("EDS_TEM_clustered")
    result = s.cluster_umap_hdbscan()
    assert result.parameters["hdbscan_clusters"] > result.n_clusters
    assert consistent(result)


def test_min_samples_that_no_cluster_can_have(sulfide):
    with pytest.raises(ValueError, match=r"`min_samples` must be less than the \d+ learning"):
        sulfide.cluster_umap_hdbscan(min_samples=5000)


def test_a_small_phase_is_found_where_bins_drown_it():
    """Two hundred pixels with an element of their own, in a map of ten counts per pixel."""
    s = data.six_cation_sulfide(128, 512, 10)
    rare = np.zeros((128, 128), bool)
    rare[40:54, 40:54] = True
    add_titanium(s, rare, 6)
    result = s.cluster_umap_hdbscan(100)
    assert overlap(rare, result) > 0.8


def test_a_small_phase_is_found_with_few_landmarks():
    """Of its 64 pixels, 4 are expected among 1000 landmarks."""
    s = data.six_cation_sulfide(128, 512, 400)
    rare = np.zeros((128, 128), bool)
    rare[40:48, 40:48] = True
    add_titanium(s, rare, 60)
    result = s.cluster_umap_hdbscan(40, binning=1, n_landmarks=1000)
    assert overlap(rare, result) > 0.8
    again = s.cluster_umap_hdbscan(40, binning=1, n_landmarks=1000)
    assert np.array_equal(result.labels, again.labels)


def add_titanium(s, pixels, counts):
    energy = s.axes_manager.signal_axes[0].axis
    titanium = np.exp(-0.5 * ((energy - 4.51) / 0.05) ** 2)
    s.data[pixels] += (
        np.random.default_rng(0)
        .poisson(counts * titanium / titanium.sum(), (pixels.sum(), len(energy)))
        .astype(s.data.dtype)
    )


def overlap(pixels, result):
    """Jaccard index of pixels and the cluster that holds most of them."""
    shared = [np.sum(pixels & (result.labels == k)) for k in range(result.n_clusters)]
    found = result.labels == int(np.argmax(shared))
    return np.sum(pixels & found) / np.sum(pixels | found)


def test_energy_axis_in_ev(sulfide):
    expected = sulfide.cluster_pca_gmm(n_clusters=4, exclude_lines=["C"])
    k = sulfide.metadata.Ground_truth.kfactors
    table = sulfide.cluster_quantification(kfactors=k)
    axis = sulfide.axes_manager.signal_axes[0]
    axis.units, axis.scale, axis.offset = "eV", axis.scale * 1000, axis.offset * 1000
    result = sulfide.cluster_pca_gmm(n_clusters=4, exclude_lines=["C"])
    assert np.array_equal(result.labels, expected.labels)
    in_ev = sulfide.cluster_quantification(kfactors=k)
    np.testing.assert_allclose(in_ev.atomic_percent, table.atomic_percent, atol=1e-3)


def test_masks_have_hyperspys_polarity(sulfide):
    import hyperspy.api as hs

    mask = np.zeros((56, 64), bool)
    mask[:, :20] = True
    for given in (mask, hs.signals.BaseSignal(mask).T, mask.astype(int)):
        result = sulfide.cluster_pca_gmm(n_clusters=3, navigation_mask=given)
        assert np.array_equal(result.labels == -2, mask)
        check(result, sulfide)
    assert (sulfide.cluster_pca_gmm(n_clusters=3, navigation_mask=None).labels > -2).all()


def test_excluded_lines_do_not_enter(sulfide):
    """A phase that differs in an excluded element only is not told apart."""
    s = data.seven_cation_nanoparticles(size=64, channels=512, counts_per_pixel=300)
    with_film = s.cluster_umap_hdbscan(navigation_mask=None)
    assert with_film.parameters["n_significant"] > 0
    without = s.cluster_umap_hdbscan(exclude_lines=["C_Ka"])
    assert without.parameters["n_significant"] == 0
    assert without.n_clusters == 1
    assert "Nothing varies beyond shot noise" in repr(without)


def test_excluded_lines_that_hide_the_sample_are_named(sulfide):
    with pytest.warns(UserWarning, match=r"also hides Zn_La of the declared.*'Au_La'"):
        sulfide.cluster_pca_gmm(n_clusters=2, exclude_lines=["Na"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sulfide.cluster_pca_gmm(n_clusters=2, exclude_lines=["C", "Au_La"])
        # Main lines are told from excluded ones by their shape.
        result = sulfide.cluster_pca_gmm(n_clusters=2, exclude_lines=["Au"])
    assert {"Au_La", "Au_Ma"} >= set(result.recipe.fitted_out) >= {"Au_Ma"}


def test_rank_zero_warns_when_clusters_were_asked_for():
    s = data.seven_cation_nanoparticles(size=64, channels=512)
    with pytest.warns(UserWarning, match="instead of the 2 asked for"):
        result = s.cluster_pca_gmm(n_clusters=2, exclude_lines=["C"])
    assert result.n_clusters == 1


@pytest.mark.parametrize(
    "size", ["7000 nm^2", "0.007 um**2", 0.02, 72, pint.Quantity(7000, "nm^2")]
)
def test_smallest_cluster_in_any_units(sulfide, size):
    # Pixels of 1000 / 56 nm: 7000 nm^2 are 22 pixels.
    result = sulfide.cluster_umap_hdbscan(size, n_landmarks=400)
    kept = np.count_nonzero(result.labels > -2)
    expected = {0.02: 0.02 * kept, 72: 72}.get(size if isinstance(size, int | float) else 0, 21.95)
    assert result.parameters["smallest_cluster_pixels"] == pytest.approx(expected, abs=0.6)


def test_smallest_cluster_of_a_line_scan_is_a_length(sulfide):
    line = sulfide.inav[:, 20]
    pixel = line.axes_manager[0].scale
    result = line.cluster_umap_hdbscan(f"{5 * pixel} nm", navigation_mask=None, n_components=1)
    assert result.parameters["smallest_cluster_pixels"] == 5


def test_cluster_spectra_are_weighted_sums(clustered):
    result = clustered.clusters["pca_gmm"]
    spectra = clustered.get_cluster_spectra()
    flat = clustered.data.reshape(-1, 512).astype(float)
    weights = result.memberships.reshape(4, -1).astype(float)
    np.testing.assert_allclose(spectra.data, weights @ flat)
    variance = spectra.metadata.Signal.Noise_properties.variance
    np.testing.assert_allclose(variance.data, weights**2 @ flat)
    live_time = spectra.metadata.Acquisition_instrument.TEM.Detector.EDS.live_time
    np.testing.assert_allclose(live_time, 0.01 * weights.sum(axis=1))
    hard = clustered.get_cluster_spectra(weights="hard")
    np.testing.assert_allclose(hard.data[2], flat[result.labels.ravel() == 2].sum(axis=0))
    assert type(hard) is type(clustered)
    axis = hard.axes_manager.signal_axes[0]
    assert (axis.name, axis.units) == ("Energy", "keV")
    assert list(hard.metadata.Sample.elements) == list(clustered.metadata.Sample.elements)


def test_renamed_and_merged_results_can_be_used(clustered):
    result = clustered.clusters["pca_gmm"].rename({0: "matrix"}).merge([2, 3])
    spectra = clustered.get_cluster_spectra(result)
    assert spectra.data.shape == (3, 512)
    table = clustered.cluster_quantification(
        result, kfactors=clustered.metadata.Ground_truth.kfactors
    )
    assert "matrix" in table.cluster_names


@pytest.mark.parametrize("workflow", ["cluster_pca_gmm", "cluster_umap_hdbscan"])
def test_energies_without_lines_of_some_elements(workflow):
    """Ag, Cd and S only: of Cu, Fe, Mn and Zn no line is looked at, and none is needed."""
    s = data.six_cation_sulfide(size=40, channels=1024, counts_per_pixel=300)
    result = getattr(s, workflow)(energy_range=(2.1, 3.6))
    assert result.n_clusters >= 2
    assert getattr(s, workflow)(energy_range=(9.3, 10.0)).n_clusters == 1
