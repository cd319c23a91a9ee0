"""Places in a cluster that depart, in residuals that are made up."""

from types import SimpleNamespace

import numpy as np
import pytest

from hyperspy_clusterquant.evidence.local import (
    around,
    composition_ranges,
    in_squares,
    range_of,
    shares_of,
)

WHERE = np.indices((20, 30)).reshape(2, -1)


def residuals(rng, relative, totals=400.0):
    """Of one line that makes a tenth of the counts and departs so much in each pixel."""
    noise = rng.normal(0, np.sqrt(0.1 * totals), relative.size)
    values = 0.1 * totals * relative.ravel() + noise
    return SimpleNamespace(
        where=WHERE, values=values[:, None], totals=np.full(relative.size, totals), gains=[0.1]
    )


def test_mean_of_squares(rng):
    values = rng.normal(size=600)
    image = np.pad(values.reshape(20, 30), 1)
    expected = [image[y : y + 3, x : x + 3].sum() / 9 for y, x in WHERE.T]
    np.testing.assert_allclose(in_squares(SimpleNamespace(where=WHERE), values, 3), expected)


def test_departure_around_pixels(rng):
    flat = residuals(rng, np.full((20, 30), 0.5), totals=1e6)
    np.testing.assert_allclose(around(flat, 0, 4), 0.5, atol=0.02)


@pytest.mark.parametrize("totals", [200.0, 4000.0])
def test_range_without_noise(rng, totals):
    """A gradient from -60 to +60 %: the range is its own, not that of the noise."""
    across = np.linspace(-0.6, 0.6, 30) * np.ones((20, 1))
    spread = across.std()
    varies = SimpleNamespace(scales=(1, 2, 4), relative=np.full((3, 1), spread))
    ends = range_of(residuals(rng, across, totals), varies)
    np.testing.assert_allclose(ends[:, 0], np.quantile(across, [0.05, 0.95]), atol=0.1)


def test_no_range_where_all_is_noise(rng):
    varies = SimpleNamespace(scales=(1, 2), relative=np.full((2, 1), 0.01))
    assert np.isnan(range_of(residuals(rng, np.zeros((20, 30))), varies)).all()


def test_shares_of_all_lines_and_their_noise(rng):
    across = np.linspace(-0.6, 0.6, 30) * np.ones((20, 1))
    made = residuals(rng, across)
    varies = SimpleNamespace(scales=(1, 2), relative=np.full((2, 1), across.std()))
    shares, noise = shares_of(made, varies)
    np.testing.assert_allclose(shares[0] - across.ravel(), 0, atol=5 * noise[0])
    assert noise[0] == pytest.approx((shares[0] - across.ravel()).std(), rel=0.15)


def test_ranges_of_compositions(rng):
    """One element takes the place of another; the third stays, whatever its share does."""
    first = np.linspace(0.0, 20.0, 4000)
    true = np.array([first, 60 - first, np.full(4000, 40.0)])
    counts = true * np.array([3.0, 1.0, 2.0])[:, None]
    shares = counts / counts.sum(axis=0)
    mean = true.mean(axis=1)
    of_mean = mean * [3.0, 1.0, 2.0] / (mean @ [3.0, 1.0, 2.0])
    noise = np.array([0.1, 0.03, 0.02])
    seen = shares / of_mean[:, None] - 1 + rng.normal(size=true.shape) * noise[:, None]
    lower, upper = composition_ranges(mean, seen, noise)
    np.testing.assert_allclose([lower[0], upper[0]], [1.0, 19.0], atol=0.5)
    np.testing.assert_allclose([lower[1], upper[1]], [41.0, 59.0], atol=0.5)
    assert np.isnan([lower[2], upper[2]]).all()
