import re
import warnings

import dask.array as da
import numpy as np
import pytest

from hyperspy_clusterquant.counts.blanks import blank_chunks
from hyperspy_clusterquant.counts.features import every_channel
from hyperspy_clusterquant.counts.passes import collect_features

ENERGY = 0.05 * np.arange(60) - 0.2
NOISE = ENERGY < 0.1


def told(counts, chunks, **known):
    """Warnings while a map is read, whose features are counted in any case."""
    lazy = da.from_array(counts, chunks=chunks)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        blocks = collect_features(lazy, every_channel(ENERGY), **known)
    found = np.concatenate(blocks.map(lambda block: block.sum(axis=1)))
    np.testing.assert_array_equal(found, counts[..., ~NOISE].sum(axis=-1).ravel())
    return [str(w.message) for w in caught]


def sample(rng, per_channel=2.0):
    """Sample on the left, vacuum with a hundredth of its counts on the right."""
    mean = np.full((64, 96, 60), per_channel)
    mean[:, 48:] *= 0.01
    return rng.poisson(mean)


@pytest.mark.parametrize("row", [0, 2])
@pytest.mark.parametrize("column", [0, 1, 4])
def test_a_chunk_that_is_missing(row, column, rng):
    counts = sample(rng)
    counts[16 * row : 16 * row + 16, 16 * column : 16 * column + 16] = 0
    (message,) = told(counts, (16, 16, 60))
    x, y = (f"{16 * n}:{16 * n + 16}" for n in (column, row))
    assert message.startswith("1 chunk of the map holds not a single count")
    assert f"s.inav[{x}, {y}]." in message
    assert "reads as zeros" in message


def test_many_chunks_and_parts_of_the_energies(rng):
    counts = sample(rng)
    counts[:32, :32, 20:40] = 0
    (message,) = told(counts, (16, 16, 20))
    assert message.startswith("4 chunks of the map hold")
    at = " in channels 20 to 39"
    assert f"s.inav[0:16, 0:16]{at}, s.inav[16:32, 0:16]{at}" in message
    assert re.search(r"and 1 more\. ", message)
    counts[:32, :32] = 0
    (message,) = told(counts, (16, 16, 20))
    assert "channels" not in message


@pytest.mark.parametrize("chunks", [(64, 96, 60), (64, 96, 10), (7, 13, 11), (16, 16, 60)])
def test_a_map_without_missing_chunks_is_not_warned_of(chunks, rng):
    assert told(sample(rng), chunks) == []
    assert told(sample(rng, 0.01), chunks) == []


def test_no_sample_and_no_chance_are_told(rng):
    # One pixel in a thousand has a count: a chunk without any is no wonder.
    assert told(rng.poisson(2e-5, (64, 64, 60)), (16, 16, 60)) == []
    assert told(np.zeros((64, 64, 60), dtype=int), (16, 16, 60)) == []
    # The noise of the detector alone shows that the chunk is there.
    counts = sample(rng)
    counts[:16, :16] = np.where(NOISE, counts[:16, :16], 0)
    assert told(counts, (16, 16, 60)) == []
    # Not of maps in memory: they have no chunks.
    counts[:16, :16] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        collect_features(counts, every_channel(ENERGY))


def test_what_is_expected():
    """Of a place where 0.005 of the others' counts would be fewer than ten, nothing is said."""
    n_pixels = np.array([100, 100, 100])
    for rest, is_blank in ((1000.0, False), (1990.0, False), (2010.0, True)):
        assert blank_chunks(np.array([[rest], [rest], [0.0]]), n_pixels)[2, 0] == is_blank
    # Half of the chunks, and more, may be missing.
    assert blank_chunks(np.array([[1e5], [0.0], [0.0]]), n_pixels).ravel().tolist() == [
        False, True, True,
    ]  # fmt: skip


def test_energies_are_named_whatever_their_order(rng):
    counts = sample(rng)
    counts[:16, :16, 20:40] = 0
    (message,) = told(counts, (16, 16, 20), energy=ENERGY)
    assert "s.inav[0:16, 0:16] from 0.8 to 1.75 keV. " in message


def test_pixels_that_are_left_out_are_not_told(rng):
    """The advice of the warning, followed."""
    counts = sample(rng)
    counts[16:32, 32:64] = 0
    keep = np.ones((64, 96), dtype=bool)
    keep[16:32, 32:48] = False
    (message,) = told(counts, (16, 16, 60), keep=keep)
    assert message.startswith("1 chunk of the map holds")
    assert "s.inav[48:64, 16:32]. " in message
    keep[16:32, 48:64] = False
    assert told(counts, (16, 16, 60), keep=keep) == []
    keep[20, 50] = True
    assert len(told(counts, (16, 16, 60), keep=keep)) == 1


@pytest.mark.parametrize("chunks", [(16, 16, 60), (16, 16, 20), (8, 32, 60), (64, 8, 60)])
@pytest.mark.parametrize("per_channel", [0.05, 0.5, 5.0, 100.0])
def test_vacuum_that_is_empty_everywhere_is_no_damage(per_channel, chunks, rng):
    """Half of the chunks are empty, and the vacuum in the others as well."""
    y, x = np.indices((64, 96))
    for particle in (np.hypot(x - 30, y - 30) < 15, x + y < 70, (x < 50) & (y > 20)):
        assert told(rng.poisson(np.where(particle, per_channel, 0.0)[..., None], (64, 96, 60)),
                    chunks) == []  # fmt: skip


@pytest.mark.parametrize("of_vacuum", [0.002, 0.02])
def test_a_chunk_is_missing_where_vacuum_counts(of_vacuum, rng):
    y, x = np.indices((64, 96))
    mean = np.where(np.hypot(x - 30, y - 30) < 15, 20.0, 20.0 * of_vacuum)
    counts = rng.poisson(mean[..., None], (64, 96, 60))
    counts[16:32, 64:80] = 0
    (message,) = told(counts, (16, 16, 60))
    assert "s.inav[64:80, 16:32]. " in message
