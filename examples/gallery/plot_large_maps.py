"""
Large maps
==========

A lazy map stays in its file. Each call reads it piece by piece, as often as it has to and not
more, and gives the same as on a map in memory.
"""

from hyperspy_clusterquant import data

# %%
# ``hs.load("map.zspy", lazy=True)`` gives such a map; here, a phantom draws its counts whenever
# they are read. As floats in memory it would take 300 MB.

s = data.six_cation_sulfide(size=192, channels=1024, counts_per_pixel=50, lazy=True)
s

# %%
# Two passes over the counts: one to find the clusters, one to sum their spectra.

result = s.cluster_pca_gmm(4, show_progressbar=False)
ax = s.plot_clusters(result)

# %%
# The signal is as it was: lazy, in its chunks. The result is small and in memory.

print(s, s.data.chunksize)
print(result)
