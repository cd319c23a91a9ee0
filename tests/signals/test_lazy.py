"""What is asked of a lazy map is read from it, as often as it takes, and nothing else."""

import collections

import dask.array as da
import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_clusterquant import LazyClusteredEDSSpectrum, compare_clusterings, data


@pytest.fixture(scope="module")
def eager():
    s = data.six_cation_sulfide(size=64, channels=512)
    s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
    s.cluster_umap_hdbscan(show_progressbar=False)
    return s


@pytest.fixture(scope="module")
def known(eager):
    """What is found in memory, for all chunks: spectra, a table, and clusters of another map."""
    spectra = eager.get_cluster_spectra("pca_gmm", show_progressbar=False)
    options = {"kfactors": eager.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    table = eager.cluster_quantification("pca_gmm", **options)
    return spectra, options, table, data.six_cation_sulfide(48, 512).cluster_pca_gmm(4)


CHUNKS = {
    "spectra cut, as of JEOL and Velox": ((40, 24), (40, 24), (406, 106)),
    "pixel by pixel": ((1,) * 64, (64,), (512,)),
    "uneven": ((1, 40, 2, 21), (63, 1), (31, 470, 11)),
    "one": ((64,), (64,), (512,)),
}


@pytest.fixture(params=CHUNKS)
def lazy(request, eager):
    """Lazy map without results that counts in `read` how often each chunk is read."""
    read = collections.Counter()
    array = eager.data

    def load(block_info=None):
        where = block_info[None]
        read[tuple(where["chunk-location"])] += 1
        return array[tuple(slice(a, b) for a, b in where["array-location"])]

    s = eager.as_lazy()
    meta = np.empty((0, 0, 0), array.dtype)
    s.data = da.map_blocks(load, chunks=CHUNKS[request.param], dtype=array.dtype, meta=meta)
    del s.metadata.Clusters
    s.read = read
    return s


def passes(s, use):
    """How often each chunk is read, and what came out."""
    array = s.data
    s.read.clear()
    outcome = use()
    assert s.data is array, "the user's array was replaced"
    assert type(s) is LazyClusteredEDSSpectrum
    often = set(s.read.values())
    assert len(often) <= 1
    assert len(s.read) in (0, array.npartitions)
    return (often.pop() if often else 0), outcome


def test_passes_over_the_data(lazy, eager, known):
    """As the user guide says: two for clusters, one for spectra, one for maps of every pixel."""
    expected, options, same, other = known
    for workflow in ("pca_gmm", "umap_hdbscan"):
        call = getattr(lazy, f"cluster_{workflow}")
        n_passes, result = passes(lazy, lambda call=call: call(show_progressbar=False))
        assert n_passes == 2
        assert compare_clusterings(result, eager.clusters[workflow]).ari >= 0.99
    n_passes, both = passes(
        lazy,
        lambda: lazy.get_cluster_spectra(["pca_gmm", "umap_hdbscan"], show_progressbar=False),
    )
    assert n_passes == 1
    assert [s.axes_manager.navigation_size for s in both] == [4, 4]
    np.testing.assert_allclose(
        both[0].data, expected.data, rtol=1e-3, atol=1e-3 * both[0].data.max()
    )
    n_passes, table = passes(lazy, lambda: lazy.cluster_quantification("pca_gmm", **options))
    assert n_passes == 1
    assert (np.abs(table.atomic_percent - same.atomic_percent) < 0.1 * same.std).all()
    n_passes, table = passes(
        lazy, lambda: lazy.cluster_quantification("pca_gmm", per_pixel=True, **options)
    )
    assert n_passes == 2
    assert passes(lazy, lambda: lazy.assign_clusters(other, name="other"))[0] == 2


def test_nothing_is_read_for_what_is_known(lazy, eager):
    for result in eager.clusters.values():
        lazy.keep_clusters(result)
    for use in (
        lambda: lazy.clusters["pca_gmm"].label_map(),
        lambda: lazy.clusters["pca_gmm"].membership_maps(),
        lambda: lazy.keep_clusters(lazy.clusters["pca_gmm"].merge([0, 1]), "merged"),
        lambda: compare_clusterings(*list(lazy.clusters.values())[:2]),
        lazy.plot_clusters,
        lazy.plot_cluster_scree,
        lazy.deepcopy,
        lambda: lazy.inav[:10, 5:].clusters,
        lambda: lazy.isig[1.0:4.0].clusters,
        lambda: lazy.rebin(scale=(2, 2, 1)).clusters,
        lambda: lazy.sum(),
        lambda: repr(lazy),
    ):
        assert passes(lazy, use)[0] == 0
    assert passes(lazy, lazy.plot_cluster_spectra)[0] == 1
    plt.close("all")


@pytest.mark.parametrize("lazy", list(CHUNKS)[:1], indirect=True)
@pytest.mark.parametrize("extension", ["hspy", "zspy"])
def test_saving_reads_once_and_keeps_the_results(lazy, eager, extension, tmp_path):
    lazy.keep_clusters(eager.clusters["pca_gmm"])

    def save():
        lazy.save(tmp_path / f"map.{extension}", show_progressbar=False)

    assert passes(lazy, save)[0] == 1
    loaded = hs.load(tmp_path / f"map.{extension}", lazy=True)
    assert type(loaded) is LazyClusteredEDSSpectrum
    assert np.array_equal(loaded.clusters["pca_gmm"].labels, eager.clusters["pca_gmm"].labels)
    again = loaded.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
    assert compare_clusterings(again, eager.clusters["pca_gmm"]).ari >= 0.99


def test_a_map_is_never_written_over_the_file_that_it_is_read_from(eager, tmp_path, monkeypatch):
    eager.save(tmp_path / "map.zspy")
    lazy = hs.load(tmp_path / "map.zspy", lazy=True)
    monkeypatch.chdir(tmp_path)
    for arguments in (
        {"filename": tmp_path / "map.zspy"},
        {"filename": "map.zspy"},
        {"filename": "map", "extension": "zspy"},
        {},
    ):
        with pytest.raises(ValueError, match="Save the map under another name"):
            lazy.save(overwrite=True, **arguments)
    lazy.save("other.zspy")
    for name in ("map.zspy", "other.zspy"):
        assert hs.load(name, lazy=True).data.sum().compute() == eager.data.sum()


def test_tests_of_clusters_and_maps_read_once(eager, lazy):
    """However many splits there are."""
    result = eager.clusters["pca_gmm"]
    read, table = passes(lazy, lambda: lazy.cluster_significance(result, n_splits=2))
    assert read == 1
    assert table.p_values.shape == (4, 4)
    assert passes(lazy, lambda: lazy.cluster_stability(result, n_resamples=2))[0] == 1
    assert passes(lazy, lambda: lazy.map_significance())[0] == 1


@pytest.mark.parametrize("kind", ["all energies", "some energies"])
def test_a_chunk_that_the_file_lost_is_told(sulfide, tmp_path, kind):
    """zarr reads what is missing as zeros."""
    cut = 512 if kind == "all energies" else 200
    sulfide.save(tmp_path / "map.zspy", chunks=(16, 16, cut))
    (chunk,) = tmp_path.glob("map.zspy/Experiments/*/data/2/1/0")
    chunk.unlink()
    s = hs.load(tmp_path / "map.zspy", lazy=True)
    message = r"1 chunk of the map holds not a single count.*s\.inav\[16:32, 32:48\]"
    message += r"\. " if kind == "all energies" else r" from 0 to 3\.98 keV\. "
    for ask in (lambda: s.cluster_pca_gmm(4), s.map_significance):
        with pytest.warns(UserWarning, match=message) as caught:
            ask()
        told = [w for w in caught if "single count" in str(w.message)]
        assert len(told) == 1
        assert told[0].filename == __file__
