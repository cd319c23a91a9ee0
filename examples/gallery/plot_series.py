"""
A series of maps
================

Maps of one sample should share their phases, numbers and colours. Clusters are learned on the first
map, and the others are assigned to them.
"""

import matplotlib.pyplot as plt

from hyperspy_clusterquant import data

first, *others = (data.six_cation_sulfide(size=64, seed=seed) for seed in range(3))

learned = first.cluster_pca_gmm(show_progressbar=False)
learned = learned.rename({0: "A", 1: "B", 2: "C", 3: "D"})

results = [learned, *(s.assign_clusters(learned, show_progressbar=False) for s in others)]

# %%
# The energy axes may differ in length, offset and channel width.

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for n, (ax, s, result) in enumerate(zip(axes, [first, *others], results, strict=True), start=1):
    s.plot_clusters(result, ax=ax)
    ax.set_title(f"map {n}", loc="left")

# %%
# How much of each phase is in each map, in percent of the pixels:

for result in results:
    shares = 100 * result.sizes / result.sizes.sum()
    print({name: round(share) for name, share in zip(result.cluster_names, shares, strict=True)})
