import dataclasses
import re
from contextlib import contextmanager

import dask
import numpy as np
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from hyperspy_clusterquant.clusters import embedding
from hyperspy_clusterquant.clusters.umap_hdbscan import UmapHdbscan
from hyperspy_clusterquant.signals import progress, stability, testing
from hyperspy_clusterquant.signals.progress import stages


@pytest.fixture
def notebook():
    """What IPython publishes when it runs in a kernel, as a notebook's cell keeps it."""
    shell = InteractiveShell.instance()
    shell.kernel = object()
    shell.display_pub = CapturingDisplayPublisher()
    yield shell.display_pub
    InteractiveShell.clear_instance()


def outputs(published):
    """What is left in the cell: the last of each display."""
    left = {}
    for message in published.outputs:
        left[message["transient"]["display_id"]] = message["data"]
    return list(left.values())


def test_a_terminal_shows_stages_and_keeps_nothing(capsys):
    with stages("Work <&>", 2, True) as report:
        report("first")
        report("second", 0.5)
    shown = capsys.readouterr().err
    assert "Work <&>: first" in shown
    assert "Work <&>: second" in shown
    assert shown.split("\r")[-1].strip() == ""


def test_a_notebook_shows_stages_and_keeps_nothing(notebook, capsys):
    with stages("Work <&>", 2, True) as report:
        report("first")
        first = notebook.outputs[-1]["data"]
        report("second", 0.5)
        second = notebook.outputs[-1]["data"]
    assert first["text/plain"] == "Work <&>: first"
    assert "Work &lt;&amp;&gt;: second" in second["text/html"]
    assert re.search(r'value="1.500" max="2"', second["text/html"])
    assert outputs(notebook) == [{"text/html": "", "text/plain": ""}]
    assert capsys.readouterr() == ("", "")


def test_a_bar_is_gone_after_an_error(notebook):
    with pytest.raises(KeyboardInterrupt), stages("Work", 2, True):
        raise KeyboardInterrupt
    assert outputs(notebook) == [{"text/html": "", "text/plain": ""}]


@pytest.mark.parametrize(
    ("method", "stage"),
    [
        ("cluster_pca_gmm", "spectra"),
        ("cluster_umap_hdbscan", "components"),
        ("cluster_significance", "split 2"),
        ("map_significance", "tests"),
    ],
)
def test_no_temporary_files_are_left_after_ctrl_c(monkeypatch, tmp_path, clustered, method, stage):
    """Although the traceback, as a notebook keeps it, holds the counts that are in them."""
    monkeypatch.setattr("hyperspy_clusterquant.counts.stores.MEMORY_BYTES", 1000)
    show, seen = progress._TerminalBar.show, []

    def interrupt(bar, text, done):
        show(bar, text, done)
        if text.endswith(stage) and list(tmp_path.glob("clusterquant-*/*.npz")):
            seen.append(text)
            raise KeyboardInterrupt

    monkeypatch.setattr(progress._TerminalBar, "show", interrupt)
    arguments = {"n_splits": 2} if method == "cluster_significance" else {}
    with (
        dask.config.set({"temporary-directory": str(tmp_path)}),
        pytest.raises(KeyboardInterrupt) as raised,
    ):
        getattr(clustered, method)(show_progressbar=True, **arguments)
    assert raised.value.__traceback__
    assert seen
    assert not list(tmp_path.iterdir())


def test_a_notebook_is_not_flooded(notebook):
    with stages("Work", 1, True) as report:
        for share in range(1000):
            report("counts", share / 1000)
    assert len(notebook.outputs) < 50


def test_a_bar_of_a_map_in_a_notebook(notebook, clustered):
    clustered.cluster_pca_gmm(2, show_progressbar=True)
    titles = {message["data"]["text/plain"] for message in notebook.outputs}
    assert {"PCA + GMM: counts", "PCA + GMM: clusters", ""} <= titles
    assert outputs(notebook) == [{"text/html": "", "text/plain": ""}]


def test_silence(notebook, capsys):
    with stages("Work", 1, False) as report:
        report("counts")
    assert notebook.outputs == []
    assert capsys.readouterr() == ("", "")


def test_that_umap_is_compiled_is_said_before(monkeypatch):
    monkeypatch.setattr(embedding, "_compiled", False)
    assert embedding.embedding_stage() == "compiling UMAP, once per session"
    scores = np.random.default_rng(0).normal(size=(60, 2))
    embedding.umap_embedding(scores, 2, 5, 0.0, "euclidean", 0)
    assert embedding.embedding_stage() == "UMAP embedding"


def test_how_often_umap_will_run_is_said_before(clustered, monkeypatch):
    """Without running it."""

    class Said(Exception):
        pass

    @contextmanager
    def say(title, *_):
        raise Said(title)
        yield

    for module in (testing, stability):
        monkeypatch.setattr(module, "stages", say)
    gmm = clustered.clusters["pca_gmm"]
    recipe = UmapHdbscan().parameters | {"seed": 0, "smallest_cluster_pixels": 90}
    hdb = dataclasses.replace(gmm, workflow="umap_hdbscan", parameters=recipe)
    for method, result, keywords, title in (
        ("significance", hdb, {"n_splits": 3}, "Significance (3 × UMAP)"),
        ("significance", gmm, {"n_splits": 3}, "Significance"),
        ("stability", hdb, {"vary": ["counts", "workflow"]}, "Stability (10 × UMAP)"),
        ("stability", gmm, {"vary": ["counts", "workflow"]}, "Stability (1 × UMAP)"),
    ):
        with pytest.raises(Said, match=f"^{re.escape(title)}$"):
            getattr(clustered, f"cluster_{method}")(result, **keywords)


def test_a_terminal_is_no_notebook():
    assert not progress._is_notebook()


@pytest.mark.filterwarnings("ignore:Peaks that no declared")
def test_theory_is_named_once_for_a_map(clustered, recwarn):
    def said():
        texts = [str(warning.message) for warning in recwarn]
        recwarn.clear()
        return sum("Theoretical k-factors" in text for text in texts)

    for _ in range(3):
        clustered.cluster_quantification()
    assert said() == 1
    clustered.cluster_quantification(detector="polymer")
    assert said() == 1
    clustered.set_microscope_parameters(beam_energy=100.0)
    clustered.cluster_quantification()
    assert said() == 1
    clustered.deepcopy().cluster_quantification()
    assert said() == 1
