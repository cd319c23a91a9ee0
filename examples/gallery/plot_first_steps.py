"""
First steps
===========

From a map to phases and their compositions in four lines.
"""

# %%
# A map of your own comes from a file. Say what kind of map it is, and which elements the phases are
# made of::
#
#     import hyperspy.api as hs
#
#     s = hs.load("map.bcf")[-1]
#     s.set_signal_type("EDS_TEM_clustered")
#     s.set_elements(["Ag", "Cd", "Cu", "Fe", "Mn", "S", "Zn"])
#     s.set_microscope_parameters(beam_energy=200)
#
# Here is a simulated one: the section of a sulfide of six metals, with 180 counts per pixel.

from hyperspy_clusterquant import data

s = data.six_cation_sulfide(size=64)
s

# %%
# The pixels are grouped by their whole spectra. The number of clusters is found in the counts.

result = s.cluster_pca_gmm(show_progressbar=False)
print(result)

# %%
ax = s.plot_clusters(result)

# %%
# What they consist of, with one standard deviation from counts, k-factors and mixing. Without
# k-factors of your own they are theoretical, which a warning says; those of the phantom are known.

table = s.cluster_quantification(
    result,
    kfactors=s.metadata.Ground_truth.kfactors,
    extra_elements=["C", "Au"],
    show_progressbar=False,
)
print(table)

# %%
ax = table.plot()
