import os
from pathlib import Path

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant import data
from hyperspy_clusterquant.evidence import splits
from hyperspy_clusterquant.evidence.kept_labels import KeptLabels

hs.preferences.General.show_progressbar = False
hs.set_log_level("ERROR")

_FOLDER = Path(
    os.environ.get(
        "CLUSTERQUANT_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"
    )
)


#: Files that take longest, the longest first: begun last, one of them would keep a test process
#: busy while the other has nothing left to do (see `--no-loadscope-reorder` in the Makefile).
LONGEST = (
    "tests/golden/test_golden.py",
    "tests/signals/test_quantifying.py",
    "tests/signals/test_axes.py",
    "tests/signals/test_exspy_suite.py",
    "tests/signals/test_clustering.py",
    "tests/signals/test_distributed.py",
    "tests/signals/test_lazy.py",
    "tests/signals/test_specimen.py",
    "tests/signals/test_exploring.py",
    "docs/is_it_real.md",
    "tests/counts/test_runners.py",
    "tests/clusters/test_departures.py",
    "tests/signals/test_memory.py",
)


def pytest_collection_modifyitems(config, items):
    rank = {config.rootpath / name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture(autouse=True, scope="session")
def _nothing_kept():
    """Clusters of halves are learned each time, so that two calls that must agree are two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "_kept", KeptLabels(most_bytes=0))
        yield


@pytest.fixture(scope="session")
def real_file():
    """Path of a real file, or the test skips."""

    def path(name):
        if not (_FOLDER / name).exists():
            pytest.skip(f"{name} is not in {_FOLDER} (set CLUSTERQUANT_TEST_DATA)")
        return _FOLDER / name

    return path


@pytest.fixture(scope="session")
def _sulfide():
    return data.six_cation_sulfide(size=(56, 64), channels=512, counts_per_pixel=400)


@pytest.fixture
def sulfide(_sulfide):
    """Four phases in a map that is not square, without results."""
    return _sulfide.deepcopy()


@pytest.fixture(scope="session")
def _clustered(_sulfide):
    s = _sulfide.deepcopy()
    s.cluster_pca_gmm(n_clusters=4)
    return s


@pytest.fixture
def clustered(_clustered):
    """The same with a result of workflow 1."""
    return _clustered.deepcopy()


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture(scope="module")
def client():
    """Of a cluster of two processes."""
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
