"""Clusters: from the counts of pixels to labels and memberships on the map.

In: `counts.pixels.PixelCounts` and a recipe, which holds everything that is asked of a workflow;
out: a `clustering.Clustering`, with a recipe that also holds everything it chose. Each workflow is
one file, listed in `catalogue`; what they share is learning (counts to scores) and refining (every
pixel by its own counts). Nothing of composition or above is imported, no HyperSpy, no matplotlib.
"""
