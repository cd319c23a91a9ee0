"""Evidence: is it real? What halves of the counts, and bins of pixels, say of clusters and maps.

In: counts of pixels, the clusters learned again on halves of them, and the fit that makes line
intensities of counts; out: p-values, differences, `verdicts` and mergers, as arrays. How it looks
as a table or a picture is no matter here: nothing from plotting, images or results is imported.
"""
