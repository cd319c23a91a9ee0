"""X-ray lines of elements: where they lie, how strong they are, what a detector makes of them.

In: elements, names of lines, beam energy, detector; out: energies and photons, attenuation,
profiles of peaks, k-factors. Physics without a spectrum: knows no counts and no HyperSpy; exspy's
table of lines is read in lines alone.
"""
