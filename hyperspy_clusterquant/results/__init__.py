"""Results: what users hold. Frozen to the last array, and comparable.

In: arrays of clusters, composition and evidence; out: tables as text and data frames, pictures
through `plotting`, HyperSpy images through `images`. No signal is known here, nothing from signals
is imported, and no matplotlib.
"""
