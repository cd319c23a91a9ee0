"""Composition along lines through maps whose truth is known."""

import warnings
from dataclasses import replace

import dask.array as da
import hyperspy.api as hs
import numpy as np
import pytest
import samples
from scipy import special

from hyperspy_clusterquant import data

EXTRA = ["C", "Au"]
WIDTH = 2 * special.ndtri(0.9)
PHASES = {
    "barrier": {"Al": 30.0, "As": 50.0, "Ga": 20.0},
    "well": {"Al": 2.0, "As": 50.0, "Ga": 48.0},
}


def percent_of(signal, fractions):
    """True at% (n, n_elements) of mixtures of the phases, from their fractions (n_phases, n).

    The phases have the same counts where there is as much of them, and so not the same atoms.
    """
    truth = signal.metadata.Ground_truth
    energy = signal.axes_manager.signal_axes[0].axis
    atoms = []
    for of_phase in np.asarray(truth.compositions):
        composition = dict(zip(truth.elements, of_phase, strict=True))
        spectrum = data._line_spectrum(energy, energy[1] - energy[0], composition, data.RESOLUTION)
        atoms.append(of_phase / spectrum.sum())
    atoms = np.tensordot(fractions, atoms, (0, 0))
    return 100 * atoms / atoms.sum(axis=-1, keepdims=True)


def clustered(signal, n_clusters=2):
    signal.cluster_pca_gmm(n_clusters=n_clusters)
    return signal


def edges_at(distance, places, sigmas, counts=150.0, seed=0):
    """Barriers and wells in turn, with edges at some places of the `distance` of each pixel.

    Edges are error functions: sharp ones that a beam blurs that lies anywhere on the pixels.
    """
    terms = [special.ndtr((distance - p) / s) for p, s in zip(places, sigmas, strict=True)]
    well = sum(sign * term for sign, term in zip(np.resize([1, -1], len(places)), terms))  # noqa: B905
    return samples.phantom(
        PHASES, np.array([1 - well, well]), (well > 0.5).astype(int), counts, seed
    )


@pytest.fixture(scope="module")
def shared_layers():
    return clustered(samples.layers([12, 12, 12], width=0.8))


@pytest.fixture
def layers(shared_layers):
    """Layers along x, 68 x 48 pixels of 1 nm, edges at 15.5, 27.5, 39.5 and 51.5 nm."""
    return shared_layers.deepcopy()


def through(signal, line=(0, 23.5, 67, 23.5), **more):
    """Profile through the layers, as wide as the map if nothing else is said."""
    given = {"width": 48, "kfactors": signal.metadata.Ground_truth.kfactors} | more
    return signal.composition_profile(line, extra_elements=EXTRA, **given)


@pytest.fixture(scope="module")
def whole(shared_layers):
    """Profile through all of the layers."""
    return through(shared_layers)


# --- composition ------------------------------------------------------------------------


def test_steps_hold_what_the_map_holds(layers, whole):
    np.testing.assert_allclose(whole.distance, np.arange(68))
    np.testing.assert_array_equal(whole.counts, layers.data.sum(axis=(0, 2)))
    assert (whole.pixels == 48).all()
    assert whole.elements == ("Al", "As", "Ga")
    assert whole.unit == "nm"
    assert whole.line == (0, 23.5, 67, 23.5)
    assert (whole.width, whole.step) == (48, 1)
    few = through(layers, (10, 5, 30, 5), width=3)
    np.testing.assert_array_equal(few.counts, layers.data[4:7, 10:31].sum(axis=(0, 2)))


def test_composition_within_its_errors(layers):
    """Four strips of twelve rows, 272 steps: the blurred composition, which is known."""
    layers.remove_clusters("pca_gmm")
    truth = percent_of(layers, np.asarray(layers.metadata.Ground_truth.fractions)[:, 0])
    pulls = []
    for row in (5.5, 17.5, 29.5, 41.5):
        found = through(layers, (0, row, 67, row), width=12)
        assert (found.pixels == 12).all()
        pulls.append((found.atomic_percent - truth) / found.std)
    assert 0.60 < np.mean(np.abs(pulls) < 1) < 0.75
    assert np.sqrt(np.mean(np.square(pulls))) < 1.2
    assert np.abs(np.mean(pulls, axis=(0, 1))).max() < 0.3


@pytest.mark.parametrize("blur", [0.8, 1.5])
def test_deblurred_is_closer_to_theshared_layers(blur, shared_layers, whole):
    signal = shared_layers if blur == 0.8 else clustered(samples.layers([12, 12, 12], width=blur))
    found = whole if blur == 0.8 else through(signal)
    labels = np.asarray(signal.metadata.Ground_truth.labels)[0]
    truth = percent_of(signal, np.array([labels == 0, labels == 1], dtype=float))
    error = {
        name: np.sqrt(np.mean((percent - truth)[:, [0, 2]] ** 2))
        for name, percent in (("pixels", found.atomic_percent), ("deblurred", found.deblurred))
    }
    assert error["deblurred"] < 0.95 * error["pixels"]
    # Away from the edges, within its errors.
    inside = np.r_[3:12, 20:24, 32:36, 44:48, 56:65]
    pulls = ((found.deblurred - truth) / found.deblurred_std)[inside]
    assert np.sqrt(np.mean(pulls**2)) < 1.5


def test_without_clusters_there_is_the_composition_alone(layers, whole):
    layers.remove_clusters("pca_gmm")
    found = through(layers)
    np.testing.assert_array_equal(found.atomic_percent, whole.atomic_percent)
    assert found.deblurred is found.deblurred_std is None
    assert found.interfaces == ()
    assert np.isnan([found.blur, found.blur_std]).all()
    ax = found.plot()
    assert [line.get_label() for line in ax.lines] == ["Al", "As", "Ga"]


def test_steps_of_several_pixels_have_smaller_errors(layers, whole):
    found = through(layers, step=2)
    # Pixels at the border of two steps go to the later one; the last one has none.
    assert found.pixels.tolist() == [48, *[96] * 33]
    np.testing.assert_allclose(found.distance, [0, *np.arange(1.5, 66, 2)])
    assert np.median(found.std) == pytest.approx(np.median(whole.std) / np.sqrt(2), rel=0.05)
    for one, other in zip(found.interfaces, whole.interfaces, strict=True):
        assert abs(one.position - other.position) < 4 * one.position_std


# --- interfaces -------------------------------------------------------------------------


@pytest.mark.parametrize("blur", [0.8, 1.5])
def test_sharp_interfaces_are_as_wide_as_the_blur(blur):
    """That of pixels that a filter blurs: of an error function it is 1/12 less, as variance."""
    sigma = np.sqrt(blur**2 - 1 / 12)
    signal = clustered(samples.layers([12, 12, 12], width=blur, seed=1))
    # The layers themselves as labels. Those by the counts of pixels follow their noise.
    labels = np.asarray(signal.metadata.Ground_truth.labels)
    known = replace(
        signal.clusters["pca_gmm"], labels=labels, memberships=[labels == 0, labels == 1],
        label_spectra=None, cluster_names=("barrier", "well"),
    )  # fmt: skip
    found = through(signal, result=known)
    assert abs(found.blur - sigma) < 3 * found.blur_std
    assert [each.to_name for each in found.interfaces] == ["well", "barrier"] * 2
    widths, positions, squares = [], [], []
    for each, place in zip(found.interfaces, (15.5, 27.5, 39.5, 51.5), strict=True):
        widths.append((each.width - WIDTH * sigma) / each.width_std)
        positions.append((each.position - place) / each.position_std)
        assert each.blur_width == pytest.approx(WIDTH * found.blur)
        assert each.element in ("Al", "Ga")
        assert 0 < each.width_std < 0.15 * each.width
        spread = 2 * np.hypot(each.width * each.width_std, WIDTH**2 * found.blur * found.blur_std)
        squares.append(each.intrinsic_width**2 / spread)
        assert each.intrinsic_std > 0
    assert np.abs(widths).max() < 3
    assert np.abs(positions).max() < 3
    # Nothing is left without the blur.
    assert np.max(squares) < 3


@pytest.mark.parametrize("blur", [0.8, 1.5])
def test_clusters_tell_the_blur_roughly(blur):
    """Labels near the interfaces follow the noise of their pixels, which hides some of the blur."""
    found = through(clustered(samples.layers([12, 12, 12], width=blur, seed=1)))
    assert found.blur == pytest.approx(np.sqrt(blur**2 - 1 / 12), rel=0.15)
    assert len(found.interfaces) == 4


def test_a_graded_interface_between_sharp_ones():
    """The beam lies anywhere on the pixels; the last interface is wider by itself."""
    places, beam, graded = [15.3, 27.9, 39.5, 52.2, 64.1, 84.0], 0.9, 2.2
    distance = np.tile(np.arange(105.0), (40, 1))
    sigmas = [*[beam] * 5, np.hypot(beam, graded)]
    found = through(clustered(edges_at(distance, places, sigmas)), (0, 19.5, 104, 19.5), width=40)
    assert len(found.interfaces) == 6
    for each, place, sigma in zip(found.interfaces, places, sigmas, strict=True):
        assert abs(each.position - place) < 3.5 * each.position_std
        assert abs(each.width - WIDTH * sigma) < 3.5 * each.width_std
    last = found.interfaces[-1]
    assert abs(last.intrinsic_width - WIDTH * graded) < 3 * last.intrinsic_std
    assert last.intrinsic_std < 0.15 * last.intrinsic_width
    # The one graded interface of six makes the blur of all look a little larger.
    assert found.blur == pytest.approx(beam, rel=0.15)


def test_where_all_is_graded_a_warning_says_so():
    distance = np.tile(np.arange(120.0), (30, 1))
    signal = clustered(edges_at(distance, [40, 80], [12.0, 12.0]))
    with pytest.warns(UserWarning, match="the interfaces are graded. So `blur` is an upper limit"):
        found = through(signal, (0, 14.5, 119, 14.5), width=30)
    # What is looked for ends at six pixels.
    assert found.blur == pytest.approx(6, rel=0.01)
    for each in found.interfaces:
        assert abs(each.width - WIDTH * 12) < 4 * each.width_std
        assert each.intrinsic_width > 0.7 * WIDTH * 12


def test_an_oblique_line():
    """Layers that lie across the map, and a line at right angles to them."""
    row, column = np.indices((64, 64))
    direction = np.array([2.0, 1.0]) / np.sqrt(5)
    distance = (column - 3) * direction[0] + (row - 12) * direction[1]
    places, beam = [16.2, 30.7, 45.0], 1.1
    signal = clustered(edges_at(distance, places, [beam] * 3))
    line = (3, 12, *(np.array([3, 12]) + 60 * direction))
    found = through(signal, line, width=20)
    assert len(found.distance) == 61
    # Two or three planes of pixels lie in a step.
    assert set(found.pixels[1:-1]) == {18, 27}
    share = sum(
        sign * special.ndtr((found.distance - p) / beam)
        for sign, p in zip((1, -1, 1), places, strict=True)
    )
    # Steps average over a pixel, which is little where the composition is even.
    truth = percent_of(signal, np.array([1 - share, share]))
    even = np.abs(found.distance[:, None] - places).min(axis=1) > 4
    pulls = ((found.atomic_percent - truth) / found.std)[even]
    assert 0.58 < np.mean(np.abs(pulls) < 1) < 0.78
    assert len(found.interfaces) == 3
    for each, place in zip(found.interfaces, places, strict=True):
        assert abs(each.position - place) < 3.5 * each.position_std
        assert abs(each.width - WIDTH * beam) < 3.5 * each.width_std
    assert found.blur == pytest.approx(beam, rel=0.15)
    backwards = through(signal, (*line[2:], *line[:2]), width=20)
    np.testing.assert_allclose(
        [each.position for each in backwards.interfaces][::-1],
        [60 - each.position for each in found.interfaces], atol=0.2,
    )  # fmt: skip


def test_two_phases_with_curved_borders():
    """Across a border somewhere in a map: the composition of the pixels there."""
    signal = clustered(samples.two_phases(25.0, counts_per_pixel=150))
    truth = signal.metadata.Ground_truth
    fractions = np.asarray(truth.fractions) * np.asarray(truth.thickness)
    found = signal.composition_profile(
        (0, 40, 95, 40), width=6, kfactors=truth.kfactors, extra_elements=EXTRA
    )
    rows = fractions[:, 37:44].sum(axis=1)
    pulls = (found.atomic_percent - percent_of(signal, rows)) / found.std
    assert 0.60 < np.mean(np.abs(pulls) < 1) < 0.75
    labels = np.asarray(truth.labels)[37:44].mean(axis=0) > 0.5
    changes = np.flatnonzero(labels[1:] != labels[:-1])
    # Fits say so where there is no one edge between two phases.
    places = [each.position for each in found.interfaces if each.position_std < 0.5]
    assert len(places) >= 2
    for place in places:
        assert np.abs(changes + 0.5 - place).min() < 2


# --- kinds of maps ----------------------------------------------------------------------


def test_lazy_and_eager_are_the_same(layers, whole):
    lazy = layers.as_lazy()
    lazy.data = da.from_array(layers.data, chunks=(13, 20, 300))
    found = through(lazy)
    np.testing.assert_array_equal(found.counts, whole.counts)
    for name in ("atomic_percent", "std", "deblurred", "deblurred_std"):
        np.testing.assert_allclose(getattr(found, name), getattr(whole, name), rtol=1e-6)
    assert [each.from_name for each in found.interfaces] == [
        each.from_name for each in whole.interfaces
    ]
    assert found.blur == pytest.approx(whole.blur)


def test_only_chunks_beside_the_line_are_read(layers):
    layers.remove_clusters("pca_gmm")
    read = []

    def note(block, block_info=None):
        read.append(block_info[0]["chunk-location"])
        return block

    lazy = layers.as_lazy()
    chunks = da.from_array(layers.data, chunks=(12, 68, 1024))
    lazy.data = chunks.map_blocks(note, dtype=layers.data.dtype, meta=np.empty((0, 0, 0)))
    through(lazy, (0, 30, 67, 30), width=3)
    assert set(read) == {(2, 0, 0)}


def test_pixels_that_are_not_square_across(layers, whole):
    """Layers along the finer axis: everything in other units."""
    x, y = layers.axes_manager.navigation_axes
    x.scale, y.scale, x.offset, y.offset = 0.5, 2.0, 100.0, -7.0
    found = through(layers, (100, 40, 133.5, 40), width=96)
    np.testing.assert_array_equal(found.atomic_percent, whole.atomic_percent)
    np.testing.assert_allclose(found.distance, 0.5 * whole.distance)
    assert found.step == 0.5
    # Pixels beside the line are far away for the beam.
    assert found.blur == pytest.approx(0.5 * whole.blur, rel=0.1)
    for one, other in zip(found.interfaces, whole.interfaces, strict=True):
        assert one.position == pytest.approx(0.5 * other.position, rel=1e-3)
        assert one.width == pytest.approx(0.5 * other.width, rel=1e-3)
    np.testing.assert_allclose(found.deblurred, whole.deblurred, atol=0.8)


def test_pixels_that_are_not_square_along():
    """Layers along the coarser axis, y: no step is shorter than its pixels."""
    labels = np.repeat([0, 1, 0, 1, 0], [16, 12, 12, 12, 16])
    fractions = samples.blurred(np.tile(labels[:, None], (1, 40)), 2, (0.8, 0.8 * 3))
    signal = samples.phantom(PHASES, fractions, np.tile(labels[:, None], (1, 40)), 150.0, 0)
    x, y = signal.axes_manager.navigation_axes
    x.scale, y.scale = 1.0, 3.0
    found = through(clustered(signal), (20, 0, 20, 201), width=40)
    np.testing.assert_allclose(found.distance, 3.0 * np.arange(68))
    sigma = 3 * np.sqrt(0.8**2 - 1 / 12)
    assert found.blur == pytest.approx(sigma, rel=0.2)
    for each, place in zip(found.interfaces, (15.5, 27.5, 39.5, 51.5), strict=True):
        assert abs(each.position - 3 * place) < 3.5 * each.position_std
        assert abs(each.width - WIDTH * sigma) < 3.5 * each.width_std
    # A line without a width is one pixel wide: here along x.
    thin = through(signal, (20, 0, 20, 201), width=None)
    assert thin.width == 1.0
    assert (thin.pixels == 1).all()


def test_a_line_scan_is_a_map_of_one_row(layers):
    rows = layers.inav[:, 10:30]
    scan = rows.sum("y")
    assert not scan.clusters
    found = scan.composition_profile(
        kfactors=layers.metadata.Ground_truth.kfactors, extra_elements=EXTRA
    )
    of_map = through(layers, (0, 19.5, 67, 19.5), width=20)
    np.testing.assert_allclose(found.atomic_percent, of_map.atomic_percent)
    np.testing.assert_allclose(found.std, of_map.std)
    assert (found.pixels == 1).all()
    assert found.line == (0, 67)
    assert np.isnan(found.width)
    assert "68 steps from 0 to 67 nm" in repr(found)
    clustered(scan)
    sharp = scan.composition_profile(
        kfactors=layers.metadata.Ground_truth.kfactors, extra_elements=EXTRA
    )
    assert len(sharp.interfaces) == 4
    assert sharp.blur == pytest.approx(np.sqrt(0.8**2 - 1 / 12), rel=0.2)
    part = scan.composition_profile(
        hs.roi.SpanROI(10, 35), kfactors=layers.metadata.Ground_truth.kfactors,
        extra_elements=EXTRA,
    )  # fmt: skip
    np.testing.assert_array_equal(part.counts, scan.data[10:36].sum(axis=1))
    same = scan.composition_profile(
        (10, 35), kfactors=layers.metadata.Ground_truth.kfactors, extra_elements=EXTRA
    )
    assert same == part


def test_what_the_mask_leaves_out_does_not_take_part(layers):
    mask = np.zeros((48, 68), dtype=bool)
    mask[:10] = True
    mask[:, 33] = True
    layers.cluster_pca_gmm(n_clusters=2, navigation_mask=mask, name="masked")
    found = through(layers)
    assert (found.pixels == 38).all()
    assert 33 not in found.distance
    assert len(found.distance) == 67
    np.testing.assert_array_equal(found.counts, np.delete(layers.data[10:].sum((0, 2)), 33))
    whole = through(layers, result="pca_gmm")
    assert (whole.pixels == 48).all()


def test_masked_arrays(layers):
    layers.remove_clusters("pca_gmm")
    whole = through(layers)
    layers.data = np.ma.masked_array(layers.data, np.zeros(layers.data.shape, dtype=bool))
    layers.data[:24] = np.ma.masked
    found = through(layers)
    assert (found.pixels == 24).all()
    assert np.median(found.std) == pytest.approx(np.sqrt(2) * np.median(whole.std), rel=0.1)


# --- what users say ---------------------------------------------------------------------


def test_line_as_roi_or_numbers(layers, whole):
    roi = hs.roi.Line2DROI(0, 23.5, 67, 23.5, linewidth=48)
    assert through(layers, roi, width=None) == whole
    layers.remove_clusters("pca_gmm")
    narrow = through(layers, roi, width=4)
    assert (narrow.pixels == 4).all()
    assert narrow.width == 4
    without = hs.roi.Line2DROI(0, 20, 67, 20)
    assert (through(layers, without, width=None).pixels == 1).all()
    assert (through(layers, [0, 20, 67, 20], width=None).pixels == 1).all()


def test_names_and_results(layers):
    result = layers.clusters["pca_gmm"]
    well = int(result.labels[20, 20])
    layers.keep_clusters(result.rename({well: "well", 1 - well: "barrier"}), name="named")
    found = through(layers)
    assert [each.to_name for each in found.interfaces] == ["well", "barrier"] * 2
    assert "barrier | well" in repr(found)
    merged = result.merge([0, 1])
    # One phase: nothing tells of the beam.
    one = through(layers, result=merged)
    assert one.interfaces == ()
    assert one.deblurred is None
    with pytest.raises(ValueError, match="There is no result 'else'"):
        through(layers, result="else")


def test_one_warning_of_theoretical_kfactors(layers):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        found = through(layers, kfactors=None)
    told = [str(w.message) for w in caught if issubclass(w.category, UserWarning)]
    assert sum("Theoretical k-factors" in message for message in told) == 1
    assert len(told) == 1
    assert set(found.kfactors.sources.values()) == {"theory"}
    with pytest.warns(UserWarning, match="lacks As_La"):
        through(layers, xray_lines=["Al_Ka", "As_La", "Ga_Ka"], kfactors={"Al_Ka": 1, "Ga_Ka": 2})


def test_lines_of_ones_own(layers, whole):
    found = through(layers, xray_lines=["Ga_Ka", "Al_Ka"])
    assert found.elements == ("Ga", "Al")
    np.testing.assert_allclose(found.atomic_percent.sum(axis=1), 100)
    ratio = whole.atomic_percent[:, 2] / whole.atomic_percent[:, 0]
    inside = ratio < 2  # where there is aluminium enough
    np.testing.assert_allclose(
        (found.atomic_percent[:, 0] / found.atomic_percent[:, 1])[inside], ratio[inside], rtol=0.05
    )


def test_the_signal_is_not_changed(layers):
    before, stored = layers.data.copy(), list(layers.clusters)
    through(layers)
    np.testing.assert_array_equal(layers.data, before)
    assert list(layers.clusters) == stored


@pytest.mark.parametrize(
    ("line", "more", "message"),
    [
        (None, {}, r"a map needs a line, hs.roi.Line2DROI\(x1, y1, x2, y2\).*got None"),
        ((0, 1, 2), {}, "a map needs a line"),
        ("abcd", {}, "a map needs a line"),
        ((0, 1, 2, np.nan), {}, "a map needs a line"),
        (hs.roi.SpanROI(1, 5), {}, "a map needs a line.*SpanROI"),
        (hs.roi.RectangularROI(1, 1, 20, 20), {}, "a map needs a line.*RectangularROI"),
        (hs.roi.Line2DROI(), {}, "a map needs a line"),
        ((0, 5, 90, 5), {}, r"\(0, 5, 90, 5\) must lie on the map.*x from -0.5 to 67.5 and y"),
        ((0, -5, 20, 5), {}, "must lie on the map"),
        ((3, 5, 3, 5), {}, "ends where it begins"),
        ((3, 5, 4, 5), {}, "at least 3 steps, but the line of 1 nm has 2 of 1 nm"),
        ((3, 5, 30, 5), {"step": 20}, "at least 3 steps"),
        ((3, 5, 30, 5), {"step": -1}, "`step` must be a positive number, not -1"),
        ((3, 5, 30, 5), {"width": 0}, "`width` must be a positive number, not 0"),
        ((3, 5, 30, 5), {"thin_film": False}, "thin films"),
        ((3, 5, 30, 5), {"xray_lines": ["Al_Ka"]}, "at least two elements"),
    ],
)
def test_what_does_not_fit(shared_layers, line, more, message):
    with pytest.raises(ValueError, match=message):
        through(shared_layers, line, **more)


def test_axes_that_do_not_fit(layers):
    layers.axes_manager[1].units = "s"
    with pytest.raises(ValueError, match=r"same units, but they have 'nm' \(x\) and 's' \(y\)"):
        through(layers)
    scan = layers.inav[:, 3]
    with pytest.raises(ValueError, match=r"a line scan needs a range, .*got \(0, 1, 2, 3\)"):
        scan.composition_profile((0, 1, 2, 3))
    with pytest.raises(ValueError, match="a line scan needs a range"):
        scan.composition_profile(hs.roi.RectangularROI(0, 0, 5, 5))
    with pytest.raises(ValueError, match="A line scan has no `width`, but got 2"):
        scan.composition_profile(width=2)
    with pytest.raises(ValueError, match="must lie on the map"):
        scan.composition_profile((5, 99))
    with pytest.raises(ValueError, match="needs a map or a line scan"):
        scan.inav[3].composition_profile()
    stack = hs.stack([layers.inav[:20, :20]] * 2)
    with pytest.raises(ValueError, match=r"3 navigation axes. Pick a map.*s.inav\[:, :, 0\]"):
        stack.composition_profile((0, 0, 10, 10))


def test_pixels_without_units(layers, whole):
    for axis in layers.axes_manager.navigation_axes:
        axis.units = "px"
    found = through(layers)
    assert found.unit == "px"
    np.testing.assert_array_equal(found.atomic_percent, whole.atomic_percent)


# --- a real wire ------------------------------------------------------------------------


def test_insert_of_a_nanowire(real_file):
    """GaAs with a GaAsSb insert, whose Sb rises and falls gradually to 13.4 at%."""
    s = hs.load(real_file("gaas_nanowire.hdf5"), reader="HSPY")
    s.set_signal_type("EDS_TEM_clustered")
    s.set_elements(["Ga", "As", "Sb"])
    s = s.isig[:12.0].inav[:704].rebin(scale=(4, 2, 1))
    s.cluster_pca_gmm(n_clusters=2)
    with pytest.warns(UserWarning, match="lacks Sb_La"):
        found = s.composition_profile(
            (1, 8, 336, 8), width=16, step=2.4, kfactors={"Ga_Ka": 0.8404, "As_Ka": 1.0},
            extra_elements=["C", "O", "Si", "Cu", "Cr", "Fe", "Co"],
        )  # fmt: skip
    sb = found.atomic_percent[:, found.elements.index("Sb")]
    d = found.distance
    assert sb[(d > 130) & (d < 165)].mean() == pytest.approx(13.4, abs=0.7)
    assert sb[d < 60].mean() == pytest.approx(0.41, abs=0.15)
    assert sb[d > 250].mean() == pytest.approx(0.07, abs=0.15)
    rise, fall = found.interfaces
    assert rise.element == fall.element == "Sb"
    # No beam is as wide as that: both of its edges are graded.
    assert rise.width > 15
    assert fall.width > rise.width
