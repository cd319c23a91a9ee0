"""The same counts on other axes: wherever the energies lie in memory, and whatever their units."""

import warnings

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pint
import pytest

from hyperspy_clusterquant import data
from hyperspy_clusterquant.signals.axes import (
    counts_of,
    energy_in_kev,
    navigation_axes,
    smallest_cluster_in_pixels,
)

K = {
    "Ag_La": 2.3, "Cd_La": 2.4, "Cu_Ka": 1.5, "Fe_Ka": 1.3, "Mn_Ka": 1.2, "S_Ka": 1.0, "Zn_Ka": 1.6,
}  # fmt: skip
EXTRA = ["C", "Au"]


@pytest.fixture(scope="module")
def plain():
    return data.six_cation_sulfide(size=(20, 24), channels=512, counts_per_pixel=300)


def made(values, axes, of):
    """A map with the metadata of another."""
    s = hs.signals.BaseSignal(values, axes=axes)
    s.metadata.add_dictionary(of.metadata.as_dictionary())
    s.set_signal_type("EDS_TEM_clustered")
    return s


def axes_of(s):
    return [axis.get_axis_dictionary() for axis in s.axes_manager._axes]


def energy_first(s):
    y, x, energy = axes_of(s)
    return made(np.moveaxis(s.data, -1, 0).copy(), [energy, y, x], s)


def energy_between(s):
    return s.rollaxis(0, 2)


def energy_reversed(s):
    y, x, energy = axes_of(s)
    energy = energy | {
        "scale": -energy["scale"],
        "offset": energy["offset"] + energy["scale"] * (energy["size"] - 1),
    }
    return made(s.data[..., ::-1].copy(), [y, x, energy], s)


def energy_first_and_reversed(s):
    return energy_first(energy_reversed(s))


def energy_in_ev(s):
    y, x, energy = axes_of(s)
    energy = energy | {
        "scale": 1000 * energy["scale"], "offset": 1000 * energy["offset"], "units": "eV",
    }  # fmt: skip
    return made(s.data.copy(), [y, x, energy], s)


def in_negative_steps(s):
    """The pixels lie where they did: both axes run downwards, from their former ends."""
    y, x, energy = axes_of(s)
    y, x = (
        axis | {"scale": -axis["scale"], "offset": axis["scale"] * (axis["size"] - 1)}
        for axis in (y, x)
    )
    return made(s.data.copy(), [y, x, energy], s)


def lazy(other):
    def make(s):
        made_lazy = other(s).as_lazy()
        made_lazy.data = made_lazy.data.rechunk(11)
        return made_lazy

    make.__name__ = f"lazy, {other.__name__}"
    return make


WAYS = [
    energy_first,
    energy_between,
    energy_reversed,
    energy_first_and_reversed,
    energy_in_ev,
    in_negative_steps,
    lazy(energy_first),
    lazy(energy_reversed),
]
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


@pytest.fixture(scope="module")
def known(plain):
    """What is found in the usual order; not to be changed."""
    s = plain.deepcopy()
    s.cluster_pca_gmm(4)
    return s


@pytest.fixture(scope="module")
def usual(known):
    """What a method gives in the usual order: each call is made once."""
    outcomes = {}

    def call(ask, /, *args, **options):
        key = repr((ask, args, options))
        if key not in outcomes:
            outcomes[key] = getattr(known.deepcopy(), ask)(*args, **options)
        return outcomes[key]

    return call


def clustered_like(s, known):
    """The map of other axes with the clusters that are known."""
    s.keep_clusters(known.clusters["pca_gmm"])
    return s


@every_way
def test_counts_and_energies(way, plain):
    s = way(plain)
    found = counts_of(s)
    assert type(found) is type(s.data)
    np.testing.assert_array_equal(np.asarray(found), plain.data)
    np.testing.assert_allclose(energy_in_kev(s), plain.axes_manager[-1].axis, atol=1e-9)
    if isinstance(found, np.ndarray):
        assert np.shares_memory(found, s.data)


@every_way
def test_workflow_1(way, plain, known, usual):
    s, expected = way(plain), known.clusters["pca_gmm"]
    result = s.cluster_pca_gmm(4)
    assert result.labels.shape == s.axes_manager.navigation_shape[::-1]
    np.testing.assert_array_equal(result.labels, expected.labels)
    np.testing.assert_allclose(result.spectra, expected.spectra)
    np.testing.assert_allclose(result.energy, expected.energy, atol=1e-9)
    np.testing.assert_array_equal(result.label_map().data, expected.labels)
    part = s.inav[3:15, 4:18]
    np.testing.assert_array_equal(
        part.clusters["pca_gmm"].labels, known.inav[3:15, 4:18].clusters["pca_gmm"].labels
    )
    how = {"energy_range": (1.0, 8.0), "exclude_lines": ["Cu"], "name": "half"}
    half = s.cluster_pca_gmm(2, **how)
    expected = usual("cluster_pca_gmm", 2, **how)
    np.testing.assert_array_equal(half.labels, expected.labels)


@pytest.mark.parametrize("way", [energy_between, energy_first_and_reversed])
def test_workflow_2(way, plain, usual):
    how = {"n_landmarks": 300, "binning": 1}
    expected = usual("cluster_umap_hdbscan", "100000 nm^2", **how)
    result = way(plain).cluster_umap_hdbscan("100000 nm^2", **how)
    np.testing.assert_array_equal(result.labels, expected.labels)


@every_way
def test_clusters_of_another_map(way, plain, known):
    expected = known.clusters["pca_gmm"]
    s = way(plain)
    np.testing.assert_array_equal(
        s.assign_clusters(expected).labels, plain.deepcopy().assign_clusters(expected).labels
    )
    taught = s.cluster_pca_gmm(4, name="here")
    back = plain.deepcopy().assign_clusters(taught)
    assert np.mean(back.labels == s.clusters["pca_gmm"].labels) > 0.99


@pytest.fixture(scope="module")
def usual_pixel(known):
    return known.inav[3, 4].cluster_quantification(kfactors=K)


@every_way
def test_spectra_and_compositions(way, plain, known, usual, usual_pixel):
    s = clustered_like(way(plain), known)
    spectra, expected = s.get_cluster_spectra(), usual("get_cluster_spectra")
    energy = spectra.axes_manager.signal_axes[0]
    assert (energy.scale, energy.units) == tuple(
        getattr(s.axes_manager.signal_axes[0], name) for name in ("scale", "units")
    )
    np.testing.assert_allclose(counts_of(spectra), expected.data)
    # At the energy of the axis: where HyperSpy looks for the line.
    factor = 1000 if energy.units == "eV" else 1
    copper = sorted((8.0 * factor, 8.1 * factor), reverse=energy.scale < 0)
    channels = np.abs(expected.axes_manager[-1].axis - 8.05) < 0.05
    found = spectra.isig[copper[0] : copper[1]].data.sum(axis=1)
    np.testing.assert_allclose(found, expected.data[:, channels].sum(axis=1), rtol=0.3)
    for method in ("model", "windows"):
        how = {"kfactors": K, "extra_elements": EXTRA, "method": method}
        table, other = s.cluster_quantification(**how), usual("cluster_quantification", **how)
        np.testing.assert_allclose(table.atomic_percent, other.atomic_percent, atol=0.01)
        np.testing.assert_allclose(table.std, other.std, rtol=0.01)
    single = s.inav[3, 4].cluster_quantification(kfactors=K)
    np.testing.assert_allclose(single.intensities, usual_pixel.intensities, atol=0.01)


@every_way
def test_maps_of_composition_and_of_lines(way, plain, known, usual):
    s = clustered_like(way(plain), known)
    how = {"kfactors": K, "extra_elements": EXTRA, "per_pixel": True}
    table, other = s.cluster_quantification(**how), usual("cluster_quantification", **how)
    # The energies of axes in eV differ by rounding.
    np.testing.assert_allclose(table.pixel_percent, other.pixel_percent, atol=0.05)
    assert table.maps["Cu"].axes_manager.signal_shape == (24, 20)
    which = ["Fe_Ka", "Cu_Ka", "S_Ka", "Ag_La"]
    lines = s.map_significance(which, extra_elements=EXTRA)
    other = usual("map_significance", which, extra_elements=EXTRA)
    assert lines.images.shape == (4, 20, 24)
    np.testing.assert_allclose(lines.images, other.images, atol=0.01)
    np.testing.assert_allclose(lines.p_values, other.p_values, atol=1e-3)


@pytest.mark.parametrize("way", [energy_first, energy_first_and_reversed, energy_in_ev])
def test_evidence(way, plain, usual):
    s = way(plain)
    result = s.cluster_pca_gmm(4)
    for ask in ("cluster_significance", "cluster_stability"):
        assert repr(getattr(s, ask)(result, 2)) == repr(usual(ask, None, 2))


@every_way
def test_pictures(way, plain, known):
    s = clustered_like(way(plain), known)
    for mine, usual in zip(
        s.plot_cluster_spectra().lines[:4], known.plot_cluster_spectra().lines[:4], strict=True
    ):
        np.testing.assert_allclose(mine.get_xydata(), usual.get_xydata(), atol=1e-9)
    np.testing.assert_array_equal(
        s.plot_clusters().images[0].get_array(), known.clusters["pca_gmm"].labels
    )


@pytest.mark.parametrize("way", [energy_first, energy_between, energy_reversed, in_negative_steps])
def test_results_follow_operations_on_axes(way, plain, known):
    """`rollaxis` counts as the data lie in memory."""
    labels = known.clusters["pca_gmm"].labels
    for operation in (
        lambda s: s.swap_axes(0, 1),
        lambda s: s.transpose(navigation_axes=[1, 0]),
        lambda s: s.rollaxis(0, 2),
        lambda s: s.rollaxis(1, 0),
        lambda s: s.rebin(scale=(2, 2, 1)),
    ):
        s = clustered_like(way(plain), known)
        moved = operation(s)
        if not moved.clusters:  # the energies are navigated now
            assert moved.axes_manager.signal_shape != s.axes_manager.signal_shape
            continue
        follows = moved.clusters["pca_gmm"].labels
        assert [axis["scale"] for axis in moved.clusters["pca_gmm"].axes] == [
            axis.scale for axis in reversed(moved.axes_manager.navigation_axes)
        ]
        assert follows.shape == moved.axes_manager.navigation_shape[::-1]
        if follows.size == labels.size:
            turned = follows.shape != labels.shape
            np.testing.assert_array_equal(follows, labels.T if turned else labels)
            np.testing.assert_array_equal(
                counts_of(moved).sum(-1), plain.data.sum(-1).T if turned else plain.data.sum(-1)
            )


# --- masked arrays ----------------------------------------------------------------------------


def with_masked_pixels(s, kind):
    """Two rows are masked, in all channels or in one, and hold what is no count."""
    masked = np.zeros(s.data.shape, dtype=bool)
    masked[3:5, :, 200 if kind == "one channel" else slice(None)] = True
    values = s.data.astype(float)
    values[masked] = np.nan
    return np.ma.MaskedArray(values, masked)


@pytest.mark.parametrize("mask", ["auto", None, "own"])
@pytest.mark.parametrize("kind", ["all channels", "one channel"])
@pytest.mark.parametrize("is_lazy", [False, True])
def test_masked_pixels_are_left_out(plain, is_lazy, kind, mask):
    left_out = np.zeros((20, 24), dtype=bool)
    left_out[:, 20:] = mask == "own"
    mask = left_out.copy() if mask == "own" else mask
    left_out[3:5] = True
    usual = plain.deepcopy()
    if isinstance(mask, str):
        expected = usual.cluster_pca_gmm(4)
        left_out |= expected.labels == -2
    s = plain.deepcopy()
    s.data = with_masked_pixels(plain, kind)
    if is_lazy:
        values = s.data
        s = s.as_lazy()
        s.data = da.from_array(values, chunks=(7, 24, 100))
    result = s.cluster_pca_gmm(4, navigation_mask=mask)
    assert (result.labels[left_out] == -2).all()
    assert (result.labels[~left_out] >= 0).mean() > 0.97
    expected = usual.cluster_pca_gmm(4, navigation_mask=result.labels == -2)
    np.testing.assert_array_equal(result.labels, expected.labels)
    spectra = s.get_cluster_spectra()
    np.testing.assert_allclose(spectra.data, usual.get_cluster_spectra().data)
    how = {"kfactors": K, "extra_elements": EXTRA, "per_pixel": True}
    table, usual_table = (of.cluster_quantification(**how) for of in (s, usual))
    np.testing.assert_allclose(table.atomic_percent, usual_table.atomic_percent)
    np.testing.assert_allclose(table.pixel_percent, usual_table.pixel_percent)
    lines = s.map_significance(["Cu_Ka", "Fe_Ka"], navigation_mask=mask)
    assert np.isnan(lines.images[:, 3:5]).all()


def test_channels_that_are_masked_everywhere(plain):
    s = plain.deepcopy()
    s.data = np.ma.MaskedArray(s.data, np.broadcast_to(np.arange(512) < 5, s.data.shape))
    with pytest.raises(ValueError, match=r"pixel with a masked channel.*s\.isig.*s\.data\.data"):
        s.cluster_pca_gmm()
    with pytest.raises(ValueError, match=r"masked channels.*s\.isig"):
        s.inav[0, 0].cluster_quantification(kfactors=K)
    assert s.isig[5:].cluster_pca_gmm(4).n_clusters == 4


# --- what the axes do not say -----------------------------------------------------------------


@pytest.mark.parametrize("is_lazy", [False, True])
def test_true_and_false_are_no_counts(plain, known, is_lazy):
    s = plain.deepcopy()
    s.change_dtype("bool")
    if is_lazy:
        s = s.as_lazy()
    for ask in (
        s.cluster_pca_gmm,
        s.cluster_umap_hdbscan,
        s.map_significance,
        lambda: s.get_cluster_spectra(known.clusters["pca_gmm"]),
        lambda: s.inav[0, 0].cluster_quantification(kfactors=K),
    ):
        with pytest.raises(ValueError, match=r"True and False.*change_dtype\(\"uint8\"\)"):
            ask()


UNITS = [
    "px", "pix", "pixel", "Pixels", "voxel", "pt", "point", "dot", "css_pixel", "arb", "a.u.", "au",
    "", "<undefined>", " ",
]  # fmt: skip


@pytest.mark.parametrize("size", ["5 mm^2", "200 nm^2", "200 px^2", "1 inch^2", "3"])
@pytest.mark.parametrize("units", UNITS)
def test_pixels_have_no_length(plain, units, size):
    s = plain.deepcopy()
    for axis in s.axes_manager.navigation_axes:
        axis.units, axis.scale = units, 1.0
    with pytest.raises(ValueError, match=r"does not fit the navigation axes.*numbers of pixels"):
        s.cluster_umap_hdbscan(size)
    s.axes_manager[0].units = "nm"  # one of them
    with pytest.raises(ValueError, match=r"does not fit the navigation axes.*numbers of pixels"):
        s.cluster_umap_hdbscan(size)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ("200 parsec^2", r"is .*e\+\d+ pixels.*the map has 480"),
        ("1e400 nm^2", "is inf pixels"),
        ("nan nm^2", "is nan pixels"),
        ("1 km^2", r"the map has 480"),
        ("200 px^2", "does not fit the navigation axes"),
        ("200 pt^2", "does not fit the navigation axes"),
        ("5 mm^2 ^", "does not fit the navigation axes"),
        ("1/0 nm^2", "does not fit the navigation axes"),
        ("", "does not fit the navigation axes"),
        ("200", "does not fit the navigation axes"),
        ("9**9**9**9 nm", "a size is a number and its unit"),
        ("2 nm**9**9**9", "a size is a number and its unit"),
        ("1,5 nm^2", "a size is a number and its unit"),
        ("nm^2", "a size is a number and its unit"),
    ],
)
def test_sizes_that_are_none(plain, size, message):
    with pytest.raises(ValueError, match=message):
        plain.deepcopy().cluster_umap_hdbscan(size)


def test_axes_that_are_not_uniform_count_in_pixels(plain):
    s = plain.deepcopy()
    s.axes_manager[0].convert_to_non_uniform_axis()
    (_, x) = navigation_axes(s)
    assert (x["scale"], x["units"]) == (1.0, "")
    with pytest.raises(ValueError, match=r"does not fit the navigation axes.*'not uniform'"):
        s.cluster_umap_hdbscan("200 nm^2")
    assert s.cluster_pca_gmm(4).label_map().axes_manager.signal_shape == (24, 20)
    bar = next(a for a in s.plot_clusters().artists if hasattr(a, "size_bar"))
    assert bar.txt_label.get_text().endswith("px")


@pytest.mark.parametrize("mask", ["none", "None", "vacuum", ""])
def test_words_for_the_mask(plain, mask):
    for ask in (plain.deepcopy().cluster_pca_gmm, plain.deepcopy().map_significance):
        with pytest.raises(ValueError, match=r"'auto' .*None .*array or a signal.*not '"):
            ask(navigation_mask=mask)


@pytest.mark.parametrize("is_lazy", [False, True])
def test_much_vacuum_is_told_once_and_where_it_was_asked(plain, is_lazy):
    s = plain.deepcopy()
    s.data[:, 8:] = 0
    s = s.as_lazy() if is_lazy else s
    result = s.cluster_pca_gmm(2, navigation_mask=np.arange(24) + np.zeros((20, 1)) > 7)
    for ask in (
        lambda: s.cluster_pca_gmm(2),
        lambda: s.cluster_umap_hdbscan(n_landmarks=200),
        lambda: s.assign_clusters(result),
        lambda: s.map_significance(binning=1),
    ):
        with pytest.warns(UserWarning, match="left out as vacuum") as caught:
            ask()
        told = [w for w in caught if "vacuum" in str(w.message)]
        assert [w.filename for w in told] == [__file__]
    for quiet in (
        lambda: s.get_cluster_spectra(),
        lambda: s.cluster_stability(n_resamples=1, vary="counts"),
    ):
        with warnings.catch_warnings():
            warnings.filterwarnings("error", ".*vacuum")
            quiet()


def test_a_single_spectrum_has_no_maps(plain):
    for single in (plain.sum(), plain.inav[0, 0]):
        with pytest.raises(ValueError, match=r"needs a map or a line scan.*no navigation axes"):
            single.map_significance()


@pytest.mark.parametrize(
    "size", ["200 nm^2", " 200nm²", "2e2 nm**2", "2.0E+2 nm ** 2", "200 nm nm", "0.2 nm * um",
             "2e-4 µm^2", "20000 Å^2", "200 nanometer^2"],
)  # fmt: skip
def test_sizes_however_they_are_written(plain, size):
    s = plain.deepcopy()
    for axis in s.axes_manager.navigation_axes:
        axis.units, axis.scale = "nm", 2.0
    assert smallest_cluster_in_pixels(size, s) == 50
    length = pint.get_application_registry().Quantity(20.0, "nm")
    assert smallest_cluster_in_pixels(0.5 * length**2, s) == 50
