import numpy as np
import pytest

from hyperspy_clusterquant.counts.chunks import sum_pixels


def test_variance_of_weighted_sums_is_true(rng):
    """Repeat the experiment: the scatter of the sums is what sum(w^2 n) says."""
    mean = rng.uniform(0.5, 3, (50, 4))
    weights = rng.random((1, 50))
    both = np.concatenate([weights, weights**2])
    trials = [sum_pixels(rng.poisson(mean), both) for _ in range(4000)]
    sums, variances = np.array(trials).transpose(1, 0, 2)
    np.testing.assert_allclose(sums.var(axis=0), variances.mean(axis=0), rtol=0.1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_weighted_sums_of_bright_pixels_are_exact(dtype):
    """A block of the brightest bytes is more than half precision, or too few bits, would hold."""
    bright = np.full((3000, 2), 255, dtype=dtype)
    assert sum_pixels(bright, np.ones((1, 3000), bool)).tolist() == [[765000, 765000]]
