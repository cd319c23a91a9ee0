"""
One composition inside?
=======================

Distinct clusters may still hold more than one composition each. The pixels of every cluster are
compared with each other, in squares of 1, 2, 4, ... pixels.
"""

from hyperspy_clusterquant import data

s = data.six_cation_sulfide(size=64)

# %%
# Told two clusters, one of them has to hold several of the four phases.

two = s.cluster_pca_gmm(2, exclude_lines=["C"], name="two", show_progressbar=False)
inside = s.cluster_homogeneity(two, show_progressbar=False)
for sentence in inside.summary:
    print(sentence)

# %%
# Where its pixels depart from its mean, in percent of it, in the line in which they do so most. The
# strongest departure is outlined; grey is another cluster, or lies in the blur of a border.

axes = inside.plot()

# %%
# Of the four that are found without being told, none varies inside.

four = s.cluster_pca_gmm(exclude_lines=["C"], name="four", show_progressbar=False)
print(s.cluster_homogeneity(four, show_progressbar=False).inhomogeneous)
