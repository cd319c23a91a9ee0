"""
Explorer: is what I see real?
=============================

A person who looks for pixels that differ finds some in pure noise. So the explorer shows one half
of the counts, and tests in the other one what you select.
"""

# %%
# Four phases were told to be three. In a notebook, ``%matplotlib widget`` makes the window live (it
# takes ipympl); elsewhere it opens as one of matplotlib's. Draw around pixels on the map or among
# the scores that seem to stand apart. Here a mask does that.

from hyperspy_clusterquant import data

s = data.six_cation_sulfide(size=64)
result = s.cluster_pca_gmm(3, show_progressbar=False)
explorer = s.explore_clusters(result, extra_elements=["C", "Au"], show_progressbar=False)

truth = s.metadata.Ground_truth.labels
smallest = min(range(4), key=lambda phase: (truth == phase).sum())
selection = explorer.select(truth == smallest)

# %%
# The verdict in the window, as text: the composition of the selected pixels, how much it differs
# from that of the others in the cluster, and how probable such a difference is by chance.

print(selection.verdict)

# %%
# They are distinct, so they become a cluster, and the result is kept with the map.

explorer.new_cluster("overlooked")
result = s.keep_clusters(explorer.result, name="explored")
explorer.close()
print(result)
