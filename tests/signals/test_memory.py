"""Memory is set by the blocks, not by the map."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys, warnings
import dask.array as da
import numpy as np
from hyperspy_clusterquant import data
from hyperspy_clusterquant.counts import stores

warnings.simplefilter("ignore")
size, memory = map(int, sys.argv[1:])
stores.MEMORY_BYTES = memory
of = dict(channels=1024, counts_per_pixel=500)
tile = data.six_cation_sulfide(size=64, **of).data


def read(block_info=None):
    # To draw all of the counts anew in each pass takes most of the time.
    return tile[..., slice(*block_info[None]["array-location"][2])].copy()


s = data.six_cation_sulfide(size=size, lazy=True, **of)
n, meta = size // 64, np.empty((0, 0, 0), tile.dtype)
s.data = da.map_blocks(
    read, chunks=((64,) * n, (64,) * n, (256,) * 4), dtype=tile.dtype, meta=meta
)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
s.get_cluster_spectra(result, show_progressbar=False)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert result.n_clusters == 4
unit = 1 if sys.platform == "darwin" else 1024
print(before * unit, after * unit)
"""


def peak(size, memory):
    """Peak memory in bytes of a process that clusters a lazy map."""
    child = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(size), str(memory)], capture_output=True, text=True
    )
    assert child.returncode == 0, child.stderr
    return int(child.stdout.split()[-1])


@pytest.mark.skipif(sys.platform == "win32", reason="no ru_maxrss")
def test_memory_grows_with_the_results_and_not_with_the_counts():
    """Seven times the pixels of 1024 channels each, and a few numbers more in memory."""
    small, large = peak(192, 2**20), peak(512, 2**20)
    per_pixel = (large - small) / (512**2 - 192**2)
    # The counts are 1024 bytes, or 1000 packed; labels, memberships and scores are 40, with copies.
    assert per_pixel < 650
