"""
Low counts
==========

Six counts per pixel are too few to tell one pixel from another, and enough for the map.

Where a pixel alone says little, the clusters are learned on bins of pixels. Labels still have
the full resolution: every pixel is judged by its own counts and those of its neighbours.
"""

import matplotlib.pyplot as plt

from hyperspy_clusterquant import compare_clusterings, data

s = data.six_cation_sulfide(size=96, counts_per_pixel=6)

# %%
# Each pixel for itself, as a script with scikit-learn would do it, and the default.

alone = s.cluster_pca_gmm(
    4, binning=1, neighbourhood=0, n_components=3, name="alone", show_progressbar=False
)
helped = s.cluster_pca_gmm(4, show_progressbar=False)
print("binned for learning by", helped.parameters["binning_used"])

# %%
# The agreement with the truth is given as adjusted Rand index: 1 is the same, 0 is chance.

truth = s.metadata.Ground_truth.labels
figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, result, name in zip(
    axes, (alone, helped), ("each pixel alone", "the default"), strict=True
):
    s.plot_clusters(result, ax=ax)
    ax.set_title(f"{name}: {compare_clusterings(result, truth).ari:.2f}", loc="left")
