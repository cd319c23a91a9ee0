"""Small maps and clouds whose truth is known, shared by several test files."""

import numpy as np

from hyperspy_clusterquant.counts.features import merge_channels, to_features
from hyperspy_clusterquant.counts.passes import collect_features

FEATURES = merge_channels(np.arange(12) * 0.01, np.arange(12) > 1, 0.02)


def make(shape, seed=0):
    return np.random.default_rng(seed).poisson(0.8, (*shape, 12)).astype(np.uint8)


def dense(pixel_counts):
    return pixel_counts.toarray()


def features_of(data):
    return np.concatenate(collect_features(data, FEATURES).map(dense))


def expected_features(data):
    return to_features(data.reshape(-1, 12), FEATURES, 5).toarray()


def blobs(rng, centres, n=400):
    centres = np.asarray(centres, dtype=float)
    scores = rng.standard_normal((n * len(centres), centres.shape[1])) + np.repeat(centres, n, 0)
    return scores, np.repeat(np.arange(len(centres)), n)


def one_hot(labels):
    return (labels[:, None] == np.arange(labels.max() + 1)).astype(float)
