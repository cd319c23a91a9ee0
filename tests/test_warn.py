"""Warnings name the file and the line of who called, whatever the depth they come from."""

import inspect
import warnings

import numpy as np
import pytest

from hyperspy_clusterquant import calibrate_kfactors, data
from hyperspy_clusterquant._warn import warn


def unreadable(s):
    s.metadata.set_item("Clusters.result_7", {"name": "of another version"})
    return s


@pytest.fixture(scope="module")
def particles():
    s = data.seven_cation_nanoparticles(size=32, channels=512)
    s.cluster_pca_gmm(1, exclude_lines=["C"])
    return s


def of_theory(s):
    s.cluster_quantification(extra_elements=["C", "Au"])  # warns


def of_a_single_spectrum(s):
    s.sum().cluster_quantification(extra_elements=["C", "Au"])  # warns


def of_windows(s):
    s.cluster_quantification(method="windows", kfactor_uncertainty=0.1)  # warns


def of_hidden_lines(s):
    s.deepcopy().cluster_pca_gmm(1, exclude_lines=["Na"])  # warns


def of_forced_clusters(s):
    s.deepcopy().cluster_pca_gmm(3, exclude_lines=["C"])  # warns


def of_a_standard(s):
    truth = s.metadata.Ground_truth
    composition = dict(zip(truth.elements, truth.compositions[0], strict=True))
    composition["Ag"], composition["Mn"] = composition["Mn"], composition["Ag"]
    calibrate_kfactors(s, composition, extra_elements=["C", "Au"])  # warns


def of_stored_results(s):
    list(unreadable(s.deepcopy()).clusters.items())  # warns


def of_stored_results_in_hyperspy(s):
    unreadable(s.deepcopy()).inav[:4]  # warns


def of_stored_results_in_bins(s):
    unreadable(s.deepcopy()).rebin(scale=(2, 2, 1))  # warns


@pytest.mark.parametrize(
    "call",
    [
        of_theory, of_a_single_spectrum, of_windows, of_hidden_lines, of_forced_clusters,
        of_a_standard, of_stored_results, of_stored_results_in_hyperspy, of_stored_results_in_bins,
    ],
)  # fmt: skip
def test_the_line_of_the_user_is_named(particles, call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        call(particles)
    own = [w for w in caught if w.category is UserWarning]
    assert own
    lines, first = inspect.getsourcelines(call)
    for warning in own:
        assert warning.filename == __file__
        assert lines[warning.lineno - first].rstrip().endswith("# warns")


def test_depth_does_not_matter_and_categories_are_kept():
    def deep(n):
        return deep(n - 1) if n else warn("deep", RuntimeWarning)

    with pytest.warns(RuntimeWarning, match="deep") as caught:
        deep(30)
    assert caught[0].filename == __file__


def test_an_error_made_of_a_warning_is_raised(particles):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        with pytest.raises(UserWarning, match="Theoretical k-factors"):
            particles.deepcopy().cluster_quantification(extra_elements=["C", "Au"])
    assert np.isfinite(particles.clusters["pca_gmm"].scores).all()
