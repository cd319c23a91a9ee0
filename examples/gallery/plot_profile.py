"""
Composition profile
===================

Across an interface, a line says more than two numbers: how wide is it, and how much of the width is
the blur of the beam?
"""

import matplotlib.pyplot as plt

from hyperspy_clusterquant import data

s = data.six_cation_sulfide(size=128)
result = s.cluster_pca_gmm(4, show_progressbar=False)

# %%
# From (x, y) to (x, y) in the units of the axes, here nm, over a width of 80 nm.

start, end = (800, 300), (980, 300)
_, ax = plt.subplots(layout="constrained")
s.plot_clusters(result, ax)
nm_per_pixel = s.axes_manager["x"].scale
x, y = ([value / nm_per_pixel for value in pair] for pair in zip(start, end, strict=True))
line = ax.plot(x, y, color="black", linewidth=3)

# %%
profile = s.composition_profile(
    (*start, *end),
    width=80,
    kfactors=s.metadata.Ground_truth.kfactors,
    extra_elements=["C", "Au"],
    show_progressbar=False,
)
print(profile)

# %%
# The lower table has for each interface the element that changes most, the width of the change from
# 10 to 90 %, how much of it the blur alone makes, and what is left without it. Bands are the error
# of counting; interfaces are marked where they were fitted.

# sphinx_gallery_thumbnail_number = 2
ax = profile.plot()
