"""Counts of pixels: read once from a map in any chunks, kept sparse, wherever there is room.

In: a numpy or dask array of counts, and which channels and pixels take part; out: blocks of
sparse features that kernels are applied to, and weighted sums of spectra. Knows no HyperSpy, no
lines and no clusters; dask is known to runners, blocked and passes alone.
"""
