from dataclasses import replace

import numpy as np
import pytest

from hyperspy_clusterquant import data
from hyperspy_clusterquant.counts.features import every_channel
from hyperspy_clusterquant.counts.pixels import read_pixels


@pytest.fixture(scope="session")
def mapped():
    """A small map with two regions; not to be changed."""
    s = data.six_cation_sulfide(size=(18, 24), channels=256, counts_per_pixel=120)
    s.clusters_from_labels(np.where(s.metadata.Ground_truth.labels == 0, 0, 1))
    return s


@pytest.fixture(scope="session")
def counts(mapped):
    """All of its counts."""
    energy = 0.04 * np.arange(256)
    return read_pixels(mapped.data, energy, every_channel(energy), None, lambda *_: None)


@pytest.fixture(scope="session")
def half(counts):
    """One half of them."""
    return replace(counts, blocks=counts.blocks.thinned([3]))
