"""Nothing is needed of what HyperSpy 3 removes: `learning_results`, `hyperspy.learn`, events.

HyperSpy 2 cannot do without them. So they are there for HyperSpy and exspy, and for nobody else.
"""

import ast
import builtins
import shutil
import sys
from pathlib import Path

import hyperspy.api as hs
import numpy as np
import pytest
from hyperspy.events import Events
from sklearn.metrics import adjusted_rand_score

import hyperspy_clusterquant

REMOVED = ("hyperspy.learn", "hyperspy.events")


def is_theirs(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] in ("hyperspy", "exspy")


@pytest.fixture
def next_hyperspy(monkeypatch):
    """HyperSpy as it will be to those who use it."""

    def get_results(signal):
        if is_theirs(sys._getframe(1)) and "learning_results" in vars(signal):
            return vars(signal)["learning_results"]
        raise AttributeError("learning_results")

    def set_results(signal, value):
        vars(signal)["learning_results"] = value

    def delete_results(signal):
        del vars(signal)["learning_results"]

    def get_event(events, name):
        if is_theirs(sys._getframe(1)) and name in vars(events).get("_events", ()):
            return vars(events)["_events"][name]
        raise AttributeError(name)

    def import_(name, globals=None, locals=None, fromlist=(), level=0):
        if name.startswith(REMOVED) and not is_theirs(sys._getframe(1)):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return original(name, globals, locals, fromlist, level)

    original = builtins.__import__
    results = property(get_results, set_results, delete_results)
    monkeypatch.setattr(hs.signals.BaseSignal, "learning_results", results, raising=False)
    monkeypatch.setattr(Events, "__getattr__", get_event)
    monkeypatch.setattr(builtins, "__import__", import_)


def test_they_are_gone(next_hyperspy, sulfide):
    assert not hasattr(sulfide, "learning_results")
    assert not hasattr(sulfide.axes_manager.events, "indices_changed")
    with pytest.raises(ModuleNotFoundError):
        import hyperspy.learn.mva  # noqa: F401


def test_both_workflows_and_quantification(next_hyperspy, sulfide):
    first = sulfide.cluster_pca_gmm(4, show_progressbar=False)
    second = sulfide.cluster_umap_hdbscan(n_landmarks=500, show_progressbar=False)
    assert adjusted_rand_score(first.labels.ravel(), second.labels.ravel()) > 0.9
    truth = sulfide.metadata.Ground_truth.kfactors
    table = sulfide.cluster_quantification(second, kfactors=truth, show_progressbar=False)
    assert len(table.atomic_percent) == second.n_clusters
    sulfide.plot_clusters(first)
    sulfide.plot_cluster_spectra(first)
    assert list(sulfide.clusters) == ["pca_gmm", "umap_hdbscan"]


@pytest.mark.parametrize("lazy", [False, True])
def test_results_are_kept_saved_and_loaded(next_hyperspy, clustered, lazy, tmp_path):
    s = clustered.as_lazy() if lazy else clustered
    result = s.clusters["pca_gmm"]
    s.keep_clusters(result.merge([1, 2]).rename({0: "matrix"}), "merged")
    s.save(tmp_path / "map.zspy")
    for written in tmp_path.glob("map.zspy/Experiments/*/learning_results"):
        shutil.rmtree(written)  # HyperSpy 3 writes none
    loaded = hs.load(tmp_path / "map.zspy", lazy=lazy)
    assert list(loaded.clusters) == ["pca_gmm", "merged"]
    assert loaded.inav[:20].clusters["merged"].cluster_names[0] == "matrix"
    loaded.remove_clusters("merged")
    np.testing.assert_array_equal(loaded.clusters["pca_gmm"].labels, result.labels)
    s.crop("x", 0, 20)
    assert s.clusters["merged"].labels.shape == (56, 20)


def test_its_own_plots_show_results_where_they_can(sulfide):
    """The other way round: as long as HyperSpy has the place, results are shown there."""
    sulfide.cluster_pca_gmm(4, show_progressbar=False)
    assert sulfide.learning_results.number_of_clusters == 4


def test_no_module_imports_them():
    package = Path(hyperspy_clusterquant.__file__).parent
    imported = [
        name
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None), *(alias.name for alias in node.names)]
        if name
    ]
    assert "exspy.signals" in imported
    assert [name for name in imported if name.startswith(REMOVED)] == []
