import numpy as np

from hyperspy_clusterquant.counts.features import (
    to_features,
)
from hyperspy_clusterquant.counts.packed import PackedCounts, group_columns, thin


def test_thinned_halves_are_independent_and_add_up(rng):
    x = to_features(rng.poisson(5.0, (20_000, 3)), np.arange(3), 3)
    a, b = thin(x, rng)
    assert np.array_equal((a + b).toarray(), x.toarray())
    a, b = a.toarray(), b.toarray()
    assert np.allclose(a.mean(axis=0), 2.5, atol=0.05)
    correlation = [np.corrcoef(a[:, j], b[:, j])[0, 1] for j in range(3)]
    assert np.abs(correlation).max() < 4 / np.sqrt(20_000)


def test_summed_columns(rng):
    dense = rng.poisson(1.0, (10, 6))
    groups = np.array([0, 0, 1, 2, 2, 2])
    merged = group_columns(to_features(dense, np.arange(6), 6), groups, 3)
    assert np.array_equal(
        merged.toarray(), np.array([dense[:, groups == g].sum(1) for g in range(3)]).T
    )


def test_packed_counts_are_the_counts(rng):
    for highest in (3, 300, 70000):
        x = to_features(rng.integers(0, highest, (6, 12)), np.arange(12), 12)
        packed = PackedCounts.pack(x)
        assert np.array_equal(packed.unpack().toarray(), x.toarray())
        assert np.array_equal(packed.rows(2, 5).unpack().toarray(), x[2:5].toarray())
        assert packed.values.dtype.itemsize == {3: 1, 300: 2, 70000: 4}[highest]
