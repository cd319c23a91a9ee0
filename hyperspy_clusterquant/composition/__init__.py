"""Composition: from summed spectra to line intensities, and from these to at% with uncertainties.

In: spectra of counts with their variances, and a choice of lines; `intensities.measure` gives the
areas of the lines to whoever wants only them, `compose.compose` makes compositions of them with
k-factors and, of a foil, absorption. Arrays and numbers only: nothing from evidence or above is
imported, no HyperSpy, no matplotlib.
"""
