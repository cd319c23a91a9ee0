"""Exploring: a person looks, selects pixels, edits clusters, and learns whether it is real.

In: a result, the counts of its map, kept sparse, and scores; out: another result, and verdicts. The
model (`edits`, `geometry`, `plane`, `session`) knows no graphics; the view (`pictures`, `panels`,
`view`) draws what the model knows with matplotlib, and tells it what was clicked. Whether a
selection is real is `evidence`'s to say. No HyperSpy.
"""
