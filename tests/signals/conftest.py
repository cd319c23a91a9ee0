import pytest
from single_spectra import single

from hyperspy_clusterquant import data


@pytest.fixture(scope="session")
def particles():
    """One composition in one cluster; not to be changed."""
    return single(data.seven_cation_nanoparticles(size=64, counts_per_pixel=300))
