import warnings

import numpy as np
import tables

from hyperspy_clusterquant.evidence.variation import Correlations


def test_correlations_beyond_thickness_take_four_lines():
    n = 4
    beyond_noise = Correlations(np.full((n, n), 0.1), np.full((n, n), 0.2), tables.pairs(n, 0.5))
    four = tables.line_maps(correlations_beyond_noise=beyond_noise)
    assert four.thickness_removed
    assert four.correlation[0, 1] == 0.8
    assert four.correlated[0, 1]
    said = (
        "Cu_Ka - Zn_Ka: correlation +0.80 (+0.60 .. +1.00), p < 1e-4, of the ratios to Fe_Ka + S_Ka"
    )
    assert said in repr(four)
    few = Correlations(*(values[:3, :3] for values in vars(beyond_noise).values()))
    three = tables.line_maps(3, correlations_beyond_noise=few)
    assert not three.thickness_removed
    assert three.correlation[0, 1] == 0.1
    assert three.correlation_std[0, 1] == 0.2
    assert three.correlation_p_values[0, 1] == 0.5
    assert "not corrected for thickness" in repr(three)


def test_correlation_is_never_said_to_be_beyond_one():
    unsure = Correlations(np.full((4, 4), -1.0), np.full((4, 4), 1.32), tables.pairs(4, 1e-9))
    table = tables.line_maps(correlations_beyond_thickness=unsure)
    np.testing.assert_array_equal(table.correlation_interval[:, 0, 1], [-1, 1])
    assert "correlation -1.00 (-1.00 .. +1.00)" in repr(table)


def test_variation_that_absorption_can_make_is_said_to_be_that():
    table = tables.line_maps(p_values=np.array([1e-9, 0.5, 0.5, 0.5]),
                             p_values_with_absorption=np.array([1e-9, 1e-9, 0.5, 0.5]))  # fmt: skip
    assert table.absorbed.tolist() == [False, True, False, False]
    assert repr(table).count("20.0% ± 1.0%") == 1  # of what does not vary, it is noise
    said = [line.split("  ")[-1].strip() for line in repr(table).splitlines()[2:6]]
    assert said == ["varies", "cannot be told from absorption or drift",
                    *["thickness and noise"] * 2]  # fmt: skip


def test_scales_are_said():
    table = tables.line_maps(scales=(1, 2, 4), binning=(1, 4, 2, 4), n_bins=(24, 2, 6, 2),
                             p_values_of_scales=np.full((3, 4), 1e-8))  # fmt: skip
    assert "p: bins of 1, 2, 4 pixels along each axis together" in repr(table)
    assert "24 bins, pixels along each axis of one: 1" in repr(tables.line_maps())


def test_only_lines_that_vary_are_correlated():
    table = tables.line_maps(p_values=np.array([1e-9, 0.5, 1e-9, np.nan]))
    assert table.significant.tolist() == [True, False, True, False]
    assert np.isfinite(table.correlation).tolist() == np.outer(*[table.significant] * 2).tolist()


def test_lines_without_counts_are_printed_and_drawn():
    none = np.full(4, np.nan)
    nothing = Correlations(*np.full((3, 4, 4), np.nan))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = tables.line_maps(
            counts_per_pixel=np.zeros(4), dispersion=none, dispersion_beyond_thickness=none,
            p_values_no_variation=none, p_values=none, variation=none, variation_std=none,
            correlations_beyond_noise=nothing, correlations_beyond_thickness=nothing,
            images=np.full((4, 4, 6), np.nan, dtype=np.float32),
        )  # fmt: skip
        assert "Cu_Ka  0" in repr(table)
        assert not table.to_dataframe()["significant"].any()
        axes = table.plot()
        assert axes[0].get_title(loc="left") == "Cu Kα: no counts to compare"
        table.plot_correlations()
        axes[0].figure.canvas.draw()


def test_net_counts_as_images():
    table = tables.line_maps()
    image = table.maps()["Zn_Ka"]
    np.testing.assert_array_equal(image.data, table.images[1])
    assert image.metadata.Signal.quantity == "X-rays (Counts)"
    assert image.axes_manager[0].scale == 2.0
    image.data[:] = 0  # the table's own stay
    assert table.images[1].any()
