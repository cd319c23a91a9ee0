from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from single_spectra import simulated, spectrum
from tables import composition
from xraylib import AtomicWeight

from hyperspy_clusterquant.composition.embedded import Embedded

CHOICES = "`part` must be one of 'remaining', 'subtracted', 'whole'"


@pytest.fixture(scope="module")
def fitted():
    """A single spectrum of copper, iron and sulfur, with its fit."""
    mean, k, _ = simulated({"Cu": 25, "Fe": 25, "S": 50})
    counts = np.random.default_rng(0).poisson(1e5 * mean)
    return spectrum(counts, ["Cu", "Fe", "S"]).cluster_quantification(kfactors=k, extra_elements=())


def lines_of(ax):
    return {line.get_label(): line.get_ydata() for line in ax.lines}


# --- bars -----------------------------------------------------------------------------------

PERCENT = np.array([[25.0, 75.0], [99.2, 0.8]])
IN_WEIGHT = PERCENT * [AtomicWeight(26), AtomicWeight(78)]
IN_WEIGHT *= 100 / IN_WEIGHT.sum(axis=1, keepdims=True)


def table(**changes):
    """Two clusters whose counts are those of their compositions, one without platinum for sure."""
    areas = 10 * IN_WEIGHT / [1.45, 5.08]
    known = {
        "atomic_percent": PERCENT,
        "weight_percent": IN_WEIGHT,
        "intensities": areas,
        "unconstrained_intensities": areas,
        "intensities_std": np.array([[10.0, 15.0], [17.0, 4.0]]),
    }
    return composition(**(known | changes))


def bars_of(ax):
    """Heights, and lower and upper ends of the error bars, (n_clusters, n_elements) each."""
    bars = [of for of in ax.containers if hasattr(of, "patches")]
    heights = [[patch.get_height() for patch in of.patches] for of in bars]
    ends = np.array([of.errorbar.lines[2][0].get_segments() for of in bars])[..., 1]
    return np.array(heights), ends[..., 0], ends[..., 1]


@pytest.mark.parametrize(("units", "values"), [("atomic", PERCENT), ("weight", IN_WEIGHT)])
def test_bars_are_in_the_units_of_the_table(units, values):
    ax = table(composition_units=units).plot()
    ax.figure.canvas.draw()
    assert ax.get_ylabel() == f"Composition ({'at%' if units == 'atomic' else 'wt%'})"
    heights, low, high = bars_of(ax)
    # Platinum in the second is no more than noise.
    np.testing.assert_allclose(heights, np.where([[True, True], [True, False]], values, 0))
    assert low[1, 1] == 0
    assert (low <= heights).all()
    assert (high > heights).all()
    assert [text.get_text() for text in ax.get_xticklabels()] == ["Fe", "Pt"]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["core", "the_shell"]


def test_bars_are_drawn_where_asked():
    _, ax = plt.subplots()
    n_figures = len(plt.get_fignums())
    assert table().plot(ax) is ax
    assert bars_of(ax)[0].shape == (2, 2)
    assert len(plt.get_fignums()) == n_figures


def test_error_bars_contain_mixing():
    """And end at zero and at 100 %."""
    more = table(covariance_mixing=np.array([[[4.0, -4.0], [-4.0, 4.0]]] * 2))
    (_, low, high), (_, lower, higher) = (bars_of(of.plot()) for of in (table(), more))
    # Of counts 0.3 at%, of k-factors 0.4, of mixing 2.
    np.testing.assert_allclose((high - low)[0] / 2, 0.5, rtol=0.01)
    np.testing.assert_allclose((higher - lower)[0] / 2, np.hypot(0.5, 2), rtol=0.01)
    assert lower.min() == 0
    assert higher.max() == 100


def test_a_cluster_without_a_composition_is_drawn():
    """One that was cropped away."""
    names = "atomic_percent", "intensities", "unconstrained_intensities"
    there = np.array([[1.0], [np.nan]])
    empty = table(**{name: there * getattr(table(), name) for name in names})
    ax = empty.plot()
    ax.figure.canvas.draw()
    heights = [[patch.get_height() for patch in of] for of in ax.containers[1::2]]
    np.testing.assert_array_equal(heights, [PERCENT[0], [0, 0]])


# --- fits -----------------------------------------------------------------------------------


def test_a_fit_is_drawn_as_it_is(fitted):
    top, below = fitted.plot_fit()
    top.figure.canvas.draw()
    (fit,) = fitted.fits
    drawn = lines_of(top)
    np.testing.assert_array_equal(drawn["model"], fit.model)
    np.testing.assert_array_equal(drawn["background"], fit.background)
    shown = fit.counts > 5
    np.testing.assert_array_equal(drawn["counts"][shown], fit.counts[shown])
    np.testing.assert_array_equal(below.lines[0].get_ydata(), fit.residual)
    expected = np.mean(fit.residual**2)
    assert top.get_title() == f"spectrum, chi² per channel {fit.reduced_chi_square:.2f}"
    assert fit.reduced_chi_square == pytest.approx(expected, rel=0.05)
    energies = top.lines[0].get_xdata()
    assert energies[np.argmax(fit.counts)] == pytest.approx(2.31, abs=0.03)


def test_a_fit_is_drawn_where_asked(fitted):
    _, axes = plt.subplots(2, 1)
    n_figures = len(plt.get_fignums())
    found = fitted.plot_fit("spectrum", axes=axes)
    assert list(found) == list(axes)
    assert len(plt.get_fignums()) == n_figures


def test_each_part_of_an_embedded_phase_is_drawn(fitted):
    """Fits of other spectra stand for what was subtracted and what was before."""
    (fit,) = fitted.fits
    others = {"subtracted": replace(fit, counts=0.5 * fit.counts),
              "whole": replace(fit, counts=1.5 * fit.counts)}  # fmt: skip
    amounts = np.array([0.5])
    known = replace(fitted, embedded=(Embedded(0, (1,), ("Fe",), amounts, amounts, **others),))
    for part, of in {"remaining": fit, **others}.items():
        top, _ = known.plot_fit(part=part)
        shown = fit.counts > 10
        np.testing.assert_array_equal(lines_of(top)["counts"][shown], of.counts[shown])
        name = "spectrum" if part == "remaining" else f"spectrum, {part}"
        assert top.get_title().startswith(f"{name}, chi²")


def test_parts_that_there_are_not(fitted):
    open_range = replace(fitted, embedded=(Embedded(0, (1,), ()),))
    for table in (fitted, open_range):
        for part in ("subtracted", "whole"):
            message = f"Nothing was subtracted from spectrum: part='{part}' is of phases"
            with pytest.raises(ValueError, match=message):
                table.plot_fit(part=part)
    with pytest.raises(ValueError, match=CHOICES):
        fitted.plot_fit(part="host")
    with pytest.raises(ValueError, match="no cluster 1 in the table"):
        fitted.plot_fit(1, part="whole")


def test_a_spectrum_without_counts_has_no_fit(fitted):
    (fit,) = fitted.fits
    nothing = replace(fit, areas=np.full(len(fit.areas), np.nan))
    with pytest.raises(ValueError, match=r"spectrum holds no counts\."):
        replace(fitted, fits=(nothing,)).plot_fit()
