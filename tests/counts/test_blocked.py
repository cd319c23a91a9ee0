import dask.array as da
import numpy as np
from planted import FEATURES, dense, expected_features, make

from hyperspy_clusterquant.counts.passes import collect_features


def test_pixels_groups_and_cuts_of_stored_counts(block_pixels, rng):
    data = make((5, 6))
    keep = rng.random(30) < 0.6
    groups = np.array([0, 0, -1, 1, 1])
    stored = collect_features(data, FEATURES).only(keep, groups)
    every = expected_features(data)[keep]
    expected = np.stack([every[:, :2].sum(axis=1), every[:, 3:].sum(axis=1)], axis=1)
    numbers = np.arange(len(expected))
    for parts in (None, [numbers], [numbers[1::3], numbers[::3], numbers[2::3]]):
        found = stored.map(lambda x, n: (x.toarray(), n), of_pixels=[numbers], parts=parts)
        order = np.concatenate(parts) if parts else numbers
        assert np.array_equal(np.concatenate([x for x, _ in found]), expected[order])
        assert np.array_equal(np.concatenate([n for _, n in found]), order)
        weighted = stored.sum(lambda x, n, s: s * n @ x, 2.0, of_pixels=[numbers], parts=parts)
        np.testing.assert_allclose(weighted, 2 * numbers @ expected)


def test_half_of_the_counts_is_binomial_and_the_same_for_any_chunks():
    data = make((40, 30), seed=3)
    stored = collect_features(data, FEATURES)
    total = np.concatenate(stored.map(dense))
    half = np.concatenate(stored.thinned([0, 1]).map(dense))
    assert (half <= total).all()
    n = total.sum()
    assert abs(half.sum() - n / 2) < 4 * np.sqrt(n / 4)
    # The two halves of Poisson counts are not correlated.
    rest = total - half
    assert abs(np.corrcoef(half.ravel(), rest.ravel())[0, 1]) < 4 / np.sqrt(half.size)
    lazy = collect_features(da.from_array(data, chunks=(7, 11, 5)), FEATURES)
    np.testing.assert_array_equal(np.concatenate(lazy.thinned([0, 1]).map(dense)), half)
    other = np.concatenate(stored.thinned([0, 2]).map(dense))
    assert not np.array_equal(other, half)


def test_groups_of_groups():
    data = make((4, 5))
    stored = collect_features(data, np.arange(12))
    twice = stored.only(groups=np.arange(12) // 2).only(groups=np.array([0, -1, 0, 1, 1, -1]))
    total = data.reshape(20, 12).astype(int)
    np.testing.assert_array_equal(
        np.concatenate(twice.map(dense)),
        np.stack([total[:, [0, 1, 4, 5]].sum(axis=1), total[:, 6:10].sum(axis=1)], axis=1),
    )
