"""Progress of long work, shown or not as HyperSpy is told to, and gone when it is done."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager

from hyperspy_clusterquant._text import tag
from hyperspy_clusterquant.counts.stores import files_gone_if_left

#: Seconds between two updates of a bar in a notebook, each of which is a message.
SHORTEST = 0.1


@contextmanager
def stages(title, n_stages, show):
    """Bar that moves on with each stage of a method.

    Nothing of it stays when the work is done: not in the terminal, and not in a notebook that is
    exported. Nor do the temporary files of the work stay if an error or Ctrl-C ends it.

    Parameters
    ----------
    title : str
        What is being done.
    n_stages : int
        Most stages there can be.
    show : bool or None
        None = HyperSpy's preference.

    Yields
    ------
    callable
        To be called with the name of each stage as it begins, and then again with the share of it
        that is done, if that is known.
    """
    import hyperspy.api as hs

    if show is None:
        show = hs.preferences.General.show_progressbar
    with files_gone_if_left(), _shown(title, n_stages, show) as report:
        yield report


@contextmanager
def _shown(title, n_stages, show):
    """The bar of `stages`, or none."""
    if not show:
        yield lambda stage, share=0.0: None
        return
    bar = _NotebookBar(title, n_stages) if _is_notebook() else _TerminalBar(title, n_stages)
    stages_begun = []

    def report(stage, share=0.0):
        if stage not in stages_begun:
            stages_begun.append(stage)
        bar.show(f"{title}: {stage}", len(stages_begun) - 1 + share)

    try:
        yield report
    finally:
        bar.close()


def with_umap(title, n_runs):
    """A title that says beforehand how often UMAP runs, which is what takes long.

    Examples
    --------
    >>> with_umap("Stability", 10), with_umap("Stability", 0)
    ('Stability (10 × UMAP)', 'Stability')
    """
    return f"{title} ({n_runs} × UMAP)" if n_runs else title


def _is_notebook():
    """Whether what is displayed goes to Jupyter, and not to a terminal."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    return hasattr(shell, "kernel")


class _TerminalBar:
    """A bar on the last line of a terminal."""

    def __init__(self, title, n_stages):
        from tqdm import tqdm

        self._bar = tqdm(
            total=n_stages, desc=title, bar_format="{desc} {bar} {elapsed}", leave=False
        )

    def show(self, text, done):
        if text != self._bar.desc.removesuffix(": "):
            self._bar.set_description(text)
        self._bar.update(done - self._bar.n)

    def close(self):
        self._bar.close()


class _NotebookBar:
    """A bar in the output of a cell, which is empty in the end."""

    def __init__(self, title, n_stages):
        from IPython.display import display

        self._n_stages, self._began, self._shown = n_stages, time.monotonic(), ("", 0.0)
        self._display = display(self._parts(title, 0.0), raw=True, display_id=True)

    def _parts(self, text, done):
        """What is displayed, by its type."""
        seconds = f"{time.monotonic() - self._began:.0f} s"
        bar = tag("progress", value=f"{done:.3f}", max=self._n_stages, style="width:16em")
        return {"text/html": tag("span", text, " ", bar, " ", seconds), "text/plain": text}

    def show(self, text, done):
        last, when = self._shown
        if text != last or time.monotonic() - when > SHORTEST:
            self._shown = text, time.monotonic()
            self._display.update(self._parts(text, done), raw=True)

    def close(self):
        self._display.update({"text/html": "", "text/plain": ""}, raw=True)
