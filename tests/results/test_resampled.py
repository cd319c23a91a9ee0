import dataclasses

import numpy as np
import pytest
from companions import AXES, small_result

from hyperspy_clusterquant.results.resampled import binned, taken


def test_taking_pixels_takes_their_scores_and_landmarks():
    result = small_result()
    pixels = np.array([[8, 7], [4, 3]])
    part = taken(result, pixels, AXES)
    assert part.labels.tolist() == [[0, -2], [1, 1]]
    # Pixel 7 is masked: the scores of 8, 4 and 3 are rows 7, 4 and 3.
    assert np.array_equal(part.scores, result.scores[[7, 4, 3]])
    assert part.landmarks.tolist() == [2, 0]
    assert np.array_equal(part.embedding, result.embedding[[1, 2]])
    assert part.n_clusters == 3


def test_a_result_without_clusters_can_be_cropped_and_binned():
    empty = small_result().drop([0, 1, 2])
    assert taken(empty, np.array([0, 8]), AXES[:1]).memberships.shape == (0, 2)
    assert binned(empty, (3, 3), AXES).memberships.shape == (0, 1, 1)


def test_binning_averages_over_kept_pixels():
    result = small_result()
    small = binned(result, (2, 2), AXES)
    np.testing.assert_allclose(
        small.memberships[:, 0, 0], result.memberships[:, :2, :2].mean(axis=(1, 2))
    )
    np.testing.assert_allclose(small.scores, result.scores[[0, 1, 3, 4]].mean(axis=0)[None])
    assert small.labels.shape == (1, 1)
    masked = dataclasses.replace(result, labels=np.full((3, 3), -2), scores=np.zeros((0, 2)))
    assert binned(masked, (3, 1), AXES).labels.tolist() == [[-2, -2, -2]]


@pytest.fixture
def summed():
    """A result with spectra."""
    spectra = np.arange(12.0).reshape(3, 4)
    return dataclasses.replace(small_result(), spectra=spectra, energy=np.arange(4.0))


def test_spectra_are_those_of_all_pixels_or_none(summed):
    reordered = taken(summed, np.arange(9)[::-1].reshape(3, 3), AXES)
    np.testing.assert_array_equal(reordered.spectra, summed.spectra)
    part = taken(summed, np.arange(6).reshape(2, 3), AXES)
    for other in (part, binned(summed, (2, 2), AXES), binned(summed, (3, 3), AXES)):
        assert other.spectra is None
        np.testing.assert_array_equal(other.energy, summed.energy)
        for known, before in zip(other.reference, (summed.spectra, summed.energy), strict=True):
            np.testing.assert_array_equal(known, before)


def test_other_maps_are_assigned_by_what_the_first_taught(summed):
    """Also those of a part of one that was assigned itself."""
    learned = dataclasses.replace(
        summed, learned_spectra=np.ones((3, 5)), learned_energy=np.arange(5.0)
    )
    part = taken(learned, np.arange(3), AXES[:1])
    assert part.spectra is None
    np.testing.assert_array_equal(part.reference[0], np.ones((3, 5)))
    np.testing.assert_array_equal(part.merge([0, 1]).reference[0], [[2.0] * 5, [1.0] * 5])
