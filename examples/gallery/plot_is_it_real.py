"""
Is it real?
===========

Told eight clusters, every method finds eight. Which of them differ by more than noise?

The counts are split: one half finds the clusters, the other half, whose noise is another,
compares their compositions.
"""

import warnings

from hyperspy_clusterquant import data

s = data.six_cation_sulfide(size=48)
eight = s.cluster_pca_gmm(8, name="eight", exclude_lines=["C"], show_progressbar=False)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that the k-factors are theoretical
    test = s.cluster_significance(eight, show_progressbar=False)
ax = test.plot()

# %%
# What belongs together is proposed as a result of its own.

print(test.consolidated)

# %%
# Maps of the lines are asked the same: is there more in them than thickness and noise? In these
# nanoparticles of one single composition, there is not.

particles = data.seven_cation_nanoparticles(size=48, counts_per_pixel=60)
maps = particles.map_significance(show_progressbar=False)
axes = maps.plot()

# %%
print(maps)
