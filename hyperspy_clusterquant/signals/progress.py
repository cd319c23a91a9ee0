"""Progress of long work, shown or not as HyperSpy is told to."""

from __future__ import annotations

from contextlib import contextmanager


@contextmanager
def stages(title, n_stages, show):
    """Bar that moves on with each stage of a method.

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
    if not show:
        yield lambda stage, share=0.0: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=n_stages, desc=title, bar_format="{desc} {bar} {elapsed}") as bar:
        stages_begun = []

        def report(stage, share=0.0):
            if stage not in stages_begun:
                stages_begun.append(stage)
                bar.set_description(f"{title}: {stage}")
            bar.update(len(stages_begun) - 1 + share - bar.n)

        yield report
        bar.set_description(title, refresh=False)
        bar.update(n_stages - bar.n)
