import pytest


@pytest.fixture(params=[1, 7, 2**14])
def block_pixels(request, monkeypatch):
    monkeypatch.setattr("hyperspy_clusterquant.counts.passes.BLOCK_PIXELS", request.param)
