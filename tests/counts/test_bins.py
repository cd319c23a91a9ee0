import itertools

import numpy as np
import pytest

from hyperspy_clusterquant.counts.bins import bin_parts, bin_pixels
from hyperspy_clusterquant.counts.features import (
    to_features,
)
from hyperspy_clusterquant.counts.packed import group_rows


@pytest.mark.parametrize(("shape", "factor"), [((7,), 3), ((5, 8), 2), ((3, 4, 5), 2)])
def test_binning_sums_neighbours_of_kept_pixels(shape, factor, rng):
    keep = rng.random(shape) > 0.2
    x = rng.poisson(1.0, (keep.sum(), 2))
    bins, n_bins = bin_pixels(keep, factor)
    binned = group_rows(to_features(x, np.arange(2), 2), bins, n_bins).toarray()
    where = np.array(np.nonzero(keep)).T // factor
    cells = sorted({tuple(cell) for cell in where})
    assert n_bins == len(cells)
    for row, cell in zip(binned, cells, strict=True):
        assert np.array_equal(row, x[(where == cell).all(axis=1)].sum(axis=0))


@pytest.mark.parametrize("shape", [(40_000,), (200, 200), (4, 100, 100)])
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_parts_of_bins_are_small_whole_and_in_order(shape, factor, rng):
    bins, _ = bin_pixels(rng.random(shape) < 0.8, factor)
    parts = bin_parts(bins, 1000)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(bins)))
    assert max(map(len, parts)) <= 1000 + factor ** len(shape)
    ends = [(bins[part].min(), bins[part].max()) for part in parts]
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(ends))
    assert all((np.diff(part) > 0).all() for part in parts)
