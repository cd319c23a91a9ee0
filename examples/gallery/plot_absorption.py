"""
Absorption
==========

Soft X-rays are absorbed on their way out of the specimen. Give its thickness, and the correction
is made.
"""

import matplotlib.pyplot as plt

from hyperspy_clusterquant import data

s = data.six_cation_sulfide(size=48)
result = s.cluster_pca_gmm(4, show_progressbar=False)

# %%
# The density is estimated from the composition, the take-off angle comes from the metadata. A
# remark says how much was corrected at most.

asked = {
    "kfactors": s.metadata.Ground_truth.kfactors,
    "extra_elements": ["C", "Au"],
    "show_progressbar": False,
}
table = s.cluster_quantification(result, absorption={"thickness": 100}, **asked)
print(table.remarks[0])

# %%
# How much does a wrong thickness matter? Cadmium to sulfur in each cluster, by the thickness that
# is assumed:

thicknesses = [1, 100, 300]
ratios = [
    s.cluster_quantification(result, absorption={"thickness": t}, **asked).ratio("Cd", "S").values
    for t in thicknesses
]

figure, ax = plt.subplots(layout="constrained")
lines = ax.plot(thicknesses, ratios, "o-", label=result.cluster_names)
_ = ax.set(xlabel="assumed thickness (nm)", ylabel="Cd / S (atoms)", ylim=0)
legend = ax.legend()
