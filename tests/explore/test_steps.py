"""Spectra as they are drawn."""

import numpy as np
import pytest

from hyperspy_clusterquant.explore.steps import in_steps, steps_of


def test_few_counts_are_drawn_in_wider_steps(rng):
    energy = 0.01 * np.arange(1000)
    steps = steps_of(energy, 0.1, 6.0)
    expected = rng.uniform(0.5, 1.5, 1000)
    widths = []
    for scale in (0.1, 8.0, 100.0):
        counts = rng.poisson(scale * expected)
        middle, share = in_steps(counts, energy, steps)
        width = round(np.diff(middle)[0] / 0.01)
        widths.append(width)
        assert (share > 0).all()
        first = counts[steps[0] : steps[0] + width].sum() / width / counts.sum()
        assert share[0] == pytest.approx(max(first, 1e-12))
    assert widths == [8, 2, 1]  # of 0.2, 14 and 170 counts in a channel


def test_spectra_are_drawn_in_few_steps():
    energy = 0.005 * np.arange(4096)
    steps = steps_of(energy, 0.1, 10.0)
    assert len(steps) <= 701
    assert energy[steps[0]] == pytest.approx(0.1)
    assert steps[-1] == 2000
    assert (np.diff(steps)[:-1] == np.diff(steps)[0]).all()
